#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# show: the tree, the dump, and a config that applies to the same state.
. tests/cli/support.sh

run "$ioasidctl" show
exits 0 "nothing held: exit status"
is "$(cat "$out")" "nothing is held" "nothing held: says so"
run "$ioasidctl" show --json
exits 0 "nothing held --json: exit status"
valid "$out" show "nothing held --json: by the schema"
is "$(json "$out" 'd["topologies"]')" "[]" "nothing held --json: empty, not absent"
run "$ioasidctl" show --names
silent "$out" "nothing held --names: empty"
run "$ioasidctl" show vm0
exits 69 "one of nothing: exit status"
says "$err" "no holder listens at" "one of nothing: message"
run "$ioasidctl" show --yaml
exits 69 "nothing held --yaml: exit status"

for file in 1-pass-through 2-vfio-legacy-viommu 5-two-formats 3-nesting \
	4-guest-sva 6-vdpa-and-vfio 7-without-iommufd 8-hand-over; do
	name=$(awk '/^name:/ {print $2}' "$examples/$file.yaml")
	run "$ioasidctl" apply --driver ioasid "$examples/$file.yaml"
	exits 0 "$file: apply"
	run "$ioasidctl" show
	exits 0 "$file: show"
	golden "$out" "show-$file"
	is "$(awk 'length > 80' "$out")" "" "$file: 80 columns"
	run "$ioasidctl" show --json "$name"
	valid "$out" show "$file: the dump is by the schema"
	is "$(json "$out" 'all(i["alive"] for f in d["topologies"][0]["fds"] for i in f["ioasids"])')" \
		True "$file: every IOASID lives"
	run "$ioasidctl" show --yaml "$name"
	exits 0 "$file: show --yaml"
	cp "$out" again.yaml
	run "$ioasidctl" check again.yaml
	exits 0 "$file: show --yaml is a config"
	"$ioasidctl" show --yaml "$name" | "$ioasidctl" plan - >"$out" 2>"$err"
	status=$?
	is "$(cat "$out")" "$name: nothing to do" "$file: show --yaml | plan -: nothing to do"
	run "$ioasidctl" show nowhere
	exits 69 "$file: show of another: exit status"
	says "$err" "there is no topology nowhere" "$file: show of another: message"
	pid=$(holder_pid)
	run "$ioasidctl" delete "$name"
	exits 0 "$file: delete"
	eventually gone "$pid"
	run "$ioasidctl" apply again.yaml
	exits 0 "$file: the config of show --yaml makes it again"
	run "$ioasidctl" show
	golden "$out" "show-$file"
	pid=$(holder_pid)
	run "$ioasidctl" delete "$name"
	eventually gone "$pid"
done

# Two at once.
sed 's/name: vm0/name: vm1/; s/0000:00:03.0/0000:00:04.0/; s/0000:01:00.0/0000:06:00.0/' \
	"$examples/1-pass-through.yaml" >vm1.yaml
run "$ioasidctl" apply --driver ioasid "$examples/1-pass-through.yaml"
run "$ioasidctl" apply --driver ioasid vm1.yaml
exits 0 "two topologies"
run "$ioasidctl" show --json
is "$(json "$out" 'sorted(t["name"] for t in d["topologies"])')" "['vm0', 'vm1']" "show has both"
run "$ioasidctl" show --json vm1
is "$(json "$out" '[t["name"] for t in d["topologies"]]')" "['vm1']" "show NAME has that one"
run "$ioasidctl" show --yaml
[ "$status" -ne 0 ]
result $? "show --yaml of several: refused"
says "$err" "error:" "show --yaml of several: message"

# Memory that somebody cut short behind our back is shown as such; the rest as it was.
pid=$(holder_pid)
for fd in "/proc/$pid/fd"/*; do
	case $(readlink "$fd") in
	/memfd:*) "$python" -c 'import os, sys; os.truncate(sys.argv[1], 4096)' "$fd" ;;
	esac
done
run "$ioasidctl" show --json
valid "$out" show "memory cut short: still by the schema"
is "$(json "$out" '[m["alive"] for t in d["topologies"] for m in t["memories"]]')" "[False, False]" \
	"memory cut short: --json says so"
run "$ioasidctl" show
is "$(grep -c '  memory ram: .*, gone$' "$out")" 2 "memory cut short: the tree says so"
run "$ioasidctl" delete vm0 vm1
exits 0 "delete both"

# A holder of another version: what isn't as we know it is printed as far as it goes. A graph has
# dashes around devices that aren't there, or were given up.
cat >other.py <<'END'
import json, socket, sys
devices = [{"name": s, "selector": "pci", "address": "0000:01:00.0", "state": s, "alive": True}
           for s in ("held", "pending", "gone", "released")]
devices.append({"name": "dead", "selector": "pci", "address": "0000:01:00.1", "alive": False})
ioasids = [{"name": "gpa", "kind": "mapped", "flags": ["pasid", 7, None]}]
dump = {"topologies": [{"name": "vm0", "memories": [], "devices": devices,
                        "fds": [{"name": "main", "driver": "ioasid", "ioasids": ioasids}]}]}
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.bind(sys.argv[1])
s.listen()
c, _ = s.accept()
asked = b""
while not asked.endswith(b"\0"):
    asked += c.recv(1 << 20)
c.sendall(json.dumps({"parameters": {"dump": dump}}).encode() + b"\0")
c.recv(1)
END
"$python" other.py other &
eventually test -S other
run "$ioasidctl" show --dot --socket other
exits 0 "show --dot of a holder that is of another version"
is "$(sed -n 's/.*shape=ellipse, label="device \([a-z]*\).*"\(.*\)\];/\1\2/p' "$out" | xargs)" \
	"held pending, style=dashed gone, style=dashed released, style=dashed dead, style=dashed" \
	"show --dot: dashed are devices that aren't there, or were given up"
says "$out" 'mapped\npasid\n?\n?"];' "show --dot: flags that are no text"
wait
finish
