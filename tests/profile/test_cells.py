"""Columns that stand at fixed places are found, and drafted so that a source reads them."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb.profile import draft
from dataops_nb.profile.cells import find_widths
from dataops_nb.profile.texts import holds_other_lines
from dataops_nb.sources.layouts import cut_line

CITIES = ("Berlin", "New York", "Rome")


def orders() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_id": [f"o{number:04}" for number in range(60)],
            "ordered_on": pd.date_range("2026-01-05", periods=60),
            "city": [CITIES[number % 3] for number in range(60)],
            "amount": [10.5 + number * 37 % 900 for number in range(60)],
        }
    )


def listing() -> str:
    """What a query tool prints: a line of dashes below the header, and a count below the rows."""
    lines = [
        "order_id  ordered_on city            amount",
        f"{'-' * 9} {'-' * 10} {'-' * 15} {'-' * 9}",
    ]
    for row in orders().itertuples(index=False):
        lines.append(f"{row[0]:<9} {row[1]:%Y-%m-%d} {row[2]:<15} {row[3]:>9.2f}")
    return "\n".join(lines) + "\n\n(60 rows affected)\n"


@pytest.mark.parametrize("text", [orders().to_string(index=False), listing()])
def test_a_listing_is_drafted_like_its_csv(tmp_path: Path, text: str) -> None:
    (tmp_path / "orders.txt").write_text(text)
    made = draft([tmp_path / "orders.txt"])
    (table,) = made.tables.values()
    assert (made.faults, table.rows, table.key, table.time) == ({}, 60, ["order_id"], "ordered_on")
    assert made.north_star[0] == "amount"


@pytest.mark.parametrize(
    "line",
    ["2026-01-{n:02} 10:00:00", "shop {n:02}", "o{n:04}", "a sentence of {n} words and no table"],
)
def test_what_only_happens_to_be_blank_is_no_column(line: str) -> None:
    assert find_widths([line.format(n=n) for n in range(1, 40)]) == []


cells = st.text("abc123", min_size=1, max_size=9)


@given(st.lists(st.tuples(cells, cells, cells), min_size=8, max_size=30))
def test_the_cells_that_were_padded_are_the_cells_that_are_cut(rows: list[tuple[str, ...]]) -> None:
    lines = [f"{a:<12}{b:>12}  {c:<12}" for a, b, c in rows]
    widths = find_widths(lines)
    assert [tuple(cut_line(line, widths)) for line in lines] == rows


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('o1,"Berlin, Mitte",3', False),
        ('"o1","Berlin",3', False),
        (",,3", False),
        ("Total,,3", True),
        ("o1,  GRAND TOTAL,3", True),
        ('"","Summe Berlin",3', True),
        ("Österreich,Wien,3", False),
        ("Exported by a person", True),
        ('o1,"an open quote,3', True),
    ],
)
def test_lines_that_may_be_no_rows_are_seen_in_a_long_text(line, expected):
    rows = ["o1,Berlin,3"] * 30_000  # more than is looked at in one part
    text = "\n".join([*rows, line, *rows]) + "\n"
    assert holds_other_lines(text, ",", 0, len(text)) == expected
