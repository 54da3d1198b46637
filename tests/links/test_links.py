"""Links: what moves the North Star is found, what does not is not, and how sure that is, is shown."""

import datetime as dt
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dataops_nb import board, definitions, links, sources, story, tables
from dataops_nb.errors import DefinitionsError
from dataops_nb.links import evidence
from dataops_nb.links.pairs import Pair, in_periods
from dataops_nb.metrics import Moves
from dataops_nb.terms import Duration, parse_duration
from dataops_nb.workbench import sample

ROOT = Path(__file__).parents[2]
BH_1995 = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip  # Benjamini & Hochberg 1995, section 4.1


def drifting(rng, n, memory):
    """A series that remembers: 0 nothing, 1 everything (a random walk)."""
    noise = rng.standard_normal(n + 50)
    out = np.zeros(n + 50)
    for i in range(1, n + 50):
        out[i] = memory * out[i - 1] + noise[i]
    return out[50:]


def weekly(**columns):
    n = len(next(iter(columns.values())))
    starts = pd.date_range("2024-01-01", periods=n, freq="7D")
    return pd.DataFrame(
        {"period_start": starts, "period_end": starts + pd.Timedelta(days=6), **columns}
    )


def rows_related(causes, effects, lags=range(1, 9)):
    """Rows of causes with the same rows of effects."""
    frame = weekly(value=causes[0])
    starts, ends = (pd.DatetimeIndex(frame[name]) for name in ("period_start", "period_end"))
    every = [lags] * len(causes)
    return links.relate(starts, ends, causes, effects, lags=every, grain="week")


def related(cause, effect, lags=range(1, 9)):
    return rows_related(np.array([cause], float), np.array([effect], float), lags)[0]


def judged(inputs, target, declared=None):
    """The verdicts of one board: these inputs against one target."""
    tested = [Pair(f"x{i}", "y", declared, False) for i in range(len(inputs))]
    effects = np.array([target] * len(inputs), dtype=float)
    return links.judge(tested, rows_related(np.array(inputs, dtype=float), effects), "week")


def boards(count, n, memory, seed, inputs=5):
    """The share of boards of independent series on which something is found to move the target."""
    rng = np.random.default_rng(seed)
    causes = np.stack([drifting(rng, n, memory) for _ in range(count * inputs)])
    effects = np.repeat([drifting(rng, n, memory) for _ in range(count)], inputs, axis=0)
    tested = rows_related(causes, effects)
    hits = 0
    for first in range(0, len(tested), inputs):
        p = np.concatenate([pair.p for pair in tested[first : first + inputs]])
        hits += bool((evidence.adjusted(p) <= evidence.Q).any())
    return hits / count


def moved_by(cause, lag, r, rng, memory=0.0):
    effect = drifting(rng, len(cause), memory) * math.sqrt(1 - r * r)
    effect[lag:] += r * cause[:-lag]
    return effect


# --- the procedure ------------------------------------------------------------------------------------------------------


def test_of_fifteen_published_p_values_three_are_rejected_where_no_false_one_may_be():
    # Benjamini and Hochberg say so of the procedures that control the chance of any false find
    assert int((evidence.adjusted(np.array(BH_1995)) <= 0.05).sum()) == 3


def test_adjusted_p_values_keep_their_places_and_never_fall_below_the_p_value():
    p = np.array([0.04, 0.001, 0.5, 0.03])
    q = evidence.adjusted(p)
    assert (q >= p).all()
    assert q == pytest.approx([0.09, 0.004, 0.5, 0.09])  # by hand: 4, 3, 2 and 1 times


@pytest.mark.long
def test_a_naive_search_finds_a_driver_for_most_independent_random_walks():
    rng = np.random.default_rng(5)
    n, hits = 52, 0
    for _ in range(200):
        x, y = drifting(rng, n, 1.0), drifting(rng, n, 1.0)
        hits += any(
            abs(np.corrcoef(x[: n - lag], y[lag:])[0, 1]) > 2 / math.sqrt(n) for lag in range(9)
        )
    assert hits / 200 > 0.7


@pytest.mark.long
@pytest.mark.parametrize(("memory", "n"), [(0.0, 52), (0.8, 130), (1.0, 52), (1.0, 130)])
def test_few_boards_on_which_nothing_moves_anything_show_a_driver(memory, n):
    count = 200
    assert boards(count, n, memory, seed=41) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / count)


