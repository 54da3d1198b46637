"""One type for every column: declared, needed by a definition, or read out of the values; and the values that break it.

An undeclared text column has the type that at least 99 % of its values parse as. A column that a definition needs as a
number or a time has that type once most of its values parse; below that the column as a whole is the fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dataops_nb.definitions.models import Column, Source
from dataops_nb.errors import Fault
from dataops_nb.sources.evidence import Check, Places, Raw, check_value, find_first
from dataops_nb.sources.kinds import EVERY, NUMBERS, TIMES, Shapes, Tally, family, tally_columns, text_of
from dataops_nb.sources.needs import Need
from dataops_nb.sources.sql import Connection, find_column, first_row, quote

T = TypeVar("T")
ENOUGH = 0.99
MOST = 0.5
NEVER: Tally = Tally(0, {})
WORDS = {
    "BIGINT": "an integer",
    "DOUBLE": "a number",
    "DATE": "a date",
    "TIMESTAMP": "a date and time",
    "BOOLEAN": "true or false",
}


@dataclass(frozen=True)
class Decision:
    """A column's type and the SQL that makes it of the raw column; `rule` is broken by each value that does not parse,
    `whole` by the column, shown with the first value that does not parse (or with none, where all do).
    """

    type: str
    expr: str
    rule: str = ""
    whole: str = ""


@dataclass
class Typing:
    """The decisions for a source's columns, in their order, and what is wrong with columns as a whole."""

    columns: dict[str, Decision] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    """What is known about one column before its values are looked at."""

    type: str
    value: str
    declared: Column | None
    number: str | None
    time: str | None
    infer: str
    holder: str = "file"

    @property
    def kinds(self) -> Sequence[str]:
        """What its values must be tallied for."""
        if self.declared and self.declared.type:
            return TIMES if self.declared.type in ("date", "timestamp") else ()
        if family(self.type) != "text":
            return ()
        if self.infer == "all":
            return EVERY
        return (*(NUMBERS if self.number else ()), *(TIMES if self.time or self.infer == "times" else ()))


def type_columns(con: Connection, name: str, source: Source, raw: Raw, need: Need) -> Typing:
    """The type of every column, the checks that name the values which break it, and the faults of whole columns."""
    shapes = Shapes(source.decimal, source.date_format, raw.file.endswith((".xlsx", ".xlsm")))
    asked = {c: _ask(c, t, source, raw, need) for c, t in raw.columns.items()}
    wanted = {c: [k for k in a.kinds if k != "formatted" or shapes.date_format] for c, a in asked.items() if a.kinds}
    tallies = tally_columns(con, raw, wanted, shapes, {c: a.value for c, a in asked.items()})
    typing = Typing()
    keys = {find_column(k, raw.columns) for k in source.key or []}
    for column, what in asked.items():
        decision = _decide(column, what, tallies.get(column, NEVER), shapes, is_key=column in keys)
        typing.columns[column] = decision
        broken = f"{what.value} is not null and ({decision.expr}) is null"
        if decision.rule:
            typing.checks.append(check_value(column, decision.rule, broken))
        if decision.whole:
            typing.faults.append(_show_first(con, name, raw, column, broken=broken, rule=decision.whole))
    return typing


def _ask(column: str, type_: str, source: Source, raw: Raw, need: Need) -> Asked:
    declared = _find(column, source.columns)
    mapped = declared.map if declared else None
    value = text_of(column, type_, mapped)
    kept = "VARCHAR" if mapped else type_
    return Asked(
        kept,
        value,
        declared,
        _find(column, need.numbers),
        _find(column, need.times),
        raw.infer.get(column, "none"),
        "table" if raw.elsewhere else "file",
    )


def _find(column: str, listed: Mapping[str, T]) -> T | None:
    found = find_column(column, listed)
    return None if found is None else listed[found]


