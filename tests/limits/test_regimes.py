"""Limits start anew where a series changed its level, which is the signal while it is new."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from dataops_nb import limits, status
from dataops_nb.limits import Rules, regimes
from dataops_nb.metrics import Limits


def table(values: np.ndarray, grain: str = "week") -> pd.DataFrame:
    starts = pd.date_range("2024-01-01", periods=len(values), freq="7D")
    return pd.DataFrame(
        {
            "metric": "made",
            "segment": pd.Series([None] * len(values), dtype=object),
            "grain": grain,
            "period": [f"p{number}" for number in range(len(values))],
            "period_start": starts,
            "period_end": starts + pd.Timedelta(days=6),
            "value": values,
            "n": 1,
            "coverage": 1.0,
            "data_to": starts + pd.Timedelta(days=6),
            "condition": None,
            "complete": True,
        }
    )


def stepped(n: int, ago: int, size: float = 4.0) -> pd.DataFrame:
    values = 50 + np.random.default_rng(3).standard_normal(n)
    values[n - ago :] += size
    return table(values)


def test_the_newest_level_is_said_with_the_one_before():
    last = limits.add_limits(stepped(100, 9)).iloc[-1]
    assert last["level_since"] == pd.Timestamp("2024-01-01") + pd.Timedelta(weeks=91)
    assert last["level_before"] == pytest.approx(50, abs=0.5)
    assert last["level_now"] == pytest.approx(54, abs=0.8)


def test_a_new_level_is_a_signal_before_it_has_limits():
    limited = limits.add_limits(stepped(100, 9))
    assert limited["signal"].iloc[-9:].tolist() == ["shift"] * 9
    assert limited["limits_reason"].iloc[-9:].unique().tolist() == ["new level"]
    assert limited["limits_reason"].iloc[:91].isna().all()


def test_a_level_that_has_limits_is_history():
    limited = limits.add_limits(stepped(100, 30))
    assert limited["limits_reason"].isna().all()
    assert "shift" not in limited["signal"].tolist()
    assert limited["upper"].nunique() == 2


@pytest.mark.parametrize(
    "rules",
    [
        Limits(chart="xmr"),
        Rules(**{"rebase": [{"from": "2025-09-29", "because": "A new shop."}]}),
        Rules(**{"lock": {"from": "2024-01-01", "because": "Agreed."}}),
    ],
)
def test_what_somebody_said_about_limits_stands(rules: Limits):
    limited = limits.add_limits(stepped(100, 9), rules)
    assert limited["level_since"].isna().all()
    assert "shift" not in limited["signal"].tolist()


@pytest.mark.filterwarnings("error")
def test_a_series_without_complete_values_has_no_chance_of_a_false_level_and_warns_of_nothing():
    rows = stepped(3, 1).assign(complete=False)
    assert limits.add_limits(rows)["alarm"].isna().all()


def test_days_are_not_searched():
    rows = stepped(100, 9).assign(grain="day")
    assert limits.add_limits(rows)["level_since"].isna().all()


@pytest.mark.parametrize(
    ("better", "said"), [("up", "special-cause improvement"), ("down", "special-cause concern")]
)
def test_a_new_level_varies_by_its_direction(better, said):
    limited = limits.add_limits(stepped(100, 9)).assign(target=60.0)
    agreed = {"made": status.Agreement(better=better)}
    assert status.judge(limited, agreed)["variation"].iloc[-1] == said


def test_the_order_of_rows_changes_nothing():
    rows = stepped(100, 9)
    mixed = limits.add_limits(rows.sample(frac=1, random_state=1)).sort_index()
    pd.testing.assert_frame_equal(mixed, limits.add_limits(rows))


def test_where_no_period_counts_yet_no_new_level_is_expected_and_nothing_is_warned():
    no_periods, no_count = np.array([0]), np.array([np.inf])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chance = regimes.false_levels([Limits()], ["week"], no_periods, no_count)
    assert 0 <= chance[0] < 0.01
