"""Limits of counts and shares against published tables, and what they find."""

import numpy as np
import pandas as pd
import pytest

from dataops_nb import limits

# Montgomery 1991, Introduction to Statistical Quality Control, 2nd edition: nonconforming cans in 30
# samples of 50 (orange juice, pages 152-155), of which 15 and 23 are explained, and nonconformities
# in 26 samples of 100 printed circuit boards (pages 173-175), of which 6 and 20 are; chapter 7 of
# later editions. Pages as R's qcc gives them (orangejuice, circuit).
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22]
CANS += [8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]
BOARDS = [21, 24, 16, 12, 15, 5, 28, 20, 31, 25, 20, 24, 16]
BOARDS += [19, 10, 17, 13, 22, 18, 39, 30, 24, 16, 19, 17, 15]


# Montgomery and Runger, Applied Statistics and Probability for Engineers, exercise 15-6.3: solder
# defects on 24 samples of five boards; "samples 5 and 24 are points beyond the control limits".
DEFECTS = [7, 6, 8, 10, 24, 6, 5, 4, 8, 11, 15, 8, 4, 16, 11, 12, 8, 6, 5, 9, 7, 14, 8, 21]

# SAS/QC User's Guide (qcug 66114), The SHEWHART Procedure, UCHART Statement, Saving Control Limits,
# figure 17.87: defects on 20 rolls of cloth of 30 square meters, and the limits printed for them. Example
# 17.32 says of the same rolls that all lie within, by limits from a centre of .325.
ROLLS = [12, 11, 9, 15, 7, 6, 5, 10, 8, 8, 14, 5, 9, 13, 7, 5, 8, 11, 7, 12]


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


def test_a_c_chart_flags_the_points_that_the_book_explains():
    found = limits.add_limits(days(BOARDS, 100), limits.Rules(chart="c"))
    assert (np.flatnonzero(found["signal"] == "outside") + 1).tolist() == [6, 20]


def test_a_u_chart_flags_the_published_points():
    found = limits.add_limits(days(np.array(DEFECTS) / 5, 5), limits.Rules(chart="u"))
    assert lines(found) == pytest.approx([233 / 120, 0.0722, 3.8112], abs=5e-5)
    assert (np.flatnonzero(found["signal"] == "outside") + 1).tolist() == [5, 24]


def test_a_u_chart_has_the_published_limits():
    found = limits.add_limits(days(np.array(ROLLS) / 30, 30), limits.Rules(chart="u"))
    assert lines(found) == pytest.approx([0.30333, 0.001671271, 0.60500], abs=5e-6)
    assert found["signal"].isna().all()


def test_a_u_chart_of_many_units_flags_what_a_c_chart_of_one_does():
    found = limits.add_limits(days(np.array(BOARDS) / 100, 100), limits.Rules(chart="u"))
    assert found["center"].iloc[0] == pytest.approx(0.1985, abs=5e-5)
    assert (np.flatnonzero(found["signal"] == "outside") + 1).tolist() == [6, 20]


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


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_never_or_always_happens_has_no_room_beside_its_line(share):
    never = limits.add_limits(days([share] * 20, 50).assign(base=50.0))
    assert never["limits_chart"].iloc[0] == "laney-p"
    assert lines(never) == [share, share, share]


def test_a_count_that_is_always_nothing_has_no_room_above_nothing():
    never = limits.add_limits(days([0.0] * 20, 1))
    assert never["limits_chart"].iloc[0] == "laney-c"
    assert lines(never) == [0, 0, 0]
