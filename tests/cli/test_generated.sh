#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is generated is fresh, and works: schemas, manual pages, completions.
. tests/cli/support.sh
make="make -s -C $top O=$(dirname "$ioasidctl")"

run $make check-generated
exits 0 "generated files are fresh"
for page in "$top"/man/*.scd; do
	if ! command -v scdoc >/dev/null; then
		echo "ok $((count += 1)) - ${page##*/} # skip: no scdoc"
		continue
	fi
	scdoc <"$page" >"$out" 2>"$err"
	status=$?
	exits 0 "${page##*/}: scdoc takes it"
done
for schema in "$top"/schemas/*.schema.json; do
	run "$python" -c 'import json, jsonschema, sys
jsonschema.Draft202012Validator.check_schema(json.load(open(sys.argv[1])))' "$schema"
	exits 0 "${schema##*/}: is a schema"
done

# Completions: loaded by the shell itself, and asked.
complete_bash() { # WORD...; the last is being completed
	bash --norc -c '. "$1"; shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_ioasidctl; printf "%s\n" "${COMPREPLY[@]}"' bash "$top/completions/ioasidctl.bash" "$@"
}
run complete_bash ioasidctl sh
is "$(cat "$out")" show "bash: verbs"
silent "$err" "bash: loads without complaint"
run complete_bash ioasidctl apply --dr
is "$(cat "$out")" "--driver
--dry-run" "bash: options of a verb"
run complete_bash ioasidctl show --dr
is "$(tr -d '\n' <"$out")" "" "bash: not those of another"
run complete_bash ioasidctl apply --driver io
is "$(cat "$out")" "iommufd
ioasid" "bash: choices"
touch vm0.yaml
run complete_bash ioasidctl check vm
is "$(cat "$out")" vm0.yaml "bash: files"
run complete_bash ioasidctl run vm0.yaml -- tru
says "$out" true "bash: commands"

if command -v fish >/dev/null; then
	complete_fish() {
		HOME=$place fish --no-config -c "source $top/completions/ioasidctl.fish; complete -C '$1'"
	}
	run complete_fish "ioasidctl sh"
	says "$out" "show	Print the live topology" "fish: verbs"
	silent "$err" "fish: loads without complaint"
	run complete_fish "ioasidctl apply --dr"
	says "$out" "--dry-run" "fish: options of a verb"
	run complete_fish "ioasidctl apply --driver io"
	says "$out" iommufd "fish: choices"
	run complete_fish "ioasidctl check vm"
	says "$out" vm0.yaml "fish: files"
fi

if command -v zsh >/dev/null; then
	# zsh completes only in a line editor, which needs a terminal: zpty is one.
	cat >zsh-complete <<-'END'
		zmodload zsh/zpty
		zpty z zsh -f -i
		zpty -w z "PS1=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -d $2/dump"
		zpty -w z 'zstyle ":completion:*" list-prompt ""; LISTMAX=1000; unsetopt automenu'
		zpty -w z 'echo re''ady'
		zpty -r z seen '*ready*'
		zpty -w -n z "$3"$'\t\t'
		sleep 0.1
		zpty -w z $'\nexit'
		while zpty -r z line; do print -rn -- "$line"; done
	END
	complete_zsh() {
		timeout 60 zsh -f "$place/zsh-complete" "$top/completions" "$place" "$1"
	}
	run complete_zsh "ioasidctl comple"
	says "$out" "completion" "zsh: verbs"
	run complete_zsh "ioasidctl apply --dr"
	says "$out" "dry-run" "zsh: options of a verb"
	run complete_zsh "ioasidctl apply --driver io"
	says "$out" "iommufd" "zsh: choices"
fi
finish
