"""A chart of an analyst's own: it has our numbers and days, in the locale of the company."""

from __future__ import annotations

import re

import altair as alt
import pandas as pd
import pytest
import vl_convert

from dataops_nb import alignment, board, numbers, status
from dataops_nb.charts import look
from tests import shop


@pytest.fixture
def german():
    numbers.settle("de_DE")
    yield
    numbers.settle(numbers.DEFAULT)


def written(chart) -> list[str]:
    return re.findall(r">([^<>]+)</text>", vl_convert.vegalite_to_svg(chart.to_dict()))


def own(days, values) -> alt.Chart:
    rows = pd.DataFrame({"day": pd.to_datetime(days), "x": values})
    return alt.Chart(rows).mark_line().encode(x="day:T", y="x:Q")


def test_an_own_chart_has_the_signs_and_months_of_the_companys_locale(german):
    texts = written(own(["2026-01-01", "2026-06-30"], [0, 1_000_000]))
    assert {"200.000", "März"} <= set(texts)


def test_an_own_chart_writes_days_as_the_pages_do():
    assert "20 Nov" in written(own(["2026-11-18", "2026-11-24"], [0, 1]))


def test_the_last_board_decides_whose_locale_it_is(german):
    table = alignment.from_frame(shop.orders(), "m", time="ordered_on", value="amount", agg="sum")
    board.of(status.judge(table, {}), lead="m")
    assert numbers.home() == numbers.DEFAULT


@pytest.mark.parametrize(("unit", "tick"), [("hours", "0.6"), ("USD", "$0.6")])
def test_an_axis_has_no_letters_for_thousandths(unit, tick):
    rows = pd.DataFrame({"x": [0.0, 0.5, 1.0]})
    axis = look.value_axis(unit)
    texts = written(alt.Chart(rows).mark_point().encode(x=alt.X("x:Q", axis=axis)))
    assert tick in texts
