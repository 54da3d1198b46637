"""An unfinished period is judged by its pace: what earlier ones had reached by the same position."""

import datetime as dt
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import alignment, board, cli, pacing, story
from dataops_nb.errors import UsageError
from dataops_nb.periods import Calendar, at_position, position
from tests import sentences

MONDAY = dt.date(2026, 8, 3)
CUT = Calendar(holidays=frozenset({dt.date(2026, 11, 26)}))


# --- positions ------------------------------------------------------------------------------------------------------------


def test_the_same_weekday_is_the_same_position_of_another_week():
    this, other = (CUT.period("week", day) for day in (dt.date(2026, 11, 18), dt.date(2026, 11, 9)))
    for off in (0.0, 0.4, 1.0):
        share = position(CUT, this, dt.date(2026, 11, 18), off)
        assert at_position(CUT, other, share, off) == dt.date(2026, 11, 11)


def test_half_of_the_working_days_is_half_of_a_month_whatever_the_date():
    june, november = (
        CUT.period("month", dt.date(2026, 6, 1)),
        CUT.period("month", dt.date(2026, 11, 1)),
    )
    share = position(CUT, june, dt.date(2026, 6, 12), 0.0)  # 10 of 22 working days
    assert share == pytest.approx(10 / 22, abs=0.01)
    assert at_position(CUT, november, share, 0.0) == dt.date(
        2026, 11, 12
    )  # 9 of 20, a holiday left out


def test_nothing_of_a_period_has_passed_by_the_day_before_it_and_it_is_over_on_its_last():
    week = CUT.period("week", MONDAY)
    assert [position(CUT, week, day) for day in (dt.date(2026, 8, 2), dt.date(2026, 8, 9))] == [
        0,
        1,
    ]
    assert at_position(CUT, week, 0.0) == dt.date(2026, 8, 2)
    assert at_position(CUT, week, 0.999) == dt.date(2026, 8, 8)


# --- from files to the light ----------------------------------------------------------------------------------------------

SOURCE = "s: {system: CRM, path: s.csv, time: on}"
SHAPE = (4, 3, 2, 1, 0, 0, 0)  # 10 a week; 9 of them by Wednesday


def weekly(company, metrics, totals, days=3, shape=SHAPE, extra=""):
    """Weeks of these totals (a multiple of 10), dealt to days by `shape`; of the last one only the first days."""
    rows = "on,n\n"
    for week, total in enumerate(totals):
        last = days if week == len(totals) - 1 else 7
        rows += "".join(
            f"{MONDAY + dt.timedelta(days=7 * week + day)},{total * part // sum(shape)}\n"
            for day, part in enumerate(shape[:last])
        )
    as_of = MONDAY + dt.timedelta(days=7 * (len(totals) - 1) + days - 1)
    return company(SOURCE, metrics, {"s.csv": rows}, as_of=as_of.isoformat(), extra=extra)


def flow(rest=""):
    return f"m: {{type: simple, measure: {{source: s, agg: sum, expr: n}}, lights: standard{rest}}}"


def test_a_flow_is_expected_at_its_usual_share_of_the_target(company):
    catalog = weekly(company, flow(", targets: [{per: week, value: 20}]"), [10] * 13 + [20])
    this = board.measure(catalog, ["m"])
    row = this.unfinished.iloc[0]
    assert this.open_period.id == "2026-W45"
    assert (row["value"], row["expected"], row["pace"], row["landing"]) == (18, 18, 1, 20)
    assert (row["light"], row["reason"], row["on_pace"]) == ("green", None, True)
    assert row["p_hit"] == 0  # earlier weeks had 1 to come, and 2 are missing


def test_p_hit_knows_that_weeks_that_began_so_went_on_so(company):
    catalog = weekly(company, flow(", targets: [{per: week, value: 20}]"), [10, 20] * 8 + [20])
    row = board.measure(catalog, ["m"]).unfinished.iloc[0]
    assert (
        row["p_hit"] == 1
    )  # half of the earlier weeks had 2 to come: those that began with 18 as this one


def test_a_pace_a_hair_below_the_target_is_not_on_it(company):
    for total, light in ((20, "green"), (10, "red")):
        catalog = weekly(company, flow(", targets: [{per: week, value: 20}]"), [30] * 13 + [total])
        assert board.measure(catalog, ["m"]).unfinished["light"].tolist() == [light]


def test_lower_is_better_is_judged_by_where_it_lands(company):
    rest = ", better: down, targets: [{per: week, value: 10}]"
    row = board.measure(weekly(company, flow(rest), [10, 20] * 8 + [20]), ["m"]).unfinished.iloc[0]
    assert (row["landing"], row["attainment"], row["light"], row["p_hit"]) == (20, 0.5, "red", 0)
    row = board.measure(weekly(company, flow(rest), [10, 20] * 8 + [10]), ["m"]).unfinished.iloc[0]
    assert (row["landing"], row["light"], row["p_hit"]) == (10, "green", 1)


