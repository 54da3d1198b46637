"""Run a benchmark on two sides in turns, in one run, so that both meet the same machine.

    python benchmarks/compare.py BEFORE [--after SIDE] [--rounds N] BENCHMARK [ARGUMENTS...]

A side is a commit or a folder; AFTER is this checkout. Each side runs its own copy of the benchmark
with its own source in this Python's environment, alternately: before, after, before, after. Of each
figure in a line, the lowest of the rounds is printed for both sides with their ratio; wall time and
processor time of the whole benchmark come last. Give the benchmark's own options after its name:

    python benchmarks/compare.py 0b6d754 judging --turns 1
    python benchmarks/compare.py 0b6d754 refresh --sizes 1 --today 1
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from goldens import sides

FIGURE = re.compile(r"(?<![\w.])\d+(?:,\d{3})*\.\d+|(?<![\w.])\d+(?= MiB)")  # has a decimal point
Run = dict[str, list[float]]


def main() -> None:
    """Run both sides in turns and print the lowest figures."""
    asked = arguments()
    runs: tuple[list[Run], list[Run]] = ([], [])
    with tempfile.TemporaryDirectory(prefix="compare-") as temporary:
        folders = [Path(temporary) / name for name in ("before", "after")]
        for side, folder in zip((asked.before, asked.after), folders, strict=True):
            sides.copy_source(side, folder)
        for number in range(asked.rounds):
            for folder, done in zip(folders, runs, strict=True):
                done.append(measured(folder, asked.benchmark, asked.options))
                print(f"round {number + 1}: {folder.name} done", file=sys.stderr, flush=True)
    print(f"{'':>10}{'before':>12}{'after':>12}{'ratio':>8}")
    for line in runs[0][0]:
        show(line, lowest(runs[0], line), lowest(runs[1], line))


def arguments() -> argparse.Namespace:
    """The sides, the benchmark and its own options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", help="a commit or a folder")
    parser.add_argument("--after", default=str(sides.ROOT), help="the same (this checkout)")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("benchmark", help="the name of a file in benchmarks/")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="the benchmark's own")
    return parser.parse_args()


def measured(folder: Path, benchmark: str, options: list[str]) -> Run:
    """The figures of each line that a benchmark prints, under the line's words."""
    paths = [str(folder / "src"), os.environ.get("PYTHONPATH", "")]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths)))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    words = [sys.executable, str(folder / "benchmarks" / f"{benchmark}.py"), *options]
    before, began = used(), time.perf_counter()
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{benchmark} of {folder.name} ended with {done.returncode}:\n{done.stderr}")
    found: Run = {}
    for line in done.stdout.splitlines():
        figures = [float(text.replace(",", "")) for text in FIGURE.findall(line)]
        if figures:
            found[FIGURE.sub("#", " ".join(line.split()))] = figures
    found["the whole benchmark, seconds on the clock #"] = [time.perf_counter() - began]
    found["the whole benchmark, seconds of the processors #"] = [used() - before]
    return found


def used() -> float:
    """Seconds of the processors that children have used so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def lowest(runs: list[Run], line: str) -> list[float]:
    """The lowest of each figure over the rounds; empty where a side has no such line."""
    rows = [run[line] for run in runs if line in run]
    return [min(column) for column in zip(*rows, strict=True)]


def show(line: str, before: list[float], after: list[float]) -> None:
    """Print a line's words, then each of its figures."""
    print(line)
    if not after:
        print(f"{'':>10}there is no such line after")
    for old, new in zip(before, after, strict=False):
        ratio = f"{new / old:>8.2f}" if old else ""
        print(f"{'':>10}{old:>12,.3f}{new:>12,.3f}{ratio}")


if __name__ == "__main__":
    main()
