"""The light: one colour for every number, by the thresholds agreed before anybody saw the data.

`judge` takes a metric table with `value target target_low target_high complete` (and `condition`,
`reconciled`, limits and pace where known). Every number, missing or infinite, gets exactly one
light. What cannot be judged is `unknown` with its reason, never green. Equal to a threshold counts
as met.

`reactions` lists who has agreed to do something about a light, and by when.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.alignment.agreements import Agreement, Agreements, add_agreed
from dataops_nb.company import Company
from dataops_nb.limits.columns import begins, is_present, named
from dataops_nb.metrics import Lights
from dataops_nb.status.attainment import (
    ASSURANCES,
    LIGHTS,
    VARIATIONS,
    Bounds,
    Terms,
    assurances,
    attainments,
    colours,
    flips_of,
    variations,
)

__all__ = [
    "Agreement",
    "judge",
    "light",
]


def __dir__() -> list[str]:
    return __all__


LightName = Literal["green", "yellow", "red", "unknown"]
UNKNOWN = LIGHTS.index("unknown")
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.signedinteger]
REASONS = (
    None,
    "stale",
    "fault",
    "no data",
    "incomplete",
    "unreconciled",
    "no target",
    "too short",
)
COLUMNS = ["metric", "light", "since", "due", "days_left", "answered", "overdue", "owner"]


def light(attained: float, agreement: Agreement | Lights) -> LightName:
    """Return the colour of an attainment (1 is on target), by what was agreed; NaN is unknown.

    >>> status.light(0.9, agreed["revenue"])
    'yellow'
    """
    green, yellow = _thresholds(agreement)
    if green is None or math.isnan(attained):
        return "unknown"
    if attained >= green:
        return "green"
    if yellow is not None and attained >= yellow:
        return "yellow"
    return "red"


def _thresholds(agreement: Agreement | Lights) -> tuple[float | None, float | None]:
    """Return the attainment from which green and yellow hold; None for a light there is not."""
    if isinstance(agreement, Agreement):
        return agreement.green, agreement.yellow
    green = 1.0 if agreement.green.at_least is None else agreement.green.at_least
    if agreement.yellow is None:
        return green, None
    return green, agreement.yellow.at_least or 0.0


def judge(
    table: pd.DataFrame, agreements: Agreements, as_of: str | dt.date | None = None
) -> pd.DataFrame:
    """Judge every row of a metric table by what was agreed before the data.

    `agreements` are `Agreement`s by metric, or a company. A target in the table goes before an
    Agreement's, which is for totals. Segments without a target of their own, and metrics without an
    Agreement, are unknown: no target.

    Returns the same rows in their order, with `target` (and `target_low target_high` where there
    are bands), `attainment` (1 is on target), `light` (green, yellow, red or unknown), `reason`
    (null where the light is a colour), `on_pace` (the light of an open period is that of its
    `landing`), `variation` (improvement, concern, common cause; null without limits to trust, and
    of a signal where neither a target nor `better` says which way is good), `assurance` (consistent
    pass, consistent fail, inconsistent: whether the target lies outside the limits; null without a
    target or limits to trust, and where limits follow a memory), `flips` (the chance that the next
    light differs though nothing changed) and `accepted_until` (the last day up to which somebody
    answers for the light, if `as_of` is not after it).

    Raises UsageError if the table is no metric table, and for an agreement about a metric that
    looks like another one.

    Source: NHS England, *Making Data Count* (variation and assurance).

    >>> sold[sold.segment.isna()].light.tolist()
    ['red', 'red', 'green']
    >>> sold[sold.segment.notna()].reason.unique().tolist()
    ['no target']
    """
    table = add_agreed(table, agreements)
    today = dt.date.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    terms = Terms.of(table, agreements)
    rows = Rows.of(table, terms)
    value = np.where(rows.paced, rows.landing, rows.value)
    thresholds = (np.ones(len(table)), terms.green, terms.yellow)
    attained = attainments(value, rows.bounds, thresholds)
    varies = rows.variations()

    light_places = _by_attainment(attained, terms)
    by_capability = terms.capable & ~rows.paced
    if by_capability.any():
        light_places = np.where(by_capability, rows.by_capability(terms, varies), light_places)
    reason_places = rows.reasons(terms, attained)
    # What else would leave a row without a colour has been named; the axes need limits.
    too_short = (reason_places == 0) & (light_places == UNKNOWN)
    reason_places = np.where(too_short, REASONS.index("too short"), reason_places)
    is_judged = reason_places == 0
    light_places = np.where(is_judged, light_places, UNKNOWN)

    lights = np.array(LIGHTS, dtype=object)[light_places]
    assured = rows.assurances() * rows.assured
    judgement = {
        "attainment": attained,
        "light": lights,
        "reason": named(np.array(REASONS, dtype=object), reason_places),
        "on_pace": rows.paced & is_judged,
        "variation": named(np.array(VARIATIONS, dtype=object), varies),
        "assurance": named(np.array(ASSURANCES, dtype=object), assured),
        "flips": rows.flips(terms, is_judged & ~by_capability & (varies != 0) & ~rows.remembers),
        "accepted_until": _accepted_until(table, lights, terms, today),
    }
    columns = {}
    for name, values in judgement.items():
        columns[name] = pd.Series(values, index=table.index, dtype=values.dtype, copy=False)
    return table.assign(**columns)


def _by_attainment(attained: Array, terms: Terms) -> Places:
    """Return the place in `LIGHTS` of each attainment's colour."""
    with np.errstate(invalid="ignore"):
        is_green = attained >= terms.green
        is_yellow = attained >= terms.yellow
    is_unknown = np.isnan(attained) | ~terms.has_lights
    names = ("green", "yellow", "red")
    green, yellow, red = (LIGHTS.index(name) for name in names)
    # The first of unknown, green and yellow is written last, and replaces the others.
    places = np.full(len(attained), red, dtype=np.int8)
    places[is_yellow] = yellow
    places[is_green] = green
    places[is_unknown] = UNKNOWN
    return places