def test_closed_periods_have_no_pace_and_the_last_complete_one_is_judged_as_before(company):
    this = board.measure(
        weekly(company, flow(", targets: [{per: week, value: 20}]"), [10] * 13 + [20]), ["m"]
    )
    closed = this.table[this.table["period"] != this.open_period.id]
    assert closed[list(pacing.COLUMNS)].isna().all(axis=None)
    assert not closed["on_pace"].any()
    assert this.row("m")["light"] == "red"


def test_no_period_is_open_on_the_last_day_of_one(company):
    this = board.measure(weekly(company, flow(), [10] * 14, days=7), ["m"])
    assert this.open_period is None
    assert this.unfinished.empty
    assert story.paced(this).sentences == ()


def test_fewer_than_twelve_weeks_say_no_probability_and_fewer_than_two_no_landing(company):
    rest = ", targets: [{per: week, value: 20}]"
    row = board.measure(weekly(company, flow(rest), [10] * 11 + [20]), ["m"]).unfinished.iloc[0]
    assert row["landing"] == 20
    assert math.isnan(row["p_hit"])
    row = board.measure(weekly(company, flow(rest), [10, 20]), ["m"]).unfinished.iloc[0]
    assert math.isnan(row["landing"])
    assert (row["light"], row["reason"], row["on_pace"]) == ("unknown", "incomplete", False)


def test_what_does_not_add_up_moves_on_from_where_it_stands(company):
    metrics = f"""
    {flow()}
    level: {{type: simple, measure: {{source: s, agg: sum, expr: n, at: end}}, lights: standard, targets: [{{value: 1}}]}}
    ttm: {{type: cumulative, metric: m, window: 4 weeks, lights: standard, targets: [{{value: 40}}]}}
    size: {{type: simple, measure: {{source: s, agg: average, expr: n}}, lights: standard, targets: [{{value: 5}}]}}
    """
    rows = board.measure(
        weekly(company, metrics, [10] * 18), ["level", "ttm", "size"]
    ).unfinished.set_index("metric")
    assert rows[["expected", "pace"]].isna().all(axis=None)
    assert rows.loc["level", ["value", "landing", "p_hit"]].tolist() == [2, 0, 0]
    assert rows.loc["ttm", ["value", "landing", "p_hit", "light"]].tolist() == [39, 40, 1, "green"]
    assert rows.loc["size", "landing"] == pytest.approx(
        10 / 7
    )  # 3 a day by Wednesday, 10 / 7 at the end of a week


def test_sums_of_flows_add_up_and_products_do_not(company):
    metrics = f"""
    {flow()}
    k: {{type: simple, measure: {{source: s, agg: count}}}}
    mean: {{type: simple, measure: {{source: s, agg: average, expr: n}}}}
    both: {{type: derived, expr: (m + k) / 2 - m}}
    product: {{type: derived, expr: m * k}}
    share: {{type: derived, expr: 1 / m}}
    mixed: {{type: derived, expr: m + mean}}
    """
    known = weekly(company, metrics, [10] * 3).company
    names = ("m", "k", "both", "mean", "product", "share", "mixed")
    assert [known.adds_up(name) for name in names] == [True] * 3 + [False] * 4


def test_a_month_is_measured_by_its_working_days_where_nothing_comes_on_the_others(company):
    days = pd.bdate_range("2025-01-01", "2026-11-10")
    rows = "on,n\n" + "".join(f"{day:%Y-%m-%d},10\n" for day in days)
    source = "s: {system: CRM, path: s.csv, time: on, covers: {to: as_of}}"
    with company(
        source, flow(", targets: [{per: month, value: 210}]"), {"s.csv": rows}, as_of="2026-11-10"
    ) as catalog:
        row = board.measure(catalog, ["m"], grain="month").unfinished.iloc[0]
    assert row["value"] == 70
    assert row["landing"] == pytest.approx(
        210, rel=0.02
    )  # 7 of 21 working days, but 10 of 30 days at a weekday's rate


def test_data_that_lag_are_measured_at_their_own_last_day(company):
    source = "s: {system: CRM, path: s.csv, time: on, fresh_within: 0d}"
    rows = "on,n\n" + "".join(
        f"{MONDAY + dt.timedelta(days=i)},{SHAPE[i % 7]}\n" for i in range(13 * 7 + 2)
    )  # as of Wednesday, data to Tuesday: 7 of 10
    with company(
        source, flow(", targets: [{per: week, value: 10}]"), {"s.csv": rows}, as_of="2026-11-04"
    ) as catalog:
        row = board.measure(catalog, ["m"]).unfinished.iloc[0]
    assert (row["value"], row["landing"], row["pace"]) == (7, 10, 1)


def test_an_open_period_is_judged_by_its_pace_under_the_other_policy_too(company):
    rest = ", policy: capability, targets: [{per: week, value: 20}]"
    row = board.measure(weekly(company, flow(rest), [10, 20] * 8 + [20]), ["m"]).unfinished.iloc[0]
    assert (row["light"], row["on_pace"], row["variation"]) == ("green", True, None)


