"""Names beside lines, and numbers over events: they can be read, whatever they stand on."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import board
from dataops_nb.charts import look
from dataops_nb.charts.trend import CLOSE, MOST, _numbered, listed

places = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6)


def test_names_that_have_room_stay_at_their_lines():
    assert look.spread([30.0, 10.0, 20.0], 5) == [30.0, 10.0, 20.0]


def test_names_of_lines_that_lie_together_are_moved_apart_as_little_as_it_takes():
    assert look.spread([10, 10, 50], 6) == [7, 13, 50]
    assert look.spread([10.0, 11.0, 9.0], 4) == [10.0, 14.0, 6.0]


@given(places, st.floats(0.01, 1e5))
def test_no_two_names_are_closer_than_the_gap_and_none_passes_another(at, gap):
    found = look.spread(at, gap)
    order = sorted(range(len(at)), key=lambda i: at[i])
    assert all(found[b] - found[a] >= gap * (1 - 1e-6) - 1e-6 for a, b in pairwise(order))
    assert sum(found) == pytest.approx(sum(at), rel=1e-6, abs=1e-3)


def test_on_one_level_the_names_stay_near_it():
    drawn = pd.Series([5.0, 5.0])
    layer = look.ends([("target", 5.0), ("last year", 5.0)], pd.Timestamp("2026-11-16"), drawn)[
        1
    ].to_dict()
    (rows,) = layer["datasets"].values() if "datasets" in layer else (layer["data"]["values"],)
    told = {row["text"]: row["value"] for row in rows if row["text"]}
    whole = [row["value"] for row in rows]
    assert (
        0.07 * (max(whole) - min(whole))
        < abs(told["target"] - told["last year"])
        <= 0.1 * (max(whole) - min(whole))
    )


def placed(layers):
    """The labels of drawn layers with the values at which they stand."""
    found = {}
    for layer in layers:
        drawn = layer.to_dict()
        (rows,) = drawn["datasets"].values() if "datasets" in drawn else (drawn["data"]["values"],)
        found |= {row["text"]: row["value"] for row in rows}
    return found


def test_the_last_point_is_labelled_beside_the_plot_with_its_period_below():
    drawn, point = pd.Series([0.0, 100.0]), (["44", "in week 47"], 44.0)
    found = placed(
        look.ends(
            [("limit 26", 26.0), ("a year earlier", 44.0)],
            pd.Timestamp("2026-11-16"),
            drawn,
            point=point,
        )
    )
    assert 0 < found["44"] - found["in week 47"] <= 1.01 * look.GAP * 100
    assert abs(found["44"] - 44) <= 2 * look.GAP * 100
    order = sorted(found.values())
    assert all(b - a >= 0.99 * look.GAP * 100 for a, b in pairwise(order))


def events(*days):
    return pd.DataFrame(
        {"date": pd.to_datetime(days), "title": [f"Release {i}" for i in range(len(days))]}
    )


WEEKS = pd.DataFrame({"period_start": pd.date_range("2026-01-05", periods=52, freq="7D")}).assign(
    period_end=lambda rows: rows["period_start"] + pd.Timedelta(days=6)
)


def test_events_that_would_touch_share_a_number():
    found = events("2026-02-01", "2026-02-10", "2026-06-01")
    width = (WEEKS["period_end"].max() - WEEKS["period_start"].min()) * CLOSE
    assert [said for _, said in _numbered(found, width)] == ["1–2", "3"]


def test_the_newest_events_are_numbered_and_the_earlier_ones_counted(company):
    metric = "m: {type: simple, measure: {source: s, agg: count}}"
    this = board.measure(
        company("s: {system: CRM, path: s.csv, time: on}", metric, {"s.csv": "on\n2026-01-05\n"}),
        ["m"],
    )
    found = events(*(f"2026-01-{day:02}" for day in range(1, 15)))
    lines = listed(this, found)
    assert lines[:2] == ["2 earlier events are not numbered", "1 Release 2, 3 Jan"]
    assert len(lines) == 1 + MOST
