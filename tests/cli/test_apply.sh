#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# plan, apply and delete through a holder that apply starts by itself.
. tests/cli/support.sh
first=$examples/1-pass-through.yaml

dump() { "$ioasidctl" show --json; }

run "$ioasidctl" plan --driver ioasid "$first"
exits 2 "plan without a holder: changes are pending"
golden "$out" plan-first
silent "$err" "plan: nothing on standard error"
run "$ioasidctl" plan --json --driver ioasid "$first"
exits 2 "plan --json: exit status"
valid "$out" plan "plan --json: by the schema"
run "$ioasidctl" plan -v --driver ioasid "$first"
exits 2 "plan -v: exit status"
run "$ioasidctl" apply --dry-run --driver ioasid "$first"
exits 0 "apply --dry-run: exit status"
is "$(cat "$out")" "$(cat "$top/tests/cli/golden/plan-first")" "apply --dry-run says what plan says"
run "$ioasidctl" apply --dry-run --json --driver ioasid "$first"
valid "$out" result "apply --dry-run --json: by the schema"
is "$(json "$out" 'd["results"][0]["dry_run"]')" True "apply --dry-run --json: says so"
[ ! -e "$IOASIDCTL_SOCKET" ]
result $? "neither plan nor a dry run starts a holder"

run "$ioasidctl" apply --driver ioasid "$first"
exits 0 "apply: exit status"
golden "$out" apply-first
silent "$err" "apply: nothing on standard error"
pid=$(holder_pid)
[ -d "/proc/$pid" ]
result $? "apply started a holder"
is "$(readlink "/proc/$pid/fd/0") $(readlink "/proc/$pid/fd/2") $(readlink "/proc/$pid/cwd")" \
	"/dev/null /dev/null /" "the holder is detached"
is "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid" "the holder has a session of its own"
dump >before.json
valid before.json show "the dump: by the schema"

run "$ioasidctl" apply --driver ioasid "$first"
exits 0 "second apply: exit status"
is "$(cat "$out")" "vm0: nothing to do" "second apply: nothing to do"
run "$ioasidctl" apply --json --driver ioasid "$first"
valid "$out" result "second apply --json: by the schema"
is "$(json "$out" 'd["results"][0]["changed"]')" False "second apply --json: not changed"
run "$ioasidctl" plan --driver ioasid "$first"
exits 0 "plan of what lives: exit status"
is "$(cat "$out")" "vm0: nothing to do" "plan of what lives: nothing to do"
is "$(dump)" "$(cat before.json)" "nothing has changed"

# A changed file.
sed '/iova: 0x8000000/d' "$first" >changed.yaml
run "$ioasidctl" plan --driver ioasid changed.yaml
exits 2 "plan of a change: exit status"
golden "$out" plan-changed
is "$(dump)" "$(cat before.json)" "plan changes nothing"
run "$ioasidctl" apply --dry-run --driver ioasid changed.yaml
exits 0 "dry run of a change: exit status"
is "$(dump)" "$(cat before.json)" "a dry run changes nothing"
run "$ioasidctl" apply -v --driver ioasid changed.yaml
exits 0 "apply of a change: exit status"
is "$(cat "$out")" "vm0: 1 operation done" "apply of a change: says so"
says "$err" "UNMAP" "-v: the kernel action"
is "$(dump | json /dev/stdin 'len(d["topologies"][0]["fds"][0]["ioasids"][0]["mappings"])')" 1 \
	"the mapping has gone"
run "$ioasidctl" apply --driver ioasid "$first"
exits 0 "apply of the change back"

