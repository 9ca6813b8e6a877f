#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line itself: what it refuses, in which words, and its help.
. tests/cli/support.sh

refused() { # NAME MESSAGE HINT ARGUMENT...
	local name=$1 message=$2 hint=$3
	shift 3
	run "$ioasidctl" "$@"
	exits 64 "$name: exit status"
	says "$err" "ioasidctl: error: $message" "$name: message"
	says "$err" "hint: $hint" "$name: way out"
	silent "$out" "$name: nothing on standard output"
}

run "$ioasidctl"
exits 64 "no argument: exit status"
silent "$out" "no argument: the help isn't a result"
says "$err" "Usage: ioasidctl VERB" "no argument: help"

refused "unknown verb" 'unknown verb "frobnicate"' '`ioasidctl --help` lists the verbs' frobnicate
refused "misspelt verb" 'unknown verb "shwo"' 'did you mean `ioasidctl show`?' shwo
refused "unknown option" 'unknown option --frobnicate' '`ioasidctl --help`' show --frobnicate
refused "misspelt option" 'unknown option --jsno' 'did you mean --json?' show --jsno
refused "unknown letter" 'unknown option -x' '`ioasidctl --help`' show -x
refused "foreign option" 'show has no option --dry-run' 'it belongs to: apply, delete' \
	show --dry-run
refused "foreign option before the verb" 'check has no option --yaml' 'it belongs to: show' \
	--yaml check x
refused "misspelt choice" '--driver takes auto, iommufd, vfio or ioasid, not "iomufd"' \
	'did you mean --driver iommufd?' apply --driver iomufd x
refused "too few arguments" 'apply: FILE is missing' \
	'usage: ioasidctl apply [OPTION...] FILE' apply
refused "too few names" 'delete: NAME is missing' 'usage: ioasidctl delete' delete
refused "too many arguments" 'show: "b" is one argument too many' \
	'usage: ioasidctl show [OPTION...] [NAME]' show a b
refused "no command" 'run needs a command after "--"' \
	'usage: ioasidctl run [OPTION...] FILE -- CMD [ARG...]' run x
refused "empty command" 'run needs a command after "--"' 'usage: ioasidctl run' run x --
refused "command without --" 'run: "true" is one argument too many' \
	'usage: ioasidctl run [OPTION...] FILE -- CMD [ARG...]' run x true
refused "empty file name" 'apply: argument 1 is empty' 'a variable without a value?' apply ''
refused "empty topology name" 'delete: argument 2 is empty' 'a variable without a value?' \
	delete vm0 ''
refused "empty option" '--socket: its PATH is empty' 'a variable without a value?' \
	delete --socket '' vm0
refused "two forms" '--yaml and --names exclude each other' 'ask twice' show --names --yaml
refused "machine without the reference device" "--machine doesn't go with --driver iommufd" \
	'leave out one of them' check --driver iommufd --machine m.json vm0.yaml
run "$ioasidctl" show --json --yaml
exits 64 "JSON and YAML: exit status"
is "$(json "$err" 'd["errors"][0]["message"]')" "--json and --yaml exclude each other" \
	"JSON and YAML: message"
silent "$out" "JSON and YAML: nothing on standard output"
refused "unknown shell" 'there is no completion for the shell "zhs"' 'did you mean zsh?' \
	completion zhs
refused "help on nothing" 'unknown verb "frob"' '`ioasidctl --help` lists the verbs' help frob

run "$ioasidctl" apply --driver
exits 64 "missing argument: exit status"
says "$err" 'error: --driver needs an argument: NAME' "missing argument: message"
run "$ioasidctl" apply -d
says "$err" 'error: --driver needs an argument: NAME' "missing argument of a letter: message"
run "$ioasidctl" show --json=yes
exits 64 "unwanted argument: exit status"
says "$err" 'error: --json takes no argument' "unwanted argument: message"
run "$ioasidctl" --version=3
says "$err" 'error: --version takes no argument' "unwanted argument before the verb: message"

run "$ioasidctl" frobnicate --json
exits 64 "errors as JSON: exit status"
silent "$out" "errors as JSON: not on standard output"
valid "$err" error "errors as JSON: by the schema"
is "$(json "$err" 'd["errors"][0]["kind"]')" usage "errors as JSON: kind"

run "$ioasidctl" --version
exits 0 "--version: exit status"
is "$(cat "$out")" "$("$ioasidctl" version | head -1)" "--version: the first line of version"
run "$ioasidctl" version --json
valid "$out" version "version --json: by the schema"
is "$(json "$out" '[x["name"] for x in d["drivers"]]')" "['iommufd', 'vfio', 'ioasid']" "version: the drivers"
is "$(json "$out" 'd["drivers"][2]["available"]')" True "version: the reference device is available"
run "$ioasidctl" --help
exits 0 "--help: exit status"
golden "$out" help
silent "$err" "--help: nothing on standard error"
for verb in check plan apply show translate delete run exec daemon host version completion help; do
	run "$ioasidctl" "$verb" --help
	exits 0 "$verb --help: exit status"
	golden "$out" "help-$verb"
	is "$(awk 'length > 80' "$out")" "" "$verb --help: 80 columns"
	is "$("$ioasidctl" help "$verb")" "$(cat "$out")" "help $verb says the same"
done
run "$ioasidctl" --json show
exits 0 "options before the verb"
valid "$out" show "options before the verb: they count"
finish
