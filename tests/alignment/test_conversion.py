"""Conversions: who counts, when, how long, and when a cohort can be judged."""

import datetime as dt
import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import alignment, definitions, sources
from dataops_nb.alignment import comparisons
from dataops_nb.errors import DefinitionsError
from dataops_nb.terms import Duration, after

MEETINGS = """
    account,on,rep,held
    a,2026-01-05,Ann,yes
    a,2026-01-20,Bob,yes
    b,2026-01-06,Ann,yes
    c,2026-01-07,Ann,no
    d,2026-02-03,Bob,yes
    ,2026-01-08,Bob,yes
"""
DEALS = """
    account,closed,stage
    a,2026-01-15,won
    b,2026-01-17,won
    c,2026-01-08,won
    d,2026-02-04,lost
    d,2026-02-02,won
    e,2026-12-31,won
"""
SOURCES = """
    meetings: {system: CRM, path: meetings.csv, time: on, covers: {from: 2026-01-01, to: as_of}}
    deals: {system: CRM, path: deals.csv, time: closed, covers: {from: 2026-01-01, to: as_of}}
"""
FILES = {"meetings.csv": MEETINGS, "deals.csv": DEALS}


def metrics(window="10d", **more):
    by = more.get("by", "")
    return f"""
        held: {{type: simple, measure: {{source: meetings, agg: count, filter: "held = 'yes'"}}}}
        won: {{type: simple, measure: {{source: deals, agg: count, filter: "stage = 'won'"}}}}
        rate: {{type: conversion, base_metric: held, conversion_metric: won, entity: account, window: {window}{by}}}
    """


def monthly(catalog, **options):
    return alignment.values(catalog, "rate", grain="month", **options).set_index("period")


@pytest.mark.parametrize(
    ("window", "january"), [("9d", 0), ("10d", 0.5), ("11d", 1), ("0d", 0), ("1 month", 1)]
)
def test_the_last_day_of_the_window_counts(company, window, january):
    assert monthly(company(SOURCES, metrics(window), FILES)).loc["2026-01", "value"] == january


def test_an_entity_counts_once_a_period_by_its_first_base_event_and_rows_without_one_never(company):
    table = monthly(company(SOURCES, metrics("30d"), FILES))
    assert table.loc["2026-01", ["value", "n"]].tolist() == [1, 2]
    weeks = alignment.values(company(SOURCES, metrics(), FILES), "rate").set_index("period")
    assert weeks.loc["2026-W04", ["value", "n"]].tolist() == [0, 1]


def test_a_conversion_before_the_base_event_or_filtered_out_is_none(company):
    assert monthly(company(SOURCES, metrics("30d"), FILES)).loc[
        "2026-02", ["value", "n"]
    ].tolist() == [0, 1]


def test_a_period_without_base_events_has_no_rate(company):
    table = monthly(company(SOURCES, metrics(), FILES))
    assert math.isnan(table.loc["2026-03", "value"])
    assert table.loc["2026-03", "complete"]


def test_a_cohort_whose_window_is_open_has_its_value_and_is_not_complete(company):
    whole = {
        day: monthly(company(SOURCES, metrics(), FILES, as_of=day))
        for day in ("2026-02-09", "2026-02-10")
    }
    assert [table.loc["2026-01", "complete"] for table in whole.values()] == [False, True]
    assert [table.loc["2026-01", "value"] for table in whole.values()] == [0.5, 0.5]


def test_conversions_after_as_of_do_not_exist(company):
    assert (
        monthly(company(SOURCES, metrics("11d"), FILES, as_of="2026-01-16")).loc["2026-01", "value"]
        == 0.5
    )


def test_where_the_conversions_system_says_nothing_there_is_no_rate(company):
    late = SOURCES.replace(
        "path: deals.csv, time: closed, covers: {from: 2026-01-01",
        "path: deals.csv, time: closed, covers: {from: 2026-03-01",
    )
    table = monthly(company(late, metrics(), FILES))
    assert math.isnan(table.loc["2026-01", "value"])
    assert not table.loc["2026-02", "complete"]


def test_a_segment_is_that_of_the_base_event(company):
    table = alignment.values(
        company(SOURCES, metrics("30d", by=", by: [rep]"), FILES),
        "rate",
        grain="quarter",
        by=("rep",),
    )
    first = table[table["period"] == "2026-Q1"].set_index("segment")
    assert first["value"].to_dict() == {"rep=Ann": 1, "rep=Bob": 0}
    assert first["n"].to_dict() == {"rep=Ann": 2, "rep=Bob": 1}


def test_of_first_rows_only_those_of_all_history_are_base_events(company):
    first = metrics("30d").replace(
        "agg: count, filter: \"held = 'yes'\"", "agg: first_seen, expr: account"
    )
    assert monthly(company(SOURCES, first, FILES)).loc["2026-01", "n"] == 3
    weeks = alignment.values(company(SOURCES, first, FILES), "rate").set_index("period")
    assert weeks.loc["2026-W04", "n"] == 0