# Failures change nothing.
dump >before.json
failing() { # NAME STATUS TEXT FILE [ARGUMENT...]
	local name=$1 wanted=$2 text=$3
	shift 3
	run "$ioasidctl" apply --driver ioasid "$@"
	exits "$wanted" "$name: exit status"
	says "$err" "$text" "$name: message"
	silent "$out" "$name: nothing on standard output"
	is "$(dump)" "$(cat before.json)" "$name: nothing has changed"
}
sed 's/length: 48M/length: 4G/' "$first" >long.yaml
failing "mapping past the memory" 65 "long.yaml:" long.yaml
sed 's/0000:01:00.0/0000:00:01.0/; s/nic0, pci/nic0, pci/; s/name: vm0/name: vm1/' "$first" >vm1.yaml
failing "a device of another topology" 1 "vm0" vm1.yaml
sed 's/iova: 0x8000000/iova: 0xfee00000/' "$first" >msi.yaml
failing "a reserved range" 1 "0xfee00000" msi.yaml
sed 's/0000:01:00.0/0000:05:00.0/' "$first" >group.yaml
failing "a group that isn't viable" 1 "0000:05:00.1 (mlx5_core)" group.yaml
sed 's/0000:01:00.0/0001:00:00.0/' "$first" >format.yaml
failing "an IOMMU of another format" 1 "0001:00:00.0" format.yaml
printf 'version: 1\nname: \xff\n' >latin.yaml
failing "not UTF-8" 65 "latin.yaml" latin.yaml
run "$ioasidctl" apply -v --driver ioasid format.yaml
says "$err" "IOASID_BIND_DEVICE, pci 0001:00:00.0" "a failure -v: the action that failed"
says "$err" 'IOASID_SET_HOST_DRIVER, pci 0001:00:00.0 driver "nvme"' "a failure -v: its undoing"
run "$ioasidctl" apply --json --driver ioasid msi.yaml
valid "$err" error "a failure --json: by the schema"
silent "$out" "a failure --json: no result"

# Somebody else's holder.
if [ "$(id -u)" -eq 0 ] && as_nobody() {
	"$python" -c 'import os, sys
os.setgroups([]), os.setgid(65534), os.setuid(65534)
os.execv(sys.argv[1], sys.argv[1:])' "$@"
} && as_nobody "$ioasidctl" --version >/dev/null 2>&1; then
	chmod 700 "$place"
	run as_nobody "$ioasidctl" show
	exits 77 "a socket out of reach: exit status"
	says "$err" "$IOASIDCTL_SOCKET" "a socket out of reach: named"
	chmod 755 "$place" "$place/run"
	run as_nobody "$ioasidctl" delete vm0
	exits 77 "a user without rights: exit status"
	says "$err" "user id 65534 may not call Delete" "a user without rights: message"
	run as_nobody "$ioasidctl" show --json
	is "$(json "$out" 'd["topologies"]')" "[]" "a user without rights: sees nothing"
	chmod 700 "$place"
	is "$(dump)" "$(cat before.json)" "a user without rights: nothing has changed"
else
	echo "ok $((count += 1)) - somebody else's holder # skip: needs root"
fi

# More than one topology, and their ends.
sed 's/name: vm0/name: vm3/; s/0000:00:03.0/0000:00:04.0/; s/0000:01:00.0/0000:06:00.0/' "$first" >vm3.yaml
run "$ioasidctl" apply --driver ioasid vm3.yaml
exits 0 "a second topology"
is "$("$ioasidctl" show --names | sort | xargs)" "vm0 vm3" "show --names"
is "$(holder_pid)" "$pid" "the same holder has both"
run "$ioasidctl" delete --dry-run vm3
exits 0 "delete --dry-run: exit status"
golden "$out" delete-dry-run
is "$("$ioasidctl" show --names | sort | xargs)" "vm0 vm3" "delete --dry-run deletes nothing"
run "$ioasidctl" delete nowhere
exits 69 "delete of nothing: exit status"
says "$err" "there is no topology nowhere" "delete of nothing: message"
run "$ioasidctl" delete --json vm3 nowhere
exits 69 "delete of one and nothing: exit status"
valid "$out" result "delete of one and nothing: what was done"
valid "$err" error "delete of one and nothing: what was not"
is "$("$ioasidctl" show --names | xargs)" vm0 "delete: that one has gone"
run "$ioasidctl" delete vm0
exits 0 "delete: exit status"
says "$out" "vm0: " "delete: says so"
eventually gone "$pid"
result $? "the holder ends with its last topology"
is "$(ls "$place/run" | xargs)" "" "it leaves nothing behind"
run "$ioasidctl" delete vm0
exits 69 "delete without a holder: exit status"
says "$err" "no holder listens at $IOASIDCTL_SOCKET" "delete without a holder: message"

# Several at once, with no holder yet: one starts, and serves them all.
for i in 1 3 4; do
	sed "s/name: vm0/name: race$i/; s/0000:00:03.0/0000:00:0$i.0/; /nic0, pci/d; s/, {device: nic0}//" \
		"$first" >race$i.yaml
done
sed -i 's/0000:00:01.0/0000:06:00.0/' race1.yaml
for i in 1 3 4; do
	"$ioasidctl" apply --driver ioasid race$i.yaml >race$i.out 2>&1 &
