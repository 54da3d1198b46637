"""Where values are alike, limits follow what makes them so, and judge what is left."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataops_nb import limits, status
from dataops_nb.metrics import Limits
from tests.limits.test_regimes import table

WEEKS = 156


def remembering(memory: float, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 2, WEEKS)
    for week in range(1, WEEKS):
        noise[week] += memory * noise[week - 1]
    return 100 + noise


def line(values: np.ndarray, rules: Limits | None = None) -> list:
    return limits.add_limits(table(values), rules)["limits_line"].unique().tolist()


def test_steady_values_keep_their_level():
    assert line(remembering(0.0)) == [None]


def test_a_memory_expects_each_week_where_the_one_before_leads():
    values = remembering(0.8)
    found = limits.add_limits(table(values))
    assert found["limits_line"].unique().tolist() == ["memory"]
    assert found["limits_reason"].isna().all()
    assert found["center"].isna().tolist() == [True] + [False] * (WEEKS - 1)
    slope = np.polyfit(values[:-1], found["center"].iloc[1:], 1)[0]
    assert slope == pytest.approx(np.corrcoef(values[:-1], values[1:])[0, 1], abs=0.05)


def test_a_jump_of_a_stock_is_a_signal_and_its_growth_is_none():
    values = 500 + np.cumsum(np.random.default_rng(2).normal(3, 2, WEEKS))
    values[-1] += 12
    found = limits.add_limits(table(values))
    assert found["limits_line"].iloc[-1].startswith("memory")
    assert found["signal"].iloc[-1] == "outside"
    assert found["signal"].notna().sum() < 0.06 * WEEKS


def test_one_odd_value_hides_no_trend():
    growing = np.arange(61) + np.random.default_rng(1).normal(0, 1, 61)
    growing[-1] += 12
    found = limits.add_limits(table(growing))
    assert found["limits_line"].iloc[-1] == "trend"
    assert np.flatnonzero(found["signal"] == "outside").tolist() == [60]


def test_a_gap_is_crossed_with_what_was_known_before_it():
    rows = table(remembering(0.8))
    rows.loc[100:103, "value"] = np.nan
    found = limits.add_limits(rows)
    assert found["center"].iloc[100:105].notna().all()
    away = np.abs(found["center"] - 100)
    assert away.iloc[104] < away.iloc[100] or away.iloc[100] < 0.5


@pytest.mark.parametrize("rules", [Limits(chart="xmr"), Limits(season=True)])
def test_what_somebody_said_about_limits_stands(rules: Limits):
    values = remembering(0.8)
    expected = [None] if rules.chart == "xmr" else ["season"]
    assert line(values, rules) == expected
    assert limits.add_limits(table(values), rules)["limits_reason"].unique() == ["autocorrelated"]


def test_a_memory_assures_of_nothing_and_says_nothing_of_the_next_light():
    judged = status.judge(
        limits.add_limits(table(remembering(0.9))).assign(target=50.0),
        {"made": status.Agreement(better="up", green=1.0)},
    )
    last = judged.iloc[-1]
    assert last["variation"] == "common cause"
    assert (last["assurance"], pd.isna(last["flips"])) == (None, True)


@pytest.mark.parametrize(
    ("target", "better", "said"),
    [
        (60.0, "up", "consistent pass"),
        (60.0, "down", "consistent fail"),
        (100.0, "up", "inconsistent"),
    ],
)
def test_assurance_says_where_the_target_lies_to_the_limits(target, better, said):
    agreed = {"made": status.Agreement(target=target, better=better, green=1.0)}
    judged = status.judge(limits.add_limits(table(remembering(0.0))), agreed)
    assert judged["assurance"].iloc[-1] == said


def test_without_limits_or_a_target_nothing_is_assured():
    agreed = {"made": status.Agreement(target=60.0, better="up", green=1.0)}
    short = status.judge(limits.add_limits(table(remembering(0.0)[:9])), agreed)
    assert short["assurance"].isna().all()
    aimless = {"made": status.Agreement(better="up", green=1.0)}
    assert (
        status.judge(limits.add_limits(table(remembering(0.0))), aimless)["assurance"].isna().all()
    )
