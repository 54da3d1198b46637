"""One pass over a source gives every measure what a pass of its own would; distinct counts are those made by hand."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from dataops_nb import alignment, definitions, sources
from dataops_nb.alignment import comparisons, window_rows
from dataops_nb.alignment.formulas import Scope, evaluate
from dataops_nb.alignment.windows import TOTAL, Window
from tests.conftest import LIGHTS

COMPANY = f"""
company: Test
timezone: America/New_York
{LIGHTS}
sources:
  events:
    {{path: events.csv, system: log, time: at, timezone: UTC, covers: {{from: 2026-01-01, to: 2026-03-31}},
      columns: {{at: {{type: timestamp}}, who: {{type: integer}}, kind: {{type: text}}, v: {{type: decimal}}}}}}
"""
METRICS = """
department: Dept
defaults: {source: events, by: [kind]}
metrics:
  rows: {type: simple, measure: {agg: count}}
  values: {type: simple, measure: {agg: count, expr: v}}
  amount: {type: simple, measure: {agg: sum, expr: v, filter: "kind = 'a'"}}
  rest: {type: simple, measure: {agg: sum, expr: "cast(v as integer) * 2", exclude: "kind = 'a'"}}
  mean: {type: simple, measure: {agg: average, expr: v, filter: "v > 0", exclude: "kind = 'b'"}}
  least: {type: simple, measure: {agg: min, expr: v}}
  most: {type: simple, measure: {agg: max, expr: v, filter: "kind = 'b'"}}
  stock: {type: simple, measure: {agg: sum, expr: v, at: end, filter: "v <> 3"}}
  share: {type: ratio, numerator: amount, denominator: rows}
  year: {type: cumulative, metric: amount, window: 2 months}
  people: {type: simple, measure: {agg: count_distinct, expr: who}}
  texts: {type: simple, measure: {agg: count_distinct, expr: "cast(who as varchar)", filter: "kind = 'a'"}}
  fresh: {type: simple, measure: {agg: first_seen, expr: who}}
