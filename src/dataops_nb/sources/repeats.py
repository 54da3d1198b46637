"""Repeated keys in a database: counted and judged there, as they are in files, without a table of our own."""

from __future__ import annotations

from collections.abc import Sequence

from dataops_nb.definitions.models import Source
from dataops_nb.errors import Fault
from dataops_nb.sources.evidence import LISTED, Notice, Raw, say_key
from dataops_nb.sources.keys import Deduplicated, has_repeats
from dataops_nb.sources.sql import Connection, find_column, first_row, names, quote


def drop_repeats_there(con: Connection, name: str, source: Source, typed: Raw) -> tuple[Deduplicated, str]:
    """What is said about the repeated keys of a relation in a database, and the SQL of the rows that count."""
    keys = [c for k in source.key or [] if (c := find_column(k, typed.columns))]
    found = Deduplicated()
    if (
        not keys
        or len(keys) < len(source.key or [])
        or source.duplicates == "keep"
        or not has_repeats(con, typed, keys)
    ):
        return found, typed.scan
    latest = find_column(source.latest, typed.columns) if source.latest else None
    ranked = _rank(typed, keys, latest)
    found.faults = _name_conflicts(con, name, typed, keys, ranked)
    counts = "count(*), count(*) filter (where _nb_top), count(distinct case when _nb_top then _nb_group end)"
    all_, top, kept = first_row(con, f"select {counts} from ({ranked}) where _nb_several > 1") or (0, 0, 0)
    for count, text in (
        (0 if found.faults else top - kept, "identical repeats of a row were counted once"),
        (all_ - top, f"older rows gave way to the latest of their key, by {latest}"),
    ):
        if count:
            found.notices.append(Notice(name, text, int(count)))
    return found, f"select {names(typed.columns)} from ({ranked}) where _nb_nth = 1 or _nb_group is null"


def _rank(typed: Raw, keys: Sequence[str], latest: str | None) -> str:
    """Every row with `_nb_group` (its key as one text), how often that stands, whether the row could count, and its place."""
    by = f"partition by {names(keys)}"
    group = " || ' / ' || ".join(f"cast({quote(k)} as varchar)" for k in keys)
    newest = f"max({quote(latest)}) over ({by})" if latest else ""
    top = f"({quote(latest)} = {newest} or ({quote(latest)} is null and {newest} is null))" if latest else "1 = 1"
    order = f"order by {quote(latest)} desc nulls last" if latest else f"order by {names(keys)}"
    return (
        f"select {names(typed.columns)}, {group} as _nb_group, {top} as _nb_top, count(*) over ({by}) as _nb_several, "
        f"row_number() over ({by} {order}) as _nb_nth from ({typed.scan})"
    )


def _differs(column: str) -> str:
    """Whether the rows of a group differ in a column; empty differs from not empty."""
    return f"(count(distinct cast({column} as varchar)) > 1 or (count({column}) < count(*) and count({column}) > 0))"


def _name_conflicts(con: Connection, name: str, typed: Raw, keys: Sequence[str], ranked: str) -> list[Fault]:
    """One fault for each key whose rows differ: the key, how many rows, and the columns that differ."""
    others = [c for c in typed.columns if c not in keys]
    if not others:
        return []
    differ = [_differs(quote(column)) for column in others]
    shown = ", ".join(f"cast({quote(k)} as varchar)" for k in keys)
    flags = ", ".join(f"case when {d} then 1 else 0 end" for d in differ)
    groups = (
        f"from ({ranked}) where _nb_several > 1 and _nb_top and _nb_group is not null group by {names(keys)} "
        f"having {' or '.join(differ)}"
    )
    count = int((first_row(con, f"select count(*) from (select 1 as one {groups})") or (0,))[0])
    if not count:
        return []
    query = f"select count(*), {shown}, {flags} {groups} order by {names(keys)} limit {LISTED}"
    faults = []
    for rows, *rest in con.execute(query).fetchall():
        values, flagged = rest[: len(keys)], rest[len(keys) :]
        columns = ", ".join(c for c, flag in zip(others, flagged, strict=True) if flag)
        rule = f"{rows} rows share this key and differ in {columns}; declare latest:, or duplicates: keep"
        said = say_key(typed, values) if len(keys) > 1 else ""
        faults.append(Fault(name, rule, typed.file, None, ", ".join(keys), " / ".join(map(str, values)), said))
    if count > LISTED:
        faults.append(
            Fault(name, f"and {count - LISTED} more keys with rows that differ", typed.file, None, ", ".join(keys))
        )
    return faults
