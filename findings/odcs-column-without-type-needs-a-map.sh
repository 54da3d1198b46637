#!/usr/bin/env bash
# Open Data Contract Standard 3.2.0: a column without a logicalType is invalid, because a map's key and value are missing.
#
# One would guess: logicalType is optional, since the schema lists it under no `required`: a name is all that a column needs.
# What happens: the rule for maps is `if: {properties: {logicalType: {const: map}}}` without `required: [logicalType]`, and
#   such an `if` also holds where the key is absent. Every column without a type is then told that 'map' is missing.
# Why it matters here: a source's columns need no type, so an exported contract must guess one, and say that it did.
# Seen with: open-data-contract-standard 3.2.0, jsonschema 4.26.0 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check open-data-contract-standard==3.2.0 jsonschema==4.26.0
cat > "$dir/see.py" <<'P'
import json
from importlib.util import find_spec
from pathlib import Path

import jsonschema

schema = json.loads((Path(find_spec("open_data_contract_standard").origin).parent / "schema.json").read_text())
for column in ({"name": "a"}, {"name": "a", "logicalType": "string"}, {"name": "a", "required": True}):
    contract = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "x", "version": "1", "schema": [{"name": "t", "properties": [column]}]}
    errors = [error.message for error in jsonschema.Draft201909Validator(schema).iter_errors(contract)]
    print(column, errors)
P
"$dir/v/bin/python" "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
{'name': 'a'} ["'map' is a required property"]
{'name': 'a', 'logicalType': 'string'} []
{'name': 'a', 'required': True} ["'map' is a required property"]
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
