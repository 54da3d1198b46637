"""Days are cut the same way for everybody."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import alignment, periods, sources
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import UsageError
from dataops_nb.periods import Calendar, Period
from dataops_nb.terms import GRAINS, Duration, add_months, before

D = dt.date
ISO = Calendar()
SUNDAY = Calendar(week_starts=6, week_one="first_full")


@pytest.mark.parametrize(
    ("grain", "name", "start", "end"),
    [
        ("day", "2026-11-22", D(2026, 11, 22), D(2026, 11, 22)),
        ("week", "2026-W47", D(2026, 11, 16), D(2026, 11, 22)),
        ("month", "2026-11", D(2026, 11, 1), D(2026, 11, 30)),
        ("quarter", "2026-Q4", D(2026, 10, 1), D(2026, 12, 31)),
        ("year", "2026", D(2026, 1, 1), D(2026, 12, 31)),
    ],
)
def test_a_day_lies_in_one_named_period_of_each_grain(grain, name, start, end):
    assert ISO.period(grain, D(2026, 11, 22)) == Period(start, end, grain, name)


@pytest.mark.parametrize("year", [2015, 2020, 2026, 2032, 2037])
def test_iso_years_with_53_weeks(year):
    assert ISO.period("week", D(year, 12, 31)).id == f"{year}-W53"


def test_week_53_of_2026_reaches_into_january():
    week = ISO.period("week", D(2027, 1, 1))
    assert (week.id, week.start, week.end) == ("2026-W53", D(2026, 12, 28), D(2027, 1, 3))


@pytest.mark.parametrize(
    ("rule", "name"), [("first_full", "2025-W52"), ("iso", "2025-W53"), ("january_1", "2026-W01")]
)
def test_the_week_over_new_year_is_named_by_the_rule_for_week_one(rule, name):
    assert Calendar(week_starts=6, week_one=rule).period("week", D(2026, 1, 1)).id == name


def test_weeks_that_start_on_sunday_count_from_the_first_full_one():
    week = SUNDAY.period("week", D(2021, 9, 25))
    assert (week.start, week.end, week.id) == (D(2021, 9, 19), D(2021, 9, 25), "2021-W38")


@pytest.mark.parametrize(
    ("named", "year", "quarter"), [("end", "FY27", "FY27-Q2"), ("start", "FY26", "FY26-Q2")]
)
def test_a_fiscal_year_from_july_names_years_and_quarters_and_leaves_months(named, year, quarter):
    cut = Calendar(year_starts=7, named=named)
    day = D(2026, 11, 22)
    assert [cut.period(grain, day).id for grain in ("month", "quarter", "year")] == [
        "2026-11",
        quarter,
        year,
    ]
    assert (cut.period("year", day).start, cut.period("year", day).end) == (
        D(2026, 7, 1),
        D(2027, 6, 30),
    )


def test_last_year_of_a_week_is_364_days_back_and_of_a_month_the_same_month():
    assert SUNDAY.last_year(SUNDAY.period("week", D(2021, 9, 25))).end == D(2020, 9, 26)
    assert ISO.last_year(ISO.period("month", D(2026, 2, 5))).id == "2025-02"


def test_the_last_complete_period_ends_on_or_before_as_of():
    assert ISO.last_complete("week", D(2026, 11, 22)).id == "2026-W47"
    assert ISO.last_complete("week", D(2026, 11, 21)).id == "2026-W46"
    assert ISO.last_complete("month", D(2026, 11, 22)).id == "2026-10"


def test_months_added_to_a_long_month_end_on_the_short_ones_last_day():
    assert add_months(D(2024, 1, 31), 1) == D(2024, 2, 29)
    assert add_months(D(2026, 3, 31), -13) == D(2025, 2, 28)


def test_twelve_months_before_the_day_after():
    assert before(D(2026, 11, 23), Duration.model_validate("12 months")) == D(2025, 11, 23)


DAYS = st.dates(D(1990, 1, 1), D(2080, 12, 31))
CALENDARS = st.builds(
    Calendar,
    st.integers(0, 6),
    st.integers(1, 12),
    st.sampled_from(["end", "start"]),
    st.sampled_from(["iso", "first_full", "january_1"]),
)


@given(CALENDARS, st.sampled_from(GRAINS), DAYS)
def test_every_day_lies_in_its_own_period_and_neighbours_touch(cut, grain, day):
    period = cut.period(grain, day)
    after = cut.shift(period, 1)
    assert period.start <= day <= period.end
    assert after.start == period.end + dt.timedelta(days=1)
    assert cut.shift(after, -1) == period


@given(CALENDARS, st.sampled_from(GRAINS), DAYS)
def test_no_two_neighbouring_years_share_a_period_name(cut, grain, day):
    names = [period.id for period in cut.periods(grain, day, day + dt.timedelta(days=800))]
    assert len(names) == len(set(names))


@given(DAYS)
def test_iso_weeks_agree_with_the_standard_library(day):
    year, week, _ = day.isocalendar()
    assert ISO.period("week", day).id == f"{year}-W{week:02d}"


CHRISTMAS = frozenset({D(2026, 12, 25), D(2026, 12, 26)})


def test_working_days_are_monday_to_friday_without_holidays():
    cut = Calendar(holidays=CHRISTMAS)
    assert cut.working_days(D(2026, 12, 21), D(2026, 12, 27)) == 4
    assert cut.working_days(D(2026, 12, 1), D(2026, 12, 31)) == 22
    assert cut.working_days(D(2026, 12, 25), D(2026, 12, 27)) == 0
    assert cut.working_days(D(2026, 12, 24), D(2026, 12, 23)) == 0


@given(DAYS, st.integers(0, 40), st.integers(0, 40), st.frozensets(DAYS, max_size=5))
def test_working_days_of_two_stretches_add_up(first, one, other, holidays):
    cut = Calendar(holidays=holidays | {first})
    middle, last = first + dt.timedelta(days=one), first + dt.timedelta(days=one + other)
    days = [first + dt.timedelta(days=i) for i in range(one + other + 1)]
    assert cut.working_days(first, last) == sum(
        day.weekday() < 5 and day not in cut.holidays for day in days
    )
    assert cut.working_days(first, last) == cut.working_days(first, middle) + cut.working_days(
        middle + dt.timedelta(days=1), last
    )


def test_the_calendar_as_rows_names_the_periods_of_each_day():
    friday, saturday = periods.dimension(
        Calendar(holidays=frozenset({D(2027, 1, 1)})), D(2027, 1, 1), D(2027, 1, 2)
    )
    assert friday == (D(2027, 1, 1), "2026-W53", "2027-01", "2027-Q1", "2027", "", False)
    assert saturday.day == D(2027, 1, 2)


@given(CALENDARS, DAYS)
def test_a_year_is_made_of_its_twelve_months_and_four_quarters(cut, day):
    year = cut.period("year", day)
    for grain, count in (("month", 12), ("quarter", 4)):
        parts = list(cut.periods(grain, year.start, year.end))
        assert (parts[0].start, parts[-1].end, len(parts)) == (year.start, year.end, count)


@given(CALENDARS, st.sampled_from(["month", "quarter", "year"]), DAYS)
def test_to_date_of_the_last_day_is_the_whole_period(cut, grain, day):
    period = cut.period(grain, day)
    assert cut.to_date(grain, period.end) == (period.start, period.end)
    assert cut.to_date_last_year(grain, period.end)[0] == cut.last_year(period).start


@pytest.mark.parametrize(
    ("cut", "weeks"),
    [
        (
            ISO,
            [
                ("2026-W52", "2026-12-21", "2026-12-27"),
                ("2026-W53", "2026-12-28", "2027-01-03"),
                ("2027-W01", "2027-01-04", "2027-01-10"),
            ],
        ),
        (
            SUNDAY,
            [
                ("2026-W51", "2026-12-20", "2026-12-26"),
                ("2026-W52", "2026-12-27", "2027-01-02"),
                ("2027-W01", "2027-01-03", "2027-01-09"),
            ],
        ),
        (
            Calendar(week_starts=6, week_one="january_1"),
            [
                ("2026-W52", "2026-12-20", "2026-12-26"),
                ("2027-W01", "2026-12-27", "2027-01-02"),
                ("2027-W02", "2027-01-03", "2027-01-09"),
            ],
        ),
    ],
    ids=["iso", "from_sunday_first_full", "from_sunday_january_1"],
)
def test_the_weeks_around_new_year_2027_are_these(cut, weeks):
    first, last = D.fromisoformat(weeks[0][1]), D.fromisoformat(weeks[-1][2])
    assert [(p.id, str(p.start), str(p.end)) for p in cut.periods("week", first, last)] == weeks


@given(CALENDARS, st.sampled_from(GRAINS), DAYS, st.integers(0, 1500))
def test_periods_tile_the_line_without_gap_or_overlap(cut, grain, first, days):
    last = first + dt.timedelta(days=days)
    tiles = list(cut.periods(grain, first, last))
    assert tiles[0].start <= first <= tiles[0].end
    assert tiles[-1].start <= last <= tiles[-1].end
    assert [p.start for p in tiles[1:]] == [p.end + dt.timedelta(days=1) for p in tiles[:-1]]


HOURS = [
    ("Australia/Sydney", "2026-10-03T14:00:00Z", "2026-10-04T13:00:00Z", "2026-10-04", 23),
    ("Australia/Sydney", "2026-04-04T13:00:00Z", "2026-04-05T14:00:00Z", "2026-04-05", 25),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z", "2018-11-04", 23),
    ("America/Sao_Paulo", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z", "2018-02-17", 25),
]


@pytest.mark.parametrize(("zone", "begins", "ends", "day", "hours"), HOURS)
def test_a_day_of_23_or_25_hours_is_one_day_and_its_rows_are_cut_where_it_begins_and_ends(
    tmp_path, zone, begins, ends, day, hours
):
    """The clock is put forward at 02:00 in Sydney; in Sao Paulo it was at midnight, which then did not exist."""
    first, after = (dt.datetime.fromisoformat(edge) for edge in (begins, ends))
    stamps = [first + dt.timedelta(hours=hour) for hour in range(-24, hours + 24)]
    stamps += [first - dt.timedelta(seconds=1), after - dt.timedelta(seconds=1)]
    (tmp_path / "a.csv").write_text(
        "at\n" + "".join(f"{stamp:%Y-%m-%dT%H:%M:%SZ}\n" for stamp in stamps)
    )
    source = {"system": "X", "path": "a.csv", "time": "at"}
    metric = {"type": "simple", "measure": {"source": "s", "agg": "count"}}
    company = {"company": "C", "timezone": zone, "sources": {"s": source}}
    known = Definitions.model_validate(
        {"company": company, "departments": {"d": {"department": "D", "metrics": {"m": metric}}}}
    )
    with sources.open(known, tmp_path, D.fromisoformat(day) + dt.timedelta(days=5)) as catalog:
        table = alignment.values(catalog, "m", grain="day").dropna(subset="value")
    assert table["period"].tolist() == [
        str(D.fromisoformat(day) + dt.timedelta(days=n)) for n in (-1, 0, 1)
    ]
    assert table["value"].tolist() == [25, hours + 1, 24]


def test_the_words_of_company_yaml_make_the_same_calendar():
    nested = {"pattern": "4-5-4", "ends": "saturday nearest january 31", "named": "start"}
    assert periods.calendar(year=nested) == periods.calendar(**nested)
    assert periods.calendar(week_starts="sunday", year={"starts": "july"}).year_starts == 7


def test_a_year_that_is_one_word_is_answered_with_how_it_is_written():
    with pytest.raises(UsageError, match="holds words by key"):
        periods.calendar(year="april")


def test_an_unknown_word_about_the_year_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="no key 'start'; did you mean 'starts'"):
        periods.calendar(year={"start": "july"})
