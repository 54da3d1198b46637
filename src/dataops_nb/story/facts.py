"""Facts: what may be said about a board, one value each, with the text it is printed as.

A sentence is made of facts and of nothing else, so that its reader, or a program, can check it.
A fact's id is `metric.field`; facts of another period end with `@period`. Beside them stands the
meaning of a number: the question it answers, how it is made, and of which systems' rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeGuard, TypeVar, cast

import pandas as pd

from dataops_nb import numbers
from dataops_nb.alignment.measures import sources_of
from dataops_nb.board import Board
from dataops_nb.company import Company
from dataops_nb.display import Fact, Span, say
from dataops_nb.metrics import (
    Conversion,
    Cumulative,
    Derived,
    Light,
    Measure,
    Metric,
    Offset,
    Ratio,
    Simple,
)
from dataops_nb.numbers import Beside
from dataops_nb.plain import records

Making = TypeVar("Making", bound=Callable[..., Any])

_LEVELS = (
    "value",
    "target",
    "target_low",
    "target_high",
    "previous",
    "same_last_year",
    "mtd",
    "qtd",
    "ytd",
    "center",
    "lower",
    "upper",
)
_BETTER = {"up": "higher is better", "down": "lower is better", "inside": "inside its band is best"}
_CHANGES = {"gap": "target", "change": "previous", "change_last_year": "same_last_year"}
_EARLIER = ("previous", "same_last_year")
_AGREED = ("target", "target_low", "target_high")
PARTIAL = "{} (partial)"
_WITHOUT_CENTS = 1000  # an amount of so much is written without them, and so is its change
# Reasons for which a value that is there is none of the period.
NO_RESULT = ("stale", "incomplete", "no data", "fault", "unreconciled")
Row = Mapping[Any, Any] | pd.Series  # of a metric table
_OF_ROWS = frozenset({"average", "median", "percentile", "min", "max"})
_AGGREGATES = {
    "count": "number of",
    "count_distinct": "number of distinct",
    "sum": "sum of",
    "average": "average of",
    "median": "median of",
    "percentile": "percentile {} of",
    "min": "smallest",
    "max": "largest",
    "first_seen": "first appearances of",
}


@dataclass(frozen=True)
class Subject:
    """What facts are about: a metric in a period; ids end with `ending`, as in `@2026-W46`."""

    metric: str
    period: str
    unit: str = ""
    ending: str = ""
    segment: str | None = None

    def fact(
        self, field: str, value: float | str | None, text: str, unit: str | None = None
    ) -> Fact:
        """Make a fact; its unit is that of the subject where none is given."""
        id_ = f"{self.metric}.{field}{self.ending}"
        own = self.unit if unit is None else unit
        return Fact(id_, self.metric, self.segment, self.period, field, value, own, text)

    def word(self, field: str, text: str) -> Fact:
        """Make a fact that is a text, without a unit."""
        return self.fact(field, text, text, "")


def by_id(facts: Iterable[Fact]) -> dict[str, Fact]:
    """Return facts by their ids."""
    return {fact.id: fact for fact in facts}


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a cell holds a number, and not a gap."""
    return isinstance(value, float | int) and math.isfinite(value)


def clean(value: float) -> float:
    """Return a float without its last bits, which differ with the order of summation."""
    return float(f"{float(value):.12g}")


def says_unit(board: Board, metric: str) -> bool:
    """Return whether values need the word of their unit.

    `2.3 hours` does; `Meetings booked came to 81` does not.
    """
    definition = board.company.metrics[metric]
    return isinstance(definition, Simple) and definition.measure.agg in _OF_ROWS


def writer(board: Board, metric: str) -> Callable[[float, str], str]:
    """Return how values of a metric are written, given value and unit."""
    written = numbers.of(board)
    return written.quantity if says_unit(board, metric) else written.number


def without_unit(first: Fact, last: Fact) -> Span:
    """State the first end of a range without the unit of the last: `3` of `3 to 7 days`."""
    return say.as_(first, numbers.without_unit(first.text, last.text, last.unit))


def once_a_board(make: Making) -> Making:
    """Make the same thing of a board once: each sentence about it asks for facts and others.

    What is asked for beside the board, as a metric, can be the key of a dictionary.
    """

    @wraps(make)
    def ask(board: Board, *asked: Any, **named: Any) -> Any:
        key = (make, asked, *sorted(named.items()))
        if key not in board.computed:
            board.computed[key] = make(board, *asked, **named)
        made = board.computed[key]
        return copy(made) if isinstance(made, dict | list) else made

    return cast("Making", ask)


@once_a_board
def facts(board: Board) -> dict[str, Fact]:
    """Return every fact of a board's last complete period, by id.

    Periods whose published value has changed since add theirs.
    """
    made: list[Fact] = []
    for _, row in board.current.iterrows():
        made += of_row(board, row)
    changed = restatements(board)
    for restated in records(changed):
        made += of_restatement(board, restated)
    return by_id([*made, *_counts(board, changed)])


