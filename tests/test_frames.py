"""A plain DataFrame and a company's files give the same metric table; nothing is read, written or changed."""

import datetime as dt
import io
import json
import warnings
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import (
    alignment,
    board,
    drivers,
    limits,
    links,
    pacing,
    periods,
    reconciliation,
    status,
    story,
)
from dataops_nb.alignment import comparisons, progress
from dataops_nb.errors import DataopsError, UsageError
from tests import shop

SAME = ["segment", "period", "period_start", "period_end", "value", "n", "complete", "coverage", "data_to"]  # fmt: skip
COMPARED = [
    "previous", "same_last_year", "mtd", "qtd", "ytd", "mtd_last_year", "qtd_last_year", "ytd_last_year",
    "previous_complete", "same_last_year_complete", "so_far",
]  # fmt: skip


def by_files(where, metric, as_of, grain="week"):
    """The metric table of a workbench, with what a board adds before it judges."""
    rows = shop.opened(where, as_of)
    table = alignment.align(
        rows, [metric], grain=grain, end=rows.as_of, start=rows.span()[0], by="declared"
    )
    return progress.add_so_far(comparisons.compare(table, rows), rows)


def assert_same(plain, filed):
    columns = [*SAME, *COMPARED]
    pd.testing.assert_frame_equal(
        plain[columns].reset_index(drop=True),
        filed[columns].reset_index(drop=True),
        check_dtype=False,
        rtol=1e-12,
    )


# --- README's shop, both ways -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_of", ["2026-11-15", "2026-11-12"])
@pytest.mark.parametrize("grain", ["day", "week", "month", "quarter", "year"])
def test_readmes_revenue_is_the_same_both_ways(tmp_path, as_of, grain):
    plain = alignment.from_frame(
        shop.orders(),
        "amount",
        time="ordered_on",
        value="amount",
        by="channel",
        grain=grain,
        as_of=as_of,
    )
    assert_same(plain, by_files(shop.folder(tmp_path), "amount", as_of, grain))


@pytest.mark.parametrize(
    ("metric", "how"),
    [
        ("orders", {"agg": "count"}),
        ("new_customers", {"agg": "first_seen", "value": "customer"}),
    ],
)
def test_readmes_counts_are_the_same_both_ways(tmp_path, metric, how):
    plain = alignment.from_frame(
        shop.orders(), metric, time="ordered_on", as_of="2026-11-15", **how
    )
    assert_same(plain, by_files(shop.folder(tmp_path), metric, "2026-11-15"))


def test_readmes_shop_is_judged_the_same_both_ways(tmp_path):
    rows = shop.opened(shop.folder(tmp_path), "2026-11-12")
    filed = board.measure(rows, ["amount"]).table
    plain = alignment.from_frame(
        shop.orders(), "amount", time="ordered_on", value="amount", as_of="2026-11-12"
    )
    agreed = {"amount": status.Agreement(target=300, yellow=0.85)}
    paced = pacing.add_pace(plain, agreed, "2026-11-12", flows=["amount"])
    judged = status.judge(paced, agreed)
    added = [
        "target",
        "attainment",
        "light",
        "reason",
        "on_pace",
        "expected",
        "pace",
        "landing",
        "p_hit",
    ]
    columns = [*SAME, *COMPARED, *added]
    pd.testing.assert_frame_equal(judged[columns], filed[columns], check_dtype=False)


def test_readmes_board_says_the_same_both_ways(tmp_path):
    from dataops_nb import story

    filed = board.measure(shop.opened(shop.folder(tmp_path), "2026-11-15"), ["amount"])
    plain = alignment.from_frame(
        shop.orders(), "amount", time="ordered_on", value="amount", by="channel", as_of="2026-11-15"
    )
    judged = status.judge(plain, {"amount": status.Agreement(target=300, yellow=0.85)})
    this = board.of(judged, labels={"amount": "Revenue"}, units={"amount": "EUR"}, currency="EUR")
    for say in (story.headline, story.lines, story.now, story.movement, story.explained):
        assert str(say(this)) == str(say(filed))


# --- every kind of metric, calendar and clock ------------------------------------------------------------------------