def _decide(column: str, asked: Asked, tally: Tally, shapes: Shapes, *, is_key: bool) -> Decision:
    if asked.declared and asked.declared.type:
        return _declare(column, asked, tally, shapes)
    if family(asked.type) != "text":
        return _check_typed(column, asked)
    if tally.n == 0 and asked.kinds:
        empty = "DOUBLE" if asked.number else "DATE" if asked.time else "VARCHAR"
        return Decision(empty, f"cast({asked.value} as {empty})")
    if asked.number or asked.time:
        return _need_number(asked, tally, shapes) if asked.number else _need_time(asked, tally, shapes)
    inferred = _infer(asked, tally, shapes)
    return Decision("VARCHAR", asked.value) if is_key and inferred.type == "DOUBLE" else inferred


def _check_typed(column: str, asked: Asked) -> Decision:
    """A column typed by its file keeps its type; a type that cannot be summed or dated is a fault of the column."""
    kind = family(asked.type)
    if asked.number and kind not in ("integer", "decimal"):
        return Decision(
            asked.type, quote(column), whole=f"is {asked.type} in the {asked.holder}, but {asked.number} needs a number"
        )
    if asked.time and kind not in ("date", "timestamp"):
        return Decision(
            asked.type,
            quote(column),
            whole=f"is {asked.type} in the {asked.holder}, but {asked.time} needs a date or time",
        )
    return Decision(asked.type, quote(column))


def _declare(column: str, asked: Asked, tally: Tally, shapes: Shapes) -> Decision:
    said = asked.declared.type if asked.declared else None
    if asked.number and said not in ("integer", "decimal"):
        return Decision(
            "DOUBLE", shapes.number(asked.value), whole=f"is declared {said}, but {asked.number} needs a number"
        )
    if asked.time and said not in ("date", "timestamp"):
        return Decision(
            "DATE", shapes.date(asked.value), whole=f"is declared {said}, but {asked.time} needs a date or time"
        )
    if family(asked.type) == said:
        return Decision(asked.type, quote(column) if asked.type != "VARCHAR" else asked.value)
    rule = f"is not {_word(said)}, the type declared in columns:"
    simple = {
        "integer": ("BIGINT", shapes.declared_integer),
        "decimal": ("DOUBLE", shapes.declared_number),
        "boolean": ("BOOLEAN", shapes.boolean),
    }
    if said in simple:
        type_, parse = simple[said]
        return Decision(type_, parse(asked.value), rule)
    if said == "text":
        return Decision("VARCHAR", asked.value)
    return _declare_time(asked, tally, shapes, rule)


def _word(said: str | None) -> str:
    return {"integer": "an integer", "decimal": "a number", "boolean": "true or false", "date": "a date"}.get(
        str(said), "a date and time"
    )


def _declare_time(asked: Asked, tally: Tally, shapes: Shapes, rule: str) -> Decision:
    wants_date = asked.declared is not None and asked.declared.type == "date"
    if shapes.date_format and tally["formatted"] >= tally["stamp"] + tally["instant"]:
        type_ = "DATE" if wants_date else _at_least_stamp(shapes.formatted_type)
        expr = f"cast({shapes.formatted(asked.value)} as {type_})"
        return Decision(type_, expr, f"{rule}, by date_format: {shapes.date_format}")
    if wants_date:
        return Decision("DATE", shapes.midnight(asked.value), rule + _hint_format(shapes))
    found = _choose_time(asked, tally, shapes)
    type_ = _at_least_stamp(found.type)
    expr = shapes.stamp(asked.value) if type_ == "TIMESTAMP" else found.expr
    mixed = tally["stamp"] and tally["instant"]
    return Decision(type_, expr, found.rule if mixed else rule + _hint_format(shapes))


def _at_least_stamp(type_: str) -> str:
    return "TIMESTAMP" if type_ == "DATE" else type_


def _hint_format(shapes: Shapes) -> str:
    return (
        ""
        if shapes.date_format
        else '; if dates are written in another way, declare date_format:, for instance "%m/%d/%Y"'
    )


def _infer(asked: Asked, tally: Tally, shapes: Shapes) -> Decision:
    """The type that at least 99 % of the values parse as, that most parse as; else text."""
    times = tally["stamp"] + tally["instant"]
    if tally.share("number") >= ENOUGH and not (tally["zeros"] or tally["huge"]):
        return _number(asked, tally, shapes, "like the other values of this column")
    if tally.n and times / tally.n >= ENOUGH:
        return _choose_time(asked, tally, shapes)
    if tally.share("boolean") >= ENOUGH:
        rule = "is not true or false, like the other values of this column" if tally["boolean"] < tally.n else ""
        return Decision("BOOLEAN", shapes.boolean(asked.value), rule)
    if tally.share("formatted") >= ENOUGH:
        return _format(asked, tally, shapes)
    return Decision("VARCHAR", asked.value)