done
wait
is "$(cat race?.out | sed 's/[0-9]* operations/N operations/' | sort | xargs -d '\n')" \
	"race1: N operations done race3: N operations done race4: N operations done" \
	"three applies at once: all done"
is "$("$ioasidctl" show --names | sort | xargs)" "race1 race3 race4" "three applies at once: one holder"
pid=$(holder_pid)
run "$ioasidctl" delete race1 race3 race4
exits 0 "three applies at once: deleted"
eventually gone "$pid"

# Ctrl-C while a holder works (one that never answers): said, and dead by the signal.
cat >mute.py <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
c, _ = s.accept()
open("asked", "wb").write(c.recv(1 << 20))
while c.recv(1 << 20):
    pass
open("hung-up", "w")
END
interrupted() { # ARGUMENT...
	rm -f mute asked hung-up
	"$python" mute.py mute &
	eventually test -S mute
	# Background jobs ignore SIGINT; a terminal's don't.
	"$python" -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$ioasidctl" apply --socket mute "$@" >"$out" 2>"$err" &
	pid=$!
	eventually test -s asked
	kill -INT $pid
	wait $pid
	status=$?
}
interrupted "$first"
exits 130 "interrupted: exit status"
is "$(cat "$err")" "ioasidctl: error: interrupted; the holder undoes what it has begun, unless it was done already
  hint: \`ioasidctl show\` tells what there is now" "interrupted: message"
eventually test -e hung-up
result $? "interrupted: the connection is closed, which tells the holder"
interrupted --json "$first"
exits 130 "interrupted --json: exit status"
valid "$err" error "interrupted --json: by the schema"
is "$(json "$err" 'd["errors"][0]["kind"]')" interrupted "interrupted --json: kind"

# A holder that can't start says why.
mkdir -p "$IOASIDCTL_SOCKET"
run "$ioasidctl" apply --driver ioasid "$first"
[ "$status" -ne 0 ]
result $? "no place for the socket: exit status"
says "$err" "$IOASIDCTL_SOCKET" "no place for the socket: named"
rmdir "$IOASIDCTL_SOCKET"
run "$ioasidctl" apply --socket "$place/$(printf 'x%.0s' {1..200})" --driver ioasid "$first"
exits 64 "a socket path too long: exit status"

# Large files: alike operations are cut short for people, never in JSON.
{
	printf 'version: 1\nname: large\nmemory: [{name: ram, size: 64M}]\n'
	printf 'devices: [{name: nic0, pci: "0000:01:00.0", driver: vfio-pci}]\n'
	printf 'fds:\n  - name: main\n    ioasids:\n      - name: gpa\n'
	printf '        attach: [{device: nic0}]\n        map:\n'
	for ((i = 0; i < 1000; i++)); do
		printf '          - {iova: 0x%x, memory: ram, offset: 0x%x, length: 4K}\n' \
			$((i * 8192)) $((i * 4096))
	done
} >large.yaml
run "$ioasidctl" plan --driver ioasid large.yaml
golden "$out" plan-large
run "$ioasidctl" plan -v --driver ioasid large.yaml
is "$(grep -c '+ map ' "$out")" 1000 "plan -v: every mapping"
run "$ioasidctl" apply --driver ioasid large.yaml
exits 0 "1000 mappings: exit status"
sed 's/length: 4K/length: 8K/; s/size: 64M/size: 65M/' large.yaml >changed.yaml
run "$ioasidctl" plan changed.yaml
exits 2 "1000 mappings changed: exit status"
golden "$out" plan-large-changed
run "$ioasidctl" plan -v changed.yaml
is "$(grep -c '[+-] \(un\)\?map ' "$out")" 2000 "1000 mappings changed, -v: every one"
run "$ioasidctl" show
golden "$out" show-large
run "$ioasidctl" delete large
exits 0 "1000 mappings: deleted"
# More than the machine has: a refusal, not the end of whatever the kernel kills first.
cat >vast.yaml <<'END'
{version: 1, name: vast, memory: [{name: ram, size: 1024T, prefault: true}], fds: [{name: main, ioasids: []}]}
END
run "$ioasidctl" apply --driver ioasid vast.yaml
exits 1 "memory that the machine doesn't have: exit status"
says "$err" "memory ram: 1024T are to be there from the start, and this machine has" \
	"memory that the machine doesn't have: message"

finish
