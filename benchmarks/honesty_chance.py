"""How good the chances of meeting a target are: said beside what came, in regimes of many kinds.

`python benchmarks/honesty_chance.py` runs 20,000 open weeks of each kind; `--weeks N` fewer. A
chance is right where of the weeks that were given about 30 % about 30 % meet their target: in every
tenth of the scale within five points and two standard errors. Nothing here is timed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb import pacing

Array = npt.NDArray[np.float64]
SEED = 20261122
# The shares of a week's days.
SHAPE = np.array([0.2, 0.2, 0.18, 0.17, 0.15, 0.06, 0.04])
YEAR = 52.18
ALLOWED = 0.05
FEWEST = 100  # forecasts in a tenth of the scale


def remembering(rng: np.random.Generator, shape: tuple[int, int], memory: float) -> Array:
    """Noise of deviation .12 a week that remembers so much of the week before."""
    noise = rng.normal(0, 0.12, shape)
    for week in range(1, shape[1]):
        noise[:, week] += memory * noise[:, week - 1]
    return noise


def level(kind: str, rng: np.random.Generator, count: int, weeks: int) -> Array:
    """The expected total of each week, for so many metrics of a kind."""
    week = np.arange(weeks)
    size = rng.uniform(20, 400, (count, 1))
    phase = rng.uniform(0, 1, (count, 1))
    last = weeks - 1
    kinds: dict[str, Callable[[], Array]] = {
        "steady": lambda: size,
        "sparse": lambda: size / 100,
        "bursty": lambda: size * rng.gamma(16, 1 / 16, (count, weeks)),
        "growing by 1 % a week": lambda: size * 1.01**week,
        "growing by a number a week": lambda: size * (1 + 0.01 * week),
        "falling by 1 % a week": lambda: size * 0.99**week,
        "a season of 35 %": lambda: size * (1 + 0.35 * np.sin(2 * np.pi * (week / YEAR + phase))),
        "a season of 35 %, on its rise": lambda: (
            size * (1 + 0.35 * np.sin(2 * np.pi * (week - last) / YEAR))
        ),
        "eight weak weeks a year": lambda: (
            size * np.where((week + np.floor(phase * 52)) % 52 < 8, 0.55, 1.0)
        ),
        "+60 % for eight weeks": lambda: size * np.where(week >= last - 8, 1.6, 1.0),
        "+60 % over eight weeks": lambda: (
            size * (1 + 0.6 * np.clip((week - last + 9) / 8, 0.0, 1.0))
        ),
        "-35 % for 3 to 15 weeks": lambda: (
            size * np.where(week >= last - rng.integers(3, 16, (count, 1)), 0.65, 1.0)
        ),
        "drifting": lambda: size * np.exp(np.cumsum(rng.normal(0, 0.06, (count, weeks)), axis=1)),
        "remembering .7": lambda: size * np.exp(remembering(rng, (count, weeks), 0.7)),
        "season and growth": lambda: (
            size * 1.004**week * (1 + 0.25 * np.sin(2 * np.pi * (week / YEAR + phase)))
        ),
    }
    return kinds[kind]() * np.ones((count, weeks))


KINDS = (
    "steady", "sparse", "bursty", "growing by 1 % a week", "growing by a number a week",
    "falling by 1 % a week", "a season of 35 %", "a season of 35 %, on its rise",
    "eight weak weeks a year", "+60 % for eight weeks", "+60 % over eight weeks",
    "-35 % for 3 to 15 weeks", "drifting", "remembering .7", "season and growth",
)  # fmt: skip


def forecasts(count: int, kind: str, prior: int = 130, seed: int = SEED) -> tuple[Array, Array]:
    """P(hit) of so many open weeks after `prior` closed ones, and whether each hit its target.

    Targets lie within a fifth of what is to be expected of the week, known to who simulates.
    """
    rng = np.random.default_rng(seed)
    expected = level(kind, rng, count, prior + 1)
    days = rng.poisson(expected[:, :, None] * SHAPE)
    passed = rng.integers(1, 7, count)
    reached = days.cumsum(axis=2)
    so_far = np.take_along_axis(reached, passed[:, None, None] - 1, axis=2)[:, :, 0].astype(float)
    value = days.sum(axis=2).astype(float)
    usual = expected[:, -1]
    if kind == "bursty":
        usual = value[:, :-1].mean(axis=1)
    target = np.round(usual * rng.uniform(0.8, 1.2, count))
    latest = slice(None, pacing.PRIOR)
    past = pacing.Past(
        so_far=so_far[:, :-1][:, ::-1][:, latest],
        value=value[:, :-1][:, ::-1][:, latest],
        history=value[:, :-1][:, ::-1],
        year=np.full(count, pacing.YEAR["week"]),
    )
    rest = pacing.remainders(past, so_far[:, -1])
    p_hit = pacing.chance(past, so_far[:, -1], rest, target, np.full(count, np.inf))
    return p_hit, (value[:, -1] >= target).astype(float)


def calibration(p_hit: Array, hit: Array) -> pd.DataFrame:
    """By tenth of the scale: `forecasts said happened allowed` (5 points, two standard errors)."""
    tenth = np.minimum((p_hit * 10).astype(int), 9)
    table = pd.DataFrame({"tenth": tenth, "said": p_hit, "happened": hit}).groupby("tenth")
    rows = table.agg(
        forecasts=("said", "size"), said=("said", "mean"), happened=("happened", "mean")
    )
    rows = rows[rows["forecasts"] >= FEWEST]
    spread = np.sqrt(rows["happened"] * (1 - rows["happened"]) / rows["forecasts"])
    return rows.assign(allowed=ALLOWED + 2 * spread)


def scored(kind: str, count: int, prior: int = 130, seed: int = SEED) -> dict[str, float]:
    """What was said of a kind of week, what came, Brier's score, and the farthest tenth.

    Of weeks whose chance is stated; `stated` is their share.
    `farthest` is by how much a tenth lies beyond what is allowed; below 0 all are within.
    """
    p_hit, hit = forecasts(count, kind, prior, seed)
    is_stated = np.isfinite(p_hit)
    p_hit, hit = p_hit[is_stated], hit[is_stated]
    table = calibration(p_hit, hit)
    beyond = (table["said"] - table["happened"]).abs() - table["allowed"]
    return {
        "stated": float(is_stated.mean()),
        "said": float(p_hit.mean()),
        "came": float(hit.mean()),
        "brier": float(((p_hit - hit) ** 2).mean()),
        "farthest": float(beyond.max()),
    }


def report(count: int) -> None:
    """Print a row for each kind of week and two lengths of its past."""
    print(f"P(hit), {count:,} open weeks of each kind; farthest: the worst tenth of the scale")
    print(
        f"  {'kind':30} {'weeks':>5} {'stated':>6} {'said':>6} {'came':>6} {'Brier':>6}  farthest"
    )
    for kind in KINDS:
        for prior in (60, 130):
            row = scored(kind, count, prior)
            verdict = "within" if row["farthest"] <= 0 else f"{row['farthest']:.1%} beyond"
            print(
                f"  {kind:30} {prior:5} {row['stated']:6.1%} {row['said']:6.3f} "
                f"{row['came']:6.3f} {row['brier']:6.4f}  {verdict}",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How good the chances of meeting a target are.")
    parser.add_argument("--weeks", type=int, default=20_000, help="open weeks of each kind")
    report(parser.parse_args().weeks)
