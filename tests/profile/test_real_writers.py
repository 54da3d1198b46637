"""Files as the programs of the field write them are drafted alike: rows, key, time and numbers.

No writer of xlsb is known that Python has, so none is here; its reader is that of xls and ods.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
import pytest
from openpyxl.worksheet.table import Table

from dataops_nb import profile
from dataops_nb.profile.written import declare, open_sources

pytest.importorskip("python_calamine")
odf = pytest.importorskip("odf")
xlsxwriter = pytest.importorskip("xlsxwriter")
xlwt = pytest.importorskip("xlwt")
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]

ROWS = 60
# What each was written by when this was last looked at; SQLite's shell was 3.40.1.
SEEN = {
    "pandas": "3.1.1",
    "openpyxl": "3.1.5",
    "xlsxwriter": "3.3.1",
    "odfpy": "1.4.1",
    "xlwt": "1.3.0",
    "pyarrow": "26.0.1",
    "duckdb": "2.0.0",
}
Write = Callable[[Path], Any]


def orders() -> pd.DataFrame:
    numbers = range(ROWS)
    return pd.DataFrame(
        {
            "order_id": [f"o{number:04}" for number in numbers],
            "ordered_on": pd.date_range("2026-01-05", periods=ROWS, freq="D"),
            "city": [("Köln", "New York", "Zürich")[number % 3] for number in numbers],
            "amount": [1000.5 + number * 37 % 900 for number in numbers],
        }
    )


TOTAL = float(orders()["amount"].sum())


def moments() -> pd.DataFrame:
    frame = orders()
    frame["ordered_on"] += pd.Timedelta(hours=9, minutes=5, seconds=7)
    return frame


def texts(day: str = "%Y-%m-%d", amount: str = "{:.2f}") -> list[list[str]]:
    """The orders as rows of texts below their header."""
    rows = [list(orders().columns)]
    for order in orders().itertuples(index=False):
        rows.append([order[0], order[1].strftime(day), order[2], amount.format(order[3])])
    return rows


def pandas_csv(frame: Callable[[], pd.DataFrame] = orders, **how: Any) -> Write:
    return lambda path: frame().to_csv(path, index=False, **how)


def by_csv(rows: Callable[[], list[list[str]]], above: str = "", **how: Any) -> Write:
    def write(path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            file.write(above)
            csv.writer(file, **how).writerows(rows())

    return write


def by_duckdb(how: str) -> Write:
    def write(path: Path) -> None:
        con = duckdb.connect()
        con.register("orders", orders())
        chosen = "order_id, cast(ordered_on as date) as ordered_on, city, amount"
        con.execute(f"copy (select {chosen} from orders) to '{path}' ({how})")

    return write


def long_texts() -> pd.DataFrame:
    return orders().assign(remark=[f'he said "{n}",\nand left' for n in range(ROWS)])


def with_gaps() -> pd.DataFrame:
    frame = orders()
    frame["discount"] = [None if n % 9 == 0 else n / 4 for n in range(ROWS)]
    return frame


def german(amount: str) -> str:
    return amount.translate(str.maketrans(",.", ".,"))


def german_money() -> list[list[str]]:
    rows = texts("%d.%m.%Y", "{:,.2f} €")
    return [rows[0], *[[*row[:3], german(row[3])] for row in rows[1:]]]


def with_total() -> list[list[str]]:
    return [*texts(), ["Total", "", "", f"{TOTAL:.2f}"]]


def openpyxl_table(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["B2"] = "Orders of the shop"
    for column, name in enumerate(orders().columns, 2):
        sheet.cell(4, column, name)
    for row, cells in enumerate(orders().itertuples(index=False), 5):
        for column, cell in enumerate(cells, 2):
            sheet.cell(row, column, cell)
    sheet.add_table(Table(displayName="orders", ref=f"B4:E{4 + ROWS}"))
    book.save(path)


def openpyxl_report(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Orders", "", "all cities"])
    sheet.append([])
    sheet.append(list(orders().columns))
    for cells in orders().itertuples(index=False):
        sheet.append(list(cells))
    sheet.append(["Grand total", None, None, TOTAL])
    book.save(path)


def by_xlsxwriter(*, table: bool = False, **how: Any) -> Write:
    def write(path: Path) -> None:
        book = xlsxwriter.Workbook(str(path), how)
        sheet = book.add_worksheet("Export")
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        sheet.write_row(0, 0, list(orders().columns))
        for row, order in enumerate(orders().itertuples(index=False), 1):
            sheet.write_string(row, 0, order[0])
            sheet.write_datetime(row, 1, order[1].to_pydatetime(), day)
            sheet.write_string(row, 2, order[2])
            sheet.write_number(row, 3, order[3])
        if table:
            columns = [{"header": name} for name in orders().columns]
            sheet.add_table(0, 0, ROWS, 3, {"name": "Orders", "columns": columns})
        book.close()

    return write


def by_xlwt(path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Export")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for column, name in enumerate(orders().columns):
        sheet.write(0, column, name)
    for row, order in enumerate(orders().itertuples(index=False), 1):
        sheet.write(row, 0, order[0])
        sheet.write(row, 1, order[1].to_pydatetime(), day)
        sheet.write(row, 2, order[2])
        sheet.write(row, 3, order[3])
    book.save(str(path))


def arrow_stream(path: Path) -> None:
    table = pa.Table.from_pandas(orders(), preserve_index=False)
    with pa.ipc.new_file(str(path), table.schema) as file:
        file.write_table(table, max_chunksize=25)


def arrow_dictionaries(path: Path) -> None:
    frame = orders().astype({"city": "category"})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pyarrow.parquet.write_table(table, path, compression="zstd", row_group_size=25)


def json_lines_packed(path: Path) -> None:
    lines = orders().to_json(orient="records", lines=True, date_format="iso")
    path.write_bytes(gzip.compress(lines.encode()))


def json_module(path: Path) -> None:
    names, *rows = texts()
    records = [dict(zip(names, [*row[:3], float(row[3])], strict=True)) for row in rows]
    path.write_text(json.dumps(records, indent=2, ensure_ascii=False), encoding="utf-8")


def by_sqlite(mode: str) -> Write:
    """Write by the shell of SQLite, `sqlite3`, as people save the answer to a query."""

    def write(path: Path) -> None:
        read = path.with_suffix(".db")
        frame = orders().assign(ordered_on=orders()["ordered_on"].dt.strftime("%Y-%m-%d"))
        with sqlite3.connect(read) as con:
            frame.to_sql("orders", con, index=False)
        words = ["sqlite3", "-header", str(read), f".mode {mode}", "select * from orders"]
        path.write_bytes(subprocess.run(words, capture_output=True, check=True).stdout)

    return write


def arrow_decimals(path: Path) -> None:
    """Amounts as decimals, moments with a zone: as warehouses unload them."""
    table = pa.Table.from_pandas(moments(), preserve_index=False)
    types = {"ordered_on": pa.timestamp("us", "UTC"), "amount": pa.decimal128(18, 2)}
    columns = [table[name].cast(types.get(name, pa.large_string())) for name in table.column_names]
    pyarrow.parquet.write_table(pa.table(columns, names=table.column_names), path)


def xlsxwriter_report(path: Path) -> None:
    """A title over merged cells, and a total that is a formula with its value."""
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("Orders 2026")
    sheet.merge_range(0, 0, 0, 3, "All orders of the shop", book.add_format({"bold": True}))
    sheet.write_row(2, 0, list(orders().columns))
    for row, order in enumerate(orders().itertuples(index=False), 3):
        sheet.write_row(row, 0, [order[0], order[1].to_pydatetime(), order[2], order[3]])
    sheet.write(3 + ROWS, 0, "Total")
    sheet.write_formula(3 + ROWS, 3, f"=SUM(D4:D{3 + ROWS})", None, TOTAL)
    sheet.freeze_panes(3, 0)
    book.close()


def pandas_excel(engine: str) -> Write:
    return lambda path: orders().to_excel(path, engine=engine, index=False)


SEP = "sep=;\n"
WRITERS: dict[str, tuple[str, Write]] = {
    "comma.csv": ("pandas", pandas_csv()),
    "semicolon.csv": ("pandas", pandas_csv(sep=";", decimal=",")),
    "tabs.tsv": ("pandas", pandas_csv(sep="\t")),
    "pipe.txt": ("pandas", pandas_csv(sep="|")),
    "mark.csv": ("pandas", pandas_csv(encoding="utf-8-sig")),
    "wide.csv": ("pandas", pandas_csv(encoding="utf-16", sep="\t")),
    "western.csv": ("pandas", pandas_csv(encoding="cp1252", sep=";")),
    "packed.csv.gz": ("pandas", pandas_csv()),
    "packed.csv.zst": ("pandas", pandas_csv()),
    "packed.zip": ("pandas", pandas_csv(compression={"method": "zip", "archive_name": "a.csv"})),
    "quoted.csv": ("pandas", pandas_csv(quoting=csv.QUOTE_ALL)),
    "lines_in_cells.csv": ("pandas", pandas_csv(long_texts)),
    "gaps.csv": ("pandas", pandas_csv(with_gaps, na_rep="N/A")),
    "windows.csv": ("pandas", pandas_csv(lineterminator="\r\n")),
    "stamps.csv": ("pandas", pandas_csv(moments)),
    "german_days.csv": ("pandas", pandas_csv(date_format="%d.%m.%Y", sep=";", decimal=",")),
    "american_days.csv": ("pandas", pandas_csv(date_format="%m/%d/%Y")),
    "american_stamps.csv": ("pandas", pandas_csv(moments, date_format="%m/%d/%Y %I:%M %p")),
    "offsets.csv": ("pandas", pandas_csv(moments, date_format="%Y-%m-%d %H:%M:%S +0200")),
    "named_months.csv": ("pandas", pandas_csv(date_format="%d-%b-%Y")),
    "compact.csv": ("pandas", pandas_csv(date_format="%Y%m%d")),
    "places.txt": ("pandas", lambda path: path.write_text(orders().to_string(index=False))),
    "records.json": ("pandas", lambda p: orders().to_json(p, orient="records", date_format="iso")),
    "lines.jsonl.gz": ("pandas", json_lines_packed),
    "frame.parquet": ("pandas", lambda path: orders().to_parquet(path)),
    "frame.feather": ("pandas", lambda path: orders().to_feather(path)),
    "book.xlsx": ("openpyxl", pandas_excel("openpyxl")),
    "table.xlsx": ("openpyxl", openpyxl_table),
    "report.xlsx": ("openpyxl", openpyxl_report),
    "formatted.xlsx": ("xlsxwriter", by_xlsxwriter()),
    "listed.xlsx": ("xlsxwriter", by_xlsxwriter(table=True)),
    "streamed.xlsx": ("xlsxwriter", by_xlsxwriter(constant_memory=True)),
    "sheet.ods": ("odfpy", pandas_excel("odf")),
    "old.xls": ("xlwt", by_xlwt),
    "titled.xlsx": ("xlsxwriter", xlsxwriter_report),
    "shell.csv": ("sqlite3", by_sqlite("csv")),
    "shell.tsv": ("sqlite3", by_sqlite("tabs")),
    "listed.txt": ("sqlite3", by_sqlite("list")),
    "column.txt": ("sqlite3", by_sqlite("column")),
    "shell.json": ("sqlite3", by_sqlite("json")),
    "decimals.parquet": ("pyarrow", arrow_decimals),
    "arrow.csv": ("pyarrow", lambda p: pa.csv.write_csv(pa.Table.from_pandas(orders()), p)),
    "chunks.arrow": ("pyarrow", arrow_stream),
    "groups.parquet": ("pyarrow", arrow_dictionaries),
    "plain.feather": (
        "pyarrow",
        lambda p: pa.feather.write_feather(orders(), str(p), compression="uncompressed"),
    ),
    "copied.csv": ("duckdb", by_duckdb("header")),
    "copied.csv.gz": ("duckdb", by_duckdb("header, delimiter '|', compression gzip")),
    "copied.json": ("duckdb", by_duckdb("format json")),
    "array.json": ("duckdb", by_duckdb("format json, array true")),
    "copied.parquet": ("duckdb", by_duckdb("format parquet")),
    "excel.csv": ("csv", by_csv(texts)),
    "unix.csv": ("csv", by_csv(texts, dialect="unix")),
    "declared.csv": ("csv", by_csv(texts, above=SEP, delimiter=";")),
    "total.csv": ("csv", by_csv(with_total)),
    "dollars.csv": ("csv", by_csv(lambda: texts("%d/%m/%Y", "${:,.2f}"))),
    "euros.csv": ("csv", by_csv(german_money, delimiter=";")),
    "module.json": ("json", json_module),
}


def drafted(path: Path) -> Iterator[Any]:
    """What a draft of one file makes: its table, and the sum and the ends that are read with it."""
    made = profile.draft([path])
    yield made.faults
    (table,) = made.tables.values()
    yield table.rows, table.key, table.time
    with open_sources(made.data) as catalog:
        declare(catalog, made.sources)
        days = (
            f'cast(min("{table.time}") as date) as low, cast(max("{table.time}") as date) as high'
        )
        row = catalog.fetch(f"select sum(amount) as n, {days} from {table.name}").iloc[0]
    yield round(float(row["n"]), 2), str(row["low"])[:10], str(row["high"])[:10]


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_a_real_writer_is_drafted_whole(tmp_path: Path, name: str) -> None:
    writer, write = WRITERS[name]
    if writer == "sqlite3" and not shutil.which("sqlite3"):
        pytest.skip("SQLite's shell is not installed (Debian: sqlite3)")
    write(tmp_path / name)
    assert list(drafted(tmp_path / name)) == [
        {},
        (ROWS, ["order_id"], "ordered_on"),
        (round(TOTAL, 2), "2026-01-05", "2026-03-05"),
    ]


def test_the_writers_are_those_that_were_looked_at() -> None:
    major = {name: version(name).split(".")[0] for name in SEEN}
    assert major == {name: seen.split(".")[0] for name, seen in SEEN.items()}


def test_a_table_of_r_divided_by_blanks_is_a_faulty_file_and_no_crash(tmp_path: Path) -> None:
    """As R 4.2.2 writes it by `write.table(d, "orders.txt")`: its header is a cell short."""
    rows = [f'"{n}" "A-{n:04}" 2026-01-{n:02} {n}.5' for n in range(1, 29)]
    path = tmp_path / "orders.txt"
    path.write_text("\n".join(['"Order no" "Ordered on" "Amount"', *rows]) + "\n")
    made = profile.draft([path])
    assert "quote" in str(made.faults["orders"][0])