"""
STAMPS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 3, 31, 23)).map(
    lambda at: at.replace(microsecond=0)
)
EVENTS = st.lists(
    st.tuples(
        STAMPS,
        st.one_of(st.none(), st.integers(-3, 60)),
        st.sampled_from(["a", "b", ""]),
        st.one_of(st.none(), st.integers(-9, 9)),
    ),
    min_size=1,
    max_size=40,
)


def opened(folder: str, rows: list[tuple]) -> sources.Catalog:
    root = Path(folder)
    (root / "params" / "departments").mkdir(parents=True, exist_ok=True)
    (root / "params" / "company.yaml").write_text(COMPANY)
    (root / "params" / "departments" / "dept.yaml").write_text(METRICS)
    with (root / "events.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("at", "who", "kind", "v"), *rows])
    return sources.open(definitions.load(root / "params"), root, dt.date(2026, 3, 25))


@pytest.mark.long
@settings(max_examples=2, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(rows=EVENTS)
@example(rows=[(dt.datetime(2026, 3, 28, 5, 30, 33), 45, "", None)])  # all after as-of
def test_measures_fetched_in_one_pass_are_what_each_is_in_its_own(rows):
    asked = {
        "grain": "week",
        "start": dt.date(2026, 1, 1),
        "end": dt.date(2026, 3, 31),
        "by": "declared",
    }
    with tempfile.TemporaryDirectory() as folder:
        with opened(folder, rows) as catalog:
            names = list(catalog.company.metrics)
            together = alignment.align(catalog, names, **asked)
        parts = []
        for name in names:
            with opened(folder, rows) as catalog:
                parts.append(alignment.align(catalog, [name], **asked))
    pd.testing.assert_frame_equal(together, pd.concat(parts, ignore_index=True), rtol=1e-12)


def test_all_that_adds_up_is_read_from_a_source_once(tmp_path):
    rows = [(dt.datetime(2026, 1, 5, 12), 1, "a", 1), (dt.datetime(2026, 1, 6, 12), 2, "b", 2)]
    with opened(str(tmp_path), rows) as catalog:
        asked = []
        run = catalog._run
        catalog._run = lambda tree, written, tables, frames: (
            asked.append(written) or run(tree, written, tables, frames)
        )
        wanted = [
            "rows",
            "values",
            "amount",
            "rest",
            "mean",
            "least",
            "most",
            "stock",
            "share",
            "year",
        ]
        comparisons.compare(alignment.align(catalog, wanted, grain="week"), catalog)
    assert len(asked) == 1


@pytest.mark.long
@settings(max_examples=5, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    rows=EVENTS,
    windows=st.lists(
        st.tuples(st.dates(dt.date(2025, 12, 20), dt.date(2026, 4, 5)), st.integers(0, 60)),
        min_size=1,
        max_size=6,
    ),
    bits=st.sampled_from([40, 200, window_rows.BITS_A_TURN]),
)
def test_distinct_counts_over_any_windows_are_those_made_by_hand(rows, windows, bits):
    asked = [Window(start, start + dt.timedelta(days=length)) for start, length in windows]
    zone = "America/New_York"
    days = [pd.Timestamp(at, tz="UTC").tz_convert(zone).date() for at, *_ in rows]
    known = [
        (day, who, kind)
        for day, (_, who, kind, _) in zip(days, rows, strict=True)
        if day <= dt.date(2026, 3, 25)
    ]
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as folder,
        opened(folder, rows) as catalog,
    ):
        patch.setattr(window_rows, "BITS_A_TURN", bits)
        patch.setattr(window_rows, "MOST_TURNS", 100)
        people = evaluate(Scope(catalog), "people", asked)
        texts = evaluate(Scope(catalog), "texts", asked)
    for i, window in enumerate(asked):
        inside = [
            (who, kind)
            for day, who, kind in known
            if window.start <= day <= window.end and who is not None
        ]
        if people.reach["coverage"][i] > 0:
            assert people.value[TOTAL][i] == len({who for who, _ in inside})
            assert people.n[TOTAL][i] == len(inside)
            assert texts.value[TOTAL][i] == len({who for who, kind in inside if kind == "a"})


@pytest.mark.parametrize("bits", [1, 6, 13, window_rows.BITS_A_TURN])
def test_values_counted_in_turns_are_each_counted_once(tmp_path, monkeypatch, bits):
    monkeypatch.setattr(window_rows, "BITS_A_TURN", bits)
    monkeypatch.setattr(window_rows, "MOST_TURNS", 100)
    day = dt.datetime(2026, 1, 5, 12)
    rows = [(day, who, "a", 1) for who in (-3, -3, -1, 0, 2, 2, 3, "")] + [(day, "", "b", 1)]
    asked = []
    with opened(str(tmp_path), rows) as catalog:
        run = catalog._run
        catalog._run = lambda tree, written, tables, frames: (
            asked.append(written) or run(tree, written, tables, frames)
        )
        scope = Scope(catalog, by=("kind",))
        people = evaluate(scope, "people", [Window(day.date(), day.date())])
    assert (people.value["kind=a"][0], people.n["kind=a"][0]) == (5, 7)
    assert (people.value["kind=b"][0], people.n["kind=b"][0]) == (0, 0)
    assert sum("BITSTRING" in query for query in asked) == {1: 7, 6: 3, 13: 2}.get(bits, 1)


@pytest.mark.parametrize("type_", ["ubigint", "decimal(38, 0)", "bigint"])
@pytest.mark.parametrize("first", [2**63 - 3, 2**63 - 1, 2**63 + 5, 7])
def test_ids_near_and_beyond_64_bits_are_counted(company, tmp_path, type_, first):
    if type_ == "bigint" and first > 2**63 - 3:
        pytest.skip("no such numbers in this type")
    ids = [first, first + 1, first + 1, first + 2]
    with duckdb.connect() as con:
        con.execute(f"create table t (day date, id {type_})")
        con.executemany("insert into t values ('2026-11-02', ?)", [[id_] for id_ in ids])
        con.execute(f"copy t to '{tmp_path / 'a.parquet'}' (format parquet)")
    source = "s: {system: Shop, path: FILE, time: day}".replace("FILE", str(tmp_path / "a.parquet"))
    metric = "m: {type: simple, measure: {source: s, agg: count_distinct, expr: id}}"
    with company(source, metric, {}) as catalog:
        window = Window(dt.date(2026, 11, 2), dt.date(2026, 11, 2))
        assert evaluate(Scope(catalog), "m", [window]).value[TOTAL][0] == 3
