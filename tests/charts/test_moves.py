"""The chart of moves says in words what it draws."""

from __future__ import annotations

import pandas as pd
import pytest

from dataops_nb import alignment, board, charts, limits, status

STEADY = [10, 12, 11, 13, 12, 10, 11, 12, 13, 11, 10, 12, 11, 12, 13, 12]


def drawn(values: list[float]):
    days = pd.date_range("2026-01-05", periods=len(values), freq="7D")
    frame = pd.DataFrame({"on": days, "v": values})
    table = alignment.from_frame(
        frame, "visits", time="on", value="v", agg="sum", covers=(days[0], days[-1] + pd.Timedelta(days=6)),
        as_of=days[-1] + pd.Timedelta(days=6),
    )  # fmt: skip
    judged = status.judge(limits.add_limits(table), {"visits": status.Agreement(target=9)})
    return charts.moving_range(board.of(judged))


def test_a_jump_there_and_back_is_two_unusual_moves():
    spec = drawn([*STEADY, 30, 12]).to_dict()
    assert spec["title"]["text"] == "Moves of visits from week to week: 2 unusual"
    assert "Unusual: week 18, week 19" in spec["description"]
    assert any(layer["mark"].get("shape") == "triangle-up" for layer in spec["layer"])


def test_steady_moves_are_said_to_be_usual():
    spec = drawn(STEADY).to_dict()
    assert spec["title"]["text"].endswith("none unusual")
    assert len(spec["layer"]) == 3


@pytest.mark.parametrize("values", [[10]])
def test_one_value_makes_no_move(values):
    assert str(drawn(values)) == "Visits: no two weeks to compare."
