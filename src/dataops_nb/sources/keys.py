"""Keys: one row a key. Identical repeats count once; rows that differ are a fault, unless it is said which counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dataops_nb.definitions.models import Source
from dataops_nb.errors import Fault
from dataops_nb.sources.evidence import LISTED, ROW, Check, Notice, Places, Raw, check_value
from dataops_nb.sources.kinds import family
from dataops_nb.sources.sql import Connection, find_column, first_row, names, quote, text

SHOWN_ROWS = 5
UNSEEN = "[\u00ad\u200b-\u200f\u2060\ufeff]"
ROUNDED = r"\s*\d(\.\d+)?[eE]\+\d+\s*"
EXACT = 2**53
LOST = "is a rounded number, but it is the key: its last digits are lost"


@dataclass
class Deduplicated:
    """Which rows of a relation do not count (SQL that selects their `__source_row`, or None), and what is said about them."""

    dropped: str | None = None
    faults: list[Fault] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def list_key_checks(source: Source, raw: Raw) -> list[Check]:
    """Empty keys, and keys with spaces around them, as written in the file."""
    checks: list[Check] = []
    for key in source.key or []:
        column = find_column(key, raw.columns)
        if column is None:
            continue
        blank = f" or trim({quote(column)}) = ''" if family(raw.columns[column]) == "text" else ""
        checks.append(check_value(column, "is empty, but it is the key", f"{quote(column)} is null{blank}"))
        if blank:
            spaced = f"trim({quote(column)}) <> '' and trim({quote(column)}) <> {quote(column)}"
            checks.append(check_value(column, "has spaces around it, but it is the key", spaced))
            unseen = f"regexp_matches({quote(column)}, {text(UNSEEN)})"
            checks.append(check_value(column, "has a letter in it that cannot be seen, but it is the key", unseen))
            rounded = f"regexp_full_match({quote(column)}, {text(ROUNDED)})"
            checks.append(check_value(column, f"{LOST}; format the column as text before it is exported", rounded))
        if raw.columns[column] in ("DOUBLE", "FLOAT"):
            checks.append(check_value(column, f"{LOST}; export it as text", f"abs({quote(column)}) >= {EXACT}"))
    return checks


def drop_repeats(con: Connection, name: str, source: Source, typed: Raw) -> Deduplicated:
    """Find repeated keys among the rows of a typed relation."""
    keys = [c for k in source.key or [] if (c := find_column(k, typed.columns))]
    if (
        not keys
        or len(keys) < len(source.key or [])
        or source.duplicates == "keep"
        or not has_repeats(con, typed, keys)
    ):
        return Deduplicated()
    latest = find_column(source.latest, typed.columns) if source.latest else None
    others = [c for c in typed.columns if c not in keys]
    table = f"__repeats_{name}"
    con.execute(f"create or replace table {quote(table)} as {_rank_repeats(typed, keys, others, latest)}")
    found = Deduplicated(f"select {ROW} from {quote(table)} where nth > 1")
    found.faults = _name_conflicts(con, name, Places(typed), keys, others)
    for said, condition in (
        ("identical repeats of a row were counted once", "nth > 1 and top"),
        (f"older rows gave way to the latest of their key, by {latest}", "not top"),
    ):
        count = (first_row(con, f"select count(*) from {quote(table)} where {condition}") or (0,))[0]
        if count and not (found.faults and "identical" in said):
            found.notices.append(Notice(name, said, count))
    return found


def has_repeats(con: Connection, typed: Raw, keys: Sequence[str]) -> bool:
    """Whether any key stands in more than one row."""
    known = " and ".join(f"{quote(k)} is not null" for k in keys)
    query = f"select 1 from ({typed.scan}) where {known} group by {names(keys)} having count(*) > 1 limit 1"
    return first_row(con, query) is not None


def _rank_repeats(typed: Raw, keys: Sequence[str], others: Sequence[str], latest: str | None) -> str:
    """Every row whose key stands more than once: `top` are the rows that could count, `nth` 1 is the one that does."""
    by = f"partition by {names(keys)}"
    best = f"{quote(latest)} is not distinct from max({quote(latest)}) over ({by})" if latest else "true"
    known = " and ".join(f"{quote(k)} is not null" for k in keys)
    content = f"hash({names(others)})" if others else "0"
    several = f"count(*) over ({by}) as several"
    ranked = f"select *, {best} as top, {content} as content, {several} from ({typed.relation}) where {known}"
    nth = f"row_number() over ({by} order by top desc, {ROW}) as nth"
    return f"select * exclude (several), {nth} from ({ranked}) where several > 1"


def _name_conflicts(
    con: Connection, name: str, places: Places, keys: Sequence[str], others: Sequence[str]
) -> list[Fault]:
    """One fault for each key whose rows differ: the key, its rows, the columns that differ."""
    differ = ", ".join(
        f"count(distinct {quote(c)}) + cast(count({quote(c)}) < count(*) and count({quote(c)}) > 0 as int) > 1"
        for c in others
    )
    shown = ", ".join(f"cast({quote(k)} as varchar)" for k in keys)
    query = f"""
        select concat_ws(' / ', {shown}), list({ROW} order by {ROW}), [{differ or "false"}], count(*) over ()
        from {quote(f"__repeats_{name}")} where top group by {names(keys)} having count(distinct content) > 1
        order by min({ROW}) limit {LISTED}"""
    found = con.execute(query).fetchall()
    key_names = ", ".join(keys)
    faults: list[Fault] = []
    for key, rows, flags, _ in found:
        file, place = places.find(rows[-1])
        differ = ", ".join(c for c, differs in zip(others, flags, strict=False) if differs)
        rule = f"{_say_rows(places, rows)} share this key and differ in {differ}; declare latest:, or duplicates: keep"
        faults.append(Fault(name, rule, file, place, key_names, key))
    if found and found[0][3] > LISTED:
        rule = f"and {found[0][3] - LISTED} more keys with rows that differ"
        faults.append(Fault(name, rule, places.raw.file, None, key_names))
    return faults


def _say_rows(places: Places, rows: Sequence[int]) -> str:
    said = places.say(rows[:SHOWN_ROWS])
    if not said:
        return f"{len(rows)} rows"
    return said if len(rows) <= SHOWN_ROWS else f"{said}, and {len(rows) - SHOWN_ROWS} more,"
