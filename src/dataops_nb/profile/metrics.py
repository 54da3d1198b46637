"""Metrics that a file's rows suggest: how many, how much, how many people, which part of a whole, how many are open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_nb.profile.names import (
    AVERAGED,
    CURRENCIES,
    ENDED,
    MONEY,
    PEOPLE,
    column,
    has,
    plural,
    slug,
    title,
    words,
)
from dataops_nb.profile.tables import Table, find_parts
from dataops_nb.sources import Catalog

MOST_SUMS = 6
MOST_AVERAGES = 3
MOST_RATIOS = 2
INDICATOR = frozenset(["indicator", "metric", "measure", "kpi", "series"])
AIM = frozenset(["target", "goal", "plan", "budget"])
PAST = {"end": "ended", "close": "closed", "until": "ended"}
WEEK, MONTH = 7, 30
MONTHLY = ["month", "quarter", "year"]


@dataclass(frozen=True)
class Proposed:
    """A metric as it is written into a department, with the reason for it; `weight` sorts the North Star."""

    id: str
    definition: dict[str, Any]
    why: str
    weight: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Indicators:
    """A long table of indicators as it is written under `metrics_from`, with the reason for it."""

    definition: dict[str, Any]
    why: str


def propose(catalog: Catalog, table: Table, taken: Collection[str]) -> list[Proposed]:
    """The metrics of one dated source, none of them named like one that is taken."""
    if table.time is None:
        return []
    names = set(taken)
    made: list[Proposed] = []
    for name, definition, why, weight in _all(catalog, table):
        unique = slug(name if name not in names else f"{table.name}_{name}", names)
        names.add(unique)
        made.append(
            Proposed(
                unique, {"label": title(unique), **definition, **_shared(table, definition)}, why, weight, table.rows
            )
        )
    by_name = {p.id: p for p in made}
    return [*made, *_ratios(catalog, table, by_name, names)]


def _shared(table: Table, definition: dict[str, Any]) -> dict[str, Any]:
    more: dict[str, Any] = {"by": table.dimensions} if table.dimensions else {}
    return {**more, **({"grains": MONTHLY} if table.monthly else {})}


Suggested = tuple[str, dict[str, Any], str, int]


def _all(catalog: Catalog, table: Table) -> Iterator[Suggested]:
    noun = plural(table.name)
    yield from _sums(table)
    if table.counted or not table.sums:
        yield noun, _simple(table, "count", unit=noun.replace("_", " ")), "each row is one of them", 2
    yield from _ended(table, noun)
    for name in table.people:
        who = next(word for word in words(name) if word in PEOPLE)
        unit = plural(who)
        yield (
            f"active_{unit}",
            _simple(table, "count_distinct", name, unit=unit),
            f"{name} repeats, so it is somebody",
            1,
        )
        yield (
            f"new_{unit}",
            _simple(table, "first_seen", name, unit=unit),
            f"values of {name} that were never there before",
            3 if _keeps_coming(table, name) else 1,
        )
    for name in [n for n in table.averages if not has(n, {"price"})][:MOST_AVERAGES]:
        yield f"average_{slug(name)}", _simple(table, "average", name), f"{name} is no amount that adds up", 0


def _keeps_coming(table: Table, name: str) -> bool:
    """Whether somebody new comes in a period, on average: a headline that mostly says zero tells nothing."""
    distinct = next(column.distinct for column in table.columns if column.name == name)
    days = (table.last - table.first).days + 1 if table.first and table.last else 0
    return distinct * (MONTH if table.monthly else WEEK) >= days


def _sums(table: Table) -> Iterator[Suggested]:
    for name in table.sums[:MOST_SUMS]:
        money = has(name, MONEY)
        why = f"{name} is a number that adds up" + (", by its name an amount of money" if money else "")
        yield slug(name), _simple(table, "sum", name, unit=currency(name) if money else ""), why, 4 if money else 1


def currency(name: str) -> str:
    """The currency that a column's name says; empty where it says none."""
    return next((word.upper() for word in words(name) if word in CURRENCIES), "")


def _ended(table: Table, noun: str) -> Iterator[Suggested]:
    if table.ended is None or table.time is None:
        return
    word = next(PAST.get(w, w) for w in words(table.ended) if w in ENDED)
    yield f"{noun}_{word}", _simple(table, "count", time=table.ended, unit=noun), f"{table.ended} has a day", 1
    measure = {"source": table.name, "agg": "count", "open": {"from": table.time, "to": table.ended}, "at": "end"}
    definition = {"type": "simple", "measure": measure, "unit": noun}
    yield f"{noun}_open", definition, f"{table.time} has come and {table.ended} has not", 1


def _simple(
    table: Table, agg: str, name: str | None = None, *, unit: str = "", time: str | None = None
) -> dict[str, Any]:
    measure = {
        "source": table.name,
        "agg": agg,
        **({"expr": column(name)} if name else {}),
        **({"time": time} if time else {}),
    }
    return {"type": "simple", "measure": measure, **({"unit": unit} if unit else {})}


def _ratios(catalog: Catalog, table: Table, made: dict[str, Proposed], names: set[str]) -> Iterator[Proposed]:
    """A part of a whole: a sum over another that no row exceeds."""
    summed = {p.definition["measure"]["expr"]: p.id for p in made.values() if p.definition["measure"]["agg"] == "sum"}
    pairs = [pair for pair in find_parts(catalog, table) if all(column(name) in summed for name in pair)]
    parts = {part for part, _ in pairs}
    plain = [(part, whole) for part, whole in pairs if whole not in parts][:MOST_RATIOS]
    for part, whole in plain:
        name = slug(f"{part}_share", names)
        names.add(name)
        ratio = {
            "type": "ratio",
            "numerator": summed[column(part)],
            "denominator": summed[column(whole)],
            "unit": "percent",
        }
        why = f"{part} is never more than {whole}, as a part of it"
        yield Proposed(
            name,
            {"label": f"{title(part)} as a share of {title(whole).lower()}", **ratio, **_shared(table, ratio)},
            why,
        )


def find_indicators(table: Table) -> Indicators | None:
    """A long table: a column of names that repeats over time, and one column with the value of each."""
    ids = [c for c in table.columns if has(c.name, INDICATOR) and c.text and c.distinct > 2]
    named = next((c for c in ids if c.name in table.key), None) or next(iter(ids), None)
    values = [name for name in [*table.sums, *table.averages] if not has(name, AIM)]
    if named is None or table.time is None or len(values) != 1:
        return None
    labels = [c.name for c in ids if c is not named and c.distinct == named.distinct]
    aims = [c.name for c in table.columns if c.number and has(c.name, AIM)]
    definition = {
        "source": table.name, "id": named.name, "prefix": f"{table.name}_", **({"label": labels[0]} if labels else {}),
        "expr": column(values[0]), "agg": "average" if has(values[0], AVERAGED) else "sum",
        **({"target": aims[0]} if aims else {}),
    }  # fmt: skip
    return Indicators(definition, f"{named.distinct:,} names in {named.name}, and one number, {values[0]}, of each")


def choose_north_star(proposed: Sequence[Proposed], most: int = 3) -> list[str]:
    """The few that say most about a company: money first, then new people, then how many things happened most often."""
    ranked = sorted(proposed, key=lambda p: (-p.weight, -p.rows))
    chosen: list[Proposed] = []
    for one in ranked:
        if one.weight and one.weight not in [c.weight for c in chosen]:
            chosen.append(one)
    return [p.id for p in (chosen or list(proposed)[:1])[:most]]