def _number(asked: Asked, tally: Tally, shapes: Shapes, why: str) -> Decision:
    """An integer where no value has a fraction, else a number."""
    whole = tally["integer"] == tally["number"]
    type_, expr = ("BIGINT", shapes.integer(asked.value)) if whole else ("DOUBLE", shapes.number(asked.value))
    return Decision(type_, expr, f"is not {WORDS[type_]}, {why}" if tally["number"] < tally.n else "")


def _format(asked: Asked, tally: Tally, shapes: Shapes) -> Decision:
    rule = f"is no date by date_format: {shapes.date_format}" if tally["formatted"] < tally.n else ""
    return Decision(shapes.formatted_type, shapes.formatted(asked.value), rule)


def _choose_time(asked: Asked, tally: Tally, shapes: Shapes) -> Decision:
    """Dates where all are, else stamps, with an offset where most have one; the others are then faults."""
    parsed = tally["stamp"] + tally["instant"]
    if tally["instant"] > tally["stamp"]:
        type_, expr, word = "TIMESTAMP WITH TIME ZONE", shapes.instant(asked.value), "a date and time with an offset"
    elif tally["date"] == tally["stamp"] and not tally["instant"]:
        type_, expr, word = "DATE", shapes.date(asked.value), "a date"
    else:
        type_, expr, word = "TIMESTAMP", shapes.stamp(asked.value), "a date and time without an offset"
    mixed = tally["stamp"] > 0 and tally["instant"] > 0
    rule = f"is not {word}, like the other values of this column" if mixed or parsed < tally.n else ""
    return Decision(type_, expr, rule)


def _need_number(asked: Asked, tally: Tally, shapes: Shapes) -> Decision:
    why = f"but {asked.number} needs a number"
    found = _number(asked, tally, shapes, why)
    if tally.share("number") > MOST:
        return found
    hint = (
        "; declare its type: decimal in columns: to accept thousands separators" if tally.share("grouped") > 0 else ""
    )
    hint = hint or ('; if the comma is the decimal sign, declare decimal: ","' if shapes.decimal == "." else "")
    rule = f"only {tally['number']} of {tally.n} values are numbers, {why}; this is the first that is none{hint}"
    return Decision("DOUBLE", shapes.number(asked.value), whole=rule)


def _need_time(asked: Asked, tally: Tally, shapes: Shapes) -> Decision:
    times = tally["stamp"] + tally["instant"]
    if shapes.date_format and (tally.share("formatted") >= ENOUGH or tally["formatted"] > times):
        best, found = tally["formatted"], _format(asked, tally, shapes)
    else:
        best, found = times, _choose_time(asked, tally, shapes)
    if best / tally.n > MOST:
        rule = f"{found.rule}, but {asked.time} needs it" if found.rule.startswith("is no date by") else found.rule
        return Decision(found.type, found.expr, rule)
    by = f" by date_format: {shapes.date_format}" if shapes.date_format else ""
    few = f"only {best} of {tally.n} values are dates or times{by}, but {asked.time} needs them"
    rule = f"{few}; this is the first that is none"
    return Decision(found.type, found.expr, whole=rule + (_hint_format(shapes) or "; check date_format:"))


def _show_first(con: Connection, name: str, raw: Raw, column: str, *, broken: str, rule: str) -> Fault:
    """A fault of a whole column, with the first value that does not parse and its place."""
    if raw.elsewhere:
        return find_first(con, name, raw, check_value(column, rule, broken)) or Fault(
            name, rule, raw.file, None, column
        )
    from_ = f"from ({raw.relation}) where {broken} order by __source_row limit 1"
    found = first_row(con, f"select __source_row, cast({quote(column)} as varchar) {from_}") if raw.rows else None
    if found is None:
        return Fault(name, rule, raw.file, None, column)
    file, place = Places(raw).find(found[0])
    return Fault(name, rule, file, place, column, found[1])
