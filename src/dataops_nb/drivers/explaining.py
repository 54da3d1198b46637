"""A metric's change between two periods, part by part, and what the parts leave unexplained."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from dataops_nb.alignment import declared_splits, sources_of
from dataops_nb.alignment.comparisons import COMPARISONS
from dataops_nb.alignment.formulas import Scope, evaluate
from dataops_nb.alignment.measured import TOTAL, Window, window
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Cumulative, Derived
from dataops_nb.drivers.parts import Part, find_parts
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.periods import Period
from dataops_nb.sources import Catalog

Against = Literal["previous", "same_last_year"] | Period
COLUMNS = ["metric", "part", "kind", "before", "now", "effect", "share"]
_CLOSES = 1e-9


@dataclass(frozen=True)
class Change:
    """A metric in a period and in the one it is compared with; `complete` where the data cover both."""

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
        """Whether there is a change to explain: both values are known, and of the whole of their periods."""
        return self.complete and math.isfinite(self.size)


def change(catalog: Catalog, metric: str, period: Period, against: Against = "previous") -> Change:
    """What a metric was and is; an unknown metric, grain or comparison is an error that names the nearest right one.

    It is compared with the period before, the same one last year, or any other period of its grain.
    """
    _require(catalog.definitions, metric, period, against)
    catalog.require(*sources_of(catalog.definitions, [metric]))
    scope = Scope(catalog)
    found = evaluate(scope, metric, _windows(scope, period, against))
    before, now = (float(value) for value in found.value[TOTAL])
    return Change(period, _other(scope, period, against), before, now, bool(found.reach["complete"].all()))


def explain(
    catalog: Catalog,
    metric: str,
    period: Period,
    against: Against = "previous",
    by: str | tuple[str, ...] | None = None,
) -> pd.DataFrame:
    """`metric part kind before now effect share`: what moved a metric, one row a part; the effects add up to the change.

    `before` and `now` are the part's own values, `effect` is in the metric's unit, `share` is its share of the change.
    kind: `factor` (a metric of the formula), `numerator`, `denominator`, `rate` and `mix` (of a segment), `segment`,
    `entered` and `left` (of a trailing window), `unexplained` (what the parts leave over, where they do).

    Without `by` a simple metric is split by the first split it declares. No rows where either value is missing or partial.
    """
    split = (by,) if isinstance(by, str) else tuple(by or ())
    whole = change(catalog, metric, period, against)
    _require_split(catalog.definitions, metric, split)
    if not whole.explainable:
        return _table(metric, [], whole)
    scope = Scope(catalog)
    found = find_parts(scope, metric, _windows(scope, period, against), split)
    return _table(metric, _closed(found, whole), whole)


def splits(definitions: Definitions, metric: str) -> list[tuple[str, ...]]:
    """The splits by which a metric can be explained: its own, and those of the metric whose window it is."""
    said = definitions.metrics[metric]
    if isinstance(said, Derived):
        return []
    own = declared_splits(definitions, metric)
    return list(dict.fromkeys([*own, *(splits(definitions, said.metric) if isinstance(said, Cumulative) else [])]))


def _other(scope: Scope, period: Period, against: Against) -> Period:
    if isinstance(against, Period):
        return against
    return scope.calendar.shift(period, -1) if against == "previous" else scope.calendar.last_year(period)


def _windows(scope: Scope, period: Period, against: Against) -> list[Window]:
    if isinstance(against, Period):
        return [window(against), window(period)]
    return [COMPARISONS[against](scope.calendar, period), window(period)]


def _require(definitions: Definitions, metric: str, period: Period, against: Against) -> None:
    known, compared = definitions.metrics, ("previous", "same_last_year")
    if metric not in known:
        raise UsageError(f"unknown metric {metric!r}{did_you_mean(metric, known)}")
    if period.grain not in known[metric].grains:
        raise UsageError(f"metric {metric} has no grain {period.grain!r}; it has {', '.join(known[metric].grains)}")
    if isinstance(against, Period):
        if against.grain != period.grain:
            raise UsageError(
                f"{against.id} is a {against.grain}, and {period.id} a {period.grain}; compare what is alike"
            )
    elif against not in compared:
        raise UsageError(f"unknown comparison {against!r}{did_you_mean(against, compared)}; {' or '.join(compared)}")


def _require_split(definitions: Definitions, metric: str, by: tuple[str, ...]) -> None:
    offered = splits(definitions, metric)
    if not by or by in offered:
        return
    if isinstance(definitions.metrics[metric], Derived):
        raise UsageError(f"metric {metric} is arithmetic on other metrics: it is explained by them, not by segments")
    said = "; ".join(",".join(split) for split in offered) or "none"
    raise UsageError(f"metric {metric} is not split by {','.join(by)}; declared: {said}")


def _closed(found: Iterable[Part], whole: Change) -> list[Part]:
    """The parts that have an effect that can be told, and what they leave over of the change."""
    told = [part for part in found if math.isfinite(part.effect)]
    rest = whole.size - math.fsum(part.effect for part in told)
    scale = max([abs(whole.before), abs(whole.now), *(abs(part.effect) for part in told)])
    return told if abs(rest) <= _CLOSES * scale else [*told, Part("", "unexplained", math.nan, math.nan, rest)]


def _table(metric: str, told: list[Part], whole: Change) -> pd.DataFrame:
    table = pd.DataFrame([asdict(part) for part in told], columns=["part", "kind", "before", "now", "effect"])
    table = table.astype({"part": object, "kind": object, "before": float, "now": float, "effect": float})
    share = table["effect"] / whole.size if whole.size else math.nan
    return table.assign(metric=metric, share=share)[COLUMNS].astype({"share": float})
