#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The two streams: full disks, closed descriptors, colours.
. tests/cli/support.sh

for verb in "show" "show --json" "--help" "version" "completion bash" "help run"; do
	# shellcheck disable=SC2086
	"$ioasidctl" $verb >/dev/full 2>"$err"
	status=$?
	: >"$out"
	exits 1 "$verb on a full disk: exit status"
	says "$err" 'standard output: No space left on device' "$verb on a full disk: message"
done
"$ioasidctl" show --json >&- 2>"$err"
status=$?
exits 1 "closed standard output: exit status"
says "$err" 'standard output: Bad file descriptor' "closed standard output: message"
"$ioasidctl" show --json 2>&- >"$out"
status=$?
exits 0 "closed standard error: no matter without errors"
"$ioasidctl" frobnicate 2>&- >"$out"
status=$?
exits 64 "closed standard error: the status still tells"
silent "$out" "closed standard error: errors go nowhere else"
"$ioasidctl" check - <&- >"$out" 2>"$err"
status=$?
exits 65 "closed standard input: exit status"
"$ioasidctl" --json show >/dev/full 2>"$err"
status=$?
valid "$err" error "full disk with --json: the error as JSON"

escape=$'\033'
run "$ioasidctl" frobnicate
lacks "$err" "$escape" "no colours into a file"
run "$ioasidctl" --color always frobnicate
says "$err" "$escape[1;31merror:" "--color always: colours"
run "$ioasidctl" --color never frobnicate
lacks "$err" "$escape" "--color never: none"
if command -v script >/dev/null; then
	TERM=xterm script -qec "$ioasidctl frobnicate" /dev/null >"$out" 2>"$err" </dev/null
	says "$out" "$escape[1;31merror:" "colours on a terminal"
	NO_COLOR=1 TERM=xterm script -qec "$ioasidctl frobnicate" /dev/null >"$out" </dev/null
	lacks "$out" "$escape" "NO_COLOR: none on a terminal"
	NO_COLOR= TERM=xterm script -qec "$ioasidctl frobnicate" /dev/null >"$out" </dev/null
	says "$out" "$escape" "an empty NO_COLOR says nothing"
	TERM=dumb script -qec "$ioasidctl frobnicate" /dev/null >"$out" </dev/null
	lacks "$out" "$escape" "TERM=dumb: none"
fi

# Text from a file can't drive the terminal.
printf 'version: 1\nname: "vm\x1b]0;gotcha\x07"\n' >evil.yaml
run "$ioasidctl" check evil.yaml
exits 65 "escape sequences in a config: exit status"
lacks "$err" "$escape" "escape sequences in a config: not printed"
run "$ioasidctl" "$(printf 'sh\033[31mow')"
lacks "$err" "$escape" "escape sequences in an argument: not printed"
finish
