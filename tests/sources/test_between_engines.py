"""What a source refers to may stand in another engine: exchange rates, and the columns of `references:`."""

from __future__ import annotations

import sqlite3
from itertools import product

import pytest

from dataops_nb import alignment

ORDERS = [(1, "2026-06-03", 5, "EUR"), (2, "2026-06-06", 5, "USD"), (3, "2026-06-07", 2, "CHF")]
RATES = [("2026-06-01", "EUR", 1.1), ("2026-06-05", "EUR", 1.2), ("2026-06-05", "CHF", 0.5)]
PAIRS = list(product(["csv", "sqlite"], repeat=2))
COLUMNS = {
    "orders": "id integer, day date, amount integer, currency text",
    "fx": "day date, currency text, rate real",
}
METRIC = "a: {type: simple, measure: {source: orders, agg: sum, expr: amount, currency: currency}}"
CONVERTED = "rates: {source: fx, time: day, from: currency, to: USD, rate: rate, fill: previous, max_gap: 5d}"


def _place(folder, kind, name, rows):
    """Write a table as a file or into a database; return what its source says of it."""
    names = ",".join(column.split()[0] for column in COLUMNS[name].split(", "))
    if kind == "csv":
        lines = [names, *(",".join(map(str, row)) for row in rows)]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
        return f"path: {name}.csv"
    con = sqlite3.connect(folder / f"{name}.db")
    con.execute(f"create table {name} ({COLUMNS[name]})")
    con.executemany(f"insert into {name} values ({','.join('?' * len(rows[0]))})", rows)
    con.commit()
    con.close()
    return f"url: sqlite:{name}.db, table: {name}"


def _sources(folder, kinds, orders=ORDERS, rates=RATES, more=""):
    bought = _place(folder, kinds[0], "orders", orders)
    known = _place(folder, kinds[1], "fx", rates)
    return (
        f"orders: {{system: Shop, {bought}, time: day, key: id{more}}}\n"
        f"fx: {{system: Bank, {known}, time: day}}"
    )


@pytest.mark.parametrize("kinds", PAIRS)
def test_amounts_are_converted_wherever_they_and_the_rates_stand(company, tmp_path, kinds):
    catalog = company(_sources(tmp_path, kinds), METRIC, {}, as_of="2026-06-07", extra=CONVERTED)
    assert catalog.check() == []
    table = alignment.values(catalog, "a", grain="day")
    assert table["value"].dropna().tolist() == [5.5, 0, 0, 5, 1]


@pytest.mark.parametrize("kinds", PAIRS)
def test_an_amount_without_a_rate_is_named_wherever_both_stand(company, tmp_path, kinds):
    catalog = company(
        _sources(tmp_path, kinds, rates=RATES[:2]), METRIC, {}, as_of="2026-06-07", extra=CONVERTED
    )
    (fault,) = catalog.check()
    assert "CHF on 2026-06-07" in str(fault)
    assert "has no rate to USD in fx no older than 5 days" in str(fault)


@pytest.mark.parametrize("kinds", PAIRS)
def test_a_value_that_another_source_lacks_is_named_wherever_both_stand(company, tmp_path, kinds):
    agreed = ", columns: {currency: {references: fx.currency}}"
    catalog = company(
        _sources(tmp_path, kinds, more=agreed), METRIC.replace(", currency: currency", ""), {}
    )
    (fault,) = catalog.check()
    assert "USD" in str(fault)
    assert "is not found in fx.currency" in str(fault)