ROWS = """id,at,who,amount,team
1,2025-01-06,ada,10,a
2,2025-02-03,ben,20.5,b
3,2025-02-03,ada,,b
4,2025-03-31,cyd,5,
5,2025-11-29,ben,7,a
6,2026-01-03,ada,11,b
7,2026-01-04,eve,13,a
8,2026-02-28,ada,17,b
"""
KINDS = [
    {"agg": "count"},
    {"agg": "count", "value": "amount"},
    {"agg": "sum", "value": "amount"},
    {"agg": "average", "value": "amount"},
    {"agg": "min", "value": "amount"},
    {"agg": "max", "value": "amount"},
    {"agg": "median", "value": "amount"},
    {"agg": "count_distinct", "value": "who"},
    {"agg": "first_seen", "value": "who"},
    {"agg": "sum", "value": "amount", "at": "end"},
    {"agg": "sum", "value": "amount", "where": "amount > 6"},
    {"agg": "count_distinct", "value": "who", "window": "3 months"},
    {"agg": "sum", "value": "amount", "window": "12 weeks"},
]
CALENDARS = {
    "usual": ("", {}),
    "sunday": ("calendar: {week_starts: sunday}", {"week_starts": "sunday"}),
    "first week": (
        "calendar: {week_starts: saturday, week_one: january_1}",
        {"week_starts": "saturday", "week_one": "january_1"},
    ),
    "april": ("calendar: {year: {starts: april}}", {"year_starts": "april"}),
    "retail": (
        "calendar: {year: {pattern: 4-5-4, ends: saturday nearest january 31, named: start}}",
        {"pattern": "4-5-4", "ends": "saturday nearest january 31", "named": "start"},
    ),
}


def measure_yaml(how, grain):
    said = {
        "agg": how["agg"],
        "expr": how.get("value"),
        "filter": how.get("where"),
        "at": how.get("at"),
    }
    parts = ", ".join(f"{name}: {value}" for name, value in said.items() if value)
    lines = ["department: D", "defaults: {source: orders}", "metrics:"]
    if "window" in how:
        lines += [
            f"  base: {{type: simple, measure: {{{parts}}}, by: [team]}}",
            f"  m: {{type: cumulative, metric: base, window: {how['window']}, by: [team]}}",
        ]
    else:
        lines.append(f"  m: {{type: simple, measure: {{{parts}}}, by: [team]}}")
    return "\n".join(lines)


@pytest.mark.parametrize("how", KINDS, ids=lambda how: "-".join(map(str, how.values())))
def test_every_aggregation_is_the_same_both_ways(tmp_path, how):
    where = shop.folder(
        tmp_path,
        rows=ROWS,
        metrics=measure_yaml(how, "month"),
        source="time: at, columns: {id: {type: integer}}",
    )
    rows = pd.read_csv(io.StringIO(ROWS))
    plain = alignment.from_frame(
        rows, "m", time="at", by="team", grain="month", as_of="2026-02-28", **how
    )
    assert_same(plain, by_files(where, "m", "2026-02-28", "month"))


@pytest.mark.parametrize("name", CALENDARS)
@pytest.mark.parametrize("grain", ["week", "month", "year"])
def test_every_calendar_is_the_same_both_ways(tmp_path, name, grain):
    written, words = CALENDARS[name]
    how = {"agg": "sum", "value": "amount"}
    where = shop.folder(
        tmp_path, rows=ROWS, metrics=measure_yaml(how, grain), source="time: at", calendar=written
    )
    plain = alignment.from_frame(
        pd.read_csv(io.StringIO(ROWS)),
        "m",
        time="at",
        by="team",
        grain=grain,
        as_of="2026-02-28",
        calendar=periods.calendar(**words),
        **how,
    )
    assert_same(plain, by_files(where, "m", "2026-02-28", grain))


STAMPS = """id,at,amount
1,2026-03-07T23:30:00-05:00,1
2,2026-03-08T03:30:00-04:00,2
3,2026-03-09T03:59:59+00:00,4
4,2026-03-09T04:00:00+00:00,8
5,2026-03-15T12:00:00Z,16
"""


def test_stamps_with_a_zone_are_cut_in_the_same_zone_both_ways(tmp_path):
    how = {"agg": "sum", "value": "amount"}
    metrics = measure_yaml(how, "day").replace(", by: [team]", "")
    where = shop.folder(
        tmp_path, rows=STAMPS, metrics=metrics, source="time: at", timezone="America/New_York"
    )
    plain = alignment.from_frame(
        pd.read_csv(io.StringIO(STAMPS)),
        "m",
        time="at",
        grain="day",
        timezone="America/New_York",
        as_of="2026-03-15",
        **how,
    )
    assert plain["value"].tolist() == [1, 6, 8, 0, 0, 0, 0, 0, 16]
    assert_same(plain, by_files(where, "m", "2026-03-15", "day"))


