"""Find columns of one file that point at rows of another: by their values, and by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dataops_nb.profile.amounts import GOOD_MONEY, find_amounts
from dataops_nb.profile.columns import Column, quote
from dataops_nb.profile.names import IDS, is_id, plural, word_set, words
from dataops_nb.profile.tables import Guess, Table
from dataops_nb.sources.catalog import Catalog

LEAST_VALUES = 5
MOST_LOST = 0.3
SHOWN = 5
TITLES = frozenset(["name", "title", "company", "organization", "account", "domain"])
# Who does something for a company, as columns call them, and where all of them are listed.
ROLES = word_set("rep agent manager owner assignee salesperson supervisor employee user handler")
STAFF = word_set("employee employees user users staff agent agents")
IGNORED = word_set("primary associated deal record the of a x n")


@dataclass(frozen=True)
class Reference:
    """A column of one source whose values are those of a column of another."""

    source: str
    column: str
    target: str
    key: str


def find_references(
    catalog: Catalog, tables: Sequence[Table]
) -> Iterator[tuple[Reference | None, Guess]]:
    """Yield each column that points at another table, its own key aside.

    The reference is None where some values are not found there. A table is referred to once by a
    table: by an id before a name.
    """
    for table in tables:
        for target in tables:
            if target is not table:
                yield from _look_at(catalog, table, target)


def _look_at(
    catalog: Catalog, table: Table, target: Table
) -> Iterator[tuple[Reference | None, Guess]]:
    pairs = []
    for goal in _goals(target):
        for column in table.columns:
            if _may_point(table, column, target, goal):
                pairs.append((column, goal))
    misses: list[Guess] = []
    for column, goal in pairs:
        reference, guess = _look_up(catalog, table, column, target, goal)
        if reference is not None:
            yield reference, guess
            return
        if guess.why and [column.name] != table.key:
            misses.append(guess)
    for guess in misses[:1]:
        yield None, guess


def _goals(target: Table) -> list[Column]:
    """Return the columns that may be referred to: the key, then unique names."""
    goals = []
    if len(target.key) == 1:
        goals.append(target.column(target.key[0]))
    for column in target.columns:
        unique = column.text and column.values == column.distinct == target.rows > 1
        named = not TITLES.isdisjoint(words(column.name)[-1:])
        if unique and named and column not in goals:
            goals.append(column)
    return goals


def _may_point(table: Table, column: Column, target: Table, goal: Column) -> bool:
    """Return whether a column's name, or the look of its values, means another table's rows."""
    own_key = [column.name] == table.key and not _shares_key(table, column, target)
    if own_key or column.time or not column.values:
        return False
    if not (column.text or column.type == "BIGINT") or column.type != goal.type:
        return False
    if _names_key(column.name, target, goal.name):
        return True
    own = set(words(column.name)) - IDS - IGNORED
    nouns = _nouns(target, goal)
    if own & ROLES and nouns & STAFF and is_id(column.name) and [goal.name] == target.key:
        return True
    if own & nouns:
        return is_id(column.name) or goal.name != (target.key or [""])[0]
    strong = goal.text and column.distinct >= LEAST_VALUES and _is_id_text(column)
    return strong and is_id(goal.name) and is_id(column.name)


def _shares_key(table: Table, column: Column, target: Table) -> bool:
    """Return whether rows have the key of rows of another table, which has more of them."""
    telling = set(words(column.name)) - IDS - IGNORED
    return bool(telling) and target.key == [column.name] and target.rows > table.rows


def _is_id_text(column: Column) -> bool:
    """Return whether texts look like made ids: letters with digits, or long."""
    value = column.smallest
    return any(sign.isdigit() for sign in value) and len(value) >= LEAST_VALUES


def _nouns(target: Table, goal: Column) -> set[str]:
    """Return the words that name a table's rows, in the singular and the plural."""
    nouns = set()
    own = [*words(target.name), *words(goal.name)]
    if target.system:
        own += words(target.system.noun)
    for word in own:
        if word in IDS or word in IGNORED or word in ("name", "export", "data", "dataset", "title"):
            continue
        nouns |= {word, plural(word), word.removesuffix("s")}
        if word.endswith("ies"):
            nouns.add(f"{word[:-3]}y")
    return nouns


