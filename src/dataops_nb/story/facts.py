"""Facts: what may be said about a board, one value each, with the text it is printed as."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.definitions.models import Simple
from dataops_nb.story import numbers

_PLAIN = ("value", "target", "target_low", "target_high", "previous", "same_last_year", "mtd", "qtd", "ytd")
_LIMITS = ("center", "lower", "upper")
_BETTER = {"up": "higher is better", "down": "lower is better", "inside": "inside its band is best"}
_CHANGES = {"gap": "target", "change": "previous", "change_last_year": "same_last_year"}


@dataclass(frozen=True)
class Fact:
    """One value: `id` is `metric.field`, `text` is how it is printed."""

    id: str
    metric: str
    segment: str | None
    period: str
    field: str
    value: float | str | None
    unit: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        """The fact as JSON takes it."""
        return asdict(self)


def facts(board: Board) -> dict[str, Fact]:
    """Every fact of the board's last complete period, and of periods whose published value has changed, by id."""
    found = [fact for _, row in board.current.iterrows() for fact in of_row(board, row)]
    changed = restatements(board)
    found += [fact for row in _records(changed) for fact in of_restatement(board, row)]
    return {fact.id: fact for fact in [*found, *_counts(board, changed)]}


def of_row(board: Board, row: pd.Series) -> list[Fact]:
    """The facts of one row of the metric table."""
    metric = str(row["metric"])
    unit, says_unit = board.definitions.metrics[metric].unit, _says_unit(board, metric)
    written = numbers.of(board).quantity if says_unit else numbers.of(board).number

    def fact(field: str, value: float | str | None, text: str) -> Fact:
        return Fact(f"{metric}.{field}", metric, None, str(row["period"]), field, value, unit, text)

    better = board.definitions.metrics[metric].better
    out = [fact("light", row["light"], str(row["light"])), fact("better", better, _BETTER[better])]
    if row["reason"]:
        out.append(fact("reason", row["reason"], str(row["reason"])))
    out += [
        fact(field, _clean(row[field]), written(row[field], unit))
        for field in (*_PLAIN, *_LIMITS)
        if _known(row[field])
    ]
    for field, against in _CHANGES.items():
        if _known(row["value"]) and _known(row[against]) and row.get(f"{against}_complete", True):
            change = row["value"] - row[against]
            out.append(fact(field, _clean(change), _difference(board, metric, change, row["value"])))
    if _known(row["attainment"]):
        out.append(fact("attainment", _clean(row["attainment"]), numbers.of(board).share(row["attainment"])))
    out += [fact(field, row[field], str(row[field])) for field in ("signal", "variation") if row[field]]
    if _known(row["flips"]):
        out.append(fact("flips", _clean(row["flips"]), numbers.of(board).share(row["flips"])))
    for field in ("data_to", "accepted_until"):
        if not pd.isna(row[field]):
            day = row[field].date()
            out.append(fact(field, day.isoformat(), numbers.of(board).date(day)))
    return out


def _difference(board: Board, metric: str, change: float, value: float) -> str:
    """A difference of millions is told as roughly as they are: `$313k below the target of $8.00M`."""
    unit, written = board.definitions.metrics[metric].unit, numbers.of(board)
    if numbers.is_currency(unit) and abs(value) >= numbers.MILLION:
        return written.rough(abs(change), unit)
    return written.difference(change, unit, word=_says_unit(board, metric))


def restatements(board: Board) -> pd.DataFrame:
    """The restated values of a board whose change can be seen in the numbers as they are printed."""
    changed = board.restated
    return changed[[_visible(board, row) for row in _records(changed)]] if len(changed) else changed


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _visible(board: Board, row: Mapping[str, Any]) -> bool:
    texts = {fact.field: fact.text for fact in of_restatement(board, row)}
    return texts["reported"] != texts["value"] or any(digit in texts.get("restated_by", "") for digit in "123456789")


def of_restatement(board: Board, row: Mapping[str, Any]) -> list[Fact]:
    """The facts of one published value that has changed; their ids end with `@period`."""
    metric, period = str(row["metric"]), str(row["period"])
    unit, says_unit = board.definitions.metrics[metric].unit, _says_unit(board, metric)
    written = numbers.of(board).quantity if says_unit else numbers.of(board).number

    def fact(field: str, value: float, text: str, unit: str = unit) -> Fact:
        said = _clean(value) if math.isfinite(value) else None
        return Fact(f"{metric}.{field}@{period}", metric, None, period, field, said, unit, text)

    change, rows = row["value"] - row["reported"], int(row["n"] - row["reported_n"])
    out = [fact(field, row[field], written(row[field], unit)) for field in ("reported", "value")]
    if _known(change):
        out.append(fact("restated_by", change, numbers.of(board).difference(change, unit, word=says_unit)))
    if rows:
        out.append(
            fact("late_rows" if rows > 0 else "dropped_rows", abs(rows), numbers.of(board).count(abs(rows)), "rows")
        )
    return out


def _counts(board: Board, changed: pd.DataFrame) -> list[Fact]:
    """How many periods of each metric have another value than was published, by late rows and by definition."""
    sizes = Counter(zip(changed["metric"], changed["redefined"], strict=True))
    fields = {(metric, "redefined" if other else "restated"): n for (metric, other), n in sizes.items()}
    return [
        Fact(
            f"{metric}.{field}",
            metric,
            None,
            board.period.id,
            field,
            float(n),
            f"{board.grain}s",
            numbers.of(board).count(n),
        )
        for (metric, field), n in fields.items()
    ]


def _says_unit(board: Board, metric: str) -> bool:
    """Whether a value needs the word of its unit: `2.3 hours` does, `Meetings booked came to 81` does not."""
    definition = board.definitions.metrics[metric]
    return isinstance(definition, Simple) and definition.measure.agg in {"average", "median", "min", "max"}


def _known(value: object) -> bool:
    return isinstance(value, float | int) and math.isfinite(value)


def _clean(value: float) -> float:
    """A float without the last bits, which differ with the order of summation."""
    return float(f"{float(value):.12g}")
