#!/usr/bin/env bash
# sqlglot: DuckDB's date_diff('week' or 'quarter', a, b), written for SQLite, returns days; months are 30 days.
#
# One would guess: a translation keeps the number, or sqlglot.transpile raises when the target has no such function.
# What happens: for 'week' and 'quarter' the SQL that comes back is a difference in days with no division at all, and
#   runs without an error; one line is logged. For 'month' the days are divided by 30.0 and not a word is said: from
#   31 January to 1 February is 0 months instead of 1. Only unsupported_level=RAISE refuses, and only the first two.
# Why it matters here: a definition tried on DuckDB and run on SQLite is 7 (or some 90) times too large, or off by a month,
#   so week and month arithmetic has to be written for each engine, not translated.
# Seen with: sqlglot 30.30.0, duckdb 2.0.1 and the SQLite of Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check sqlglot==30.30.0 duckdb==2.0.1
cat > "$dir/see.py" <<'P'
import sqlite3

import duckdb
import sqlglot
from sqlglot import ErrorLevel

PAIRS = [
    ("week", "2026-01-05", "2026-02-02"),
    ("quarter", "2026-01-01", "2026-04-01"),
    ("month", "2026-01-31", "2026-02-01"),
    ("month", "2026-02-01", "2026-03-01"),
]
for part, a, b in PAIRS:
    theirs = f"SELECT date_diff('{part}', CAST('{a}' AS DATE), CAST('{b}' AS DATE))"
    [plain] = sqlglot.transpile(f"SELECT date_diff('{part}', a, b) FROM t", read="duckdb", write="sqlite")
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE t (a TEXT, b TEXT)")
    base.execute("INSERT INTO t VALUES (?, ?)", (a, b))
    try:
        sqlglot.transpile(theirs, read="duckdb", write="sqlite", unsupported_level=ErrorLevel.RAISE)
        refused = "not refused"
    except sqlglot.UnsupportedError:
        refused = "refused with RAISE"
    print(f"{part} {a} {b}: DuckDB {duckdb.sql(theirs).fetchall()[0][0]},",
          f"SQLite {base.execute(plain).fetchone()[0]}, {refused}")
    print("   ", plain)
P
"$dir/v/bin/python" "$dir/see.py" > "$dir/seen" 2> "$dir/log"
cat > "$dir/expected" <<'E'
week 2026-01-05 2026-02-02: DuckDB 4, SQLite 28, refused with RAISE
    SELECT CAST((JULIANDAY(b) - JULIANDAY(a)) AS INTEGER) FROM t
quarter 2026-01-01 2026-04-01: DuckDB 1, SQLite 90, refused with RAISE
    SELECT CAST((JULIANDAY(b) - JULIANDAY(a)) AS INTEGER) FROM t
month 2026-01-31 2026-02-01: DuckDB 1, SQLite 0, not refused
    SELECT CAST((JULIANDAY(b) - JULIANDAY(a)) / 30.0 AS INTEGER) FROM t
month 2026-02-01 2026-03-01: DuckDB 1, SQLite 0, not refused
    SELECT CAST((JULIANDAY(b) - JULIANDAY(a)) / 30.0 AS INTEGER) FROM t
E
cat "$dir/seen" "$dir/log"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
