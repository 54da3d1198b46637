"""As of a day: rows that were known later change nothing, and a row says since when it is known."""

from __future__ import annotations

import datetime as dt
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dataops_nb import alignment, definitions, sources
from tests.sources.test_delimited import define

START = dt.date(2026, 11, 2)
COMPANY = """
company: Test
timezone: UTC
sources:
  log: {system: Shop, path: log.csv, time: day}
  deals: {system: CRM, path: deals.csv, time: day, key: id, latest: updated}
  plans: {system: CRM, path: plans.csv, time: due, exists_from: booked, key: [id, due], duplicates: keep}
  spans: {system: Billing, path: spans.csv, time: opened}
  joined: {system: Both, query: "select log.day, log.v, deals.amount from log join deals using (id)", time: day}
  booked: {system: Both, query: "select log.day, plans.v from log join plans using (id)", time: day}
  exports: {system: CRM, path: "exports-{snapshot}.csv", time: day}
"""
METRICS = """
department: D
defaults: {source: log}
metrics:
  total: {type: simple, measure: {agg: sum, expr: v}}
  rows: {type: simple, measure: {agg: count}}
  ids: {type: simple, measure: {agg: count_distinct, expr: id}}
  new: {type: simple, measure: {agg: first_seen, expr: id}}
  middle: {type: simple, measure: {agg: median, expr: v}}
  stock: {type: simple, measure: {agg: sum, expr: v, at: end}}
  trailing: {type: cumulative, metric: total, window: 3 days}
  won: {type: simple, measure: {source: deals, agg: sum, expr: amount}}
  deals: {type: simple, measure: {source: deals, agg: count}}
  due: {type: simple, measure: {source: plans, agg: sum, expr: v}}
  open: {type: simple, measure: {source: spans, agg: count, open: {from: opened, to: closed}, at: end}}
  both: {type: simple, measure: {source: joined, agg: sum, expr: v * amount}}
  planned: {type: simple, measure: {source: booked, agg: sum, expr: v}}
  exported: {type: simple, measure: {source: exports, agg: sum, expr: v}}
"""
OFFSETS = st.integers(0, 9)
Row = tuple[Any, ...]


@st.composite
def versions(draw: Any) -> list[Row]:
    """Rows `id day updated amount`: each deal as it was made, and as it was changed later."""
    rows = []
    for key in range(draw(st.integers(0, 4))):
        made = draw(OFFSETS)
        for changed in sorted({made, *draw(st.sets(st.integers(made, 9), max_size=3))}):
            day = draw(st.integers(0, 9)) if changed > made else made
            rows.append((key, min(day, changed), changed, draw(st.integers(1, 9))))
    return draw(st.permutations(rows))


LOGS = st.lists(st.tuples(OFFSETS, st.integers(0, 3), st.integers(1, 9)), max_size=8)
PLANS = st.lists(
    st.tuples(st.none() | OFFSETS, OFFSETS, st.integers(0, 3), st.integers(1, 9)), max_size=6
)
SPANS = st.lists(st.tuples(OFFSETS, st.none() | OFFSETS), max_size=6)


def write(path: Path, header: str, rows: list[Row], days: set[int]) -> None:
    """Write rows; the cells in `days` are offsets of days, and None is empty."""
    lines = [header]
    for row in rows:
        cells = []
        for place, cell in enumerate(row):
            is_day = place in days and cell is not None
            cells.append(
                "" if cell is None else str(START + dt.timedelta(cell)) if is_day else str(cell)
            )
        lines.append(",".join(cells))
    path.write_text("\n".join(lines) + "\n")


