"""How soon an answer comes that nothing has changed since, beside importing what it stands on.

    python benchmarks/again.py [--turns 5]

`python -c "import duckdb, pandas"` is the measure: nobody answers about a table sooner. Each row is
a command on the sample in a new process, once on data that no command has looked at and then on
unchanged ones; the suite's six reports are all executed (`--force`), and then none of them. Turns of
all rows follow each other, and the median counts. Processor seconds stand beside the clock's,
because a machine that does other work shows in one and not in the other.
"""

from __future__ import annotations

import argparse
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

AS_OF = ("--as-of", "2026-11-22")
COMMANDS = {
    "status": ("status", *AS_OF),
    "ask churn_rate": ("ask", "churn_rate", *AS_OF),
    "refresh --force": ("refresh", "--force", *AS_OF),
}
UNCHANGED = {"refresh": ("refresh", *AS_OF)}


class Took(NamedTuple):
    """Seconds of one process and those below it."""

    clock: float
    processor: float


def main() -> None:
    """Print each command's median, and its ratio to the imports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    times: dict[str, list[Took]] = {}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "bench"
        run("-m", "dataops_nb", "--quiet", "init", str(root))
        for _ in range(turns):
            note(times, "imports", run("-c", "import duckdb, pandas"))
            for name, words in COMMANDS.items():
                shutil.rmtree(root / "out", ignore_errors=True)
                note(times, f"{name}, first", command(root, words))
                note(times, f"{name}, again", command(root, words))
            for name, words in UNCHANGED.items():
                note(times, f"{name}, unchanged", command(root, words))
    base = median(times["imports"])
    print(f"{'':<28}{'clock':>9}{'ratio':>8}{'processor':>12}{'ratio':>8}")
    for name, taken in times.items():
        clock, processor = median(taken)
        ratios = clock / base.clock, processor / base.processor
        print(f"{name:<28}{clock:>7.2f} s{ratios[0]:>8.1f}{processor:>10.2f} s{ratios[1]:>8.1f}")


def note(times: dict[str, list[Took]], name: str, took: Took) -> None:
    """Add the time of one turn."""
    times.setdefault(name, []).append(took)


def median(taken: list[Took]) -> Took:
    """Return the medians of clock and processor."""
    clocks, processors = zip(*taken, strict=True)
    return Took(statistics.median(clocks), statistics.median(processors))


def command(root: Path, words: tuple[str, ...]) -> Took:
    """Run a command on the workbench."""
    return run("-m", "dataops_nb", "--quiet", "-w", str(root), *words)


def run(*words: str) -> Took:
    """Run this Python in a new process; what it says is shown where it fails."""
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before, started = used(), time.perf_counter()
    line = [sys.executable, "-W", "ignore", *words]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    took = Took(time.perf_counter() - started, used() - before)
    if done.returncode:
        sys.exit(done.stderr)
    return took


def used() -> float:
    """Return the processor seconds of all children so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