def test_segments_have_a_pace_of_their_own(company):
    table = pd.DataFrame(
        {
            "metric": "m", "segment": ["a=1"] * 3 + ["a=2"] * 3, "grain": "week", "complete": [True, True, False] * 2,
            "period_start": pd.to_datetime(["2026-11-02", "2026-11-09", "2026-11-16"] * 2),
            "period_end": pd.to_datetime(["2026-11-08", "2026-11-15", "2026-11-22"] * 2),
            "value": [10, 10, 5, 10, 10, 5], "so_far": [5, 5, 5, 2, 2, 5.0], "target": math.nan,
            "target_low": math.nan, "target_high": math.nan,
        }
    )  # fmt: skip
    known = weekly(company, flow(), [10] * 3).company
    found = pacing.add_pace(table, known, dt.date(2026, 11, 18))
    assert found["landing"].dropna().tolist() == [10, 25]


# --- probability ------------------------------------------------------------------------------------------------------------

AMOUNTS = st.lists(st.integers(0, 50), min_size=12, max_size=52)


@given(AMOUNTS, st.integers(0, 100), st.integers(0, 100))
def test_a_higher_target_is_never_likelier_and_one_that_is_met_is_certain(rest, value, target):
    known, one = np.array([rest], dtype=float), np.array([float(value)])
    low = [
        pacing.probability(one, known, np.array([t]), np.array([math.inf]))[0]
        for t in (float(target), target + 1.0)
    ]
    assert low[0] >= low[1]
    assert low[0] == np.mean([value + each >= target for each in rest])
    assert value < target or low[0] == 1


def past(so_far, value):
    return pacing.Past(*(np.array([each], dtype=float) for each in (so_far, value)))


def test_remainders_of_a_metric_that_grows_by_a_rate_grow_with_it():
    total = 1000.0 * 1.02 ** np.arange(52.0, 0, -1)  # the latest first
    now = 1000 * 1.02**53
    rest = pacing.remainders(past(total * 0.75, total), np.array([now * 0.75]))
    assert rest.ravel() == pytest.approx(np.full(52, now * 0.25))


def test_a_strong_start_means_a_strong_rest_where_it_always_did():
    start = np.random.default_rng(2).normal(100, 10, 52)
    rest = pacing.remainders(past(start, start * 1.5), np.array([120.0]))
    assert rest.ravel() == pytest.approx(np.full(52, 60.0))


def test_remainders_that_go_with_nothing_stay_as_they_are():
    rng = np.random.default_rng(3)
    start, rest = rng.poisson(20, 52), rng.poisson(8, 52)
    assert (
        pacing.remainders(past(start, start + rest), np.array([20.0])).ravel().tolist()
        == rest.tolist()
    )


def test_the_same_data_give_the_same_bytes(company):
    catalog = weekly(company, flow(", targets: [{per: week, value: 20}]"), [10, 20] * 8 + [20])
    first, second = (board.measure(catalog, ["m"]).table.to_csv() for _ in range(2))
    assert first == second


# --- what is said ---------------------------------------------------------------------------------------------------------


def test_a_sentence_says_where_the_week_stands_and_where_it_leads_from_facts(company):
    catalog = weekly(company, flow(", targets: [{per: week, value: 20}]"), [10, 20] * 8 + [10])
    this = board.measure(catalog, ["m"])
    (said,) = story.paced(this).sentences
    assert said.text == (
        "Day 3 of 7: M 9 so far, 18 needed by now. On course for about 10; target 20. "
        "Chance of meeting it: 0%."
    )
    assert said.light == "red"
    recorded = {fact["id"]: fact for fact in story.record(this).payload["facts"]}
    assert set(said.facts) <= set(recorded)
    assert sentences.wrong(said) == []
    assert recorded["m.landing@2026-W48"]["value"] == 10


def test_status_shows_the_open_week_where_it_is_asked_for(company, tmp_path, capsys):
    weekly(company, flow(", targets: [{per: week, value: 20}]"), [10] * 13 + [20])
    base = [
        "status",
        "-w",
        str(tmp_path),
        "--data",
        str(tmp_path),
        "--as-of",
        "2026-11-04",
        "--json",
    ]
    assert cli.main([*base, "--open"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["period"], row["pace"], row["light"], row["on_pace"]) == (
        "2026-W45",
        1,
        "green",
        True,
    )
    assert cli.main(base) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["period"], row["light"], row["pace"], row["on_pace"]) == (
        "2026-W44",
        "red",
        None,
        False,
    )


def test_status_says_where_no_week_is_open(company, tmp_path, capsys):
    weekly(company, flow(), [10] * 3, days=7)
    assert (
        cli.main(
            [
                "status",
                "-w",
                str(tmp_path),
                "--data",
                str(tmp_path),
                "--as-of",
                "2026-08-23",
                "--open",
            ]
        )
        == 0
    )
    assert capsys.readouterr().out == "Test: no week is in progress on 2026-08-23\n"


def test_a_day_that_is_none_is_refused():
    rows = alignment.from_frame(
        pd.DataFrame({"day": ["2026-11-09"], "x": [1]}), "x", time="day", value="x"
    )
    with pytest.raises(UsageError, match="write it like 2026-11-22"):
        pacing.add_pace(rows, {}, "12.11.2026")