def measure(folder: Path, data: dict[str, list[Row]], as_of: int) -> pd.DataFrame:
    """Every metric by day as of a day."""
    write(folder / "log.csv", "day,id,v", data["log"], {0})
    write(folder / "deals.csv", "id,day,updated,amount", data["deals"], {1, 2})
    write(folder / "plans.csv", "booked,due,id,v", data["plans"], {0, 1})
    write(folder / "spans.csv", "opened,closed", data["spans"], {0, 1})
    known = definitions.load(folder / "params")
    with sources.open(known, folder, START + dt.timedelta(as_of)) as catalog:
        assert catalog.check() == []
        return alignment.align(
            catalog, list(known.metrics), grain="day", end=START + dt.timedelta(9)
        )


@pytest.fixture(scope="module")
def workbench() -> Any:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "params" / "departments").mkdir(parents=True)
        (folder / "params" / "company.yaml").write_text(COMPANY)
        (folder / "params" / "departments" / "d.yaml").write_text(METRICS)
        for offset in (0, 4, 8):
            day = START + dt.timedelta(offset)
            write(folder / f"exports-{day}.csv", "day,v", [(n, offset + n) for n in range(10)], {0})
        yield folder


@pytest.mark.long
@settings(
    max_examples=settings().max_examples // 10, phases=[Phase.generate]
)  # each is two companies of fourteen metrics
@given(log=LOGS, deals=versions(), plans=PLANS, spans=SPANS, as_of=OFFSETS)
def test_rows_known_later_change_nothing(
    workbench: Path,
    log: list[Row],
    deals: list[Row],
    plans: list[Row],
    spans: list[Row],
    as_of: int,
) -> None:
    everything = {"log": log, "deals": deals, "plans": plans, "spans": spans}
    by_then = {
        "log": [row for row in log if row[0] <= as_of],
        "deals": [row for row in deals if row[2] <= as_of],
        "plans": [row for row in plans if row[0] is None or row[0] <= as_of],
        "spans": [row for row in spans if row[0] <= as_of],
    }
    pd.testing.assert_frame_equal(
        measure(workbench, everything, as_of), measure(workbench, by_then, as_of)
    )


# --- versions of a key ---------------------------------------------------------------------------

ITEMS = "order_id,booked,ship_by,price\n1,2026-11-02,2026-11-05,100\n2,2026-11-03,2026-12-05,150\n"
VERSIONS = "id,day,updated,amount\n1,2026-11-02,2026-11-02,10\n1,2026-11-02,2026-11-20,12\n"


@pytest.mark.parametrize(
    ("as_of", "amounts"),
    [("2026-11-15", [10]), ("2026-11-20", [12])],
)
def test_the_latest_version_is_the_latest_that_was_known(
    tmp_path: Path, as_of: str, amounts: list[int]
) -> None:
    (tmp_path / "a.csv").write_text(VERSIONS)
    source = {"path": "a.csv", "time": "day", "key": "id", "latest": "updated"}
    with sources.open(define(source), tmp_path, dt.date.fromisoformat(as_of)) as catalog:
        assert catalog.check() == []
        assert list(catalog.fetch("select amount from s")["amount"]) == amounts
        notices = [str(notice) for notice in catalog.notices("s")]
    assert len(notices) == (as_of == "2026-11-20")  # a version of later is no older row


def test_a_key_of_which_only_later_versions_are_known_has_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        VERSIONS + "2,2026-11-03,2026-11-21,7\n2,2026-11-03,2026-11-22,8\n"
    )
    source = {"path": "a.csv", "time": "day", "key": "id", "latest": "updated"}
    with sources.open(define(source), tmp_path, dt.date(2026, 11, 10)) as catalog:
        assert catalog.check() == []
        rows = catalog.fetch("select id, amount from s order by id").to_dict("records")
    assert rows == [{"id": 1, "amount": 10}, {"id": 2, "amount": 7}]


