"""What grows with a company: its history, its departments, and what a command and a page then cost.

    python benchmarks/growth.py [--values 1000000] [--turns 3]

`status` on the sample is run beside a history of nothing and one of so many published values, each
in a new process: seconds of clock and processor, and the most memory that it held. The first run on
a history reads the whole csv; the ones after it read what was kept. A report's values are then
remembered beside it. Below that stand the bytes of a front page, and the seconds to build it, for
more and more departments, each with three metrics and a finding.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dataops_nb import history

AS_OF = dt.date(2026, 11, 22)
PERIODS = 26  # of a metric in a report
METRICS = 200
MIB = 1024  # kilobytes, as the system counts memory
ROOT = Path(__file__).resolve().parent.parent


class Took(NamedTuple):
    """Seconds of one process, and MiB."""

    clock: float
    processor: float
    memory: float


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--values", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "bench"
        command("--quiet", "init", str(root))
        status = ("--quiet", "-w", str(root), "status", "--as-of", AS_OF.isoformat())
        command(*status)
        none = median([command(*status) for _ in range(asked.turns)])
        say("status, nothing published", none, none)
        write(root / "out", asked.values)
        say(f"status, {asked.values:,} values, first", command(*status), none)
        many = median([command(*status) for _ in range(asked.turns)])
        say(f"status, {asked.values:,} values, again", many, none)
        remembering(root / "out")
    pages()


def say(what: str, took: Took, none: Took) -> None:
    """Print one line, with what is more than beside nothing."""
    more = Took(*(own - other for own, other in zip(took, none, strict=True)))
    print(
        f"{what:<40} {took.clock:6.2f} s  CPU {took.processor:6.2f} s  {took.memory:6.0f} MiB"
        f"   more: {more.clock:+6.2f} s  CPU {more.processor:+6.2f} s  {more.memory:+6.0f} MiB",
        flush=True,
    )


def median(taken: list[Took]) -> Took:
    """Return the median of each figure."""
    return Took(*(statistics.median(column) for column in zip(*taken, strict=True)))


def command(*words: str) -> Took:
    """Run the command in a new process."""
    began = time.perf_counter()
    line = [sys.executable, "-W", "ignore", "-m", "dataops_nb", *words]
    with Path(os.devnull).open("w") as nothing:
        process = subprocess.Popen(line, stdout=nothing, stderr=nothing)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(words)} ended with {status}")
    took = time.perf_counter() - began
    return Took(took, used.ru_utime + used.ru_stime, used.ru_maxrss / MIB)


def write(out: Path, count: int) -> None:
    """Write a history as reports of a week each would have left it, the oldest first."""
    shutil.rmtree(out / "cache" / "history", ignore_errors=True)
    (out / "history").mkdir(parents=True, exist_ok=True)
    weeks = count // (METRICS * PERIODS) + 1
    left = count
    with (out / "history" / "values.csv").open("w", encoding="utf-8") as file:
        file.write(",".join(history.COLUMNS) + "\n")
        for week in range(weeks, 0, -1):
            as_of = (AS_OF - dt.timedelta(weeks=week)).isoformat()
            for row in range(min(METRICS * PERIODS, left)):
                metric, period = divmod(row, PERIODS)
                value = 1000 + metric * period / 7 + week
                file.write(
                    f"metric_{metric},,week,2026-W{period + 20},{as_of},{value:.12g},true,{period},"
                    f"abcdef012345,board,{week:06},{as_of}T06:00:00+00:00\n"
                )
            left -= min(METRICS * PERIODS, left)


def remembering(out: Path) -> None:
    """Print the processor seconds to remember the values of one report."""
    told = {"grain": "week", "complete": True, "n": 1, "definition": ""}
    rows = [
        {
            "metric": "metric_1",
            "segment": None,
            "period": f"2026-W{period}",
            "value": period,
            **told,
        }
        for period in range(PERIODS)
    ]
    taken = []
    now = dt.datetime.now(dt.UTC)
    for turn in range(5):
        fresh = pd.DataFrame(rows).assign(value=float(turn))
        began = time.process_time()
        history.remember(out, fresh, report="r", as_of=AS_OF, run="x", published_at=now)
        taken.append(time.process_time() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    spent = 1000 * statistics.median(taken)
    print(f"remember {PERIODS} values beside them: CPU {spent:.0f} ms, this process {peak:.0f} MiB")


def pages() -> None:
    """Print the size of front pages, and the processor seconds to build one."""
    sys.path.insert(0, str(ROOT))
    from tests import crowds  # noqa: PLC0415  the tests' own company

    crowds.front(1)
    for departments in (10, 40, 100, 500, 2000):
        began = time.process_time()
        size = len(crowds.front(departments).encode())
        spent = time.process_time() - began
        print(
            f"front page of {departments:5,} departments: {size / 1000:5.0f} kB  CPU {spent:.2f} s"
        )


if __name__ == "__main__":
    main()
