"""What became of the lights and chances that were published."""

from __future__ import annotations

import datetime as dt
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import board, history, story, tables
from dataops_nb.pacing import track_record
from tests import sentences as checker

DAY = dt.date(2026, 11, 18)


def row(period="2026-W47", light="green", p_hit=0.7, **other):
    said = {
        "metric": "won",
        "grain": "week",
        "period": period,
        "light": light,
        "reason": None,
        "on_pace": True,
    }
    return {**said, "attainment": 1.05, "landing": 47.0, "p_hit": p_hit, **other}


def keep(out, *rows, as_of=DAY, run="r1"):
    return history.keep_lights(out, rows, as_of=as_of, report="sales", run=run)


# --- keeping ------------------------------------------------------------------------------------------------------------


def test_a_published_light_is_a_row_of_a_csv_file(tmp_path):
    keep(
        tmp_path,
        row(),
        row("2026-W46", "unknown", math.nan, reason="no data", on_pace=False, landing=None),
    )
    assert (tmp_path / "history" / "lights.csv").read_text().splitlines() == [
        "metric,grain,period,as_of,light,reason,on_pace,attainment,landing,p_hit,report,run",
        "won,week,2026-W47,2026-11-18,green,,true,1.05,47,0.7,sales,r1",
        "won,week,2026-W46,2026-11-18,unknown,no data,false,1.05,,,sales,r1",
    ]


def test_the_same_light_is_not_written_again_and_of_two_for_one_day_the_last_counts(tmp_path):
    assert [
        keep(tmp_path, row()),
        keep(tmp_path, row(), run="r2"),
        keep(tmp_path, row(light="red")),
    ] == [1, 0, 1]
    found = history.published_lights(tmp_path)
    assert found[["light", "on_pace", "p_hit", "as_of"]].values.tolist() == [
        ["red", True, 0.7, pd.Timestamp(DAY)]
    ]


def test_a_damaged_line_is_left_out_and_the_others_count(tmp_path):
    keep(tmp_path, row(), row("2026-W46"))
    path = tmp_path / "history" / "lights.csv"
    path.write_text(path.read_text().replace("0.7", "often", 1))
    assert list(history.published_lights(tmp_path)["period"]) == ["2026-W46"]


# --- judging ------------------------------------------------------------------------------------------------------------


def table(**attained):
    rows = [{"metric": "won", "segment": None, "grain": "week", "period": period.replace("_", "-"), "complete": True,
             "attainment": share} for period, share in attained.items()]  # fmt: skip
    return pd.DataFrame(rows)


def lights(*said):
    rows = [
        {**row(period, light, p_hit), "as_of": pd.Timestamp(day)}
        for period, light, p_hit, day in said
    ]
    return pd.DataFrame(rows)


def test_a_forecast_hit_where_its_closed_period_met_the_target():
    said = lights(("2026-W46", "green", 0.8, "2026-11-10"), ("2026-W45", "red", 0.1, "2026-11-04"))
    found = track_record.forecasts(table(**{"2026_W45": 1.0, "2026_W46": 0.99}), said, as_of=DAY)
    assert found[["period", "light", "hit"]].values.tolist() == [
        ["2026-W45", "red", True],
        ["2026-W46", "green", False],
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"complete": False},
        {"attainment": math.nan},
        {"period": "2026-W48"},
        {"grain": "month"},
        {"segment": "a=b"},
    ],
)
def test_what_is_not_closed_or_has_no_target_proves_nothing(changes):
    said = lights(("2026-W46", "green", 0.8, "2026-11-10"))
    assert (
        len(track_record.forecasts(table(**{"2026_W46": 1.1}).assign(**changes), said, as_of=DAY))
        == 0
    )


def test_only_lights_of_unfinished_periods_on_earlier_days_count():
    said = lights(("2026-W46", "green", 0.8, "2026-11-18"), ("2026-W46", "red", 0.8, "2026-11-17"))
    closed = said.assign(on_pace=False)
    found = track_record.forecasts(table(**{"2026_W46": 1.1}), pd.concat([said, closed]), as_of=DAY)
    assert found["light"].tolist() == ["red"]


