#!/usr/bin/env bash
# papermill: "-p period 2026_01" hands the notebook the integer 202601; a segment named NaN or None is no text either.
#
# One would guess: only what looks like a plain number becomes one, so a period or a code with a mark in it stays text.
# What happens: -p tries Python's int() and float() on the text. int() takes underscores between digits and leading
#   zeros, float() takes "nan" and "infinity", and a month "2026-01" stays text while "2026_01" does not.
# Why it matters here: reports get periods, store codes and segment names as parameters. "007" loses its zeros, "2026_01"
#   is a number that filters nothing; -r (raw) must be used for everything that is a name.
# Seen with: papermill 2.7.0 on Python 3.11 (--prepare-only: no kernel is started).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check papermill==2.7.0
cat > "$dir/in.py" <<'P'
import sys

import nbformat.v4 as v4
from nbformat import read, write

if sys.argv[1] == "make":
    cell = v4.new_code_cell("period = ''", metadata={"tags": ["parameters"]})
    write(v4.new_notebook(cells=[cell], metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}), sys.argv[2])
else:
    [cell] = [c for c in read(sys.argv[2], 4).cells if "injected-parameters" in c.metadata.get("tags", [])]
    print(cell.source)
P
"$dir/v/bin/python" "$dir/in.py" make "$dir/in.ipynb"
"$dir/v/bin/papermill" --prepare-only "$dir/in.ipynb" "$dir/out.ipynb" \
  -p month 2026-01 -p period 2026_01 -p store 007 -p segment NaN -p region None -p batch 12e4 \
  -r raw_period 2026_01 2> "$dir/log" || { cat "$dir/log"; exit 1; }
"$dir/v/bin/python" "$dir/in.py" show "$dir/out.ipynb" > "$dir/seen"
cat > "$dir/expected" <<'E'
# Parameters
month = "2026-01"
period = 202601
store = 7
segment = float('nan')
region = None
batch = 120000.0
raw_period = "2026_01"

E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
