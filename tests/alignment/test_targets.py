"""Targets that stand in a source, and targets with the shape of last year."""

import datetime as dt
import math

import pytest

from dataops_nb import alignment, board
from dataops_nb.errors import DefinitionsError

DEALS = "on,team\n" + "".join(
    f"{dt.date(2026, 1, 1) + dt.timedelta(days=i)},{'EW'[i % 2]}\n" for i in range(120)
)
SOURCES = """
    deals: {system: CRM, path: deals.csv, time: on}
    plan: {system: Sheet, path: plan.csv, time: month}
"""


def targets(catalog, metric="m", grain="month", by=()):
    table = alignment.add_targets(alignment.values(catalog, metric, grain=grain, by=by), catalog)
    keys = table["period"] if not by else table["segment"] + " " + table["period"]
    return {
        key: None if math.isnan(value) else value
        for key, value in zip(keys, table["target"], strict=True)
    }


def flow(target, more=""):
    return f"m: {{type: simple, measure: {{source: deals, agg: count}}{more}, targets: [{target}]}}"


MONTHLY = """
    month,goal
    2026-01-01,31
    2026-02-15,28
    2026-04-01,60
"""


def opened(company, metrics, plan, **options):
    return company(
        SOURCES, metrics, {"deals.csv": DEALS, "plan.csv": plan}, as_of="2026-04-30", **options
    )


def test_a_planned_row_is_about_the_whole_period_of_its_day_and_a_period_without_one_has_no_target(
    company,
):
    catalog = opened(company, flow("{source: plan, column: goal, per: month}"), MONTHLY)
    assert targets(catalog) == {"2026-01": 31, "2026-02": 28, "2026-03": None, "2026-04": 60}


def test_a_monthly_plan_is_spread_over_the_days_of_other_grains(company):
    catalog = opened(company, flow("{source: plan, column: goal, per: month}"), MONTHLY)
    weeks = targets(catalog, grain="week")
    assert (weeks["2026-W02"], weeks["2026-W05"], weeks["2026-W09"], weeks["2026-W16"]) == (
        7,
        7,
        None,
        14,
    )


def test_rows_of_one_period_add_up(company):
    plan = "month,goal\n2026-01-01,30\n2026-01-02,1\n"
    assert (
        targets(opened(company, flow("{source: plan, column: goal, per: month}"), plan))["2026-01"]
        == 31
    )


TEAMS = """
    month,goal,region_team
    2026-01-01,10,E
    2026-01-01,20,W
    2026-02-01,12,E
    2026-02-01,99,
    2026-02-01,24,W
"""
MATCHED = "{source: plan, column: goal, per: month, match: {team: region_team}}"


def test_matched_segments_have_their_own_targets_and_the_total_of_a_flow_is_their_sum_unless_it_has_a_row(
    company,
):
    catalog = opened(company, flow(MATCHED, ", by: [team]"), TEAMS)
    by_team = targets(catalog, by=("team",))
    assert [by_team[f"team={name} 2026-0{month}"] for name in "EW" for month in (1, 2)] == [
        10,
        12,
        20,
        24,
    ]
    assert [targets(catalog)[name] for name in ("2026-01", "2026-02", "2026-03")] == [30, 99, None]


def test_a_plan_of_crossed_dimensions_adds_up_to_each_of_them(company):
    plan = "month,goal,t,s\n2026-01-01,1,E,x\n2026-01-01,2,E,y\n2026-01-01,4,W,x\n"
    metrics = """m: {type: simple, measure: {source: deals, agg: count}, by: [team, [team, kind]],
        targets: [{source: plan, column: goal, per: month, match: {team: t, kind: s}}]}"""
    deals = DEALS.replace(",E", ",E,x").replace(",W", ",W,x").replace("team", "team,kind", 1)
    catalog = company(SOURCES, metrics, {"deals.csv": deals, "plan.csv": plan}, as_of="2026-04-30")
    assert targets(catalog)["2026-01"] == 7
    assert targets(catalog, by=("team",))["team=E 2026-01"] == 3
    assert targets(catalog, by=("team", "kind"))["team=W,kind=x 2026-01"] == 4


RATE = """
    one: {type: simple, measure: {source: deals, agg: count, filter: "team = 'E'"}}
    all: {type: simple, measure: {source: deals, agg: count}}
    m: {type: ratio, numerator: one, denominator: all, by: [team], targets: [TARGET]}
"""


def test_a_rates_plan_holds_until_the_next_row_and_says_nothing_about_the_total_of_its_segments(
    company,
):
    plan = "month,goal,t\n2026-01-01,0.2,E\n2026-01-01,0.4,W\n2026-02-01,0.6,E\n2026-03-01,0.5,\n"
    metrics = RATE.replace("TARGET", "{source: plan, column: goal, match: {team: t}}")
    catalog = opened(company, metrics, plan)
    by_team = targets(catalog, by=("team",))
    assert [by_team[f"team=E 2026-0{month}"] for month in (1, 2, 3)] == pytest.approx(
        [0.2, 0.6, 0.6]
    )
    assert by_team["team=W 2026-03"] == pytest.approx(0.4)
    assert targets(catalog) == {"2026-01": None, "2026-02": None, "2026-03": 0.5, "2026-04": 0.5}


def test_two_values_of_a_rate_for_one_day_are_no_target(company):
    plan = "month,goal\n2026-01-01,0.2\n2026-01-01,0.4\n2026-03-01,0.6\n"
    found = targets(opened(company, RATE.replace("TARGET", "{source: plan, column: goal}"), plan))
    assert found == {"2026-01": None, "2026-02": None, "2026-03": 0.6, "2026-04": 0.6}


