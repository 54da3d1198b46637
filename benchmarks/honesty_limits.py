"""How often limits of ten kinds of metric cry wolf, and how often they find a real drop.

`python benchmarks/honesty_limits.py` makes 4,000 series of 65 weeks of each kind in which nothing
happens, and counts those whose newest week shows a signal: by the chart that `auto` chooses, beside
what its `alarm` says, and by XmR. Series of 130 weeks that are alike for a reason (trend, season,
memory, a trailing window) follow: how many of them have a verdict, and how often that cries wolf.
Then 400 rates with a varying n drop in their last day. Nothing here is timed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb import limits
from dataops_nb.limits import regimes

Array = npt.NDArray[np.float64]
Series = tuple[Array, Array | None]  # values, and what they are shares of
SEED = 20261122
WEEKS = 65


def shares(rng: np.random.Generator, base: npt.NDArray[np.int_], share: float) -> Series:
    """Shares of so many things each, of which each counts with the same chance."""
    return rng.binomial(base, share) / base, base.astype(float)


def deal_sums(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """The sum of one to a dozen deals a week, whose sizes are lognormal."""
    deals = rng.poisson(7, shape) + 1
    sizes = rng.lognormal(0, 1, int(deals.sum()))
    week = np.repeat(np.arange(deals.size), deals.ravel())
    return np.bincount(week, sizes, deals.size).reshape(shape)


def made(kind: str, rng: np.random.Generator, count: int, weeks: int = WEEKS) -> Series:
    """So many series of a kind in which nothing happens."""
    shape = (count, weeks)
    kinds: dict[str, Callable[[], Series]] = {
        "normal": lambda: (rng.normal(100, 12, shape), None),
        "negative binomial, 60": lambda: (rng.negative_binomial(20, 0.25, shape) * 1.0, None),
        "win rate, n near 15": lambda: shares(rng, np.maximum(rng.poisson(15, shape), 1), 0.3),
        "churn, 2 % of 60": lambda: shares(rng, np.full(shape, 60), 0.02),
        "counts of 12": lambda: (rng.poisson(12, shape) * 1.0, None),
        "sums of deals": lambda: (deal_sums(rng, shape), None),
        "counts of 3": lambda: (rng.poisson(3, shape) * 1.0, None),
        "counts of 2": lambda: (rng.poisson(2, shape) * 1.0, None),
        "rate .25, n 5 to 40": lambda: shares(rng, rng.integers(5, 41, shape), 0.25),
        "rate .25, n 4 or 60": lambda: shares(rng, rng.choice([4, 60], shape), 0.25),
    }
    return kinds[kind]()


# Rates that nobody chose, by how many are counted in a week, or are not where that is less.
CLASSES = {
    "up to .5": (0.0, 0.5),
    ".5 to 2": (0.5, 2.0),
    "2 to 6": (2.0, 6.0),
    "more": (6.0, np.inf),
}


def any_rates(count: int, seed: int = SEED + 3) -> pd.DataFrame:
    """Rates of any share of any number, by how many are counted: `series came said` each.

    Each series has a share and a usual number of its own; of half of them the number varies.
    """
    rng = np.random.default_rng(seed)
    usual = np.exp(rng.uniform(np.log(3), np.log(90), (count, 1)))
    sizes = np.where(rng.random((count, 1)) < 0.5, usual, rng.poisson(usual, (count, WEEKS)))
    base = np.maximum(np.rint(sizes), 1).astype(int)
    share = 1 / (1 + np.exp(rng.uniform(-4.5, 4.5, (count, 1))))
    last = newest(table(rng.binomial(base, share) / base, base.astype(float)), "auto")
    few = (usual * np.minimum(share, 1 - share)).ravel()
    is_judged = (last["limits_reason"].isna() | (last["signal"] == "shift")).to_numpy()
    rows = {}
    for name, (least, most) in CLASSES.items():
        own = last[is_judged & (few >= least) & (few < most)]
        rows[name] = (len(own), own["signal"].notna().mean(), own["alarm"].mean())
    return pd.DataFrame.from_dict(rows, orient="index", columns=["series", "came", "said"])


KINDS = (
    "normal", "negative binomial, 60", "win rate, n near 15", "churn, 2 % of 60", "counts of 12",
    "sums of deals", "counts of 3", "counts of 2", "rate .25, n 5 to 40", "rate .25, n 4 or 60",
)  # fmt: skip


def walks(rng: np.random.Generator, shape: tuple[int, int], memory: float) -> Array:
    """Series that remember so much of the week before; 1 is a random walk."""
    noise = rng.standard_normal((shape[0], shape[1] + 100))
    for week in range(1, shape[1] + 100):
        noise[:, week] += memory * noise[:, week - 1]
    return noise[:, 100:]


def years(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """A season of three waves a year, which differs from series to series."""
    angle = 2 * np.pi * np.arange(shape[1]) / 52.18
    waves = np.stack([wave(k * angle) for k in (1, 2, 3) for wave in (np.sin, np.cos)])
    return np.asarray(rng.normal(0, 0.9, (shape[0], 6)) @ waves)


def alike(kind: str, rng: np.random.Generator, count: int, weeks: int = 130) -> Array:
    """So many series of a kind whose weeks are alike for a reason."""
    shape = (count, weeks)
    noise = rng.standard_normal(shape)
    at = np.arange(weeks) / weeks
    kinds: dict[str, Callable[[], Array]] = {
        "a trend of 4 sd": lambda: noise + 4 * at,
        "a season of 1.6 sd": lambda: noise + years(rng, shape),
        "both": lambda: noise + years(rng, shape) + 4 * at,
        "memory .5": lambda: walks(rng, shape, 0.5),
        "memory .8": lambda: walks(rng, shape, 0.8),
        "memory .8, trend, season": lambda: walks(rng, shape, 0.8) + years(rng, shape) + 8 * at,
        "a random walk": lambda: walks(rng, shape, 1.0),
        "a stock that grows": lambda: np.cumsum(noise + 1.0, axis=1),
        "a trailing year": lambda: trailing(rng.standard_normal((count, weeks + 51)), 52),
    }
    return 100 + kinds[kind]()


def trailing(noise: Array, window: int) -> Array:
    """The sums of so many weeks that end in each."""
    sums = np.cumsum(noise, axis=1)
    sums[:, window:] -= sums[:, :-window].copy()
    return sums[:, window - 1 :]


ALIKE = (
    "a trend of 4 sd", "a season of 1.6 sd", "both", "memory .5", "memory .8",
    "memory .8, trend, season", "a random walk", "a stock that grows", "a trailing year",
)  # fmt: skip


def alarms_of_alike(kind: str, count: int, seed: int = SEED + 2) -> dict[str, float]:
    """The share of series of a kind with a verdict, of newest weeks with a signal, and the said one.

    A change of level is a matter of its own (`honesty_shifts.py`): what is told by limits counts,
    on both sides.
    """
    last = newest(table(alike(kind, np.random.default_rng(seed), count), None), "auto")
    is_shift = last["signal"] == "shift"
    judged = last[last["limits_reason"].isna() & ~is_shift]
    weeks = np.array([130])
    shifts = float(regimes.false_levels([limits.Rules()], ["week"], weeks, np.array([np.inf]))[0])
    return {
        "judged": float((last["limits_reason"].isna() | is_shift).mean()),
        "came": float(judged["signal"].notna().mean()),
        "said": float((judged["alarm"] - shifts).mean()),
    }


def table(values: Array, base: Array | None) -> pd.DataFrame:
    """The metric table of series, one a segment."""
    count, weeks = values.shape
    starts = pd.date_range("2024-01-01", periods=weeks, freq="7D")
    rows = pd.DataFrame(
        {
            "metric": "m",
            "segment": np.repeat([f"s={number}" for number in range(count)], weeks),
            "grain": "week",
            "period_start": np.tile(starts, count),
            "period_end": np.tile(starts + pd.Timedelta(days=6), count),
            "value": values.ravel().astype(float),
            "complete": True,
        }
    )
    return rows if base is None else rows.assign(base=base.ravel())


def newest(rows: pd.DataFrame, chart: str) -> pd.DataFrame:
    """The newest week of each series, with its limits by a chart."""
    limited = limits.add_limits(rows, limits.Rules(chart=chart))
    return limited.groupby("segment", sort=False).tail(1)


def alarms(kind: str, count: int, seed: int = SEED) -> dict[str, float]:
    """The share of newest weeks with a signal: by `auto`, as `said` of it, and by `xmr`.

    Of series with a verdict, or with a change of level that leaves too little for one.
    """
    rows = table(*made(kind, np.random.default_rng(seed), count))
    shown: dict[str, float] = {}
    for chart in ("auto", "xmr"):
        last = newest(rows, chart)
        judged = last[last["limits_reason"].isna() | (last["signal"] == "shift")]
        shown[chart] = float(judged["signal"].notna().mean())
        if chart == "auto":
            shown["said"] = float(judged["alarm"].mean())
    return shown


def drops_found(count: int, chart: str, seed: int = SEED + 1) -> float:
    """The share of rates whose drop by 4.9 standard deviations is a signal.

    40 days with 5 and 400 cases in turn at 25 %, then 60 of 400.
    """
    rng = np.random.default_rng(seed)
    base = np.tile(np.where(np.arange(41) % 2 == 0, 400, 5), (count, 1))
    values, of = shares(rng, base, 0.25)
    values[:, -1] = 60 / 400
    last = newest(table(values, of), chart)
    return float((last["signal"] == "outside").mean())


def report(count: int) -> None:
    """Print a row for each kind of metric, and the drops."""
    print(f"Newest weeks with a signal where nothing happens, {count:,} series of {WEEKS} weeks:")
    print(f"  {'kind':24} {'auto':>6} {'said':>6} {'auto/said':>9} {'xmr':>6}")
    for kind in KINDS:
        row = alarms(kind, count)
        print(
            f"  {kind:24} {row['auto']:6.2%} {row['said']:6.2%} {row['auto'] / row['said']:9.2f} "
            f"{row['xmr']:6.2%}",
            flush=True,
        )
    print(f"The same of rates of any share of any number, {count * 4:,} series, by how many count:")
    for row in any_rates(count * 4).itertuples():
        print(
            f"  {row.Index:24} {row.came:6.2%} {row.said:6.2%} {row.came / row.said:9.2f}",
            flush=True,
        )
    print(f"The same of series that are alike, {count // 4:,} of 130 weeks:")
    print(f"  {'kind':24} {'judged':>6} {'came':>6} {'said':>6} {'came/said':>9}")
    for kind in ALIKE:
        row = alarms_of_alike(kind, count // 4)
        print(
            f"  {kind:24} {row['judged']:6.1%} {row['came']:6.2%} {row['said']:6.2%} "
            f"{row['came'] / row['said']:9.2f}",
            flush=True,
        )
    for chart in ("auto", "xmr"):
        print(f"A drop of 4.9 deviations of a rate with varying n, found by {chart}: ", end="")
        print(f"{drops_found(400, chart):.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How often limits cry wolf.")
    parser.add_argument("--series", type=int, default=4000, help="series of each kind")
    report(parser.parse_args().series)
