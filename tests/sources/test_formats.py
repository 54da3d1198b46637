"""Excel, parquet and JSON sources: typed by the file, refused where it is damaged or a bomb."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from openpyxl import Workbook

from dataops_nb import sources
from dataops_nb.definitions.models import Definitions

AS_OF = dt.date(2026, 11, 22)


@pytest.fixture
def open_file(tmp_path: Path) -> Any:
    opened: list[sources.Catalog] = []

    def make(path: str, measure: dict[str, Any] | None = None, **source: Any) -> sources.Catalog:
        metrics = (
            {"m": {"type": "simple", "measure": {"source": "s", **measure}}} if measure else {}
        )
        definitions = Definitions.model_validate(
            {
                "company": {
                    "company": "C",
                    "sources": {"s": {"system": "X", "path": path, **source}},
                },
                "departments": {"d": {"department": "D", "metrics": metrics}},
            }
        )
        opened.append(sources.open(definitions, tmp_path, AS_OF))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def save(
    path: Path, *rows: list[Any], title: str = "Deals", others: dict[str, str] | None = None
) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for name, state in (others or {}).items():
        book.create_sheet(name).sheet_state = state  # type: ignore[assignment]
    book.save(path)


def refused(catalog: sources.Catalog) -> str:
    """The one fault of a file that is refused."""
    faults = catalog.check()
    assert len(faults) == 1, faults
    return str(faults[0])


# --- Excel ---------------------------------------------------------------------------------------


def test_cells_keep_their_type(open_file: Any, tmp_path: Path) -> None:
    save(
        tmp_path / "a.xlsx",
        ["id", "v", "day", "at", "ok"],
        ["007", 1.5, dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, 9), True],
    )
    types = {"id": "VARCHAR", "v": "DOUBLE", "day": "DATE", "at": "TIMESTAMP", "ok": "BOOLEAN"}
    assert open_file("a.xlsx").columns("s") == types


def test_a_text_among_numbers_is_named_by_sheet_row(open_file: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", ["id", "v"], [1, 5], [], [2, "6x"], [3, 7], [4, 8])
    fault = open_file("a.xlsx", {"agg": "sum", "expr": "v"}).check()[0]
    assert (fault.file, fault.row, fault.column, fault.value) == ("a.xlsx", 4, "v", "6x")


def test_a_formula_without_its_result_is_named(open_file: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", ["id", "v"], [1, 5], [2, "=B2*2"])
    fault = open_file("a.xlsx").check()[0]
    assert (fault.file, fault.row, fault.column, fault.value) == ("a.xlsx", 3, "v", "=B2*2")


def test_an_excel_error_is_named(open_file: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", ["id", "v"], [1, 5], [2, "#DIV/0!"])
    fault = open_file("a.xlsx").check()[0]
    assert (fault.row, fault.column, fault.value) == (3, "v", "#DIV/0!")


def test_several_visible_sheets_must_be_chosen_from(open_file: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", ["v"], [1], others={"Notes": "visible", "Old": "hidden"})
    assert "declare `sheet:` with one of 'Deals', 'Notes'" in refused(open_file("a.xlsx"))
    assert open_file("a.xlsx", sheet="Deals").check() == []


def test_the_only_visible_sheet_is_read(open_file: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", ["v"], [1], others={"Old": "hidden"})
    assert open_file("a.xlsx").columns("s") == {"v": "BIGINT"}


def test_an_unknown_sheet_is_named_with_the_nearest(open_file: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", ["v"], [1])
    assert "has no sheet 'Deal'; did you mean 'Deals'?" in refused(
        open_file("a.xlsx", sheet="Deal")
    )


def test_a_csv_named_xlsx_is_refused(open_file: Any, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("a,b\n1,2\n")
    assert "a.xlsx: source s: is no Excel workbook" in refused(open_file("a.xlsx"))


def test_a_truncated_workbook_is_refused(open_file: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", ["v"], [1])
    content = (tmp_path / "a.xlsx").read_bytes()
    (tmp_path / "a.xlsx").write_bytes(content[: len(content) // 2])
    assert "a.xlsx: source s: is a truncated or damaged workbook" in refused(open_file("a.xlsx"))


def test_an_encrypted_workbook_is_refused(open_file: Any, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    assert "without a password" in refused(open_file("a.xlsx"))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(open_file: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(
        tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1
    ) as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
        package.writestr("xl/worksheets/sheet1.xml", b"0" * (101 << 20))
    assert "no honest workbook" in refused(open_file("a.xlsx"))


def test_xml_entities_are_refused(open_file: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as package:
        package.writestr(
            "xl/workbook.xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><workbook>&a;</workbook>'
        )
    assert "declares XML entities in xl/workbook.xml" in refused(open_file("a.xlsx"))


def test_a_value_outside_the_named_columns_is_named(open_file: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", ["v"], [1], [2, "stray"])
    assert refused(open_file("a.xlsx")).startswith(
        "a.xlsx:3: source s: the row has a value in column 2"
    )


# --- parquet -------------------------------------------------------------------------------------


def write_parquet(path: Path, query: str) -> None:
    duckdb.connect().execute(f"copy ({query}) to '{path}' (format parquet)")


@pytest.mark.parametrize(("expr", "total"), [("pay.v", 7), ("pay.v * 2", 14), ("pay.inner.w", 3)])
def test_a_field_inside_a_column_can_be_added_up(
    open_file: Any, tmp_path: Path, expr: str, total: int
) -> None:
    row = "{'v': 7, 'inner': {'w': 3}}"
    duckdb.sql(f"copy (select {row} as pay, 1 as n) to '{tmp_path / 'a.parquet'}'")
    catalog = open_file("a.parquet", {"agg": "sum", "expr": expr})
    assert catalog.check() == []
    assert catalog.fetch(f"select sum({expr}) as v from s")["v"][0] == total


def test_parquet_keeps_its_types(open_file: Any, tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "a.parquet",
        "select '007' as id, 1::smallint as n, 1.5::decimal(9,2) as d, timestamptz '2026-01-01' as z",
    )
    types = {"id": "VARCHAR", "n": "SMALLINT", "d": "DECIMAL(9,2)", "z": "TIMESTAMP WITH TIME ZONE"}
    assert open_file("a.parquet").columns("s") == types


def test_declared_types_of_parquet_name_the_data_row(open_file: Any, tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "a.parquet",
        "select * from (values (1, '5'), (2, '6x'), (3, '1,000')) as t(id, v)",
    )
    catalog = open_file("a.parquet", columns={"v": {"type": "integer"}})
    assert [(f.file, f.row, f.column, f.value) for f in catalog.check()] == [
        ("a.parquet", 2, "v", "6x")
    ]
    assert catalog.fetch("select sum(v) as v from s")["v"][0] == 1005


def test_duplicates_in_parquet_are_dropped_or_named(open_file: Any, tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "a.parquet", "select * from (values (1, 5), (1, 5), (2, 6), (2, 7)) as t(id, v)"
    )
    fault = open_file("a.parquet", key="id").check()[0]
    assert (fault.row, fault.value) == (4, "2")
    assert "rows 3 and 4" in fault.rule


def test_rows_of_several_parquet_files_are_named_by_file(open_file: Any, tmp_path: Path) -> None:
    write_parquet(tmp_path / "a1.parquet", "select 1 as id, 5.0::double as v")
    write_parquet(
        tmp_path / "a2.parquet",
        "select * from (values (2, 1.0::double), (3, 'nan'::double)) as t(id, v)",
    )
    faults = open_file("a*.parquet", {"agg": "sum", "expr": "v"}).check()
    assert [(f.file, f.row, f.column, f.value) for f in faults] == [("a2.parquet", 2, "v", "nan")]


def test_a_used_column_of_parquet_that_stands_twice_is_a_fault(
    open_file: Any, tmp_path: Path
) -> None:
    pd.DataFrame({"v": [1.0], "V": ["a"], "note": [1], "Note": [2]}).to_parquet(
        tmp_path / "a.parquet"
    )
    assert open_file("a.parquet").check() == []
    fault = open_file("a.parquet", {"agg": "sum", "expr": "v"}).check()[0]
    assert (fault.column, fault.rule) == ("v", "appears twice, capitals aside; rename one of them")


@pytest.mark.parametrize("name", ["rowid", "ROWID", "file_row_number"])
@pytest.mark.parametrize(("ending", "first"), [("csv", 2), ("parquet", 1)])
def test_a_column_called_as_duckdb_calls_its_numbers_of_rows_is_one_like_any_other(
    open_file: Any, tmp_path: Path, name: str, ending: str, first: int
) -> None:
    for number, values in enumerate((["1", "2"], ["x", "4"])):
        frame = pd.DataFrame({"v": values, name: ["p", "q"]})
        path = tmp_path / f"a{number}.{ending}"
        frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    typed = {"v": {"type": "integer"}}
    catalog = open_file(f"a*.{ending}", {"agg": "count", "expr": name}, columns=typed)
    assert [(f.file, f.row, f.value) for f in catalog.check()] == [(f"a1.{ending}", first, "x")]


def test_text_in_parquet_that_must_be_summed_is_a_fault_of_the_column(
    open_file: Any, tmp_path: Path
) -> None:
    write_parquet(tmp_path / "a.parquet", "select * from (values ('a'), ('b')) as t(v)")
    fault = open_file("a.parquet", {"agg": "sum", "expr": "v"}).check()[0]
    assert (fault.file, fault.row, fault.column, fault.value) == ("a.parquet", 1, "v", "a")


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "0 bytes"), (b"PAR1 something", "no parquet file, or was cut off")]
)
def test_a_damaged_parquet_file_is_refused(
    open_file: Any, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    assert said in refused(open_file("a.parquet"))


def test_an_absurd_parquet_file_is_refused(
    open_file: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataops_nb.sources.documents.MOST_ROWS", 1000)
    write_parquet(tmp_path / "a.parquet", "select 1 as v from range(2000)")
    assert "declares 2,000 rows" in refused(open_file("a.parquet"))


# --- JSON ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": "007", "v": 1.5, "day": "2026-01-01"}]',
        '{"id": "007", "v": 1.5, "day": "2026-01-01"}\n',
    ],
)
def test_json_is_typed_by_the_file(open_file: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    assert open_file("a.json").columns("s") == {"id": "VARCHAR", "v": "DOUBLE", "day": "DATE"}


@pytest.mark.parametrize("shape", ["array", "lines"])
@pytest.mark.parametrize(
    ("numbers", "type_"),
    [
        (["123456789012345678901", "123456789012345678902"], "VARCHAR"),
        (["9223372036854775808", "1", "null"], "VARCHAR"),
        (["-9223372036854775809", "5"], "VARCHAR"),
        (["9223372036854775807", "3"], "BIGINT"),
        (["1e30", "1"], "DOUBLE"),
        (["123456789012345678901", "0.5"], "DOUBLE"),
    ],
)
def test_whole_numbers_beyond_64_bits_of_json_stay_text(
    open_file: Any, tmp_path: Path, numbers: list[str], type_: str, shape: str
) -> None:
    objects = [f'{{"id": {number}, "v": 1}}' for number in numbers]
    content = f"[{', '.join(objects)}]" if shape == "array" else "\n".join(objects)
    (tmp_path / "a.json").write_text(content)
    catalog = open_file("a.json")
    assert catalog.columns("s")["id"] == type_
    if type_ == "VARCHAR":
        ids = catalog.fetch("select id from s")["id"].dropna()
        assert sorted(ids) == sorted(number for number in numbers if number != "null")


def test_one_long_number_in_any_file_makes_the_column_text(open_file: Any, tmp_path: Path) -> None:
    (tmp_path / "a1.json").write_text('[{"id": 1, "v": 2}]')
    (tmp_path / "a2.json").write_text('[{"id": 123456789012345678901, "v": 3}]')
    (tmp_path / "a3.json").write_text('[{"id": null, "v": 4}]')
    catalog = open_file("a*.json")
    assert catalog.check() == []
    assert sorted(catalog.fetch("select id from s")["id"].dropna()) == [
        "1",
        "123456789012345678901",
    ]


def test_json_stamps_keep_their_offset(open_file: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"at": "2026-01-01T23:30:00-05:00"}]')
    assert open_file("a.json").columns("s") == {"at": "TIMESTAMP WITH TIME ZONE"}


def test_a_text_among_json_numbers_is_named_by_row(open_file: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"v": 1}, {"v": "2x"}, {"v": 3}]')
    fault = open_file("a.json", {"agg": "sum", "expr": "v"}).check()[0]
    assert (fault.file, fault.row, fault.column, fault.value) == ("a.json", 2, "v", "2x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}\n{"a":\n', "a.json:2: source s: is damaged JSON"),
        ('[{"a": 1},\n{"a": 2]', "a.json:2: source s: is damaged JSON"),
        ("[1, 2]", "holds no objects"),
        ("hello", "a.json:1: source s: is damaged JSON"),
    ],
)
def test_damaged_json_is_refused(open_file: Any, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.json").write_text(text)
    assert said in refused(open_file("a.json"))


@pytest.mark.parametrize(
    "text", ['[{"v": 1}, {"v": 2}]', ' \n[{"v": 1},\n{"v": 2}]', '{"v": 1}\n{"v": 2}\n']
)
def test_json_may_begin_with_a_byte_order_mark(open_file: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8-sig")
    catalog = open_file("a.json")
    assert catalog.check() == []
    assert list(catalog.fetch("select v from s order by v")["v"]) == [1, 2]


def test_an_empty_json_array_behind_a_byte_order_mark_has_no_rows(
    open_file: Any, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text("[]\n", encoding="utf-8-sig")
    assert open_file("a.json", {"agg": "sum", "expr": "v"}, time="day").check() == []


def test_an_empty_json_array_has_no_rows(open_file: Any, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]\n")
    catalog = open_file("a.json", {"agg": "sum", "expr": "v"}, time="day")
    assert catalog.check() == []
    assert catalog.columns("s") == {"day": "DATE", "v": "DOUBLE"}


def test_a_file_of_another_kind_is_refused(open_file: Any, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    assert (
        "a.pdf: source s: is no csv, tsv, json, parquet, feather, xlsx, ods or xls file"
        in refused(open_file("a.pdf"))
    )
