"""Kept aggregates: a second run gives what one without a cache gives, and reads no file again."""

from __future__ import annotations

import csv
import datetime as dt
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dataops_nb import alignment, definitions, sources, workbench
from dataops_nb.errors import DataError
from dataops_nb.sources import fingerprints
from dataops_nb.sources.cache import NAME, Store
from dataops_nb.sources.source import SourceReader
from tests.conftest import LIGHTS

pytestmark = pytest.mark.long

COMPANY = """
company: Test
timezone: {zone}
calendar: {{week_starts: {week}}}
{lights}
rates: {{source: fx, time: day, from: currency, to: USD, rate: rate, fill: previous}}
sources:
  events:
    path: "events*.csv"
    system: log
    time: at
    timezone: UTC
    key: id
    columns: {{account: {{references: accounts.id}}}}
  accounts: {{path: accounts.csv, system: CRM}}
  fx: {{path: fx.csv, system: bank, time: day}}
  joined:
    query: "select e.*, a.region from events e join accounts a on e.account = a.id"
    system: both
    time: at
    timezone: UTC
  long: {{path: long.csv, system: city, time: day}}
"""
METRICS = """
department: Dept
defaults: {source: events, lights: standard}
metrics:
  rows: {type: simple, measure: {agg: count}, by: [kind]}
  amount: {type: simple, measure: {agg: sum, expr: v, filter: "kind <> 'x'"}}
  money: {type: simple, measure: {agg: sum, expr: v, currency: cur}}
  people: {type: simple, measure: {agg: count_distinct, expr: account}, by: [kind]}
  east:
    type: simple
    measure: {source: joined, agg: count, filter: "region = 'East'"}
    by: [region]
  year: {type: cumulative, metric: amount, window: 2 months}
metrics_from:
  - {source: long, id: id, prefix: i_, expr: v, agg: sum, at: end, target: goal}
"""
EVENTS = [
    ("id", "at", "account", "kind", "v", "cur"),
    (1, "2026-01-05 04:30:00", 1, "a", 10, "USD"),
    (2, "2026-01-11 12:00:00", 2, "b", 20, "EUR"),
    (3, "2026-02-02 03:00:00", 1, "a", 30, "EUR"),
    (4, "2026-02-20 12:00:00", 2, "x", 40, "USD"),
]
FILES = {
    "events.csv": EVENTS,
    "accounts.csv": [("id", "region"), (1, "East"), (2, "West")],
    "fx.csv": [("day", "currency", "rate"), ("2026-01-01", "EUR", 2), ("2026-02-01", "EUR", 3)],
    "long.csv": [("id", "day", "v", "goal"), ("p", "2026-01-31", 1, 2), ("q", "2026-01-31", 3, 4)],
}


def write(root: Path, name: str, rows: list[tuple]) -> None:
    with (root / name).open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    # a file of the last two seconds may still be being written
    old = time.time() - 3600 - len(rows)
    os.utime(root / name, (old, old))


@pytest.fixture
def company(tmp_path):
    (tmp_path / "params" / "departments").mkdir(parents=True)
    define(tmp_path)
    for name, rows in FILES.items():
        write(tmp_path, name, rows)
    return tmp_path


def define(
    root: Path, *, zone: str = "America/New_York", week: str = "monday", metrics: str = METRICS
) -> None:
    (root / "params" / "company.yaml").write_text(
        COMPANY.format(zone=zone, week=week, lights=LIGHTS)
    )
    (root / "params" / "departments" / "dept.yaml").write_text(metrics)


def results(
    root: Path, keep: Path | None, as_of: str = "2026-02-28", grain: str = "month"
) -> pd.DataFrame:
    """Return the results of a run as one table, with its notices and provenance."""
    declared = definitions.load(root / "params")
    with sources.open(declared, root, dt.date.fromisoformat(as_of), keep=keep) as catalog:
        names = list(catalog.company.metrics)
        table = alignment.add_targets(alignment.align(catalog, names, grain=grain), catalog)
        notices = "; ".join(map(str, catalog.notices()))
        traced = catalog.provenance().to_json()
    return table.assign(notices=notices, traced=traced)