def test_a_score_counts_what_green_and_red_became_and_scores_chances_by_brier():
    """Brier (1950): the mean of (0.8 - 1)², (0.6 - 0)² and (0.1 - 0)² is 0.41 / 3."""
    found = pd.DataFrame({"metric": "won", "period": ["a", "b", "b", "c"], "light": ["green", "green", "red", "red"],
                          "p_hit": [0.8, 0.6, 0.1, math.nan], "hit": [True, False, False, True]})  # fmt: skip
    said = track_record.score(found)
    assert (said.periods, said.green, said.green_not, said.red, said.red_hit, said.chances) == (
        3,
        2,
        1,
        2,
        1,
        3,
    )
    assert said.brier == pytest.approx(0.41 / 3)
    assert said.calibration["cases"].tolist() == [1, 0, 0, 1, 1]
    assert said.calibration["came"].tolist()[3:] == [0.0, 1.0]
    assert not said.tells


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30))
def test_every_chance_is_in_one_fifth_and_brier_lies_between_perfect_and_wrong(given_):
    found = pd.DataFrame({"metric": "m", "period": [str(i) for i in range(len(given_))], "light": "green",
                          "p_hit": [p for p, _ in given_], "hit": [h for _, h in given_]}).astype({"p_hit": float})  # fmt: skip
    said = track_record.score(found)
    assert said.calibration["cases"].sum() == said.chances == len(given_)
    assert math.isnan(said.brier) if not given_ else 0 <= said.brier <= 1


# --- saying -------------------------------------------------------------------------------------------------------------

SUNDAY = dt.date(2026, 11, 22)
METRIC = "won: {type: simple, measure: {source: s, agg: sum, expr: n}, lights: standard, targets: [{per: week, value: 45}]}"


def made(company, tmp_path, weeks=20):
    days = [SUNDAY - dt.timedelta(days=i) for i in range(7 * 30)]
    rows = (
        "on,n\n"
        + "\n".join(f"{day},{6 if (day - SUNDAY).days % 14 < 7 else 7}" for day in days)
        + "\n"
    )
    out = tmp_path / "out"
    for ago in range(1, weeks + 1):
        ends = SUNDAY - dt.timedelta(weeks=ago)
        period = f"2026-W{ends.isocalendar().week:02}"
        light, p_hit = ("green", 0.9) if ago % 2 == 0 else ("red", 0.2)
        keep(out, row(period, light, p_hit), as_of=ends - dt.timedelta(days=2))
    catalog = company(
        "s: {system: CRM, path: s.csv, time: on}", METRIC, {"s.csv": rows}, as_of=SUNDAY.isoformat()
    )
    return board.measure(catalog, ["won"], memory=history.Folder(out))


def sentences(this):
    said = story.track(this).sentences
    assert [wrong for each in said for wrong in checker.wrong(each)] == []
    return [each.text for each in said]


def test_a_report_says_what_became_of_its_lights_and_how_good_its_chances_were(company, tmp_path):
    this = made(company, tmp_path)
    assert sentences(this) == [
        "Forecast green, then missed target: 0 of 10.",
        "Forecast red, then met target: 0 of 10.",
        "How good our forecasts were: Brier score 0.03 over 20 (zero is perfect, a quarter is a coin toss).",
    ]  # fmt: skip
    shown = str(tables.track(this))
    assert "20% to 40% | 10 | 20% | 0%" in shown
    assert "40% to 60% | 0 | too few | too few" in shown


def test_while_there_are_too_few_it_says_so(company, tmp_path):
    assert sentences(made(company, tmp_path, 3)) == [
        "Forecast record: 3 weeks so far; 12 are needed to judge it."
    ]


def test_without_any_it_says_that_there_is_none_yet(company, tmp_path):
    assert sentences(made(company, tmp_path, 0)) == [
        "No forecast record yet: no week with a forecast has ended."
    ]


def test_the_record_carries_the_lights_to_be_remembered(company, tmp_path):
    payload = story.record(made(company, tmp_path, 0)).payload
    assert [(each["period"], each["on_pace"]) for each in payload["lights"]] == [
        ("2026-W47", False)
    ]