def test_a_ratio_is_the_same_both_ways(tmp_path):
    metrics = """
department: D
defaults: {source: orders}
metrics:
  amount: {type: simple, measure: {agg: sum, expr: amount}, by: [team]}
  people: {type: simple, measure: {agg: count_distinct, expr: who}, by: [team]}
  m: {type: ratio, numerator: amount, denominator: people, by: [team]}
"""
    where = shop.folder(tmp_path, rows=ROWS, metrics=metrics, source="time: at")
    rows = pd.read_csv(io.StringIO(ROWS))
    said = {"time": "at", "by": "team", "grain": "month", "as_of": "2026-02-28"}
    both = alignment.combine(
        alignment.from_frame(rows, "amount", value="amount", **said),
        alignment.from_frame(rows, "people", value="who", agg="count_distinct", **said),
        m="amount / people",
    )
    assert_same(both[both["metric"] == "m"], by_files(where, "m", "2026-02-28", "month"))


# --- what a frame may look like ----------------------------------------------------------------------------------------


def weekly(**columns):
    frame = {"day": ["2026-11-09", "2026-11-10", "2026-11-17"], "x": [1.0, 2.0, 4.0], **columns}
    return pd.DataFrame(frame)


@pytest.mark.parametrize(
    "days",
    [
        pd.to_datetime(["2026-11-09", "2026-11-10", "2026-11-17"]),
        pd.to_datetime(["2026-11-09", "2026-11-10", "2026-11-17"]).as_unit("s"),
        [dt.date(2026, 11, 9), dt.date(2026, 11, 10), dt.date(2026, 11, 17)],
        pd.PeriodIndex(["2026-11-09", "2026-11-10", "2026-11-17"], freq="D"),
        ["2026-11-09 23:59:59", "2026-11-10", "2026-11-17T00:00:00"],
        pd.array(["2026-11-09", "2026-11-10", "2026-11-17"], dtype="string"),
    ],
)
def test_days_may_be_of_any_kind(days):
    table = alignment.from_frame(weekly(day=days), "x", time="day", value="x")
    assert table["value"].tolist() == [3, 4]


def test_the_frame_is_not_changed():
    frame = weekly(team=pd.Categorical(["a", "b", "a"]))
    before = frame.copy(deep=True)
    alignment.from_frame(frame, "x", time="day", value="x", by="team", where="x > 1")
    pd.testing.assert_frame_equal(frame, before)


def test_rows_without_a_time_are_left_out():
    table = alignment.from_frame(weekly(day=["2026-11-09", None, None]), "x", time="day", value="x")
    assert table["value"].tolist() == [1]


def test_whole_numbers_that_pandas_made_floats_name_segments_as_they_were_written():
    table = alignment.from_frame(weekly(team=[1, 2, np.nan]), "x", time="day", value="x", by="team")
    segments = table["segment"].dropna().unique().tolist()
    assert segments == ["team=(none)", "team=1", "team=2"]


def test_several_splits_stand_each_by_itself_and_a_nested_one_is_crossed():
    frame = weekly(team=["a", "b", "a"], region=["x", "x", "y"])
    table = alignment.from_frame(frame, "x", time="day", value="x", by=["team", ["team", "region"]])
    assert table["segment"].dropna().unique().tolist() == [
        "team=a", "team=b", "team=a,region=x", "team=a,region=y", "team=b,region=x",
    ]  # fmt: skip


def test_an_open_period_and_one_that_is_covered_in_part_are_not_complete():
    table = alignment.from_frame(weekly(), "x", time="day", value="x", as_of="2026-11-18")
    assert table["complete"].tolist() == [True, False]
    told = alignment.from_frame(
        weekly(),
        "x",
        time="day",
        value="x",
        as_of="2026-11-22",
        covers=("2026-11-11", "2026-11-22"),
    )
    assert told["complete"].tolist() == [False, True]


def test_rows_after_as_of_do_not_exist():
    table = alignment.from_frame(weekly(), "x", time="day", value="x", as_of="2026-11-15")
    assert table["value"].tolist() == [3]
    assert table["data_to"].iloc[0] == pd.Timestamp("2026-11-10")


def test_a_period_after_the_last_row_has_no_value_and_is_no_data():
    table = alignment.from_frame(weekly(), "x", time="day", value="x", as_of="2026-11-29")
    judged = status.judge(table, {"x": status.Agreement(target=1)})
    assert judged[["value", "light", "reason"]].iloc[-1].fillna("-").tolist() == [
        "-",
        "unknown",
        "no data",
    ]


def test_a_covered_week_without_rows_counts_zero_and_an_average_is_missing():
    said = {
        "time": "day",
        "value": "x",
        "covers": ("2026-11-02", "2026-11-22"),
        "as_of": "2026-11-22",
    }
    assert alignment.from_frame(weekly(), "x", **said)["value"].tolist() == [0, 3, 4]
    average = alignment.from_frame(weekly(), "x", agg="average", **said)["value"]
    assert average.isna().tolist() == [True, False, False]


