"""Years made of whole weeks: where they start, what their periods are called, and what they are compared with."""

import datetime as dt
import sqlite3

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import alignment, numbers, periods
from dataops_nb.alignment import comparisons
from dataops_nb.alignment.worths import Worths
from dataops_nb.metrics import Target
from dataops_nb.periods import Calendar, calendar
from dataops_nb.periods.fiscal import CalendarModel
from dataops_nb.terms import GRAINS, Duration

D = dt.date
YEARS = range(2000, 2041)


def cut_of(pattern="4-5-4", ends="saturday nearest january 31", named="end", **more):
    year = {"pattern": pattern, "ends": ends, "named": named}
    return calendar(CalendarModel.model_validate({"year": year, **more}))


RETAIL = cut_of(named="start")


def fiscal_years(cut):
    first, last = cut.period("year", D(YEARS[0], 6, 1)), D(YEARS[-1], 6, 1)
    return list(cut.periods("year", first.start, last))


def long_years(cut):
    return [year.start.year for year in fiscal_years(cut) if year.days == 53 * 7]


def test_the_retail_calendar_has_its_53_weeks_in_the_published_years():
    assert long_years(RETAIL) == [2000, 2006, 2012, 2017, 2023, 2028, 2034, 2040]


def test_the_retail_year_2023_is_the_published_one():
    year = RETAIL.period("year", D(2023, 7, 4))
    assert (year.id, year.start, year.end) == ("FY23", D(2023, 1, 29), D(2024, 2, 3))


@pytest.mark.parametrize(
    ("year", "end"), [(2017, D(2017, 9, 30)), (2023, D(2023, 9, 30)), (2024, D(2024, 9, 28))]
)
def test_a_year_to_the_last_saturday_of_september_ends_on_published_days(year, end):
    cut = cut_of("5-4-4", "last saturday of september")
    assert (cut.period("year", end).id, cut.period("year", end).end) == (f"FY{year % 100}", end)
    assert cut.period("year", end + dt.timedelta(days=1)).id == f"FY{year % 100 + 1}"


def test_weeks_start_on_the_day_after_the_years_last():
    assert RETAIL.week_starts == 6
    assert cut_of(ends="last sunday of june").week_starts == 0


