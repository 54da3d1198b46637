"""Drivers: why a metric is another number than it was, as parts that add up to the change.

`explain` takes a metric table, `of_company` the rows of a company; both give the same columns. Each
part is measured over both periods, and what the parts do not explain stands in a row of its own,
`unexplained`, never spread over the others. `multiply` gives what multiplied it instead, as a
product; `comparison_named` reads which period is meant. `lmdi` (products), `shapley` (any formula)
and `rates` (shares and rates of segments) are the pure functions of numbers behind them; `parts`
chooses among them by the metric's type.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from dataops_nb.alignment.comparisons import COMPARISONS
from dataops_nb.alignment.formulas import Scope, evaluate
from dataops_nb.alignment.measures import declared_splits, sources_of
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.table_rows import TableRows
from dataops_nb.alignment.windows import TOTAL, Window, window
from dataops_nb.company import Company
from dataops_nb.drivers.decompositions import lmdi, shapley
from dataops_nb.drivers.factors import as_table, find_factors, no_factors, ratio_of
from dataops_nb.drivers.names import period_named
from dataops_nb.drivers.parts import Part, find_parts
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.metrics import Cumulative, Derived
from dataops_nb.periods import Calendar, Period

__all__ = ["explain", "lmdi", "shapley"]


def __dir__() -> list[str]:
    return __all__


Against = Literal["previous", "same_last_year"] | Period
COLUMNS = ["metric", "part", "kind", "before", "now", "effect", "share"]
_COMPARED = ("previous", "same_last_year")
_CLOSES = 1e-9


def explain(
    table: pd.DataFrame,
    metric: str,
    period: str | Period | None = None,
    against: str | Period = "previous",
    *,
    by: str | Sequence[str] | None = None,
    formula: str | None = None,
    calendar: Calendar | None = None,
) -> pd.DataFrame:
    """Explain a metric's change between two periods of a metric table, in parts that add up to it.

    `period` is an id like `2026-W46` (default: the last complete one), `against` is `previous`,
    `same_last_year` or another id. `by` is a column that the table's segments are of, or several
    that are crossed; without it the first split is taken. `formula` is arithmetic over the table's
    metrics that makes this one. `calendar` cuts the table's periods (default: Monday weeks,
    calendar years). `of_company` does the same from a company's rows.

    Returns one row a part: `metric part kind before now effect share`. `before` and `now` are the
    part's own values, `effect` is in the metric's unit, `share` is its share of the change. kind:
    `segment` where segments add up to the total, `rate` and `mix` where their average by `n` does,
    `factor` of a formula, `unexplained` for what is left over. No rows where either value is
    missing or partial.

    Raises UsageError for an unknown metric, period, split or comparison; it names the nearest right
    one. Sources: LMDI-I (Ang 2005, 2015), Shapley value (1953), Bennet's indicators (1920) for
    rates and mix.

    >>> drivers.explain(revenue, "revenue", by="channel").effect.tolist()
    [80.5, 30.0]
    """
    formulas = None if formula is None else {metric: formula}
    rows = TableRows(table, calendar, formulas)
    now = _period_meant(rows, period)
    return of_company(rows, metric, now, _comparison_meant(rows, against), _as_split(by))


def of_company(
    rows: Rows,
    metric: str,
    period: Period,
    against: Against = "previous",
    by: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Explain a metric's change from a company's rows, in parts that add up to it.

    `rows` is what `workbench.open().rows()` gives, or a board's `rows`. Without `by` a simple
    metric is split by the first split it declares.

    Returns the columns of `explain`, one row a part. kind: `factor` (a metric of the formula),
    `numerator`, `denominator`, `rate` and `mix` (of a segment), `segment`, `entered` and `left` (of
    a trailing window), `unexplained` (what the parts leave over, where they do). No rows where
    either value is missing or partial.

    Raises UsageError for an unknown metric, grain, split or comparison, with the nearest right one;
    DataError where a source that must not be used stands behind the metric.

    >>> drivers.of_company(this.rows, "revenue", this.period).effect.tolist()
    [80.5, 30.0]
    """
    split = _as_split(by)
    total = change(rows, metric, period, against)
    _require_split(rows.company, metric, split)
    if not total.explainable:
        return _as_table(metric, [], total)
    scope = Scope(rows)
    found = find_parts(scope, metric, _windows(scope, period, against), split)
    return _as_table(metric, _close(found, total), total)


