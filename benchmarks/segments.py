"""Many segments in one table: measured, with targets and limits, judged; beside the same by hand.

    python benchmarks/segments.py [--metrics 50] [--segments 1000] [--weeks 130]

A company is made by chance: one row a week and segment, a column of counts for each metric. By hand
means DuckDB for the sums and numpy for limits by moving ranges, without targets, checks and changes
of level. Both run in new processes; their sums are compared. Processor seconds and the most memory
are printed, because a machine that does other work shows in the clock alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

FIRST = "2024-05-06"
OURS = """
import datetime as dt
from dataops_nb import alignment, limits, status, workbench
with workbench.open("company").rows(dt.date.fromisoformat(last)) as rows:
    table = alignment.align(rows, list(rows.company.metrics), grain="week", by="declared")
    table = alignment.add_targets(table, rows)
    table = limits.add_limits(table, rows.company)
    table = status.judge(table, rows.company, rows.as_of)
done(len(table), table.loc[table["segment"].notna(), "value"].sum())
"""
BY_HAND = """
import duckdb, numpy as np
names = ", ".join(f"sum({name}) as {name}" for name in metrics)
query = f"select seg, date_trunc('week', day) as week, {names} from 'company/data/rows.parquet'"
frame = duckdb.sql(f"{query} group by all order by seg, week").df()
total = 0.0
for name in metrics:
    values = frame[name].to_numpy(dtype=float).reshape(frame["seg"].nunique(), -1)
    center = values.mean(axis=1, keepdims=True)
    width = 2.66 * np.abs(np.diff(values, axis=1)).mean(axis=1, keepdims=True)
    outside = np.abs(values - center) > width
    total += values.sum()
done(frame.shape[0] * len(metrics), total)
"""
AROUND = """
import resource, sys, time
metrics, last = sys.argv[2].split(","), sys.argv[3]
def done(rows, total):
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(rows, total, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
exec(sys.argv[1])
"""


def main() -> None:
    """Print both, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=int, default=50)
    parser.add_argument("--segments", type=int, default=1000)
    parser.add_argument("--weeks", type=int, default=130)
    sizes = parser.parse_args()
    metrics = [f"m{number}" for number in range(sizes.metrics)]
    with tempfile.TemporaryDirectory() as folder:
        last = make_company(Path(folder) / "company", metrics, sizes.segments, sizes.weeks)
        figures = {}
        for name, script in {"ours": OURS, "by hand": BY_HAND}.items():
            words = [sys.executable, "-c", AROUND, script, ",".join(metrics), last]
            run = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
            rows, total, seconds, memory = map(float, run.stdout.split())
            figures[name] = total, seconds, memory
            print(f"{name:<8} {rows:>11,.0f} rows  CPU {seconds:6.1f} s  {memory:8,.0f} MiB")
    (total, seconds, memory), (same, by_hand, least) = figures["ours"], figures["by hand"]
    if total != same:
        raise SystemExit(f"the sums differ: {total} and {same}")
    print(f"ours by hand's: CPU {seconds / by_hand:.1f} x, memory {memory / least:.1f} x")


def make_company(root: Path, metrics: list[str], segments: int, weeks: int) -> str:
    """Write the company; return its last day."""
    measures = {}
    for name in metrics:
        measure = {"agg": "sum", "expr": name, "source": "rows"}
        target = {"from": "2020-01-01", "per": "week", "value": 100 * segments}
        measures[name] = {"type": "simple", "measure": measure, "by": ["seg"], "targets": [target]}
    source = {"system": "Log", "path": "rows.parquet", "time": "day"}
    company = {"company": "Many", "timezone": "UTC", "sources": {"rows": source}}
    company["lights"] = {
        "standard": {
            "green": {"at_least": 1.0, "means": "On plan.", "do": "Go on."},
            "red": {"means": "At risk.", "do": "Plan again."},
        }
    }
    (root / "params" / "departments").mkdir(parents=True)
    (root / "data").mkdir()
    department = {"department": "All", "metrics": measures}
    (root / "params" / "company.yaml").write_text(yaml.safe_dump(company))
    (root / "params" / "departments" / "all.yaml").write_text(yaml.safe_dump(department))
    rng = np.random.default_rng(1)
    days = pd.date_range(FIRST, periods=weeks, freq="7D") + pd.Timedelta(days=6)
    rows = pd.DataFrame({"day": np.repeat(days.to_numpy(), segments)})
    rows["seg"] = np.tile([f"s{number:04d}" for number in range(segments)], weeks)
    for name in metrics:
        rows[name] = rng.poisson(100, len(rows))
    rows.to_parquet(root / "data" / "rows.parquet")
    return str(days[-1].date())


if __name__ == "__main__":
    main()
