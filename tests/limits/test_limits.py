"""Process limits reproduce the published figures, and no verdict is given where they prove nothing."""

import datetime as dt
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import board, limits
from dataops_nb.errors import UsageError
from dataops_nb.limits.stretches import number_names
from dataops_nb.limits.xmr import (
    NHS,
    WHEELER,
    ProcessLimits,
    Rules,
    SignalRules,
    binomial_quantile,
    remembers,
    runs,
)
from dataops_nb.limits.xmr import signals as find_signals
from dataops_nb.metrics import Because, Limits

# Wheeler, Making Sense of Data, p. 382: "data set to use when verifying software"
VERIFY = [
    5045,
    4350,
    4350,
    3975,
    4290,
    4430,
    4485,
    4285,
    3980,
    3925,
    3645,
    3760,
    3300,
    3685,
    3463,
    5200,
]
# Wheeler, Making Sense of Data, p. 145 and p. 147
SMALL = [2.5, 2.3, 16.3, 6.3, 7.6, 16.3, 7.1, 7.8, 7.8, 9.9, 10.5, -4.8]
WILD = [260, 130, 189, 1080, 175, 200, 193, 120, 33, 293, 195, 571, 55698, 209, 1825, 239, 290, 254, 93, 278, 185, 123, 9434, 408,
        570, 118, 238, 207, 153, 209, 243, 110, 306, 343, 244]  # fmt: skip
# Wheeler, Making Sense of Data, tables 8.1, 9.1 and 9.2
SMOKING = [21.3, 20.2, 20.9, 21.0, 18.8, 19.6, 18.7, 18.6, 18.1, 18.9, 19.2, 18.2, 17.3, 19.0]
ACCIDENTS = [43, 40, 37, 33, 30, 33, 34, 35, 29, 33, 31, 39]
RECEIVABLE = [55.6, 54.7, 54.9, 54.8, 56.9, 55.7, 53.8, 54.8, 53.4, 57.0, 59.4, 63.2, 60.9, 60.7, 58.6, 57.3, 56.9, 58.1, 58.3, 50.9,
              53.3, 52.5, 50.8, 52.9]  # fmt: skip
NELSON = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]


def beyond(values, lower, upper):
    given_limits = ProcessLimits((lower + upper) / 2, lower, upper, 1, 1)
    return [i for i, signal in enumerate(find_signals(values, given_limits)) if signal == "outside"]


@pytest.mark.parametrize(
    ("values", "how", "center", "lower", "upper", "ranges", "url", "decimals"),
    [
        (VERIFY, {}, 4135.50, 3188.72, 5082.28, 355.93, 1163.19, 2),
        (SMALL, {"rules": Rules(range="median")}, 7.467, 0.862, 14.071, 2.1, 8.117, 3),
        (
            WILD,
            {"rules": Rules(range="median"), "center": "median"},
            238,
            -155.125,
            631.125,
            125,
            483.125,
            3,
        ),
        (ACCIDENTS, {}, None, 25.6, 43.9, None, None, 1),
        (RECEIVABLE[:12], {}, None, 51.686, 60.681, None, None, 3),
        (NELSON, {"rules": Rules(screen=True)}, 1.94, -0.72, 4.60, 1, None, 2),
        ([10, 50, 40, 30], {}, 32.5, -20.7, 85.7, 20, 65.36, 2),
    ],
)
def test_limits_are_the_published_ones(values, how, center, lower, upper, ranges, url, decimals):
    found = limits.xmr(values, **how)
    said = (found.center, found.lower, found.upper, found.moving_range, found.range_limit)
    for ours, published in zip(said, (center, lower, upper, ranges, url), strict=True):
        assert published is None or round(ours, decimals) == published


