"""What is at stake: a metric's shortfall, what a unit of it does to a North Star, and what that is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb import alignment, links
from dataops_nb.alignment.formulas import Scope, arithmetic, evaluate
from dataops_nb.alignment.measured import TOTAL, window
from dataops_nb.definitions import Definitions, agreeing, names_in, upstream
from dataops_nb.definitions.models import Cumulative, Grain, Simple
from dataops_nb.periods import Period, calendar
from dataops_nb.sources import Catalog

RECENT: dict[Grain, int] = {"day": 28, "week": 6, "month": 3, "quarter": 2, "year": 1}
YEAR = 365.25
_Z = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error."""

    value: float
    error: float = 0.0

    def draw(self, rng: np.random.Generator, count: int) -> Any:
        """So many normal draws."""
        return rng.normal(self.value, self.error, count)

    @classmethod
    def of(cls, values: pd.Series) -> Estimate:
        """The mean of values and its standard error; NaN where there are none."""
        known = values.dropna()
        error = known.std(ddof=1) / math.sqrt(len(known)) if len(known) > 1 else 0.0
        return cls(float(known.mean()) if len(known) else math.nan, float(error))


@dataclass(frozen=True)
class Stake:
    """What a metric's shortfall costs in a year, through one North Star; `reason` says why, or why that cannot be told.

    `gap` is what would have to be added to the metric each period, `effect` what one unit of it adds to `star` after `lag`
    periods, `worth` what one unit of that is worth, all turned so that their product is a gain where closing the gap is one.
    """

    star: str | None = None
    lag: int = 0
    gap: Estimate = Estimate(math.nan)
    effect: Estimate = Estimate(math.nan)
    worth: Estimate = Estimate(math.nan)
    times: float = 1.0
    reason: str = ""
    nothing: bool = False

    @property
    def amount(self) -> float:
        """The currency at stake in a year; 0 where nothing is, NaN where that cannot be told."""
        if self.nothing:
            return 0.0
        amount = self.gap.value * self.effect.value * self.worth.value * self.times
        return amount if math.isnan(amount) else max(0.0, amount)

    def draw(self, rng: np.random.Generator, count: int) -> Any:
        """The amount as it might have come out, so many times."""
        if self.nothing or math.isnan(self.amount):
            return np.full(count, self.amount)
        drawn = self.gap.draw(rng, count) * self.effect.draw(rng, count) * self.worth.draw(rng, count)
        return np.maximum(drawn * self.times, 0.0)


@dataclass(frozen=True)
class Scale:
    """Where shortfalls are turned into money: the data, the last complete period and the tested links."""

    catalog: Catalog
    period: Period
    pairs: pd.DataFrame

    @property
    def definitions(self) -> Definitions:
        """The company's definitions."""
        return self.catalog.definitions

    @property
    def days(self) -> int:
        """The days of the period."""
        return self.period.days

    @cached_property
    def _rows(self) -> dict[str, pd.DataFrame]:
        return {}

    def rows(self, metric: str) -> pd.DataFrame:
        """A metric's complete periods up to the last one, with `value target target_low target_high`."""
        if metric not in self._rows:
            table = alignment.align(self.catalog, [metric], grain=self.period.grain, end=self.period.end)
            table = alignment.add_targets(table, self.catalog)
            self._rows[metric] = table[table["complete"].astype(bool)].reset_index(drop=True)
        return self._rows[metric]

    @cached_property
    def _slopes(self) -> dict[str, dict[str, float]]:
        return {}

    def slopes(self, star: str) -> dict[str, float]:
        """What one more of each metric below a North Star adds to it, through the formulas between them."""
        if star not in self._slopes:
            self._slopes[star] = alignment.slopes(self.catalog, star, self.period)
        return self._slopes[star]

    def worth(self, metric: str) -> Estimate:
        """What one unit of a metric is worth: 1 where it is money, what `worth:` says, or what a formula makes of it."""
        said = self.definitions.metrics[metric]
        if said.worth is not None:
            return self._declared(said.worth)
        if said.unit == self.definitions.company.currency:
            return Estimate(1.0)
        return Estimate(math.nan)

    def _declared(self, expr: str) -> Estimate:
        """The arithmetic of `worth:` over the recent periods."""
        scope, cut = Scope(self.catalog), calendar(self.definitions.company.calendar, self.definitions.holidays)
        recent = [cut.shift(self.period, -back) for back in range(RECENT[self.period.grain])]
        names = names_in(expr)
        if not names:
            return Estimate(float(arithmetic(expr)()))
        windows = [window(each) for each in recent]
        values = [evaluate(scope, name, windows).value[TOTAL] for name in names]
        return Estimate.of(pd.Series(arithmetic(expr)(*values), dtype=float))

    def times(self, star: str, metric: str) -> float:
        """How often a year a shortfall of one period comes back; a level or a trailing sum misses its target once."""
        definition = self.definitions.metrics[star]
        level = isinstance(definition, Simple) and definition.measure.at == "end"
        once = star == metric and (level or isinstance(definition, Cumulative))
        return 1.0 if once else YEAR / self.days


