#!/usr/bin/env bash
# DuckDB: read_csv('export[1].csv') reads export1.csv, also where a file export[1].csv exists.
#
# One would guess: the path of a file that exists is that file; a program that has listed a folder may hand its names on.
# What happens: `[`, `?` and `*` in the name are a pattern. `export[1].csv` matches `export1.csv` and not itself, so of two
#   files in a folder one is read twice and the other never; `a?.csv` reads its neighbours as well. Braces are letters.
#   glob.escape, which puts each sign in brackets, gives the file that is meant, for csv, JSON and Parquet alike.
#   With allowed_directories, the folder must be allowed in its escaped form, too.
# Why it matters here: browsers name a second download `export (1).csv`, other tools `export[1].csv`, and both stand in one
#   folder of exports.
# Seen with: duckdb 2.0.0 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check duckdb==2.0.0
cat > "$dir/see.py" <<'P'
import glob
import sys
from pathlib import Path

import duckdb

folder = Path(sys.argv[1])
folder.mkdir()
for name in ("export1", "export[1]", "a?", "ab", "x{1,2}", "x1"):
    (folder / f"{name}.csv").write_text(f"n\n{name}\n")
for name in ("export[1]", "a?", "x{1,2}"):
    path = str(folder / f"{name}.csv")
    for way, written in (("as it is", path), ("escaped", glob.escape(path))):
        rows = duckdb.execute("select n from read_csv(?, header = true, delim = '|')", [written]).fetchall()
        print(name, way, *(row[0] for row in rows))
P
"$dir/v/bin/python" "$dir/see.py" "$dir/data" > "$dir/seen"
cat > "$dir/expected" <<'E'
export[1] as it is export1
export[1] escaped export[1]
a? as it is a? ab
a? escaped a?
x{1,2} as it is x{1,2}
x{1,2} escaped x{1,2}
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
