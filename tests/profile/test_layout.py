"""Where the table lies in a file: lines above, below and among its rows, and files without a header."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from dataops_nb import profile
from dataops_nb.profile.cells import amount, kind_of
from dataops_nb.profile.layout import Record as Line
from dataops_nb.profile.layout import find_layout, find_table
from dataops_nb.profile.written import year_above

ROWS = "".join(f"2026-03-{d:02},shop {d % 3},{d * 10}\n" for d in range(1, 29))


@pytest.fixture
def laid(tmp_path):
    """The layout of a text."""

    def find(text, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return find_layout(path)

    return find


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("", 1),
        ("# exported\n# by somebody\n", 3),
        ('Campaigns\n"1 March 2026 - 28 March 2026"\n', 3),
        ("Lamps Ltd\nSales\nMarch\n\n", 5),
        ('"EXTF";700;21\n', 2),
        ("Lamps Ltd,,\nSales,,\n,,\n", 4),
    ],
)
def test_the_header_is_the_first_line_that_names_columns(laid, above, line):
    assert laid(above + "day,shop,amount\n" + ROWS).header == line


def test_a_file_without_a_header_gets_names_and_loses_no_row(laid):
    layout = laid(ROWS)
    assert (layout.header, layout.names) == (None, ["column_1", "column_2", "column_3"])


@pytest.mark.parametrize("header", ["region,2026-01,2026-02,2026-03", "region,2023,2024,2025"])
def test_columns_of_months_and_years_are_a_header_all_the_same(laid, header):
    assert laid(header + "\nNorth,1,2,3\nSouth,4,5,6\n").header == 1


def test_remarks_and_totals_below_are_counted_as_a_footer(laid):
    total = sum(d * 10 for d in range(1, 29))
    below = f'Grand total,,{total}\n\n"Copyright (c) 2026"\n"Do not distribute"\n'
    assert laid("day,shop,amount\n" + ROWS + below).footer == 3


def test_totals_among_the_rows_are_told_by_their_sums(laid):
    text = "shop,day,amount\nA,2026-03-01,10\nA,2026-03-02,20\nTotal for A,,30\nB,2026-03-01,5\n"
    assert laid(text).skipped == ["Total for A"]


def test_a_product_that_is_called_total_is_a_row(laid):
    text = "product,day,amount\n" + "".join(
        f"{n},2026-03-0{d},{d + 7}\n" for d in (1, 2) for n in ("Basic", "Total Care", "Pro")
    )
    layout = laid(text)
    assert (layout.skipped, layout.footer) == ([], 0)


def test_a_last_row_with_a_day_and_nothing_else_is_a_row(laid):
    assert laid("day,a,b\n2026-03-01,1,2\n2026-03-02,3,4\n2026-03-03,,\n").footer == 0


def test_a_row_that_is_cut_off_is_no_remark(laid):
    assert laid("id,v\n1,2\n2,3\n3\n").footer == 0


def test_two_lines_of_a_survey_name_the_columns_together(laid):
    rows = "".join(f"{i},Yes,,4\n" for i in range(10))
    layout = laid("id,Which do you use?,,How happy?\n,Basic,Pro,Response\n" + rows)
    names = ["id", "Which do you use?", "Which do you use?: Pro", "How happy?"]
    assert (layout.header, layout.names, layout.two_lines) == (2, names, True)


def test_the_sign_that_a_file_declares_for_excel_divides_it(laid):
    layout = laid("sep=;\nday;v\n2026-03-01;1,5\n2026-03-02;2,5\n")
    assert (layout.delimiter, layout.header) == (";", 2)


def test_tabs_in_utf_16_are_read(laid):
    layout = laid("Report\nday\tv\n2026-03-01\t1\n2026-03-02\t2\n".encode("utf-16"))
    assert (layout.encoding, layout.delimiter, layout.header) == ("utf-16", "\t", 2)


def test_names_that_stand_twice_are_counted(laid):
    assert laid("id,Labels,Labels\n1,a,b\n2,c,d\n").repeated == {"Labels": 2}


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("1,200.50", "number"),
        ("(5.00)", "number"),
        ("45%", "number"),
        ("2026-03-01", "day"),
        ("17/Jun/26 3:44 PM", "day"),
        ("true", "boolean"),
        ("a@b.example", "address"),
        ("Amount", "text"),
    ],
)
def test_what_a_cell_is(cell, kind):
    assert kind_of(cell) == kind


@given(st.integers(-(10**9), 10**9), st.sampled_from(["", "$", "€"]))
def test_an_amount_is_read_however_it_is_dressed(cents, sign):
    value = abs(cents) / 100
    dressed = f"{sign}{value:,.2f}"
    assert amount(f"({dressed})" if cents < 0 else dressed) == pytest.approx(cents / 100)


@given(st.integers(0, 6), st.integers(2, 12))
def test_lines_of_one_cell_above_a_table_never_move_its_rows(above, count):
    lines = [Line(n + 1, [f"remark {n}"]) for n in range(above)]
    lines.append(Line(above + 1, ["day", "shop", "amount"]))
    for n in range(count):
        lines.append(Line(above + 2 + n, [f"2026-03-{n + 1:02}", "shop", str(n)]))
    layout = find_table(lines)
    assert (layout.header, layout.footer) == (above + 1, 0)


def test_the_year_stands_in_the_line_above():
    assert year_above(["EXTF 700 20260101 4 20260101 20261120"]) == dt.date(2026, 1, 1)


def test_a_sheet_with_titles_above_and_a_total_below_is_read(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet.append(["Sales by day"])
    sheet.append([])
    sheet.append(["day", "shop", "amount"])
    for day in range(1, 11):
        sheet.append([dt.date(2026, 3, day), "north", day])
    sheet.append(["Grand Total", None, 55])
    book.save(tmp_path / "sales.xlsx")
    draft = profile.draft([tmp_path / "sales.xlsx"])
    assert (draft.faults, draft.tables["sales"].rows, draft.tables["sales"].time) == ({}, 10, "day")


def test_each_sheet_that_holds_a_table_is_a_source(tmp_path):
    book = Workbook()
    for title in ("Orders", "Visits"):
        sheet = book.create_sheet(title)
        sheet.append(["day", "n"])
        for day in range(1, 11):
            sheet.append([dt.date(2026, 3, day), day])
    book.remove(book.worksheets[0])
    book.save(tmp_path / "shop.xlsx")
    assert list(profile.draft([tmp_path / "shop.xlsx"]).sources) == ["shop_orders", "shop_visits"]


def test_titles_side_by_side_above_a_full_header_are_no_names(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet.append(["Sales", None, "all shops"])
    sheet.append(["day", "shop", "region", "amount"])
    for day in range(1, 11):
        sheet.append([dt.date(2026, 3, day), "north", "A", day])
    book.save(tmp_path / "sales.xlsx")
    assert profile.draft([tmp_path / "sales.xlsx"]).sources["sales"]["header"] == 2
