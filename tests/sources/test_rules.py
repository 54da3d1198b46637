"""Agreed columns, keys, queries, days and coverage: which rows count, and which are faults."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from dataops_nb import sources
from dataops_nb.definitions.models import Definitions, Source
from dataops_nb.errors import DataError, UsageError
from dataops_nb.sources.days import cover_days

AS_OF = dt.date(2026, 11, 22)


@pytest.fixture
def catalog(tmp_path: Path) -> Any:
    opened: list[sources.Catalog] = []

    def make(
        files: dict[str, str],
        declared: dict[str, Any],
        metrics: dict[str, Any] | None = None,
        **company: Any,
    ) -> sources.Catalog:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content.encode())
        listed = {name: {"system": "X", **source} for name, source in declared.items()}
        definitions = Definitions.model_validate(
            {
                "company": {"company": "C", "sources": listed, **company},
                "departments": {"d": {"department": "D", "metrics": metrics or {}}},
            }
        )
        opened.append(sources.open(definitions, tmp_path, AS_OF))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def places(catalog: sources.Catalog) -> list[tuple[str, int | None, str, str | None]]:
    return [(f.file, f.row, f.column, f.value) for f in catalog.check()]


def simple(source: str, agg: str, **measure: Any) -> dict[str, Any]:
    return {"type": "simple", "measure": {"source": source, "agg": agg, **measure}}


# --- columns -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "cell", "said"),
    [
        ({"required": True}, "", "required"),
        ({"type": "decimal", "min": 0}, "-1", "below min: 0"),
        ({"type": "integer", "max": 5}, "6", "above max: 5"),
        ({"min": dt.date(2026, 1, 3)}, "2026-01-02", "below min: 2026-01-03"),
        (
            {"type": "timestamp", "max": dt.date(2026, 1, 3)},
            "2026-01-04 00:00:00",
            "above max: 2026-01-03",
        ),
        ({"type": "date", "min": 3}, "2026-01-02", "need a number here, and the column is DATE"),
        (
            {"type": "integer", "min": dt.date(2026, 1, 3)},
            "6",
            "need a day here, and the column is BIGINT",
        ),
        ({"one_of": ["open", "won"]}, "lost", "one of open, won"),
        ({"one_of": [1, 2]}, "3", "one of 1, 2"),
        ({"type": "integer"}, "1.5", "not an integer"),
        ({"type": "boolean"}, "yes", "not true or false"),
        ({"type": "timestamp"}, "1/2/2026", "not a date and time"),
    ],
)
def test_a_value_that_breaks_its_rule_is_named(
    catalog: Any, rule: dict[str, Any], cell: str, said: str
) -> None:
    fault = catalog(
        {"a.csv": f"id,v\n1,{cell}\n"}, {"s": {"path": "a.csv", "columns": {"v": rule}}}
    ).check()[0]
    assert (fault.file, fault.row, fault.column, fault.value) == ("a.csv", 2, "v", cell or None)
    assert said in fault.rule


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"min": 4}, ["has 3 rows, fewer than rows: min: 4"]),
        ({"max": 2}, ["has 3 rows, more than rows: max: 2"]),
        ({"min": 3, "max": 3}, []),
    ],
)
def test_too_few_or_too_many_rows_are_one_fault_with_both_figures(
    catalog: Any, rows: Any, said: list[str]
) -> None:
    faults = catalog({"a.csv": "v\n1\n2\n3\n"}, {"s": {"path": "a.csv", "rows": rows}}).check()
    assert [f.rule for f in faults] == said
    assert all(str(f).startswith("a.csv: source s: has 3 rows") for f in faults)


def test_an_export_with_a_header_only_has_too_few_rows(catalog: Any) -> None:
    made = catalog(
        {"a.csv": "v\n"},
        {"s": {"path": "a.csv", "rows": {"min": 1}, "columns": {"v": {"nulls": 0.0}}}},
    )
    assert [f.rule for f in made.check()] == ["has 0 rows, fewer than rows: min: 1"]


@pytest.mark.parametrize(
    ("share", "broken"), [(0.29, False), (0.28, True), (0.0, True), (1.0, False)]
)
def test_more_empty_cells_than_agreed_are_one_fault_of_the_column(
    catalog: Any, share: float, broken: bool
) -> None:
    rows = "id,v\n" + "".join(f"{i},{'' if i < 29 else 'x'}\n" for i in range(100))
    faults = catalog(
        {"a.csv": rows}, {"s": {"path": "a.csv", "columns": {"v": {"nulls": share}}}}
    ).check()
    rule = f"is empty in 29 of 100 rows, more than nulls: {share * 100:g}%"
    assert [(f.file, f.row, f.column, f.rule) for f in faults] == [
        ("a.csv", None, "v", rule)
    ] * broken


def test_rows_and_empty_cells_of_a_query_are_counted_too(catalog: Any) -> None:
    declared = {
        "a": {"path": "a.csv"},
        "q": {"query": "select v from a where v <> '1'", "rows": {"min": 3}},
    }
    assert [str(f) for f in catalog({"a.csv": "v\n1\n2\n3\n"}, declared).check()] == [
        "q: source q: has 2 rows, fewer than rows: min: 3"
    ]


def test_a_repeated_value_of_a_unique_column_is_named(catalog: Any) -> None:
    made = catalog(
        {"a.csv": "v,w\nx,1\ny,2\nx,3\n"},
        {"s": {"path": "a.csv", "columns": {"v": {"unique": True}}}},
    )
    assert places(made) == [("a.csv", 4, "v", "x")]


def test_values_are_renamed_before_they_are_compared(catalog: Any) -> None:
    rule = {"map": {"GTXPro": "GTX Pro"}, "one_of": ["GTX Pro"]}
    made = catalog(
        {"a.csv": "p\nGTXPro\nGTX Pro\nGTX\n"}, {"s": {"path": "a.csv", "columns": {"p": rule}}}
    )
    assert places(made) == [("a.csv", 4, "p", "GTX")]
    assert made.fetch("select count(distinct p) as n from s")["n"][0] == 2


def test_a_reference_that_is_not_found_is_named(catalog: Any) -> None:
    files = {"d.csv": "id,account\n1,7\n2,8\n3,\n", "a.csv": "account_id\n7\n9\n"}
    rule = {"account": {"references": "accounts.account_id"}}
    made = catalog(files, {"s": {"path": "d.csv", "columns": rule}, "accounts": {"path": "a.csv"}})
    assert places(made) == [("d.csv", 3, "account", "8")]


def test_two_sources_may_refer_to_each_other_and_to_themselves(catalog: Any) -> None:
    files = {"a.csv": "id,b,boss\n1,5,\n2,6,1\n", "b.csv": "id,a\n5,1\n6,3\n"}
    a = {"path": "a.csv", "columns": {"b": {"references": "b.id"}, "boss": {"references": "a.id"}}}
    made = catalog(
        files, {"a": a, "b": {"path": "b.csv", "columns": {"a": {"references": "a.id"}}}}
    )
    assert places(made) == [("b.csv", 3, "a", "3")]


# --- keys ----------------------------------------------------------------------------------------


def test_identical_repeats_count_once_and_are_reported(catalog: Any) -> None:
    made = catalog({"a.csv": "id,v\n1,5\n2,6\n1,5\n1,5\n"}, {"s": {"path": "a.csv", "key": "id"}})
    assert made.check() == []
    assert made.fetch("select sum(v) as v from s")["v"][0] == 11
    assert [(n.source, n.count) for n in made.notices("s")] == [("s", 2)]


def test_differing_rows_of_one_key_are_a_fault(catalog: Any) -> None:
    made = catalog(
        {"a.csv": "id,v,w\n1,5,a\n2,6,b\n1,7,a\n"}, {"s": {"path": "a.csv", "key": "id"}}
    )
    assert places(made) == [("a.csv", 4, "id", "1")]
    assert "rows 2 and 4 share this key and differ in v;" in made.check()[0].rule


def test_the_latest_row_of_a_key_counts(catalog: Any) -> None:
    text = "id,v,at\n1,5,2026-01-02\n1,7,2026-01-03\n1,6,2026-01-01\n"
    made = catalog({"a.csv": text}, {"s": {"path": "a.csv", "key": "id", "latest": "at"}})
    assert made.check() == []
    assert made.fetch("select v from s")["v"].tolist() == [7]
    assert made.notices("s")[0].count == 2


def test_a_tie_for_the_latest_that_differs_is_a_fault(catalog: Any) -> None:
    text = "id,v,at\n1,5,2026-01-02\n1,7,2026-01-02\n1,7,2026-01-01\n"
    made = catalog({"a.csv": text}, {"s": {"path": "a.csv", "key": "id", "latest": "at"}})
    assert "rows 2 and 3 share this key" in made.check()[0].rule


def test_duplicates_may_be_kept(catalog: Any) -> None:
    made = catalog(
        {"a.csv": "id,v\n1,5\n1,7\n"}, {"s": {"path": "a.csv", "key": "id", "duplicates": "keep"}}
    )
    assert made.check() == []
    assert made.fetch("select sum(v) as v from s")["v"][0] == 12


def test_empty_blank_and_padded_keys_are_named(catalog: Any) -> None:
    made = catalog({"a.csv": "id,v\na,1\n,2\n  ,3\n x,4\n"}, {"s": {"path": "a.csv", "key": "id"}})
    assert places(made) == [
        ("a.csv", 3, "id", None),
        ("a.csv", 4, "id", "  "),
        ("a.csv", 5, "id", " x"),
    ]


def test_a_key_may_be_of_several_columns(catalog: Any) -> None:
    made = catalog(
        {"a.csv": "a,b,v\n1,1,5\n1,2,5\n1,2,6\n"}, {"s": {"path": "a.csv", "key": ["a", "b"]}}
    )
    assert places(made) == [("a.csv", 4, "a, b", "1 / 2")]


def test_a_row_after_as_of_conflicts_with_nothing(catalog: Any) -> None:
    text = "id,v,day\n1,5,2026-11-22\n1,7,2026-11-23\n"
    made = catalog({"a.csv": text}, {"s": {"path": "a.csv", "key": "id", "time": "day"}})
    assert made.check() == []
    assert made.fetch("select v from s")["v"].tolist() == [5]


# --- queries -------------------------------------------------------------------------------------


def test_a_query_reads_the_filtered_sources(catalog: Any) -> None:
    files = {"o.csv": "id,day\n1,2026-11-01\n2,2026-11-30\n", "p.csv": "id,amount\n1,10\n2,20\n"}
    query = "select * from orders join payments using (id)"
    made = catalog(
        files,
        {
            "orders": {"path": "o.csv", "time": "day"},
            "payments": {"path": "p.csv"},
            "q": {"query": query, "time": "day"},
        },
    )
    assert made.check() == []
    assert made.fetch(exp.select("sum(amount) as v").from_(made.relation("q")))["v"][0] == 10
    assert made.provenance("q")["files"][0] == "o.csv, p.csv"


def test_what_a_query_divides_by_zero_is_a_fault_that_says_how_to_divide(catalog: Any) -> None:
    files = {"o.csv": "id,a,b\n1,4,0\n2,4,2\n"}
    declared = {
        "orders": {"path": "o.csv"},
        "q": {"query": "select id, a::double / b as share from orders"},
    }
    made = catalog(files, declared, {"m": simple("q", "sum", expr="share")})
    (fault,) = made.check()
    assert (fault.column, fault.value) == ("share", "inf")
    assert "divide by nullif(x, 0)" in fault.rule


def test_a_fault_behind_a_query_names_file_line_column_and_value(catalog: Any) -> None:
    files = {"o.csv": "id,amount\n1,10\n2,1x\n3,12\n4,13\n5,14\n"}
    query = "select id, amount * 2 as revenue from orders"
    declared = {"orders": {"path": "o.csv"}, "q": {"query": query}}
    made = catalog(files, declared, {"m": simple("q", "sum", expr="revenue")})
    with pytest.raises(DataError) as error:
        made.require("q")
    assert [(f.source, f.file, f.row, f.column, f.value) for f in error.value.faults] == [
        ("orders", "o.csv", 3, "amount", "1x")
    ]


def test_sums_inside_a_query_need_numbers(catalog: Any) -> None:
    files = {"o.csv": "k,amount\na,10\nb,1x\nc,12\n"}
    declared = {
        "orders": {"path": "o.csv"},
        "q": {"query": "select k, sum(amount) as v from orders group by k"},
    }
    assert places(catalog(files, declared)) == [("o.csv", 3, "amount", "1x")]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select * from read_csv('o.csv')", "may only read declared sources"),
        ("select * from 'o.csv'", "no declared source"),
        ("select * from ordrs", "did you mean 'orders'?"),
        ("select amuont from orders", "amuont"),
        ("drop table orders", "must be one select"),
        ("select * from q", "stands on itself"),
        ("select * from (", "not SQL"),
    ],
)
def test_a_query_that_cannot_be_run_is_a_fault(catalog: Any, query: str, said: str) -> None:
    made = catalog(
        {"o.csv": "id,amount\n1,2\n"}, {"orders": {"path": "o.csv"}, "q": {"query": query}}
    )
    faults = made.check()
    assert [f.source for f in faults] == ["q"]
    assert said in faults[0].rule


def test_a_query_reads_no_file_of_the_machine(catalog: Any) -> None:
    made = catalog({"o.csv": "id\n1\n"}, {"orders": {"path": "o.csv"}})
    for query in (
        "select * from read_text('/etc/hostname')",
        "select * from '/etc/hosts.csv'",
        "select * from glob('/etc/*')",
    ):
        with pytest.raises(UsageError):
            made.fetch(query)


def test_agreements_hold_for_a_query_too(catalog: Any) -> None:
    declared = {
        "orders": {"path": "o.csv"},
        "q": {"query": "select * from orders", "key": "id", "columns": {"v": {"min": 0}}},
    }
    made = catalog({"o.csv": "id,v\n1,-2\n1,3\n"}, declared)
    assert [(f.source, f.column, f.value) for f in made.check()] == [
        ("q", "v", "-2"),
        ("q", "id", "1"),
    ]


def test_a_broken_agreement_behind_a_query_names_the_line_in_the_file(catalog: Any) -> None:
    query = "select id, amount as v from orders where id > 1"
    made = catalog(
        {"o.csv": "id,amount\n1,2\n2,-3\n"},
        {"orders": {"path": "o.csv"}, "q": {"query": query, "columns": {"v": {"min": 0}}}},
    )
    assert [(f.source, f.file, f.row, f.column, f.value) for f in made.check()] == [
        ("q", "o.csv", 3, "v", "-3")
    ]


def test_a_query_on_a_marked_source_is_faulty_and_stops_nothing(catalog: Any) -> None:
    declared = {
        "orders": {"path": "none.csv", "on_fault": "mark"},
        "q": {"query": "select * from orders"},
        "b": {"path": "b.csv"},
    }
    made = catalog({"b.csv": "a\n1\n"}, declared)
    made.require("q", "b")
    assert (made.faulty("q"), made.faulty("orders"), made.faulty("b")) == (True, True, False)
    assert len(made.check()) == 1


# --- fetching ------------------------------------------------------------------------------------


def test_frames_are_tables_for_one_query(catalog: Any) -> None:
    made = catalog({"a.csv": "k,v\nx,1\ny,2\n"}, {"s": {"path": "a.csv"}})
    frame = pd.DataFrame({"k": ["x"]})
    assert made.fetch("select v from s join wanted using (k)", wanted=frame)["v"].tolist() == [1]
    with pytest.raises(UsageError):
        made.fetch("select * from wanted")


def test_a_result_can_be_changed_without_changing_the_next(catalog: Any) -> None:
    made = catalog({"a.csv": "v\n1\n"}, {"s": {"path": "a.csv"}})
    first = made.fetch("select v from s")
    first.loc[0, "v"] = 99
    assert made.fetch("select v from s")["v"][0] == 1


def test_an_unknown_source_is_refused_with_the_nearest(catalog: Any) -> None:
    with pytest.raises(UsageError, match="did you mean 'deals'"):
        catalog({"a.csv": "v\n1\n"}, {"deals": {"path": "a.csv"}}).relation("deal")


# --- days ----------------------------------------------------------------------------------------


def days(catalog: sources.Catalog, column: str = "at") -> list[str]:
    day = exp.alias_(catalog.local_date("s", column), "day")
    return [str(d)[:10] for d in catalog.fetch(exp.select(day).from_(catalog.relation("s")))["day"]]


def test_dates_are_local_days_and_never_shifted(catalog: Any) -> None:
    made = catalog(
        {"a.csv": "at\n2026-01-01\n"},
        {"s": {"path": "a.csv", "timezone": "UTC"}},
        timezone="America/New_York",
    )
    assert days(made) == ["2026-01-01"]


def test_naive_stamps_are_in_the_zone_of_their_source(catalog: Any) -> None:
    files = {"a.csv": "at\n2026-01-01 04:30:00\n2026-07-01 04:30:00\n"}
    made = catalog(files, {"s": {"path": "a.csv", "timezone": "UTC"}}, timezone="America/New_York")
    assert days(made) == ["2025-12-31", "2026-07-01"]


def test_stamps_with_an_offset_are_instants(catalog: Any) -> None:
    files = {"a.csv": "at\n2026-01-01T04:30:00Z\n2026-01-01T00:30:00-05:00\n"}
    made = catalog(
        files, {"s": {"path": "a.csv", "timezone": "Asia/Tokyo"}}, timezone="America/New_York"
    )
    assert days(made) == ["2025-12-31", "2026-01-01"]


def test_rows_after_as_of_do_not_exist(catalog: Any) -> None:
    files = {"a.csv": "at\n2026-11-23T04:59:59Z\n2026-11-23T05:00:00Z\n"}
    made = catalog(files, {"s": {"path": "a.csv", "time": "at"}}, timezone="America/New_York")
    assert days(made) == ["2026-11-22"]


@pytest.mark.long
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31)).map(
            lambda t: t.replace(microsecond=0)
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata", "America/Sao_Paulo"]),
)
def test_as_of_keeps_exactly_the_rows_whose_local_day_is_not_after_it(
    catalog: Any, stamps: list[dt.datetime], zone: str
) -> None:
    files = {"a.csv": "at\n" + "".join(f"{t:%Y-%m-%d %H:%M:%S}\n" for t in stamps)}
    made = catalog(
        files,
        {
            "s": {
                "path": "a.csv",
                "time": "at",
                "timezone": "UTC",
                "columns": {"at": {"type": "timestamp"}},
            }
        },
        timezone=zone,
    )
    every = [
        t.replace(tzinfo=dt.UTC).astimezone(__import__("zoneinfo").ZoneInfo(zone)).date()
        for t in stamps
    ]
    assert sorted(days(made)) == sorted(str(d) for d in every if d <= AS_OF)


def test_rows_around_a_clock_change_of_their_source_are_cut_at_the_right_moment(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.csv").write_text(
        "at\n2026-10-31 23:59:59\n2026-11-01 00:30:00\n2026-11-01 02:30:00\n"
    )
    s = {"system": "X", "path": "a.csv", "time": "at", "timezone": "America/New_York"}
    company = {"company": "C", "timezone": "Asia/Tokyo", "sources": {"s": s}}
    definitions = Definitions.model_validate({"company": company, "departments": {}})
    with sources.open(definitions, tmp_path, dt.date(2026, 11, 1)) as made:
        assert days(made) == ["2026-11-01", "2026-11-01", "2026-11-01"]
    with sources.open(definitions, tmp_path, dt.date(2026, 10, 31)) as made:
        assert days(made) == []


def test_rows_without_a_time_are_kept_and_counted(catalog: Any) -> None:
    made = catalog(
        {"a.csv": "id,day\n1,2026-01-01\n2,\n3,\n"}, {"s": {"path": "a.csv", "time": "day"}}
    )
    made.require("s")
    assert [(n.count, "are not counted" in n.text) for n in made.notices("s")] == [(2, True)]


# --- coverage ------------------------------------------------------------------------------------

FIRST, LAST = dt.date(2026, 1, 5), dt.date(2026, 11, 18)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, (FIRST, LAST, False)),
        ({"covers": {"from": dt.date(2025, 1, 1)}}, (dt.date(2025, 1, 1), LAST, False)),
        ({"covers": {"to": "as_of"}}, (FIRST, AS_OF, False)),
        ({"covers": {"to": dt.date(2026, 11, 30)}}, (FIRST, AS_OF, False)),
        ({"covers": {"to": dt.date(2026, 6, 30)}}, (FIRST, dt.date(2026, 6, 30), False)),
        ({"fresh_within": "4d"}, (FIRST, AS_OF, False)),
        ({"fresh_within": "3d"}, (FIRST, LAST, True)),
        ({"covers": {"to": "as_of"}, "fresh_within": "3d"}, (FIRST, LAST, True)),
    ],
)
def test_coverage_is_what_is_declared_completed_by_the_rows(
    said: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    found = cover_days(
        Source.model_validate({"system": "X", "path": "a.csv", **said}), AS_OF, FIRST, LAST
    )
    assert (found.first, found.last, found.stale) == expected


def test_a_source_without_a_time_covers_no_days(catalog: Any) -> None:
    made = catalog({"a.csv": "v\n1\n"}, {"s": {"path": "a.csv"}})
    assert made.coverage("s") == sources.Coverage(None, None)
    assert made.span() is None


def test_the_span_reaches_over_all_sources_and_their_times(catalog: Any) -> None:
    files = {
        "a.csv": "d,e\n2026-03-01,2026-02-01\n2026-04-01,2026-12-24\n",
        "b.csv": "d\n2026-01-07\n",
    }
    declared = {"a": {"path": "a.csv", "time": "d"}, "b": {"path": "b.csv", "time": "d"}}
    made = catalog(
        files, declared, {"m": simple("a", "count", time="e"), "n": simple("b", "count")}
    )
    assert made.span() == (dt.date(2026, 1, 7), dt.date(2026, 4, 1))
    assert made.coverage("a", "e").first == dt.date(2026, 2, 1)


def test_provenance_names_rows_last_day_and_content(catalog: Any) -> None:
    made = catalog(
        {"a.csv": "d\n2026-01-07\n"}, {"s": {"path": "a.csv", "time": "d", "owner": "Ops"}}
    )
    row = made.provenance("s").to_dict("records")[0]
    digest = __import__("hashlib").sha256(b"d\n2026-01-07\n").hexdigest()[:12]
    assert row == {
        "source": "s",
        "system": "X",
        "owner": "Ops",
        "files": "a.csv",
        "rows": 1,
        "data_to": dt.date(2026, 1, 7),
        "sha256": digest,
    }
