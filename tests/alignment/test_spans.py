"""Spans that are put together from the places of their ends count what one counts window by window."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import definitions, sources
from dataops_nb.alignment.measures import measure
from dataops_nb.alignment.window_rows import measure_spans
from dataops_nb.alignment.windows import Window, Windows
from dataops_nb.metrics import Measure
from tests.conftest import LIGHTS

COMPANY = f"""
company: Test
timezone: America/New_York
{LIGHTS}
sources:
  spans:
    {{path: spans.csv, system: log, time: opened, covers: {{from: 2025-12-01, to: 2026-03-31}},
      columns: {{opened: {{type: date}}, closed: {{type: date}}, who: {{type: text}}, kind: {{type: text}}, v: {{type: integer}}}}}}
"""
METRICS = """
department: Dept
metrics:
  open: {type: simple, measure: {source: spans, agg: count, open: {from: opened, to: closed}}}
"""
FIRST = dt.date(2026, 1, 1)
DAYS = st.integers(-20, 70).map(lambda day: FIRST + dt.timedelta(days=day))
SPANS = st.lists(
    st.tuples(
        DAYS,
        st.one_of(st.none(), DAYS),
        st.sampled_from(["ann", "bob", "cy", None]),
        st.sampled_from("ab"),
        st.one_of(st.none(), st.integers(-9, 9)),
    ),
    min_size=1,
    max_size=25,
)
LISTS = st.one_of(
    st.lists(st.integers(0, 60), min_size=1, max_size=12).map(
        lambda starts: [(start, start + 6) for start in starts]
    ),
    st.lists(st.tuples(st.integers(0, 30), st.integers(30, 60)), min_size=1, max_size=8),
)
AGGS = {"count": None, "count_distinct": "who", "sum": "v", "min": "v", "max": "v"}
PUT_TOGETHER = {"sum": sum, "min": min, "max": max, "count": len}


def opened(folder, spans):
    root = Path(folder)
    (root / "params" / "departments").mkdir(parents=True)
    (root / "params" / "company.yaml").write_text(COMPANY)
    (root / "params" / "departments" / "dept.yaml").write_text(METRICS)
    with (root / "spans.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("opened", "closed", "who", "kind", "v"), *spans])
    return sources.open(definitions.load(root / "params"), root, dt.date(2026, 3, 25))


def by_hand(spans, agg, at_end, window):
    """Value and n of the spans that a window touches: each looked at."""
    since = window.end if at_end else window.start
    place = {"who": 2, "v": 4, None: None}[AGGS[agg]]
    values = []
    for span in spans:
        if span[0] <= window.end and (span[1] is None or span[1] > max(since, span[0])):
            values.append(1 if place is None else span[place])
    filled = [value for value in values if value is not None]
    if agg == "count_distinct":
        return len(set(filled)), len(filled)
    return PUT_TOGETHER[agg](filled) if filled or agg == "count" else np.nan, len(filled)


@pytest.mark.long
@settings(max_examples=15)
@given(spans=SPANS, ends=LISTS, agg=st.sampled_from(sorted(AGGS)), at_end=st.booleans())
def test_spans_are_what_one_counts_by_hand_in_each_window(spans, ends, agg, at_end):
    start = FIRST
    windows = [Window(start + dt.timedelta(days=a), start + dt.timedelta(days=b)) for a, b in ends]
    what = Measure(
        source="spans",
        agg=agg,
        expr=AGGS[agg],
        open={"from": "opened", "to": "closed"},
        at="end" if at_end else None,
    )
    with tempfile.TemporaryDirectory() as folder, opened(folder, spans) as rows:
        together = measure(rows, what, windows, ())
        apart = measure(rows, what, windows, ("kind",))
    for place, window in enumerate(windows):
        value, n = by_hand(spans, agg, at_end, window)
        if n or agg != "sum":
            np.testing.assert_equal(together.value.iloc[place, 0], value)
        assert together.n.iloc[place, 0] == n
        for name in apart.value.columns:
            own = [span for span in spans if f"kind={span[3]}" == name]
            assert apart.n[name].iloc[place] == by_hand(own, agg, at_end, window)[1]


@pytest.mark.parametrize(
    ("agg", "at", "spread"),
    [("median", None, 7), ("count", None, 600_000), ("sum", "end", 600_000)],
)
def test_what_cannot_be_put_together_is_left_to_a_query_of_each_window(agg, at, spread):
    what = Measure(source="s", agg=agg, expr="v", open={"from": "a", "to": "b"}, at=at)
    first = dt.date(1, 1, 1)
    later = first + dt.timedelta(days=spread)
    windows = Windows([Window(first, first), Window(later, later)])
    assert measure_spans(None, what, windows, ()) is None


def test_windows_within_others_are_left_to_a_query_of_each_window():
    what = Measure(source="s", agg="count", open={"from": "a", "to": "b"})
    days = [FIRST + dt.timedelta(days=day) for day in range(4)]
    windows = Windows([Window(days[0], days[3]), Window(days[1], days[2])])
    assert measure_spans(None, what, windows, ()) is None


def test_no_total_over_a_window_is_asked_for_twice():
    what = Measure(source="spans", agg="count", open={"from": "opened", "to": "closed"}, at="end")
    weeks = [FIRST + dt.timedelta(days=7 * number) for number in range(6)]
    windows = [Window(day, day + dt.timedelta(days=6)) for day in weeks]
    queries = []
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(folder, [(FIRST, None, "ann", "a", 1)]) as rows,
    ):
        fetch = rows.fetch
        rows.fetch = lambda query, **frames: queries.append(query) or fetch(query, **frames)
        all_at_once = measure(rows, what, windows[1:], ()).value[""].tolist()
        again = measure(rows, what, windows[:4], ()).value[""].tolist()
        assert len(queries) == 2  # the second for the one window that was not known
        assert measure(rows, what, windows[2:], ()).value[""].tolist() == all_at_once[1:]
    assert again == [1.0, *all_at_once[:3]]
    assert len(queries) == 2


@pytest.mark.parametrize("agg", ["count", "median"])
def test_a_span_that_ends_on_its_first_day_or_before_was_open_on_no_day(agg):
    wednesday = FIRST + dt.timedelta(days=6)
    spans = [
        (wednesday, wednesday, "ann", "a", 5),
        (wednesday, FIRST, "bob", "a", 5),
        (wednesday, wednesday + dt.timedelta(days=1), "cy", "a", 2),
    ]
    what = Measure(source="spans", agg=agg, expr="v", open={"from": "opened", "to": "closed"})
    week = Window(FIRST, FIRST + dt.timedelta(days=7))
    with tempfile.TemporaryDirectory() as folder, opened(folder, spans) as rows:
        measured = measure(rows, what, [week], ())
    assert measured.n[""].tolist() == [1]
    assert measured.value[""].tolist() == [1 if agg == "count" else 2]
