"""Local days by additions are those that the time zone database gives."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest
from sqlglot import exp

from dataops_nb.sources import days
from dataops_nb.sources.days import Steps

ZONES = [
    "America/New_York",
    "America/Sao_Paulo",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
]


@pytest.mark.parametrize("zone", ZONES)
def test_a_local_day_is_the_one_of_the_time_zone_database(zone):
    con = duckdb.connect()
    steps = Steps(lambda: con, zone, dt.date(2026, 11, 22))
    quick = steps.cut(exp.column("m"), "TIMESTAMP", "UTC").sql("duckdb")
    long = f"cast(timezone('{zone}', timezone('UTC', m)) as date)"
    moment = "timestamp '2005-01-01 00:07:30' + to_minutes(cast(i * 97 as bigint))"
    stamps = f"select {moment} as m from range(140000) t(i)"
    wrong = con.execute(
        f"select m, {quick}, {long} from ({stamps}) where {quick} is distinct from {long}"
    ).fetchall()
    assert wrong == []


def test_instants_and_missing_stamps_have_their_day_too():
    con = duckdb.connect()
    con.execute("set TimeZone = 'America/New_York'")
    quick = Steps(lambda: con, "America/New_York", dt.date(2026, 11, 22)).cut(
        exp.column("m"), "TIMESTAMP WITH TIME ZONE", "Asia/Tokyo"
    )
    stamps = (
        "unnest([timestamptz '2026-11-01 03:59:59+00', timestamptz '2026-11-01 04:00:00+00', null])"
    )
    found = con.execute(f"select {quick.sql('duckdb')} from (select {stamps} as m)").fetchall()
    assert [row[0] for row in found] == [dt.date(2026, 10, 31), dt.date(2026, 11, 1), None]


def test_a_zone_that_the_database_knows_otherwise_is_left_to_it(monkeypatch):
    wrong = [
        (dt.datetime(2026, 3, 9), dt.timedelta(hours=-4)),
        (dt.datetime(2012, 1, 1), dt.timedelta(hours=-5)),
    ]
    monkeypatch.setattr(days, "find_steps", lambda zone, as_of: wrong)
    assert (
        Steps(duckdb.connect, "America/New_York", dt.date(2026, 11, 22)).cut(
            exp.column("m"), "TIMESTAMP", "UTC"
        )
        is None
    )


def test_stamps_of_another_clock_than_utc_are_left_to_the_database():
    steps = Steps(duckdb.connect, "America/New_York", dt.date(2026, 11, 22))
    assert steps.cut(exp.column("m"), "TIMESTAMP", "Asia/Tokyo") is None
    assert steps.cut(exp.column("m"), "DATE", "UTC") is None