@pytest.mark.slow
@pytest.mark.parametrize("n", [52, 130])
@pytest.mark.parametrize("memory", [0.0, 0.5, 0.8, 1.0])
def test_of_two_thousand_boards_at_most_five_percent_show_a_false_driver(memory, n):
    count = 2000
    assert boards(count, n, memory, seed=7) <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / count)


def test_metrics_that_move_together_are_no_drivers_of_each_other():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(60):
        shared = drifting(rng, 130, 0.8)
        both = [shared + 0.3 * rng.standard_normal(130) for _ in range(2)]
        found.append(judged([both[0]], both[1])["verdict"].iloc[0])
    assert found.count("moves") <= 60 * 0.05 + 2 * math.sqrt(60 * 0.05 * 0.95)


@pytest.mark.long
@pytest.mark.parametrize(("memory", "least"), [(0.0, 0.68), (0.8, 0.62)])
def test_three_of_four_useful_effects_are_found_among_160_tests(memory, least):
    rng = np.random.default_rng(9)
    hurdle, count = evidence.level(0, 160), 300
    causes = [drifting(rng, 130, memory) for _ in range(count)]
    effects = [moved_by(cause, 3, 0.4, rng, memory) for cause in causes]
    tested = rows_related(np.stack(causes), np.stack(effects))
    hits = [bool(pair.p[2] <= hurdle) for pair in tested]
    assert np.mean(hits) >= least  # 80 % and 73 % in 300 draws, less a wide margin


def test_the_power_that_is_claimed_is_nearly_the_power_there_is():
    rng = np.random.default_rng(1)
    claimed = related(rng.standard_normal(130), rng.standard_normal(130)).power(
        0.4, evidence.level(0, 160), 3
    )
    assert claimed == pytest.approx(0.81, abs=0.03)  # 80 % in 300 draws


# --- one pair -----------------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("size", [0.2, 0.7])
def test_a_planted_effect_is_found_at_its_lag_with_its_size(size):
    rng = np.random.default_rng(2)
    covered, count = 0, 60
    for _ in range(count):
        cause = 50 + 5 * rng.standard_normal(134)
        effect = 100 + rng.standard_normal(130) + size * cause[:-4]
        row = judged([cause[4:]], effect).iloc[0]
        assert (row["verdict"], row["lag"]) == ("moves", 4)
        assert row["effect"] == pytest.approx(size, abs=0.1)
        covered += bool(row["effect_low"] < size < row["effect_high"])
    assert covered / count >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / count)


def test_trend_and_season_alone_move_nothing():
    rng = np.random.default_rng(4)
    week = np.arange(130)
    season = 30 * np.cos(2 * np.pi * week / 52.18) + 0.5 * week
    found = [
        judged([season + rng.standard_normal(130)], season + rng.standard_normal(130))
        for _ in range(40)
    ]
    assert sum((each["verdict"] == "moves").sum() for each in found) <= 5


def test_one_odd_week_in_both_is_no_link():
    rng = np.random.default_rng(6)
    cause, effect = rng.standard_normal(80), rng.standard_normal(80)
    cause[40], effect[43] = 60, 60
    assert judged([cause], effect)["verdict"].iloc[0] != "moves"


def test_a_long_series_without_an_effect_does_not_move():
    rng = np.random.default_rng(8)
    row = judged([rng.standard_normal(300)], rng.standard_normal(300)).iloc[0]
    assert row["verdict"] == "does not"
    assert row["power"] > 0.99
    assert pd.isna(row["periods_needed"])


def test_a_short_series_cannot_tell_and_says_how_long_it_must_be():
    rng = np.random.default_rng(8)
    row = judged([rng.standard_normal(40)], rng.standard_normal(40)).iloc[0]
    assert row["verdict"] == "cannot tell"
    longer = related(
        rng.standard_normal(40 + row["periods_needed"]),
        rng.standard_normal(40 + row["periods_needed"]),
    )
    assert longer.power(0.4, evidence.Q / 8, 8) >= 0.8


