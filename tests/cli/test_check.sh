#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check: what is right, what is wrong and where, what a driver can't do.
. tests/cli/support.sh

run "$ioasidctl" check "$examples"/*.yaml
exits 0 "examples: exit status"
is "$(grep -c ': ok$' "$out")" "$(ls "$examples"/*.yaml | wc -l)" "examples: all are ok"
silent "$err" "examples: no word more"
run "$ioasidctl" check - <"$examples/1-pass-through.yaml"
exits 65 "an empty standard input is no config"
"$ioasidctl" check - <"$examples/1-pass-through.yaml" >"$out" 2>"$err"
status=$?
exits 0 "standard input: exit status"
is "$(cat "$out")" "-: ok" "standard input: ok"
run "$ioasidctl" check --json "$examples"/*.yaml
valid "$out" check "--json: by the schema"
is "$(json "$out" 'd["files"][0]["name"]')" vm0 "--json: name of the topology"

cat >broken.yaml <<'END'
version: 1
name: Broken
memory:
  - {name: ram, size: 64Q}
devices:
  - {name: nic0, pci: "0000:01:00.0"}
fds:
  - name: main
    ioasids:
      - name: gpa
        map:
          - {iova: 0x0, memory: rom, length: 1M}
          - {iova: 0x100000, memory: ram, lenght: 1M}
        attach: [{device: nic1}]
END
run "$ioasidctl" check broken.yaml
exits 65 "broken: exit status"
silent "$out" "broken: nothing is ok"
golden "$err" check-broken
run "$ioasidctl" check --json broken.yaml "$examples/1-pass-through.yaml"
exits 65 "broken --json: exit status"
valid "$err" error "broken --json: by the schema"
valid "$out" check "broken --json: the right file is told"
is "$(json "$out" 'len(d["files"])')" 1 "broken --json: and only that"
is "$(json "$err" '{e["kind"] for e in d["errors"]}')" "{'config'}" "broken --json: kind"
is "$(json "$err" 'all(e["line"] and e["column"] and e["source"] for e in d["errors"])')" True \
	"broken --json: positions"

printf 'version: 1\nname: a\n' >a.yaml
printf '{"version": 1,\n\t"name": "b", "fds":\t3}\n' >tab.yaml
run "$ioasidctl" check broken.yaml tab.yaml a.yaml
is "$(grep -c '^tab.yaml:' "$err")" 1 "several files: the errors of each"
is "$(cat "$out")" "a.yaml: ok" "several files: the right one is told"
run "$ioasidctl" check tab.yaml
golden "$err" check-tab

printf '\xef\xbb\xbfversion: 1\r\nname: a\r\n' >mark.yaml
run "$ioasidctl" check mark.yaml
exits 0 "a file of a Windows editor: its mark and line ends are no mistakes"
printf '\xef\xbb\xbfversion: 2\r\nname: a\r\n' >mark.yaml
run "$ioasidctl" check mark.yaml
says "$err" "mark.yaml:1:10: error" "a mark: takes no column"
says "$err" "     1 | version: 2" "a mark: isn't shown"

run "$ioasidctl" check nowhere.yaml
says "$err" "nowhere.yaml: error:" "no such file: named"
says "$err" "No such file or directory" "no such file: message"
run "$ioasidctl" check .
says "$err" "error:" "a directory: message"
[ "$status" -ne 0 ]
result $? "a directory: exit status"
printf 'version: 1\nname: \xff\xfe\n' >latin.yaml
run "$ioasidctl" check latin.yaml
exits 65 "not UTF-8: exit status"

# Against a machine.
run "$ioasidctl" check --driver ioasid "$examples/1-pass-through.yaml"
exits 0 "on the reference device: exit status"
is "$(cat "$out")" "$examples/1-pass-through.yaml: ok" "on the reference device: ok"
sed 's/0000:01:00.0/0000:0a:00.0/' "$examples/1-pass-through.yaml" >elsewhere.yaml
run "$ioasidctl" check elsewhere.yaml
exits 0 "a device that isn't there: no matter without a machine"
run "$ioasidctl" check --driver ioasid elsewhere.yaml
[ "$status" -ne 0 ]
result $? "a device that isn't there: exit status"
says "$err" "0000:0a:00.0" "a device that isn't there: named"
run "$ioasidctl" check --driver iommufd "$examples/3-nesting.yaml"
[ "$status" -ne 0 ]
result $? "a capability that is missing: exit status"
printf '{"devices": 3}' >machine.json
run "$ioasidctl" check --machine machine.json "$examples/1-pass-through.yaml"
exits 65 "a broken machine: exit status"
says "$err" "machine.json: error: the machine description" "a broken machine: message"
[ ! -e "$IOASIDCTL_SOCKET" ]
result $? "check starts no holder"
finish