def test_the_collected_published_cases_hold(shared):
    book = json.loads((shared("spc_wheeler") / "expected.json").read_text())
    cases = {case["name"]: case for case in book["cases"]}
    for name, how in {
        "verify_software_p382": {}, "median_mr_p145": {"rules": Rules(range="median")}, "median_x_p147": {"rules": Rules(range="median"), "center": "median"},
    }.items():  # fmt: skip
        case, found = cases[name], limits.xmr(cases[name]["values"], **how)
        said = {
            "x_cl": found.center,
            "mr_cl": found.moving_range,
            "lnpl": found.lower,
            "unpl": found.upper,
        }
        said["url"] = found.range_limit
        assert {key: round(value, case["decimals"]) for key, value in said.items()} == case[
            "recomputed"
        ]
    smoking = find_signals(
        SMOKING, limits.xmr(SMOKING), SignalRules(run=8, near=99, near_of=99, near_at=1)
    )
    assert [i for i, each in enumerate(smoking) if each == "run"] == cases["rule2_smoking_t8_1"][
        "run_of_8_indices"
    ]
    assert beyond(ACCIDENTS, 18.0, 39.3) == cases["accidents_t9_1_a"]["beyond_indices"]
    ar = cases["ar_pct_t9_2"]
    first = limits.xmr(RECEIVABLE[:12])
    assert beyond(RECEIVABLE, first.lower, 60.7) == [*ar["beyond_given_upper_60_7"], 19, 22]
    moved = np.abs(np.diff(RECEIVABLE))
    assert [i + 1 for i in np.flatnonzero(moved > first.range_limit)] == ar["mr_beyond_url_indices"]


def test_a_point_equal_to_a_limit_is_no_signal():
    assert beyond(RECEIVABLE, 51.686, 60.7) == [11, 12, 19, 22]
    assert beyond(RECEIVABLE, 51.686, 60.681) == [11, 12, 13, 19, 22]


def test_eight_on_one_side_of_the_centre_are_a_run():
    assert find_signals(SMOKING, limits.xmr(SMOKING))[-8:] == ["run"] * 8


UNIT = ProcessLimits(0, -3, 3, 1, 1)


@pytest.mark.parametrize(
    ("values", "rules", "signals"),
    [
        ([1, 1, 1, 1, 1, 1, 1], WHEELER, [None] * 7),
        ([1] * 8, WHEELER, ["run"] * 8),
        ([1] * 4 + [0] + [1] * 4, WHEELER, [None] * 9),
        ([1] * 7, NHS, ["run"] * 7),
        ([1.6, 1.6, 0, 1.6], WHEELER, ["near-limit", "near-limit", None, "near-limit"]),
        ([1.6, 1.6, 0, -1.6], WHEELER, [None] * 4),
        ([1.5, 1.5, 1.5, 1.5], WHEELER, [None] * 4),
        ([2.1, 0, 2.1], NHS, ["near-limit", None, "near-limit"]),
        ([2.0, 2.0, 2.0], NHS, [None] * 3),
        ([-1.5, -1, -0.5, 0, 0.5, 1, 1.5], NHS, ["trend"] * 7),
        ([-1.5, -1, -0.5, 0, 0.5, 1], NHS, [None] * 6),
        ([-1, -0.5, 0, 0.5, 1, 2, 4], NHS, ["trend"] * 6 + ["outside"]),
        ([0.1, 0.2, 0.3, 0.4, 1.1, 2.2, 2.5], NHS, ["trend"] * 7),
        ([2.1, 2.2, 0.3, 0.4, 1.1, 0.2, 0.5], NHS, ["near-limit", "near-limit", *["run"] * 5]),
    ],
)
def test_rules_and_their_precedence_outside_trend_near_limit_run(values, rules, signals):
    assert find_signals(values, UNIT, rules) == signals


@pytest.mark.parametrize(("n", "longest", "crossings"), [(24, 8, 8), (20, 7, 6)])
def test_anhoj_allows_runs_and_asks_for_crossings_as_published(n, longest, crossings):
    found = runs([i % 2 for i in range(n)])
    assert (found.n, found.longest_allowed, found.crossings_needed, found.crossings) == (
        n,
        longest,
        crossings,
        n - 1,
    )