def test_a_frame_without_rows_gives_a_table_without_rows():
    table = alignment.from_frame(weekly().iloc[:0], "x", time="day", value="x")
    assert len(table) == 0
    assert list(table.columns) == list(
        alignment.from_frame(weekly(), "x", time="day", value="x").columns
    )
    covered = alignment.from_frame(
        weekly().iloc[:0], "x", time="day", value="x", covers=("2026-11-09", "2026-11-15")
    )
    assert covered["value"].tolist() == [0]


# --- what is wrong, and the nearest right one --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ({"time": "dya"}, "did you mean 'day'"),
        ({"value": "X"}, "did you mean 'x'"),
        ({"by": "taem"}, "did you mean 'team'"),
        ({"agg": "cuont"}, "did you mean 'count'"),
        ({"agg": "mean"}, "aggregation 'mean'"),
        ({"grain": "weeks"}, "did you mean 'week'"),
        ({"timezone": "Europe/Pris"}, "did you mean 'Europe/Paris'"),
        ({"where": "y > 1"}, "has no column 'y'"),
        ({"where": "x >"}, "cannot be read"),
        ({"where": "x in (select 1)"}, "columns only"),
        ({"at": "ende"}, "did you mean 'end'"),
        ({"window": "soon"}, "no duration"),
        ({"as_of": "today"}, "no day"),
        ({"covers": ("2026-11-09",)}, "two days"),
        ({"covers": ("2026-11-09", "2026-11-01")}, "before it starts"),
        ({"value": "team"}, "is no number"),
        ({"value": None}, "needs the column"),
        ({"time": "x"}, "holds numbers"),
        ({"time": "team"}, "is no time"),
    ],
)
def test_a_mistake_names_the_nearest_right_word(said, hint):
    frame = weekly(team=["a", "b", "a"])
    with pytest.raises(UsageError, match=hint):
        alignment.from_frame(frame, "x", **({"time": "day", "value": "x"} | said))


@pytest.mark.parametrize("endless", [float("inf"), -float("inf"), "inf", Decimal("Infinity")])
def test_an_infinite_value_is_refused_with_its_row_as_in_files(endless):
    frame = weekly(x=pd.Series([1, endless, 3], dtype=object))
    with pytest.raises(
        UsageError, match=r"column 'x', row 1: .* is no finite number; leave missing"
    ):
        alignment.from_frame(frame, "x", time="day", value="x")
    with pytest.raises(UsageError, match="is no finite number"):
        alignment.from_frame(weekly(x=[1, float(endless), 3]), "x", time="day", value="x")


def test_two_systems_are_compared_by_amounts_that_are_numbers():
    sales = pd.DataFrame({"id": [1, 2], "day": "2026-11-09", "paid": [10.0, float("inf")]})
    names = {"key": "id", "amount": "paid", "time": "day"}
    with pytest.raises(UsageError, match="column 'paid', row 1: inf is no finite number"):
        reconciliation.bridge(sales.assign(paid=1.0), sales, **names)
    with pytest.raises(UsageError, match="column 'paid', row 0: 'ten' is no number"):
        reconciliation.bridge(sales.assign(paid="ten"), sales, **names)


def test_two_systems_may_call_their_columns_by_numbers():
    frame = pd.DataFrame({0: [1, 2], 1: ["2026-11-09", "2026-11-10"], 2: [5.0, 7.0]})
    made = reconciliation.bridge(frame, frame.copy(), key=0, time=1, amount=2)
    assert [float(value) for value in made["a"]] == [12.0]
    assert [float(value) for value in made["difference"]] == [0.0]


def test_columns_that_differ_in_capitals_only_are_refused_where_both_are_asked_for():
    frame = weekly().assign(X=["a", "b", "c"])
    with pytest.raises(UsageError, match="columns 'x' and 'X' differ in capitals only"):
        alignment.from_frame(frame, "x", time="day", value="x", by="X")
    with pytest.raises(UsageError, match="differ in capitals only"):
        alignment.from_frame(frame.assign(X=1), "x", time="day", value="X", where="x > 2")
    assert alignment.from_frame(frame, "x", time="day", value="x")["value"].sum() == 7


