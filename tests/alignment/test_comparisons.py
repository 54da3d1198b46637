"""Comparisons of segments: each with its own past, whatever its value looks like."""

from __future__ import annotations

import pytest

from dataops_nb import alignment
from dataops_nb.alignment import comparisons
from dataops_nb.alignment.comparisons import dimensions

SOURCES = "deals: {system: CRM, path: deals.csv, time: on, covers: {from: 2026-01-01}}"
METRICS = (
    "n: {type: simple, measure: {source: deals, agg: sum, expr: v}, by: [account, [account, team]]}"
)
DEALS = """
    on,account,team,v
    2026-01-05,"Ironwood, Inc.",East,3
    2026-01-06,Acme,"North, West",4
    2026-02-05,"Ironwood, Inc.",East,5
    2026-02-06,Acme,"North, West",6
"""


@pytest.mark.parametrize("by", [("account",), ("account", "team")])
def test_a_segment_whose_value_has_a_comma_is_compared_with_its_own_past(company, by):
    catalog = company(SOURCES, METRICS, {"deals.csv": DEALS}, as_of="2026-02-28")
    table = comparisons.compare(alignment.values(catalog, "n", grain="month", by=by), catalog)
    february = table[table["period"] == "2026-02"].sort_values("value")
    assert february["value"].tolist() == [5, 6]
    assert february["previous"].tolist() == [3, 4]
    assert february["ytd"].tolist() == [8, 10]


def test_a_table_of_totals_and_several_splits_is_compared_row_by_row(company):
    catalog = company(SOURCES, METRICS, {"deals.csv": DEALS}, as_of="2026-02-28")
    table = comparisons.compare(
        alignment.align(catalog, ["n"], grain="month", by="declared"), catalog
    )
    february = table[table["period"] == "2026-02"]
    assert february["previous"].tolist() == [7, 4, 3, 4, 3]


@pytest.mark.parametrize(
    ("label", "split"),
    [
        ("", ()),
        ("a=x", ("a",)),
        ("a=x,b=y", ("a", "b")),
        ("a=x, y", ("a",)),
        ("a=x, y,b=z, w", ("a", "b")),
        ("c=x,d=y", ("c", "d")),
    ],
)
def test_a_label_belongs_to_the_longest_declared_split_that_it_fits(label, split):
    assert dimensions(label, [("a",), ("a", "b")]) == split