def test_anhoj_counts_only_points_off_the_median():
    found = runs([1, 2, 3, 2, 1, 2, 3])
    assert (found.n, found.longest, found.crossings) == (4, 1, 3)
    assert runs([1.0] * 12 + [2.0] * 12).signal
    assert not runs([1.0, 2.0] * 12).signal
    assert not runs([]).signal


@given(st.integers(0, 60), st.integers(1, 99))
def test_a_binomial_quantile_is_the_first_whose_probability_reaches_the_share(n, percent):
    k = binomial_quantile(percent / 100, n)
    below = sum(math.comb(n, i) for i in range(k))
    assert below * 100 < percent * 2**n <= (below + math.comb(n, k)) * 100


def signalled(series, rules):
    return np.mean([any(find_signals(row, limits.xmr(row), rules)) for row in series.tolist()])


RULE_1 = SignalRules(run=99, near=99, near_of=99, near_at=1)


def test_false_alarms_of_noise_are_as_often_as_stated():
    """4,000 series of 24 points: within 4 standard errors (at most 2.3 points) of 5.9, 10.9 and 16.1 %."""
    series = np.random.default_rng(20261122).normal(size=(4000, 24))
    for rules, share in ((RULE_1, 0.059), (WHEELER, 0.109), (NHS, 0.161)):
        assert signalled(series, rules) == pytest.approx(
            share, abs=4 * math.sqrt(share * (1 - share) / 4000)
        )


def remembering(phi, count=1500, n=24):
    noise = np.random.default_rng(7).normal(size=(count, n + 60))
    series = np.zeros_like(noise)
    for i in range(1, noise.shape[1]):
        series[:, i] = phi * series[:, i - 1] + noise[:, i]
    return series[:, 60:]


@pytest.mark.parametrize(("phi", "share"), [(0.3, 0.19), (0.5, 0.40), (0.7, 0.68)])
def test_memory_makes_noise_look_like_signals_as_often_as_stated(phi, share):
    """1,500 series of 24 points: within 4 standard errors and the rounding of the published percent."""
    assert signalled(remembering(phi), RULE_1) == pytest.approx(
        share, abs=4 * math.sqrt(share * (1 - share) / 1500) + 0.005
    )


def test_the_guard_stays_silent_on_noise_and_speaks_on_memory():
    said = {
        phi: np.mean([remembers(row) for row in remembering(phi, 500, 52).tolist()])
        for phi in (0.0, 0.5, 0.7)
    }
    assert said[0.0] < 0.03
    assert said[0.5] > 0.85
    assert said[0.7] > 0.98
    assert not remembers([3.0] * 20)
    assert not remembers([0.1 + 0.2] * 10 + [0.3] * 10)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40), st.floats(-1e3, 1e3))
def test_limits_move_with_the_values(values, by):
    here, there = limits.xmr(values), limits.xmr([value + by for value in values])
    assert there.lower - here.lower == pytest.approx(by, abs=1e-5)
    assert there.upper - there.center == pytest.approx(here.upper - here.center, abs=1e-5)


# --- in the metric table ------------------------------------------------------------------------------------------------


class Definitions:
    """Just what limits ask of the definitions."""

    def __init__(self, **said):
        self.metrics = {
            name: type("Metric", (), {"limits": said.get(name, Limits())}) for name in ("m", "k")
        }


def weeks(values, metric="m", segment=None, start="2026-01-05"):
    first = pd.date_range(start, periods=len(values), freq="7D").astype("datetime64[s]")
    return pd.DataFrame({
        "metric": metric, "segment": pd.Series([segment] * len(values), dtype=object), "grain": "week", "period_start": first,
        "period_end": first + pd.Timedelta(days=6), "value": [float(v) for v in values], "complete": True,
    })  # fmt: skip


