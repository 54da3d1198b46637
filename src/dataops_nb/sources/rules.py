"""What is agreed about a source beyond types: rules for its columns, its keys, and its letters.

Columns: required, bounds, listed values, uniqueness, references, share of empty cells; and the
number of rows. Keys: one row a key. Identical repeats count once; rows that differ are a fault,
unless `latest:` or `duplicates:` says which count. Letters: UTF-8 that an earlier program took for
another encoding and saved again. Such a text is valid UTF-8, so nothing refuses it; but `CafÃ©` and
`Café` are two customers.
"""

from __future__ import annotations

import datetime as dt
import mmap
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dataops_nb.alignment.queries import family
from dataops_nb.definitions.models import Column, Source
from dataops_nb.errors import Fault
from dataops_nb.sources.archives import is_packed
from dataops_nb.sources.days import is_time
from dataops_nb.sources.evidence import (
    LISTED,
    ROW,
    Check,
    Connection,
    Notice,
    Places,
    Raw,
    check_value,
    find_column,
    first_row,
    name_older,
    name_repeats,
    names,
    quote,
    text,
    texts,
)
from dataops_nb.sources.files import ARROW, WORKBOOKS, ending
from dataops_nb.sources.types import Decision

NUMBERS = ("integer", "decimal")
DAYS = ("date", "timestamp")
EARLIEST = dt.date(1900, 1, 1)
BLOCK = 1 << 20
HAIR = 1e-9  # 0.007 as a float is a hair more than 0.7 %

SHOWN_ROWS = 5
UNSEEN = "[\u00ad\u200b-\u200f\u2060\ufeff]"
ROUNDED = r"\s*\d(\.\d+)?[eE]\+\d+\s*"
EXACT = 2**53  # integers from here on have no exact float
KEYS_LOST = "is a rounded number, but it is the key: its last digits are lost"

UTF8 = ("utf-8", "utf8", "utf-8-sig")
# bytes without which no text can be garbled: a file that lacks them is not searched by SQL
SUSPECT = re.compile(rb"\xc3[\x82\x83][\xc2\xc5\xc6\xcb\xe2]|\xc3\xa2\xe2\x82\xac|\xef\xbf\xbd")
# the second byte of a letter as cp1252 shows it; a dash or a quotation mark may also end a word,
# so a letter must follow it
SECOND = "[\u0080-\u0081\u008d\u008f\u0090\u009d¡-¿€ƒ„†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ]"
SAVED_TWICE = f"[ÂÃ]{SECOND}|[ÂÃ][‚…‘’“”–—][[:alpha:]]|â€[\u009d™œ˜“”¦¢]"
LOST = "\ufffd"
MEANT = "or declare `encoding: utf-8` if it is meant"
TWICE_RULE = "reads like UTF-8 that was taken for another encoding and saved again"
LOST_RULE = f"holds the sign for a lost letter (U+FFFD); export it anew, {MEANT}"


# --- columns and rows ----------------------------------------------------------------------------


def list_rules(source: Source, raw: Raw, decisions: Mapping[str, Decision]) -> list[Check]:
    """List the checks of every declared column that exists; empty values break only `required`."""
    checks: list[Check] = []
    for declared, column in source.columns.items():
        name = find_column(declared, raw.columns)
        if name is None:
            continue
        decision = decisions[name]
        value = f"({decision.expr})"
        if column.required:
            rule = "is empty but required"
            checks.append(check_value(name, rule, f"{quote(name)} is null"))
        checks += _list_bounds(name, column, decision)
        if column.one_of is not None:
            listed = ", ".join(_show(member) for member in column.one_of)
            is_listed = _is_listed(value, decision.type, column.one_of)
            checks.append(check_value(name, f"must be one of {listed}", f"not ({is_listed})"))
        if column.unique:
            checks.append(_check_unique(name, value, raw))
    return checks


def _list_bounds(name: str, column: Column, decision: Decision) -> list[Check]:
    """List the checks of a smallest and largest value; a day's bounds are days, both inclusive."""
    bounds = [bound for bound in (column.min, column.max) if bound is not None]
    if not bounds:
        return []
    for needed, fits in (("a day", DAYS), ("a number", NUMBERS)):
        wanted = any(isinstance(bound, dt.date) == (needed == "a day") for bound in bounds)
        if wanted and family(decision.type) not in fits:
            rule = f"min: and max: need {needed} here, and the column is {decision.type}"
            return [check_value(name, f"{rule}; declare its type:", f"{ROW} = 0")]
    value = f"({decision.expr})"
    if family(decision.type) in DAYS:
        value = f"cast({value} as date)"
    checks = []
    if column.min is not None:
        rule = f"is below min: {_bound(column.min)}"
        checks.append(check_value(name, rule, f"{value} < {_bound_sql(column.min)}"))
    if column.max is not None:
        rule = f"is above max: {_bound(column.max)}"
        checks.append(check_value(name, rule, f"{value} > {_bound_sql(column.max)}"))
    return checks


