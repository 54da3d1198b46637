"""A draft from any kind of file is the draft that its csv would give."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.worksheet.table import Table

from dataops_nb.profile import Draft, draft

pytest.importorskip("python_calamine")
pytest.importorskip("odf")


def orders() -> pd.DataFrame:
    days = pd.date_range("2026-01-05", periods=120, freq="D")
    numbers = range(120)
    return pd.DataFrame(
        {
            "order_id": [f"o{number:04}" for number in numbers],
            "ordered_on": days,
            "country": [("DE", "FR", "IT")[number % 3] for number in numbers],
            "amount": [10.5 + number % 7 for number in numbers],
        }
    )


def dressed() -> str:
    body = orders().to_csv(index=False, sep=";", decimal=",")
    return f"Orders of the shop\n\n{body}"


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("orders.csv", dressed())


def write_table(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = "Orders of the shop"
    sheet["A3"] = "a remark"
    for column, name in enumerate(orders().columns, 3):
        sheet.cell(5, column, name)
    for row, cells in enumerate(orders().itertuples(index=False), 6):
        for column, cell in enumerate(cells, 3):
            sheet.cell(row, column, cell)
    sheet.add_table(Table(displayName="tblOrders", ref=f"C5:F{5 + len(orders())}"))
    book.save(path)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "orders.csv": lambda path: orders().to_csv(path, index=False),
    "orders.csv.gz": lambda path: path.write_bytes(gzip.compress(dressed().encode())),
    "orders.csv.zst": lambda path: orders().to_csv(path, index=False),
    "orders.zip": write_zip,
    "orders.ods": lambda path: orders().to_excel(path, engine="odf", index=False),
    "orders.feather": lambda path: orders().to_feather(path),
    "orders.jsonl": lambda path: orders().to_json(
        path, orient="records", lines=True, date_format="epoch", date_unit="ms"
    ),
    "orders.xlsx": write_table,
}


def drafted(folder: Path, name: str) -> Draft:
    WRITERS[name](folder / name)
    return draft([folder / name])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITERS)
def test_a_draft_finds_key_time_and_money_in_every_kind_of_file(tmp_path: Path, name: str) -> None:
    made = drafted(tmp_path, name)
    assert made.faults == {}
    (table,) = made.tables.values()
    assert (table.name, table.rows) == ("orders", 120)
    assert (table.key, table.time, table.dimensions) == (["order_id"], "ordered_on", ["country"])
    assert "amount" in made.north_star


def test_what_is_above_the_table_in_a_packed_file_is_declared(tmp_path: Path) -> None:
    made = drafted(tmp_path, "orders.csv.gz")
    options = made.sources["orders"]
    declared = (options["header"], options["delimiter"], options["decimal"])
    assert declared == (3, ";", ",")


def test_an_excel_table_is_declared_by_its_name(tmp_path: Path) -> None:
    made = drafted(tmp_path, "orders.xlsx")
    assert made.sources["orders"]["sheet"] == "tblOrders"


def test_milliseconds_since_1970_are_declared_to_be_days(tmp_path: Path) -> None:
    with pytest.warns(Warning, match="epoch"):
        made = drafted(tmp_path, "orders.jsonl")
    assert made.sources["orders"]["columns"] == {"ordered_on": {"type": "date"}}