def gap(scale: Scale, metric: str) -> Estimate:
    """What would have to be added to a metric each period to meet its target, over the recent periods; NaN without one."""
    recent = scale.rows(metric).tail(RECENT[scale.period.grain])
    if scale.definitions.metrics[metric].better == "inside":
        return Estimate.of(_outside(recent))
    return Estimate.of(recent["target"] - recent["value"])


def _outside(rows: pd.DataFrame) -> pd.Series:
    """How far values lie outside their band: what would have to be added to bring them to its nearer end."""
    below = (rows["target_low"] - rows["value"]).clip(lower=0)
    above = (rows["target_high"] - rows["value"]).clip(upper=0)
    return below + above


def stake(scale: Scale, metric: str) -> Stake:
    """What a metric's shortfall costs: through the North Star where it costs most, of those it is known to move."""
    short, better = gap(scale, metric), scale.definitions.metrics[metric].better
    if math.isnan(short.value):
        return _of_a_part(scale, metric)
    if short.value == 0 or ((short.value > 0) != (better == "up") and better != "inside"):
        return Stake(gap=short, reason="on target of late", nothing=True)
    ways = [each for each in _ways(scale, metric, short) if not math.isnan(each.amount)]
    if ways:
        return max(ways, key=lambda each: each.amount)
    return _untold(scale, metric, short)


def _of_a_part(scale: Scale, metric: str) -> Stake:
    """The shortfall of the North Star that a metric without a target is a part of."""
    for star in scale.definitions.company.north_star:
        if star != metric and metric in upstream(scale.definitions, [star]):
            found = stake(scale, star)
            label = scale.definitions.label(star)
            verb = agreeing(label, "is", "are")
            return replace(found, reason=f"{label} {verb} computed from it, and this is its shortfall")
    return Stake(reason="no target was agreed, so no shortfall can be told")


def _ways(scale: Scale, metric: str, short: Estimate) -> Iterator[Stake]:
    """Every known way from the metric to money."""
    own = scale.worth(metric)
    if not math.isnan(own.value):
        sign = -1.0 if scale.definitions.metrics[metric].better == "down" else 1.0
        yield Stake(metric, 0, short, Estimate(sign), own, scale.times(metric, metric), "its own shortfall, in money")
    for star in scale.definitions.company.north_star:
        worth = scale.worth(star)
        if (
            star != metric
            and not math.isnan(worth.value)
            and scale.period.grain in scale.definitions.metrics[star].grains
        ):
            yield from _through(scale, metric, star, short, worth)


def _through(scale: Scale, metric: str, star: str, short: Estimate, worth: Estimate) -> Iterator[Stake]:
    sign, label = -1.0 if scale.definitions.metrics[star].better == "down" else 1.0, scale.definitions.label(star)
    times = scale.times(star, metric)
    if metric in scale.slopes(star):
        effect = Estimate(sign * scale.slopes(star)[metric])
        yield Stake(star, 0, short, effect, worth, times, f"{label} {agreeing(label, 'is', 'are')} computed from it")
    for row in _pair(scale, metric, star).to_dict("records"):
        if row["verdict"] == "moves":
            error = (row["effect_high"] - row["effect_low"]) / (2 * _Z)
            follows = agreeing(label, "follows", "follow")
            after = f"{row['lag']} {scale.period.grain}{'' if row['lag'] == 1 else 's'} later"
            effect = Estimate(sign * row["effect"], error)
            reason = f"{label} {follows} it {after}"
            yield Stake(star, int(row["lag"]), short, effect, worth, times, reason)
        elif row["together"] and row["declared"] and (same := _together(scale, metric, star)):
            effect = Estimate(sign * same[0], same[1])
            goes = agreeing(label, "goes", "go")
            reason = f"{label} {goes} along with it in the same {scale.period.grain}, and it was declared to move it"
            yield Stake(star, 0, short, effect, worth, times, reason)