def beside(company: Company, row: Row) -> Beside:
    """Return how a row's value is written beside all that it is compared with.

    That is its target or band, the values at which its light turns, its usual range, and the
    periods before it that the data cover.
    """
    metric, value = str(row["metric"]), row["value"]
    written, unit = numbers.of(company), company.metrics[metric].unit
    if not is_number(value):
        return written.beside(math.nan, (), unit)
    others: list[Any] = [row.get(field) for field in ("lower", "upper")]
    others += [row.get(field) for field in _EARLIER if not is_partial(row, field)]
    others += turns(company, metric, row.get("target")).values()
    others = [other for other in others if distance(value, other)]
    for field in _AGREED:
        # a target that is missed by a float's last bits is missed
        if _misses(row) or distance(value, row.get(field)):
            others.append(row.get(field))
    known = [float(other) for other in others if is_number(other)]
    return written.beside(float(value), known, unit)


def _misses(row: Row) -> bool:
    attained = row.get("attainment")
    return is_number(attained) and float(attained) < 1


def distance(value: object, other: object) -> float:
    """Return how much more a value is than another; 0 where only a float's last bits differ."""
    if not is_number(value) or not is_number(other):
        return math.nan
    first, second = float(value), float(other)
    return 0.0 if clean(first) == clean(second) else first - second


def turns(company: Company, metric: str, target: object) -> dict[str, float]:
    """Return the values at which green and yellow start, by colour; none of a band."""
    definition, lights = company.metrics[metric], company.lights(metric)
    if lights is None or definition.better == "inside":
        return {}
    if not is_number(target) or float(target) <= 0:
        return {}
    starts: dict[str, float] = {}
    for colour, light in (("green", lights.green), ("yellow", lights.yellow)):
        share = _least_share(light, colour)
        if share:
            is_limit = definition.better == "down"
            starts[colour] = target / share if is_limit else target * share
    return starts


def _least_share(light: Light | None, colour: str) -> float | None:
    """Return the share of a target at which a light starts; green starts at all of it."""
    if light is None:
        return None
    if light.at_least is None and colour == "green":
        return 1.0
    return light.at_least


def thresholds(company: Company, metric: str) -> list[float]:
    """Return the attainments at which a metric's lights start."""
    lights = company.lights(metric)
    if lights is None:
        return []
    shares = (_least_share(lights.green, "green"), _least_share(lights.yellow, "yellow"))
    return [share for share in shares if share is not None]


def attained_text(company: Company, row: Row) -> str:
    """Write a row's attainment on its side of each light; "" of a part of a period."""
    is_whole = bool(row["complete"]) or bool(row.get("on_pace"))
    if not is_number(row["attainment"]) or not is_whole:
        return ""
    edges = thresholds(company, str(row["metric"]))
    return numbers.of(company).share(float(row["attainment"]), edges)


def is_partial(row: Row, field: str) -> bool:
    """Return whether the data cover only a part of what a field of a row is about."""
    if field in _EARLIER:
        return not row.get(f"{field}_complete", True)
    return field in {"value", "mtd", "qtd", "ytd"} and not row["complete"]


def of_row(board: Board, row: pd.Series) -> list[Fact]:
    """Return the facts of one row of the metric table; what is partial says so in its text."""
    metric = str(row["metric"])
    definition = board.company.metrics[metric]
    unit, better = definition.unit, definition.better
    written, compared = numbers.of(board), beside(board.company, row)
    write = compared.quantity if says_unit(board, metric) else compared.number
    subject = Subject(metric, str(row["period"]), unit)
    made = [subject.fact("light", row["light"], str(row["light"]))]
    if definition.has_direction:
        made.append(subject.fact("better", better, _BETTER[better]))
    if row["reason"]:
        made.append(subject.fact("reason", row["reason"], str(row["reason"])))
    for field in _LEVELS:
        if is_number(row[field]):
            text = write(row[field])
            text = PARTIAL.format(text) if is_partial(row, field) else text
            made.append(subject.fact(field, clean(row[field]), text))
    made += _changes(board, row, subject)
    if share := attained_text(board.company, row):
        made.append(subject.fact("attainment", clean(row["attainment"]), share))
    for field in ("signal", "variation"):
        if row[field]:
            made.append(subject.fact(field, row[field], str(row[field])))
    if is_number(row["flips"]):
        share = written.share(row["flips"])
        made.append(subject.fact("flips", clean(row["flips"]), share))
    for field in ("data_to", "accepted_until"):
        if not pd.isna(row[field]):
            day = row[field].date()
            made.append(subject.fact(field, day.isoformat(), written.date(day)))
    return made


def _changes(board: Board, row: pd.Series, subject: Subject) -> Iterator[Fact]:
    """Yield how far a value is from its target, the period before and last year."""
    value = row["value"]
    for field, against in _CHANGES.items():
        comparable = is_number(value) and is_number(row[against])
        if comparable and not is_partial(row, against):
            change = distance(value, row[against])
            if field == "gap" and _misses(row):
                change = value - row[against]
            text = difference_text(board, subject.metric, change, value)
            yield subject.fact(field, clean(change), text)