def test_each_metric_and_segment_has_limits_of_its_own_complete_periods():
    partial = weeks([1]).assign(complete=False, period_start=pd.Timestamp("2026-06-01"))
    table = pd.concat(
        [weeks(VERIFY), partial, weeks(ACCIDENTS, "k"), weeks(SMOKING, "m", "team=East")]
    )
    found = limits.add_limits(table.sample(frac=1, random_state=3), Definitions()).sort_index(
        kind="stable"
    )
    total = found[(found["metric"] == "m") & found["segment"].isna()]
    assert total["center"].round(2).unique().tolist() == [4135.50]
    assert total["upper"].round(2).unique().tolist() == [5082.28]
    assert total.loc[~total["complete"], "signal"].tolist() == [None]
    assert found[found["metric"] == "k"]["lower"].round(1).unique().tolist() == [25.6]
    assert (
        found[found["segment"] == "team=East"].sort_values("period_start")["signal"].tolist()[-8:]
        == ["run"] * 8
    )


def test_rows_and_their_order_are_kept():
    table = weeks(VERIFY).set_index(pd.Index(range(100, 84, -1))).iloc[::-1]
    found = limits.add_limits(table, Definitions())
    assert found.index.tolist() == table.index.tolist()
    assert found["value"].tolist() == table["value"].tolist()
    empty = limits.add_limits(table.iloc[:0], Definitions())
    names = ["center", "lower", "upper", "signal", "limits_reason"]
    levels = ["level_since", "level_before", "level_now"]
    chart = ["limits_chart", "limits_line", "left_out", "alarm"]
    assert list(empty.columns)[-12:] == [*names, *levels, *chart]


def test_eleven_points_give_no_verdict_and_twelve_do():
    quiet = [10, 12, 9, 11, 12, 8, 11, 9, 10, 12]
    for values, signal, reason in (
        ([*quiet, 99], None, "too short"),
        ([*quiet, 11, 99], "outside", None),
    ):
        found = limits.add_limits(weeks(values), Definitions())
        assert found["signal"].iloc[-1] == signal
        assert found["limits_reason"].unique().tolist() == [reason]
        assert found["center"].notna().all()


def test_memory_blanks_the_signal_and_never_the_limits():
    climbing = [*range(30), 90]
    found = limits.add_limits(weeks(climbing), Definitions(m=Limits(chart="xmr")))
    assert found["signal"].isna().all()
    assert found["limits_reason"].unique().tolist() == ["autocorrelated"]
    assert found[["center", "lower", "upper"]].notna().all(axis=None)


def test_locked_limits_come_from_their_days_and_hold_for_all():
    lock = Limits(
        lock=Because(
            from_=dt.date(2026, 1, 5), to=dt.date(2026, 3, 29), because="before the change"
        )
    )
    found = limits.add_limits(weeks(RECEIVABLE), Definitions(m=lock))
    assert found["upper"].round(3).unique().tolist() == [60.681]
    assert np.flatnonzero(found["signal"] == "outside").tolist() == [11, 12, 13, 19, 22]


def test_limits_start_anew_with_the_first_period_from_the_day_on():
    rebase = Limits(rebase=[Because(from_=dt.date(2026, 3, 25), because="new territories")])
    found = limits.add_limits(
        weeks([*ACCIDENTS, *(v + 100 for v in ACCIDENTS)]), Definitions(m=rebase)
    )
    assert found["lower"].round(1).tolist() == [25.6] * 12 + [125.6] * 12
    assert found["signal"].isna().all()


def test_a_period_without_a_value_has_no_signal_and_changes_no_limits():
    gap = weeks([*VERIFY[:8], math.nan, *VERIFY[8:]])
    found = limits.add_limits(gap, Definitions())
    assert found["center"].round(2).unique().tolist() == [4135.50]
    assert found["signal"].tolist()[8] is None


QUIET = [10, 12, 9, 11, 12, 8, 11, 9, 10, 12, 11, 10, 9, 12, 10, 8, 11, 12]


