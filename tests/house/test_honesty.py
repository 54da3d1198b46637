"""The error rates that the documentation states, by a small simulation each; the large ones are marked slow."""

import math

import honesty
import judging
import pytest

from dataops_nb.limits.xmr import FALSE_ALARM

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("memory", "n"), [(0.5, 52), (1.0, 104)])
def test_few_boards_of_twenty_independent_inputs_show_a_link(memory, n):
    count = 100
    assert honesty.false_boards(count, n, memory) <= 0.05 + 2 * honesty.error(0.05, count)


@pytest.mark.slow
@pytest.mark.parametrize("n", [52, 104])
@pytest.mark.parametrize("memory", honesty.MEMORIES.values())
def test_of_two_thousand_boards_of_twenty_inputs_at_most_five_percent_show_a_link(memory, n):
    count = 2000
    assert honesty.false_boards(count, n, memory) <= 0.05 + 2 * honesty.error(0.05, count)


def test_an_effect_that_is_there_is_found_more_often_where_it_is_larger():
    small, large = (honesty.power(50, 104, 0.0, r) for r in (0.3, 0.6))
    assert large > 0.9
    assert small < large


def test_stable_metrics_show_signals_as_often_as_stated():
    for name, (stated, found) in honesty.false_signals(4000).items():
        assert found == pytest.approx(stated, abs=3 * honesty.error(stated, 4000) + 0.005), name


def test_the_newest_point_of_a_stable_series_is_a_signal_as_often_as_boards_say():
    rng = honesty.np.random.default_rng(5)
    rows, n = 6000, 52
    series = rng.standard_normal((rows, n))
    center = honesty.np.repeat(series.mean(axis=1), n)
    reach = honesty.np.repeat(2.66 * abs(honesty.np.diff(series, axis=1)).mean(axis=1), n)
    found = honesty.marks(
        series.ravel(), honesty.np.repeat(honesty.np.arange(rows), n), center, reach
    )
    share = float((found.reshape(rows, n)[:, -1] > 0).mean())
    assert share == pytest.approx(FALSE_ALARM, abs=3 * honesty.error(0.01, rows) + 0.001)


@pytest.mark.parametrize(("target", "yellow"), [(100, 0.95), (105, 0.9), (120, 0.85)])
def test_lights_change_by_luck_as_often_as_their_line_says(target, yellow):
    happened, said = honesty.lucky_changes(600, target, yellow)
    assert said == pytest.approx(happened, abs=1)


@pytest.mark.slow
def test_what_was_planted_in_the_sample_company_is_found_on_ten_of_eleven_seeds():
    found = honesty.pd.DataFrame([honesty.planted(seed) for seed in (20, *range(1, 11))]).sum()
    assert found.pop("features shipped moves something") <= 1
    assert (found >= 10).all(), found.to_dict()


def test_judging_a_table_gives_a_light_to_every_series():
    rows = judging.table(20, 60, whole=True)
    judged = judging.judged(rows, judging.company(20))
    now = judged[judged["period_start"] == judged["period_start"].max()]
    assert now["on_pace"].all()
    assert now["p_hit"].between(0, 1).all()
    closed = judged[judged["complete"]]
    assert set(closed["light"]) == {"green", "yellow", "red"}
    assert closed["flips"].notna().mean() > 0.9
    assert not math.isnan(closed["center"].iloc[0])
