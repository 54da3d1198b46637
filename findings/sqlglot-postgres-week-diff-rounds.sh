#!/usr/bin/env bash
# sqlglot: DuckDB's date_diff('week', a, b), written for PostgreSQL, is rounded where DuckDB drops the rest.
#
# One would guess: the translation divides days by seven as DuckDB does, so the number is the same.
# What happens: it is CAST(EXTRACT(days FROM ...) / 7 AS BIGINT). EXTRACT does not give an integer, so the
#   division is exact and the cast rounds to the nearest: Monday to Friday is 0 weeks on DuckDB and 1 on PostgreSQL. Four
#   to six days too many are enough, so the same definition differs for three lengths out of seven, with no warning.
# Why it matters here: ages in weeks and trailing windows cut with them shift by one when a warehouse replaces a file.
# Seen with: sqlglot 30.30.0, duckdb 2.0.1 on Python 3.11; PostgreSQL 18.7 in @electric-sql/pglite 0.5.17 on node 20.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check sqlglot==30.30.0 duckdb==2.0.1
npm install --silent --prefix "$dir" @electric-sql/pglite@0.5.17 > /dev/null
cat > "$dir/ask.mjs" <<'P'
import { PGlite } from "@electric-sql/pglite";

const base = new PGlite();
for (const query of process.argv.slice(2)) console.log(Object.values((await base.query(query)).rows[0])[0].toString());
await base.close();
P
cat > "$dir/see.py" <<'P'
import subprocess
import sys

import duckdb
import sqlglot

DAYS = range(8)
QUERY = "SELECT date_diff('week', CAST('2026-01-05' AS DATE), CAST('2026-01-{:02d}' AS DATE))"
queries = [QUERY.format(5 + days) for days in DAYS]
theirs = [sqlglot.transpile(q, read="duckdb", write="postgres")[0] for q in queries]
print("days      ", *DAYS)
print("duckdb    ", *(duckdb.sql(q).fetchall()[0][0] for q in queries))
print("postgresql", *subprocess.run(["node", sys.argv[1], *theirs], capture_output=True, text=True, check=True).stdout.split())
print(sqlglot.transpile("SELECT date_diff('week', a, b)", read="duckdb", write="postgres")[0])
P
"$dir/v/bin/python" "$dir/see.py" "$dir/ask.mjs" > "$dir/seen"
cat > "$dir/expected" <<'E'
days       0 1 2 3 4 5 6 7
duckdb     0 0 0 0 0 0 0 1
postgresql 0 0 0 0 1 1 1 1
SELECT CAST(EXTRACT(days FROM (CAST(b AS TIMESTAMP) - CAST(a AS TIMESTAMP))) / 7 AS BIGINT)
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
