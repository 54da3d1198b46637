"""What is at stake: what a metric's shortfall costs in a year.

`stake` multiplies four estimates into money a year: the gap to target, the effect of one unit on a
North Star (through a formula, or through a tested link), what one unit of that is worth, and how
often a year it comes back. `unit_worth` asks what one unit more of any metric is worth. Where a way
cannot be told, both say why in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dataops_nb import alignment, links
from dataops_nb.alignment.formulas import Scope, arithmetic, evaluate
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import TOTAL, window
from dataops_nb.company import Company
from dataops_nb.drivers.decompositions import slopes
from dataops_nb.limits.xmr import LARGEST
from dataops_nb.lineage import names_in
from dataops_nb.links.pairs import flow
from dataops_nb.metrics import AnyMetric, Cumulative, Simple
from dataops_nb.numbers import agreeing, small
from dataops_nb.periods import Period, calendar
from dataops_nb.terms import Grain

RECENT: dict[Grain, int] = {"day": 28, "week": 6, "month": 3, "quarter": 2, "year": 1}
YEAR = 365.25
_Z = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error."""

    value: float
    error: float = 0.0

    def draw(self, rng: np.random.Generator, count: int) -> Any:
        """Return so many normal draws."""
        return rng.normal(self.value, self.error, count)

    @classmethod
    def of(cls, values: pd.Series) -> Estimate:
        """Return the mean of values and its standard error; NaN where there are none."""
        known = values[np.isfinite(values)]
        if known.empty:
            return cls(math.nan)
        largest = float(known.abs().max())
        scale = largest if largest > LARGEST else 1.0
        scaled = known / scale
        error = 0.0
        if len(known) > 1:
            error = scaled.std(ddof=1) / math.sqrt(len(known)) * scale
        return cls(float(scaled.mean()) * scale, float(error))


@dataclass(frozen=True)
class Stake:
    """What a metric's shortfall costs in a year, through one North Star.

    `reason` says why, or why that cannot be told.

    `gap` is what would have to be added to the metric each period, `effect` what one unit of it
    adds to `star` after `lag` periods, `worth` what one unit of that is worth, `times` how often a
    year it comes back; all turned so that their product is a gain where closing the gap is one.
    `nothing`: there is nothing at stake. `unpriced`: nobody has said what one unit of `star` is
    worth.
    """

    star: str | None = None
    lag: int = 0
    gap: Estimate = Estimate(math.nan)
    effect: Estimate = Estimate(math.nan)
    worth: Estimate = Estimate(math.nan)
    times: float = 1.0
    reason: str = ""
    nothing: bool = False
    unpriced: bool = False

    @property
    def amount(self) -> float:
        """The currency at stake in a year; 0 where nothing is, NaN where that cannot be told."""
        if self.nothing:
            return 0.0
        amount = self.gap.value * self.effect.value * self.worth.value * self.times
        return amount if math.isnan(amount) else max(0.0, amount)

    def draw(self, rng: np.random.Generator, count: int) -> Any:
        """Return the amount as it might have come out, so many times."""
        if self.nothing or math.isnan(self.amount):
            return np.full(count, self.amount)
        gap = self.gap.draw(rng, count)
        effect = self.effect.draw(rng, count)
        worth = self.worth.draw(rng, count)
        return np.maximum(gap * effect * worth * self.times, 0.0)


