"""Find the period that somebody names: its id, or the id that was probably meant.

A period is named as tables name it, by the company's calendar: `2026-W40`, `2026-11`, `2026-Q1`,
`FY27-P10`. Whoever writes `2026-w4`, `Q1 2026` or the id of another grain is told the right form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dataops_nb.alignment.rows import Rows
from dataops_nb.errors import UsageError, nearest
from dataops_nb.periods import Calendar, Period
from dataops_nb.periods import calendar as calendar_of
from dataops_nb.terms import GRAINS, Grain

# What may be said instead of a period's id.
WORDS = ("previous", "last-year")


def period_named(rows: Rows, explained: Period, name: str) -> Period:
    """Return the period with this id, of the grain of the one that is explained.

    Known are the periods from the first to the last day that any source covers, up to as-of; under
    a pattern a week has its fiscal name, too.

    Raises UsageError for any other name, with the nearest right form and the first and last period
    that are known, and for the explained period itself.
    """
    span = rows.span()
    if span is None:
        raise UsageError(f"no source covers any day, so there is no period {name!r}")
    cut = calendar_of(rows.company.calendar, rows.company.holidays)
    known = list(cut.periods(explained.grain, span[0], min(span[1], rows.as_of)))
    for period in known:
        if name in (period.id, period.fiscal):
            if period == explained:
                raise UsageError(f"{name} is the period that is explained; name another one")
            return period
    grain = explained.grain
    if not known:
        raise UsageError(f"no source covers a {grain} up to {rows.as_of}, so {name!r} is unknown")
    hint = _hint(cut, known, name) or f"write it like {known[-1].id}"
    listed = f"known are {known[0].id} to {known[-1].id}, previous and last-year"
    raise UsageError(f"no {grain} {name!r}; {listed}; {hint}")


def grain_named(rows: Rows, name: str) -> Grain | None:
    """Return the grain of the period with this id, among those that any source covers."""
    span = rows.span()
    if span is None or not name:
        return None
    cut = calendar_of(rows.company.calendar, rows.company.holidays)
    for grain in GRAINS:
        for period in cut.periods(grain, span[0], min(span[1], rows.as_of)):
            if name in (period.id, period.fiscal):
                return grain
    return None


def _hint(cut: Calendar, known: list[Period], name: str) -> str:
    """Return which period was probably meant; "" where nobody can tell."""
    grain, first, last = known[0].grain, known[0].start, known[-1].end
    for other in GRAINS:
        if other == grain:
            continue
        for period in cut.periods(other, first, last):
            if name == period.id:
                inside = cut.period(grain, max(period.start, first))
                return f"it is a {other}; did you mean {inside.id!r}, or --grain {other}?"
    ids = [period.id for period in known]
    near = _same_tokens(name, ids) or _at_the_edge(name, ids) or nearest(name, [*ids, *WORDS])
    return f"did you mean {near!r}?" if near else ""


def _same_tokens(name: str, ids: Iterable[str]) -> str:
    """Return the id of the same numbers and letters, whatever stands between them."""
    meant = _tokens(name)
    return next((id_ for id_ in ids if _tokens(id_) == meant), "")


def _tokens(name: str) -> list[str]:
    """Return the numbers without leading zeros, and the letters, in an order of their own."""
    tokens = re.findall(r"\d+|[A-Z]+", name.upper())
    return sorted(token.lstrip("0") or "0" for token in tokens)


def _at_the_edge(name: str, ids: list[str]) -> str:
    """Return the first or last id for a name of the same form that lies before or after all."""
    if re.sub(r"\d", "0", name) != re.sub(r"\d", "0", ids[-1]):
        return ""
    if name < ids[0]:
        return ids[0]
    return ids[-1] if name > ids[-1] else ""