def _bound(bound: float | dt.date) -> str:
    """Write a bound as it stands in YAML."""
    return bound.isoformat() if isinstance(bound, dt.date) else f"{bound:g}"


def _bound_sql(bound: float | dt.date) -> str:
    return f"date '{bound.isoformat()}'" if isinstance(bound, dt.date) else repr(bound)


def _check_unique(name: str, value: str, raw: Raw) -> Check:
    nth = f"row_number() over (partition by {value} order by {ROW}) as nth"
    numbered = f"select {ROW}, {nth} from ({raw.relation}) where {value} is not null"
    repeated = f"select {ROW} from ({numbered}) where nth > 1"
    rule = "is not unique: an earlier row has the same value"
    return check_value(name, rule, f"{ROW} in ({repeated})")


def _show(member: Any) -> str:
    """Write a listed value as it stands in YAML."""
    return str(member).lower() if isinstance(member, bool) else str(member)


def _is_listed(value: str, type_: str, members: Iterable[Any]) -> str:
    """Return SQL that holds where a value is empty or one of the members."""
    if family(type_) in NUMBERS:
        compared = f"{value}::double"
        listed = ", ".join(repr(float(member)) for member in members if _is_number(member))
    else:
        compared = f"cast({value} as varchar)"
        listed = texts(_show(member) for member in members)
    is_empty = f"{value} is null"
    return f"{compared} in ({listed}) or {is_empty}" if listed else is_empty


def _is_number(member: Any) -> bool:
    return isinstance(member, int | float) and not isinstance(member, bool)


def check_reference(column: str, other: str, typed: Raw, target: Raw, rule: str) -> Check:
    """Return the check of values that another source's column must hold.

    Both are compared as numbers where both columns are numbers, else as texts.
    """
    families = {family(typed.columns[column]), family(target.columns[other])}
    type_ = "double" if families <= set(NUMBERS) else "varchar"
    known = f"{quote(other)} is not null"
    held = f"select cast({quote(other)} as {type_}) from ({target.scan}) where {known}"
    own = f"cast({quote(column)} as {type_})"
    return check_value(column, rule, f"{quote(column)} is not null and {own} not in ({held})")


def count_rows(name: str, source: Source, raw: Raw) -> list[Fault]:
    """Return a fault where the source, as it was read, holds fewer or more rows than agreed."""
    agreed, held = source.rows, f"has {_say_count(raw.rows)}"
    if agreed.min is not None and raw.rows < agreed.min:
        return [Fault(name, f"{held}, fewer than rows: min: {agreed.min:,}", raw.file)]
    if agreed.max is not None and raw.rows > agreed.max:
        return [Fault(name, f"{held}, more than rows: max: {agreed.max:,}", raw.file)]
    return []


def count_nulls(con: Connection, name: str, source: Source, raw: Raw) -> list[Fault]:
    """Return a fault for each column of which a larger share is empty than agreed."""
    share_by_column = {}
    for declared, agreed in source.columns.items():
        column = find_column(declared, raw.columns)
        if column and agreed.nulls is not None:
            share_by_column[column] = agreed.nulls
    if not share_by_column or not raw.rows:
        return []
    counts = [f"count(*) filter (where {quote(c)} is null)" for c in share_by_column]
    empty = first_row(con, f"select {', '.join(counts)} from ({raw.scan})") or ()
    faults = []
    for (column, share), count in zip(share_by_column.items(), empty, strict=True):
        if count > share * raw.rows * (1 + HAIR):
            held = f"is empty in {count:,} of {_say_count(raw.rows)}"
            rule = f"{held}, more than nulls: {share * 100:g}%"
            faults.append(Fault(name, rule, raw.file, None, column))
    return faults


def _say_count(rows: int) -> str:
    return f"{rows:,} {'row' if rows == 1 else 'rows'}"


def list_early(
    con: Connection, source: Source, raw: Raw, typed: Mapping[str, Decision], times: Iterable[str]
) -> list[Check]:
    """List the checks for days before 1900 in columns that are used as times.

    Such days stand for `unknown`, or for a year written with two digits.
    """
    first = min(source.covers.from_ or EARLIEST, EARLIEST)
    advice = "leave unknown days empty, list them in na:, or write years with four digits"
    checks = {}
    for time in times:
        column = find_column(time, raw.columns)
        if column is None or column in checks or not is_time(typed[column].type):
            continue
        condition = f"({typed[column].expr}) < {text(first.isoformat())}::date"
        if first_row(con, f"select 1 from ({raw.scan}) where {condition} limit 1"):
            checks[column] = check_value(column, f"lies before {first}: {advice}", condition)
    return list(checks.values())


