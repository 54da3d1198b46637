"""Columns: what may come back every year, and how much of it so many periods can bear."""

import numpy as np
import pandas as pd
import pytest

from dataops_nb.links import memory, regular, seasons


def weeks(first, count):
    starts = pd.date_range(first, periods=count, freq="7D")
    return starts, starts + pd.Timedelta(days=6)


def test_a_season_is_known_from_two_years_on():
    assert not seasons.Blocks.of(*weeks("2024-01-01", 103), "week").shapes
    assert seasons.Blocks.of(*weeks("2024-01-01", 104), "week").shapes


def test_the_turn_of_the_year_advent_and_easter_are_counted_in_days():
    starts, _ = weeks("2024-01-01", 130)
    turn, advent, before, after = seasons.holidays(*weeks("2024-01-01", 130)).T
    assert turn.sum() == 1 + 9 + 9
    assert advent.sum() == 30 + 30
    holy = starts[before == 7]
    assert list(holy) == list(pd.to_datetime(["2024-03-25", "2025-04-14", "2026-03-30"]))
    assert list(starts[after == 7]) == list(holy + pd.Timedelta(days=7))


@pytest.mark.parametrize(
    ("grain", "freq", "count"), [("day", "D", 800), ("month", "MS", 48), ("quarter", "QS", 20)]
)
def test_no_column_is_a_sum_of_others(grain, freq, count):
    starts = pd.date_range("2022-01-01", periods=count, freq=freq)
    ends = starts[1:].append(pd.DatetimeIndex([starts[-1] + (starts[-1] - starts[-2])]))
    columns = seasons.Blocks.of(starts, ends - pd.Timedelta(days=1), grain).columns
    assert np.linalg.matrix_rank(columns) == columns.shape[1]
    assert columns.shape[1] <= seasons.BEARABLE * count


def test_the_products_of_columns_give_the_triangle_that_their_decomposition_gives() -> None:
    columns = np.random.default_rng(3).standard_normal((5, 60, 7))
    columns[4, :, 5] = columns[4, :, 0] + columns[4, :, 2]

    shape, is_clear = memory.triangles(columns.transpose(0, 2, 1) @ columns)

    assert is_clear.tolist() == [True] * 4 + [False]
    assert np.allclose(np.abs(shape[:4]), np.abs(np.linalg.qr(columns[:4])[1]))


def test_a_season_is_taken_out_whatever_the_level_is() -> None:
    noise, angle = np.random.default_rng(5).standard_normal(130), np.arange(130) * np.pi / 26
    low = np.array([noise + 3 * np.sin(angle)])

    plain = regular.clear(low, *weeks("2023-01-02", 130), "week")
    far = regular.clear(low + 1e7, *weeks("2023-01-02", 130), "week")

    assert np.allclose(plain.values, far.values, atol=1e-6)