def difference_text(board: Board, metric: str, change: float, value: float) -> str:
    """Write a difference; one of money as roughly as its value: `$313k`, of `$8.00M`."""
    unit, written = board.company.metrics[metric].unit, numbers.of(board)
    is_money = numbers.is_currency(unit)
    if is_money and abs(value) >= numbers.MILLION and abs(change) >= 1:
        return written.rough(abs(change), unit)
    if is_money and abs(value) >= _WITHOUT_CENTS and abs(change) >= 1:
        change = float(round(change))
    return written.gap(change, unit, word=says_unit(board, metric))


def restatements(board: Board) -> pd.DataFrame:
    """Return the restated values whose change shows in the numbers as they are printed."""
    changed = board.restated
    if changed.empty:
        return changed
    return changed[[_is_visible(board, row) for row in records(changed)]]


def _is_visible(board: Board, row: Mapping[str, Any]) -> bool:
    texts = {fact.field: fact.text for fact in of_restatement(board, row)}
    if texts["reported"] != texts["value"]:
        return True
    return any(digit in "123456789" for digit in texts.get("restated_by", ""))


def of_restatement(board: Board, row: Mapping[str, Any]) -> list[Fact]:
    """Return the facts of one published value that has changed; their ids end with `@period`."""
    metric, period = str(row["metric"]), str(row["period"])
    unit = board.company.metrics[metric].unit
    written, write = numbers.of(board), writer(board, metric)
    subject = Subject(metric, period, unit, f"@{period}")
    made = []
    for field in ("reported", "value"):
        value = row[field]
        shown = clean(value) if math.isfinite(value) else None
        made.append(subject.fact(field, shown, write(value, unit)))
    change = row["value"] - row["reported"]
    if is_number(change):
        text = written.difference(change, unit, word=says_unit(board, metric))
        made.append(subject.fact("restated_by", clean(change), text))
    rows = int(row["n"] - row["reported_n"])
    if rows:
        field = "late_rows" if rows > 0 else "dropped_rows"
        size = abs(rows)
        made.append(subject.fact(field, clean(size), written.count(size), "rows"))
    return made


def _counts(board: Board, changed: pd.DataFrame) -> Iterator[Fact]:
    """Yield how many periods of each metric are restated, by late rows and by definition."""
    sizes = Counter(zip(changed["metric"], changed["redefined"], strict=True))
    for (metric, is_redefined), count in sizes.items():
        subject = Subject(metric, board.period.id, f"{board.grain}s")
        field = "redefined" if is_redefined else "restated"
        yield subject.fact(field, float(count), numbers.of(board).count(count))


def meanings(board: Board) -> dict[str, dict[str, Any]]:
    """Return `label question how systems data_to` of each metric of a board, as plain values."""
    return {name: _meaning(board, name) for name in board.metrics}


def _meaning(board: Board, metric: str) -> dict[str, Any]:
    company, reach = board.company, board.row(metric)["data_to"]
    systems = [company.origins[name].system for name in sources_of(company, [metric])]
    return {
        "label": company.label(metric),
        "question": company.metrics[metric].question or "",
        "how": how(company, metric),
        "systems": list(dict.fromkeys(systems)),
        "data_to": "" if pd.isna(reach) else numbers.of(board).date(reach.date()),
    }


def how(company: Company, metric: str) -> str:
    """Say how a metric is made, in one phrase: `Closed-won deals divided by Decided deals`."""
    definition: Metric = company.metrics[metric]
    if isinstance(definition, Simple):
        return _measured(definition.measure)
    if isinstance(definition, Ratio):
        above = _side(company, definition.numerator)
        return f"{above} divided by {_side(company, definition.denominator)}"
    if isinstance(definition, Cumulative):
        return f"{company.label(definition.metric)}, last {definition.window}"
    if isinstance(definition, Conversion):
        base = company.label(definition.base_metric)
        then = company.label(definition.conversion_metric)
        return f"share of {base} followed by {then} within {definition.window}"
    return _formula(company, definition)


def _formula(company: Company, definition: Derived) -> str:
    """Say a formula, and which of its names are earlier periods."""
    phrase = definition.expr
    for name, part in definition.parts.items():
        phrase += f", {name} being {_side(company, part)}"
    return phrase


def _side(company: Company, side: str | Offset) -> str:
    if isinstance(side, Offset):
        return f"{company.label(side.metric)}, {side.offset} earlier"
    return company.label(side)


def _measured(measure: Measure) -> str:
    aggregate = _AGGREGATES[measure.agg].format(f"{100 * (measure.q or 0):.10g}")
    phrase = f"{aggregate} {measure.expr or 'rows'} in {measure.source}"
    if measure.filter:
        phrase += f" where {measure.filter}"
    if measure.exclude:
        phrase += f", excluding {measure.exclude}"
    if measure.time:
        phrase += f", by {measure.time}"
    if measure.at:
        phrase += ", on the last day"
    return phrase
