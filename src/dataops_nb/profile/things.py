"""Find out whether several rows are lines of one thing: an order, an invoice, a conversation.

What belongs to the thing stands only on its first line, or is repeated on each; what belongs to a
line differs. A thing is counted once, and a repeated total is never summed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dataops_nb.profile.columns import Column, in_batches, quote
from dataops_nb.profile.names import GROUPS, PEOPLE, PEOPLE_NOT, has, is_id, word_set, words
from dataops_nb.sources.catalog import Catalog

LEAST_ROWS = 4
LEAST_SHARE = 0.05
MOST_SHARE = 0.98
NEARLY_ALL = 0.98
LEAST_COLUMNS = 3
FIRST_COLUMNS = 3
CLOCKS = word_set("date time day hour")
THINGS = word_set(
    "order invoice conversation ticket issue case booking transaction number deal quote bill"
)


@dataclass(frozen=True)
class Thing:
    """What several rows are lines of: its id, and the columns that belong to it.

    `once` stand on its first line only, `repeated` on each. `count` is how many there are.
    """

    column: str
    count: int
    once: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)


def find_thing(
    catalog: Catalog, source: str, columns: Sequence[Column], rows: int, key: Sequence[str]
) -> Thing | None:
    """Return what the rows are lines of; None where a row stands for itself."""
    if rows < LEAST_ROWS:
        return None
    for place, column in enumerate(columns):
        if not _may_repeat(column, place, rows) or [column.name] == list(key):
            continue
        thing = _look_at(catalog, source, columns, column)
        belonging = [*thing.once, *thing.repeated]
        timed = any(one.time and one.name in belonging for one in columns)
        if key:  # rows have ids of their own: more than their time must be that of a thing
            belonging = _telling(thing, columns)
        if len(belonging) >= LEAST_COLUMNS and timed:
            return thing
    return None


def _telling(thing: Thing, columns: Sequence[Column]) -> list[str]:
    """Return the columns of a thing that are no times and hardly ever empty."""
    telling = []
    for column in columns:
        belongs = column.name in thing.once or column.name in thing.repeated
        filled = column.values * 2 >= thing.count
        if belongs and filled and not column.time and not has(column.name, CLOCKS):
            telling.append(column.name)
    return telling


def _may_repeat(column: Column, place: int, rows: int) -> bool:
    named = is_id(column.name) or place < FIRST_COLUMNS or has(column.name, THINGS)
    kind = column.text or column.type == "BIGINT"
    filled = column.values >= rows * NEARLY_ALL
    several = rows * LEAST_SHARE <= column.distinct <= rows * MOST_SHARE
    somebody = has(column.name, PEOPLE) or "email" in words(column.name)
    return bool(named and kind and filled and several and not somebody)


def _look_at(catalog: Catalog, source: str, columns: Sequence[Column], own: Column) -> Thing:
    """Return the columns that have one value in each group of lines with one id."""
    once: list[str] = []
    repeated: list[str] = []
    others = [column for column in columns if column.distinct > 1 and column is not own]
    for names in in_batches([column.name for column in others]):
        inner = [f"count({quote(name)}) as n_{i}" for i, name in enumerate(names)]
        inner += [f"count(distinct {quote(name)}) as d_{i}" for i, name in enumerate(names)]
        outer = []
        for i in range(len(names)):
            outer += [
                f"count(*) filter (where d_{i} <= 1)",
                f"count(*) filter (where n_{i} <= 1)",
                f"count(*) filter (where n_{i} = n)",
            ]
        groups = (
            f"select count(*) as n, {', '.join(inner)} from {quote(source)} "
            f"group by {quote(own.name)} having count(*) > 1"
        )
        query = f"select count(*), {', '.join(outer)} from ({groups})"
        ((several, *counts),) = catalog.ask(query, source)
        most = several * NEARLY_ALL
        for i, name in enumerate(names):
            same, filled_once, full = counts[i * 3 : i * 3 + 3]
            if several and same >= most:
                if filled_once >= most:
                    once.append(name)
                elif full >= most:
                    repeated.append(name)
    return Thing(own.name, own.distinct, once, repeated)


def find_people(columns: Sequence[Column], key: Sequence[str]) -> list[str]:
    """Return columns that name people or companies, some of them more than once.

    Of several that name the same, the id: `Customer ID` before `Customer Email`.
    """
    name_by_person: dict[str, str] = {}
    for column in columns:
        is_key = [column.name] == key
        repeated = 1 < column.distinct < column.values
        if has(column.name, PEOPLE) and repeated and not is_key and not column.time:
            if not (column.text or column.type == "BIGINT") or column.distinct <= 2:
                continue
            if has(column.name, GROUPS) or words(column.name)[-1] in PEOPLE_NOT:
                continue
            # Customer interactions are no customer.
            named = is_id(column.name) or words(column.name)[-1] in PEOPLE
            if column.number and not named:
                continue
            # 4000 Sales is an account of a ledger.
            numbered = column.text and column.smallest[:1].isdigit()
            if numbered and words(column.name)[-1] == "account":
                continue
            person = next(word for word in words(column.name) if word in PEOPLE)
            if person not in name_by_person or is_id(column.name):
                name_by_person.setdefault(person, column.name)
                if is_id(column.name) and not is_id(name_by_person[person]):
                    name_by_person[person] = column.name
    return list(name_by_person.values())
