"""How long a draft of twenty files takes, beside DuckDB's own `summarize` of the same files.

    python benchmarks/drafting.py [--files 20] [--rows 100000]

Both read the same csv files in one run, one after the other: DuckDB first, so that the files are in
the system's memory for both. It exits with 1 where the draft takes more than twice as long.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from dataops_nb import profile

MOST = 2.0


def write_files(folder: Path, files: int, rows: int) -> list[Path]:
    """Write orders as a shop exports them: ids, moments, a few states, amounts, texts."""
    paths = []
    for number in range(files):
        path = folder / f"orders_{number:02}.csv"
        query = f"""
            select
                printf('o%02d-%07d', {number}, i) as order_id,
                timestamp '2024-01-01' + to_seconds(i * {86_400 * 700 // rows}) as created_at,
                'c' || (cast(hash(i * 31 + {number}) % 5000 as bigint)) as customer_id,
                ['paid', 'paid', 'paid', 'refunded', 'failed'][1 + cast(hash(i) % 5 as bigint)] as status,
                ['DE', 'FR', 'IT', 'ES'][1 + cast(hash(i * 7) % 4 as bigint)] as country,
                1 + cast(hash(i * 3) % 9 as bigint) as quantity,
                round(5 + cast(hash(i * 13) % 20000 as bigint) / 100.0, 2) as amount,
                'Remark ' || (cast(hash(i * 17) % 1000 as bigint)) as remark
            from range({rows}) t(i)"""
        duckdb.execute(f"copy ({query}) to '{path}' (header)")
        paths.append(path)
    return paths


def main() -> int:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--rows", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder), asked.files, asked.rows)
        size = sum(path.stat().st_size for path in paths) / 1e6
        start = time.perf_counter()
        for path in paths:
            duckdb.execute(f"summarize select * from read_csv('{path}')").fetchall()
        summarized = time.perf_counter() - start
        start = time.perf_counter()
        made = profile.draft(paths)
        drafted = time.perf_counter() - start
    ratio = drafted / summarized
    print(f"{dt.date.today()}: {asked.files} files of {asked.rows:,} rows, {size:,.0f} MB")
    print(f"summarize {summarized:.1f} s, draft {drafted:.1f} s: {ratio:.1f} times as long")
    print(f"{len(made.tables)} tables, {len(made.all_metrics)} metrics, {len(made.faults)} faults")
    return int(ratio > MOST)


if __name__ == "__main__":
    sys.exit(main())