def of_weeks(company, values, rest="", better="up", target=10):
    last = dt.date(2026, 11, 22)
    first = last - dt.timedelta(days=7 * len(values) - 1)
    rows = "on,n\n" + "".join(
        f"{first + dt.timedelta(days=7 * i + j)},{n if j == 6 else 0}\n"
        for i, n in enumerate(values)
        for j in range(7)
    )
    metric = f"m: {{type: simple, measure: {{source: s, agg: sum, expr: n}}, lights: standard, better: {better}, targets: [{{per: week, value: {target}}}]{rest}}}"
    return board.measure(
        company(
            "s: {system: CRM, path: s.csv, time: on}", metric, {"s.csv": rows}, as_of="2026-11-22"
        ),
        ["m"],
    )


def test_a_board_has_limits_lights_and_the_variation_by_the_good_direction(company):
    for better, variation in (
        ("up", "special-cause improvement"),
        ("down", "special-cause concern"),
    ):
        row = of_weeks(company, [*QUIET, 40], better=better).row("m")
        assert (row["signal"], row["variation"]) == ("outside", variation)
    assert of_weeks(company, QUIET).row("m")["variation"] == "common cause"
    assert of_weeks(company, QUIET[:5]).row("m")["variation"] is None


def test_a_rebase_in_the_files_reaches_the_board(company):
    rest = ', limits: {rebase: [{from: 2026-08-31, because: "new plan"}]}'
    this = of_weeks(company, [*QUIET[:12], *(n + 20 for n in QUIET[:12])], rest)
    assert sorted(this.table["center"].round(2).dropna().unique()) == [10.42, 30.42]


# --- what grows or has seasons --------------------------------------------------------------------------------------------

WEEKS = 156
WAVE = 12 * np.cos(2 * np.pi * np.arange(WEEKS) / 52.18)


def judged_limits(values, **agreed):
    return limits.add_limits(weeks(values, start="2023-01-02"), Definitions(m=Limits(**agreed)))


def test_limits_follow_the_line_of_a_metric_that_grows():
    noise = np.random.default_rng(4).normal(0, 2, WEEKS)
    grown = judged_limits(50 + np.arange(WEEKS) + noise, trend=True)
    assert grown["limits_reason"].isna().all()
    assert grown["center"].iloc[[0, -1]].tolist() == pytest.approx([50, 50 + WEEKS - 1], abs=1)
    assert (grown["upper"] - grown["center"]).tolist() == pytest.approx([6] * WEEKS, abs=1)
    unasked = judged_limits(50 + np.arange(WEEKS) + noise)
    assert unasked["limits_line"].unique().tolist() == ["trend"]
    np.testing.assert_allclose(unasked["upper"], grown["upper"])


def test_limits_follow_the_seasons_and_a_point_that_does_not_is_a_signal():
    noise = np.random.default_rng(5).normal(0, 2, WEEKS)
    values = 50 + WAVE + noise
    values[120] += 15
    found = judged_limits(values, season=True)
    assert found["limits_reason"].isna().all()
    assert np.flatnonzero(found["signal"] == "outside").tolist() == [120]
    assert np.abs(found["center"] - 50 - WAVE).max() < 5
    unasked = judged_limits(values)
    assert unasked["limits_line"].str.contains("season").all()
    assert np.flatnonzero(unasked["signal"] == "outside").tolist() == [120]


def test_a_season_takes_two_years_to_know():
    values = (50 + WAVE + np.random.default_rng(6).normal(0, 2, WEEKS))[:100]
    found = judged_limits(values, season=True)
    assert found["limits_reason"].unique().tolist() == ["too short"]
    assert found["center"].nunique() == 1


def test_noise_around_a_season_shows_as_many_signals_as_noise_around_a_level():
    """600 series of 104 weeks: the share of points outside limits, within 4 standard errors of what a level shows."""
    rng = np.random.default_rng(8)
    series, outside = 600, {}
    values = rng.normal(100, 5, size=(series, 104))
    table = pd.concat(
        [weeks(row, start="2024-01-01").assign(segment=f"s={i}") for i, row in enumerate(values)]
    )
    for name, agreed in {"level": {}, "season": {"season": True, "trend": True}}.items():
        found = limits.add_limits(table, Definitions(m=Limits(**agreed)))
        outside[name] = (found["signal"] == "outside").mean()
    error = math.sqrt(0.004 / len(table))
    assert outside["season"] == pytest.approx(outside["level"], abs=4 * error)


