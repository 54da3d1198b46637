"""What the data cover in part is marked as that, and no percentage is made from it or to it."""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd
import pytest

from dataops_nb import board, drivers, plain, story, tables
from dataops_nb.alignment.comparisons import covers
from dataops_nb.cli import status
from dataops_nb.story.facts import facts
from dataops_nb.tables.scorecard import _change_text

pytestmark = pytest.mark.long

AS_OF = dt.date(2026, 11, 22)
METRICS = """
    m: {type: simple, measure: {source: s, agg: sum, expr: n}, by: [team], lights: standard,
        targets: [{per: week, value: 15}]}
    rate: {type: ratio, numerator: m, denominator: rows, unit: percent}
    rows: {type: simple, measure: {source: s, agg: count}}
    year: {type: cumulative, metric: m, window: 12 months}
"""


@pytest.fixture
def since(company):
    """The board of a source that starts on a day, 2 a day in two teams, and ends on another."""

    def make(first, *metrics, last=AS_OF, as_of=AS_OF, amount=2):
        days = [first + dt.timedelta(days=place) for place in range((last - first).days + 1)]
        rows = "on,n,team\n" + "".join(f"{day},{amount},{'EW'[day.day % 2]}\n" for day in days)
        source = f"s: {{system: CRM, path: s.csv, time: on, covers: {{from: {first}, to: {last}}}}}"
        known = company(source, METRICS, {"s.csv": rows}, as_of=as_of.isoformat())
        return board.measure(known, metrics or ["m", "rate", "rows", "year"])

    return make


def rows_of(this, metric="m"):
    return {row[0]: row[1:] for row in tables.six_twelve(this, metric).rows}


def test_a_partial_last_year_is_marked_and_never_a_percentage(since):
    rows = rows_of(since(dt.date(2025, 11, 19)))
    assert rows["2026-W46"] == ["14", "≥ 15", "–", "–"]  # nothing a year before
    assert rows["2026-W47"] == ["14", "≥ 15", "10 (partial)", "–"]
    assert rows["Month to date"] == ["44", "–", "8 (partial)", "–"]
    assert rows["Year to date"][2:] == ["8 (partial)", "–"]


def test_a_whole_last_year_has_its_percentage(since):
    rows = rows_of(since(dt.date(2024, 1, 1)))
    assert rows["2026-W47"] == ["14", "≥ 15", "14", "0.0%"]
    assert rows["Year to date"] == ["652", "–", "652", "0.0%"]
    assert rows["2026-10"][2:] == ["62", "0.0%"]


def test_an_unfinished_month_is_not_compared_with_a_whole_one(since):
    this = since(dt.date(2024, 1, 1), last=dt.date(2026, 10, 20))
    assert rows_of(this)["2026-10 (partial)"] == ["40", "≥ 66.4", "62", "–"]


def test_points_of_a_rate_are_not_told_from_a_part_either(since):
    rows = rows_of(since(dt.date(2025, 11, 19)), "rate")
    assert rows["2026-W47"][2:] == ["200% (partial)", "–"]


def test_a_window_that_the_data_do_not_fill_is_partial(since):
    this = since(dt.date(2025, 6, 2))
    assert rows_of(this, "year")["2026-W47"][2:] == ["350 (partial)", "–"]


@pytest.mark.parametrize("days", [0, 1, 3, 6, 7, 30, 200, 330])
def test_whenever_the_data_start_only_whole_periods_are_compared(since, days):
    """The day before which there are none moves through last year."""
    first = dt.date(2025, 11, 17) - dt.timedelta(days=days)
    this = since(first, "m")
    last_years = board.history(this, "m", 6).set_index("period")
    covered = covers(this.rows, "m", this.period)
    for name, (*_, earlier, change) in rows_of(this).items():
        assert not ("%" in change and "partial" in earlier)
        if name in last_years.index:
            assert ("%" in change) == bool(last_years.loc[name, "same_last_year_complete"])
    assert ("%" in rows_of(this)["Year to date"][-1]) == covered["ytd_last_year"]
    assert covered["ytd_last_year"] == (first <= dt.date(2025, 1, 1))


@pytest.mark.parametrize(("value", "before"), [(5.0, 0.0), (5.0, -3.0), (0.0, 0.0), (-2.0, -4.0)])
def test_nothing_is_a_percentage_of_zero_or_of_less(since, value, before):
    assert _change_text(since(dt.date(2026, 1, 1), "m"), value, before, "") == "–"


def test_the_scorecard_marks_what_is_partial(since):
    (row,) = tables.scorecard(since(dt.date(2025, 11, 19), "m")).rows
    assert row[3:7] == ["14", "≥ 15", "14", "10 (partial)"]


def test_a_value_of_which_days_are_missing_is_marked_everywhere(since):
    this = since(dt.date(2024, 1, 1), "m", last=dt.date(2026, 11, 19))
    assert this.row("m")["reason"] == "incomplete"
    (row,) = tables.scorecard(this).rows
    assert row[3:5] == ["8 (partial)", "≥ 15"]
    assert str(story.now(this)).startswith("8 (partial) · target 15")
    assert "m.attainment" not in facts(this)
    (cells,) = plain.rows(this.current)
    line = status._light_line(this.company, cells)
    assert line[3:6] == ["8 (partial)", "15", ""]


def test_the_glance_marks_a_partial_last_year_and_no_change_is_told_from_it(since):
    this = since(dt.date(2025, 11, 19), "m")
    assert str(story.now(this)).endswith("year earlier 10 (partial)")
    assert "m.change_last_year" not in facts(this)
    assert "last year" not in str(story.movement(this))


def test_a_split_marks_its_partial_periods(since):
    this = since(dt.date(2026, 11, 12), "m")
    assert list(tables.split(this, "m", "team", 2).columns) == [
        "Team", "2026-W46 (partial)", "2026-W47",
    ]  # fmt: skip


def test_a_change_from_a_part_is_not_explained(since):
    this = since(dt.date(2025, 11, 19), "m")
    change = drivers.change(this.rows, "m", this.period, "same_last_year")
    assert not change.explainable
    assert drivers.of_company(this.rows, "m", this.period, "same_last_year").empty


def test_no_table_of_any_metric_has_a_percentage_beside_a_part(since):
    this = since(dt.date(2025, 8, 20))
    for metric in this.metrics:
        for row in tables.six_twelve(this, metric).rows:
            is_part = any("(partial)" in str(cell) for cell in row)
            assert not (is_part and re.search(r"%|points", row[-1])), row
    assert pd.notna(this.row("m")["same_last_year"])
