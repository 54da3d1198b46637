"""The admission test, and the log of who was told."""

import datetime as dt

import pandas as pd
import pytest

from dataops_nb import board, definitions, history, sources, story, tables
from dataops_nb.board import admission
from dataops_nb.story import actions
from dataops_nb.workbench.memory import Answered

END = dt.date(2026, 11, 22)
COMPANY = """
company: Test
timezone: America/New_York
north_star: [revenue]
lights:
  standard: {green: {at_least: 1.0, means: "Ok.", do: "Go on."}, red: {means: "Risk.", do: "Re-plan."}}
sources:
  orders: {system: Shop, path: orders.csv, time: day}
  visits: {system: Web, path: visits.csv, time: day}
  both: {system: Shop and Web, query: "select orders.day from orders join visits on orders.day = visits.day", time: day}
"""
DEPARTMENT = """
department: Shop
owner: Ann
defaults: {source: orders, lights: standard}
metrics:
  revenue: {type: simple, measure: {agg: sum, expr: amount}, targets: [{from: 2020-01-01, per: week, value: 1}]}
  orders: {type: simple, measure: {agg: count}, targets: [{from: 2020-01-01, per: week, value: 1}]}
  mean: {type: ratio, numerator: revenue, denominator: orders}
  visits: {type: simple, measure: {source: visits, agg: count}}
  matched: {type: simple, measure: {source: both, agg: count}}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Twenty weeks of orders; visits are counted for the last three of them only."""
    root = tmp_path_factory.mktemp("shop")
    (root / "departments").mkdir()
    (root / "company.yaml").write_text(COMPANY)
    (root / "departments" / "shop.yaml").write_text(DEPARTMENT)
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2026-07-06", END)]
    (root / "orders.csv").write_text(
        "day,amount\n" + "".join(f"{day},{5 + i % 3}\n" for i, day in enumerate(days))
    )
    (root / "visits.csv").write_text("day\n" + "\n".join(days[-21:]) + "\n")
    known = definitions.load(root)
    return board.measure(sources.open(known, root, END), list(known.metrics), memory=Answered(root))


@pytest.fixture(scope="module")
def scored(shop):
    return admission.score(shop).set_index("metric")


def test_a_north_star_that_is_tracked_owned_and_acted_on_holds_all_four(scored):
    assert scored.loc["revenue", ["relevance", "held", "retire"]].tolist() == [
        "North Star",
        4,
        False,
    ]


def test_a_query_costs_the_systems_and_exports_that_it_reads(scored):
    assert scored.loc["matched", ["systems", "exports"]].tolist() == [2, 2]
    assert scored.loc["orders", ["systems", "exports"]].tolist() == [1, 1]


def test_coverage_is_the_share_of_complete_periods_with_a_value(scored):
    assert scored.loc["orders", "coverage"] == 1
    assert scored.loc["visits", "coverage"] == pytest.approx(3 / 20)
    assert not scored.loc["visits", "tracked"]


def test_what_nobody_agreed_to_act_on_is_not_specific(scored):
    assert scored.loc["visits", ["actions", "specific"]].tolist() == [0, False]
    assert scored.loc["orders", ["actions", "specific"]].tolist() == [2, True]


def test_what_leads_nowhere_and_fails_another_property_is_to_be_retired(scored):
    assert scored.loc["visits", ["relevance", "retire"]].tolist() == ["none", True]


def test_the_cost_is_counted_in_systems_and_seconds(scored):
    assert scored.loc["visits", "systems"] == 1
    assert (scored["seconds"] >= 0).all()


def test_the_table_says_how_many_to_retire(shop):
    assert "3 of 5 are not" in tables.admission(shop).caption


def test_a_department_with_more_than_fifteen_metrics_is_noted(shop):
    assert list(admission.crowded(shop.company)) == []
    many = {f"m{i}": shop.company.metrics["orders"] for i in range(16)}
    crowd = shop.company.departments["shop"].model_copy(update={"metrics": many})
    known = shop.company.model_copy(update={"departments": {"shop": crowd}})
    assert [str(each)[:40] for each in admission.crowded(known)] == [
        "department shop: 16 metrics on one page;"
    ]


def test_what_is_on_target_and_was_never_told_is_activity_without_communication(shop, tmp_path):
    this = board.measure(shop.rows, ["revenue", "orders"], memory=Answered(tmp_path))
    row = pd.DataFrame(
        [
            {
                "metric": "revenue",
                "segment": None,
                "grain": "week",
                "period": "2026-W46",
                "value": 40.0,
                "complete": True,
                "n": 7,
            }
        ]
    ).assign(definition="d")
    now = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)
    history.remember(
        tmp_path, row, report="shop", as_of=dt.date(2026, 11, 15), run="r", published_at=now
    )
    assert (
        str(story.untold(this))
        == "Orders are on target and nobody has been told: they are in no published report."
    )
    assert actions.untold_metrics(this) == ["orders"]
    told = {row[0]: row for row in tables.communications(this).rows}
    assert told["Revenue"][2:4] == ["15 Nov", "shop"]
    assert told["Orders"][-1] == "on target, never shared"


def test_the_log_knows_when_a_report_was_sent_and_read_back(tmp_path):
    answers = pd.DataFrame({"metric": ["m", "m"], "recorded_at": ["2026-11-20", "2026-11-21"]})
    found = history.communications(tmp_path, ["m", "other"], answers, END).set_index("metric")
    assert found.loc["m", ["answers", "answered"]].tolist() == [2, "2026-11-21"]
    assert found.loc["other", "answers"] == 0