def assert_same(root: Path, keep: Path, **options: str) -> None:
    pd.testing.assert_frame_equal(results(root, keep, **options), results(root, None, **options))


def loads(monkeypatch) -> list[str]:
    """Return a list that fills with the sources that are really read from now on."""
    names, read = [], SourceReader.read

    def note_and_read(reader: SourceReader, *earlier: Any) -> None:
        names.append(reader._loaded.name)
        read(reader, *earlier)

    monkeypatch.setattr(SourceReader, "read", note_and_read)
    return names


def test_an_unchanged_company_is_not_read_again_and_says_the_same(company, monkeypatch):
    keep = company / "cache"
    first = results(company, keep)
    read = loads(monkeypatch)
    second = results(company, keep)
    assert read == []
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(first, results(company, None))


def test_a_touched_file_with_the_same_content_is_unchanged(company, monkeypatch):
    keep = company / "cache"
    results(company, keep)
    os.utime(company / "events.csv", (1_700_000_000, 1_700_000_000))
    read = loads(monkeypatch)
    results(company, keep)
    assert read == []


EDITED_FILES = {
    "a row": ("events.csv", [*EVENTS, (5, "2026-02-21 12:00:00", 1, "a", 5, "USD")]),
    "a value of the same length": ("events.csv", [*EVENTS[:-1], (*EVENTS[-1][:4], 41, "USD")]),
    "another file of a glob": (
        "events2.csv",
        [EVENTS[0], (9, "2026-02-03 12:00:00", 1, "a", 7, "USD")],
    ),
    "what a query joins": ("accounts.csv", [("id", "region"), (1, "West"), (2, "East")]),
    "a rate": ("fx.csv", [*FILES["fx.csv"], ("2026-02-02", "EUR", 5)]),
    "an indicator": ("long.csv", [*FILES["long.csv"], ("r", "2026-02-15", 5, 6)]),
}
MORE_METRICS = "metrics:\n  most: {type: simple, measure: {agg: max, expr: v}}\n"
EDITED_DEFINITIONS = {
    "a filter": {"metrics": METRICS.replace("kind <> 'x'", "kind <> 'a'")},
    "a new metric": {"metrics": METRICS.replace("metrics:\n", MORE_METRICS)},
    "the calendar": {"week": "sunday"},
    "the time zone": {"zone": "Asia/Tokyo"},
}
RARE = ["another file of a glob", "what a query joins", "an indicator", "a new metric"]
COMMON = [name for name in [*EDITED_FILES, *EDITED_DEFINITIONS] if name not in RARE]


@pytest.mark.parametrize("edit", COMMON)
def test_after_an_edit_a_run_with_a_cache_gives_what_one_without_gives(company, edit):
    assert_an_edit_shows(company, edit)


@pytest.mark.slow
@pytest.mark.parametrize("edit", RARE)
def test_after_a_rare_edit_a_run_with_a_cache_gives_what_one_without_gives(company, edit):
    assert_an_edit_shows(company, edit)


def assert_an_edit_shows(company: Path, edit: str) -> None:
    keep = company / "cache"
    before = results(company, keep, grain="week")
    if edit in EDITED_FILES:
        write(company, *EDITED_FILES[edit])
    else:
        define(company, **EDITED_DEFINITIONS[edit])
    after = results(company, keep, grain="week")
    pd.testing.assert_frame_equal(after, results(company, None, grain="week"))
    assert not before.equals(after)


def test_another_day_and_a_day_before_are_told_apart(company):
    keep = company / "cache"
    assert_same(company, keep, as_of="2026-02-28")
    assert_same(company, keep, as_of="2026-02-10")


def test_a_source_that_did_not_change_stays_asleep_beside_one_that_did(company, monkeypatch):
    keep = company / "cache"
    results(company, keep)
    write(company, "long.csv", [*FILES["long.csv"], ("p", "2026-02-15", 5, 6)])
    read = loads(monkeypatch)
    results(company, keep)
    assert read == ["long"]


