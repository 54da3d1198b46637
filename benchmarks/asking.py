"""How soon `ask` has its page, beside executing the same questions' notebook with papermill and nbconvert.

    python benchmarks/asking.py [METRIC...]

Each question is asked on data that no command has looked at (`new`) and once more (`known`); then `70_when_asked.ipynb` is
executed by stock papermill and turned into HTML by nbconvert, as a user would without the command. Every time is that of the
whole command in a new process; the turns of all three follow each other, and the median counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

QUESTIONS = ("closed deals", "churn_rate")
AS_OF = "2026-11-22"
TURNS = 3


def main() -> None:
    """Print the seconds of each question, and their ratios to the notebook's."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("metrics", nargs="*", default=QUESTIONS)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "bench"
        run("dataops_nb", "--quiet", "init", root)
        run("dataops_nb", "--quiet", "-w", root, "status", "--as-of", AS_OF)
        print(f"{'':<18}{'new':>8}{'ratio':>7}{'known':>8}{'ratio':>7}{'notebook':>10}")
        for metric in asked.parse_args().metrics:
            turns = [
                (new(root, metric), question(root, metric), notebook(root, metric))
                for _ in range(TURNS)
            ]
            first, again, other = (statistics.median(times) for times in zip(*turns, strict=True))
            ours = "".join(f"{each:>6.1f} s{each / other:>7.2f}" for each in (first, again))
            print(f"{metric:<18}{ours}{other:>8.1f} s", flush=True)


def new(root: Path, metric: str) -> float:
    """Seconds of a question about data that nothing is known of."""
    shutil.rmtree(root / "out", ignore_errors=True)
    return question(root, metric)


def question(root: Path, metric: str) -> float:
    """Seconds of the command."""
    return run("dataops_nb", "--quiet", "-w", root, "ask", metric, "--as-of", AS_OF)


def notebook(root: Path, metric: str) -> float:
    """Seconds of the notebook with stock papermill, and of its page with nbconvert."""
    source, made = root / "notebooks" / "70_when_asked.ipynb", root / "asked.ipynb"
    words = [
        "-p",
        "metric",
        metric,
        "-p",
        "as_of",
        AS_OF,
        "--cwd",
        source.parent,
        "--no-progress-bar",
    ]
    return run("papermill", source, made, *words) + run(
        "jupyter", "nbconvert", "--to", "html", made
    )


def run(module: str, *words: object) -> float:
    """Seconds of `python -m MODULE WORDS`; what it says is shown where it fails."""
    environment = {
        name: said for name, said in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    line = [sys.executable, "-W", "ignore", "-m", module, *map(str, words)]
    started = time.perf_counter()
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    took = time.perf_counter() - started
    if done.returncode:
        sys.exit(done.stderr)
    return took


if __name__ == "__main__":
    main()
