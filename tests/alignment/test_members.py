"""Dimensions whose members are listed in another source: they have a row also where nothing happened."""

import math

import pytest

from dataops_nb import alignment
from dataops_nb.alignment import comparisons, measures
from dataops_nb.errors import DefinitionsError

TICKETS = """
    on,agent,score
    2026-01-05,Ann,4
    2026-01-06,Zoe,2
    2026-02-28,Ann,5
"""
STAFF = """
    agent,team
    Ann,a
    Bob,b
    Ann,c
    ,d
"""
SOURCES = """
    tickets: {system: Desk, path: tickets.csv, time: on, covers: {from: 2026-01-01}}
    staff: {system: HR, path: staff.csv}
"""
METRICS = """
    n: {type: simple, measure: {source: tickets, agg: count}, by: [{column: agent, values: staff.agent}]}
    score: {type: simple, measure: {source: tickets, agg: average, expr: score}, by: [{column: agent, values: staff.agent}]}
"""


def january(company, metric, **options):
    catalog = company(
        SOURCES,
        METRICS,
        {"tickets.csv": TICKETS, "staff.csv": STAFF},
        as_of="2026-02-28",
        **options,
    )
    table = alignment.values(catalog, metric, grain="month", by=("agent",))
    rows = table[table["period"] == "2026-01"]
    return {
        label: None if math.isnan(v) else v
        for label, v in zip(rows["segment"], rows["value"], strict=True)
    }


def test_a_listed_member_without_rows_counts_zero_and_one_that_is_not_listed_stays(company):
    assert january(company, "n") == {"agent=Ann": 1, "agent=Zoe": 1, "agent=Bob": 0}


def test_a_listed_member_without_rows_has_no_average(company):
    assert january(company, "score") == {"agent=Ann": 4, "agent=Zoe": 2, "agent=Bob": None}


def test_a_listed_member_is_compared_with_its_own_past(company):
    catalog = company(
        SOURCES, METRICS, {"tickets.csv": TICKETS, "staff.csv": STAFF}, as_of="2026-02-28"
    )
    table = comparisons.compare(
        alignment.values(catalog, "n", grain="month", by=("agent",)), catalog
    )
    bob = table[table["segment"] == "agent=Bob"].set_index("period")
    assert bob.loc["2026-02", ["value", "previous", "ytd"]].tolist() == [0, 0, 0]
    assert math.isnan(bob.loc["2026-01", "previous"])


def test_the_list_is_one_of_the_metrics_sources():
    from dataops_nb.definitions.models import Definitions

    metric = {
        "type": "simple",
        "measure": {"source": "a", "agg": "count"},
        "by": [{"column": "x", "values": "b.x"}],
    }
    known = Definitions.model_validate(
        {
            "company": {"company": "C", "sources": {}},
            "departments": {"d": {"department": "D", "metrics": {"m": metric}}},
        }
    )
    assert measures.sources_of(known, ["m"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "words"),
    [("staff", "is not source.column"), ("stuff.agent", "did you mean 'staff'")],
)
def test_a_list_that_is_nowhere_is_refused(company, values, words):
    with pytest.raises(DefinitionsError, match=words):
        company(
            SOURCES,
            METRICS.replace("staff.agent", values),
            {"tickets.csv": TICKETS, "staff.csv": STAFF},
        )
