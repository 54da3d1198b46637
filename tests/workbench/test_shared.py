"""A company is read once for all processes that are forked from one, and none of them sees anything old."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from dataops_nb import workbench
from dataops_nb.definitions import models

DAY = dt.date(2026, 11, 22)
COMPANY = "company: Test\nsources:\n  deals: {system: CRM, path: deals.csv, time: day}\n"
SALES = "department: Sales\nmetrics:\n  won: {type: simple, measure: {source: deals, agg: count}}\n"


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A workbench that was shared."""
    monkeypatch.setattr(workbench, "_SHARED", {})
    (tmp_path / "params" / "departments").mkdir(parents=True)
    (tmp_path / "params" / "company.yaml").write_text(COMPANY)
    (tmp_path / "params" / "departments" / "sales.yaml").write_text(SALES)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "deals.csv").write_text("day\n2026-11-19\n2026-11-20\n")
    workbench.share(workbench.open(tmp_path), DAY)
    return workbench.open(tmp_path)


def won(wb: workbench.Workbench, day: dt.date = DAY) -> float:
    return wb.board(as_of=day, metrics=["won"]).table["value"].iloc[-1]


def test_a_shared_company_is_not_read_again(shared, monkeypatch):
    monkeypatch.setattr(models.Department, "model_validate", None)
    assert list(workbench.open(shared.root).definitions.metrics) == ["won"]


def test_who_shares_opens_no_database_and_notes_no_use(tmp_path, monkeypatch, shared):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(duckdb, "connect", refuse)
    workbench.share(shared, DAY)
    assert (shared.usage.metrics, shared.usage.sources) == (set(), set())


def test_rows_that_are_ready_are_those_of_one_asker_and_one_day(shared):
    other = shared.rows(DAY - dt.timedelta(days=1))
    assert other.as_of == DAY - dt.timedelta(days=1)
    workbench.share(shared, DAY)
    first, second = shared.rows(DAY), shared.rows(DAY)
    assert first is not second


def test_a_file_that_changed_since_is_read(shared):
    (shared.root / "data" / "deals.csv").write_text("day\n" + "2026-11-20\n" * 5)
    assert won(shared) == 5


def test_definitions_that_changed_since_are_read(shared):
    path = shared.root / "params" / "departments" / "sales.yaml"
    path.write_text(SALES.replace("won", "closed"))
    again = workbench.open(shared.root)
    assert list(again.definitions.metrics) == ["closed"]
    assert list(again.rows(DAY).company.metrics) == ["closed"]


def test_what_is_used_is_noted_after_the_fork(shared):
    won(shared)
    assert (shared.usage.metrics, shared.usage.sources) == ({"won"}, {"deals"})


def test_a_database_is_left_to_who_knows_its_address(tmp_path, monkeypatch, shared):
    path = shared.root / "params" / "company.yaml"
    path.write_text(COMPANY.replace("path: deals.csv", "url: env:SALES_URL, table: deals"))
    opened = workbench.open(shared.root)
    workbench.share(opened, DAY)
    monkeypatch.setenv("SALES_URL", f"sqlite:///{tmp_path}/deals.db")
    assert opened.rows(DAY)._shelf.engines.address("deals").scheme == "sqlite"
