"""Targets that hold at one grain: which one is in force, and what is unknown elsewhere."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import alignment, board, definitions, sources
from dataops_nb.errors import DefinitionsError, UsageError
from dataops_nb.metrics import Target, targets_at

CUSTOMERS = "who,plan,since,until\n" + "".join(
    f"{i},{'EW'[i % 2]},2025-01-01,{dt.date(2026, 1, 1) + dt.timedelta(days=i)}\n"
    for i in range(120)
)
GOALS = """
    day,plan,goal
    2026-01-01,E,0.1
    2026-01-01,W,0.2
"""
SOURCES = """
    spans: {system: CRM, path: spans.csv, time: until, covers: {from: 2025-01-01, to: 2026-03-31}}
    goals: {system: Sheet, path: goals.csv, time: day}
"""
METRICS = """
    left: {type: simple, measure: {source: spans, agg: count}, by: [plan]}
    there: {type: simple, measure: {source: spans, agg: count, open: {from: since, to: until}, at: end}, by: [plan], targets: [STOCK]}
    wait: {type: simple, measure: {source: spans, agg: average, expr: who}, targets: [AVERAGE]}
    churn: {type: ratio, numerator: left, denominator: {metric: there, offset: 1 period}, better: down,
            unit: percent, lights: standard, by: [plan], targets: [RATE]}
