"""csv sources: what is read, and what is refused with file, line, column and value."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from dataops_nb import sources
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.delimited import BLOCK

AS_OF = dt.date(2026, 11, 22)


def define(
    source: dict[str, Any], measure: dict[str, Any] | None = None, timezone: str = "UTC"
) -> Definitions:
    metrics = {"m": {"type": "simple", "measure": {"source": "s", **measure}}} if measure else {}
    return Definitions.model_validate(
        {
            "company": {
                "company": "C",
                "timezone": timezone,
                "sources": {"s": {"system": "CRM", **source}},
            },
            "departments": {"d": {"department": "D", "metrics": metrics}},
        }
    )


@pytest.fixture
def load(tmp_path: Path) -> Any:
    opened: list[sources.Catalog] = []

    def _load(
        content: str | bytes, measure: dict[str, Any] | None = None, **source: Any
    ) -> sources.Catalog:
        path = source.setdefault("path", "deals.csv")
        written = content if isinstance(content, bytes) else content.encode()
        (tmp_path / path).write_bytes(written)
        opened.append(sources.open(define(source, measure), tmp_path, AS_OF))
        return opened[-1]

    yield _load
    for catalog in opened:
        catalog.close()


def rows(catalog: sources.Catalog) -> list[dict[str, Any]]:
    return catalog.fetch("select * from s").to_dict("records")


def only(catalog: sources.Catalog) -> Fault:
    faults = catalog.check()
    assert len(faults) == 1, faults
    return faults[0]


# --- types ---------------------------------------------------------------------------------------


def test_an_undeclared_column_has_the_type_its_values_parse_as(load: Any) -> None:
    header = "i,d,day,at,z,b,t\n"
    first = "1,1.5,2026-01-01,2026-01-01 10:00:00,2026-01-01T10:00:00Z,true,x\n"
    second = "-2,3,2026-01-02,2026-01-02T11:00,2026-01-02 11:00+02:00,False,1y\n"
    assert load(header + first + second).columns("s") == {
        "i": "BIGINT",
        "d": "DOUBLE",
        "day": "DATE",
        "at": "TIMESTAMP",
        "z": "TIMESTAMP WITH TIME ZONE",
        "b": "BOOLEAN",
        "t": "VARCHAR",
    }


def test_leading_zeros_make_a_column_text(load: Any) -> None:
    catalog = load("zip\n10115\n01067\n")
    assert [r["zip"] for r in rows(catalog)] == ["10115", "01067"]


def test_integers_beyond_64_bits_stay_text(load: Any) -> None:
    catalog = load("id,n\n9223372036854775808,9007199254740993\n1,2\n")
    assert catalog.columns("s") == {"id": "VARCHAR", "n": "BIGINT"}
    assert catalog.fetch("select n from s order by n desc")["n"][0] == 9007199254740993


def test_inf_and_nan_are_text(load: Any) -> None:
    assert load("a\n1\ninf\nnan\n").columns("s") == {"a": "VARCHAR"}


def test_percents_and_thousands_are_text_unless_declared(load: Any) -> None:
    assert load('a,b\n"1,234",5%\n"2,345",6%\n').columns("s") == {"a": "VARCHAR", "b": "VARCHAR"}


def test_declared_numbers_take_thousands_separators(load: Any) -> None:
    catalog = load(
        'a,b\n"523,419","1,234.5"\n41,2\n',
        columns={"a": {"type": "integer"}, "b": {"type": "decimal"}},
    )
    assert rows(catalog) == [{"a": 523419, "b": 1234.5}, {"a": 41, "b": 2.0}]


def test_thousands_separators_must_group_three_digits(load: Any) -> None:
    fault = only(load('a\n"1,23"\n', columns={"a": {"type": "integer"}}))
    assert (fault.file, fault.row, fault.column, fault.value) == ("deals.csv", 2, "a", "1,23")


def test_a_decimal_comma_is_declared(load: Any) -> None:
    catalog = load(
        "a;b\n1,5;1.234,5\n2;7\n", decimal=",", delimiter=";", columns={"b": {"type": "decimal"}}
    )
    assert rows(catalog) == [{"a": 1.5, "b": 1234.5}, {"a": 2.0, "b": 7.0}]


def test_the_one_percent_that_does_not_parse_is_named(load: Any) -> None:
    text = "id,v\n" + "".join(f"{i},{'x7' if i == 50 else i}\n" for i in range(200))
    fault = only(load(text))
    assert str(fault) == (
        "deals.csv:52: source s, column v, value 'x7': "
        "is not an integer, like the other values of this column"
    )


def test_more_than_one_percent_make_text(load: Any) -> None:
    text = "v\n" + "".join(f"{'x' if i < 3 else i}\n" for i in range(200))
    assert load(text).columns("s") == {"v": "VARCHAR"}


def test_few_decimals_among_integers_are_decimals_not_faults(load: Any) -> None:
    catalog = load("v\n" + "7\n" * 500 + "7.5\n")
    assert catalog.check() == []
    assert catalog.columns("s") == {"v": "DOUBLE"}


def test_every_declared_value_that_does_not_parse_is_named(load: Any) -> None:
    catalog = load(
        "a,b\n1,yes\n2.5,true\nx,no\n", columns={"a": {"type": "integer"}, "b": {"type": "boolean"}}
    )
    assert [(f.row, f.column, f.value) for f in catalog.check()] == [
        (3, "a", "2.5"),
        (4, "a", "x"),
        (2, "b", "yes"),
        (4, "b", "no"),
    ]


def test_a_declared_date_takes_midnight_stamps_only(load: Any) -> None:
    catalog = load(
        "d\n2026-01-01 00:00:00\n2026-01-02\n2026-01-03 09:00:00\n", columns={"d": {"type": "date"}}
    )
    assert [(f.row, f.value) for f in catalog.check()] == [(4, "2026-01-03 09:00:00")]
    assert catalog.columns("s") == {"d": "DATE"}


# --- missing -------------------------------------------------------------------------------------


def test_only_empty_cells_are_missing(load: Any) -> None:
    catalog = load('a,b\nNA,1\n"",2\n,3\nnull,4\nNaN,5\n')
    assert catalog.fetch("select a from s")["a"].isna().tolist() == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_na_texts_are_missing_too(load: Any) -> None:
    catalog = load("a,b\n1,x\nn/a,y\n-,z\n", na=["n/a", "-"])
    assert catalog.columns("s")["a"] == "BIGINT"
    assert catalog.fetch("select count(a) as n from s")["n"][0] == 1


def test_a_blank_cell_is_not_missing(load: Any) -> None:
    fault = only(
        load(
            "id,v\n" + "".join(f"{i},{i}.5\n" for i in range(150)) + "x, \n",
            columns={"id": {"type": "text"}},
        )
    )
    assert (fault.row, fault.column, fault.value) == (152, "v", " ")


# --- times ---------------------------------------------------------------------------------------


def test_a_date_format_reads_dates(load: Any) -> None:
    catalog = load(
        'Date,v\n"Sun, 05-Jan-2020",1\n"Mon, 06-Jan-2020",2\n',
        date_format="%a, %d-%b-%Y",
        time="Date",
    )
    assert catalog.columns("s")["Date"] == "DATE"
    assert catalog.coverage("s").first == dt.date(2020, 1, 5)


def test_a_date_that_is_none_by_the_format_is_named(load: Any) -> None:
    fault = only(
        load("d,v\n3/4/2026,1\n13/4/2026,2\n1/2/2026,3\n", date_format="%m/%d/%Y", time="d")
    )
    assert (fault.row, fault.column, fault.value) == (3, "d", "13/4/2026")
    assert "%m/%d/%Y" in fault.rule


def test_a_needed_time_without_a_format_is_one_fault_that_asks_for_it(load: Any) -> None:
    fault = only(load("d,v\n3/4/2026,1\n4/4/2026,2\n", time="d"))
    assert (fault.file, fault.row, fault.column, fault.value) == ("deals.csv", 2, "d", "3/4/2026")
    assert "date_format" in fault.rule


def test_a_date_format_that_is_none_is_a_fault(load: Any) -> None:
    assert "date_format: %Q is no format" in str(
        load("d\n2026-01-01\n", date_format="%Q", time="d").check()[0]
    )


def test_the_second_way_to_write_a_date_is_named(load: Any) -> None:
    fault = only(load('d\n2024-07-17\n2024-07-18\n"6th December, 2024"\n', time="d"))
    assert (fault.row, fault.value) == (4, "6th December, 2024")


def test_stamps_with_and_without_offset_do_not_mix(load: Any) -> None:
    text = "at\n2026-01-01T10:00:00Z\n2026-01-02T10:00:00Z\n2026-01-03T10:00:00\n"
    fault = only(load(text, time="at"))
    assert (fault.row, fault.column, fault.value) == (4, "at", "2026-01-03T10:00:00")
    assert "offset" in fault.rule


def test_a_day_that_does_not_exist_is_named(load: Any) -> None:
    fault = only(load("d\n2026-02-27\n2026-02-28\n2026-02-30\n", time="d"))
    assert (fault.row, fault.value) == (4, "2026-02-30")


# --- needs ---------------------------------------------------------------------------------------


def test_one_text_in_a_summed_column_is_one_fault(load: Any) -> None:
    text = "id,amount\n1,10\n2,11\n3,12x\n4,13\n5,14\n"
    fault = only(load(text, {"agg": "sum", "expr": "amount"}))
    assert str(fault) == (
        "deals.csv:4: source s, column amount, value '12x': "
        "is not an integer, but metric m needs a number"
    )


def test_a_summed_column_of_text_is_one_fault_of_the_column(load: Any) -> None:
    fault = only(load('id,amount\n1,"5,419"\n2,"1,234"\n', {"agg": "sum", "expr": "amount"}))
    assert (fault.file, fault.row, fault.column, fault.value) == ("deals.csv", 2, "amount", "5,419")
    assert "type: decimal" in fault.rule


def test_leading_zeros_do_not_hide_a_number_that_is_needed(load: Any) -> None:
    catalog = load("v\n007\n8\n", {"agg": "sum", "expr": "v"})
    assert catalog.fetch("select sum(v) as v from s")["v"][0] == 15


def test_missing_columns_are_one_fault_with_near_names(load: Any) -> None:
    catalog = load(
        "id,amuont,closed\n1,2,2026-01-01\n",
        {"agg": "sum", "expr": "amount", "filter": "stage = 'won'"},
        time="closed_at",
    )
    fault = only(catalog)
    assert fault.file == "deals.csv"
    assert fault.row == 1
    for said in (
        "'amount' (metric m; did you mean 'amuont'?)",
        "'closed_at' (time:; did you mean 'closed'?)",
        "'stage' (metric m)",
    ):
        assert said in fault.rule


def test_columns_are_found_regardless_of_case(load: Any) -> None:
    catalog = load(
        "ID,Amount,Day\n1,2,2026-01-01\n", {"agg": "sum", "expr": "amount"}, time="day", key="id"
    )
    assert catalog.check() == []
    assert catalog.coverage("s").last == dt.date(2026, 1, 1)


def test_an_empty_file_with_a_header_has_no_rows_and_no_faults(load: Any) -> None:
    catalog = load("id,amount,day\n", {"agg": "sum", "expr": "amount"}, time="day")
    assert catalog.check() == []
    assert catalog.columns("s") == {"id": "VARCHAR", "amount": "DOUBLE", "day": "DATE"}
    assert catalog.coverage("s") == sources.Coverage(None, None)


# --- structure -----------------------------------------------------------------------------------


def test_quoted_newlines_are_counted_as_lines(load: Any) -> None:
    fault = only(
        load('note,amount\n"a\r\nb",1\n"c\nd\ne",2\nx,3\ny,4z\n', {"agg": "sum", "expr": "amount"})
    )
    assert (fault.row, fault.value) == (8, "4z")


def test_an_extra_field_is_named_by_line(load: Any) -> None:
    fault = only(load('a,b\n"x\ny",1\n2,3,4\n5,6\n'))
    assert str(fault) == "deals.csv:4: source s: the row has 3 fields, the header has 2"


def test_an_extra_empty_field_is_a_fault_also_where_a_block_of_the_file_ends_in_it(
    load: Any,
) -> None:
    start = "a,b\n1,"
    long_cell = "2" * (BLOCK - len(start) - 1)
    fault = only(load(f"{start}{long_cell},\n3,4\n"))
    assert fault.rule == "the row has 3 fields, the header has 2"


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2,\n",
        "a,b\r\n1,2,\r\n",
        "a,b\r\n1,2,\r\n3,4",
        "a,b\n1,2\n3,4,",
        'a,b\n1,2,""\n',
        'a,b\n"x\ny",2,\n',
        'a,b\n"x,y",2,\n',
    ],
)
def test_an_extra_empty_field_is_a_fault_however_its_line_is_written(load: Any, text: str) -> None:
    assert only(load(text)).rule == "the row has 3 fields, the header has 2"


@pytest.mark.parametrize(
    "text", ["a,b\n1,\n,\n", "a,b\r\n1,\r\n", 'a,b\n"x,y",\n"p\nq",\n', 'a,b\n1,""\n', "a,b\n1,"]
)
def test_an_empty_last_field_is_no_extra_one(load: Any, text: str) -> None:
    assert load(text).check() == []


def test_an_extra_field_in_every_row_is_refused(load: Any) -> None:
    catalog = load("a,b\n1,2,\n3,4,\n")
    assert [f.row for f in catalog.check()] == [2, 3]


def test_a_row_cut_off_at_the_end_is_named(load: Any) -> None:
    fault = only(load("a,b,c\n1,2,3\n4,5"))
    assert (fault.file, fault.row) == ("deals.csv", 3)
    assert "2 fields" in fault.rule


def test_an_open_quote_is_named_where_it_opens(load: Any) -> None:
    fault = only(load('a,b\n1,2\n3,"open\n5,6\n'))
    assert (fault.file, fault.row) == ("deals.csv", 3)
    assert "never closed" in fault.rule


def test_long_lists_are_capped_and_counted(load: Any) -> None:
    faults = load("a,b\n" + "1,2,3\n" * 50).check()
    assert len(faults) == 21
    assert "30 more" in faults[-1].rule


def test_long_lists_of_values_are_capped_and_counted(load: Any) -> None:
    faults = load("a\n" + "x\n" * 50, columns={"a": {"type": "integer"}}).check()
    assert len(faults) == 21
    assert "30 more" in faults[-1].rule


def test_all_kinds_of_faults_are_listed_at_once(load: Any) -> None:
    catalog = load("a,b\n1,2\n3\nx,4\n", columns={"a": {"type": "integer"}, "b": {"min": 3}})
    assert [(f.row, f.column) for f in catalog.check()] == [(3, ""), (4, "a"), (2, "b")]


def test_a_repeated_header_is_refused_where_it_is_used(load: Any) -> None:
    assert load("b,b,a\n1,2,3\n", columns={"a": {"type": "integer"}}).check() == []
    fault = only(load("a,b,A\n1,2,3\n", columns={"a": {"type": "integer"}}))
    assert (fault.file, fault.row, fault.column) == ("deals.csv", 1, "A")


def test_an_unnamed_column_is_refused(load: Any) -> None:
    fault = only(load("a,,c\n1,2,3\n"))
    assert (fault.file, fault.row) == ("deals.csv", 1)
    assert "column 2 has no name" in fault.rule


def test_another_delimiter_is_asked_for(load: Any) -> None:
    assert "delimiter: ';'" in only(load("a;b\n1;2\n")).rule


def test_a_tsv_is_split_at_tabs(load: Any) -> None:
    assert rows(load("a\tb\n1\tx,y\n", path="deals.tsv")) == [{"a": 1, "b": "x,y"}]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(load: Any, newline: str) -> None:
    assert rows(load(newline.join(["a,b", "1,x", "2,y", ""]))) == [
        {"a": 1, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_line_ends_may_mix_in_quotes(load: Any) -> None:
    assert len(rows(load('a,b\r\n1,"x\r\ny"\r\n2,"x\ny"\n3,4'))) == 3


# --- encodings -----------------------------------------------------------------------------------


def test_a_byte_order_mark_is_no_part_of_a_name(load: Any) -> None:
    assert list(load("\ufeffa,b\n1,2\n").columns("s")) == ["a", "b"]


def test_two_byte_order_marks_are_refused(load: Any) -> None:
    fault = only(load("\ufeff\ufeffa,b\n1,2\n"))
    assert (fault.file, fault.row) == ("deals.csv", 1)
    assert "two byte order marks" in fault.rule


def test_bytes_that_are_no_utf8_are_named_with_the_encoding_to_declare(load: Any) -> None:
    fault = only(load("a,b\n1,x\n2,caf\xe9\n".encode("cp1252")))
    assert (fault.file, fault.row, fault.value) == ("deals.csv", 3, "0xE9 0x0A")
    assert "encoding: cp1252" in fault.rule


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "latin-1"])
def test_a_declared_encoding_is_decoded(load: Any, encoding: str) -> None:
    assert rows(load("a,b\n1,café\n".encode(encoding), encoding=encoding)) == [
        {"a": 1, "b": "café"}
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf16_is_recognised(load: Any, encoding: str) -> None:
    fault = only(load("a,b\n1,2\n".encode(encoding)))
    assert fault.file == "deals.csv"
    assert "encoding: utf-16" in fault.rule


def test_a_wrong_declared_encoding_names_the_line(load: Any) -> None:
    fault = only(load("a\nx\ny\x81\n".encode("latin-1"), encoding="cp1252"))
    assert (fault.file, fault.row) == ("deals.csv", 3)


def test_faults_in_a_decoded_file_have_its_lines(load: Any) -> None:
    text = 'a,b\n"é\nx",1\ny,2x\n'
    fault = only(
        load(
            text.encode("utf-16"),
            {"agg": "count"},
            encoding="utf-16",
            columns={"b": {"type": "integer"}},
        )
    )
    assert (fault.row, fault.value) == (4, "2x")


# --- files ---------------------------------------------------------------------------------------


def test_a_missing_file_is_named_with_the_nearest(load: Any, tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text("a\n1\n")
    with sources.open(define({"path": "deal.csv"}), tmp_path, AS_OF) as catalog:
        assert str(only(catalog)) == "deal.csv: source s: does not exist; did you mean 'deals.csv'?"


def test_an_empty_file_is_a_fault(load: Any) -> None:
    assert str(only(load(""))) == "deals.csv: source s: is empty (0 bytes)"


def test_a_path_that_leaves_the_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link.csv").symlink_to(tmp_path / "secret.csv")
    for path in ("../secret.csv", "x/../../secret.csv", "link.csv"):
        with sources.open(define({"path": path}), tmp_path / "data", AS_OF) as catalog:
            assert "leaves the data folder" in only(catalog).rule


def test_an_absolute_path_may_be_declared(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    with sources.open(
        define({"path": str(tmp_path / "a.csv")}), tmp_path / "elsewhere", AS_OF
    ) as catalog:
        assert rows(catalog) == [{"a": 1}]


def test_a_glob_reads_every_file_and_names_rows_by_file(tmp_path: Path) -> None:
    (tmp_path / "d1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "d2.csv").write_text("b,a\ny,2\nz,3q\n")
    with sources.open(
        define({"path": "d*.csv"}, {"agg": "sum", "expr": "a"}), tmp_path, AS_OF
    ) as catalog:
        fault = only(catalog)
        assert (fault.file, fault.row, fault.column, fault.value) == ("d2.csv", 3, "a", "3q")
        assert catalog.provenance("s")["files"][0] == "d1.csv, d2.csv"


def test_files_of_a_glob_with_other_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / "d1.csv").write_text("id,amount\n1,2\n")
    (tmp_path / "d2.csv").write_text("id,amuont,x\n1,2,3\n")
    with sources.open(define({"path": "d*.csv"}), tmp_path, AS_OF) as catalog:
        fault = only(catalog)
        assert fault.file == "d2.csv"
        assert "missing 'amount'; did you mean 'amuont'? and extra 'amuont', 'x'" in fault.rule


def test_a_snapshot_is_the_last_one_not_after_the_day(tmp_path: Path) -> None:
    for day, value in (("2026-10-01", 1), ("2026-11-01", 2), ("2026-12-01", 3)):
        (tmp_path / f"deals_{day}.csv").write_text(f"v\n{value}\n")
    with sources.open(define({"path": "deals_{snapshot}.csv"}), tmp_path, AS_OF) as catalog:
        assert rows(catalog) == [{"v": 2}]
    with sources.open(
        define({"path": "deals_{snapshot}.csv"}), tmp_path, dt.date(2026, 1, 1)
    ) as catalog:
        assert "the first is of 2026-10-01" in only(catalog).rule


def test_require_raises_all_faults_of_all_sources_at_once(tmp_path: Path) -> None:
    definitions = Definitions.model_validate(
        {
            "company": {
                "company": "C",
                "sources": {n: {"system": "X", "path": f"{n}.csv"} for n in ("a", "b")},
            },
            "departments": {},
        }
    )
    with sources.open(definitions, tmp_path, AS_OF) as catalog, pytest.raises(DataError) as error:
        catalog.require("a", "b")
    assert [f.file for f in error.value.faults] == ["a.csv", "b.csv"]


def test_a_byte_of_another_encoding_is_named_with_its_line_and_column(
    load: Any, tmp_path: Any
) -> None:
    catalog = load("a,b\n1,x\n2,y\n")
    (tmp_path / "deals.csv").write_bytes(b'a,b,c\n1,"x\ny",2\n3,caf\xe9,4\n')
    fault = only(catalog)
    assert (fault.file, fault.row, fault.column) == ("deals.csv", 4, "b")
