"""Every kind of file reads like the csv it could have been: same rows, same faults, same places.

The files are written by the programs that write them in the field: pandas 3.1, odfpy 1.4 (ods),
xlwt 1.3 (xls), openpyxl 3.1 and XlsxWriter 3.3 (tables and named ranges), pyarrow (feather, Arrow
streams), gzip, zipfile and zstandard. No program in Python writes xlsb; that format is read by the
same reader as xls, and only its refusals are tested.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table
from pyarrow import ipc

from dataops_nb import sources
from dataops_nb.definitions.models import Definitions

xlwt = pytest.importorskip("xlwt")
xlsxwriter = pytest.importorskip("xlsxwriter")
zstandard = pytest.importorskip("zstandard")
pytest.importorskip("python_calamine")
pytest.importorskip("odf")

DAY = dt.date(2026, 11, 22)
ROWS = [("a1", dt.date(2026, 11, 2), 12.5), ("a2", dt.date(2026, 11, 3), 7.0)]
TEXT = "id,day,amount\na1,2026-11-02,12.5\na2,2026-11-03,7\n"
BROKEN = "id,day,amount\n" + "".join(f"b{n},2026-11-02,{n}\n" for n in range(200)) + "c,x,5\n"


def opened(folder: Path, **options: Any) -> sources.Catalog:
    source = {"system": "CRM", "columns": {"day": {"type": "date"}}, **options}
    declared = {"company": {"company": "A", "sources": {"s": source}}, "departments": {}}
    return sources.open(Definitions.model_validate(declared), folder, DAY)


def read_rows(folder: Path, **options: Any) -> list[tuple[Any, ...]]:
    with opened(folder, **options) as catalog:
        assert catalog.check() == []
        frame = catalog.fetch('select id, "day", amount from s order by id')
    days = [pd.Timestamp(day).date() for day in frame["day"]]
    return list(zip(frame["id"], days, map(float, frame["amount"]), strict=True))


def only_fault(folder: Path, **options: Any) -> sources.Fault:
    with opened(folder, **options) as catalog:
        faults = catalog.check()
    assert len(faults) == 1, faults
    return faults[0]


def frame() -> pd.DataFrame:
    columns = pd.DataFrame(ROWS, columns=["id", "day", "amount"])
    return columns.assign(day=pd.to_datetime(columns["day"]))


def write_zip(path: Path, content: str, name: str = "export.csv") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)


def write_xls(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Export")
    for place, name in enumerate(("id", "day", "amount")):
        sheet.write(0, place, name)
    for row, (id_, day, amount) in enumerate(ROWS, 1):
        sheet.write(row, 0, id_)
        sheet.write(row, 1, day, xlwt.easyxf(num_format_str="YYYY-MM-DD"))
        sheet.write(row, 2, amount)
    book.save(str(path))


def write_stream(path: Path) -> None:
    table = pa.Table.from_pandas(frame(), preserve_index=False)
    with ipc.new_stream(str(path), table.schema) as stream:
        stream.write_table(table)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "s.csv.gz": lambda path: path.write_bytes(gzip.compress(TEXT.encode())),
    "s.csv.zst": lambda path: path.write_bytes(zstandard.ZstdCompressor().compress(TEXT.encode())),
    "pandas.csv.gz": lambda path: frame().to_csv(path, index=False),
    "pandas.csv.zst": lambda path: frame().to_csv(path, index=False, compression="zstd"),
    "s.tsv.gz": lambda path: path.write_bytes(gzip.compress(TEXT.replace(",", "\t").encode())),
    "s.zip": lambda path: write_zip(path, TEXT),
    "pandas.zip": lambda path: frame().to_csv(path, index=False),
    "tabs.zip": lambda path: write_zip(path, TEXT.replace(",", "\t"), "in a folder/export.tsv"),
    "s.ods": lambda path: frame().to_excel(path, engine="odf", index=False),
    "s.xls": write_xls,
    "s.feather": lambda path: frame().to_feather(path),
    "zstd.feather": lambda path: frame().to_feather(path, compression="zstd"),
    "s.arrow": write_stream,
    "epoch.jsonl": lambda path: frame().to_json(
        path, orient="records", lines=True, date_format="epoch", date_unit="ms"
    ),
    "iso.jsonl": lambda path: frame().to_json(
        path, orient="records", lines=True, date_format="iso"
    ),
    "epoch.jsonl.gz": lambda path: frame().to_json(
        path, orient="records", lines=True, date_format="epoch", date_unit="ms"
    ),
    "epoch.json": lambda path: frame().to_json(
        path, orient="records", date_format="epoch", date_unit="ms"
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    assert read_rows(tmp_path, path=name) == ROWS


PACKERS: dict[str, Callable[[Path], Any]] = {
    "s.csv.gz": lambda path: path.write_bytes(gzip.compress(BROKEN.encode())),
    "s.csv.zst": lambda path: path.write_bytes(
        zstandard.ZstdCompressor().compress(BROKEN.encode())
    ),
    "s.zip": lambda path: write_zip(path, BROKEN),
}


@pytest.mark.parametrize("name", PACKERS)
def test_a_fault_in_a_packed_csv_names_the_line_of_the_text_inside(
    tmp_path: Path, name: str
) -> None:
    PACKERS[name](tmp_path / name)
    fault = only_fault(tmp_path, path=name)
    assert (fault.file, fault.row, fault.column, fault.value) == (name, 202, "day", "x")


def test_the_layout_of_a_packed_csv_is_read_like_that_of_a_plain_one(tmp_path: Path) -> None:
    text = f"Report\n\n{TEXT}\nTotal\n".replace(",", ";").replace("12.5", "12,5")
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress(text.encode("cp1252")))
    options = {"delimiter": ";", "header": 3, "footer": 1, "encoding": "cp1252", "decimal": ","}
    assert read_rows(tmp_path, path="s.csv.gz", **options) == ROWS


def test_packed_files_of_a_glob_are_stacked(tmp_path: Path) -> None:
    first, *others = TEXT.splitlines(keepends=True)
    for number, row in enumerate(others):
        (tmp_path / f"s{number}.csv.gz").write_bytes(gzip.compress((first + row).encode()))
    assert read_rows(tmp_path, path="s*.csv.gz") == ROWS


def bomb(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=9) as packed:
        for _ in range(120):
            packed.write(b"0" * (1 << 20))


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut.csv.gz": (
        lambda path: path.write_bytes(gzip.compress(BROKEN.encode())[:-200]),
        "is a damaged or truncated gzip file",
    ),
    "cut.csv.zst": (
        lambda path: path.write_bytes(zstandard.ZstdCompressor().compress(BROKEN.encode())[:-100]),
        "is a damaged or truncated Zstandard file",
    ),
    "plain.csv.gz": (lambda path: path.write_text(TEXT), "is no gzip file, though its name"),
    "two.zip": (
        lambda path: [write_zip(path, TEXT), _add(path, "other.csv")],
        "holds export.csv, other.csv; a zip may hold one csv, tsv or json file",
    ),
    "none.zip": (lambda path: write_zip(path, "x", "a.pdf"), "holds a.pdf; a zip may hold one"),
    "bomb.csv.gz": (bomb, "which is too large to be real"),
    "page.xls": (lambda path: path.write_text("<html><table>"), "is a web page or XML"),
    "text.xls": (lambda path: path.write_text(TEXT), "is no .xls workbook, though its name"),
    "new.xls": (lambda path: openpyxl.Workbook().save(path), "name it .xlsx"),
    "cut.ods": (
        lambda path: [WRITERS["s.ods"](path), path.write_bytes(path.read_bytes()[:900])],
        "is a truncated or damaged workbook",
    ),
    "other.xlsb": (lambda path: write_zip(path, TEXT), "is a zip file but no workbook of the kind"),
    "text.feather": (lambda path: path.write_text(TEXT), "is no Feather or Arrow file"),
    "cut.feather": (
        lambda path: [frame().to_feather(path), path.write_bytes(path.read_bytes()[:300])],
        "is a damaged or truncated Arrow file",
    ),
    "columns.json": (
        lambda path: frame().to_json(path, date_format="iso"),
        "write one object a row: in pandas, df.to_json(path, orient='records', lines=True)",
    ),
    "split.json": (
        lambda path: frame().to_json(path, orient="split", date_format="iso"),
        "write one object a row",
    ),
}


def _add(path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, TEXT)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path, name: str) -> None:
    write, rule = REFUSED[name]
    write(tmp_path / name)
    fault = only_fault(tmp_path, path=name, columns={})
    assert fault.file == name
    assert rule in fault.rule


def test_nothing_unpacked_is_left_behind(tmp_path: Path) -> None:
    WRITERS["s.csv.gz"](tmp_path / "s.csv.gz")
    read_rows(tmp_path, path="s.csv.gz")
    assert [path.name for path in tmp_path.rglob("*")] == ["s.csv.gz"]


def test_merged_cells_of_an_old_workbook_are_a_fault(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Export")
    for place, name in enumerate(("id", "day", "amount")):
        sheet.write(0, place, name)
    sheet.write_merge(1, 2, 0, 0, "a")
    sheet.write(1, 2, 1)
    sheet.write(2, 2, 2)
    book.save(str(tmp_path / "s.xls"))
    fault = only_fault(tmp_path, path="s.xls", columns={})
    assert (fault.row, fault.column) == (2, "id")
    assert "cells A2:A3 are merged" in fault.rule


def test_merged_cells_and_unstored_formulas_of_an_ods_are_faults(tmp_path: Path) -> None:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table as Sheet
    from odf.table import TableCell, TableRow
    from odf.text import P

    document = OpenDocumentSpreadsheet()
    sheet = Sheet(name="Export")

    def add(*cells: Any) -> None:
        row = TableRow()
        for cell in cells:
            row.addElement(cell)
        sheet.addElement(row)

    def written(content: str, **options: Any) -> Any:
        cell = TableCell(valuetype="string", **options)
        cell.addElement(P(text=content))
        return cell

    add(written("id"), written("amount"))
    add(written("a", numberrowsspanned=2), TableCell(valuetype="float", value=2))
    add(written("b"), TableCell(formula="of:=[.B2]*2"))
    document.spreadsheet.addElement(sheet)
    document.save(str(tmp_path / "s.ods"))
    with opened(tmp_path, path="s.ods", columns={}) as catalog:
        faults = {(fault.row, fault.column): fault for fault in catalog.check()}
    assert "cells A2:A3 are merged" in faults[2, "id"].rule
    assert "result is not stored" in faults[3, "amount"].rule


def tables_of_openpyxl(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Board"
    sheet["A1"] = "Deals of the year"
    sheet["A3"] = "a remark beside the table"
    for row, cells in enumerate([("id", "day", "amount"), *ROWS], 4):
        for column, cell in enumerate(cells, 3):
            sheet.cell(row, column, cell)
    sheet.cell(9, 3, "not of the table")
    sheet.add_table(Table(displayName="tblDeals", ref="C4:E6"))
    book.defined_names["deals_range"] = DefinedName("deals_range", attr_text="Board!$C$4:$E$6")
    book.create_sheet("Other")["A1"] = "x"
    book.save(path)


def tables_of_xlsxwriter(path: Path) -> None:
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Board")
    book.add_worksheet("Other").write(0, 0, "x")
    columns = [
        {"header": "id", "total_string": "Total"},
        {"header": "day"},
        {"header": "amount", "total_function": "sum", "total_value": 19.5},
    ]
    data = [[id_, day, amount] for id_, day, amount in ROWS]
    options = {"name": "tblDeals", "columns": columns, "data": data, "total_row": True}
    sheet.add_table("C4:E7", options)
    book.define_name("deals_range", "=Board!$C$4:$E$6")
    book.close()


BOOKS = [tables_of_openpyxl, tables_of_xlsxwriter]


@pytest.mark.parametrize("write", BOOKS)
@pytest.mark.parametrize("name", ["tblDeals", "tbldeals", "deals_range"])
def test_a_table_or_a_named_range_is_read_by_its_name(
    tmp_path: Path, write: Callable[[Path], None], name: str
) -> None:
    write(tmp_path / "s.xlsx")
    assert read_rows(tmp_path, path="s.xlsx", sheet=name) == ROWS


def test_a_fault_in_a_table_names_the_row_of_its_sheet(tmp_path: Path) -> None:
    tables_of_openpyxl(tmp_path / "s.xlsx")
    book = openpyxl.load_workbook(tmp_path / "s.xlsx")
    book["Board"]["D6"] = "soon"
    book["Board"]["E6"] = "#DIV/0!"
    book.save(tmp_path / "s.xlsx")
    with opened(tmp_path, path="s.xlsx", sheet="tblDeals") as catalog:
        faults = {(fault.row, fault.column) for fault in catalog.check()}
    assert faults == {(6, "day"), (6, "amount")}


def test_a_name_that_no_sheet_and_no_table_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    tables_of_openpyxl(tmp_path / "s.xlsx")
    fault = only_fault(tmp_path, path="s.xlsx", sheet="tblDeal", columns={})
    assert "has no sheet 'tblDeal'" in fault.rule
    assert "tblDeals" in fault.rule


def test_durations_of_a_feather_file_are_hours(tmp_path: Path) -> None:
    pd.DataFrame({"id": ["a"], "took": [pd.Timedelta("90m")]}).to_feather(tmp_path / "s.feather")
    with opened(tmp_path, path="s.feather", columns={}) as catalog:
        assert catalog.fetch("select took from s")["took"].tolist() == [1.5]


def test_categories_of_a_feather_file_are_texts(tmp_path: Path) -> None:
    categories = pd.Series(["won", "lost"], dtype="category")
    pd.DataFrame({"id": ["a", "b"], "stage": categories}).to_feather(tmp_path / "s.feather")
    with opened(tmp_path, path="s.feather", columns={}) as catalog:
        assert catalog.columns("s")["stage"] == "VARCHAR"


def test_a_number_that_is_no_moment_is_a_fault_of_its_object(tmp_path: Path) -> None:
    rows = [{"id": str(n), "day": 1_767_225_600_000 + n} for n in range(200)]
    rows.append({"id": "x", "day": 7})
    (tmp_path / "s.json").write_text(json.dumps(rows))
    columns = {"day": {"type": "timestamp"}}
    fault = only_fault(tmp_path, path="s.json", columns=columns)
    assert (fault.row, fault.column, fault.value) == (201, "day", "7")