def list_unfinite(raw: Raw, numbers: Mapping[str, str]) -> list[Check]:
    """List the checks for infinity and NaN in columns that are summed and typed by their file."""
    checks = {}
    for name, why in numbers.items():
        column = find_column(name, raw.columns)
        if column and raw.columns[column] in ("FLOAT", "DOUBLE"):
            made = "divide by nullif(x, 0), and make what has no result null"
            advice = "leave missing values empty" if raw.file else made
            rule = f"is no finite number; {advice}: {why} needs one"
            checks[column] = check_value(column, rule, f"not isfinite({quote(column)})")
    return list(checks.values())


# --- keys ----------------------------------------------------------------------------------------


@dataclass
class Deduplicated:
    """Rows that do not count because their key repeats, and the faults and notices about them.

    `dropped` is SQL that selects their `__source_row`; None where every row counts.
    """

    dropped: str | None = None
    faults: list[Fault] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def list_key_checks(source: Source, raw: Raw) -> list[Check]:
    """List the checks for empty keys, and keys with spaces or unseen letters, as in the file."""
    checks: list[Check] = []
    for key in source.key or []:
        column = find_column(key, raw.columns)
        if column is None:
            continue
        is_text = family(raw.columns[column]) == "text"
        blank = f" or trim({quote(column)}) = ''" if is_text else ""
        empty = f"{quote(column)} is null{blank}"
        checks.append(check_value(column, "is empty, but it is the key", empty))
        if is_text:
            checks += _list_text_checks(column)
        if raw.columns[column] in ("DOUBLE", "FLOAT"):
            inexact = f"abs({quote(column)}) >= {EXACT}"
            checks.append(check_value(column, f"{KEYS_LOST}; export it as text", inexact))
    return checks


def _list_text_checks(column: str) -> list[Check]:
    name = quote(column)
    unseen_rule = "has a letter in it that cannot be seen, but it is the key"
    rounded_rule = f"{KEYS_LOST}; format the column as text before it is exported"
    spaced = f"trim({name}) <> '' and trim({name}) <> {name}"
    unseen = f"regexp_matches({name}, {text(UNSEEN)})"
    rounded = f"regexp_full_match({name}, {text(ROUNDED)})"
    return [
        check_value(column, "has spaces around it, but it is the key", spaced),
        check_value(column, unseen_rule, unseen),
        check_value(column, rounded_rule, rounded),
    ]


def drop_repeats(con: Connection, name: str, source: Source, typed: Raw) -> Deduplicated:
    """Find repeated keys among the rows of a typed relation, and which of their rows count."""
    declared = source.key or []
    columns = [find_column(key, typed.columns) for key in declared]
    keys = [column for column in columns if column]
    if not keys or len(keys) < len(declared) or source.duplicates == "keep":
        return Deduplicated()
    if not has_repeats(con, typed, keys):
        return Deduplicated()
    latest = find_column(source.latest, typed.columns) if source.latest else None
    others = [column for column in typed.columns if column not in keys]
    table = quote(f"__repeats_{name}")
    ranked = _rank_repeats(typed, keys, others, latest)
    con.execute(f"create or replace table {table} as {ranked}")
    repeats = Deduplicated(f"select {ROW} from {table} where nth > 1")
    repeats.faults = _name_conflicts(con, name, Places(typed), keys, others)
    identical = _count(con, table, "nth > 1 and top")
    if identical and not repeats.faults:
        repeats.notices.append(Notice(name, name_repeats(identical), identical))
    older = _count(con, table, "not top")
    if older:
        repeats.notices.append(Notice(name, name_older(older, latest), older))
    return repeats


def _count(con: Connection, table: str, condition: str) -> int:
    row = first_row(con, f"select count(*) from {table} where {condition}") or (0,)
    return int(row[0])


def has_repeats(con: Connection, typed: Raw, keys: Sequence[str]) -> bool:
    """Whether any key stands in more than one row."""
    rows = f"select 1 from ({typed.scan}) where {_have_values(keys)}"
    repeated = f"{rows} group by {names(keys)} having count(*) > 1 limit 1"
    return first_row(con, repeated) is not None


def _have_values(columns: Sequence[str]) -> str:
    return " and ".join(f"{quote(column)} is not null" for column in columns)