@pytest.mark.parametrize("labels", [(0, 1, 2), (("A", "day"), ("A", "x"), ("B", "team"))])
def test_columns_whose_names_are_no_texts_are_found(labels):
    frame = weekly(team=["a", "b", "a"])
    named = alignment.from_frame(frame, "x", time="day", value="x", by="team")
    day, x, team = labels
    frame.columns = pd.Index([{"day": day, "x": x, "team": team}[name] for name in frame])
    team = team if team == 2 else str(team)
    table = alignment.from_frame(frame, "x", time=day, value=x, by=team)
    assert table["value"].tolist() == named["value"].tolist()
    assert table["segment"].iloc[-1] == f"{team}=b"


def test_a_zone_may_be_an_object():
    stamps = pd.to_datetime(["2026-11-09 02:00", "2026-11-09 06:00", "2026-11-10 00:00"], utc=True)
    table = alignment.from_frame(
        weekly(day=stamps),
        "x",
        time="day",
        value="x",
        grain="day",
        timezone=ZoneInfo("America/New_York"),
    )
    assert table["period"].tolist() == ["2026-11-08", "2026-11-09"]


@pytest.mark.parametrize(
    ("cells", "asked", "what"),
    [
        ([[1], [2], [1]], {"agg": "count_distinct"}, "column 'x' holds lists"),
        ([1, 2, 3], {"by": ""}, "a column without a name"),
    ],
)
def test_what_cannot_be_told_apart_or_named_is_refused(cells, asked, what):
    frame = weekly(x=cells).assign(**{"": "a"})
    with pytest.raises(UsageError, match=what):
        alignment.from_frame(frame, "x", **({"time": "day", "value": "x"} | asked))


def test_whole_numbers_beyond_64_bits_are_added_up():
    frame = weekly(x=pd.Series([2**70, 1, None], dtype=object))
    table = alignment.from_frame(frame, "x", time="day", value="x", grain="month")
    assert table["value"].tolist() == [2.0**70]


def test_a_column_that_is_the_index_is_named_as_that():
    frame = weekly().set_index("day")
    with pytest.raises(UsageError, match=r"'day' is the frame's index; frame\.reset_index"):
        alignment.from_frame(frame, "x", time="day", value="x")


def test_stamps_with_a_zone_need_to_be_told_where_days_are_cut():
    stamps = pd.to_datetime(["2026-11-09", "2026-11-10", "2026-11-17"], utc=True)
    with pytest.raises(DataopsError, match="timezone="):
        alignment.from_frame(weekly(day=stamps), "x", time="day", value="x")
    with pytest.raises(DataopsError, match="timezone="):
        alignment.from_frame(
            weekly(day=[*stamps.strftime("%Y-%m-%dT%H:%M:%SZ")]), "x", time="day", value="x"
        )


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ({"better": "upp"}, "did you mean 'up'"),
        ({"policy": "targets"}, "did you mean 'target'"),
        ({"target": "300"}, "is a number"),
        ({"target": float("inf")}, "no finite number"),
        ({"target": pd.Series({"2026-W46": float("-inf")})}, "'2026-W46' is no finite number"),
        ({"yellow": 1.2}, "above green"),
        ({"low": 1}, "band"),
        ({"better": "inside", "low": 3, "high": 1}, "above high"),
        ({"better": "inside", "target": 3}, "low="),
        ({"accepted": [{"light": "rde", "until": "2026-12-31"}]}, "did you mean 'red'"),
        ({"accepted": [{"light": "red", "until": "soon"}]}, "no day"),
    ],
)
def test_an_agreement_that_contradicts_itself_is_refused(said, hint):
    with pytest.raises(UsageError, match=hint):
        status.Agreement(**said)


def test_decimals_are_numbers_of_an_agreement():
    agreed = status.Agreement(target=Decimal("5"), green=Decimal("1"), yellow=Decimal("0.8"))
    assert (agreed.target, agreed.green, agreed.yellow) == (5.0, 1.0, 0.8)
    band = status.Agreement(better="inside", low=Decimal("1.5"), high=Decimal("2"))
    assert (band.low, band.high) == (1.5, 2.0)


def test_a_target_by_period_may_hold_decimals_and_gaps():
    said = pd.Series({"2026-W46": Decimal("4.5"), "2026-W47": None}, dtype=object)
    target = status.Agreement(target=said).target
    assert target["2026-W46"] == 4.5
    assert pd.isna(target["2026-W47"])


def test_a_decimal_that_is_endless_is_no_target():
    with pytest.raises(UsageError, match="no finite number"):
        status.Agreement(target=Decimal("Infinity"))


@pytest.mark.parametrize("where", ["random() < 0.5", "day <= now()", "day < current_date"])
def test_a_condition_that_another_run_answers_otherwise_is_refused(where):
    with pytest.raises(UsageError, match="on each run"):
        alignment.from_frame(weekly(), "x", time="day", value="x", where=where)


