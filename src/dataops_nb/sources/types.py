"""One type for every column: declared, needed by a definition, or read out of the values.

An undeclared text column has the type that at least 99 % of its values parse as; the others are
faults. A column that a definition needs as a number or a time has that type once more than half of
its values parse; below that the column as a whole is the fault. Numbers in a key stay as they are
written, so that 1.10 and 1.1 are two keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dataops_nb.alignment.queries import family
from dataops_nb.definitions.models import Column, Source
from dataops_nb.errors import Fault
from dataops_nb.sources.evidence import (
    ROW,
    Check,
    Connection,
    Places,
    Raw,
    check_value,
    find_column,
    find_first,
    first_row,
    quote,
)
from dataops_nb.sources.files import WORKBOOKS
from dataops_nb.sources.kinds import EVERY, NUMBERS, TIMES, Shapes, text_of
from dataops_nb.sources.needs import Need
from dataops_nb.sources.tallies import ENOUGH, Tally, tally_columns

T = TypeVar("T")
MOST = 0.5
AMOUNT = r"[-+]?\d[\d.,' ]*"
SIGN = r"(?:[$€£¥]|[A-Z]{3})"
MONEY = re.compile(rf"[-+(]?\s*(?:{SIGN}\s*{AMOUNT}|{AMOUNT}\s*{SIGN})\)?")
# How a declared decimal may be written, with its decimal sign and that of thousands.
DRESSED = r"[-+(]?[$€£¥₹]?\s?[-+(]?(?:\d{{1,3}}(?:{1}\d{{3}})+|\d+)(?:{0}\d*)?\s?[%$€£¥₹]?[-)]?"
WAYS_OF_WRITING = {
    (r"\.", ","): "",
    (",", r"\."): 'decimal: ","',
    (r"\.", "[ \u00a0\u202f]"): 'thousands: " "',
    (",", "[ \u00a0\u202f]"): 'decimal: "," and thousands: " "',
    (r"\.", "['\u2019]"): 'thousands: "\'"',
}
COMMA = re.compile(r"[-+]?\d+,(\d{1,2}|\d{4,})")
IF_COMMA = '; if the comma is the decimal sign, declare decimal: ","'
TRUTHS = (("t", "f"), ("yes", "no"), ("y", "n"), ("1", "0"))
NEVER: Tally = Tally(0, {})
INSTANT = "TIMESTAMP WITH TIME ZONE"
WORDS = {"integer": "an integer", "decimal": "a number", "boolean": "true or false"}
TIME_WORDS = {"date": "a date", "timestamp": "a date and time"}
LIKE_OTHERS = "like the other values of this column"
FIRST_WRONG = "this is the first that is none"


@dataclass(frozen=True)
class Decision:
    """A column's type, and the SQL that makes it of the raw column.

    `rule` is broken by each value that does not parse. `column_rule` is broken by the column as a
    whole; it is shown with the first value that does not parse, if there is one. `cast` makes the
    same type where all values are known to parse, empty where they are not.
    """

    type: str
    expr: str
    rule: str = ""
    column_rule: str = ""
    cast: str = ""


@dataclass
class Typing:
    """The decisions for a source's columns, in their order; what is wrong with whole columns."""

    columns: dict[str, Decision] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class RawColumn:
    """What is known about a column before its values are looked at.

    `value` is SQL of its text, `number` and `time` name who needs it as one, `holder` is what gave
    it its type: a file or a table.
    """

    type: str
    value: str
    declared: Column | None
    number: str | None
    time: str | None
    infer: str
    holder: str = "file"

    @property
    def declared_type(self) -> str | None:
        """The type that `columns:` declares; None where it declares none."""
        return self.declared.type if self.declared else None

    @property
    def is_inferred(self) -> bool:
        """Whether its type is read out of its values alone."""
        return self.infer == "all" and not (self.declared_type or self.number or self.time)

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds its values must be tallied for."""
        if self.declared_type:
            return TIMES if self.declared_type in TIME_WORDS else ()
        if family(self.type) != "text":
            return ()
        if self.infer == "all":
            return EVERY
        kinds: list[str] = []
        if self.number:
            kinds += NUMBERS
        if self.time or self.infer == "times":
            kinds += TIMES
        return kinds


def type_columns(con: Connection, name: str, source: Source, raw: Raw, need: Need) -> Typing:
    """Return the type of every column, the checks of its values, and faults of whole columns."""
    typed_cells = raw.file.lower().endswith(WORKBOOKS)
    shapes = Shapes(
        source.decimal,
        source.date_format,
        typed_cells,
        source.thousands,
        source.year_from,
    )
    columns = {column: _describe(column, source, raw, need) for column in raw.columns}
    wanted = {}
    values = {}
    for column_name, column in columns.items():
        values[column_name] = column.value
        kinds = column.kinds
        if kinds:
            known = bool(shapes.date_format)
            wanted[column_name] = [kind for kind in kinds if kind != "formatted" or known]
    inferred = [name for name, column in columns.items() if column.is_inferred]
    tallies = tally_columns(con, raw, wanted, shapes, values, inferred=inferred)
    typing = Typing()
    keys = {find_column(key, raw.columns) for key in source.key or []}
    for column_name, column in columns.items():
        tally = tallies.get(column_name, NEVER)
        decision = _decide(column_name, column, tally, shapes, is_key=column_name in keys)
        if tally.n and not (decision.rule or decision.column_rule):
            cast = shapes.casts(column.value).get(decision.expr, "")
            decision = replace(decision, cast=cast)
        typing.columns[column_name] = decision
        broken = f"{column.value} is not null and ({decision.expr}) is null"
        if decision.rule:
            typing.checks.append(check_value(column_name, decision.rule, broken))
        if decision.column_rule:
            check = check_value(column_name, decision.column_rule, broken)
            typing.faults.append(_show_first(con, name, raw, check))
    return typing


def _describe(column: str, source: Source, raw: Raw, need: Need) -> RawColumn:
    declared = _find(column, source.columns)
    mapping = declared.map if declared else None
    type_ = raw.columns[column]
    return RawColumn(
        type="VARCHAR" if mapping else type_,
        value=text_of(column, type_, mapping),
        declared=declared,
        number=_find(column, need.numbers),
        time=_find(column, need.times),
        infer=raw.infer.get(column, "none"),
        holder="table" if raw.elsewhere else "file",
    )


def _find(column: str, listed: Mapping[str, T]) -> T | None:
    name = find_column(column, listed)
    return None if name is None else listed[name]


def add_hint(fault: Fault) -> Fault:
    """Return a fault about a type with what helps, where its value shows what it is instead."""
    value = (fault.value or "").strip()
    rule, hint = fault.rule, ""
    if "true or false" in rule:
        hint = _hint_truth(value)
    elif "number" in rule or "integer" in rule:
        hint = _hint_number(value, fault)
        rule = rule.removesuffix(IF_COMMA) if hint or "," not in value else rule
    return replace(fault, rule=f"{rule}; {hint}" if hint else rule)


def _hint_truth(value: str) -> str:
    """Return the `map:` of the two words that a value is one of, in its own capitals."""
    for words in TRUTHS:
        if value.casefold() in words:
            true, false = words
            if value == value.title():
                true, false = true.title(), false.title()
            if value == value.upper():
                true, false = true.upper(), false.upper()
            return f'declare map: {{"{true}": "true", "{false}": "false"}} for the column'
    return ""


def _hint_number(value: str, fault: Fault) -> str:
    """Return the keys that read a value as the number it shows; else how to get at it."""
    if COMMA.fullmatch(value) and "integer" not in fault.rule:
        return 'declare decimal: ","'
    is_decimal = f"not {WORDS['decimal']}, the type declared" in fault.rule
    keys = [] if is_decimal else ["its type: decimal in columns:"]
    for written, key in WAYS_OF_WRITING.items():
        if re.fullmatch(DRESSED.format(*written), value):
            keys += [key] if key else []
            return f"declare {' and '.join(keys)}" if keys else ""
    if not MONEY.fullmatch(value):
        return ""
    sign = re.sub(r"[^$€£¥A-Z]", "", value)
    own = fault.column if fault.column.isidentifier() else quote(fault.column)
    cast = f"cast(replace(replace({own}, '{sign}', ''), ',', '') as double)"
    return f"export it without the currency, or take it off in a query: over the source: {cast}"


def _show_first(con: Connection, name: str, raw: Raw, check: Check) -> Fault:
    """Return the fault of a whole column, with the first value that does not parse, if any."""
    fault = Fault(name, check.rule, raw.file, None, check.column)
    if raw.elsewhere:
        return find_first(con, name, raw, check) or fault
    if not raw.rows:
        return fault
    broken = f"from ({raw.relation}) where {check.condition} order by {ROW} limit 1"
    first = first_row(con, f"select {ROW}, {check.shown} {broken}")
    if first is None:
        return fault
    row, value = first
    file, place = Places(raw).find(row)
    return replace(fault, file=file, row=place, value=value)


def _decide(
    name: str, column: RawColumn, tally: Tally, shapes: Shapes, *, is_key: bool
) -> Decision:
    if column.declared_type:
        return _decide_declared(name, column, tally, shapes)
    if family(column.type) != "text":
        return _decide_typed(name, column)
    if tally.n == 0 and column.kinds:
        return _decide_empty(column)
    if column.number or column.time:
        decide = _decide_number if column.number else _decide_time
        return decide(column, tally, shapes)
    inferred = _infer(column, tally, shapes)
    if is_key and inferred.type == "DOUBLE":
        return Decision("VARCHAR", column.value)
    return inferred


def _decide_empty(column: RawColumn) -> Decision:
    """Decide on a column without any value: what is needed of it, else text."""
    type_ = "VARCHAR"
    if column.number:
        type_ = "DOUBLE"
    elif column.time:
        type_ = "DATE"
    return Decision(type_, f"cast({column.value} as {type_})")


def _decide_typed(name: str, column: RawColumn) -> Decision:
    """Keep the type of a column typed by its file.

    One that cannot be summed or dated where it must be is a fault of the column.
    """
    kind = family(column.type)
    given = f"is {column.type} in the {column.holder}"
    rule = ""
    if column.number and kind not in ("integer", "decimal"):
        rule = f"{given}, but {column.number} needs a number"
    elif column.time and kind not in ("date", "timestamp"):
        rule = f"{given}, but {column.time} needs a date or time"
    return Decision(column.type, quote(name), column_rule=rule)


# --- declared types ------------------------------------------------------------------------------


def _decide_declared(name: str, column: RawColumn, tally: Tally, shapes: Shapes) -> Decision:
    type_, value = column.declared_type, column.value
    if column.number and type_ not in ("integer", "decimal"):
        rule = f"is declared {type_}, but {column.number} needs a number"
        return Decision("DOUBLE", shapes.number(value), column_rule=rule)
    if column.time and type_ not in TIME_WORDS:
        rule = f"is declared {type_}, but {column.time} needs a date or time"
        return Decision("DATE", shapes.date(value), column_rule=rule)
    if family(column.type) == type_:
        return Decision(column.type, value if column.type == "VARCHAR" else quote(name))
    if type_ == "text":
        return Decision("VARCHAR", value)
    word = (WORDS | TIME_WORDS)[str(type_)]
    rule = f"is not {word}, the type declared in columns:"
    if type_ in TIME_WORDS:
        return _declare_time(column, tally, shapes, rule)
    made_by_type = {
        "integer": Decision("BIGINT", shapes.declared_integer(value), rule),
        "decimal": Decision("DOUBLE", shapes.declared_number(value), rule),
        "boolean": Decision("BOOLEAN", shapes.boolean(value), rule),
    }
    return made_by_type[str(type_)]


def _declare_time(column: RawColumn, tally: Tally, shapes: Shapes, rule: str) -> Decision:
    times = tally["stamp"] + tally["instant"]
    is_date = column.declared_type == "date"
    if shapes.date_format and tally["formatted"] >= times:
        type_ = "DATE" if is_date else _at_least_stamp(shapes.formatted_type)
        expr = f"cast({shapes.formatted(column.value)} as {type_})"
        return Decision(type_, expr, f"{rule}, by date_format: {shapes.date_format}")
    if is_date:
        return Decision("DATE", shapes.midnight(column.value), rule + _hint_format(shapes))
    chosen = _choose_time(column, tally, shapes)
    if tally["stamp"] and tally["instant"]:
        rule = chosen.rule
    else:
        rule += _hint_format(shapes)
    type_ = _at_least_stamp(chosen.type)
    if type_ == "TIMESTAMP":
        return Decision(type_, shapes.stamp(column.value), rule)
    return Decision(type_, chosen.expr, rule)


def _at_least_stamp(type_: str) -> str:
    return "TIMESTAMP" if type_ == "DATE" else type_


def _hint_format(shapes: Shapes) -> str:
    if shapes.date_format:
        return ""
    return '; if dates are written in another way, declare date_format:, for instance "%m/%d/%Y"'


# --- types read out of the values ----------------------------------------------------------------


def _infer(column: RawColumn, tally: Tally, shapes: Shapes) -> Decision:
    """Decide on the type that at least 99 % of the values parse as; else text."""
    times = tally["stamp"] + tally["instant"]
    if tally.share("number") >= ENOUGH and not (tally["zeros"] or tally["huge"]):
        return _choose_number(column, tally, shapes, LIKE_OTHERS)
    if tally.n and times / tally.n >= ENOUGH:
        return _choose_time(column, tally, shapes)
    if tally.share("boolean") >= ENOUGH:
        rule = f"is not true or false, {LIKE_OTHERS}" if tally["boolean"] < tally.n else ""
        return Decision("BOOLEAN", shapes.boolean(column.value), rule)
    if tally.share("formatted") >= ENOUGH:
        return _choose_formatted(column, tally, shapes)
    return Decision("VARCHAR", column.value)


def _choose_number(column: RawColumn, tally: Tally, shapes: Shapes, why: str) -> Decision:
    """Decide for integers where no value has a fraction, else for numbers."""
    if tally["integer"] == tally["number"]:
        type_, expr, word = "BIGINT", shapes.integer(column.value), WORDS["integer"]
    else:
        type_, expr, word = "DOUBLE", shapes.number(column.value), WORDS["decimal"]
    rule = f"is not {word}, {why}" if tally["number"] < tally.n else ""
    return Decision(type_, expr, rule)


def _choose_formatted(column: RawColumn, tally: Tally, shapes: Shapes) -> Decision:
    rule = ""
    if tally["formatted"] < tally.n:
        rule = f"is no date by date_format: {shapes.date_format}"
    return Decision(shapes.formatted_type, shapes.formatted(column.value), rule)


def _choose_time(column: RawColumn, tally: Tally, shapes: Shapes) -> Decision:
    """Decide for dates where all are, else for stamps, with an offset where most have one.

    Where stamps with and without an offset are mixed, the fewer ones break the rule.
    """
    stamps, instants = tally["stamp"], tally["instant"]
    if instants > stamps:
        type_, expr = INSTANT, shapes.instant(column.value)
        word = "a date and time with an offset"
    elif tally["date"] == stamps and not instants:
        type_, expr = "DATE", shapes.date(column.value)
        word = "a date"
    else:
        type_, expr = "TIMESTAMP", shapes.stamp(column.value)
        word = "a date and time without an offset"
    is_mixed = stamps > 0 and instants > 0
    is_broken = is_mixed or stamps + instants < tally.n
    return Decision(type_, expr, f"is not {word}, {LIKE_OTHERS}" if is_broken else "")


# --- types that a definition needs ---------------------------------------------------------------


def _decide_number(column: RawColumn, tally: Tally, shapes: Shapes) -> Decision:
    why = f"but {column.number} needs a number"
    chosen = _choose_number(column, tally, shapes, why)
    if tally.share("number") > MOST:
        return chosen
    hint = ""
    if tally.share("grouped") > 0:
        hint = "; declare its type: decimal in columns: to accept thousands separators"
    elif shapes.decimal == ".":
        hint = IF_COMMA
    few = f"only {tally['number']} of {tally.n} values are numbers, {why}"
    rule = f"{few}; {FIRST_WRONG}{hint}"
    return Decision("DOUBLE", shapes.number(column.value), column_rule=rule)


def _decide_time(column: RawColumn, tally: Tally, shapes: Shapes) -> Decision:
    times, formatted = tally["stamp"] + tally["instant"], tally["formatted"]
    is_formatted = tally.share("formatted") >= ENOUGH or formatted > times
    if shapes.date_format and is_formatted:
        count = formatted
        chosen = _choose_formatted(column, tally, shapes)
        if chosen.rule:
            chosen = replace(chosen, rule=f"{chosen.rule}, but {column.time} needs it")
    else:
        count = times
        chosen = _choose_time(column, tally, shapes)
    if count / tally.n > MOST:
        return chosen
    by, hint = "", _hint_format(shapes)
    if shapes.date_format:
        by, hint = f" by date_format: {shapes.date_format}", "; check date_format:"
    share = f"{count:,} of {tally.n:,} values"
    few = f"only {share} are dates or times{by}, but {column.time} needs them"
    return Decision(chosen.type, chosen.expr, column_rule=f"{few}; {FIRST_WRONG}{hint}")