def _rank_repeats(
    typed: Raw, keys: Sequence[str], others: Sequence[str], latest: str | None
) -> str:
    """Return SQL of every row whose key repeats.

    `top` are the rows that could count, `nth` 1 is the one that does; rows with the same `content`
    are identical.
    """
    by = f"partition by {names(keys)}"
    top = "true"
    if latest:
        top = f"{quote(latest)} is not distinct from max({quote(latest)}) over ({by})"
    content = f"hash({names(others)})" if others else "0"
    several = f"count(*) over ({by}) as several"
    columns = f"*, {top} as top, {content} as content, {several}"
    rows = f"select {columns} from ({typed.relation}) where {_have_values(keys)}"
    nth = f"row_number() over ({by} order by top desc, {ROW}) as nth"
    return f"select * exclude (several), {nth} from ({rows}) where several > 1"


def _name_conflicts(
    con: Connection, name: str, places: Places, keys: Sequence[str], others: Sequence[str]
) -> list[Fault]:
    """Return a fault for each key whose rows differ: the key, its rows, the columns that differ."""
    flags = ", ".join(_differs(quote(column)) for column in others)
    shown = ", ".join(f"cast({quote(key)} as varchar)" for key in keys)
    query = f"""
        select
            concat_ws(' / ', {shown}),
            list({ROW} order by {ROW}),
            [{flags or "false"}],
            count(*) over ()
        from {quote(f"__repeats_{name}")}
        where top
        group by {names(keys)}
        having count(distinct content) > 1
        order by min({ROW})
        limit {LISTED}"""
    faults = []
    key_names = ", ".join(keys)
    conflicts = con.execute(query).fetchall()
    for key, rows, differences, _ in conflicts:
        file, place = places.find(rows[-1])
        pairs = zip(others, differences, strict=False)
        differing = ", ".join(column for column, differs in pairs if differs)
        share = f"{_say_rows(places, rows)} share this key and differ in {differing}"
        rule = f"{share}; declare latest:, or duplicates: keep"
        faults.append(Fault(name, rule, file, place, key_names, key))
    count = conflicts[0][3] if conflicts else 0
    if count > LISTED:
        rule = f"and {count - LISTED} more keys with rows that differ"
        faults.append(Fault(name, rule, places.raw.file, None, key_names))
    return faults


def _differs(column: str) -> str:
    """Return SQL that holds where a column's values differ, or only some of them are empty."""
    some_empty = f"count({column}) < count(*) and count({column}) > 0"
    return f"count(distinct {column}) + cast({some_empty} as int) > 1"


def _say_rows(places: Places, rows: Sequence[int]) -> str:
    shown = places.say(rows[:SHOWN_ROWS])
    if not shown:
        return f"{len(rows):,} rows"
    if len(rows) <= SHOWN_ROWS:
        return shown
    return f"{shown}, and {len(rows) - SHOWN_ROWS:,} more,"


def first_versions(
    query: str, columns: Sequence[str], keys: Sequence[str], latest: str, known: str
) -> str:
    """Return the rows of a query of which `known` holds, and the first version of each key."""
    first = f"min({quote(latest)}) over (partition by {names(keys)}) as _nb_first"
    rows = f"select {names(columns)}, {first} from ({query})"
    unkeyed = " or ".join(f"{quote(key)} is null" for key in keys)
    kept = f"{known} or {unkeyed} or {quote(latest)} = _nb_first"
    return f"select {names(columns)} from ({rows}) where {kept}"


# --- letters -------------------------------------------------------------------------------------


def list_garbled(raw: Raw, encoding: str | None) -> list[Check]:
    """List the checks of a source's texts, where its files hold bytes that make them worth while.

    With `encoding: utf-8` the texts are meant as they are; another one may itself be what breaks
    them.
    """
    if encoding and encoding.lower().replace("_", "-") in UTF8:
        return []
    columns = []
    for column, type_ in raw.columns.items():
        if type_ == "VARCHAR" and raw.infer.get(column) != "none":
            columns.append(column)
    if not columns:
        return []
    if not encoding and not any(_may_be_garbled(part.path) for part in raw.parts):
        return []
    advice = f"export it anew, {MEANT}"
    if encoding:
        advice = f"export it anew; it may be no {encoding}: declare `encoding: utf-8`"
    rules = {SAVED_TWICE: f"{TWICE_RULE}; {advice}", LOST: LOST_RULE}
    checks = []
    for column in columns:
        for pattern, rule in rules.items():
            condition = f"regexp_matches({quote(column)}, {text(pattern)})"
            checks.append(check_value(column, rule, condition))
    return checks


def _may_be_garbled(path: Path) -> bool:
    """Whether a file holds suspect bytes; a packed one cannot be told from outside."""
    if ending(path) in (*WORKBOOKS, *ARROW) or is_packed(path):
        return True
    with (
        path.open("rb") as handle,
        mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        if all(block.isascii() for block in iter(partial(handle.read, BLOCK), b"")):
            return False
        return SUSPECT.search(content) is not None