def test_a_condition_may_speak_of_the_as_of_day():
    frame = pd.DataFrame({"day": pd.to_datetime(["2026-11-16", "2026-11-17"]), "x": [1, 2]})
    table = alignment.from_frame(frame, "x", time="day", value="x", where="day < :as_of")
    assert table["value"].tolist() == [1]


def test_an_agreement_about_a_misspelt_metric_names_the_nearest():
    table = alignment.from_frame(weekly(), "revenue", time="day", value="x")
    with pytest.raises(UsageError, match="did you mean 'revenue'"):
        status.judge(table, {"revenu": status.Agreement(target=1)})


# --- judged plain ----------------------------------------------------------------------------------------------------


def test_a_target_by_period_judges_its_own_period_only():
    table = alignment.from_frame(
        weekly(), "x", time="day", value="x", as_of="2026-11-22", covers=(None, "2026-11-22")
    )
    by_period = pd.Series({"2026-W46": 3})
    judged = status.judge(table, {"x": status.Agreement(target=by_period)})
    assert judged["light"].tolist() == ["green", "unknown"]
    assert judged["reason"].tolist() == [None, "no target"]
    with pytest.raises(UsageError, match="index it by period id"):
        status.judge(table, {"x": status.Agreement(target=pd.Series({"W46": 3}))})


def test_a_band_is_judged_by_its_ends():
    table = alignment.from_frame(
        weekly(),
        "x",
        time="day",
        value="x",
        as_of="2026-11-22",
        covers=("2026-11-09", "2026-11-22"),
    )
    judged = status.judge(table, {"x": status.Agreement(better="inside", low=2, high=3)})
    assert judged["light"].tolist() == ["green", "red"]
    assert judged["target"].tolist() == [2.5, 2.5]


def test_an_accepted_light_is_said_until_its_day():
    table = alignment.from_frame(weekly(), "x", time="day", value="x")
    accepted = [{"light": "red", "until": "2026-12-31"}]
    agreed = {"x": status.Agreement(target=100, accepted=accepted)}
    judged = status.judge(table, agreed, "2026-12-31")
    assert judged["accepted_until"].iloc[0] == pd.Timestamp("2026-12-31")
    assert status.judge(table, agreed, "2027-01-01")["accepted_until"].isna().all()


def test_targets_of_the_table_go_before_those_of_agreements():
    table = alignment.from_frame(weekly(), "x", time="day", value="x")
    dated = alignment.add_targets(table, {"x": [alignment.Target(value=7, from_="2026-11-16")]})
    judged = status.judge(dated, {"x": status.Agreement(target=3)})
    assert judged["target"].tolist() == [3, 7]


# --- laws ------------------------------------------------------------------------------------------------------------

MANY = st.lists(
    st.tuples(st.integers(0, 60), st.integers(-50, 50), st.sampled_from(["a", "b", None])),
    min_size=1,
    max_size=30,
)


def framed(rows):
    first = dt.date(2026, 9, 7)
    days = [first + dt.timedelta(days=day) for day, _, _ in rows]
    return pd.DataFrame({"day": days, "x": [x for _, x, _ in rows], "team": [t for *_, t in rows]})


@pytest.mark.long
@given(MANY)
@settings(max_examples=25)
def test_segments_of_a_sum_add_up_to_its_total(rows):
    table = alignment.from_frame(framed(rows), "x", time="day", value="x", by="team")
    totals = table[table["segment"].isna()].set_index("period")["value"]
    parts = table[table["segment"].notna()].groupby("period")["value"].sum()
    pd.testing.assert_series_equal(parts.reindex(totals.index), totals, check_names=False)