def test_series_of_a_table_are_limited_each_by_itself_in_any_order():
    rng = np.random.default_rng(9)
    parts = [
        weeks(rng.normal(level, 2, size), start="2026-01-05").assign(segment=f"s={level}")
        for level, size in ((10, 11), (50, 40), (90, 26))
    ]
    parts[1].loc[5, "value"] = math.nan
    agreed = Definitions(
        m=Limits(rebase=[Because(from_=dt.date(2026, 5, 4), because="new plan")], range="median")
    )
    table = pd.concat(parts, ignore_index=True)
    apart = pd.concat([limits.add_limits(part, agreed) for part in parts], ignore_index=True)
    mixed = limits.add_limits(table.sample(frac=1, random_state=1), agreed).sort_index()
    pd.testing.assert_frame_equal(mixed, apart)
    pd.testing.assert_frame_equal(limits.add_limits(table, agreed), apart)


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=12, max_size=40),
    st.booleans(),
    st.sampled_from(["mean", "median"]),
)
def test_the_table_has_the_limits_of_the_formula(values, screen, ranges):
    found = limits.add_limits(
        weeks(values), Definitions(m=Limits(chart="xmr", range=ranges, screen=screen))
    ).iloc[-1]
    said = limits.xmr(values, Rules(range=ranges, screen=screen))
    scale = max(1.0, *map(abs, values))
    for name in ("center", "lower", "upper"):
        assert found[name] == pytest.approx(getattr(said, name), abs=1e-9 * scale)


def test_rules_of_plain_tables_are_those_of_a_company():
    table = weeks([43, 40, 37, 33, 30, 33, 34, 35, 29, 33, 31, 39])
    agreed = Limits(range="median", screen=True)
    theirs = limits.add_limits(table, Definitions(m=agreed))
    rules = Rules(range="median", screen=True)
    pd.testing.assert_frame_equal(limits.add_limits(table, rules), theirs)
    pd.testing.assert_frame_equal(limits.add_limits(table, {"m": rules}), theirs)
    pd.testing.assert_frame_equal(limits.add_limits(table), limits.add_limits(table, Definitions()))


def test_limits_can_start_anew_by_plain_rules():
    table = weeks([10.0] * 12 + [20.0] * 12)
    day = str(table["period_start"].iloc[12].date())
    rules = Rules(rebase=[{"from": day, "because": "a new plan"}])
    assert limits.add_limits(table, rules)["center"].iloc[-1] == 20


def test_a_wrong_rule_names_the_nearest_right_one():
    with pytest.raises(UsageError, match="did you mean 'median'"):
        Rules(range="medien")
    with pytest.raises(UsageError, match="did you mean 'screen'"):
        Rules(screan=True)
    with pytest.raises(UsageError, match="did you mean 'm'"):
        limits.add_limits(weeks([1.0]), {"M": Rules()})


def test_plain_limits_take_values_of_any_size():
    values = [-5000.0, -5010, -4990, -5020, -4980, -5000, -5010, -4995, -5005, -5000, -4990, -5010]
    last = limits.add_limits(weeks(values), Definitions(m=Limits(chart="xmr"))).iloc[-1]
    assert last["center"] == pytest.approx(limits.xmr(values).center)
    assert last["lower"] == pytest.approx(limits.xmr(values).lower)


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["b", "b", None, "a", "a", "b", None], dtype="str"),
        pd.Series(["b", None, "a", "b"], dtype=object),
        pd.Series([None, None], dtype=object),
        pd.Series(["b", "a", "b"], dtype="category"),
        pd.Series([], dtype="str"),
    ],
)
def test_names_are_numbered_as_pandas_numbers_them(column: pd.Series) -> None:
    codes, names = number_names(column)
    expected, labels = pd.factorize(column)
    assert codes.tolist() == expected.tolist()
    assert names == list(labels)
