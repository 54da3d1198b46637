"""How often a change of level is found where there is one, and where there is none.

`python benchmarks/honesty_shifts.py` runs 1,000 series of each kind; `--series N` fewer, `--weeks N`
other lengths than 130. A series that has no step may show one in at most 2 of 100; of steps of two
standard deviations at least 85 of 100 are found within eight periods. Kinds at the end of the
table are no promise: they wander, wave or have few values. A promise is broken where a share
misses it by more than two standard errors of the simulation; bursts, of which 1.8 of 100 in 2,000
series show a step, are near the edge. Nothing here is timed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from dataops_nb.limits import shifts

Array = npt.NDArray[np.float64]
SEED = 20261122
YEAR = 52.18  # weeks
FALSE, FOUND = 0.02, 0.85
NEAR = 4  # periods beside its place at which a step counts as found


def remembering(rng: np.random.Generator, count: int, n: int, memory: float) -> Array:
    """Series of a first-order autoregression."""
    noise = rng.standard_normal((count, n + 100))
    for place in range(1, n + 100):
        noise[:, place] += memory * noise[:, place - 1]
    return noise[:, 100:]


def sums_of_deals(rng: np.random.Generator, count: int, n: int) -> Array:
    """Sums of about a dozen lognormal amounts a week."""
    deals = rng.poisson(12, (count, n)) + 1
    ends = np.cumsum(deals.ravel())
    total = np.concatenate([[0.0], np.cumsum(rng.lognormal(0, 1, int(ends[-1])))])
    return np.asarray(np.diff(total[ends], prepend=0.0).reshape(count, n))


def with_outlier(rng: np.random.Generator, count: int, n: int) -> Array:
    """Noise with one value eight deviations too high."""
    noise = rng.standard_normal((count, n))
    noise[np.arange(count), rng.integers(0, n, count)] += 8
    return noise


def with_bursts(rng: np.random.Generator, count: int, n: int) -> Array:
    """Noise three times as wild for 10 to 25 periods."""
    noise = rng.standard_normal((count, n))
    for row in noise:
        length = int(rng.integers(min(10, n // 3), min(25, n // 2)))
        first = int(rng.integers(0, n - length))
        row[first : first + length] *= 3
    return noise


def season(n: int) -> Array:
    """What a known season is made of: three harmonics of a year."""
    angle = 2 * np.pi * np.arange(n) / YEAR
    waves = [wave(k * angle) for k in (1, 2, 3) for wave in (np.sin, np.cos)]
    return np.column_stack(waves)


def seasonal(rng: np.random.Generator, count: int, n: int) -> Array:
    """Noise on a season of about one and a half deviations."""
    return np.asarray(
        rng.standard_normal((count, n)) + rng.normal(0, 0.9, (count, 6)) @ season(n).T
    )


Draw = Callable[[np.random.Generator, int, int], Array]
PROMISED: dict[str, Draw] = {
    "normal": lambda rng, count, n: rng.standard_normal((count, n)),
    "AR .3": lambda rng, count, n: remembering(rng, count, n, 0.3),
    "AR .5": lambda rng, count, n: remembering(rng, count, n, 0.5),
    "Poisson 20": lambda rng, count, n: rng.poisson(20, (count, n)).astype(float),
    "Poisson 2": lambda rng, count, n: rng.poisson(2, (count, n)).astype(float),
    "lognormal sums": sums_of_deals,
    "one outlier": with_outlier,
    "bursts": with_bursts,
    "a trend of 4 sd": lambda rng, count, n: rng.standard_normal((count, n)) + 4 * np.arange(n) / n,
    "a known season": seasonal,
}
BEYOND: dict[str, Draw] = {
    "AR .7": lambda rng, count, n: remembering(rng, count, n, 0.7),
    "AR .9": lambda rng, count, n: remembering(rng, count, n, 0.9),
    "a random walk": lambda rng, count, n: np.cumsum(rng.standard_normal((count, n)), axis=1),
    "a season nobody declared": seasonal,
    "growth of 1 % a week": lambda rng, count, n: (
        1.01 ** np.arange(n) * (1 + 0.1 * rng.standard_normal((count, n)))
    ),
    "Student t, 3 degrees": lambda rng, count, n: rng.standard_t(3, (count, n)),
}


def lines(kind: str, n: int) -> list[Array]:
    """What series of a kind may follow besides their level."""
    known = season(n) if kind == "a known season" else np.zeros((n, 0))
    return [known, np.hstack([known, np.linspace(-1, 1, n)[:, None]])]


def starts(values: Array, offered: list[Array]) -> tuple[int, ...]:
    """Where the level changes, as limits ask."""
    if not offered[0].shape[1] and not shifts.suspects(values[None, :])[0]:
        return ()
    return shifts.find(values, offered, YEAR).starts


def false_shifts(kind: str, count: int, n: int = 130, seed: int = SEED) -> float:
    """The share of series of a kind without a step that are said to have one."""
    draw = (PROMISED | BEYOND)[kind]
    drawn = draw(np.random.default_rng(seed), count, n)
    offered = lines(kind, n)
    return float(np.mean([bool(starts(row, offered)) for row in drawn]))


def found_shifts(size: float, ago: int, count: int, n: int = 130, seed: int = SEED) -> float:
    """The share of steps, so many deviations high and so many periods old, that are found."""
    drawn = np.random.default_rng(seed).standard_normal((count, n))
    drawn[:, n - ago :] += size
    offered = lines("normal", n)
    found = [starts(row, offered) for row in drawn]
    return float(np.mean([bool(each) and abs(each[-1] - (n - ago)) <= NEAR for each in found]))


def at_most(count: int) -> float:
    """The share of so many series at which the promise is broken: two standard errors above it."""
    return FALSE + 2 * math.sqrt(FALSE * (1 - FALSE) / count)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--weeks", type=int, default=130)
    asked = parser.parse_args()
    print(f"{asked.weeks} weeks, {asked.series} series of each kind")
    for kind in PROMISED:
        share = false_shifts(kind, asked.series, asked.weeks)
        kept = "holds" if share <= at_most(asked.series) else "BROKEN"
        print(f"{kind:28} a step is said in {share:6.1%}   at most {FALSE:.0%}: {kept}", flush=True)
    for size, ago in ((2.0, 8), (2.0, 14), (2.0, 26), (1.5, 14), (3.0, 8)):
        share = found_shifts(size, ago, asked.series, asked.weeks)
        kept = ""
        if size >= 2:
            kept = f"at least {FOUND:.0%}: {'holds' if share >= FOUND else 'BROKEN'}"
        print(
            f"{f'{size:g} sd, {ago} weeks ago':28} found in       {share:6.1%}   {kept}", flush=True
        )
    for kind in BEYOND:
        share = false_shifts(kind, asked.series, asked.weeks)
        print(f"{kind:28} a step is said in {share:6.1%}", flush=True)


if __name__ == "__main__":
    main()
