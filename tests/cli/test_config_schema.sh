#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The JSON Schema of the config against the files that the parser accepts and refuses; the parser's
# side of it through `ioasidctl check` (and, file by file, in the unit tests config_*).
set -u
BUILD=${BUILD:-build}
PYTHON=/usr/bin/python3
if ! "$PYTHON" -c 'import jsonschema, yaml' 2>/dev/null; then
	echo "1..1"
	echo "ok 1 - schema of the config # SKIP $PYTHON has no jsonschema and yaml"
	exit 0
fi
exec "$PYTHON" - "$BUILD/ioasidctl" <<'END'
import glob, json, os, re, subprocess, sys
import jsonschema, yaml

class Core(yaml.SafeLoader):
    """YAML 1.2's core schema: what editors use. PyYAML by itself follows 1.1."""

Core.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile("^(?:%s)$" % pattern), list(first))
Core.add_constructor("tag:yaml.org,2002:int", lambda loader, node:
                     int(node.value, 16 if node.value.startswith("0x") else 10))

def load(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    return json.loads(text) if text.startswith("{\n\t") else yaml.load(text, Core)

with open("schemas/config.schema.json") as f:
    schema = json.load(f)
validator = jsonschema.Draft202012Validator(schema)
count = 0

def ok(good, what, why=""):
    global count
    count += 1
    print("%s %d - %s" % ("ok" if good else "not ok", count, what))
    if not good and why:
        print("# " + why.replace("\n", "\n# "))

def first_error(path):
    return next((e.message for e in validator.iter_errors(load(path))), "")

def steps(path):
    """memory[0].size -> ["memory", 0, "size"], as jsonschema names places."""
    found = re.findall(r"([a-z_]+)|\[([0-9]+)\]", path)
    return [word or int(index) for word, index in found]

def unseen_faults(path):
    """Faults that the parser finds and the schema doesn't, neither there nor on the object."""
    seen = [list(e.absolute_path) for e in validator.iter_errors(load(path))]
    with open(path[:-len("yaml")] + "expected") as f:
        lines = [line.split(": ", 2)[1:] for line in f if not line.startswith("  ")]
    return [place + ": " + message for place, message in lines
            if not message.startswith("there is no ")
            and steps(place) not in seen and steps(place)[:-1] not in seen]

def parser(path):
    """Exit status and words of the real command."""
    ran = subprocess.run([sys.argv[1], "check", path], capture_output=True, text=True)
    return ran.returncode, ran.stdout + ran.stderr

try:
    jsonschema.Draft202012Validator.check_schema(schema)
    ok(True, "config.schema.json is a schema of draft 2020-12")
except jsonschema.SchemaError as e:
    ok(False, "config.schema.json is a schema of draft 2020-12", str(e))

valid = sorted(glob.glob("examples/*.yaml") + glob.glob("tests/config/valid/*"))
structure = sorted(glob.glob("tests/config/broken/structure/*.yaml"))
meaning = sorted(glob.glob("tests/config/broken/meaning/*.yaml"))
hostile = sorted(glob.glob("tests/config/broken/hostile/*.yaml"))
ok(len(valid) >= 9 and len(structure) >= 15 and len(meaning) >= 15, "there are files to check")
for path in valid:
    said = first_error(path)
    ok(not said, "the schema accepts " + path, said)
for path in structure:
    unseen = unseen_faults(path)
    ok(first_error(path) and not unseen, "the schema refuses " + path, "".join(unseen))
for path in meaning:
    # The fault is one that no schema can see; if it could, the file would be in structure/.
    said = first_error(path)
    ok(not said, "the schema has nothing against " + path, said)

if os.access(sys.argv[1], os.X_OK):
    for path in valid:
        status, said = parser(path)
        ok(status == 0, "the parser accepts " + path, said)
    for path in structure + meaning + hostile:
        status, said = parser(path)
        ok(status == 65 and os.path.basename(path) + ":" in said, "the parser refuses " + path,
           "exit status %d\n%s" % (status, said))
print("1..%d" % count)
END
