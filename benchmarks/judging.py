"""What judging costs: ratios to what a user would run instead, both in this process, the best of a few turns each.

`python benchmarks/judging.py` prints

- limits, pacing, lights and flips of 2,000 metric series of 260 weeks, as a multiple of one pandas groupby over the table;
- the links of 50 inputs at 8 lags, as a multiple of one statsmodels `ccf` for each pair (extra: benchmarks).
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from dataops_nb import limits, links, pacing, status
from dataops_nb.definitions.models import CompanyFile, Definitions, Department
from dataops_nb.links.pairs import Pair
from dataops_nb.metrics import Light, Lights, Measure, Simple

AS_OF = dt.date(2026, 11, 18)
REPEATED = 20
LIGHTS = Lights(
    green=Light(at_least=1.0, means="On plan.", do="Keep going."),
    yellow=Light(at_least=0.85, means="Recoverable.", do="Review."),
    red=Light(means="At risk.", do="Plan again."),
)


def company(metrics: int) -> Definitions:
    """A company with so many counts."""
    counted = Simple(type="simple", measure=Measure(source="s", agg="count"), lights=LIGHTS)
    named = {f"metric_{i:04d}": counted for i in range(metrics)}
    return Definitions(
        company=CompanyFile(company="Many", sources={"s": {"system": "A", "path": "s.csv"}}),
        departments={"all": Department(department="All", metrics=named)},
    )


def table(metrics: int, weeks: int, *, whole: bool) -> pd.DataFrame:
    """A metric table of stable series, the last week of each open; amounts are whole numbers or not."""
    rng = np.random.default_rng(20261118)
    count = metrics * weeks
    starts = pd.date_range(end="2026-11-16", periods=weeks, freq="7D")
    level = np.repeat(rng.uniform(20, 200, metrics), weeks)
    values = rng.normal(level, level / 8)
    values = values.round() if whole else values
    target = np.repeat(rng.uniform(0.8, 1.2, metrics), weeks) * level
    last = np.tile(np.arange(weeks) == weeks - 1, metrics)
    return pd.DataFrame(
        {
            "metric": np.repeat([f"metric_{i:04d}" for i in range(metrics)], weeks),
            "segment": pd.Series([None] * count, dtype=object),
            "grain": "week",
            "period_start": np.tile(starts, metrics),
            "period_end": np.tile(starts + pd.Timedelta(days=6), metrics),
            "value": np.where(last, values * 0.4, values),
            "so_far": np.where(
                np.tile(np.arange(weeks) >= weeks - 1 - pacing.PRIOR, metrics), values * 0.4, np.nan
            ),
            "complete": ~last,
            "target": target.round() if whole else target,
            "target_low": np.nan,
            "target_high": np.nan,
        }
    )


def judged(rows: pd.DataFrame, known: Definitions) -> pd.DataFrame:
    """Everything that is said about a table: limits, pace, lights, flips."""
    limited = limits.add_limits(rows, known)
    return status.judge(pacing.add_pace(limited, known, AS_OF), known, AS_OF)


def best(run: Callable[[], object], turns: int) -> float:
    """The shortest of a few turns, in seconds of the processor: what else runs on the machine does not count."""
    taken = []
    for _ in range(turns):
        begun = time.process_time()
        run()
        taken.append(time.process_time() - begun)
    return min(taken)


def judging_ratio(
    metrics: int = 2000, weeks: int = 260, turns: int = 3, *, whole: bool = False
) -> tuple[float, float]:
    """Seconds for judging a table, and how many groupbys over it that is."""
    rows, known = table(metrics, weeks, whole=whole), company(metrics)
    ours = best(lambda: judged(rows, known), turns)
    theirs = best(lambda: rows.groupby("metric")["value"].agg(["mean", "std", "count"]), turns)
    return ours, ours / theirs


def links_ratio(inputs: int = 50, weeks: int = 130, turns: int = 3) -> tuple[float, float]:
    """Seconds for the links of so many inputs at 8 lags, and as a share of one `ccf` for each pair."""
    from statsmodels.tsa.stattools import ccf  # noqa: PLC0415  # an extra, for this comparison alone

    rng = np.random.default_rng(7)
    causes, effect = rng.standard_normal((inputs, weeks)), rng.standard_normal(weeks)
    starts = pd.date_range("2024-01-01", periods=weeks, freq="7D")
    ends = starts + pd.Timedelta(days=6)
    pairs, lags = [Pair(f"x{i}", "y", None, False) for i in range(inputs)], [range(1, 9)] * inputs

    def found() -> pd.DataFrame:
        effects = np.tile(effect, (inputs, 1))
        return links.judge(
            pairs, links.relate(starts, ends, causes, effects, lags=lags, grain="week"), "week"
        )

    often = turns * REPEATED  # a few thousandths of a second each: the first turns only warm up
    ours = best(found, often)
    theirs = best(lambda: [ccf(effect, cause) for cause in causes], often)
    return ours, ours / theirs


def main() -> None:
    """Print both ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    turns = parser.parse_args().turns
    for whole in (True, False):
        seconds, ratio = judging_ratio(turns=turns, whole=whole)
        kind = "whole numbers" if whole else "amounts"
        print(f"2,000 series of 260 weeks, {kind}: {seconds:.2f} s, {ratio:.1f} x one groupby")
    seconds, ratio = links_ratio(turns=turns)
    print(f"50 inputs x 8 lags: {seconds:.3f} s, {ratio:.2f} x one statsmodels ccf a pair")


if __name__ == "__main__":
    main()
