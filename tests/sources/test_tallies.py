"""What is not counted of a long table changes no column's type."""

from __future__ import annotations

import duckdb
import pytest

from dataops_nb.definitions.models import Source
from dataops_nb.sources import tallies
from dataops_nb.sources.evidence import Raw
from dataops_nb.sources.kinds import Shapes
from dataops_nb.sources.needs import Need
from dataops_nb.sources.types import type_columns

ROWS = 30_000
# The text of row i; `late` are the rows of the last 0.5 %, `some` those of 2 % all over.
LATE = f"i >= {ROWS * 0.995}"
COLUMNS = {
    "integers": "cast(i as varchar)",
    "late_fractions": f"case when {LATE} then '1.5' else cast(i as varchar) end",
    "late_zeros": f"case when {LATE} then '007' else cast(i as varchar) end",
    "late_huge": f"case when {LATE} then '99999999999999999999' else '1.5' end",
    "late_texts": f"case when {LATE} then 'none' else '1.5' end",
    "some_texts": "case when i % 50 = 0 then 'none' else '1.5' end",
    "numbers_after_texts": "case when i < 200 then 'none' else '1.5' end",
    "days": "cast(date '2026-01-01' + cast(i as int) % 300 as varchar)",
    "late_stamps": f"case when {LATE} then '2026-01-01 10:00:00' else '2026-01-01' end",
    "late_instants": f"case when {LATE} then '2026-01-01T10:00:00Z' else '2026-01-01 10:00' end",
    "instants": "'2026-01-01T10:00:00.000Z'",
    "truths": "case when i % 2 = 0 then 'true' else 'FALSE' end",
    "late_untruths": f"case when {LATE} then 'maybe' else 'true' end",
    "texts": "'shop ' || i",
    "empty": "cast(null as varchar)",
    "late_values": f"case when {LATE} then '5' end",
}


@pytest.fixture(scope="module")
def shop():
    con = duckdb.connect()
    chosen = ", ".join(f"{text} as {name}" for name, text in COLUMNS.items())
    con.execute(f"create table shop as select {chosen} from range({ROWS}) r(i)")
    return con


def types(con, columns):
    chosen = ", ".join(columns)
    scan = f"select {chosen} from shop"
    relation = f"select {chosen}, rowid as _nb_row from shop"
    raw = Raw(relation, scan, dict.fromkeys(columns, "VARCHAR"), [], {}, ROWS)
    raw.infer.update(dict.fromkeys(columns, "all"))
    return type_columns(con, "shop", Source(system="shop", path="shop.csv"), raw, Need()).columns


@pytest.mark.parametrize("column", COLUMNS)
def test_a_type_is_the_one_that_a_count_of_all_kinds_gives(shop, column, monkeypatch):
    looked = types(shop, [column])
    monkeypatch.setattr(tallies, "LEAST_ROWS", ROWS)
    assert looked == types(shop, [column])


@pytest.mark.parametrize("column", COLUMNS)
def test_the_cast_of_values_that_all_parse_makes_what_parsing_them_makes(shop, column):
    decided = types(shop, [column])[column]
    if decided.rule:
        assert not decided.cast
        return
    cast = decided.cast or decided.expr
    differ = f"({cast}) is distinct from ({decided.expr}) or typeof({cast}) <> '{decided.type}'"
    assert shop.execute(f"select count(*) from shop where {differ}").fetchone() == (0,)


ODD = [
    "+-100",
    "8\x0b",
    "1_000",
    "5.",
    ".5",
    "-.5",
    "+5",
    "1e400",
    "nan",
    "-inf",
    "0x1F",
    "1 000",
    " 7 ",
]
ODD += ["2026-01-2T 06:10:43", " 026-01-02 06:10:43", "2026-01-02 06:10:4.", "2026-13-02 06:10:43"]


@pytest.mark.parametrize("kind", tallies.USUAL)
def test_what_is_quickly_taken_for_a_kind_is_one_by_its_pattern(kind):
    con = duckdb.connect()
    con.execute("create table odd as select unnest(?::varchar[]) as v", [ODD])
    parsed = getattr(Shapes(), kind)("v")
    query = f"select v from odd where {tallies.USUAL[kind].format('v')} and ({parsed}) is null"
    assert con.execute(query).fetchall() == []
