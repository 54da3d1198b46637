"""What looking at pages found: days, levels that never change, metrics without an owner, things said twice."""

from __future__ import annotations

import datetime as dt

import pytest

from dataops_nb import board, story, tables

SOURCE = "s: {system: CRM, path: s.csv, time: on, fresh_within: 2d}"
END = dt.date(2026, 11, 22)
METRIC = (
    "m: {label: Loans, type: simple, unit: loans, measure: {source: s, agg: sum, expr: n},"
    " lights: standard, targets: [{per: day, value: 7}]}"
)


def rows(days=40, until=END):
    lines = [f"{until - dt.timedelta(days=day)},7" for day in range(days)]
    return {"s.csv": "\n".join(["on,n", *lines, ""])}


@pytest.fixture
def daily(company):
    return board.measure(company(SOURCE, METRIC, rows(), as_of=str(END)), ["m"], grain="day")


def test_something_happens_on_a_day_and_in_a_week(daily):
    assert str(story.headline(daily, moved=False)) == "7 loans on 22 Nov 2026, exactly on target."


def test_a_range_of_one_value_is_none(daily):
    assert "usual range" not in str(story.movement(daily))


def test_where_nothing_moved_the_table_says_so(daily):
    assert str(tables.moved(daily).nothing) == "none"


def test_no_warning_says_what_the_headline_below_it_says(company):
    late = rows(until=END - dt.timedelta(days=9))
    this = board.measure(company(SOURCE, METRIC, late, as_of=str(END)), ["m"])
    payload = story.record(this).payload
    assert payload["reason"] == "stale"
    assert [text for text in payload["warnings"] if text in payload["headline"]] == []


def test_who_has_no_owner_has_none_beside_metrics_that_have_one(daily):
    assert set(daily.reactions["owner"].map(type)) <= {str, type(None)}


def test_what_is_too_new_to_judge_has_no_cause(company):
    young = METRIC.replace("lights:", "policy: capability, lights:").replace(
        "per: day", "per: week"
    )
    this = board.measure(company(SOURCE, young, rows(20), as_of=str(END)), ["m"])
    assert this.row("m")["reason"] == "too short"
    texts = [sentence.text for sentence in story.opening(this).sentences]
    assert texts == ["Loans: too new to judge."]


def test_what_is_green_turns_to_nothing_at_values_below_it(daily):
    assert str(story.mind(daily)).startswith("Loans stay green at 7 loans or more.")
    assert "yellow" not in str(story.mind(daily))


def test_a_change_of_money_has_no_cents_where_its_value_has_none(company):
    money = METRIC.replace("unit: loans", "unit: USD")
    lines = ["on,n", "2026-11-21,1956.01", "2026-11-22,1799.29", ""]
    known = company(SOURCE, money, {"s.csv": "\n".join(lines)}, as_of=str(END))
    this = board.measure(known, ["m"], grain="day")
    assert "Down $157 from the day before" in str(story.movement(this))