def _accepted_until(
    table: pd.DataFrame,
    lights: npt.NDArray[np.object_],
    terms: Terms,
    as_of: dt.date | None,
) -> np.ndarray:
    """Return the last day up to which somebody answers for each row's light, as of a day."""
    until = np.full(len(table), np.datetime64("NaT"), dtype="datetime64[s]")
    if as_of is None:
        return until
    for number, agreed in enumerate(terms.agreed.values()):
        # The latest day is written last, and stays.
        for accepted in sorted(agreed.accepted, key=lambda entry: entry.until):
            if as_of <= accepted.until:
                of_metric = terms.metric == number
                until[of_metric & (lights == accepted.light)] = np.datetime64(accepted.until)
    return until


@dataclass(frozen=True)
class Rows:
    """The columns of a metric table that a judgement looks at; absent ones count as missing.

    `directed` rows have a good side that somebody declared. `complete` periods are over; `paced`
    ones are open and have a `landing`. `signalled` values have a signal; `silent` ones have limits
    that prove nothing, `remembers` says whose follow a memory. `assured` rows have limits of enough
    periods.
    """

    value: Array
    bounds: Bounds
    directed: Mask
    center: Array
    lower: Array
    upper: Array
    landing: Array
    complete: Mask
    paced: Mask
    signalled: Mask
    silent: Mask
    remembers: Mask
    assured: Mask
    unreconciled: Mask
    stale: Mask
    faulty: Mask

    @classmethod
    def of(cls, table: pd.DataFrame, terms: Terms) -> Rows:
        """Return the columns of a table whose rows have these terms."""
        complete = table["complete"].to_numpy(dtype=bool)
        signalled, unlimited = _present(table, "signal"), _present(table, "limits_reason")
        # A new level is measured by the one before, and is a signal before it has limits.
        shifted = _equals(table, "signal", "shift", signalled)
        center = np.where(shifted, _numbers(table, "level_before"), _numbers(table, "center"))
        landing = _numbers(table, "landing")
        target = _numbers(table, "target")
        low, high = _numbers(table, "target_low"), _numbers(table, "target_high")
        return cls(
            value=_numbers(table, "value"),
            bounds=Bounds(terms.side, target, low, high),
            directed=terms.directed | np.isfinite(target),
            center=center,
            lower=_numbers(table, "lower"),
            upper=_numbers(table, "upper"),
            landing=landing,
            complete=complete,
            paced=~complete & np.isfinite(landing),
            signalled=signalled,
            silent=unlimited & ~shifted,
            assured=complete & ~unlimited,
            remembers=_begins(table, "limits_line", "memory"),
            unreconciled=_equals(table, "reconciled", False),
            stale=_equals(table, "condition", "stale"),
            faulty=_equals(table, "condition", "fault"),
        )

    def variations(self) -> Places:
        """Return the place in `VARIATIONS` of each row's variation; 0 if limits prove nothing."""
        known = self.complete & np.isfinite(self.value) & np.isfinite(self.center) & ~self.silent
        places = variations(self.signalled, self.value, self.center, self.bounds, self.directed)
        return places * known

    def assurances(self) -> Places:
        """Return the place in `ASSURANCES` of whether each row's process meets its target.

        Limits that prove nothing assure of nothing, nor do those of the next move alone.
        """
        assured = assurances(self.lower, self.upper, self.bounds)
        return np.where(self.silent | self.remembers, ASSURANCES.index(None), assured)

    def by_capability(self, terms: Terms, varies: Places) -> Places:
        """Return the place in `LIGHTS` of the colour of both axes.

        Where no yellow light was agreed, yellow becomes red.
        """
        light_places = colours(self.assurances(), varies)
        is_yellow = light_places == LIGHTS.index("yellow")
        return np.where(is_yellow & np.isnan(terms.yellow), LIGHTS.index("red"), light_places)

    def reasons(self, terms: Terms, attained: Array) -> Places:
        """Return the place in `REASONS` of the first reason why a row has no colour."""
        # The first reason of REASONS is written last, and replaces the others.
        rows_by_reason = {
            "no target": ~terms.has_lights | np.isnan(attained),
            "unreconciled": self.unreconciled,
            "incomplete": ~self.complete & ~self.paced,
            "no data": np.isnan(self.value),
            "fault": self.faulty | np.isinf(self.value),
            "stale": self.stale,
        }
        places = np.zeros(len(attained), dtype=np.int8)
        for reason, rows in rows_by_reason.items():
            places[rows] = REASONS.index(reason)
        return places

    def flips(self, terms: Terms, rows: Mask) -> Array:
        """Return how likely the next light differs, for these rows; NaN for the others."""
        # Successive rows mostly share limits and target: each block of equal ones is computed once.
        is_first = begins(terms.metric)
        columns = (self.center, self.upper, self.bounds.target, self.bounds.low, self.bounds.high)
        for column in columns:
            bits = column.view(np.int64)  # of which, unlike of floats, NaN equals NaN
            is_first[1:] |= bits[1:] != bits[:-1]
        firsts = np.flatnonzero(is_first)
        center = self.center[firsts]
        sigma = (self.upper[firsts] - center) * terms.noise[firsts]
        green, yellow = terms.green[firsts], terms.yellow[firsts]
        of_blocks = flips_of(center, sigma, green, yellow, self.bounds.of(firsts))
        sizes = np.diff(np.append(firsts, len(rows)))
        return np.where(rows, np.repeat(of_blocks, sizes), np.nan)


