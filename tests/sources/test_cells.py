"""Cells as people see them: formulas, days, durations and letters of workbooks; parquet's odd types."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from pyarrow import parquet

from dataops_nb import sources
from dataops_nb.errors import Fault
from tests.sources.test_delimited import define

xlsxwriter = pytest.importorskip("xlsxwriter")
xlwt = pytest.importorskip("xlwt")
AS_OF = dt.date(2026, 11, 22)
SUM = {"agg": "sum", "expr": "v", "time": "day"}


def load(
    folder: Path, path: str, measure: dict[str, Any] | None = None, zone: str = "UTC", **source: Any
) -> tuple[list[dict[str, Any]], list[Fault], list[str]]:
    """Rows (none where there are faults), faults and notices."""
    known = define({"path": path, **source}, measure, zone)
    with sources.open(known, folder, AS_OF) as catalog:
        faults = catalog.check()
        rows = [] if faults else catalog.fetch("select * from s").to_dict("records")
        return rows, faults, [str(notice) for notice in catalog.notices("s")]


def save(path: Path, rows: list[list[Any]], format_: str = "General") -> None:
    """Write a workbook; all cells of column A below the header have one number format."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for cells in book.active.iter_rows(min_row=2, max_col=1):
        cells[0].number_format = format_
    book.save(path)