def test_stamps_of_both_sides_are_cut_to_the_companys_days(company):
    files = {
        "meetings.csv": "account,on,held\na,2026-01-06 03:00:00,yes\n",
        "deals.csv": "account,closed,stage\na,2026-01-07 03:00:00,won\n",
    }
    zoned = SOURCES.replace("time: on", "timezone: UTC, time: on").replace(
        "time: closed", "timezone: UTC, time: closed"
    )
    table = alignment.values(company(zoned, metrics("1d"), files), "rate", grain="day").set_index(
        "period"
    )
    assert table.loc["2026-01-05", "value"] == 1


def test_an_entity_that_is_a_number_in_one_system_and_a_text_in_the_other_is_one(company):
    files = {
        "meetings.csv": "account,on,held\n7,2026-01-06,yes\n",
        "deals.csv": "account,closed,stage\n7,2026-01-07,won\nx,2026-01-07,won\n",
    }
    assert monthly(company(SOURCES, metrics(), files)).loc["2026-01", "value"] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "base_metric: hald, conversion_metric: won, entity: account, window: 9d",
            "did you mean 'held'?",
        ),
        (
            "base_metric: share, conversion_metric: won, entity: account, window: 9d",
            "needs a simple metric",
        ),
        (
            "base_metric: spoken, conversion_metric: won, entity: account, window: 9d",
            "depend on the period asked for",
        ),
        (
            "base_metric: held, conversion_metric: won, entity: account, window: 1 period",
            "a length of its own",
        ),
        (
            "base_metric: held, conversion_metric: won, entity: 'count(*)', window: 9d",
            "aggregates rows",
        ),
    ],
)
def test_a_conversion_that_cannot_be_followed_is_refused(company, text, words):
    more = f"""
        held: {{type: simple, measure: {{source: meetings, agg: count}}}}
        won: {{type: simple, measure: {{source: deals, agg: count}}}}
        share: {{type: ratio, numerator: held, denominator: won}}
        spoken: {{type: simple, measure: {{source: meetings, agg: count, filter: '"on" < :period_end'}}}}
        rate: {{type: conversion, {text}}}
    """
    with pytest.raises(DefinitionsError, match=words.replace("?", r"\?")):
        company(SOURCES, more, FILES)


DAYS = st.integers(0, 40)
EVENTS = st.lists(st.tuples(st.sampled_from("abcd"), DAYS), min_size=1, max_size=25)


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(base=EVENTS, then=EVENTS, length=st.integers(0, 12))
def test_the_share_equals_counting_by_hand(base, then, length, tmp_path_factory):
    folder = tmp_path_factory.mktemp("conversion")
    start = dt.date(2026, 1, 1)
    (folder / "params" / "departments").mkdir(parents=True)
    source = "{{system: S, path: {0}.csv, time: day, duplicates: keep, covers: {{from: 2026-01-01, to: as_of}}}}"
    (folder / "params" / "company.yaml").write_text(
        "company: T\nsources:\n"
        + "".join(f"  {name}: {source.format(name)}\n" for name in ("base", "then"))
    )
    (folder / "params" / "departments" / "d.yaml").write_text(
        "department: D\nmetrics:\n"
        + "".join(
            f"  n_{name}: {{type: simple, measure: {{source: {name}, agg: count}}}}\n"
            for name in ("base", "then")
        )
        + f"  rate: {{type: conversion, base_metric: n_base, conversion_metric: n_then, entity: who, window: {length}d}}\n"
    )
    for name, rows in (("base", base), ("then", then)):
        lines = "".join(f"{who},{start + dt.timedelta(days=day)}\n" for who, day in rows)
        (folder / f"{name}.csv").write_text("who,day\n" + lines)
    with sources.open(definitions.load(folder / "params"), folder, dt.date(2026, 3, 31)) as catalog:
        table = alignment.values(catalog, "rate")
    for _, row in table.iterrows():
        low, high = ((row[name].date() - start).days for name in ("period_start", "period_end"))
        firsts = {
            who: min(d for w, d in base if w == who and low <= d <= high)
            for who, day in base
            if low <= day <= high
        }
        hits = sum(
            any(w == who and 0 <= d - day <= length for w, d in then) for who, day in firsts.items()
        )
        assert row["n"] == len(firsts)
        assert math.isnan(row["value"]) if not firsts else row["value"] == hits / len(firsts)


@pytest.mark.parametrize(
    ("day", "length", "later"),
    [
        ("2026-01-31", "1 month", "2026-02-28"),
        ("2026-01-05", "2w", "2026-01-19"),
        ("2026-11-30", "1q", "2027-02-28"),
    ],
)
def test_the_day_a_duration_later(day, length, later):
    assert after(
        dt.date.fromisoformat(day), Duration.model_validate(length)
    ) == dt.date.fromisoformat(later)


def test_a_conversion_is_compared_with_its_own_past(company):
    catalog = company(SOURCES, metrics("30d"), FILES)
    table = comparisons.compare(
        alignment.values(catalog, "rate", grain="month"), catalog
    ).set_index("period")
    assert table.loc["2026-02", "previous"] == 1
    assert table.loc["2026-02", "ytd"] == pytest.approx(2 / 3)
    assert pd.isna(table.loc["2026-01", "previous"])