def _numbers(table: pd.DataFrame, name: str) -> Array:
    if name not in table:
        return np.full(len(table), np.nan)
    return np.ascontiguousarray(table[name].to_numpy(dtype=float, na_value=np.nan))


def _begins(table: pd.DataFrame, name: str, start: str) -> Mask:
    """Return which rows hold a text that begins so; few tables have any."""
    begins = _present(table, name)
    rows = np.flatnonzero(begins)
    if len(rows):
        texts = table[name].to_numpy(dtype=object)[rows]
        begins[rows] = [str(text).startswith(start) for text in texts]
    return begins


def _present(table: pd.DataFrame, name: str) -> Mask:
    if name not in table:
        return np.zeros(len(table), dtype=bool)
    return is_present(table[name])


def _equals(table: pd.DataFrame, name: str, value: object, present: Mask | None = None) -> Mask:
    """Return which rows hold this value; most tables hold none, and are not compared."""
    equal = _present(table, name) if present is None else present.copy()
    rows = np.flatnonzero(equal)
    if len(rows):
        values = table[name].to_numpy(dtype=object)[rows]
        equal[rows] = [bool(here == value) for here in values]
    return equal


def reactions(
    table: pd.DataFrame, notes: pd.DataFrame, company: Company, as_of: dt.date
) -> pd.DataFrame:
    """Return one row for each light that asks for a reaction (`act_within`), the most urgent first.

    `table` is judged, `notes` are those up to `as_of`. `since` is the last day of the first period
    of the run of periods with this light; `due` is the last day on which the reaction was agreed;
    `days_left` is negative once it is over. `answered`: somebody has noted something about the
    metric since. An accepted light asks for nothing. The columns are `COLUMNS`.
    """
    judged = table.loc[
        table["complete"].astype(bool) & (table["light"] != "unknown"),
        ["metric", "light", "accepted_until", "period_end"],
    ]
    rows = []
    for metric, rows_of_metric in judged.groupby("metric", sort=False):
        reaction = _reaction(str(metric), rows_of_metric, notes, company, as_of)
        if reaction is not None:
            rows.append(reaction)
    due = pd.DataFrame(rows, columns=COLUMNS)
    due["owner"] = pd.Series([row["owner"] for row in rows], dtype=object)  # None where nobody
    return due.sort_values("days_left", kind="stable", ignore_index=True)


def _reaction(
    metric: str, rows: pd.DataFrame, notes: pd.DataFrame, company: Company, as_of: dt.date
) -> dict[str, Any] | None:
    now = rows.iloc[-1]
    agreed = getattr(company.lights(metric), now["light"], None)
    if agreed is None or agreed.act_within is None or not pd.isna(now["accepted_until"]):
        return None
    since = _since(rows)
    due = since + dt.timedelta(days=agreed.act_within.days)
    days_left = (due - as_of).days
    about_metric = notes["metric"] == metric
    answered = bool((about_metric & (notes["as_of"] >= since.isoformat())).any())
    return {
        "metric": metric,
        "light": now["light"],
        "since": since,
        "due": due,
        "days_left": days_left,
        "answered": answered,
        "overdue": days_left < 0 and not answered,
        "owner": company.departments[company.department_of(metric)].owner,
    }


def _since(rows: pd.DataFrame) -> dt.date:
    """Return the last day of the first period of the run of lights that the last one ends."""
    differs = rows["light"] != rows["light"].iloc[-1]
    differs_later = differs[::-1].cummax()[::-1]
    day: dt.date = rows.loc[~differs_later, "period_end"].iloc[0].date()
    return day


def overdue(due: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the `reactions` whose time is over and that nobody has answered."""
    for row in due[due["overdue"].astype(bool)].to_dict("records"):
        yield {str(name): value for name, value in row.items()}
