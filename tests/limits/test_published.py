"""Limits of counts and shares against published tables, and what they find."""

import numpy as np
import pandas as pd
import pytest

from dataops_nb import limits

# Montgomery, Introduction to Statistical Quality Control, chapter 7: nonconforming cans in 30
# samples of 50 (orange juice), and nonconformities of 26 printed circuit boards.
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22]
CANS += [8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]
BOARDS = [21, 24, 16, 12, 15, 5, 28, 20, 31, 25, 20, 24, 16]
BOARDS += [19, 10, 17, 13, 22, 18, 39, 30, 24, 16, 19, 17, 15]


def days(values, n):
    dates = pd.date_range("2026-01-01", periods=len(values))
    return pd.DataFrame(
        {
            "metric": "m", "segment": None, "grain": "day", "period": dates.strftime("%Y-%m-%d"),
            "period_start": dates, "period_end": dates, "value": np.asarray(values, dtype=float),
            "n": n, "complete": True,
        }
    )  # fmt: skip


def lines(found):
    return found[["center", "lower", "upper"]].iloc[0].tolist()


def test_a_p_chart_has_the_published_limits():
    found = limits.add_limits(days(np.array(CANS) / 50, 50), limits.Rules(chart="p"))
    assert lines(found) == pytest.approx([0.2313, 0.0524, 0.4102], abs=5e-5)
    assert (np.flatnonzero(found["signal"] == "outside") + 1).tolist() == [15, 23]


def test_a_c_chart_has_the_published_center_and_leaves_named_points_out():
    found = limits.add_limits(days(BOARDS, 100), limits.Rules(chart="c"))
    assert lines(found) == pytest.approx([19.85, 6.48, 33.21], abs=0.01)
    out = [{"from": f"2026-01-{day:02d}", "because": "known"} for day in (6, 20)]
    kept = limits.add_limits(days(BOARDS, 100), limits.Rules(chart="c", leave_out=out))
    assert lines(kept) == pytest.approx([472 / 24, 6.36, 32.97], abs=0.01)
    assert (np.flatnonzero(kept["left_out"]) + 1).tolist() == [6, 20]


def test_a_real_drop_of_a_rate_is_found_by_its_number():
    rng, seen = np.random.default_rng(1), 0
    n = np.append(np.tile([5, 400], 20), 400)
    for _ in range(60):
        won = np.append(rng.binomial(n[:-1], 0.25), 60)
        seen += limits.add_limits(days(won / n, n))["signal"].iloc[-1] == "outside"
    assert seen >= 54


def test_limits_without_width_give_no_signal():
    sparse = [0, 0, 0, 5, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]
    found = limits.add_limits(days(sparse, 20), limits.Rules(chart="xmr", range="median"))
    assert found["signal"].isna().all()
    assert set(found["limits_reason"]) == {"no width"}


@pytest.mark.parametrize("chart", ["auto", "xmr", "laney"])
def test_a_day_left_out_does_not_move_the_limits(chart):
    out = [{"from": "2026-01-14", "because": "an outage"}]
    rules = limits.Rules(chart=chart, leave_out=out)
    values = [10, 12, 9, 11, 12, 8, 11, 9, 10, 12, 11, 9, 10, 13, 11]
    usual = limits.add_limits(days(values, 50), rules)
    values[13] = 24
    assert lines(limits.add_limits(days(values, 50), rules)) == pytest.approx(lines(usual))
