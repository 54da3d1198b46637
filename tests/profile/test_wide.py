"""Tables with a period a column become rows by a query, which passes its own check."""

from __future__ import annotations

import datetime as dt
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