"""


def opened(company, rate="{value: 5%}", stock="{value: 1}", average="{value: 1}"):
    words = METRICS.replace("STOCK", stock).replace("AVERAGE", average).replace("RATE", rate)
    return company(SOURCES, words, {"spans.csv": CUSTOMERS, "goals.csv": GOALS}, as_of="2026-03-31")


def targets(catalog, metric, grain, by=()):
    table = alignment.values(catalog, metric, grain=grain, by=by, start=dt.date(2026, 1, 1))
    table = alignment.add_targets(table, catalog)
    keys = table["period"] if not by else table["segment"] + " " + table["period"]
    return {
        key: None if math.isnan(value) else value
        for key, value in zip(keys, table["target"], strict=True)
    }


def lights(catalog, grain):
    judged = board.measure(catalog, ["churn"], grain=grain).table
    totals = judged[judged["segment"].isna() & (judged["period_start"] >= "2026-01-01")]
    return set(zip(totals["light"], totals["reason"].fillna(""), strict=True))


def test_a_rate_for_months_is_judged_by_months_and_unknown_at_every_other_grain(company):
    catalog = opened(company, rate="{grain: month, value: 5%}")
    assert {light for light, _ in lights(catalog, "month")} <= {"green", "yellow", "red"}
    assert lights(catalog, "week") == {("unknown", "no target")}
    assert lights(catalog, "quarter") == {("unknown", "no target")}


@pytest.mark.parametrize("metric", ["there", "wait"])
def test_stocks_and_averages_take_a_grain_too(company, metric):
    catalog = opened(company, stock="{grain: month, value: 9}", average="{grain: month, value: 9}")
    assert set(targets(catalog, metric, "month").values()) == {9}
    assert set(targets(catalog, metric, "week").values()) == {None}


def test_without_a_grain_a_target_holds_at_every_grain(company):
    catalog = opened(company)
    assert set(targets(catalog, "churn", "week").values()) == {0.05}
    assert set(targets(catalog, "churn", "quarter").values()) == {0.05}


def test_each_grain_has_dated_targets_of_its_own(company):
    catalog = opened(
        company,
        rate="{from: 2025-01-01, grain: month, value: 8%}, {from: 2026-02-01, grain: month, value: 6%},"
        "{from: 2025-01-01, grain: week, value: 2%}, {from: 2026-02-02, grain: week, value: 1%}",
    )
    assert targets(catalog, "churn", "month") == {"2026-01": 0.08, "2026-02": 0.06, "2026-03": 0.06}
    weeks = targets(catalog, "churn", "week")
    assert (weeks["2026-W05"], weeks["2026-W06"]) == (0.02, 0.01)
    assert set(targets(catalog, "churn", "quarter").values()) == {None}


def test_a_later_target_for_a_grain_ends_what_held_at_every_grain(company):
    catalog = opened(
        company, rate="{from: 2025-01-01, value: 5%}, {from: 2026-02-01, grain: month, value: 6%}"
    )
    assert targets(catalog, "churn", "month") == {"2026-01": 0.05, "2026-02": 0.06, "2026-03": 0.06}
    weeks = targets(catalog, "churn", "week")
    assert (weeks["2026-W04"], weeks["2026-W05"], weeks["2026-W06"]) == (0.05, None, None)


def test_of_targets_of_one_day_the_one_for_the_grain_goes_first_and_none_ends_another(company):
    catalog = opened(
        company, rate="{from: 2026-01-01, value: 5%}, {from: 2026-01-01, grain: month, value: 6%}"
    )
    assert set(targets(catalog, "churn", "month").values()) == {0.06}
    assert targets(catalog, "churn", "week")["2026-W03"] == 0.05


def test_segments_have_the_grain_of_the_source_that_says_their_targets(company):
    plan = "{source: goals, column: goal, grain: month, match: {plan: plan}}"
    catalog = opened(company, rate=plan)
    months = targets(catalog, "churn", "month", by=("plan",))
    assert (months["plan=E 2026-02"], months["plan=W 2026-02"]) == (0.1, 0.2)
    assert set(targets(catalog, "churn", "week", by=("plan",)).values()) == {None}


def test_a_what_if_for_another_grain_judges_that_grain_and_no_longer_the_agreed_one(
    company, tmp_path
):
    catalog = opened(company, rate="{grain: month, value: 5%}")
    (tmp_path / "params" / "whatif").mkdir()
    (tmp_path / "params" / "whatif" / "weekly.yaml").write_text(
        "metrics:\n  churn: {targets: [{grain: week, value: 90%}]}\n"
    )
    supposed = definitions.load(tmp_path / "params", whatif="weekly")
    with sources.open(supposed, tmp_path, catalog.as_of) as other:
        assert {light for light, _ in lights(other, "week")} <= {"green", "yellow", "red"}
        assert lights(other, "month") == {("unknown", "no target")}


@pytest.mark.parametrize(
    ("metric", "target", "message"),
    [
        ("rate", "{per: month, value: 5%}", "a ratio has no amount to be scaled; leave per out, or write grain: month"),
        ("rate", "{grain: month, per: month, value: 5%}", "leave per out"),
        ("rate", "{grain: moth, value: 5%}", "did you mean 'month'"),
        ("rate", "{source: goals, column: goal, per: week}", "or write grain: week"),
        ("rate", "{grain: week, value: 5%}, {grain: week, value: 6%}", "without from for grain week"),
    ],
)  # fmt: skip
def test_a_grain_that_cannot_be_is_refused(company, metric, target, message):
    with pytest.raises(DefinitionsError, match=message):
        opened(company, **{metric: target})


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("m: {type: simple, measure: {source: spans, agg: count}, targets: [{grain: week, value: 5}]}",
         "a flow's target is scaled to every grain; write per: week"),
        ("m: {type: simple, measure: {source: spans, agg: sum, expr: who}, targets: [{source: goals, column: goal, grain: month}]}",
         "a flow's target is scaled to every grain; write per: month"),
        ("m: {type: simple, measure: {source: spans, agg: average, expr: who}, grains: [week], targets: [{grain: month, value: 5}]}",
         "makes no sense at month; its grains are week"),
        ("m: {type: simple, measure: {source: spans, agg: count}}\nn: {type: derived, expr: m * 2, targets: [{per: week, grain: week, value: 5}]}",
         "a target has per or grain, not both"),
    ],
)  # fmt: skip
def test_a_flow_takes_per_and_a_grain_must_make_sense(company, metric, message):
    with pytest.raises(DefinitionsError, match=message):
        company(SOURCES, metric, {"spans.csv": CUSTOMERS, "goals.csv": GOALS})


def test_a_plain_target_has_a_grain_and_names_the_nearest_one():
    assert alignment.Target(value=3, grain="month").grain == "month"
    with pytest.raises(UsageError, match="'month'"):
        alignment.Target(value=3, grain="moth")


DATED = st.builds(
    lambda day, grain, value: Target(from_=dt.date(2026, 1, day), grain=grain, value=value),
    st.integers(1, 28),
    st.sampled_from([None, "week", "month"]),
    st.floats(0, 1),
)


@given(st.lists(DATED, max_size=6))
def test_no_grain_is_ever_judged_by_a_target_for_another_one(dated):
    for grain in ("week", "month", "quarter"):
        held = targets_at(dated, grain)
        assert all(target.grain in (None, grain) for target in held)
        assert [target.from_ for target in held] == sorted(target.from_ for target in held)
        own = [target for target in dated if target.grain in (None, grain)]
        assert [target for target in held if target.value is not None] == sorted(
            own, key=lambda target: (target.from_, target.grain == grain)
        )
