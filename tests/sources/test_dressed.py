"""Totals among the rows, days without a year, and numbers with signs around them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.test_layouts import KINDS, load, refuse

BODY = [
    ["A", "2026-11-02", 10],
    ["Total for A", "", 10],
    ["B", "2026-11-03", 20],
    ["Total for B", "", 20],
]
HEADER = ["shop", "day", "amount"]


@pytest.mark.parametrize("kind", KINDS)
def test_lines_that_are_marked_as_totals_are_no_rows(tmp_path: Path, kind: str) -> None:
    rows = load(tmp_path, kind, [HEADER, *BODY], skip=["Total for*"])
    assert [(row["shop"], row["amount"]) for row in rows] == [("A", 10), ("B", 20)]


def test_a_marked_line_may_be_narrower_than_the_table(tmp_path: Path) -> None:
    rows = load(
        tmp_path, "csv", [HEADER, ["North"], BODY[0], ["South"], BODY[2]], skip=["North", "South"]
    )
    assert len(rows) == 2


def test_a_text_without_a_star_marks_only_itself(tmp_path: Path) -> None:
    rows = load(tmp_path, "csv", [HEADER, BODY[0], ["Totally", "2026-11-03", 20]], skip=["Total"])
    assert len(rows) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_below_a_marked_line_names_its_own_line(tmp_path: Path, kind: str) -> None:
    rows = [HEADER, BODY[0], BODY[1], ["B", "2026-11-03", "x"]]
    columns: Any = {"amount": {"type": "decimal"}}
    faults = refuse(tmp_path, kind, rows, skip=["Total for*"], columns=columns)
    assert [(row, value) for row, _, value, _ in faults] == [(4, "x")]


@pytest.mark.parametrize(
    ("written", "day"),
    [("2306", dt.date(2026, 6, 23)), ("0109", dt.date(2026, 9, 1)), ("109", dt.date(2026, 9, 1))],
)
def test_a_day_without_a_year_lies_in_the_year_that_is_declared(
    tmp_path: Path, written: str, day: dt.date
) -> None:
    columns: Any = {"day": {"type": "date"}}
    options: Any = {"date_format": "%d%m", "year_from": dt.date(2026, 1, 1), "columns": columns}
    rows = load(tmp_path, "csv", [["id", "day"], [1, written]], **options)
    assert rows[0]["day"].date() == day


def test_twelve_months_may_begin_in_any_of_them(tmp_path: Path) -> None:
    columns: Any = {"day": {"type": "date"}}
    options: Any = {"date_format": "%d%m", "year_from": dt.date(2025, 10, 1), "columns": columns}
    rows = load(tmp_path, "csv", [["id", "day"], [1, "3009"], [2, "0110"]], **options)
    assert [row["day"].date() for row in rows] == [dt.date(2026, 9, 30), dt.date(2025, 10, 1)]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('"$1,234.50"', 1234.5),
        ('"(1,234.50)"', -1234.5),
        ("$(250.00)", -250),
        ("-$5.00", -5),
        ("7.00-", -7),
        ("45%", 0.45),
        ("12.5 %", 0.125),
        ("€ 12", 12),
    ],
)
def test_a_declared_number_may_be_dressed(tmp_path: Path, cell: str, value: float) -> None:
    columns: Any = {"v": {"type": "decimal"}}
    rows = load(tmp_path, "csv", [["id", "v"], [1, cell]], columns=columns)
    assert rows[0]["v"] == pytest.approx(value)


@pytest.mark.long
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cents=st.integers(-(10**11), 10**11))
def test_parentheses_and_a_minus_mean_the_same(tmp_path: Path, cents: int) -> None:
    value = f"{abs(cents) / 100:,.2f}"
    cell = f'"({value})"' if cents < 0 else f'"{value}"'
    columns: Any = {"v": {"type": "decimal"}}
    rows = load(tmp_path, "csv", [["id", "v"], [1, cell]], columns=columns)
    assert rows[0]["v"] == pytest.approx(cents / 100)


@pytest.mark.parametrize("cell", ["1,23", "$", "12 apples", "1.2.3", "(5"])
def test_what_is_no_number_stays_a_fault(tmp_path: Path, cell: str) -> None:
    columns: Any = {"v": {"type": "decimal"}}
    faults = refuse(tmp_path, "csv", [["id", "v"], [1, f'"{cell}"']], columns=columns)
    assert [value for _, _, value, _ in faults] == [cell]
