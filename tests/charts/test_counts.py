"""A count of periods agrees with the periods that the chart draws, or says why not."""

import pandas as pd

from dataops_nb import alignment, board, charts, status, tables
from dataops_nb.board import findings


def made(values, target=5.0):
    days = pd.date_range("2026-01-05", periods=len(values), freq="7D")
    rows = pd.DataFrame({"day": days, "n": values}).dropna()
    table = alignment.from_frame(
        rows, "m", time="day", value="n", agg="average", grain="week",
        covers=("2026-01-05", str((days[-1] + pd.Timedelta(days=6)).date())),
        as_of=str((days[-1] + pd.Timedelta(days=6)).date()),
    )  # fmt: skip
    return board.of(status.judge(table, {"m": status.Agreement(target=target)}), labels={"m": "M"})


def title(this):
    return charts.trend(this).to_dict()["title"]["text"]


def test_a_title_counts_the_periods_that_are_drawn():
    assert title(made([4.0, 6.0, 4.0, 6.0])) == "M met target in 2 of 4 weeks"


def test_a_title_says_how_many_drawn_periods_it_does_not_count():
    this = made([4.0, 6.0, None, 6.0])
    assert title(this) == "M met target in 2 of 3 weeks; 1 has no result"


def test_a_line_begins_before_the_change_that_is_told_of_it():
    this = made([10.0] * 60 + [30.0] * 40)
    told = dict.fromkeys(findings.COLUMNS) | {"metric": "m", "kind": "green decline"}
    told["since"] = pd.Timestamp("2027-03-01")
    this.__dict__["findings"] = pd.DataFrame([told])
    assert "last 48 weeks" in charts.trend(this).to_dict()["description"]
    this.__dict__["findings"] = pd.DataFrame([told]).iloc[:0]
    assert "last 26 weeks" in charts.trend(this).to_dict()["description"]


def test_a_caption_counts_the_weeks_that_are_there():
    assert "last 4 weeks" in tables.six_twelve(made([4.0, 6.0, 4.0, 6.0]), "m").caption