@pytest.mark.parametrize("scheme", ["duckdb", "sqlite"])
def test_versions_and_bookings_hold_in_databases_as_they_do_in_files(
    tmp_path: Path, scheme: str
) -> None:
    connect: Any = duckdb.connect if scheme == "duckdb" else sqlite3.connect
    con = connect(str(tmp_path / "shop.db"))
    con.execute("create table v (id integer, day date, updated date, amount integer)")
    con.execute("create table i (order_id integer, booked date, ship_by date, price integer)")
    for table, text in (("v", VERSIONS), ("i", ITEMS)):
        for line in text.splitlines()[1:]:
            cells = line.split(",")
            con.execute(f"insert into {table} values (?, ?, ?, ?)", cells)
    con.commit()
    con.close()
    place = {"url": f"{scheme}:shop.db"}
    versions = {"time": "day", "key": "id", "latest": "updated", "table": "v", **place}
    for day, amount in ((15, 10), (20, 12)):
        with sources.open(define(versions), tmp_path, dt.date(2026, 11, day)) as catalog:
            assert catalog.check() == []
            assert list(catalog.fetch("select amount from s")["amount"]) == [amount]
    items = {"time": "ship_by", "exists_from": "booked", "table": "i", **place}
    for day, price in ((2, 100), (8, 250)):
        with sources.open(define(items), tmp_path, dt.date(2026, 11, day)) as catalog:
            assert catalog.check() == []
            assert list(catalog.fetch("select sum(price) as v from s")["v"]) == [price]
            assert catalog.coverage("s").last in (None, dt.date(2026, 11, day))


# --- since when a row is known -------------------------------------------------------------------


def items(folder: Path, as_of: str, **more: Any) -> sources.Catalog:
    (folder / "a.csv").write_text(ITEMS)
    measure = {"agg": "sum", "expr": "price"}
    source = {"path": "a.csv", "time": "ship_by", **more}
    return sources.open(define(source, measure), folder, dt.date.fromisoformat(as_of))


def test_a_deadline_empties_no_join_where_rows_exist_from_their_booking(tmp_path: Path) -> None:
    with items(tmp_path, "2026-11-08") as catalog:
        assert catalog.fetch("select sum(price) as v from s")["v"][0] == 100
    with items(tmp_path, "2026-11-08", exists_from="booked") as catalog:
        assert catalog.fetch("select sum(price) as v from s")["v"][0] == 250
    with items(tmp_path, "2026-11-02", exists_from="booked") as catalog:
        assert catalog.fetch("select sum(price) as v from s")["v"][0] == 100


def test_coverage_then_ends_at_as_of(tmp_path: Path) -> None:
    with items(tmp_path, "2026-11-20", exists_from="booked") as catalog:
        covered = catalog.coverage("s")
    assert (covered.first, covered.last) == (dt.date(2026, 11, 5), dt.date(2026, 11, 20))
    assert covered.last_row == dt.date(2026, 11, 3)


def test_what_is_known_is_also_what_is_fresh(tmp_path: Path) -> None:
    two_days = {"count": 2, "unit": "day"}
    with items(tmp_path, "2026-11-05", exists_from="booked", fresh_within=two_days) as catalog:
        assert not catalog.coverage("s").stale
    with items(tmp_path, "2026-11-07", exists_from="booked", fresh_within=two_days) as catalog:
        assert catalog.coverage("s").stale


def test_an_empty_cell_is_a_row_that_was_always_known(tmp_path: Path) -> None:
    with items(tmp_path, "2026-10-01", exists_from="booked") as catalog:
        assert catalog.fetch("select count(*) as n from s")["n"][0] == 0
    (tmp_path / "b.csv").write_text("booked,day,v\n,2026-11-05,1\n2026-11-03,2026-11-05,2\n")
    source = {"path": "b.csv", "time": "day", "exists_from": "booked"}
    with sources.open(define(source), tmp_path, dt.date(2026, 10, 1)) as catalog:
        assert list(catalog.fetch("select v from s")["v"]) == [1]


def test_a_misspelt_exists_from_is_named_with_the_nearest(tmp_path: Path) -> None:
    with items(tmp_path, "2026-11-08", exists_from="boked") as catalog:
        (fault,) = catalog.check()
    assert "'boked' (exists_from:; did you mean 'booked'" in str(fault)
