"""How long a draft of twenty files takes, beside DuckDB's own `summarize` of the same files.

    python benchmarks/drafting.py [--files 20] [--rows 100000] [--turns 3]

Both read the same csv files in one run, in turns: DuckDB first, so that the files are in the system's
memory for both. The best of the turns counts; it exits with 1 where the draft takes more than twice
the processor's time, which other programs on the machine change less than the clock's.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def _timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return the seconds that work takes of the processor and by the clock, and what it returns."""
    clock, processor = time.perf_counter(), time.process_time()
    made = work()
    return time.process_time() - processor, time.perf_counter() - clock, made


def _summarize(paths: list[Path]) -> None:
    for path in paths:
        duckdb.execute(f"summarize select * from read_csv('{path}')").fetchall()


def main() -> int:
    """Print both times and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    summaries, drafts = [], []
    with tempfile.TemporaryDirectory() as folder:
        paths = write_files(Path(folder), asked.files, asked.rows)
        size = sum(path.stat().st_size for path in paths) / 1e6
        for _ in range(asked.turns):
            summaries.append(_timed(lambda: _summarize(paths))[:2])
            *seconds, made = _timed(lambda: profile.draft(paths))
            drafts.append(seconds)
    print(f"{dt.date.today()}: {asked.files} files of {asked.rows:,} rows, {size:,.0f} MB")
    ratios = []
    for place, kind in enumerate(("of the processor", "by the clock")):
        summarized = min(seconds[place] for seconds in summaries)
        drafted = min(seconds[place] for seconds in drafts)
        ratios.append(drafted / summarized)
        times = f"summarize {summarized:.1f} s, draft {drafted:.1f} s"
        print(f"{kind}: {times}: {ratios[-1]:.2f} times as long")
    print(f"{len(made.tables)} tables, {len(made.all_metrics)} metrics, {len(made.faults)} faults")
    return int(ratios[0] > MOST)


if __name__ == "__main__":
    sys.exit(main())
