"""Bad files, as systems really export them: each fault names file, row, column, value and rule.

All of them are sources of one company and are read at once, so a bad file must not hide another.
The tables below have one file a line, so that they can be read down.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import Workbook

from dataops_nb import sources
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import DataError, Fault

AS_OF = dt.date(2026, 11, 22)


@dataclass(frozen=True)
class Bad:
    """A bad file, how it is declared, and its first fault.

    `row` is the physical line or sheet row, `rule` a part of the rule.
    """

    path: str
    write: Callable[[Path], object]
    row: int | None
    column: str
    value: str | None
    rule: str
    source: dict[str, Any] = field(default_factory=dict)


def csv(
    content: str | bytes, row: int | None, column: str, value: str | None, rule: str, **source: Any
) -> Bad:
    return text(".csv", content, row, column, value, rule, **source)


def text(ending: str, content: str | bytes, row: int | None, column: str, value: str | None, rule: str, **source: Any) -> Bad:  # fmt: skip
    written = content.encode() if isinstance(content, str) else content
    return Bad(ending, lambda path: path.write_bytes(written), row, column, value, rule, source)


def objects(
    content: str | bytes, row: int | None, column: str, value: str | None, rule: str, **source: Any
) -> Bad:
    return text(".json", content, row, column, value, rule, **source)


def excel(rows: list[list[Any]], row: int | None, column: str, value: str | None, rule: str, *,
          edit: Callable[[Any], object] = lambda book: None, **source: Any) -> Bad:  # fmt: skip
    def write(path: Path) -> None:
        book = Workbook()
        book.active.title = "Deals"
        for cells in rows:
            book.active.append(cells)
        edit(book)
        book.save(path)

    return Bad(".xlsx", write, row, column, value, rule, source)


def parquet(
    query: str, row: int | None, column: str, value: str | None, rule: str, **source: Any
) -> Bad:
    return Bad(".parquet", lambda path: copy(query, path), row, column, value, rule, source)


def copy(query: str, path: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"copy ({query}) to '{path}' (format parquet, compression uncompressed)")


def cut(bad: Bad, to: float) -> Callable[[Path], None]:
    """The file without its end."""

    def write(path: Path) -> None:
        bad.write(path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * to)])

    return write


def zipped(path: Path, **parts: str | bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in parts.items():
            package.writestr(name.replace("__", "/") + ".xml", content)


def broken_inside(path: Path) -> None:
    """A workbook whose table of contents is whole and whose sheet is not."""
    plain.write(path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        start = package.getinfo("xl/worksheets/sheet1.xml").header_offset + 80
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)


def declare_rows(path: Path) -> None:
    """A parquet file of 12,345 rows whose footer says that there are 200,000,000."""
    copy("select 7 as id, 7 as amount from range(12345)", path)
    content = path.read_bytes()
    size = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - size : -8].replace(
        b"\x16" + varint(12_345), b"\x16" + varint(200_000_000), 1
    )
    path.write_bytes(content[: -8 - size] + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def varint(number: int) -> bytes:
    number, written = number << 1, b""
    while number > 127:
        written, number = written + bytes([number & 127 | 128]), number >> 7
    return written + bytes([number])


def break_pages(path: Path) -> None:
    """A parquet file with a whole footer and a broken page of the summed column."""
    with duckdb.connect() as con:
        query = "select 1 as id, 'x' || i as amount from range(3000) t(i)"
        con.execute(f"copy ({query}) to '{path}' (format parquet, compression zstd)")
    content = bytearray(path.read_bytes())
    content[200:1200] = b"\xff" * 1000
    path.write_bytes(content)


def hide(book: Any) -> None:
    book.create_sheet("Cover")
    book["Deals"].sheet_state = "hidden"


HEAD = ["id", "amount"]
DAYS = "id,day,amount\n"
CAFE = "café".encode().decode("cp1252")
plain = excel([HEAD, [1, 5]], None, "", None, "")
small = parquet("select 1 as id, 5 as amount", None, "", None, "")

STRUCTURE = {
    "an_extra_empty_field_in_every_row": csv("id,amount\n1,2,\n3,4,\n", 2, "", None, "the row has 3 fields, the header has 2"),
    "an_extra_field_in_every_row": csv("id,amount\n1,5,9\n2,6,9\n", 2, "", None, "the row has 3 fields, the header has 2"),
    "an_extra_field_in_one_row": csv("id,amount\n1,2\n3,4,5\n", 3, "", None, "the row has 3 fields"),
    "a_short_row": csv('id,amount,note\n"1\n2",2,x\n3,4\n', 4, "", None, "the row has 2 fields"),
    "a_merge_conflict": csv("id,amount\n<<<<<<< HEAD\n1,2\n=======\n1,3\n>>>>>>> x\n", 2, "", None, "the row has 1 field,"),
    "a_file_cut_off": csv("id,amount,note\n1,2,a\n2,3", 3, "", None, "the row has 2 fields, the header has 3"),
    "an_open_quote": csv('id,amount\n1,2\n2,"3\n4,5\n', 3, "", None, "is never closed: everything to line 4"),
    "a_quote_closed_early": csv('id,amount\n1,2\n2,"3"x\n4,5\n', 3, "", None, "is closed before the value ends"),
    "no_bytes": csv("", None, "", None, "is empty (0 bytes)"),
    "blank_lines": csv("\n\n\n", 1, "", None, "the header is empty"),
    "no_header": csv("1,5\n2,6\n", 1, "", None, "the header holds numbers only"),
    "an_unnamed_column": csv("id,,amount\n1,2,3\n", 1, "", None, "column 2 has no name in the header"),
    "a_duplicate_column": csv("id,amount,Amount\n1,2,3\n", 1, "Amount", None, "appears twice in the header, as columns 2 and 3"),
    "a_renamed_column": csv("id,amuont\n1,2\n", 1, "amount", None, "did you mean 'amuont'?"),
    "a_missing_column": csv("id,x\n1,2\n", 1, "amount", None, "missing: 'amount' (metric m_a_missing_column)"),
    "another_delimiter": csv("id;amount\n1;2\n", 1, "id;amount", None, "declare `delimiter: ';'`"),
    "a_line_for_excel": csv("sep=;\nid;amount\n1;2\n", 1, "", None, "the first line is meant for Excel"),
    "a_repeated_header": csv("id,amount\n1,2\nid,amount\n3,4\n", 3, "amount", "amount", "is not an integer"),
    "a_total_below": csv("id,amount\n1,2\n2,3\nTotal,5\n", 4, "amount", "5", "is the sum of the rows above it", key="id"),
}  # fmt: skip
BYTES = {
    "another_encoding": csv("id,amount,name\n1,2,café\n".encode("cp1252"), 2, "name", "0xE9 0x0A", "encoding: cp1252"),
    "utf_16": csv("id,amount\n1,2\n".encode("utf-16"), 1, "", None, "encoding: utf-16"),
    "utf_16_without_a_mark": csv("id,amount\n1,2\n".encode("utf-16-le"), 1, "", "0x00 0x64", "encoding: utf-16"),
    "utf_32": csv("id,amount\n1,2\n".encode("utf-32"), 1, "", None, "encoding: utf-32"),
    "two_byte_order_marks": csv("\ufeff\ufeffid,amount\n1,2\n", 1, "", None, "two byte order marks"),
    "broken_letters": csv(f"id,amount,name\n1,2,x\n2,3,{CAFE}\n", 3, "name", "cafÃ©", "saved again"),
    "broken_by_the_declaration": csv("id,amount,name\n1,2,café\n", 2, "name", "cafÃ©", "may be no cp1252", encoding="cp1252"),
    "lost_letters": csv("id,amount,name\n1,2,caf\ufffd\n", 2, "name", "caf\ufffd", "U+FFFD"),
    "the_wrong_encoding_declared": csv(b"id,amount,name\n1,2,\x81\n", 2, "name", "0x81 0x0A", "are not cp1252", encoding="cp1252"),
    "an_unknown_encoding": csv("id,amount\n1,2\n", None, "", None, "`encoding: cp9999` is not known", encoding="cp9999"),
    "zero_bytes_within": csv(b"id,amount\n1,2\n3,\x004\n", 3, "amount", "0x00 0x34", "are not text"),
    "a_web_page": csv("<!DOCTYPE html>\n<html><body>Please log in</body></html>\n", 1, "", None, "is a web page"),
    "a_gzip": csv(gzip.compress(b"id,amount\n1,2\n"), 1, "", None, "is a gzip archive; unpack it"),
    "a_parquet_file_named_csv": csv(b"PAR1\x15\x04\x15\x10", 1, "", None, "is a parquet file; name it .parquet"),
    "a_pointer": csv("version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", 1, "", None, "git lfs pull"),
}  # fmt: skip
VALUES = {
    "a_text_among_numbers": csv("id,amount\n1,2\n2,x\n3,5\n", 3, "amount", "x", "is not an integer"),
    "a_currency_sign": csv("id,amount\n1,2\n2,$5\n3,7\n", 3, "amount", "$5", "is not an integer"),
    "a_column_of_percents": csv("id,amount\n1,5%\n2,6%\n", 2, "amount", "5%", "only 0 of 2 values are numbers"),
    "thousands": csv('id,amount\n1,"1,234"\n', 2, "amount", "1,234", "declare its type: decimal"),
    "a_decimal_comma": csv("id;amount\n1;1,5\n", 2, "amount", "1,5", 'declare decimal: ","', delimiter=";"),
    "infinity": csv("id,amount\n1,2\n2,inf\n3,4\n", 3, "amount", "inf", "is not an integer"),
    "no_number": csv("id,amount\n1,2\n2,nan\n3,4\n", 3, "amount", "nan", "is not an integer"),
    "a_number_beyond_all": csv("id,amount\n1,2\n2,1e999\n3,4\n", 3, "amount", "1e999", "is not an integer"),
    "a_value_below_its_bound": csv("id,amount\n1,-2\n", 2, "amount", "-2", "below min: 0", columns={"amount": {"min": 0}}),
    "a_value_that_is_not_listed": csv("id,amount,s\n1,2,wno\n", 2, "s", "wno", "one of won", columns={"s": {"one_of": ["won"]}}),
    "an_empty_required_value": csv("id,amount,s\n1,2,\n", 2, "s", None, "required", columns={"s": {"required": True}}),
    "too_few_rows": csv("id,amount\n1,2\n", None, "", None, "fewer than rows: min: 9", rows={"min": 9}),
}  # fmt: skip
KEYS = {
    "two_rows_of_one_key": csv("id,amount\n1,2\n1,3\n", 3, "id", "1", "rows 2 and 3 share this key and differ in amount", key="id"),
    "an_empty_key": csv("id,amount\n,2\n1,3\n", 2, "id", None, "is empty, but it is the key", key="id"),
    "a_space_in_a_key": csv("id,amount\na,2\n b,3\n", 3, "id", " b", "has spaces around it", key="id"),
    "an_unseen_letter_in_a_key": csv("id,amount\na\u200b,2\na,3\n", 2, "id", "a\u200b", "cannot be seen", key="id"),
    "keys_rounded_by_a_spreadsheet": csv("id,amount\n1.23457E+12,2\n", 2, "id", "1.23457E+12", "last digits are lost", key="id"),
    "keys_rounded_in_parquet": parquet(f"select {2**53 + 2}::double as id, 5 as amount", 1, "id", "9007199254740994.0", "last digits", key="id"),
    "no_such_reference": csv("id,amount\n7,2\n", 2, "id", "7", "is not found in good.id", columns={"id": {"references": "good.id"}}),
}  # fmt: skip
TIMES = {
    "days_in_another_order": csv(DAYS + "1,03/04/2026,2\n2,13/04/2026,3\n", 2, "day", "03/04/2026", "declare date_format:", time="day"),
    "a_day_that_breaks_its_format": csv(DAYS + "1,03/04/2026,2\n2,13/04/2026,3\n3,05/04/2026,3\n", 3, "day", "13/04/2026", "%m/%d/%Y", time="day", date_format="%m/%d/%Y"),
    "years_with_two_digits": csv(DAYS + "1,03/04/26,2\n", 2, "day", "03/04/26", "lies before 1900-01-01", time="day", date_format="%m/%d/%Y"),
    "a_day_for_unknown": csv(DAYS + "1,2026-01-01,2\n2,0001-01-01,3\n", 3, "day", "0001-01-01", "leave unknown days empty", time="day"),
    "a_day_that_does_not_exist": csv(DAYS + "1,2026-02-28,2\n2,2026-02-30,3\n3,2026-02-27,1\n", 3, "day", "2026-02-30", "is not a date", time="day"),
    "two_ways_to_write_a_day": csv(DAYS + '1,2026-02-28,2\n2,2026-02-27,3\n3,"6th December, 2024",1\n', 4, "day", "6th December, 2024", "is not a date", time="day"),
    "mixed_zones": csv(DAYS + "1,2026-02-28T10:00:00Z,2\n2,2026-02-27T10:00:00,3\n3,2026-02-27T10:00:00+02:00,1\n", 3, "day", "2026-02-27T10:00:00", "with an offset", time="day"),
    "seconds_since_1970": csv(DAYS + "1,1767225600,2\n", 2, "day", "1767225600", "only 0 of 1 values are dates", time="day"),
    "a_serial_number_among_days": excel([["day", "amount"], [dt.date(2026, 1, 1), 5], [46024, 6], [dt.date(2026, 1, 3), 7]], 3, "day", "46024", "is not a date", time="day"),
}  # fmt: skip
WORKBOOKS = {
    "a_formula_without_its_result": excel([HEAD, [1, 5], [2, "=B2*2"]], 3, "amount", "=B2*2", "is not stored in the file"),
    "an_error_in_a_cell": excel([HEAD, [1, 5], [2, "#REF!"], [3, 6]], 3, "amount", "#REF!", "holds an Excel error"),
    "a_text_in_a_sheet": excel([HEAD, [1, 5], [], [2, "6x"], [3, 7]], 4, "amount", "6x", "is not an integer"),
    "several_sheets": excel([HEAD, [1, 5]], None, "", None, "with one of 'Deals', 'Notes'", edit=lambda book: book.create_sheet("Notes")),
    "the_sheet_is_hidden": excel([HEAD, [1, 5]], 1, "", None, "if a hidden one is meant: 'Deals'", edit=hide),
    "no_such_sheet": excel([HEAD, [1, 5]], None, "", None, "has no sheet 'Deal'; did you mean 'Deals'?", sheet="Deal"),
    "a_title_above": excel([["Revenue"], [], HEAD, [1, 5]], 3, "", None, "the row has a value in column 2 or later"),
    "merged_cells": excel([["team", "amount"], ["East", 5], [None, 6]], 2, "team", None, "cells A2:A3 are merged", edit=lambda book: book.active.merge_cells("A2:A3")),
    "a_total_in_a_sheet": excel([HEAD, [1, 5], [2, 6], ["Total:", 11]], 4, "amount", "11", "is the sum of the rows above it", key="id"),
    "a_csv_named_xlsx": Bad(".xlsx", lambda path: path.write_text("id,amount\n1,2\n"), None, "", None, "is no Excel workbook, though its name says so"),
    "an_old_workbook": Bad(".xlsx", lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), None, "", None, "save it as .xlsx without a password"),
    "half_a_workbook": Bad(".xlsx", cut(plain, 0.5), None, "", None, "is a truncated or damaged workbook"),
    "a_broken_workbook": Bad(".xlsx", broken_inside, None, "", None, "is a truncated or damaged workbook"),
    "another_zip_file": Bad(".xlsx", lambda path: zipped(path, a="x"), None, "", None, "is a zip file but no Excel workbook"),
    "entities": Bad(".xlsx", lambda path: zipped(path, xl__workbook='<!DOCTYPE x [<!ENTITY a "aaaa">]><workbook>&a;</workbook>'), None, "", None, "declares XML entities in xl/workbook.xml"),
    "a_zip_bomb": Bad(".xlsx", lambda path: zipped(path, xl__workbook="<workbook/>", xl__worksheets__sheet1=b"0" * (101 << 20)), None, "", None, "no honest workbook"),
}  # fmt: skip
PARQUET = {
    "an_empty_parquet_file": Bad(".parquet", lambda path: path.write_bytes(b""), None, "", None, "is empty (0 bytes)"),
    "half_a_parquet_file": Bad(".parquet", cut(small, 0.5), None, "", None, "its footer cannot be read"),
    "a_csv_named_parquet": Bad(".parquet", lambda path: path.write_text("id,amount\n1,2\n"), None, "", None, "is no parquet file"),
    "rows_that_cannot_be": Bad(".parquet", declare_rows, None, "", None, "declares 200,000,000 rows in 0.0 MB"),
    "a_broken_page": Bad(".parquet", break_pages, None, "", None, "is damaged"),
    "a_text_in_parquet": parquet("select unnest([1, 2, 3]) as id, unnest(['5', '6x', '7']) as amount", 2, "amount", "6x", "is not an integer"),
    "infinity_in_parquet": parquet("select 1 as id, 'inf'::double as amount", 1, "amount", "inf", "is no finite number"),
    "a_record_in_parquet": parquet("select 1 as id, {'v': 2} as amount", None, "amount", None, "is STRUCT(v INTEGER) in the file"),
    "an_empty_key_in_parquet": parquet("select unnest([1, null]) as id, 5 as amount", 2, "id", None, "is empty, but it is the key", key="id"),
}  # fmt: skip
JSON = {
    "json_cut_off": objects('[{"id": 1, "amount": 2},\n{"id": 2, "amo', 2, "", None, "is damaged JSON"),
    "lines_of_json_cut_off": text(".ndjson", '{"id": 1, "amount": 2}\n{"id": 2, "amount":\n', 2, "", None, "is damaged JSON"),
    "a_list_among_objects": objects('[{"id": 1, "amount": 2}, [3, 4]]', 2, "", "[3, 4]", "is no object"),
    "null_among_objects": objects('[null, {"id": 1, "amount": 2}]', 1, "", "null", "is no object"),
    "two_shapes_of_one_column": objects('[{"amount": 2}, {"amount": {"v": 3}}, {"amount": 4}]', 2, "amount", '{"v":3}', "is not an integer"),
    "a_name_twice_in_an_object": objects('[{"id": 1, "amount": 1}, {"id": 1, "amount": 2, "amount": 3}]', 2, "amount", None, "appears twice"),
    "a_name_in_capitals_too": objects('[{"id": 1, "amount": 2, "Amount": 5}]', 1, "amount", None, "appears twice"),
    "objects_within_objects": objects('[{"id": 1, "amount": {"value": 2}}]', None, "amount", None, "is STRUCT"),
    "a_services_answer": objects('{"error": "unauthorized"}', 1, "amount", None, "there are 'error'"),
    "a_web_page_named_json": objects("<html>login</html>", 1, "", None, "is a web page"),
    "json_in_another_encoding": objects(b'[{"id": 1,\n"n": "caf\xe9"}]', 2, "", "0xE9 0x22", "JSON is UTF-8"),
}  # fmt: skip
PLACES = {
    "a_near_name": Bad("goood.csv", lambda path: None, None, "", None, "does not exist; did you mean 'good.csv'?"),
    "a_glob_without_files": Bad("nowhere/*.csv", lambda path: None, None, "", None, "matches no file in the data folder"),
    "a_folder": Bad("folder.csv", lambda path: path.mkdir(), None, "", None, "is a folder; name its files, for instance with a glob"),
    "a_path_that_leaves": Bad("../x.csv", lambda path: None, None, "", None, "leaves the data folder"),
    "a_link_that_leaves": Bad("link.csv", lambda path: path.symlink_to("/etc/hosts"), None, "", None, "is a link that leaves the data folder"),
    "a_link_to_nothing": Bad("dangling.csv", lambda path: path.symlink_to("gone.csv"), None, "", None, "is a link to 'gone.csv', which does not exist"),
    "a_pipe": Bad("pipe.csv", os.mkfifo, None, "", None, "is no regular file"),
    "another_ending": Bad("report.pdf", lambda path: path.write_text("x"), None, "", None, "is no csv, tsv, json, parquet, feather, xlsx, ods or xls file"),
    "files_of_two_formats": Bad("both*", lambda path: [path.with_name(f"both.{e}").write_text("id,amount\n1,2\n") for e in ("csv", "json")], None, "", None, "holds files of several formats"),
    "an_export_of_tomorrow": Bad("late_{snapshot}.csv", lambda path: path.with_name("late_2026-12-01.csv").write_text("id,amount\n"), None, "", None, "the first is of 2026-12-01"),
    "an_export_without_a_day": Bad("x_{snapshot}.csv", lambda path: path.with_name("x_y.csv").write_text("id,amount\n"), None, "", None, "matches no file with a date"),
}  # fmt: skip
BAD = {**STRUCTURE, **BYTES, **VALUES, **KEYS, **TIMES, **WORKBOOKS, **PARQUET, **JSON, **PLACES}


def place(name: str, bad: Bad) -> str:
    return f"{name}{bad.path}" if bad.path.startswith(".") and "/" not in bad.path else bad.path


def describe(data: Path) -> dict[str, Any]:
    """Write every file into the folder; a company that has each of them as a source, and sums its amounts."""
    (data / "good.csv").write_text("id,amount\n1,2\n")
    for name, bad in BAD.items():
        bad.write(data / place(name, bad))
    listed = {
        name: {"system": "X", "path": place(name, bad), **bad.source} for name, bad in BAD.items()
    }
    return {"company": "C", "sources": {"good": {"system": "X", "path": "good.csv"}, **listed}}


def _sum(source: str) -> dict[str, Any]:
    return {"type": "simple", "measure": {"source": source, "agg": "sum", "expr": "amount"}}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Fault]]:
    """The faults of each source, from one look at all of them."""
    data = tmp_path_factory.mktemp("data")
    company = Definitions.model_validate(
        {
            "company": describe(data),
            "departments": {
                "d": {"department": "D", "metrics": {f"m_{n}": _sum(n) for n in ("good", *BAD)}}
            },
        }
    )
    with sources.open(company, data, AS_OF) as catalog:
        faults = catalog.check()
    return {
        name: [fault for fault in faults if fault.source == name]
        for name in company.company.sources
    }


def test_there_are_more_than_a_hundred_of_them() -> None:
    assert len(BAD) >= 100


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_with_row_column_value_and_rule(
    found: dict[str, list[Fault]], name: str
) -> None:
    bad = BAD[name]
    first = min(found[name], key=lambda fault: bad.rule not in fault.rule, default=None)
    assert first is not None, "silent"
    assert bad.rule in first.rule
    assert (first.row, first.column, first.value) == (bad.row, bad.column, bad.value)
    assert first.file.split(".")[0] == place(name, bad).replace("both*", "both").split(".")[0]


def test_a_good_file_among_them_has_no_fault(found: dict[str, list[Fault]]) -> None:
    assert found["good"] == []


def test_no_message_holds_a_path_of_the_machine(
    found: dict[str, list[Fault]], tmp_path_factory: Any
) -> None:
    base = str(tmp_path_factory.getbasetemp())
    assert [str(fault) for faults in found.values() for fault in faults if base in str(fault)] == []


@pytest.fixture
def nobody() -> Any:
    """Without the rights of root, which opens everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_opened_is_named(nobody: None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "mine.csv").write_text("id,amount\n1,2\n")
        (Path(folder) / "mine.csv").chmod(0)
        company = {"company": "C", "sources": {"mine": {"system": "X", "path": "mine.csv"}}}
        known = Definitions.model_validate({"company": company, "departments": {}})
        with sources.open(known, Path(folder), AS_OF) as catalog:
            assert [str(fault) for fault in catalog.check()] == [
                "mine.csv: source mine: cannot be opened: permission denied"
            ]


def test_a_query_over_a_broken_page_names_the_file_and_no_path(tmp_path: Path) -> None:
    break_pages(tmp_path / "deals.parquet")
    company = {"company": "C", "sources": {"deals": {"system": "X", "path": "deals.parquet"}}}
    known = Definitions.model_validate({"company": company, "departments": {}})
    with sources.open(known, tmp_path, AS_OF) as catalog, pytest.raises(DataError) as error:
        catalog.fetch("select sum(length(amount)) as v from deals")
    fault = error.value.faults[0]
    assert (fault.source, fault.file) == ("deals", "deals.parquet")
    assert str(tmp_path) not in str(fault)
