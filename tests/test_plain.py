"""Plain values: what JSON can hold, and the digest of it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from dataops_nb import plain


class Size(BaseModel):
    width: int
    day: dt.date


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (pd.NaT, None),
        (pd.NA, None),
        (np.int64(3), 3),
        (np.float64("nan"), None),
        (True, True),
        (dt.date(2026, 11, 22), "2026-11-22"),
        (pd.Timestamp("2026-11-22"), "2026-11-22"),
        (pd.Timestamp("2026-11-22 08:30"), "2026-11-22T08:30:00"),
        (pd.Timestamp("2026-11-22", tz="UTC"), "2026-11-22T00:00:00+00:00"),
        ((1, [dt.date(2026, 1, 2)]), [1, ["2026-01-02"]]),
        ({1: np.bool_(True)}, {"1": True}),
        (Size(width=2, day=dt.date(2026, 1, 2)), {"width": 2, "day": "2026-01-02"}),
    ],
)
def test_a_value_becomes_what_json_can_hold(item, expected):
    assert plain.value(item) == expected


def test_numbers_are_rounded_to_significant_digits():
    assert plain.value({"a": [1234.5678]}, digits=6) == {"a": [1234.57]}


def test_rows_are_dicts_in_the_order_of_the_columns():
    frame = pd.DataFrame(
        {
            "day": pd.Series([pd.Timestamp("2026-11-22"), pd.NaT]),
            "n": pd.Series([3, pd.NA], dtype="Int64"),
            "value": [1.5, float("nan")],
            "segment": pd.Series(["team=a", None], dtype="str"),
            "complete": [True, False],
        }
    )
    assert plain.rows(frame) == [
        {"day": "2026-11-22", "n": 3, "value": 1.5, "segment": "team=a", "complete": True},
        {"day": None, "n": None, "value": None, "segment": None, "complete": False},
    ]


def test_the_digest_does_not_depend_on_the_order_of_keys():
    assert plain.digest({"a": 1, "b": 2}) == plain.digest({"b": 2, "a": 1})
    assert plain.digest({"a": 1}) != plain.digest({"a": 2})
    assert len(plain.digest("x", 64)) == 64


def test_records_hold_the_cells_as_they_are():
    day = pd.Timestamp("2026-11-22")
    frame = pd.DataFrame({"day": [day], "n": [3], "value": [1.5], "complete": [True]})
    (only,) = plain.records(frame)
    assert only == {"day": day, "n": 3, "value": 1.5, "complete": True}
    assert [type(cell) for cell in only.values()] == [pd.Timestamp, int, float, bool]