def test_a_fault_is_found_again_in_every_run(company):
    keep = company / "cache"
    write(company, "events.csv", [*EVENTS, (4, "2026-02-20 12:00:00", 2, "x", 99, "USD")])
    for _ in range(2):
        with pytest.raises(DataError, match="share this key"):
            results(company, keep)
    write(company, "events.csv", EVENTS)
    assert_same(company, keep)


def test_a_file_that_a_path_matches_and_that_cannot_be_read_is_no_memory(company):
    keep = company / "cache"
    results(company, keep)
    (company / "events2.csv").symlink_to("away.csv")
    for _ in range(2):
        with pytest.raises(DataError, match="is a link to 'away\\.csv'"):
            results(company, keep)
    (company / "events2.csv").unlink()
    assert_same(company, keep)


def test_an_id_that_can_be_no_metric_is_found_again_in_every_run(company):
    keep = company / "cache"
    write(company, "long.csv", [*FILES["long.csv"], ("!", "2026-01-31", 3, 4)])
    for _ in range(2):
        with pytest.raises(DataError, match="no letter or digit"):
            results(company, keep)


def test_a_damaged_memory_is_thrown_away(company):
    keep = company / "cache"
    keep.mkdir()
    (keep / NAME).write_bytes(b"no database at all" * 1000)
    assert_same(company, keep)
    assert_same(company, keep)


def test_a_memory_that_cannot_be_written_is_a_run_without(company):
    (company / "cache").write_text("a file where a folder should be")
    assert_same(company, company / "cache")


def test_what_was_used_longest_ago_goes_first(tmp_path):
    store = Store(tmp_path, most=100_000)
    for number in range(30):
        store.put(f"k{number}", b"x" * 10_000)
    store.close()
    with sqlite3.connect(tmp_path / NAME) as con:
        keys = {row[0] for row in con.execute("select key from kept")}
    assert "k29" in keys
    assert "k0" not in keys
    assert len(keys) <= 11


@pytest.mark.parametrize(
    "written",
    [
        "select now()",
        "select * from t where day < current_date",
        "select random() as x",
        "select CURRENT_TIMESTAMP",
    ],
)
def test_a_query_that_says_something_else_each_time_is_not_kept(written):
    assert not fingerprints.is_steady(written)


def test_a_column_may_be_called_like_a_function_of_time():
    assert fingerprints.is_steady('select "now", today from t where random > 1')


def test_a_watermark_that_is_no_sql_only_keeps_its_source_from_being_kept(tmp_path):
    (tmp_path / "params" / "departments").mkdir(parents=True)
    (tmp_path / "params" / "company.yaml").write_text(
        "company: Test\nsources:\n"
        '  deals: {url: "sqlite:///crm.db", table: deals, watermark: "max((id", '
        "system: CRM, time: day}\n"
    )
    (tmp_path / "params" / "departments" / "sales.yaml").write_text(
        "department: Sales\nmetrics:\n  n: {type: simple, measure: {source: deals, agg: count}}\n"
    )
    with sqlite3.connect(tmp_path / "crm.db") as con:
        con.execute("create table deals (id integer, day text)")
    known = definitions.load(tmp_path / "params")
    with sources.open(known, tmp_path, dt.date(2026, 1, 1), keep=tmp_path / "cache") as catalog:
        assert list(catalog.columns("deals")) == ["id", "day"]
        with pytest.raises(DataError, match="watermark: is no SQL"):
            catalog.watermark("deals")


def test_without_a_cache_the_workbench_keeps_nothing(company, monkeypatch):
    assert workbench.open(company).cache == company / "out" / "cache"
    monkeypatch.setenv("DATAOPS_NO_CACHE", "1")
    assert workbench.open(company).cache is None


RUN = """
import sys; from pathlib import Path; from tests.sources.test_cache import results
root = Path(sys.argv[1])
for _ in range(2): print(results(root, root / "cache").to_json())
"""


def test_two_processes_at_once_say_the_same(company):
    command = [sys.executable, "-c", RUN, str(company)]
    here = Path(__file__).parents[2]
    runs = []
    for _ in range(2):
        runs.append(subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, text=True))
    printed = []
    for run in runs:
        printed += run.communicate()[0].splitlines()
    assert [run.returncode for run in runs] == [0, 0]
    assert set(printed) == {results(company, None).to_json()}
