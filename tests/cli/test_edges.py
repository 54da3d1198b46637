"""At the edges of the calendar and of numbers there is a message, and no mistake of our own."""

import datetime as dt

import pandas as pd
import pytest

from dataops_nb import alignment, definitions
from dataops_nb.cli import comparisons, main
from dataops_nb.errors import DefinitionsError, UsageError
from dataops_nb.numbers import Numbers
from dataops_nb.terms import Duration, add_months, after, before
from tests.shop import folder

TOTAL = "{type: simple, measure: {source: orders, agg: count}}"


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("{type: cumulative, metric: n, window: 9999 years}", "metrics.m.window: 9999 years reach beyond the calendar; write at most 500 years"),
        ("{type: cumulative, metric: n, window: 99999999999 days}", "metrics.m.window: 99999999999 days reach beyond"),
        ("{type: ratio, numerator: n, denominator: {metric: n, offset: 501 periods}}", "denominator.offset: 501 periods reach beyond"),
        ("{type: simple, measure: {source: orders, agg: count}, targets: [{value: 1e300}]}", "targets[0].value: 1e+300 is no target"),
        ("{type: simple, measure: {source: orders, agg: count}, targets: [{value: -1e-300}]}", "targets[0].value: -1e-300 is no target"),
        ("{type: simple, measure: {source: orders, agg: count}, targets: [{value: 3, per: week, season: {december: 1e300}}]}", "season.december: 1e+300 is no factor"),
        ("{type: simple, measure: {source: orders, agg: count}, lights: {green: {at_least: 1e300, means: x, do: y}, red: {means: x, do: y}}, targets: [{value: 3}]}", "green.at_least: 1e+300 is never attained"),
    ],
)  # fmt: skip
def test_what_no_calendar_or_page_can_hold_is_refused_with_its_line(tmp_path, metric, message):
    where = folder(tmp_path, metrics=f"department: Shop\nmetrics:\n  n: {TOTAL}\n  m: {metric}\n")
    with pytest.raises(DefinitionsError) as caught:
        definitions.load(where / "params")
    [mistake] = caught.value.mistakes
    assert (mistake.line, message in str(mistake)) == (4, True)


def test_the_longest_windows_and_offsets_that_are_taken_are_measured(company):
    metrics = """
    n: {type: simple, measure: {source: a, agg: count}}
    long: {type: cumulative, metric: n, window: 500 years}
    ago: {type: ratio, numerator: n, denominator: {metric: n, offset: 500 periods}}
    late: {type: conversion, base_metric: n, conversion_metric: n, entity: k, window: 500 years}
    """
    catalog = company(
        "a: {system: S, path: a.csv, time: day}", metrics, {"a.csv": "day,k\n2026-01-05,x\n"}
    )
    table = alignment.align(catalog, ["n", "long", "ago", "late"], grain="year")
    assert table["value"].fillna(-1).tolist() == [1, 1, -1, 1]
    assert table["complete"].tolist() == [False] * 4


@pytest.mark.parametrize("day", ["9999-12-31", "3000-01-01", "1599-12-31", "0001-01-01"])
def test_an_as_of_at_the_end_of_the_calendar_is_refused(tmp_path, capsys, day):
    where = folder(tmp_path, rows="id,ordered_on,amount\n1,2026-11-02,5\n")
    assert main(["status", "-w", str(where), "--as-of", day]) == 2
    assert f"as of {day}: reports are made from 1600-01-01 to 2999-12-31" in capsys.readouterr().err


def test_a_frame_with_a_far_day_asks_for_another_as_of():
    frame = pd.DataFrame({"day": ["2026-01-05", "9999-12-31"]})
    with pytest.raises(UsageError, match="as of 9999-12-31"):
        alignment.from_frame(frame, "m", time="day", agg="count")
    table = alignment.from_frame(frame, "m", time="day", agg="count", as_of="2026-01-11")
    assert table["value"].tolist() == [1]


def test_a_first_day_in_antiquity_begins_no_endless_table(company):
    metrics = "n: {type: simple, measure: {source: a, agg: count}}"
    source = "a: {system: S, path: a.csv, time: day, covers: {from: 1000-01-01}}"
    catalog = company(source, metrics, {"a.csv": "day,k\n2026-01-05,x\n"}, as_of="2026-01-11")
    with pytest.raises(UsageError, match="more than 100,000 days; ask for fewer"):
        alignment.values(catalog, "n", grain="day")
    years = alignment.values(catalog, "n", grain="year")
    assert (years["period"].iloc[0], len(years)) == ("1600", 427)


@pytest.mark.parametrize("value", [1e300, -1e300, 1e22, 123456789012345678901234567890.0])
def test_numbers_of_any_size_are_written(value):
    digits = Numbers("en_GB").number(value, "")
    assert digits.replace(",", "").replace("−", "-").strip("-").rstrip("M").isdigit()


def test_steps_beyond_the_calendar_end_at_its_edges():
    far = Duration(count=500, unit="year")
    assert before(dt.date(300, 1, 1), far) == dt.date(2, 1, 1)
    assert after(dt.date(9700, 1, 1), far) == dt.date(9998, 12, 31)
    assert before(dt.date(300, 1, 1), Duration(count=182_500, unit="day")) == dt.date(2, 1, 1)
    assert add_months(dt.date(2026, 1, 31), 1) == dt.date(2026, 2, 28)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"metric,segment\nn,\xe9\n", b"not,the,columns\n"]
)
def test_a_damaged_history_takes_no_light_away(tmp_path, capsys, content):
    rows = "id,ordered_on,amount\n1,2026-11-02,5\n2,2026-11-20,5\n"
    where = folder(tmp_path, rows=rows, metrics=f"department: Shop\nmetrics:\n  n: {TOTAL}\n")
    (where / "out" / "history").mkdir(parents=True)
    (where / "out" / "history" / "values.csv").write_bytes(content)
    assert main(["status", "-w", str(where), "--as-of", "2026-11-22"]) == 0
    printed = capsys.readouterr()
    assert "2026-W47" in printed.out
    assert "history/values.csv" in printed.err
    if b"\xe9" in content:
        assert "history/values.csv:2 is no UTF-8: byte 0xe9" in printed.err
    assert main(["ask", "n", "-w", str(where), "--as-of", "2026-11-22"]) == 0
    assert "history/values.csv:1 " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "locale", "text"),
    [
        (-28560.4, "de_CH", "−28’560"),
        (3130.0, "en_US", "3,130"),
        (0.01234, "de_DE", "0,0123"),
        (-0.5, "en_US", "−0.5"),
        (0.0, "en_US", "0"),
        (2.4e-39, "en_US", "2.4e-39"),
        (None, "en_US", None),
    ],
)
def test_numbers_of_links_are_written_as_the_company_writes_them(value, locale, text):
    assert comparisons._short_number(value, Numbers(locale)) == text
