"""Headers below line 1, no header, names of one's own, footers, grouped digits; lines stay right."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from dataops_nb import sources
from dataops_nb.sources import layouts
from tests.sources.test_delimited import define

AS_OF = dt.date(2026, 11, 22)
KINDS = ["csv", "tsv", "xlsx"]
SUM = {"agg": "sum", "expr": "amount", "time": "day"}
DAYS = ["2026-11-02", "2026-11-03", "2026-11-04"]


def write(path: Path, rows: list[list[Any]], start: bytes = b"") -> None:
    """Write rows of cells as the ending says; an empty row is a blank line or row."""
    if path.suffix == ".xlsx":
        book = Workbook()
        for number, row in enumerate(rows, 1):
            for place, cell in enumerate(row, 1):
                book.active.cell(number, place, cell if cell != "" else None)
        book.save(path)
        return
    sign = "\t" if path.suffix == ".tsv" else ","
    lines = [sign.join(str(cell) for cell in row) for row in rows]
    path.write_bytes(start + ("\n".join(lines) + "\n").encode())


def load(folder: Path, kind: str, rows: list[list[Any]], **source: Any) -> list[dict[str, Any]]:
    """The rows as they are read, where there is no fault."""
    write(folder / f"a.{kind}", rows)
    with sources.open(define({"path": f"a.{kind}", **source}), folder, AS_OF) as catalog:
        assert catalog.check() == []
        return catalog.fetch("select * from s").to_dict("records")


def refuse(folder: Path, kind: str, rows: list[list[Any]], **source: Any) -> list[tuple[Any, ...]]:
    """The row, column, value and rule of each fault."""
    measure = source.pop("measure", None)
    write(folder / f"a.{kind}", rows)
    with sources.open(define({"path": f"a.{kind}", **source}, measure), folder, AS_OF) as catalog:
        return [(f.row, f.column, f.value, f.rule) for f in catalog.check()]


BODY = [[1, 10.5], [2, 20.5], [3, 30.5]]
READ = [{"id": 1, "amount": 10.5}, {"id": 2, "amount": 20.5}, {"id": 3, "amount": 30.5}]
PREAMBLE = [["Sales report"], ["of", "November", "with", "notes"], []]


@pytest.mark.parametrize("kind", KINDS)
def test_a_header_stands_on_its_declared_line(tmp_path: Path, kind: str) -> None:
    assert load(tmp_path, kind, [*PREAMBLE, ["id", "amount"], *BODY], header=4) == READ


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_header_is_named_by_names(tmp_path: Path, kind: str) -> None:
    assert load(tmp_path, kind, BODY, header="none", names=["id", "amount"]) == READ


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_header_and_names_has_numbered_columns(tmp_path: Path, kind: str) -> None:
    assert load(tmp_path, kind, BODY[:1], header="none") == [{"column_1": 1, "column_2": 10.5}]


@pytest.mark.parametrize("kind", KINDS)
def test_names_take_the_place_of_the_header(tmp_path: Path, kind: str) -> None:
    rows = [*PREAMBLE, ["Nr.", "Betrag, in EUR" if kind == "xlsx" else "Betrag"], *BODY]
    assert load(tmp_path, kind, rows, header=4, names=["id", "amount"]) == READ
    assert load(tmp_path, kind, rows[3:], names=["id", "amount"]) == READ


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_lines_that_are_not_blank_are_no_rows(tmp_path: Path, kind: str) -> None:
    footer = [[], ["Total", 61.5], [], ['made by "Export'], []]
    if kind == "xlsx":
        footer[3] = ["made by Export"]
    assert load(tmp_path, kind, [["id", "amount"], *BODY, *footer], footer=2) == READ


@pytest.mark.parametrize("kind", KINDS)
def test_all_together(tmp_path: Path, kind: str) -> None:
    rows = [*PREAMBLE, ["a", "b"], *BODY, ["Total", 61.5]]
    assert load(tmp_path, kind, rows, header=4, names=["id", "amount"], footer=1) == READ


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", [{"header": 4}, {"header": 4, "names": ["day", "amount"]}])
def test_a_fault_below_a_preamble_has_its_line_of_the_file(
    tmp_path: Path, kind: str, layout: dict[str, Any]
) -> None:
    rows = [*PREAMBLE, ["day", "amount"], [DAYS[0], 1], [], [DAYS[1], "12x"], [DAYS[2], 3], ["end"]]
    ((row, column, value, _),) = refuse(tmp_path, kind, rows, footer=1, measure=SUM, **layout)
    assert (row, column, value) == (7, "amount", "12x")


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_in_a_file_without_header_has_its_line_of_the_file(
    tmp_path: Path, kind: str
) -> None:
    rows = [[DAYS[0], 1], [DAYS[1], "12x"], [DAYS[2], 3]]
    layout = {"header": "none", "names": ["day", "amount"]}
    ((row, column, value, _),) = refuse(tmp_path, kind, rows, measure=SUM, **layout)
    assert (row, column, value) == (2, "amount", "12x")


def test_a_malformed_row_has_its_line_of_the_file(tmp_path: Path) -> None:
    rows = [*PREAMBLE, ["day", "amount"], [DAYS[0], 1], [DAYS[1], 2, 3], ["end", "of", "all"]]
    assert refuse(tmp_path, "csv", rows, header=4, footer=1) == [
        (6, "", None, "the row has 3 fields, the header has 2")
    ]
    assert refuse(tmp_path, "csv", rows[4:], header="none", footer=1) == [
        (2, "", None, "the row has 3 fields, the header has 2")
    ]


def test_a_mark_and_an_encoding_come_before_the_layout(tmp_path: Path) -> None:
    text = "Bericht über alles\r\nNr;Menge\r\n1;2\r\n\r\nEnde\r\n"
    layout = {"header": 2, "footer": 1, "delimiter": ";", "names": ["id", "Größe"]}
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        (tmp_path / "a.csv").write_bytes(text.encode(encoding))
        declared = {} if encoding.startswith("utf-8") else {"encoding": encoding}
        with sources.open(define({"path": "a.csv", **layout, **declared}), tmp_path, AS_OF) as data:
            assert data.check() == []
            assert data.fetch("select * from s").to_dict("records") == [{"id": 1, "Größe": 2}]


@pytest.mark.parametrize(
    ("rows", "layout", "row", "rule"),
    [
        ([["id", "v"]], {"header": 4}, 4, "line 4"),
        ([["id", "v"], [1, 2]], {"footer": 2}, 1, "has fewer than 2 lines below its header"),
        ([["id", "v"], [1, 2]], {"names": ["a"]}, 1, "names: lists 1, but there are 2 columns"),
        ([[1, 2]], {"header": "none", "names": ["a", "b", "c"]}, None, "names: lists 3, but there"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_layout_that_the_file_has_not_is_refused(
    tmp_path: Path, kind: str, rows: list[list[Any]], layout: dict[str, Any], row: int, rule: str
) -> None:
    ((at, _, _, said),) = refuse(tmp_path, kind, rows, **layout)
    if kind == "csv" or "line 4" not in rule:
        assert rule in said
    assert at in (row, 1)


def test_a_merged_title_above_the_header_is_no_fault(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["Sales report"])
    book.active.merge_cells("A1:B1")
    book.active.append(["id", "amount"])
    book.active.append([1, 2])
    book.save(tmp_path / "a.xlsx")
    with sources.open(define({"path": "a.xlsx", "header": 2}), tmp_path, AS_OF) as data:
        assert data.check() == []


@pytest.mark.long
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    above=st.integers(0, 3),
    below=st.integers(0, 3),
    wrong=st.integers(0, 5),
    blanks=st.sets(st.integers(0, 5)),
    named=st.sampled_from(["header", "names", "both"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_the_line_of_a_fault_is_that_of_the_file(
    tmp_path: Path,
    above: int,
    below: int,
    wrong: int,
    blanks: set[int],
    named: str,
    line_end: str,
) -> None:
    lines = [f"about {number}" for number in range(above if named != "names" else 0)]
    layout: dict[str, Any] = {"footer": below}
    if named != "names":
        lines.append("day,amount")
        layout["header"] = above + 1
    else:
        layout["header"] = "none"
    if named != "header":
        layout["names"] = ["day", "amount"]
    for number in range(6):
        if number in blanks:
            lines.append("")
        if number == wrong:
            expected = len(lines) + 1
        lines.append(f"2026-11-0{number + 1},{'x' if number == wrong else number}")
    lines += [f'end "{number}' for number in range(below)]
    (tmp_path / "a.csv").write_text(line_end.join(lines) + line_end, newline="")
    with sources.open(define({"path": "a.csv", **layout}, SUM), tmp_path, AS_OF) as data:
        (fault,) = data.check()
    assert (fault.row, fault.value) == (expected, "x")


@given(
    lines=st.lists(st.sampled_from(["", " ", "a", "b,c", "long " * 5]), max_size=12),
    ends=st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=12, max_size=12),
    count=st.integers(0, 5),
    block=st.integers(1, 9),
)
def test_a_footer_is_the_same_in_blocks_of_any_size(
    lines: list[str], ends: list[str], count: int, block: int
) -> None:
    written = [(line + end).encode() for line, end in zip(lines, ends, strict=False)]
    content = b"".join(written)
    pieces = content.splitlines(keepends=True)
    filled = [place for place, piece in enumerate(pieces) if piece.strip()]
    expected: int | None = len(content)
    if count:
        first = filled[-count] if len(filled) >= count else None
        expected = None if first is None else len(b"".join(pieces[:first]))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(layouts, "BLOCK", block)
        path = Path(folder) / "a.csv"
        path.write_bytes(content)
        assert layouts._find_footer(path, 0, count) == expected


def test_a_title_above_the_header_is_told_with_the_line_to_declare(tmp_path: Path) -> None:
    rows = [["Sales report"], [], ["id", "amount"], *BODY]
    assert refuse(tmp_path, "csv", rows) == [
        (
            1,
            "",
            None,
            "the first line has one cell, and most others have 2; declare `header: 3` if line 3"
            " names the columns",
        )
    ]
    assert load(tmp_path, "csv", rows, header=3) == READ


def test_lines_below_the_rows_are_told_with_the_footer_to_declare(tmp_path: Path) -> None:
    rows = [["id", "amount"], *BODY, [], ["end"], ["of the report"]]
    rule = (
        "the row has 1 field, the header has 2; declare `footer: 2` if the last lines are no rows"
    )
    assert refuse(tmp_path, "csv", rows) == [(6, "", None, rule), (7, "", None, rule)]
    assert load(tmp_path, "csv", rows, footer=2) == READ
    middle = [["id", "amount"], [1, 10.5], ["x"], [2, 20.5]]
    assert refuse(tmp_path, "csv", middle) == [(3, "", None, rule.split(";", maxsplit=1)[0])]


# --- a first line that is no header --------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("rows", "is_refused"),
    [
        ([["2026-11-02", "north", 5], ["2026-11-03", "south", 7]], True),
        ([["north", 5], ["south", 7]], True),
        ([["a", "2026-11-02"], ["b", "2026-11-03"]], True),
        ([["day", "region", "amount"], ["2026-11-03", "south", 7]], False),
        ([["north", "south"], ["a", "b"]], False),
        ([["country", "2024"], ["DE", "n/a"], ["FR", "n/a"]], False),
        ([["2024", "2025"], ["n/a", "n/a"]], False),
        ([["north", 5]], False),
    ],
)
def test_a_first_line_that_reads_like_a_row_is_refused(
    tmp_path: Path, kind: str, rows: list[list[Any]], is_refused: bool
) -> None:
    rules = [rule for _, _, _, rule in refuse(tmp_path, kind, rows)]
    assert (
        any("the first line must name the columns; declare" in rule for rule in rules) is is_refused
    )
    assert refuse(tmp_path, kind, rows, header=1) == []


def test_names_without_a_header_do_not_lose_a_row(tmp_path: Path) -> None:
    ((row, _, _, rule),) = refuse(tmp_path, "csv", BODY, names=["id", "amount"])
    assert (row, "header: none" in rule) == (1, True)


def test_the_second_file_of_a_glob_without_header_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a1.csv", [["id", "amount"], *BODY])
    write(tmp_path / "a2.csv", BODY)
    with sources.open(define({"path": "a*.csv"}), tmp_path, AS_OF) as data:
        (fault,) = data.check()
    assert (fault.file, fault.row) == ("a2.csv", 1)
    assert "declare `header: none`" in fault.rule


# --- grouped digits ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thousands", "decimal", "written", "number"),
    [
        (",", ".", "1,234.50", 1234.5),
        (",", ".", "1234.5", 1234.5),
        (".", ",", "1.234,50", 1234.5),
        (" ", ",", "1 234\u00a0567,5", 1234567.5),
        ("\u202f", ",", "1\u202f234,5", 1234.5),
        ("'", ".", "1'234’567.5", 1234567.5),
        (",", ".", "-12,345.5", -12345.5),
    ],
)
@pytest.mark.parametrize("declared", [{}, {"columns": {"v": {"type": "decimal"}}}])
def test_grouped_digits_are_numbers_where_their_sign_is_declared(
    tmp_path: Path, thousands: str, decimal: str, written: str, number: float, declared: Any
) -> None:
    signs = {"thousands": thousands, "decimal": decimal, "delimiter": ";", **declared}
    (tmp_path / "a.csv").write_text(f"v\n{written}\n0{decimal}5\n")
    with sources.open(define({"path": "a.csv", **signs}), tmp_path, AS_OF) as data:
        assert data.check() == []
        assert list(data.fetch("select v from s")["v"]) == [number, 0.5]


def test_grouped_integers_are_integers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('v\n"9,007,199,254,740,993"\n12\n')
    with sources.open(define({"path": "a.csv", "thousands": ","}), tmp_path, AS_OF) as data:
        assert data.columns("s") == {"v": "BIGINT"}
        assert list(data.fetch("select v from s")["v"]) == [9007199254740993, 12]


def test_digits_that_are_grouped_otherwise_are_no_number(tmp_path: Path) -> None:
    measure = {"agg": "sum", "expr": "v", "time": "day"}
    (tmp_path / "a.csv").write_text('day,v\n2026-11-02,"1,234"\n2026-11-03,"1,23"\n2026-11-03,5\n')
    with sources.open(
        define({"path": "a.csv", "thousands": ","}, measure), tmp_path, AS_OF
    ) as data:
        (fault,) = data.check()
    assert (fault.row, fault.value) == (3, "1,23")


def test_a_fault_at_fixed_places_names_the_line_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "Sales\n\nid   day         amount\n1    2026-11-02    10.5\n2    x    \n"
    )
    declared = {"path": "a.txt", "widths": [5, 12, 8], "header": 3}
    with sources.open(define(declared, SUM), tmp_path, AS_OF) as catalog:
        assert [(f.row, f.column, f.value) for f in catalog.check()] == [(5, "day", "x")]
