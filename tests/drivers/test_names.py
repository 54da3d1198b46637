"""Which period somebody means, and what is said where nobody can know."""

from __future__ import annotations

import datetime as dt

import pytest

from dataops_nb import drivers
from dataops_nb.errors import UsageError
from dataops_nb.periods import calendar

SOURCE = "s: {system: CRM, path: s.csv, time: on, covers: {from: 2025-01-01, to: 2026-01-31}}"
ROWS = "on,n\n2025-06-02,4\n2026-01-05,10\n"
METRICS = "n: {type: simple, measure: {source: s, agg: sum, expr: n}}"
RETAIL = """
calendar:
  year: {pattern: 4-5-4, ends: saturday nearest january 31, named: start}
"""


def opened(company, extra=""):
    return company(SOURCE, METRICS, {"s.csv": ROWS}, as_of="2026-01-25", extra=extra)


def named(catalog, grain, name):
    cut = calendar(catalog.company.calendar)
    period = cut.last_complete(grain, catalog.as_of)
    return drivers.comparison_named(catalog, period, name)


def test_the_two_words_stay(company):
    catalog = opened(company)
    assert named(catalog, "week", "previous") == "previous"
    assert named(catalog, "week", "last-year") == "same_last_year"


@pytest.mark.parametrize(
    ("grain", "name", "start"),
    [
        ("week", "2025-W23", dt.date(2025, 6, 2)),
        ("month", "2025-06", dt.date(2025, 6, 1)),
        ("quarter", "2025-Q2", dt.date(2025, 4, 1)),
        ("day", "2025-06-02", dt.date(2025, 6, 2)),
    ],
)
def test_any_covered_period_of_the_grain_is_found_by_its_id(company, grain, name, start):
    found = named(opened(company), grain, name)
    assert (found.id, found.start) == (name, start)


def test_fiscal_periods_have_their_own_names(company):
    catalog = opened(company, RETAIL)
    assert named(catalog, "month", "FY25-P05").id == "FY25-P05"
    assert named(catalog, "week", "FY25-W18").fiscal == "FY25-W18"


def test_a_change_is_measured_against_the_named_period(company):
    catalog = opened(company)
    week = calendar().last_complete("week", dt.date(2026, 1, 11))
    change = drivers.change(catalog, "n", week, named(catalog, "week", "2025-W23"))
    assert (change.before, change.now, change.against.id) == (4, 10, "2025-W23")


@pytest.mark.parametrize(
    ("grain", "name", "said"),
    [
        ("week", "2025-w3", "no week '2025-w3'; known are 2025-W01 to 2026-W04, previous and last-year; did you mean '2025-W03'?"),
        ("week", "W23 2025", "did you mean '2025-W23'?"),
        ("week", "2025-06", "it is a month; did you mean '2025-W22', or --grain month?"),
        ("week", "2019-W50", "did you mean '2025-W01'?"),
        ("week", "2026-W50", "did you mean '2026-W04'?"),
        ("week", "las-year", "known are 2025-W01 to 2026-W04, previous and last-year; did you mean 'last-year'?"),
        ("month", "2025-6", "did you mean '2025-06'?"),
        ("month", "2025/11", "did you mean '2025-11'?"),
        ("quarter", "2025Q3", "did you mean '2025-Q3'?"),
        ("quarter", "?", "write it like 2026-Q1"),
        ("week", "2026-W04", "2026-W04 is the period that is explained; name another one"),
    ],
)  # fmt: skip
def test_what_is_no_period_names_the_nearest_form_and_what_is_known(company, grain, name, said):
    with pytest.raises(UsageError) as refused:
        named(opened(company), grain, name)
    assert said in str(refused.value)
