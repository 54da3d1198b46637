"""A long table of indicators as a company's only data: how long until every one of them has its light, and where the time goes.

python benchmarks/indicators.py [--indicators 1000] [--periods 36] [--grain month]
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dataops_nb import alignment, board, limits, reconciliation, sources, status, workbench
from dataops_nb.alignment import comparisons

COMPANY = """
company: City
timezone: America/New_York
lights:
  standard:
    green: {at_least: 1.0, means: "On plan.", do: "Keep going."}
    yellow: {at_least: 0.85, means: "Recoverable.", do: "Review."}
    red: {means: "At risk.", do: "Re-plan."}
sources:
  mmr: {path: mmr.csv, system: mmr, time: day}
"""
AGENCY = """
department: Agency
defaults: {lights: standard}
metrics_from:
  - {source: mmr, id: id, prefix: i_, label: indicator, expr: v, agg: sum, at: end, target: target,
     better: {column: direction, map: {Up: up, Down: down}}}
"""


def write(folder: Path, indicators: int, periods: int) -> dt.date:
    """A workbench with a row for each indicator and month; returns its last day."""
    chance = random.Random(7)  # noqa: S311  nobody must be surprised by these
    (folder / "params" / "departments").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "params" / "company.yaml").write_text(COMPANY)
    (folder / "params" / "departments" / "agency.yaml").write_text(AGENCY)
    ends = [
        dt.date(2023 + (i + 1) // 12, (i + 1) % 12 + 1, 1) - dt.timedelta(days=1)
        for i in range(periods)
    ]
    with (folder / "data" / "mmr.csv").open("w", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["id", "indicator", "day", "v", "target", "direction"])
        for one in range(indicators):
            level = chance.uniform(10, 1000)
            for end in ends:
                drawn = round(chance.gauss(level, level / 20), 2)
                rows.writerow(
                    [
                        f"K{one}",
                        f"Indicator {one}",
                        end,
                        drawn,
                        round(level, 1),
                        "Down" if one % 3 else "Up",
                    ]
                )
    return ends[-1]


@contextmanager
def timed(what: str, spent: dict[str, float]) -> Iterator[None]:
    """Add the wall time of a step to `spent`."""
    start = time.perf_counter()
    yield
    spent[what] = time.perf_counter() - start


def judge(wb: workbench.Workbench, as_of: dt.date, grain: str) -> tuple[dict[str, float], int, int]:
    """The seconds of each step from the files to the lights, how many rows were judged, and how many are green."""
    spent: dict[str, float] = {}
    with timed("definitions", spent):
        known = wb.definitions
    with timed("load, and make metrics of rows", spent):
        catalog = sources.open(known, wb.data, as_of)
        metrics = list(catalog.company.metrics)
        catalog.require("mmr")
    with timed("align", spent):
        table = alignment.align(catalog, metrics, grain=grain, end=as_of)
    steps: dict[str, Callable] = {
        "compare": lambda: comparisons.compare(table, catalog),
        "targets": lambda: alignment.add_targets(table, catalog),
        "reconciled": lambda: reconciliation.add_reconciled(table, catalog),
        "limits": lambda: limits.add_limits(table, catalog.company),
        "status": lambda: status.judge(table, catalog.company, as_of),
    }
    for name, step in steps.items():
        with timed(name, spent):
            table = step()
    return spent, len(table), int((table["light"] == "green").sum())


def main() -> None:
    """Print the seconds of each step, and of a board in one call."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--indicators", type=int, default=1000)
    asked.add_argument("--periods", type=int, default=36)
    asked.add_argument("--grain", default="month")
    said = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        as_of = write(Path(folder), said.indicators, said.periods)
        spent, rows, green = judge(workbench.open(folder), as_of, said.grain)
        for name, seconds in spent.items():
            print(f"{name:32}{seconds:8.2f} s")
        print(f"{'in all':32}{sum(spent.values()):8.2f} s   {rows:,} rows judged, {green:,} green")
        start = time.perf_counter()
        board.read(workbench.open(folder), as_of=as_of, grain=said.grain)
        print(f"{'a board, in one call':32}{time.perf_counter() - start:8.2f} s")


if __name__ == "__main__":
    main()