def test_a_plan_speaks_of_days_after_as_of(company):
    plan = "month,goal\n2026-04-01,1\n2026-05-01,2\n2026-06-01,4\n"
    assert (
        targets(
            opened(company, flow("{source: plan, column: goal, per: month}"), plan), grain="quarter"
        )["2026-Q2"]
        == 7
    )


def test_a_plan_follows_a_target_written_here(company):
    said = "{per: month, value: 5}, {source: plan, column: goal, per: month}"
    assert targets(opened(company, flow(said), "month,goal\n2026-02-01,7\n2026-03-01,8\n")) == {
        "2026-01": 5, "2026-02": 7, "2026-03": 8, "2026-04": None,
    }  # fmt: skip


def test_a_plan_with_faults_that_is_only_marked_gives_no_target(company):
    marked = SOURCES.replace("time: month", "time: month, on_fault: mark")
    rows = {"deals.csv": DEALS, "plan.csv": "month,goal\n2026-01-01,1\n2026-02-01,x7\n"}
    catalog = company(
        marked, flow("{source: plan, column: goal, per: month}"), rows, as_of="2026-04-30"
    )
    assert set(targets(catalog).values()) == {None}


def test_a_planned_target_is_judged(company):
    lights = flow("{source: plan, column: goal, per: month}", ", lights: standard")
    judged = board.measure(opened(company, lights, MONTHLY), ["m"], grain="month").table.set_index(
        "period"
    )
    assert judged["light"].tolist() == ["green", "green", "unknown", "red"]


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (flow("{source: plna, column: goal}"), "did you mean 'plan'"),
        (flow("{source: timeless, column: goal, per: month}"), "targets need days"),
        (
            flow("{source: plan, column: goal, match: {taem: t}}", ", by: [team]"),
            "did you mean 'team'",
        ),
        (flow("{source: plan, column: goal}", ", better: inside"), "better: inside has a band"),
        (
            RATE.replace("TARGET", "{source: plan, column: goal, per: month}"),
            "a ratio has no amount to be scaled; leave per out, or write grain: month",
        ),
        (flow("{value: 3, shape: last_year}"), "say which under per"),
        (flow("{value: 3, per: year, shape: last_year, season: {may: 2}}"), "leave season out"),
        (RATE.replace("TARGET", "{value: 3, shape: last_year}"), "a ratio has no amount to be"),
    ],
)
def test_a_target_that_cannot_be_followed_is_refused(company, metric, words):
    more = SOURCES + "    timeless: {system: Sheet, path: plan.csv}\n"
    with pytest.raises(DefinitionsError, match=words):
        company(more, metric, {"deals.csv": DEALS, "plan.csv": MONTHLY})


def history(amounts, first="2025-01-01"):
    start = dt.date.fromisoformat(first)
    return "on,x\n" + "".join(
        f"{start + dt.timedelta(days=i)},{amount}\n" for i, amount in enumerate(amounts)
    )


SHAPED = "m: {{type: simple, measure: {{source: s, agg: sum, expr: x}}, targets: [{{from: 2026-01-01, per: {per}, value: {value}, shape: last_year}}]}}"


def shaped(company, amounts, per, value):
    metrics = SHAPED.format(per=per, value=value)
    return company(
        "s: {system: S, path: s.csv, time: on}",
        metrics,
        {"s.csv": history(amounts)},
        as_of="2026-12-31",
    )


def test_a_yearly_target_is_spread_as_the_same_weekdays_went_a_year_before_and_adds_up_exactly(
    company,
):
    amounts = [i % 7 + 1 for i in range(730)]
    catalog = shaped(company, amounts, "year", 36400)
    days, months = targets(catalog, grain="day"), targets(catalog, grain="month")
    whole = sum(amounts[1:366])
    assert days["2026-03-02"] == pytest.approx(
        36400 * amounts[(dt.date(2025, 3, 3) - dt.date(2025, 1, 1)).days] / whole
    )
    assert targets(catalog, grain="year")["2026"] == 36400
    assert sum(value for key, value in months.items() if key.startswith("2026")) == pytest.approx(
        36400
    )


def test_a_monthly_target_has_the_shape_of_the_same_days_of_its_month(company):
    amounts = [0.0] * 730
    amounts[(dt.date(2025, 2, 10) - dt.date(2025, 1, 1)).days] = 3.0
    amounts[(dt.date(2025, 2, 11) - dt.date(2025, 1, 1)).days] = 1.0
    days = targets(shaped(company, amounts, "month", 80), grain="day")
    assert (days["2026-02-09"], days["2026-02-10"], days["2026-02-11"]) == (60, 20, 0)
    assert days["2026-03-10"] == pytest.approx(80 / 31)


def test_where_last_year_has_no_data_the_days_are_even(company):
    metrics = SHAPED.format(per="month", value=28)
    rows = history([5] * 200, "2025-02-20")
    catalog = company(
        "s: {system: S, path: s.csv, time: on}", metrics, {"s.csv": rows}, as_of="2026-02-28"
    )
    table = alignment.align(
        catalog, ["m"], grain="day", start=dt.date(2026, 2, 1), end=dt.date(2026, 2, 28)
    )
    assert alignment.add_targets(table, catalog)["target"].tolist() == pytest.approx([1] * 28)
