# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by test_*.sh: a private place with a socket of its own, and TAP.
#
#	run CMD...            runs it; then $status, $out (file) and $err (file)
#	exits N NAME          the status was N
#	says FILE TEXT NAME   the file holds that text
#	silent FILE NAME      the file is empty
#	golden FILE NAME      the file is tests/cli/golden/NAME (UPDATE_GOLDEN=1 rewrites it)
#	valid FILE KIND NAME  the file is JSON that schemas/KIND.schema.json describes
#	is GOT WANTED NAME    equality
#	finish                the plan line; exits
set -u
top=$PWD
ioasidctl=$(realpath "${BUILD:-build}/ioasidctl")
[ -x "$ioasidctl" ] || { echo "Bail out! $ioasidctl isn't built"; exit 1; }
examples=$top/examples
python=/usr/bin/python3
place=$(mktemp -d)
export XDG_RUNTIME_DIR=$place IOASIDCTL_SOCKET=$place/run/control LC_ALL=C TERM=dumb
export PATH=${ioasidctl%/*}:$PATH
unset NO_COLOR LISTEN_FDS LISTEN_PID LISTEN_FDNAMES
out=$place/out err=$place/err count=0 failed=0 status=0
cd "$place" || exit 1

holder_pid() {
	cat "$IOASIDCTL_SOCKET.lock" 2>/dev/null
}

# Waits until a condition holds; for what happens in another process.
eventually() {
	for ((tries = 0; tries < 500; tries++)); do
		"$@" && return 0
		sleep 0.02
	done
	return 1
}

# Its main thread may have ended before the others, which have everything open still.
gone() {
	[ ! -d "/proc/$1" ] || {
		grep -q '^State:.Z' "/proc/$1/status" && [ "$(ls "/proc/$1/task" | wc -l)" -le 1 ]
	} 2>/dev/null
}

stop_holder() {
	local pid
	pid=$(holder_pid) || return 0
	[ "$(readlink "/proc/$pid/exe")" = "$ioasidctl" ] || return 0
	kill "$pid" && eventually gone "$pid" || kill -9 "$pid"
}
trap 'stop_holder; cd /; rm -rf "$place"' EXIT
trap 'exit 1' INT TERM HUP

run() {
	"$@" >"$out" 2>"$err" </dev/null
	status=$?
}

# Descriptor 8: a pipe that nobody reads.
open_deaf_pipe() {
	mkfifo "$place/deaf"
	exec 7<>"$place/deaf" 8>"$place/deaf" 7<&-
}

# Says what was seen, when a check fails.
result() {
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
		return 0
	fi
	echo "not ok $count - $2"
	failed=$((failed + 1))
	{
		[ -n "${3:-}" ] && echo "$3"
		echo "status $status; standard output:"
		head -40 "$out"
		echo "standard error:"
		head -40 "$err"
	} | sed 's/^/# /'
	return 1
}

exits() {
	[ "$status" -eq "$1" ]
	result $? "$2" "wanted status $1"
}

says() {
	grep -qF -- "$2" "$1"
	result $? "$3" "wanted in ${1##*/}: $2"
}

lacks() {
	! grep -qF -- "$2" "$1"
	result $? "$3" "not wanted in ${1##*/}: $2"
}

silent() {
	[ ! -s "$1" ]
	result $? "$2" "wanted nothing in ${1##*/}"
}

is() {
	[ "$1" = "$2" ]
	result $? "$3" "wanted \"$2\", got \"$1\""
}

golden() {
	local file=$top/tests/cli/golden/$2 seen
	# How much table a range takes depends on how well its memory happens to be aligned.
	seen=$(sed "s|$place|PLACE|g; s|$top|TOP|g; s|tables [0-9]*K|tables NK|" "$1" && echo .)
	if [ -n "${UPDATE_GOLDEN:-}" ]; then
		printf '%s' "${seen%.}" >"$file"
	fi
	[ "$seen" = "$(cat "$file" && echo .)" ]
	result $? "prints golden/$2" "$(diff <(printf '%s' "${seen%.}") "$file")"
}

valid() {
	"$python" - "$1" "$top/schemas/$2.schema.json" >"$place/validation" 2>&1 <<-'END'
		import json, jsonschema, sys
		document, schema = (json.load(open(name)) for name in sys.argv[1:])
		jsonschema.Draft202012Validator(schema).validate(document)
	END
	result $? "$3" "$(tail -5 "$place/validation")"
}

# A value of a JSON file: json FILE 'topologies[0].fds[0].name', as a Python expression on d.
json() {
	"$python" -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$1" "$2"
}

finish() {
	echo "1..$count"
	[ "$failed" -eq 0 ]
	exit
}
