"""Tables with a period a column become rows by a query, which passes its own check; objects columns."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from dataops_nb.profile import Draft, draft
from dataops_nb.profile.wide import find_year, read_period
from dataops_nb.profile.written import declare, open_sources

PIVOT = """Region: (All)

Row Labels,Jan 2026,Feb 2026,Mar 2026,Apr 2026,Grand Total
Chairs,"1,200.50",1300,1400,900,4800.5
Tables,100,,300,200,600
Grand Total,1300.5,1300,1700,1100,5400.5
"""


def drafted(folder: Path, text: str, name: str = "sales.csv") -> Draft:
    (folder / name).write_text(text)
    return draft([folder / name])


@pytest.mark.parametrize(
    ("name", "kind", "first"),
    [
        ("2026-03", "month", dt.date(2026, 3, 1)),
        ("2026-03-01", "month", dt.date(2026, 3, 1)),
        ("Mar 2026", "month", dt.date(2026, 3, 1)),
        ("March 2026", "month", dt.date(2026, 3, 1)),
        ("Mar-26", "month", dt.date(2026, 3, 1)),
        ("03/2026", "month", dt.date(2026, 3, 1)),
        ("Q2 2026", "quarter", dt.date(2026, 4, 1)),
        ("2026-Q2", "quarter", dt.date(2026, 4, 1)),
        ("FY2026", "year", dt.date(2026, 1, 1)),
        ("March", "month", None),
        ("Margin", "month", None),
    ],
)
def test_a_column_named_as_a_period_has_a_first_day(
    name: str, kind: str, first: dt.date | None
) -> None:
    assert read_period(name, kind, None) == first


def test_a_month_without_a_year_has_that_of_the_file() -> None:
    year = find_year("heads_2026.csv")
    assert read_period("March", "month", year) == dt.date(2026, 3, 1)


def test_two_years_are_no_year() -> None:
    assert find_year("2025 to 2026") is None


def test_a_pivot_becomes_rows_without_its_totals(tmp_path: Path) -> None:
    made = drafted(tmp_path, PIVOT)
    table = made.tables["sales_by_month"]
    assert (table.rows, table.time, table.key) == (7, "month", ["Row Labels", "month"])
    with open_sources(made.data) as catalog:
        declare(catalog, made.sources)
        total = catalog.fetch("select sum(sales) as n from sales_by_month")["n"][0]
        assert catalog.check() == []
    assert total == 5400.5
    assert made.north_star == ["sales"]
    assert made.last == dt.date(2026, 4, 30)


def test_months_without_any_year_are_told_and_make_no_query(tmp_path: Path) -> None:
    text = "Team,January,February,March,April\nSales,5,5,6,7\nOps,3,3,3,4\n"
    made = drafted(tmp_path, text)
    assert list(made.tables) == ["sales"]
    told = " ".join(guess.why for guess in made.guesses)
    assert "the columns January to April are periods" in told


def test_quarters_are_no_months(tmp_path: Path) -> None:
    text = "Team,2025-Q3,2025-Q4,2026-Q1,2026-Q2\nSales,5,5,6,7\nOps,3,3,3,4\n"
    made = drafted(tmp_path, text)
    (metric,) = made.metrics["sales_by_quarter"]
    assert metric.definition["grains"] == ["quarter", "year"]
    assert (made.grain, made.last) == ("quarter", dt.date(2026, 6, 30))


def objects(folder: Path, rows: list[dict[str, object]], name: str = "orders.jsonl") -> Draft:
    return drafted(folder, "".join(json.dumps(row) + "\n" for row in rows), name)


def orders(days: int = 40) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for n in range(days):
        day = dt.date(2026, 1, 1) + dt.timedelta(n)
        buyer = {"id": n % 7, "address": {"country": "NL" if n % 3 else "DE"}}
        price = {"amount": n + 0.5, "currency": "EUR"}
        rows.append(
            {"order_id": f"A{n}", "ordered_at": str(day), "customer": buyer, "total": price}
        )
    return rows


def test_fields_of_objects_become_columns_of_a_query_that_metrics_stand_on(tmp_path: Path) -> None:
    made = objects(tmp_path, orders())
    table = made.tables["orders_flat"]
    assert (table.key, table.time) == (["order_id"], "ordered_at")
    assert table.dimensions == ["customer_address_country"]
    measures = {one.id: one.definition["measure"] for one in made.metrics["orders_flat"]}
    assert measures["total_amount"]["expr"] == "total_amount"
    assert measures["new_customers"]["expr"] == "customer_id"
    assert "orders" not in made.metrics
    with open_sources(made.data) as catalog:
        declare(catalog, made.sources)
        assert catalog.fetch("select sum(total_amount) as n from orders_flat")["n"][0] == 800.0
        assert catalog.check() == []


def test_what_is_guessed_of_plain_columns_is_told_once(tmp_path: Path) -> None:
    made = objects(tmp_path, orders())
    about = [guess.about for guess in made.guesses if guess.about.startswith("orders.")]
    assert about == ["orders.time", "orders.key"]


def test_a_field_called_like_another_column_has_a_name_of_its_own(tmp_path: Path) -> None:
    rows = [row | {"customer_id": 5, "customer_Address_country": "x"} for row in orders()]
    made = objects(tmp_path, rows)
    names = [column.name for column in made.tables["orders_flat"].columns]
    assert {"customer_id", "customer_id_", "customer_address_country_"} <= set(names)


def test_a_list_of_objects_is_no_column_and_no_rows_are_lost(tmp_path: Path) -> None:
    rows = [row | {"lines": [{"sku": "a", "n": 1}]} for row in orders()]
    made = objects(tmp_path, rows)
    assert made.tables["orders_flat"].rows == len(rows)


def test_amounts_and_times_that_objects_hold_as_texts_are_such(tmp_path: Path) -> None:
    rows = []
    for n, row in enumerate(orders()):
        money = {"amount": f"{n}.50", "zip": "10115", "paid_at": f"{row['ordered_at']}T10:00:00Z"}
        rows.append(row | {"total": money})
    made = objects(tmp_path, rows)
    types = {column.name: column.type for column in made.tables["orders_flat"].columns}
    assert types["total_amount"] == "DECIMAL(18,2)"
    assert types["total_zip"] == "VARCHAR"
    assert types["total_paid_at"] == "TIMESTAMP WITH TIME ZONE"
    with open_sources(made.data) as catalog:
        declare(catalog, made.sources)
        total = catalog.fetch("select cast(sum(total_amount) as text) as n from orders_flat")
        assert total["n"][0] == "800.00"


def test_the_list_in_an_answer_of_an_api_is_guessed_and_told(tmp_path: Path) -> None:
    answer = {"meta": {"page": 1}, "data": {"orders": orders()}, "next": None}
    made = drafted(tmp_path, json.dumps(answer), "orders.json")
    assert made.sources["orders"]["records"] == "data.orders"
    assert (made.tables["orders_flat"].rows, made.faults) == (40, {})
    (guess,) = [guess for guess in made.guesses if guess.about == "orders.records"]
    assert guess.why == "the file is an object, and its longest list of objects has 40 rows"


def test_one_object_a_line_is_a_row_whatever_lists_it_has(tmp_path: Path) -> None:
    rows = [row | {"lines": [{"sku": "a"}, {"sku": "b"}]} for row in orders()]
    assert "records" not in objects(tmp_path, rows).sources["orders"]


def test_a_file_that_somebody_has_flattened_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "orders_flat.csv").write_text("order_id,ordered_at,total\nA1,2026-01-01,5\n")
    (tmp_path / "orders.jsonl").write_text("".join(json.dumps(row) + "\n" for row in orders()))
    made = draft([tmp_path])
    assert made.sources["orders_flat"]["path"] == "orders_flat.csv"
    assert made.metrics["orders"]