@pytest.mark.parametrize("values", [[], [1.0] * 15, [3.0] * 130, [0.1 * i for i in range(130)]])
def test_series_that_are_short_or_foreseen_altogether_have_no_effect(values):
    row = judged([np.array(values)], np.arange(len(values)) % 7.0).iloc[0]
    assert row["verdict"] == "cannot tell"
    assert pd.isna(row["lag"])
    assert pd.isna(row["effect"])
    assert row["periods_needed"] > 0


def test_a_useful_effect_that_is_smaller_takes_longer_to_exclude():
    rng = np.random.default_rng(8)
    cause, effect = rng.standard_normal(200), rng.standard_normal(200)
    small = judged([cause], effect, Moves(metric="y", useful=0.2)).iloc[0]
    assert judged([cause], effect).iloc[0]["verdict"] == "does not"
    assert small["verdict"] == "cannot tell"
    assert small["reason"] == "too little data"
    assert pd.isna(small["periods_needed"])  # more than two years: nobody waits for that


def test_moving_within_one_week_does_not_tell_which_moves_which():
    rng = np.random.default_rng(12)
    cause = rng.standard_normal(300)
    row = judged([cause], cause + 0.5 * rng.standard_normal(300), Moves(metric="y")).iloc[0]
    assert row["together"]
    assert (row["verdict"], row["contradicted"]) == ("cannot tell", False)


def test_a_declared_link_is_contradicted_by_no_effect_and_by_the_other_direction():
    rng = np.random.default_rng(13)
    cause = rng.standard_normal(200)
    none = judged([cause], rng.standard_normal(200), Moves(metric="y")).iloc[0]
    other = judged([cause], -moved_by(cause, 2, 0.8, rng), Moves(metric="y")).iloc[0]
    meant = judged(
        [cause], -moved_by(cause, 2, 0.8, rng), Moves(metric="y", effect="opposite")
    ).iloc[0]
    assert [row["contradicted"] for row in (none, other, meant)] == [True, True, False]
    assert [row["verdict"] for row in (none, other, meant)] == ["does not", "moves", "moves"]


def test_an_unbroken_run_up_to_the_last_value_is_used():
    cause = np.array([1.0, np.nan, 3.0, 4.0, 5.0, np.nan])
    effect = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert links.overlap(cause, effect) == (2, 5)
    assert links.overlap(cause, cause * np.nan) == (0, 0)


# --- which pairs, which lags, what is busy --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "grain", "lag"),
    [
        ("2w", "week", 2),
        ("6w", "month", 1),
        ("3 months", "week", 13),
        ("3d", "week", 1),
        ("2 periods", "month", 2),
    ],
)
def test_a_declared_lag_is_counted_in_periods_of_the_grain(said, grain, lag):
    assert in_periods(parse(said), grain) == lag


def parse(said):
    return Duration(**parse_duration(said))


def test_lags_reach_eight_periods_or_two_beyond_the_declared_one():
    assert list(Pair("x", "y", None, False).lags("week")) == list(range(1, 9))
    assert Pair("x", "y", Moves(metric="y", after=parse("3 months")), False).lags("week")[-1] == 15


def test_a_rise_is_measured_against_the_same_weeks_a_year_before():
    rng = np.random.default_rng(1)
    flat = pd.Series(100 + rng.standard_normal(130))
    up = flat.copy()
    up.iloc[-13:] *= 1.3
    assert links.risen(flat, "week") is None
    assert links.risen(up, "week") == pytest.approx(0.3, abs=0.02)
    assert links.risen(up, "week", "down") is None
    assert links.risen(flat.iloc[:20], "week") is None


def test_a_useful_effect_is_a_partial_correlation(company):
    with pytest.raises(DefinitionsError, match="useful"):
        company(
            "s: {system: A, path: s.csv, time: on}",
            "x: {type: simple, measure: {source: s, agg: count}, moves: [{metric: x, useful: 3}]}",
            {},
        )