@dataclass(frozen=True)
class Unit:
    """What one `step` of a metric is worth a year in the company's currency, through `star`, `lag` periods later.

    `value` is NaN where that cannot be told, and `reason` says why. The interval is that of the link alone (a formula has
    none), times what one unit of the North Star is worth. Positive is a gain.
    """

    step: float = 1.0
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    star: str | None = None
    lag: int = 0
    effect: float = math.nan
    effect_low: float = math.nan
    effect_high: float = math.nan
    unit_value: float = math.nan
    reason: str = ""


def unit_worth(scale: Scale, metric: str) -> Unit:
    """What one unit (a point, of a rate) more of a metric is worth, through the North Star where that is most."""
    step = 0.01 if scale.definitions.metrics[metric].unit == "percent" else 1.0
    ways = list(_ways(scale, metric, Estimate(step)))
    if not ways:
        return Unit(step, reason=_untold(scale, metric, Estimate(step)).reason)
    best = max(ways, key=lambda each: abs(each.effect.value * each.worth.value))
    way, sign = best.effect, -1.0 if best.star and scale.definitions.metrics[best.star].better == "down" else 1.0
    ends = sorted(way.value + side * _Z * way.error for side in (-1, 1))
    low, high = (step * end * best.worth.value for end in ends)
    value = step * way.value * best.worth.value
    effects = sorted(sign * end for end in ends)
    told = {
        "effect": sign * way.value,
        "effect_low": effects[0],
        "effect_high": effects[1],
        "unit_value": best.worth.value,
    }
    return Unit(step, value, low, high, best.star, best.lag, **told, reason=best.reason)


def _together(scale: Scale, metric: str, star: str) -> tuple[float, float] | None:
    """What one unit of a metric goes along with in the same period, and its standard error; None where that cannot be said."""
    own, other = (scale.rows(links.flow(scale.definitions, name)) for name in (metric, star))
    both = own.merge(other[["period_start", "value"]], on="period_start", suffixes=("", "_then"))
    one, two = (both[name].to_numpy(dtype=float) for name in ("value", "value_then"))
    span = slice(*links.overlap(one, two))
    starts, ends = (pd.DatetimeIndex(both[name])[span] for name in ("period_start", "period_end"))
    (found,) = links.relate(starts, ends, one[None, span], two[None, span], lags=[range(1)], grain=scale.period.grain)
    if found is None:
        return None
    effect, low, high = found.effect(0)
    return effect, (high - low) / (2 * _Z)


def _pair(scale: Scale, metric: str, star: str) -> pd.DataFrame:
    return scale.pairs[(scale.pairs["input"] == metric) & (scale.pairs["target"] == star)]


def _untold(scale: Scale, metric: str, short: Estimate) -> Stake:
    """Why what is at stake cannot be told, or is nothing."""
    rows, label = scale.pairs[scale.pairs["input"] == metric], scale.definitions.label
    moved = [*rows.loc[rows["verdict"] == "moves", "target"], *([metric] if rows.empty else [])]
    if moved:
        star = metric if rows.empty else str(moved[0])
        lag = 0 if rows.empty else int(rows.loc[rows["target"] == star, "lag"].iloc[0])
        reason = f"nobody has said what one of {label(star)} is worth (worth: in params)"
        return Stake(star=star, lag=lag, gap=short, reason=reason)
    if rows["rocking_chair"].any() or (rows["verdict"] == "does not").all():
        return Stake(gap=short, reason="no North Star follows it", nothing=True)
    unsure = rows[rows["verdict"] == "cannot tell"]["target"]
    followed = label(str(unsure.iloc[0]))
    reason = f"whether {followed} {agreeing(followed, 'follows', 'follow')} it cannot be told yet"
    return Stake(star=str(unsure.iloc[0]), gap=short, reason=reason)
