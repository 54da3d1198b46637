#!/usr/bin/env bash
# DuckDB, pyarrow, polars and pandas: two-week buckets of the same days do not hold the same weeks.
#
# One would guess: all four truncate to a single week on Monday alike, so two weeks will agree as well.
# What happens: each counts the pairs of weeks from its own origin. DuckDB (time_bucket) and pyarrow (floor_temporal)
#   put 5 January 2026 into the fortnight from 29 December, polars (truncate "2w") into one from 5 January, and polars'
#   "14d" is not its "2w": it begins on a Thursday. pandas (resample "2W") begins wherever the first row is, so
#   dropping a week of old data moves every bucket.
# Why it matters here: a fortnight (a sprint, a pay period) needs an anchor of its own in the definition; a number
#   computed on one engine is not comparable with another's, although all weekly numbers agree.
# Seen with: duckdb 2.0.1, polars 2.1.0, pyarrow 26.0.1, pandas 3.1.1, numpy 2.4.6 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check \
  duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 pandas==3.1.1 numpy==2.4.6
cat > "$dir/see.py" <<'P'
from datetime import date, timedelta

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

MONDAYS = [date(2026, 1, 5) + timedelta(weeks=i) for i in range(4)]
LISTED = ", ".join(f"date '{d}'" for d in MONDAYS)


def say(who, starts):
    print(f"{who:22}", *(f"{s:%a %d %b}" for s in starts))


def bucket(width):
    rows = duckdb.sql(f"SELECT time_bucket(interval '{width} days', d) FROM (SELECT unnest([{LISTED}]) AS d)").fetchall()
    return [r[0] for r in rows]


def resample(days, width):
    rows = pd.Series(1, index=pd.to_datetime(days)).resample(f"{width}W-MON", closed="left", label="left").sum()
    return list(rows.index)


say("the Mondays", MONDAYS)
say("duckdb 1 week", bucket(7))
say("pyarrow 1 week", pc.floor_temporal(pa.array(MONDAYS), unit="week").to_pylist())
say("polars 1w", pl.Series(MONDAYS).dt.truncate("1w").to_list())
say("duckdb 2 weeks", bucket(14))
say("pyarrow 2 weeks", pc.floor_temporal(pa.array(MONDAYS), multiple=2, unit="week").to_pylist())
say("polars 2w", pl.Series(MONDAYS).dt.truncate("2w").to_list())
say("polars 14d", pl.Series(MONDAYS).dt.truncate("14d").to_list())
say("pandas 2W, all rows", resample(MONDAYS, 2))
say("pandas 2W, first off", resample(MONDAYS[1:], 2))
P
"$dir/v/bin/python" "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
the Mondays            Mon 05 Jan Mon 12 Jan Mon 19 Jan Mon 26 Jan
duckdb 1 week          Mon 05 Jan Mon 12 Jan Mon 19 Jan Mon 26 Jan
pyarrow 1 week         Mon 05 Jan Mon 12 Jan Mon 19 Jan Mon 26 Jan
polars 1w              Mon 05 Jan Mon 12 Jan Mon 19 Jan Mon 26 Jan
duckdb 2 weeks         Mon 29 Dec Mon 12 Jan Mon 12 Jan Mon 26 Jan
pyarrow 2 weeks        Mon 29 Dec Mon 12 Jan Mon 12 Jan Mon 26 Jan
polars 2w              Mon 05 Jan Mon 05 Jan Mon 19 Jan Mon 19 Jan
polars 14d             Thu 01 Jan Thu 01 Jan Thu 15 Jan Thu 15 Jan
pandas 2W, all rows    Mon 05 Jan Mon 19 Jan
pandas 2W, first off   Mon 12 Jan Mon 26 Jan
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