@pytest.mark.long
@given(MANY, st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_order_of_rows_does_not_matter(rows, random):
    frame = framed(rows)
    places = list(range(len(frame)))
    random.shuffle(places)
    said = {"time": "day", "value": "x", "by": "team"}
    pd.testing.assert_frame_equal(
        alignment.from_frame(frame, "x", **said),
        alignment.from_frame(frame.iloc[places], "x", **said),
    )


@pytest.mark.long
@given(MANY, MANY)
@settings(max_examples=25)
def test_combine_keeps_every_row_and_gives_all_series_the_same_periods(rows, others):
    first = alignment.from_frame(framed(rows), "one", time="day", value="x", by="team")
    second = alignment.from_frame(framed(others), "two", time="day", agg="count")
    both = alignment.combine(first, second)
    keys = ["metric", "segment", "period"]
    kept = pd.concat([first, second])[[*keys, "value"]].merge(both, on=keys, how="left")
    pd.testing.assert_series_equal(kept["value_x"], kept["value_y"], check_names=False)
    series = both.groupby(["metric", "segment"], dropna=False)["period"].agg(tuple)
    assert series.nunique() == 1
    assert not both[keys].duplicated().any()


@pytest.mark.long
@given(MANY)
@settings(max_examples=15)
def test_the_parts_of_a_change_add_up_to_it(rows):
    table = alignment.from_frame(framed(rows), "x", time="day", value="x", by="team")
    parts = drivers.explain(table, "x", by="team")
    if len(parts):
        row = table[table["segment"].isna() & table["complete"]].iloc[-1]
        assert parts["effect"].sum() == pytest.approx(row["value"] - row["previous"])


# --- tables together -------------------------------------------------------------------------------------------------


def test_where_a_metric_has_no_period_its_value_is_missing():
    late = alignment.from_frame(weekly().iloc[2:], "late", time="day", value="x")
    both = alignment.combine(alignment.from_frame(weekly(), "x", time="day", value="x"), late)
    assert both["value"].fillna(-1).tolist() == [3, 4, -1, 4]
    assert both["complete"].tolist()[2] is False
    assert both["n"].tolist() == [2, 1, 0, 1]


def test_tables_of_two_grains_two_calendars_or_one_metric_cannot_be_combined():
    table = alignment.from_frame(weekly(), "x", time="day", value="x")
    month = alignment.from_frame(weekly(), "y", time="day", value="x", grain="month")
    sunday = alignment.from_frame(
        weekly(), "y", time="day", value="x", calendar=periods.calendar(week_starts="sunday")
    )
    for other, hint in ((month, "grain"), (sunday, "calendar"), (table, "two tables")):
        with pytest.raises(UsageError, match=hint):
            alignment.combine(table, other)


@pytest.mark.parametrize(
    ("formula", "hint"),
    [
        ("y / 2", "no metric 'y'"),
        ("x +", "arithmetic"),
        ("max(x)", "more than"),
        ("2", "no metric"),
    ],
)
def test_a_formula_may_name_metrics_of_the_tables_only(formula, hint):
    table = alignment.from_frame(weekly(), "x", time="day", value="x")
    with pytest.raises(UsageError, match=hint):
        alignment.combine(table, z=formula)


def test_a_formula_divided_by_zero_is_missing():
    table = alignment.from_frame(weekly(x=[0.0, 0.0, 2.0]), "x", time="day", value="x")
    ratio = alignment.combine(table, z="4 / x").query("metric == 'z'")["value"]
    assert ratio.fillna(-1).tolist() == [-1, 2]


def test_links_of_a_plain_table_are_those_that_are_computed_of_a_company():
    rng = np.random.default_rng(7)
    days = pd.date_range("2023-01-02", periods=150, freq="7D")
    cause = rng.normal(100, 10, 150)
    effect = np.roll(cause, 2) + rng.normal(0, 4, 150)
    frame = pd.DataFrame(
        {"day": days, "cause": cause, "effect": effect, "noise": rng.normal(9, 1, 150)}
    )
    said = {"time": "day", "covers": (None, "2025-11-23"), "as_of": "2025-11-23"}
    tables = [
        alignment.from_frame(frame, name, value=name, **said)
        for name in ("cause", "effect", "noise")
    ]
    found = links.find(alignment.combine(*tables), "effect").set_index("input")
    assert found.loc["cause", ["verdict", "lag"]].tolist() == ["moves", 2]
    assert found.loc["noise", "verdict"] != "moves"


# --- real data -------------------------------------------------------------------------------------------------------


def published(folder, name):
    """A table of a data set's expected results."""
    book = json.loads((folder / "expected.json").read_text())[name]
    return pd.DataFrame(book["rows"], columns=book["columns"])


def test_chinooks_months_and_trailing_years_are_the_published_ones(shared):
    folder = shared("chinook")
    rows = pd.read_csv(folder / "Invoice.csv")
    said = {"time": "InvoiceDate", "grain": "month", "as_of": "2025-12-31"}
    said["covers"] = ("2021-01-01", "2025-12-31")
    revenue = alignment.from_frame(rows, "revenue", value="Total", **said)
    invoices = alignment.from_frame(rows, "invoices", agg="count", **said)
    trailing = alignment.from_frame(rows, "ttm", value="Total", window="12 months", **said)
    months, years = published(folder, "monthly"), published(folder, "ttm_revenue")
    assert revenue["period"].tolist() == months["month"].tolist()
    assert revenue["value"].tolist() == pytest.approx(months["revenue"].tolist())
    assert invoices["value"].tolist() == months["invoices"].tolist()
    assert trailing["value"].tolist() == pytest.approx(years["ttm"].tolist())
    assert (~trailing["complete"]).tolist() == years["incomplete_window"].tolist()


@pytest.mark.parametrize(
    ("grain", "name", "column"),
    [("month", "mql_monthly", "month"), ("week", "mql_weekly_iso_monday", "week_start")],
)
def test_olists_leads_are_the_published_ones(shared, grain, name, column):
    folder = shared("olist")
    rows = pd.read_csv(folder / "full" / "olist_marketing_qualified_leads_dataset.csv")
    table = alignment.from_frame(
        rows, "mql", time="first_contact_date", agg="count", by="origin", grain=grain
    )
    totals = table[table["segment"].isna()]
    known = published(folder, name)
    ids = totals["period"] if grain == "month" else totals["period_start"].dt.strftime("%Y-%m-%d")
    assert ids.tolist() == known[column].tolist()
    assert totals["value"].tolist() == known["mql"].tolist()
    parts = table[table["segment"].notna()].groupby("period")["value"].sum()
    assert parts.tolist() == totals["value"].tolist()


def test_telcos_churn_by_contract_is_the_published_one(shared):
    folder = shared("telco_churn")
    rows = pd.read_csv(folder / "Telco-Customer-Churn.csv").assign(day="2026-11-22")
    said = {"time": "day", "agg": "count", "by": "Contract", "grain": "day"}
    both = alignment.combine(
        alignment.from_frame(rows, "churned", where="Churn = 'Yes'", **said),
        alignment.from_frame(rows, "customers", **said),
        churn="churned / customers",
    )
    churn = both[both["metric"] == "churn"].set_index("segment")["value"]
    known = published(folder, "by_contract").set_index("Contract")["churn_rate"]
    assert churn.iloc[0] == pytest.approx(published(folder, "overall")["churn_rate"].iloc[0])
    for contract, rate in known.items():
        assert churn[f"Contract={contract}"] == pytest.approx(rate, abs=1e-8)


def test_olists_orders_are_the_same_both_ways(shared, tmp_path):
    path = shared("olist") / "sample4k" / "olist_orders_dataset.csv"
    said = {"time": "order_purchase_timestamp", "by": "order_status", "grain": "month"}
    rows = pd.read_csv(path)
    plain = alignment.from_frame(
        rows, "m", value="customer_id", agg="count_distinct", as_of="2018-09-30", **said
    )
    metrics = """
department: D
defaults: {source: orders}
metrics:
  m: {type: simple, by: [order_status], measure: {agg: count_distinct, expr: customer_id}}
"""
    source = "time: order_purchase_timestamp"
    where = shop.folder(tmp_path, rows=path.read_text(), metrics=metrics, source=source)
    assert_same(plain, by_files(where, "m", "2018-09-30", "month"))


# --- nothing is written ----------------------------------------------------------------------------------------------

TEN_LINES = """
import pandas as pd
from dataops_nb import alignment, board, charts, status, story
days = pd.date_range("2026-08-03", "2026-11-22", freq="D")
orders = pd.DataFrame({"day": days, "amount": range(len(days)), "channel": ["web", "shop"] * 56})
revenue = alignment.from_frame(orders, "revenue", time="day", value="amount", by="channel")
visits = alignment.from_frame(orders, "visits", time="day", agg="count")
both = alignment.combine(revenue, visits, each="revenue / visits")
lit = status.judge(both, {"revenue": status.Agreement(target=250, better="up", yellow=0.85)})
this = board.of(lit, lead="revenue", units={"revenue": "USD"})
display(lit, story.headline(this), charts.trend(lit, "revenue"), story.record(this))
"""


@pytest.mark.long
def test_a_notebook_of_ten_lines_in_an_empty_folder_reads_and_writes_nothing(tmp_path, monkeypatch):
    import nbclient
    import nbformat

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATAOPS_DATA", raising=False)
    cell = nbformat.v4.new_code_cell(TEN_LINES)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    assert len(notebook.cells[0].outputs) == 4
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("size", [1e154, 1e300, -1e308])
def test_values_too_large_to_square_are_judged_without_a_word_on_stderr(size):
    days = pd.date_range("2026-01-01", periods=120)
    frame = pd.DataFrame(
        {"day": days, "v": [size if place % 3 else size / 7 for place in range(120)]}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = alignment.from_frame(frame, "v", time="day", value="v", agg="average", grain="day")
        judged = status.judge(table, {"v": status.Agreement(target=1.0)})
        assert len(limits.add_limits(judged)) == 120
        assert str(story.opening(board.of(judged)))