def edit(path: Path, part: str, change: Callable[[str], str]) -> None:
    """Change one part of a workbook's package."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    changed = change(parts[part].decode())
    assert changed != parts[part].decode()
    parts[part] = changed.encode()
    with zipfile.ZipFile(path, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)


# --- formulas ------------------------------------------------------------------------------------


def store_zeros(path: Path) -> None:
    """Let each formula have the stored result 0, as programs write it that compute nothing."""

    def fill(xml: str) -> str:
        return re.sub(r"</f><v\s*/>|</f><v></v>", "</f><v>0</v>", xml)

    edit(path, "xl/worksheets/sheet1.xml", fill)


def test_formulas_that_were_never_computed_are_faults(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", [["v", "w"], [1, "=A2*2"], [2, "=A3*2"], [3, "=A4*2"]])
    store_zeros(tmp_path / "a.xlsx")
    _, faults, _ = load(tmp_path, "a.xlsx")
    assert [(fault.row, fault.column, fault.value) for fault in faults] == [
        (2, "w", "=A2*2"),
        (3, "w", "=A3*2"),
        (4, "w", "=A4*2"),
    ]
    assert all("was never computed" in fault.rule for fault in faults)


def test_a_computed_zero_is_a_zero(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", [["v", "w"], [0, "=A2*2"], [1, "=A3*2"]])
    store_zeros(tmp_path / "a.xlsx")
    edit(tmp_path / "a.xlsx", "xl/workbook.xml", lambda xml: xml.replace('fullCalcOnLoad="1"', ""))
    rows, faults, _ = load(tmp_path, "a.xlsx")
    assert (faults, [row["w"] for row in rows]) == ([], [0, 0])


@pytest.mark.parametrize(("calculator", "faults"), [("191029", []), ("124519", [2])])
def test_a_newer_excel_that_asks_for_a_calculation_has_done_one(
    tmp_path: Path, calculator: str, faults: list[int]
) -> None:
    save(tmp_path / "a.xlsx", [["v", "w"], [0, "=A2*2"], [1, "=A3*2"]])
    store_zeros(tmp_path / "a.xlsx")

    def compute(xml: str) -> str:
        return re.sub(r"(A3\*2</f><v>)0", r"\g<1>2", xml)

    def name(xml: str) -> str:
        return re.sub(r'calcId="\d+"', f'calcId="{calculator}" calcMode="auto"', xml)

    edit(tmp_path / "a.xlsx", "xl/worksheets/sheet1.xml", compute)
    edit(tmp_path / "a.xlsx", "xl/workbook.xml", name)
    assert [fault.row for fault in load(tmp_path, "a.xlsx")[1]] == faults


def test_a_workbook_without_formulas_may_ask_for_a_calculation(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", [["v"], [0], [1]])
    rows, faults, _ = load(tmp_path, "a.xlsx")
    assert (faults, rows) == ([], [{"v": 0}, {"v": 1}])


# --- days, durations, letters --------------------------------------------------------------------

SERIALS = [46328, 46329.5]  # 2026-11-02 and 2026-11-03 12:00


@pytest.mark.parametrize(
    "format_",
    [
        '[=0]"-";yyyy-mm-dd hh:mm',
        '[<1]"none";dd.mm.yyyy',
        '[=0]"";[>99999]"late";yyyy\\-mm\\-dd',
    ],
)
def test_days_behind_a_condition_are_days(tmp_path: Path, format_: str) -> None:
    save(tmp_path / "a.xlsx", [["day", "v"], [SERIALS[0], 1], [SERIALS[1], 2]], format_)
    rows, faults, _ = load(tmp_path, "a.xlsx", SUM)
    assert faults == []
    assert [str(row["day"]) for row in rows] == ["2026-11-02 00:00:00", "2026-11-03 12:00:00"]


@pytest.mark.parametrize("format_", ['[=0]"-";yyyy-mm-dd', 'yyyy-mm-dd;;"-"', '[>0]yyyy-mm-dd;"-"'])
def test_a_zero_that_is_shown_as_no_day_is_empty(tmp_path: Path, format_: str) -> None:
    save(tmp_path / "a.xlsx", [["day", "v"], [SERIALS[0], 1], [0, 2]], format_)
    rows, faults, notices = load(tmp_path, "a.xlsx", SUM, time="day")
    assert faults == []
    assert [str(row["day"])[:10] for row in rows] == ["2026-11-02", "NaT"]
    assert notices == ["source s: 1 row has no day and is not counted"]


@pytest.mark.parametrize(
    "format_", ['[=0]"-";0.00', "[Red]0.00", '[>999]#,##0;"small" 0', "General"]
)
def test_numbers_behind_a_condition_stay_numbers(tmp_path: Path, format_: str) -> None:
    save(tmp_path / "a.xlsx", [["v"], [1.5], [0]], format_)
    rows, faults, _ = load(tmp_path, "a.xlsx")
    assert (faults, [row["v"] for row in rows]) == ([], [1.5, 0])


@pytest.mark.parametrize("format_", ["[h]:mm", "[hh]:mm:ss", "[m]:ss"])
def test_durations_are_hours(tmp_path: Path, format_: str) -> None:
    save(tmp_path / "a.xlsx", [["v"], [1.5 / 24], [30 / 24], [None], [0.25 / 24]], format_)
    rows, faults, notices = load(tmp_path, "a.xlsx")
    assert (faults, [row["v"] for row in rows]) == ([], [1.5, 30, 0.25])
    assert notices == ["source s: 3 durations in column 'v' are read as hours"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("one_x000D_\ntwo", "one\ntwo"),
        ("one_x000D_two", "one\ntwo"),
        ("a_x005F_x000D_b", "a_x000D_b"),
        ("a_x005F_x005F_x000D_b", "a_x005F\nb"),
        ("a_x005f_x000d_b", "a_x000d_b"),
        ("caf_x00E9_", "café"),
        ("size_x1", "size_x1"),
        ("_xD83D__xDE00_", "\U0001f600"),
        ("half _xD83D_", "half \ufffd"),
    ],
)
@pytest.mark.parametrize("is_shared", [True, False])
def test_letters_written_as_numbers_are_letters(
    tmp_path: Path, cell: str, text: str, is_shared: bool
) -> None:
    save_texts(tmp_path / "a.xlsx", [cell], is_shared=is_shared)
    rows, faults, _ = load(tmp_path, "a.xlsx", encoding="utf-8")  # a lost letter is meant here
    assert (faults, rows) == ([], [{"name": text}])


def save_texts(path: Path, texts: list[str], *, is_shared: bool) -> None:
    """Write a workbook with texts as they are, in the table that sheets share or in the sheet."""
    save(path, [["name"], *[[f"PLACE{place}."] for place in range(len(texts))]])
    if is_shared:
        book = xlsxwriter.Workbook(path)
        book.add_worksheet().write_column(
            0, 0, ["name", *[f"PLACE{n}." for n in range(len(texts))]]
        )
        book.close()

    def fill(xml: str) -> str:
        return re.sub(r"PLACE(\d+)\.", lambda hit: texts[int(hit[1])], xml)

    edit(path, "xl/sharedStrings.xml" if is_shared else "xl/worksheets/sheet1.xml", fill)


PIECES = [
    "a",
    "_",
    "x",
    "0",
    "05F_",
    "00D_",
    "000D",
    "_x000D_",
    "_x005F_",
    "x005F",
    "\r\n",
    "é",
    "_x",
]


@pytest.mark.long
@given(
    st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map("".join), min_size=1, max_size=20),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_any_text_comes_back_as_excel_was_given_it(texts: list[str], is_shared: bool) -> None:
    texts = [f"t{text}t" for text in texts]
    written = []
    for text in texts:  # ECMA-376, ST_Xstring: an underscore that could begin a number is one
        underscored = re.sub("_(?=x[0-9A-Fa-f]{4}[_\r])", "_x005F_", text)
        written.append(underscored.replace("\r", "_x000D_"))
    with tempfile.TemporaryDirectory() as folder:
        save_texts(Path(folder, "a.xlsx"), written, is_shared=is_shared)
        rows, faults, _ = load(Path(folder), "a.xlsx")
    assert faults == []
    assert [row["name"] for row in rows] == [text.replace("\r\n", "\n") for text in texts]


def test_other_workbooks_write_such_letters_as_they_are(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("s")
    for row, text in enumerate(["name", "a_x000D_b", "_x005F_x000D_"]):
        sheet.write(row, 0, text)
    book.save(str(tmp_path / "a.xls"))
    rows, faults, _ = load(tmp_path, "a.xls")
    assert (faults, [row["name"] for row in rows]) == ([], ["a_x000D_b", "_x005F_x000D_"])


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", [["v"], [1]])
    _, (fault,), _ = load(tmp_path, "a.xlsx", sheet="Quartalszahlen")
    assert fault.rule == "has no sheet 'Quartalszahlen'; it has 'Sheet'"


# --- parquet -------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_durations_of_parquet_are_hours(tmp_path: Path, unit: str) -> None:
    spans = pa.array([dt.timedelta(minutes=90), None, dt.timedelta(hours=30)], pa.duration(unit))
    parquet.write_table(pa.table({"v": spans, "n": [1, 2, 3]}), tmp_path / "a.parquet")
    rows, faults, notices = load(tmp_path, "a.parquet")
    assert faults == []
    assert [row["v"] for row in rows if row["n"] != 2] == [1.5, 30]
    assert notices == ["source s: 2 durations in column 'v' are read as hours"]


def test_durations_of_several_units_are_hours(tmp_path: Path) -> None:
    for place, unit in enumerate(["ms", "ns"]):
        spans = pa.array([dt.timedelta(minutes=90)], pa.duration(unit))
        parquet.write_table(pa.table({"v": spans}), tmp_path / f"a{place}.parquet")
    rows, faults, _ = load(tmp_path, "a*.parquet")
    assert (faults, [row["v"] for row in rows]) == ([], [1.5, 1.5])


@pytest.mark.parametrize("measure", [SUM, {**SUM, "agg": "count_distinct"}])
def test_a_column_without_any_value_is_of_any_type(tmp_path: Path, measure: dict[str, Any]) -> None:
    empty = pa.table({"day": pa.nulls(2), "v": pa.nulls(2)})
    parquet.write_table(empty, tmp_path / "a.parquet")
    rows, faults, _ = load(tmp_path, "a.parquet", measure)
    assert (faults, len(rows)) == ([], 2)


def test_a_column_without_any_value_has_the_type_it_has_elsewhere(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"v": [1.5]}), tmp_path / "a1.parquet")
    parquet.write_table(pa.table({"v": pa.nulls(1)}), tmp_path / "a2.parquet")
    with sources.open(define({"path": "a*.parquet"}), tmp_path, AS_OF) as catalog:
        assert catalog.check() == []
        assert catalog.columns("s") == {"v": "DOUBLE"}


def test_stamps_of_spark_ask_for_their_zone(tmp_path: Path) -> None:
    stamps = pa.array([dt.datetime(2026, 11, 3, 3, 30)], pa.timestamp("ns"))
    table = pa.table({"day": stamps, "v": [1]})
    parquet.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    _, (fault,), _ = load(tmp_path, "a.parquet", SUM, zone="America/New_York")
    assert (fault.file, fault.column) == ("a.parquet", "day")
    assert "declare timezone: UTC" in fault.rule
    for zone, declared in (("America/New_York", {"timezone": "UTC"}), ("UTC", {})):
        assert load(tmp_path, "a.parquet", SUM, zone=zone, **declared)[1] == []
    parquet.write_table(table, tmp_path / "a.parquet")
    assert load(tmp_path, "a.parquet", SUM, zone="America/New_York")[1] == []


def test_stamps_of_spark_ask_for_their_zone_behind_a_query(tmp_path: Path, company: Any) -> None:
    stamps = pa.array([dt.datetime(2026, 11, 3, 3, 30)], pa.timestamp("ns"))
    table = pa.table({"seen": stamps, "v": [1]})
    parquet.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    declared = """
        raw: {system: Lake, path: a.parquet}
        s: {system: Lake, query: "select seen as day, v from raw", time: day}
    """
    metrics = "m: {type: simple, measure: {source: s, agg: sum, expr: v}}"
    with company(declared, metrics, {}) as catalog:  # of a company in New York
        faults = catalog.check()
    assert [(fault.source, fault.column) for fault in faults] == [("raw", "seen")], faults


# --- what helps ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "declared", "hint"),
    [
        ("$1,234.50", {}, "declare its type: decimal in columns:"),
        ("1.234,50 €", {}, 'declare its type: decimal in columns: and decimal: ","'),
        ("1.234,50 €", {"columns": {"v": {"type": "decimal"}}}, 'declare decimal: ","'),
        ("1 234.50", {"columns": {"v": {"type": "decimal"}}}, 'declare thousands: " "'),
        ("1\u202f234,50 €", {}, 'and decimal: "," and thousands: " "'),
        ("12,5", {}, 'declare decimal: ","'),
        (
            "USD 12",
            {"columns": {"v": {"type": "decimal"}}},
            "query: over the source: cast(replace(replace(v, 'USD'",
        ),
        ("3%", {}, "declare its type: decimal in columns:"),
        ("t", {"columns": {"v": {"type": "boolean"}}}, 'declare map: {"t": "true", "f": "false"}'),
        (
            "No",
            {"columns": {"v": {"type": "boolean"}}},
            'declare map: {"Yes": "true", "No": "false"}',
        ),
        ("0", {"columns": {"v": {"type": "boolean"}}}, 'declare map: {"1": "true", "0": "false"}'),
    ],
)
def test_a_fault_says_what_helps(
    tmp_path: Path, value: str, declared: dict[str, Any], hint: str
) -> None:
    (tmp_path / "a.csv").write_text(f'day,v\n2026-11-02,"{value}"\n2026-11-03,"{value}"\n')
    measure = None if "columns" in declared else SUM
    _, faults, _ = load(tmp_path, "a.csv", measure, **declared)
    assert hint in faults[0].rule
    assert "decimal sign" not in faults[0].rule


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("$1,234.50", {"columns": {"v": {"type": "decimal"}}}),
        ("1.234,50 €", {"columns": {"v": {"type": "decimal"}}, "decimal": ","}),
        (
            "1\u202f234,50 €",
            {"columns": {"v": {"type": "decimal"}}, "decimal": ",", "thousands": " "},
        ),
        ("€\u00a01'234.50", {"columns": {"v": {"type": "decimal"}}, "thousands": "'"}),
        ("1 234.50", {"thousands": " "}),
    ],
)
def test_what_helps_reads_it(tmp_path: Path, value: str, said: dict[str, Any]) -> None:
    (tmp_path / "a.csv").write_text(f'day,v\n2026-11-02,"{value}"\n')
    rows, faults, _ = load(tmp_path, "a.csv", **said)
    assert (faults, [row["v"] for row in rows]) == ([], [1234.5])


def test_a_map_reads_what_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("v\nt\nf\n")
    truth = {"type": "boolean", "map": {"t": "true", "f": "false"}}
    rows, faults, _ = load(tmp_path, "a.csv", columns={"v": truth})
    assert (faults, [row["v"] for row in rows]) == ([], [True, False])