def multiply(
    rows: Rows,
    metric: str,
    period: Period,
    against: Against = "previous",
    by: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Explain by what a company's metric was multiplied: factors whose product is now / before.

    For products and quotients of metrics (ratios, too), and for ratios, averages and conversions by
    segments.

    Returns one row a part: `metric part kind before now factor`, with the kinds of `of_company`. No
    rows where either value is missing or partial.

    Raises UsageError for a metric that is the sum of its parts, where a value or a part was or is
    0 or has changed its sign, and as `of_company`. Source: LMDI-I, Ang (2005, 2015).
    """
    split = _as_split(by)
    total = change(rows, metric, period, against)
    _require_split(rows.company, metric, split)
    if not total.explainable:
        return no_factors(metric)
    ratio = ratio_of(metric, total.before, total.now)
    scope = Scope(rows)
    multipliers = find_factors(scope, metric, _windows(scope, period, against), split)
    return as_table(metric, multipliers, ratio)


@dataclass(frozen=True)
class Change:
    """A metric in a period and in the one it is compared with.

    `complete` where the data cover both.
    """

    period: Period
    against: Period
    before: float
    now: float
    complete: bool

    @property
    def size(self) -> float:
        """How much more it is now; NaN where either value is missing."""
        return self.now - self.before

    @property
    def explainable(self) -> bool:
        """Whether there is a change to explain: both values are known, of whole periods."""
        return self.complete and math.isfinite(self.size)


def change(rows: Rows, metric: str, period: Period, against: Against = "previous") -> Change:
    """Measure what a metric was and is.

    It is compared with the period before, the same one last year, or any of its grain.

    Raises UsageError for an unknown metric, grain or comparison, with the nearest right one.
    """
    _require(rows.company, metric, period, against)
    rows.require(*sources_of(rows.company, [metric]))
    scope = Scope(rows)
    measured = evaluate(scope, metric, _windows(scope, period, against))
    before, now = (float(value) for value in measured.value[TOTAL])
    is_complete = bool(measured.reach["complete"].all())
    return Change(period, _compared_period(scope, period, against), before, now, is_complete)


def splits(company: Company, metric: str) -> list[tuple[str, ...]]:
    """Return the splits by which a metric can be explained.

    Its own, and those of the metric whose window it is.
    """
    definition = company.metrics[metric]
    if isinstance(definition, Derived):
        return []
    offered = declared_splits(company, metric)
    if isinstance(definition, Cumulative):
        offered = [*offered, *splits(company, definition.metric)]
    return list(dict.fromkeys(offered))


def _as_split(by: str | Sequence[str] | None) -> tuple[str, ...]:
    return (by,) if isinstance(by, str) else tuple(by or ())


def _period_meant(rows: TableRows, period: str | Period | None) -> Period:
    """Return a period of a table: the one with this id, or the last complete one."""
    if isinstance(period, Period):
        return period
    if period is not None:
        return rows.period(period)
    return rows.cut.last_complete(rows.grain, rows.as_of)


def _comparison_meant(rows: TableRows, against: str | Period) -> Against:
    """Return what a table's period is compared with.

    A period's id is another period of the table.
    """
    if isinstance(against, Period):
        return against
    if against == "previous":
        return "previous"
    if against == "same_last_year":
        return "same_last_year"
    known = [*rows.table["period"], *_COMPARED]
    if against not in known:
        raise UsageError(f"no comparison {against!r}{did_you_mean(against, known)}")
    return rows.period(against)


def comparison_named(rows: Rows, period: Period, name: str) -> Against:
    """Return what `previous`, `last-year` or a period's id of the same grain means.

    Raises UsageError for any other name. It says the nearest right form, and the first and the last
    period that sources of the company cover up to as-of.
    """
    if name == "previous":
        return "previous"
    if name == "last-year":
        return "same_last_year"
    return period_named(rows, period, name)


def _compared_period(scope: Scope, period: Period, against: Against) -> Period:
    if isinstance(against, Period):
        return against
    if against == "previous":
        return scope.calendar.shift(period, -1)
    return scope.calendar.last_year(period)


def _windows(scope: Scope, period: Period, against: Against) -> list[Window]:
    """Return the windows before and now."""
    if isinstance(against, Period):
        return [window(against), window(period)]
    return [COMPARISONS[against](scope.calendar, period), window(period)]


def _require(company: Company, metric: str, period: Period, against: Against) -> None:
    known = company.metrics
    if metric not in known:
        raise UsageError(f"no metric {metric!r}{did_you_mean(metric, known)}")
    grains = known[metric].grains
    if period.grain not in grains:
        raise UsageError(f"{metric} has no {period.grain} values; choose {', '.join(grains)}")
    if isinstance(against, Period):
        if against.grain != period.grain:
            raise UsageError(
                f"can't compare a {period.grain} with a {against.grain}: "
                f"{period.id} with {against.id}"
            )
    elif against not in _COMPARED:
        near = did_you_mean(against, _COMPARED)
        raise UsageError(f"no comparison {against!r}{near}; {' or '.join(_COMPARED)}")


def _require_split(company: Company, metric: str, by: tuple[str, ...]) -> None:
    offered = splits(company, metric)
    if not by or by in offered:
        return
    if isinstance(company.metrics[metric], Derived):
        raise UsageError(f"{metric} is a formula: it is explained by its parts, not by segments")
    declared = "; ".join(",".join(split) for split in offered)
    why = f"choose {declared}" if declared else "its definition has no by:"
    raise UsageError(f"{metric} can't be split by {','.join(by)}: {why}")


def _close(parts: Iterable[Part], total: Change) -> list[Part]:
    """Return the parts whose effect can be told, and what they leave over as a last one."""
    known = [part for part in parts if math.isfinite(part.effect)]
    effects = [part.effect for part in known]
    rest = total.size - math.fsum(effects)
    scale = max(abs(number) for number in (total.before, total.now, *effects))
    if abs(rest) > _CLOSES * scale:
        known.append(Part("", "unexplained", math.nan, math.nan, rest))
    return known


def _as_table(metric: str, parts: list[Part], total: Change) -> pd.DataFrame:
    columns = ["part", "kind", "before", "now", "effect"]
    table = pd.DataFrame([asdict(part) for part in parts], columns=columns)
    table = table.astype(
        {"part": object, "kind": object, "before": float, "now": float, "effect": float}
    )
    share = table["effect"] / total.size if total.size else math.nan
    return table.assign(metric=metric, share=share)[COLUMNS].astype({"share": float})