@pytest.mark.parametrize(
    ("pattern", "weeks"),
    [
        ("4-5-4", [4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 5]),
        ("4-4-5", [4, 4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 6]),
        ("5-4-4", [5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 4, 5]),
    ],
)
def test_a_53rd_week_belongs_to_the_last_month(pattern, weeks):
    cut = cut_of(pattern, named="start")
    months = list(cut.periods("month", D(2023, 1, 29), D(2024, 2, 3)))
    assert [month.days // 7 for month in months] == weeks
    assert (months[0].id, months[-1].id) == ("FY23-P01", "FY23-P12")


@pytest.mark.parametrize(
    ("named", "ids"),
    [("end", ["FY27-P10", "FY27-Q4", "FY27"]), ("start", ["FY26-P10", "FY26-Q4", "FY26"])],
)
def test_months_quarters_and_years_carry_the_fiscal_year(named, ids):
    cut = cut_of(named=named)
    assert [cut.period(grain, D(2026, 11, 22)).id for grain in ("month", "quarter", "year")] == ids


def test_a_week_keeps_its_plain_name_and_knows_its_fiscal_one():
    week = cut_of().period("week", D(2026, 11, 22))
    assert (week.start, week.id, week.fiscal) == (D(2026, 11, 22), "2026-W47", "FY27-W43")
    assert RETAIL.period("week", D(2024, 2, 3)).fiscal == "FY23-W53"


def test_a_year_that_slips_over_new_year_is_named_by_the_day_it_is_meant_to_end_on():
    cut = cut_of(ends="sunday nearest december 31")
    ends = {year.id: year.end for year in cut.periods("year", D(2020, 6, 1), D(2023, 6, 1))}
    assert (ends["FY20"], ends["FY22"]) == (D(2021, 1, 3), D(2023, 1, 1))
    assert (
        cut_of(ends="sunday nearest december 31", named="start").period("year", D(2021, 1, 2)).id
        == "FY20"
    )


def test_the_week_after_a_long_year_is_compared_with_the_week_364_days_before_it():
    first = RETAIL.period("week", D(2024, 2, 4))
    assert (first.fiscal, RETAIL.last_year(first).fiscal) == ("FY24-W01", "FY23-W02")
    assert RETAIL.last_year(RETAIL.period("week", D(2025, 2, 2))).fiscal == "FY24-W01"


@pytest.mark.parametrize(
    ("grain", "day", "name", "start", "end"),
    [
        ("month", D(2024, 2, 4), "FY23-P01", D(2023, 2, 5), D(2023, 3, 4)),
        ("quarter", D(2024, 2, 4), "FY23-Q1", D(2023, 2, 5), D(2023, 5, 6)),
        ("year", D(2024, 2, 4), "FY23", D(2023, 2, 5), D(2024, 2, 3)),
        ("month", D(2025, 2, 2), "FY24-P01", D(2024, 2, 4), D(2024, 3, 2)),
        ("month", D(2024, 2, 3), "FY22-P12", D(2023, 1, 1), D(2023, 2, 4)),
    ],
)
def test_last_year_of_a_fiscal_period_is_the_same_weeks_restated_after_a_long_year(
    grain, day, name, start, end
):
    last_year = RETAIL.last_year(RETAIL.period(grain, day))
    assert (last_year.id, last_year.start, last_year.end) == (name, start, end)


def test_last_years_to_date_has_as_many_weeks():
    assert RETAIL.to_date("year", D(2024, 2, 17)) == (D(2024, 2, 4), D(2024, 2, 17))
    assert RETAIL.to_date_last_year("year", D(2024, 2, 17)) == (D(2023, 2, 5), D(2023, 2, 18))


def test_fiscal_months_before_a_day_keep_its_place_in_the_month():
    months = Duration.model_validate("12 months")
    assert RETAIL.months_before(D(2024, 2, 4), months) == D(2023, 1, 29)
    assert RETAIL.months_before(D(2024, 2, 10), months) == D(2023, 2, 4)
    assert RETAIL.months_before(D(2024, 2, 3), Duration.model_validate("1 month")) == D(
        2023, 12, 30
    )


@pytest.mark.parametrize(
    ("grain", "said"),
    [
        ("week", "week 43 of FY27 (2026-W47)"),
        ("month", "period 10 of FY27"),
        ("quarter", "quarter 4 of FY27"),
        ("year", "FY27"),
    ],
)
def test_a_fiscal_period_is_named_in_words(grain, said):
    assert numbers.at("en_US").period(cut_of().period(grain, D(2026, 11, 22))) == said


WEEKDAY = st.sampled_from(["monday", "wednesday", "saturday", "sunday"])
ENDS = st.one_of(
    st.builds(
        "{} nearest {}".format,
        WEEKDAY,
        st.sampled_from(["january 31", "february end", "december 31", "january 1"]),
    ),
    st.builds(
        "last {} of {}".format,
        WEEKDAY,
        st.sampled_from(["january", "february", "june", "december"]),
    ),
)
PATTERNS = st.builds(
    cut_of, st.sampled_from(["4-4-5", "4-5-4", "5-4-4"]), ENDS, st.sampled_from(["start", "end"])
)
DAYS = st.dates(D(1990, 1, 1), D(2080, 12, 31))


@given(PATTERNS, st.sampled_from(GRAINS), DAYS)
def test_every_day_lies_in_one_period_and_neighbours_touch(cut, grain, day):
    period = cut.period(grain, day)
    after = cut.shift(period, 1)
    assert period.start <= day <= period.end
    assert {cut.period(grain, edge) for edge in (period.start, period.end)} == {period}
    assert after.start == period.end + dt.timedelta(days=1)
    assert cut.shift(after, -1) == period


@given(PATTERNS, st.sampled_from(GRAINS), DAYS, st.integers(0, 1500))
def test_fiscal_periods_tile_the_line_without_gap_or_overlap(cut, grain, first, days):
    last = first + dt.timedelta(days=days)
    tiles = list(cut.periods(grain, first, last))
    assert tiles[0].start <= first <= tiles[0].end
    assert tiles[-1].start <= last <= tiles[-1].end
    assert [p.start for p in tiles[1:]] == [p.end + dt.timedelta(days=1) for p in tiles[:-1]]


@given(PATTERNS, DAYS)
def test_a_year_has_52_or_53_weeks_and_its_months_quarters_and_weeks_partition_it(cut, day):
    year = cut.period("year", day)
    assert year.days in {52 * 7, 53 * 7}
    for grain, count in (("month", 12), ("quarter", 4), ("week", year.days // 7)):
        parts = list(cut.periods(grain, year.start, year.end))
        assert (parts[0].start, parts[-1].end, len(parts)) == (year.start, year.end, count)


@given(PATTERNS, st.sampled_from(GRAINS), DAYS)
def test_ids_are_unique_over_years(cut, grain, day):
    periods = list(cut.periods(grain, day, day + dt.timedelta(days=6 * 365)))
    assert len({period.id for period in periods}) == len(periods)
    assert len({period.fiscal or period.id for period in periods}) == len(periods)


@given(PATTERNS, st.sampled_from(["month", "quarter", "year"]), DAYS)
def test_to_date_of_the_last_day_is_the_whole_period_and_so_is_last_years(cut, grain, day):
    period = cut.period(grain, day)
    last_year = cut.last_year(period)
    assert cut.to_date(grain, period.end) == (period.start, period.end)
    assert cut.to_date_last_year(grain, period.end) == (last_year.start, last_year.end)


@given(PATTERNS, st.sampled_from(GRAINS), DAYS)
def test_last_year_is_like_for_like_the_same_weekdays_and_as_many_of_them(cut, grain, day):
    period = cut.period(grain, day)
    last_year = cut.last_year(period)
    assert (last_year.days, last_year.start.weekday()) == (period.days, period.start.weekday())
    assert last_year.end == period.end - dt.timedelta(days=364)


@given(PATTERNS, st.sampled_from(["month", "quarter", "year"]), DAYS, st.integers(0, 30))
def test_fiscal_months_before_the_first_of_a_month_are_first_days_and_never_run_backwards(
    cut, grain, day, count
):
    duration = Duration.model_validate(f"{count} {grain}s")
    start = cut.period(grain, day).start
    assert cut.months_before(start, duration) == cut.shift(cut.period(grain, start), -count).start
    assert cut.months_before(day, duration) <= cut.months_before(
        day + dt.timedelta(days=1), duration
    )


FIRST, LAST = D(2022, 1, 30), D(2024, 6, 1)
ROWS = "on,x\n" + "".join(
    f"{FIRST + dt.timedelta(days=i)},{i}\n" for i in range((LAST - FIRST).days + 1)
)
SOURCES = "s: {system: Shop, path: s.csv, time: on}"
CALENDAR = "calendar: {year: {pattern: 4-5-4, ends: saturday nearest january 31, named: start}}"
METRICS = """
    sales: {type: simple, measure: {source: s, agg: sum, expr: x}}
    days: {type: simple, measure: {source: s, agg: count}}
    kinds: {type: simple, measure: {source: s, agg: count_distinct, expr: x % 7}}
    stock: {type: simple, measure: {source: s, agg: sum, expr: x, at: end}}
    trailing: {type: cumulative, metric: days, window: 12 months}
    first_sum: {type: cumulative, metric: sales, window: 1 quarter}
    growth: {type: ratio, numerator: trailing, denominator: {metric: trailing, offset: 1 year}}
    turn: {type: ratio, numerator: sales, denominator: {metric: stock, offset: 1 period}}
    month_ago: {type: ratio, numerator: days, denominator: {metric: days, offset: 1 month}}
"""


@pytest.fixture
def shop(company):
    return company(SOURCES, METRICS, {"s.csv": ROWS}, extra=CALENDAR, as_of=str(LAST))


def total(first, last):
    return sum(range((first - FIRST).days, (last - FIRST).days + 1))


def rows(shop, metric, grain):
    return comparisons.compare(alignment.values(shop, metric, grain=grain), shop).set_index(
        "period"
    )


def test_a_metric_is_cut_by_fiscal_months_quarters_and_years(shop):
    months, quarters, years = (
        rows(shop, "sales", grain)["value"] for grain in ("month", "quarter", "year")
    )
    assert months["FY23-P12"] == total(D(2023, 12, 31), D(2024, 2, 3))
    assert (
        months.iloc[12:24].sum()
        == quarters.iloc[4:8].sum()
        == years["FY23"]
        == total(D(2023, 1, 29), D(2024, 2, 3))
    )


def test_comparisons_after_a_long_year_are_like_for_like(shop):
    row = rows(shop, "sales", "month").loc["FY24-P02"]
    assert row["previous"] == total(D(2024, 2, 4), D(2024, 3, 2))
    assert row["same_last_year"] == total(D(2023, 3, 5), D(2023, 4, 8)) == row["mtd_last_year"]
    assert row["ytd"] == row["qtd"] == total(D(2024, 2, 4), D(2024, 4, 6))
    assert row["ytd_last_year"] == row["qtd_last_year"] == total(D(2023, 2, 5), D(2023, 4, 8))


def test_a_weeks_to_date_is_fiscal_and_last_years_has_as_many_weeks(shop):
    row = rows(shop, "days", "week").loc["2024-W06"]
    names = ["value", "same_last_year", "mtd", "mtd_last_year", "ytd", "ytd_last_year"]
    assert row[names].tolist() == [7, 7, 14, 14, 14, 14]


def test_twelve_months_are_the_last_twelve_fiscal_months_and_at_week_grain_calendar_months(shop):
    months, weeks = rows(shop, "trailing", "month"), rows(shop, "trailing", "week")
    assert months.loc[["FY23-P12", "FY24-P01"], "value"].tolist() == [53 * 7, 53 * 7]
    assert rows(shop, "trailing", "year").loc["FY23", "value"] == 53 * 7
    assert weeks.loc["2024-W04", "value"] == 365
    assert weeks.loc["2024-W09", "value"] == 366


def test_last_years_trailing_months_lie_364_days_back_too(shop):
    row = rows(shop, "first_sum", "month").loc["FY24-P03"]
    assert row["value"] == total(D(2024, 2, 4), D(2024, 5, 4))
    assert row["same_last_year"] == total(D(2023, 2, 5), D(2023, 5, 6))


def test_an_offset_of_months_or_a_year_counts_fiscal_ones(shop):
    assert rows(shop, "growth", "month").loc["FY23-P12", "value"] == 53 / 52
    assert rows(shop, "month_ago", "month").loc[["FY24-P01", "FY24-P02"], "value"].tolist() == [
        4 / 5,
        5 / 4,
    ]


def test_last_years_ratio_with_an_offset_stands_on_the_day_before_its_own_first(shop):
    row = rows(shop, "turn", "month").loc["FY24-P01"]
    stock = (D(2023, 2, 4) - FIRST).days
    assert row["same_last_year"] == pytest.approx(total(D(2023, 2, 5), D(2023, 3, 4)) / stock)


def test_what_the_engine_counts_by_window_follows_the_pattern(shop):
    assert set(rows(shop, "kinds", "month")["value"].dropna()) == {7}


def test_the_calendar_as_rows_gives_the_same_sums_on_any_engine(shop):
    cut = calendar(shop.company.company.calendar)
    dates = [(day.day.isoformat(), day.month) for day in periods.dimension(cut, FIRST, LAST)]
    sold = [tuple(line.split(",")) for line in ROWS.split()[1:]]
    ours = alignment.values(shop, "sales", grain="month").set_index("period")["value"].to_dict()
    for engine in (sqlite3.connect(":memory:"), duckdb.connect()):
        engine.execute("create table days (day varchar(10), month varchar(10))")
        engine.execute("create table sold (day varchar(10), x integer)")
        engine.executemany("insert into days values (?, ?)", dates)
        engine.executemany("insert into sold values (?, ?)", sold)
        found = engine.execute(
            "select month, sum(x) from sold join days using (day) group by month"
        ).fetchall()
        assert dict(found) == ours


WEEKLY = Target.model_validate({"per": "week", "by": "working_days", "value": 10.0})
HOLIDAYS = frozenset(D(2026, 12, 21) + dt.timedelta(days=i) for i in range(5)) | {D(2026, 11, 26)}


def target(dated, start, end, cut):
    """The target of the days from start to end."""
    return Worths.of(dated, [(start, end)], cut).values(dated)["target"][0]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-11-16", "2026-11-22", 10),
        ("2026-11-18", "2026-11-18", 2),
        ("2026-11-21", "2026-11-22", 0),
        ("2026-11-23", "2026-11-29", 10),
        ("2026-11-25", "2026-11-25", 2.5),
        ("2026-11-26", "2026-11-26", 0),
        ("2026-12-21", "2026-12-27", 0),
        ("2026-12-01", "2026-12-31", 8 + 10 + 10 + 0 + 8),
    ],
)
def test_a_weekly_target_by_working_days_is_earned_on_working_days_only(first, last, expected):
    found = target(
        [WEEKLY], D.fromisoformat(first), D.fromisoformat(last), Calendar(holidays=HOLIDAYS)
    )
    assert found == pytest.approx(expected, rel=1e-15)


@given(DAYS, st.sampled_from(["week", "month", "quarter", "year"]), st.integers(1, 10**6))
def test_a_target_of_its_own_period_by_working_days_is_what_was_agreed(day, grain, value):
    cut = cut_of()
    period = cut.period(grain, day)
    said = Target.model_validate({"per": grain, "by": "working_days", "value": float(value)})
    assert target([said], period.start, period.end, cut) == value


def test_a_monthly_target_is_one_fiscal_months_whether_it_has_four_weeks_or_five():
    cut, said = cut_of(), Target.model_validate({"per": "month", "value": 100.0})
    months = list(cut.periods("month", D(2026, 2, 1), D(2027, 1, 30)))
    assert {target([said], month.start, month.end, cut) for month in months} == {100}
    quarter = cut.period("quarter", D(2026, 2, 1))
    assert target([said], quarter.start, quarter.end, cut) == 300


def test_a_season_speaks_of_plain_months_also_under_a_pattern():
    said = Target.model_validate({"per": "week", "value": 7.0, "season": {"december": 0.5}})
    assert target([said], D(2026, 11, 29), D(2026, 12, 5), cut_of()) == 2 + 5 * 0.5


def test_holidays_of_the_company_lower_its_targets_by_working_days(company, tmp_path):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "holidays.yaml").write_text("- {date: 2024-05-27, name: Memorial Day}\n")
    metrics = "m: {type: simple, measure: {source: s, agg: count}, targets: [{per: month, by: working_days, value: 38}]}"
    catalog = company(SOURCES, metrics, {"s.csv": ROWS}, extra=CALENDAR, as_of=str(LAST))
    table = alignment.add_targets(alignment.values(catalog, "m", grain="week"), catalog)
    targets = table.set_index("period")["target"]
    assert targets[["2024-W20", "2024-W21"]].tolist() == [10, 8]
    months = alignment.add_targets(alignment.values(catalog, "m", grain="month"), catalog)
    assert set(months["target"]) == {38}
