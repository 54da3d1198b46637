"""Metrics that are one measure, told apart by a column: measured together they are what each is alone."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import alignment, definitions, sources
from dataops_nb.alignment import comparisons
from dataops_nb.alignment.families import find_families, own_measure, told_apart
from dataops_nb.metrics import Measure
from tests.conftest import LIGHTS

COMPANY = f"""
company: City
timezone: America/New_York
{LIGHTS}
sources:
  mmr: {{path: mmr.csv, system: mmr, time: day, columns: {{id: {{type: text}}, v: {{type: decimal}}, goal: {{type: decimal}}}}}}
"""


def opened(folder: Path, rows: list[tuple], agency: str) -> sources.Catalog:
    (folder / "params" / "departments").mkdir(parents=True)
    (folder / "params" / "company.yaml").write_text(COMPANY)
    (folder / "params" / "departments" / "agency.yaml").write_text(
        f"department: Agency\ndefaults: {{lights: standard}}\n{agency}"
    )
    with (folder / "mmr.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("id", "day", "v", "goal"), *rows])
    return sources.open(definitions.load(folder / "params"), folder, dt.date(2026, 3, 20))


def judged(catalog: sources.Catalog, metrics: list[str]) -> pd.DataFrame:
    span = {"start": dt.date(2026, 1, 1), "end": dt.date(2026, 3, 31)}
    table = alignment.align(catalog, metrics, grain="week", **span)
    return alignment.add_targets(comparisons.compare(table, catalog), catalog)


NUMBERS = st.one_of(st.none(), st.integers(-50, 50), st.floats(-50, 50).map(lambda x: round(x, 2)))
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "(none)", "o'c"]),
        st.dates(dt.date(2026, 1, 1), dt.date(2026, 4, 10)),
        NUMBERS,
        NUMBERS,
    ),
    min_size=1,
    max_size=30,
)
AGGS = st.sampled_from(
    ["sum", "count", "average", "min", "max", "median", "count_distinct", "first_seen"]
)


@pytest.mark.long
@settings(max_examples=8)
@given(rows=ROWS, agg=AGGS, stock=st.booleans())
def test_indicators_measured_together_are_what_each_is_alone(rows, agg, stock):
    at = ", at: end" if stock and agg != "first_seen" else ""
    agency = f"metrics_from: [{{source: mmr, id: id, prefix: i_, expr: v, agg: {agg}{at}, target: goal}}]\n"
    rows = [("a", dt.date(2026, 2, 1), 1, 1), ("o'c", dt.date(2026, 2, 1), 1, 1), *rows]
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), rows, agency) as catalog:
        metrics = list(catalog.company.metrics)
        together = judged(catalog, metrics)
        alone = pd.concat([judged(catalog, [metric]) for metric in metrics], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone, rtol=1e-12)


@pytest.mark.long
@settings(max_examples=8)
@given(rows=ROWS, agg=AGGS, stock=st.booleans())
def test_slices_measured_together_are_what_each_is_alone(rows, agg, stock):
    at = ", at: end" if stock and agg != "first_seen" else ""
    measure = f"source: mmr, agg: {agg}, expr: v{at}"
    agency = "metrics:\n"
    for name, text in (("one", "a"), ("two", "o''c"), ("none", "zz")):
        agency += f"  {name}: {{type: simple, measure: {{{measure}, filter: \"id = '{text}'\"}}}}\n"
    rows = [("a", dt.date(2026, 2, 1), 1, 1), ("o'c", dt.date(2026, 2, 1), 1, 1), *rows]
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), rows, agency) as catalog:
        metrics = list(catalog.company.metrics)
        families = find_families(metrics, own_measure(catalog.company), catalog)
        assert set(families) == (set() if agg == "first_seen" else set(metrics))
        together = judged(catalog, metrics)
        alone = pd.concat([judged(catalog, [metric]) for metric in metrics], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone, rtol=1e-12)


def test_a_column_may_have_any_name_also_where_windows_need_the_rows(tmp_path):
    agency = "metrics: {ids: {type: simple, measure: {source: mmr, agg: count_distinct, expr: id}}}"
    catalog = opened(tmp_path, [("a", "2026-01-01", 1, 1), ("b", "2026-01-02", 1, 1)], agency)
    assert alignment.values(catalog, "ids", grain="month")["value"].iloc[0] == 2


def test_metrics_that_differ_in_the_value_of_one_column_are_a_family(tmp_path):
    agency = """
metrics:
  red: {type: simple, measure: {source: mmr, agg: sum, expr: v, filter: "cast(\\"id\\" as text) = 'red'"}}
  its: {type: simple, measure: {source: mmr, agg: sum, expr: v, filter: "cast(\\"id\\" as text) = 'it''s'"}}
  other: {type: simple, measure: {source: mmr, agg: count, filter: "cast(\\"id\\" as text) = 'red'"}}
  both: {type: simple, measure: {source: mmr, agg: sum, expr: v, filter: "cast(\\"id\\" as text) = 'red' or v > 1"}}
"""
    known = opened(tmp_path, [("red", "2026-01-01", 1, 1)], agency).company
    found = find_families(known.metrics, own_measure(known))
    assert set(found) == {"red", "its"}
    assert found["red"].members == {"red": "red", "its": "it's"}


@pytest.mark.parametrize(
    ("filter_", "told"),
    [
        ("cast(\"ID\" as text) = 'P 1'", ("ID", "P 1")),
        ("cast(\"a\"\"b\" as text) = 'it''s'", ('a"b', "it's")),
        ("cast(\"ID\" as text) = 'a' or 'b' = 'b'", None),
        ("cast(\"ID\" as text) = 'a'' or x = ''b'", ("ID", "a' or x = 'b")),
        (None, None),
    ],
)
def test_a_filter_tells_rows_apart_only_where_it_is_one_value_of_one_column(filter_, told):
    assert told_apart(Measure(source="mmr", agg="count", filter=filter_)) == told
