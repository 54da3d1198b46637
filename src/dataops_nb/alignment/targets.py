"""Targets: what was agreed for a period, whatever grain it was agreed for.

A flow's target (`per:`) is spread over the days of its own period and added up over the days asked for; a rate's or a
stock's is averaged over them. Both are weighted by days where a period runs across a change, and computed exactly
(as fractions), so that meeting a target to the unit counts as meeting it.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pandas as pd

from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import MONTHS, Target
from dataops_nb.periods import Calendar, calendar

COLUMNS = {"target": "value", "target_low": "low", "target_high": "high"}


def add_targets(table: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
    """The table with `target`, `target_low`, `target_high`; a band's target is its middle; segments have none of their own.

    Missing where nothing was agreed for every day of the period.
    """
    cut = calendar(definitions.company.calendar)
    dated = {name: _dated(metric.targets) for name, metric in definitions.metrics.items()}
    known: dict[tuple[str, dt.date, dt.date], dict[str, float | None]] = {}

    def agreed(row: pd.Series) -> dict[str, float | None]:
        if not pd.isna(row["segment"]):
            return dict.fromkeys(COLUMNS)
        key = (row["metric"], row["period_start"].date(), row["period_end"].date())
        if key not in known:
            known[key] = target(dated[key[0]], key[1], key[2], cut)
        return known[key]

    rows = [agreed(row) for _, row in table[["metric", "segment", "period_start", "period_end"]].iterrows()]
    return table.assign(**{name: pd.Series([r[name] for r in rows], index=table.index, dtype=float) for name in COLUMNS})


def target(dated: list[Target], start: dt.date, end: dt.date, cut: Calendar) -> dict[str, float | None]:
    """The target of the days `start`..`end`: `target`, and the band's ends where it is a band."""
    found = {name: _over(dated, field, start, end, cut) for name, field in COLUMNS.items()}
    low, high = found["target_low"], found["target_high"]
    if low is not None and high is not None:
        found["target"] = (low + high) / 2
    return {name: None if value is None else float(value) for name, value in found.items()}


def _dated(targets: list[object]) -> list[Target]:
    known = [each for each in targets if isinstance(each, Target)]
    return sorted(known, key=lambda each: each.from_ or dt.date.min)


def _over(dated: list[Target], field: str, start: dt.date, end: dt.date, cut: Calendar) -> Fraction | None:
    total, days, adds_up = Fraction(0), (end - start).days + 1, False
    for offset in range(days):
        day = start + dt.timedelta(days=offset)
        current = _current(dated, day)
        said = getattr(current, field) if current else None
        if current is None or said is None:
            return None
        share = Fraction(1) if current.per is None else Fraction(1, cut.period(current.per, day).days)
        total += Fraction(repr(said)) * share * _season(current, day)
        adds_up = adds_up or current.per is not None
    return total if adds_up else total / days


def _current(dated: list[Target], day: dt.date) -> Target | None:
    started = [each for each in dated if each.from_ is None or each.from_ <= day]
    return started[-1] if started else None


def _season(current: Target, day: dt.date) -> Fraction:
    month = next(name for name, number in MONTHS.items() if number == day.month)
    return Fraction(repr(current.season.get(month, 1.0)))
