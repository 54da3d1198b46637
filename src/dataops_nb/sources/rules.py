"""What is agreed beyond types: of a column required, bounds, listed values, uniqueness, references, its share of empty
cells; of a source its number of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from dataops_nb.definitions.models import Column, Source
from dataops_nb.errors import Fault
from dataops_nb.sources.days import is_time
from dataops_nb.sources.evidence import ROW, Check, Raw, check_value
from dataops_nb.sources.kinds import family
from dataops_nb.sources.sql import Connection, find_column, first_row, quote, text
from dataops_nb.sources.typed import Decision

EARLIEST = dt.date(1900, 1, 1)


def list_rules(source: Source, raw: Raw, decisions: Mapping[str, Decision]) -> list[Check]:
    """The checks of every declared column that exists; a null value breaks only `required`."""
    checks: list[Check] = []
    for declared, column in source.columns.items():
        name = find_column(declared, raw.columns)
        if name is not None:
            checks += _list_column(name, column, raw, decisions[name])
    return checks


def _list_column(name: str, column: Column, raw: Raw, decision: Decision) -> list[Check]:
    value = f"({decision.expr})"
    checks = (
        [check_value(name, "is empty, but the column is required", f"{quote(name)} is null")] if column.required else []
    )
    if family(decision.type) in ("integer", "decimal"):
        if column.min is not None:
            checks.append(check_value(name, f"is below min: {column.min:g}", f"{value} < {column.min!r}"))
        if column.max is not None:
            checks.append(check_value(name, f"is above max: {column.max:g}", f"{value} > {column.max!r}"))
    elif column.min is not None or column.max is not None:
        rule = f"min: and max: need a number, and the column is {decision.type}; declare its type:"
        checks.append(check_value(name, rule, f"{ROW} = 0"))
    if column.one_of is not None:
        listed = ", ".join(_say(v) for v in column.one_of)
        checks.append(
            check_value(name, f"is none of {listed}", f"not ({_one_of(value, decision.type, column.one_of)})")
        )
    if column.unique:
        numbered = f"select {ROW}, row_number() over (partition by {value} order by {ROW}) as nth from ({raw.relation})"
        repeated = f"select {ROW} from ({numbered} where {value} is not null) where nth > 1"
        rule = "is not unique: an earlier row has the same value"
        checks.append(check_value(name, rule, f"{ROW} in ({repeated})"))
    return checks


def _say(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one_of(value: str, type_: str, listed: list[Any]) -> str:
    if family(type_) in ("integer", "decimal"):
        numbers = [float(v) for v in listed if isinstance(v, int | float) and not isinstance(v, bool)]
        return _is_among(f"{value}::double", [repr(number) for number in numbers], value)
    return _is_among(f"cast({value} as varchar)", [text(_say(v)) for v in listed], value)


def _is_among(compared: str, listed: list[str], value: str) -> str:
    return f"{compared} in ({', '.join(listed)}) or {value} is null" if listed else f"{value} is null"


def check_reference(column: str, other: str, typed: Raw, target: Raw, rule: str) -> Check:
    """Values of a column that the other source's column does not hold; compared as numbers where both are."""
    both = {family(typed.columns[column]), family(target.columns[other])} <= {"integer", "decimal"}
    as_ = "double" if both else "varchar"
    held = f"select cast({quote(other)} as {as_}) from ({target.scan}) where {quote(other)} is not null"
    condition = f"{quote(column)} is not null and cast({quote(column)} as {as_}) not in ({held})"
    return check_value(column, rule, condition)


def count_rows(name: str, source: Source, raw: Raw) -> list[Fault]:
    """A fault where the source, as it was read, holds fewer or more rows than agreed."""
    agreed, held = source.rows, f"has {_rows(raw.rows)}"
    if agreed.min is not None and raw.rows < agreed.min:
        return [Fault(name, f"{held}, fewer than rows: min: {agreed.min:,}", raw.file)]
    if agreed.max is not None and raw.rows > agreed.max:
        return [Fault(name, f"{held}, more than rows: max: {agreed.max:,}", raw.file)]
    return []


def count_nulls(con: Connection, name: str, source: Source, raw: Raw) -> list[Fault]:
    """A fault for each column of which a larger share is empty than agreed."""
    agreed = {
        found: column.nulls
        for declared, column in source.columns.items()
        if column.nulls is not None and (found := find_column(declared, raw.columns))
    }
    if not agreed or not raw.rows:
        return []
    counts = ", ".join(f"count(*) filter (where {quote(column)} is null)" for column in agreed)
    empty = first_row(con, f"select {counts} from ({raw.scan})") or ()
    return [
        Fault(
            name, f"is empty in {n:,} of {_rows(raw.rows)}, more than nulls: {share * 100:g}%", raw.file, None, column
        )
        for (column, share), n in zip(agreed.items(), empty, strict=True)
        if n > share * raw.rows * (1 + 1e-9)  # 0.7% is a hair less than 0.007
    ]


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def list_early(
    con: Connection, source: Source, raw: Raw, typed: Mapping[str, Decision], times: Iterable[str]
) -> list[Check]:
    """Days before 1900 in columns that are used as times: they stand for `unknown`, or their year has two digits."""
    first = min(source.covers.from_ or EARLIEST, EARLIEST)
    found = {c: typed[c] for time in times if (c := find_column(time, raw.columns)) and is_time(typed[c].type)}
    early = {column: f"({decision.expr}) < {text(first.isoformat())}::date" for column, decision in found.items()}
    rule = f"lies before {first}: leave unknown days empty, list them in na:, or write years with four digits"
    return [
        check_value(column, rule, condition)
        for column, condition in early.items()
        if first_row(con, f"select 1 from ({raw.scan}) where {condition} limit 1")
    ]


def list_unfinite(raw: Raw, numbers: Mapping[str, str]) -> list[Check]:
    """Infinite values and NaN in columns that are summed and typed by their file."""
    found = {
        c: why
        for n, why in numbers.items()
        if (c := find_column(n, raw.columns)) and raw.columns[c] in ("FLOAT", "DOUBLE")
    }
    rule = "is no finite number; leave missing values empty"
    return [check_value(c, f"{rule}: {why} needs one", f"not isfinite({quote(c)})") for c, why in found.items()]