def _names_key(column_name: str, target: Table, key: str) -> bool:
    """Return whether a column is named like the target's key, or like the target and its key.

    `customer_code` names the key `customer_code` anywhere, and the key `code` of customers.
    """
    column_words = words(column_name)
    key_words = words(key)
    if len(key_words) > 1:
        return column_words == key_words
    if len(column_words) < 2 or column_words[-1:] != key_words[-1:]:
        return False
    *leading, noun, _ = column_words
    return len(key_words) == 1 and [*leading, plural(noun)] == words(target.name)


def _look_up(
    catalog: Catalog, table: Table, column: Column, target: Table, goal: Column
) -> tuple[Reference | None, Guess]:
    name, key = quote(column.name), quote(goal.name)
    inside = f"(select cast({key} as varchar) from {quote(target.name)} where {key} is not null)"
    missing = f"{name} is not null and cast({name} as varchar) not in {inside}"
    query = f"select count({name}), count(*) filter (where {missing}) from {quote(table.name)}"
    ((values, lost),) = catalog.ask(query, table.name, target.name)
    about = f"{table.name}.{column.name}"
    meant = f"references {target.name}.{goal.name}"
    if not lost:
        guess = Guess(about, meant, f"each of {values:,} values is found there")
        return Reference(table.name, column.name, target.name, goal.name), guess
    is_name = goal.name not in target.key
    if lost > values * MOST_LOST and (is_name or not _names_key(column.name, target, goal.name)):
        return None, Guess(about, "", "")
    query = (
        f"select cast({name} as varchar) as v, count(*) as n from {quote(table.name)} "
        f"where {missing} group by 1 order by n desc, v limit {SHOWN}"
    )
    unknown = [value for value, _ in catalog.ask(query, table.name, target.name)]
    why = (
        f"looks like it {meant}, but {lost:,} of {values:,} values are not found there "
        f"({', '.join(unknown)}): a join would lose their rows"
    )
    spelled = _respell(catalog, target, goal, unknown)
    if spelled:
        pairs = ", ".join(f"{old}: {new}" for old, new in spelled.items())
        why += f"; for another spelling, paste map: {{{pairs}}}"
    return None, Guess(about, "", why)


def list_dated(
    references: Sequence[Reference], tables: Mapping[str, Table]
) -> list[tuple[str, dict[str, str], str]]:
    """Return joins that give rows with money but without a time that of what they belong to.

    Each has a name, its options as a source, and the reason. A left join loses no row.
    """
    dated: list[tuple[str, dict[str, str], str]] = []
    for reference in references:
        table, target = tables[reference.source], tables[reference.target]
        counted = find_amounts(target)
        has_money = any(amount.rank >= GOOD_MONEY and not amount.taken_off for amount in counted)
        own = find_amounts(table)
        wants_time = any(amount.rank >= GOOD_MONEY and not amount.taken_off for amount in own)
        if table.time or not target.time or has_money or not wants_time:
            continue
        name = f"{table.name}_dated"
        if any(name == other for other, _, _ in dated):
            continue
        query = (
            f"select a.*, b.{quote(target.time)} from {quote(table.name)} a left join "
            f"{quote(target.name)} b on a.{quote(reference.column)} = b.{quote(reference.key)}"
        )
        why = (
            f"{table.name} has no time of its own, so its rows get {target.time} of {target.name}; "
            "a left join, so that none is lost"
        )
        dated.append((name, {"query": query}, why))
    return dated


def _respell(
    catalog: Catalog, target: Table, goal: Column, unknown: Sequence[str]
) -> dict[str, str]:
    """Return for values that are not found the one that is written alike, signs aside."""
    if not goal.text:
        return {}
    query = f"select distinct {quote(goal.name)} from {quote(target.name)}"
    by_letters = {_letters(str(value)): str(value) for (value,) in catalog.ask(query, target.name)}
    spelled = {}
    for value in unknown:
        known = by_letters.get(_letters(value))
        if known is not None:
            spelled[value] = known
    return spelled


def _letters(value: str) -> str:
    return "".join(sign for sign in value.casefold() if sign.isalnum())