def test_every_input_meets_every_north_star_and_a_cumulative_one_is_tested_on_its_flow(company):
    rng = np.random.default_rng(5)
    x = rng.integers(5, 30, 130)
    y = np.concatenate([[40, 40], 2 * x[:-2]]) + rng.integers(0, 5, 130)
    z = rng.integers(5, 30, 130)
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=7 * i) for i in range(130)]
    rows = "on,x,y,z\n" + "".join(
        f"{day},{a},{b},{c}\n" for day, a, b, c in zip(days, x, y, z, strict=True)
    )
    metrics = """
    x: {type: simple, measure: {source: s, agg: sum, expr: x}, moves: [{metric: total, after: 2w}]}
    y: {type: simple, measure: {source: s, agg: sum, expr: y}}
    total: {type: cumulative, metric: y, window: 12 months}
    other: {type: simple, measure: {source: s, agg: sum, expr: z}}
    """
    made = company(
        "s: {system: A, path: s.csv, time: on}",
        metrics,
        {"s.csv": rows},
        as_of="2026-06-28",
        extra="north_star: [total, other]",
    )
    with made as catalog:
        found = links.of_company(catalog).set_index(["input", "target"])
    assert list(found.index) == [("x", "total"), ("x", "other"), ("y", "total"), ("y", "other")]
    row = found.loc[("x", "total")]
    assert (row["verdict"], row["lag"], row["declared"]) == ("moves", 2, True)
    assert row["effect"] == pytest.approx(2, abs=0.15)
    assert found.loc[("y", "total"), "is_part"]
    assert not found.loc[("y", "total"), "rocking_chair"]


# --- the sample company ---------------------------------------------------------------------------------------------------

END = dt.date(2026, 11, 22)


@pytest.fixture(
    scope="module",
    params=[
        20,
        pytest.param(1, marks=pytest.mark.long),
        *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4)),
    ],
)
def lumen(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"lumen{request.param}")
    sample.write(folder, seed=request.param, end=END, weeks=130)
    return folder


@pytest.fixture(scope="module")
def verdicts(lumen):
    with sources.open(definitions.load(ROOT / "params"), lumen, END) as catalog:
        return links.of_company(catalog).set_index(["input", "target"])


@pytest.mark.long
def test_qualified_meetings_move_new_customers_three_weeks_later(verdicts):
    row = verdicts.loc[("meetings_qualified", "new_customers")]
    assert (row["verdict"], row["lag"], row["contradicted"]) == ("moves", 3, False)
    assert row["effect_low"] > 0.3
    assert row["effect_high"] < 0.6


def test_sad_customers_move_the_churn_rate_six_weeks_later(verdicts):
    row = verdicts.loc[("sad", "churn_rate")]
    assert (row["verdict"], row["lag"]) == ("moves", 6)
    assert row["effect_low"] > 0


def test_booked_meetings_are_the_rocking_chair_and_qualified_ones_are_not(verdicts):
    row = verdicts.loc[("meetings_booked", "new_customers")]
    assert row["rocking_chair"]
    assert row["declared"]
    assert row["verdict"] != "moves"
    assert row["rise"] > 0.2
    assert not verdicts.loc["meetings_qualified", "rocking_chair"].any()


def test_shipped_features_move_nothing(verdicts):
    assert (verdicts.loc["features_shipped", "verdict"] != "moves").all()
    assert verdicts.loc[("features_shipped", "signups"), "rocking_chair"]


def test_won_deals_are_customers_in_the_same_week_which_is_no_contradiction(verdicts):
    row = verdicts.loc[("closed_won", "new_customers")]
    assert row["together"]
    assert not row["contradicted"]


@pytest.mark.long
def test_the_story_says_what_moves_and_what_rocks_from_facts(tmp_path):
    sample.write(tmp_path, seed=20, end=END, weeks=130)
    known = definitions.load(ROOT / "params")
    with sources.open(known, tmp_path, END) as catalog:
        this = board.measure(catalog, list(known.departments["sdr"].metrics), department="sdr")
        before = {fact["id"] for fact in story.record(this).payload["facts"]}
        told = story.links(this).sentences
        recorded = {fact["id"] for fact in story.record(this, links=True).payload["facts"]}
        table = tables.links(this)
    assert re.fullmatch(
        r"Meetings booked rose \d\d(\.\d)?% from a year earlier, with no effect seen on new customers\.",
        told[0].text,
    )
    assert any(
        "Qualified meetings: every meeting more has been followed, 3 weeks later, by new customers 0.47 higher"
        in each.text
        for each in told
    )
    assert {name for each in told for name in each.facts} <= recorded
    assert not any("verdict_on" in name for name in before)
    assert ["Meetings booked", "New customers"] in [list(row[:2]) for row in table.rows]
    assert "16 pairs" in table.caption
