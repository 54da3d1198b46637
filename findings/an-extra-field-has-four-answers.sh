#!/usr/bin/env bash
# csv readers: a delimiter too many at the end of each row, as exports write it, is four different tables.
#
# One would guess: a row with more fields than the header has names is an error, or the field that has no name is left
#   out, in every reader alike.
# What happens: with `id,amount` and rows such as `1,5,` pandas takes the first field of each row for the index, so that
#   amounts are read as ids and every amount is empty: their sum is 0, without a word. DuckDB with the columns of the
#   header, strict and without guessing, leaves the extra field out when it is empty, also as `""`, and refuses the row
#   when it is not. pyarrow refuses the row either way. Python's csv module gives three cells and leaves it to others.
# Why it matters here: sums of money come from such files, and a reader that is changed for a faster one changes them. A
#   row with a field too many is a fault that names its line, also where that field is empty.
# Seen with: pandas 3.1.1, pyarrow 26.0.1, duckdb 2.0.0 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check pandas==3.1.1 pyarrow==26.0.1 duckdb==2.0.0
cat > "$dir/see.py" <<'P'
import csv
import io

import duckdb
import pandas as pd
import pyarrow.csv

OPTIONS = "auto_detect=false, header=true, strict_mode=true, columns={'id': 'VARCHAR', 'amount': 'VARCHAR'}"
for name, end in (("empty", ","), ("quoted", ',""'), ("filled", ",9")):
    text = f"id,amount\n1,5{end}\n2,6{end}\n"
    with open("rows.csv", "w") as file:
        file.write(text)
    frame = pd.read_csv(io.StringIO(text))
    print(name, "pandas ", frame["id"].tolist(), frame["amount"].sum())
    try:
        print(name, "duckdb ", duckdb.sql(f"select * from read_csv('rows.csv', {OPTIONS})").fetchall())
    except duckdb.Error as error:
        print(name, "duckdb ", type(error).__name__)
    try:
        print(name, "pyarrow", pyarrow.csv.read_csv("rows.csv").to_pydict())
    except pyarrow.ArrowInvalid as error:
        print(name, "pyarrow", type(error).__name__)
    print(name, "csv    ", [len(row) for row in csv.reader(io.StringIO(text))])
P
cd "$dir"
"$dir/v/bin/python" -W ignore "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
empty pandas  [5, 6] 0.0
empty duckdb  [('1', '5'), ('2', '6')]
empty pyarrow ArrowInvalid
empty csv     [2, 3, 3]
quoted pandas  [5, 6] 0.0
quoted duckdb  [('1', '5'), ('2', '6')]
quoted pyarrow ArrowInvalid
quoted csv     [2, 3, 3]
filled pandas  [5, 6] 18
filled duckdb  InvalidInputException
filled pyarrow ArrowInvalid
filled csv     [2, 3, 3]
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