@dataclass(frozen=True)
class Scale:
    """What turns shortfalls into money: the data, the last complete period, the tested links."""

    rows: Rows
    period: Period
    pairs: pd.DataFrame

    @property
    def company(self) -> Company:
        """The company that is talked about."""
        return self.rows.company

    @property
    def days(self) -> int:
        """The days of the period."""
        return self.period.days

    @cached_property
    def _series(self) -> dict[str, pd.DataFrame]:
        return {}

    def series(self, metric: str) -> pd.DataFrame:
        """Return a metric's complete periods up to the last one, with their targets.

        Columns `value target target_low target_high` among those of a metric table.
        """
        if metric not in self._series:
            what = ["with targets", metric, self.period.id]
            table = self.rows.recall(what, lambda: self._align(metric))
            self._series[metric] = table[table["complete"].astype(bool)].reset_index(drop=True)
        return self._series[metric]

    def _align(self, metric: str) -> pd.DataFrame:
        table = alignment.align(self.rows, [metric], grain=self.period.grain, end=self.period.end)
        return alignment.add_targets(table, self.rows)

    @cached_property
    def _slopes(self) -> dict[str, dict[str, float]]:
        return {}

    def slopes(self, star: str) -> dict[str, float]:
        """Return what one more of each metric below a North Star adds to it, through formulas."""
        if star not in self._slopes:
            self._slopes[star] = slopes(self.rows, star, self.period)
        return self._slopes[star]

    def worth(self, metric: str) -> Estimate:
        """Return what one unit of a metric is worth: what `worth:` says, or 1 where it is money.

        Else NaN.
        """
        definition = self.company.metrics[metric]
        if definition.worth is not None:
            return self._declared_worth(definition.worth)
        if definition.unit == self.company.currency:
            return Estimate(1.0)
        return Estimate(math.nan)

    @cached_property
    def _worths(self) -> dict[str, Estimate]:
        return {}

    def _declared_worth(self, expr: str) -> Estimate:
        """Compute the arithmetic of `worth:` over the recent periods, once."""
        if expr not in self._worths:
            self._worths[expr] = self._compute_worth(expr)
        return self._worths[expr]

    def _compute_worth(self, expr: str) -> Estimate:
        names = names_in(expr)
        if not names:
            return Estimate(float(arithmetic(expr)()))
        cut = calendar(self.company.calendar, self.company.holidays)
        periods_back = range(RECENT[self.period.grain])
        windows = [window(cut.shift(self.period, -back)) for back in periods_back]
        scope = Scope(self.rows)
        values = [evaluate(scope, name, windows).value[TOTAL] for name in names]
        return Estimate.of(pd.Series(arithmetic(expr)(*values), dtype=float))

    def times(self, star: str, metric: str) -> float:
        """Return how often a year a shortfall of one period comes back.

        The North Star's own level, or trailing sum, misses its target once.
        """
        definition = self.company.metrics[star]
        if star == metric and (is_level(definition) or isinstance(definition, Cumulative)):
            return 1.0
        return YEAR / self.days


def is_level(definition: AnyMetric) -> bool:
    """Tell whether a metric is a level at the end of a period.

    It does not start anew each time.
    """
    return isinstance(definition, Simple) and definition.measure.at == "end"


def gap(scale: Scale, metric: str) -> Estimate:
    """Estimate what would have to be added to a metric each period to meet its target.

    NaN without one.

    It is the mean over the recent periods.
    """
    recent = scale.series(metric).tail(RECENT[scale.period.grain])
    if scale.company.metrics[metric].better == "inside":
        return Estimate.of(outside_band(recent))
    return Estimate.of(recent["target"] - recent["value"])


def _meets(scale: Scale, metric: str) -> bool:
    """Tell whether the newest period meets its target, or has none, whatever those before did."""
    newest = scale.series(metric).tail(1)
    better = scale.company.metrics[metric].better
    if better == "inside":
        return bool((outside_band(newest) == 0).all())
    over = newest["value"] - newest["target"]
    is_short = over > 0 if better == "down" else over < 0
    return not is_short.any()


def outside_band(rows: pd.DataFrame) -> pd.Series:
    """Return what would have to be added to each value to bring it to the nearer end of its band.

    0 inside.
    """
    below = (rows["target_low"] - rows["value"]).clip(lower=0)
    above = (rows["target_high"] - rows["value"]).clip(upper=0)
    return below + above


