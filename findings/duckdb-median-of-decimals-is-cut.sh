#!/usr/bin/env bash
# DuckDB: median() and quantile_cont() of a DECIMAL column cut their result to the column's digits.
#
# One would guess: quantile_cont interpolates, as its name and the manual say ("the interpolated quantile"), so that the median of
#   1.00 and 1.01 is 1.005, as avg() gives it, and as the same numbers give it in a DOUBLE or INTEGER column.
# What happens: the result has the column's own type, and further digits are cut, not rounded: the median of 1.00 and
#   1.01 is 1.00, and of 0.10 and 0.13 the lower quartile (0.1075) is 0.10. Whole numbers do get their half.
# Why it matters here: money stands in DECIMAL(p, 2) in parquet files and databases, and as text in csv files. A median
#   order value would be a cent lower from the one than from the other, and a value that just meets its target, miss it.
# Seen with: duckdb 1.4.1 and 2.0.0 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cat > "$dir/see.py" <<'P'
import duckdb

connection = duckdb.connect()


def say(expression, kind, *values):
    rows = ", ".join(f"({value}::{kind})" for value in values)
    answer = connection.execute(f"select {expression} from (values {rows}) t(x)").fetchone()[0]
    print(f"{expression:22} {kind:12} {values} {answer}")


print("duckdb", duckdb.__version__)
for kind in ("DECIMAL(9,2)", "DOUBLE"):
    say("median(x)", kind, 1.00, 1.01)
    say("avg(x)", kind, 1.00, 1.01)
    say("quantile_cont(x, 0.25)", kind, 0.10, 0.13)
say("median(x)", "INTEGER", 1, 2)
P
for version in 1.4.1 2.0.0; do
  python3 -m venv "$dir/$version"
  "$dir/$version/bin/pip" install -q --disable-pip-version-check "duckdb==$version"
  "$dir/$version/bin/python" "$dir/see.py"
done > "$dir/seen" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
cat > "$dir/expected" <<'E'
duckdb 1.4.1
median(x)              DECIMAL(9,2) (1.0, 1.01) 1.00
avg(x)                 DECIMAL(9,2) (1.0, 1.01) 1.005
quantile_cont(x, 0.25) DECIMAL(9,2) (0.1, 0.13) 0.10
median(x)              DOUBLE       (1.0, 1.01) 1.005
avg(x)                 DOUBLE       (1.0, 1.01) 1.005
quantile_cont(x, 0.25) DOUBLE       (0.1, 0.13) 0.10750000000000001
median(x)              INTEGER      (1, 2) 1.5
duckdb 2.0.0
median(x)              DECIMAL(9,2) (1.0, 1.01) 1.00
avg(x)                 DECIMAL(9,2) (1.0, 1.01) 1.005
quantile_cont(x, 0.25) DECIMAL(9,2) (0.1, 0.13) 0.10
median(x)              DOUBLE       (1.0, 1.01) 1.005
avg(x)                 DOUBLE       (1.0, 1.01) 1.005
quantile_cont(x, 0.25) DOUBLE       (0.1, 0.13) 0.10750000000000001
median(x)              INTEGER      (1, 2) 1.5
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