def stake(scale: Scale, metric: str) -> Stake:
    """Say what a metric's shortfall costs.

    It is told through the North Star where it costs most, of those it is known to move.
    """
    short = gap(scale, metric)
    if math.isnan(short.value):
        return _of_a_part(scale, metric)
    better = scale.company.metrics[metric].better
    is_beyond = better != "inside" and (short.value > 0) != (better == "up")
    if short.value == 0 or is_beyond:
        reason = "on target lately" if _meets(scale, metric) else "on average on target lately"
        return Stake(gap=short, reason=reason, nothing=True)
    ways = [way for way in _ways(scale, metric, short) if not math.isnan(way.amount)]
    if ways:
        return max(ways, key=lambda way: way.amount)
    return _untold(scale, metric, short)


@dataclass(frozen=True)
class Unit:
    """What one `step` of a metric is worth a year, in the company's currency.

    It is told through `star`, `lag` periods later.

    `value` is NaN where that cannot be told, and `reason` says why; `unpriced` is the metric whose
    worth nobody has said, if that is why. The interval is that of the link alone (a formula has
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
    unpriced: str | None = None


def unit_worth(scale: Scale, metric: str) -> Unit:
    """Say what one unit (a point, of a rate) more of a metric is worth.

    It is told through the North Star where that is most.
    """
    step = 0.01 if scale.company.metrics[metric].unit == "percent" else 1.0
    ways = list(_ways(scale, metric, Estimate(step)))
    if not ways:
        untold = _untold(scale, metric, Estimate(step))
        unpriced = (untold.star or metric) if untold.unpriced else None
        return Unit(step, reason=untold.reason, unpriced=unpriced)
    best = max(ways, key=lambda way: abs(way.effect.value * way.worth.value))
    gain = best.effect  # in the good direction of the North Star
    sign = _sign(scale, best.star) if best.star else 1.0
    margin = _Z * gain.error
    gain_low, gain_high = gain.value - margin, gain.value + margin
    effect_low, effect_high = sorted((sign * gain_low, sign * gain_high))
    unit_value = best.worth.value
    return Unit(
        step=step,
        value=step * gain.value * unit_value,
        low=step * gain_low * unit_value,
        high=step * gain_high * unit_value,
        star=best.star,
        lag=best.lag,
        effect=sign * gain.value,
        effect_low=effect_low,
        effect_high=effect_high,
        unit_value=unit_value,
        reason=best.reason,
    )


def _sign(scale: Scale, metric: str) -> float:
    """Return 1 where more of a metric is better or it has a band, -1 where less is."""
    return -1.0 if scale.company.metrics[metric].better == "down" else 1.0


def _of_a_part(scale: Scale, metric: str) -> Stake:
    """Return the shortfall of the North Star that a metric without a target is a part of."""
    for star in scale.company.north_star:
        if star != metric and metric in scale.company.upstream([star]):
            reason = f"part of {small(scale.company.label(star))}; its whole shortfall is counted"
            return replace(stake(scale, star), reason=reason)
    return Stake(reason="no target, so no shortfall")


def _ways(scale: Scale, metric: str, short: Estimate) -> Iterator[Stake]:
    """Yield every known way from the metric to money.

    Its own worth comes first, then the North Stars it leads to.
    """
    worth = scale.worth(metric)
    if not math.isnan(worth.value):
        yield Stake(
            star=metric,
            gap=short,
            effect=Estimate(_sign(scale, metric)),
            worth=worth,
            times=scale.times(metric, metric),
            reason="its own shortfall",
        )
    for star in scale.company.north_star:
        has_grain = scale.period.grain in scale.company.metrics[star].grains
        if star == metric or not has_grain:
            continue
        worth = scale.worth(star)
        if math.isnan(worth.value):
            continue
        base = Stake(star=star, gap=short, worth=worth, times=scale.times(star, metric))
        for effect in _effects(scale, metric, star):
            signed = Estimate(_sign(scale, star) * effect.estimate.value, effect.estimate.error)
            yield replace(base, lag=effect.lag, effect=signed, reason=effect.reason)


class _Effect(NamedTuple):
    """What one unit of a metric adds to a North Star, when, and how that is known."""

    estimate: Estimate
    lag: int
    reason: str


def _effects(scale: Scale, metric: str, star: str) -> Iterator[_Effect]:
    """Yield what is known of a metric's effect on a North Star.

    Through formulas first, then through the tested link.
    """
    label, grain = scale.company.label(star), scale.period.grain
    if metric in scale.slopes(star):
        slope = Estimate(scale.slopes(star)[metric])
        yield _Effect(slope, 0, f"part of {small(label)}")
    is_pair = (scale.pairs["input"] == metric) & (scale.pairs["target"] == star)
    for row in scale.pairs[is_pair].to_dict("records"):
        if row["verdict"] == "moves":
            error = (row["effect_high"] - row["effect_low"]) / (2 * _Z)
            slope, lag = Estimate(row["effect"], error), int(row["lag"])
            yield _Effect(slope, lag, _following(scale, metric, label, slope.value, lag))
        elif row["together"] and row["declared"]:
            along = _along(scale, metric, star)
            if along is not None:
                reason = f"expected to move {small(label)} in the same {grain}"
                yield _Effect(along, 0, reason)


def _following(scale: Scale, metric: str, label: str, slope: float, lag: int) -> str:
    """Say what a North Star does after a miss of a metric: `churn rate rises 6 weeks later`.

    A miss lies above a limit, and below a target; of a range it is what lies above.
    """
    better = scale.company.metrics[metric].better
    is_rising = (slope > 0) == (better != "up")
    one, many = ("rises", "rise") if is_rising else ("falls", "fall")
    plural = "" if lag == 1 else "s"
    return f"{small(label)} {agreeing(label, one, many)} {lag} {scale.period.grain}{plural} later"


def _along(scale: Scale, metric: str, star: str) -> Estimate | None:
    """Estimate what one unit of a metric goes along with in the same period.

    None where that cannot be said.
    """
    own = scale.series(flow(scale.company, metric))
    other = scale.series(flow(scale.company, star))[["period_start", "value"]]
    both = own.merge(other, on="period_start", suffixes=("", "_then"))
    cause = both["value"].to_numpy(dtype=float)
    effect = both["value_then"].to_numpy(dtype=float)
    span = slice(*links.overlap(cause, effect))
    (related,) = links.relate(
        pd.DatetimeIndex(both["period_start"])[span],
        pd.DatetimeIndex(both["period_end"])[span],
        cause[None, span],
        effect[None, span],
        lags=[range(1)],
        grain=scale.period.grain,
    )
    if related is None:
        return None
    slope, low, high = related.effect(0)
    return Estimate(slope, (high - low) / (2 * _Z))


def _untold(scale: Scale, metric: str, short: Estimate) -> Stake:
    """Say why what is at stake cannot be told, or that it is nothing."""
    rows = scale.pairs[scale.pairs["input"] == metric]
    if rows.empty:
        return _without_worth(scale, metric, 0, short)
    moved = rows[rows["verdict"] == "moves"]
    if len(moved):
        return _without_worth(scale, str(moved["target"].iloc[0]), int(moved["lag"].iloc[0]), short)
    if rows["rocking_chair"].any() or (rows["verdict"] == "does not").all():
        return Stake(gap=short, reason="no effect seen on a North Star", nothing=True)
    star = str(rows.loc[rows["verdict"] == "cannot tell", "target"].iloc[0])
    label = scale.company.label(star)
    follows = agreeing(label, "follows", "follow")
    reason = f"no sign yet that {small(label)} {follows}"
    return Stake(star=star, gap=short, reason=reason)


def _without_worth(scale: Scale, star: str, lag: int, short: Estimate) -> Stake:
    """Return a shortfall that leads to a metric of which nobody has said what one unit is worth."""
    label = small(scale.company.label(star))
    reason = f"no money value set for {label} (worth: in params)"
    return Stake(star=star, lag=lag, gap=short, reason=reason, unpriced=True)
