"""Calendars: which days make a week, month, quarter, year; its name, and the same one last year.

Two departments can be compared only when their days are cut the same way. A `Calendar` names the
period of a day, lists periods, finds the one before, the same one last year and the days up to
date, and counts working days. `dimension` gives it as rows, one a day.

An open period is compared with what earlier ones had reached by then. `position` says how far into
its period a day lies, and `at_position` which day of another period lies as far into that one. In
a month that is not the same date: what comes on working days alone has come further by the tenth of
a month that began on a Monday.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.periods.fiscal import CalendarModel, FiscalYear, Holiday, Pattern, YearEnd
from dataops_nb.terms import DAY, GRAINS, MONTHS, MONTHS_IN, WEEKDAYS, Duration, Grain, add_months

__all__ = [
    "Period",
    "calendar",
    "dimension",
]


def __dir__() -> list[str]:
    return __all__


LIKE_FOR_LIKE = dt.timedelta(days=364)  # the same weekdays a year before
LEAST = 0.01  # of a working day; a day off always counts something
_SATURDAY = 5
_WORDS: dict[str, tuple[str, ...]] = {
    "week_starts": tuple(WEEKDAYS),
    "year_starts": tuple(MONTHS),
    "pattern": ("4-4-5", "4-5-4", "5-4-4"),
    "named": ("end", "start"),
    "week_one": ("iso", "first_full", "january_1"),
}
# The day of a week whose year the week belongs to, counted from its first.
_DECISIVE_DAY = {"iso": 3, "first_full": 0, "january_1": 6}


@dataclass(frozen=True, order=True)
class Period:
    """A stretch of days with a name; `end` is the last day of it.

    `fiscal` is the name of a week within a year of whole weeks: `FY27-W43`; empty for all others.

    >>> periods.calendar().period("month", "2026-11-15").days
    30
    """

    start: dt.date
    end: dt.date
    grain: Grain
    id: str
    fiscal: str = field(default="", compare=False)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1


@dataclass(frozen=True)
class Calendar:
    """How a company cuts time.

    `week_starts` counts from Monday = 0, `year_starts` is the first month of the fiscal year, and
    `named` says whether that year has the number of the calendar year it ends or starts in.
    `week_one` numbers weeks: `iso` (the week with the year's fourth day), `first_full` (the first
    week wholly in the year), `january_1` (the week with 1 January). With a `pattern`, months,
    quarters and years are made of whole weeks. On `holidays` nobody works.
    """

    week_starts: int = 0
    year_starts: int = 1
    named: Literal["end", "start"] = "end"
    week_one: Literal["iso", "first_full", "january_1"] = "iso"
    pattern: Pattern | None = None
    holidays: frozenset[dt.date] = frozenset()

    def period(self, grain: Grain, day: dt.date | str) -> Period:
        """Return the period of this grain that holds the day.

        Raises UsageError for an unknown grain, with the nearest one, and for a text that is no day.
        """
        if isinstance(day, str):
            day = _parse_day(day)
        if grain == "day":
            return Period(day, day, "day", day.isoformat())
        if grain == "week":
            return self._week(day)
        if grain not in MONTHS_IN:
            known = ("day", "week", *MONTHS_IN)
            raise UsageError(f"no grain {grain!r}{did_you_mean(grain, known)}")
        return self._period_of_months(grain, self._place(grain, day))

    def periods(self, grain: Grain, first: dt.date, last: dt.date) -> Iterator[Period]:
        """Yield every period that has at least one day in `first`..`last`, oldest first."""
        if first > last:
            return
        period = self.period(grain, first)
        while period.start <= last:
            yield period
            period = self.shift(period, 1)

    def shift(self, period: Period, by: int) -> Period:
        """Return the period so many periods later, or earlier if `by` is negative."""
        grain = period.grain
        if grain in MONTHS_IN:
            return self._period_of_months(grain, self._place(grain, period.start) + by)
        step = dt.timedelta(days=7 if grain == "week" else 1)
        return self.period(grain, period.start + by * step)

    def last_year(self, period: Period) -> Period:
        """Return the same period a year before.

        Days and weeks lie 364 days back, on the same weekdays; months, quarters and years are those
        of the same name. Under a pattern they too are the same weeks, 364 days back. After a year
        of 53 weeks that is a week later than the period of that name: last year is restated, so
        that like is compared with like.
        """
        if period.grain not in MONTHS_IN:
            return self.period(period.grain, period.start - LIKE_FOR_LIKE)
        namesake = self.shift(period, -12 // MONTHS_IN[period.grain])
        if self.pattern is None:
            return namesake
        start, end = period.start - LIKE_FOR_LIKE, period.end - LIKE_FOR_LIKE
        return replace(namesake, start=start, end=end)

    def last_complete(self, grain: Grain, as_of: dt.date) -> Period:
        """Return the latest period whose last day is not after `as_of`."""
        period = self.period(grain, as_of)
        return period if period.end <= as_of else self.shift(period, -1)

    def to_date(self, grain: Grain, day: dt.date) -> tuple[dt.date, dt.date]:
        """Return the first day of the month, quarter or year that holds `day`, and `day`."""
        return self.period(grain, day).start, day

    def to_date_last_year(self, grain: Grain, day: dt.date) -> tuple[dt.date, dt.date]:
        """Return the days of `to_date` a year before.

        They reach up to the same date; under a pattern all of them lie 364 days back.
        """
        start, end = self.to_date(grain, day)
        if self.pattern is None:
            return add_months(start, -12), add_months(end, -12)
        return start - LIKE_FOR_LIKE, end - LIKE_FOR_LIKE

    def is_fiscal(self, duration: Duration, grain: Grain | None) -> bool:
        """Tell whether a duration is counted in fiscal months.

        That is under a pattern, if it and the grain are months or longer.
        """
        return self.pattern is not None and grain in MONTHS_IN and duration.unit in MONTHS_IN

    def months_before(self, day: dt.date, duration: Duration) -> dt.date:
        """Return the day so many fiscal months, quarters or years before.

        It lies as many days into its month; on its last day if that month is shorter.
        """
        number = self._month_number(day)
        earlier = number - duration.count * MONTHS_IN[duration.unit]
        days_into_month = day - self._first_day(number)
        last_day = self._first_day(earlier + 1) - DAY
        return min(self._first_day(earlier) + days_into_month, last_day)

    def is_worked(self, day: dt.date) -> bool:
        """Tell whether a day is one of Monday to Friday, and no holiday."""
        return day.weekday() < _SATURDAY and day not in self.holidays

    def working_days(self, first: dt.date, last: dt.date) -> int:
        """Count the days of `first`..`last` from Monday to Friday, without holidays."""
        weeks, rest = divmod(max((last - first).days + 1, 0), 7)
        count = weeks * 5
        for offset in range(rest):
            if (first.weekday() + offset) % 7 < _SATURDAY:
                count += 1
        for day in self.holidays:
            if first <= day <= last and day.weekday() < _SATURDAY:
                count -= 1
        return count

    def _week(self, day: dt.date) -> Period:
        start = day - dt.timedelta(days=(day.weekday() - self.week_starts) % 7)
        decisive = start + dt.timedelta(days=_DECISIVE_DAY[self.week_one])
        number = (decisive.timetuple().tm_yday - 1) // 7 + 1
        name = f"{decisive.year}-W{number:02d}"
        fiscal = self._fiscal_week(start) if self.pattern else ""
        return Period(start, start + dt.timedelta(days=6), "week", name, fiscal)

    def _fiscal_week(self, start: dt.date) -> str:
        year = self._period_of_months("year", self._place("year", start))
        return f"{year.id}-W{(start - year.start).days // 7 + 1:02d}"

    def _period_of_months(self, grain: Grain, place: int) -> Period:
        """Return the month, quarter or year at a place in the count of all of them."""
        months = MONTHS_IN[grain]
        first_month = place * months
        start = self._first_day(first_month)
        end = self._first_day(first_month + months) - DAY
        return Period(start, end, grain, self._name(grain, first_month))

    def _place(self, grain: Grain, day: dt.date) -> int:
        """Return the place of a month, quarter or year in the count of all of them."""
        return self._month_number(day) // MONTHS_IN[grain]

    def _month_number(self, day: dt.date) -> int:
        """Return the number of a month, counted through all fiscal years.

        number // 12 is the year, number % 12 the month's place in it.
        """
        if self.pattern:
            return self.pattern.month_number(day)
        return day.year * 12 + day.month - self.year_starts

    def _first_day(self, number: int) -> dt.date:
        if self.pattern:
            return self.pattern.first_day(number)
        year, month = divmod(number + self.year_starts - 1, 12)
        return dt.date(year, month + 1, 1)

    def _name(self, grain: Grain, first_month: int) -> str:
        year, place = divmod(first_month, 12)
        if grain == "year":
            return self._year_name(year)
        if grain == "quarter":
            return f"{self._year_name(year)}-Q{place // 3 + 1}"
        if self.pattern:
            return f"{self._year_name(year)}-P{place + 1:02d}"
        return f"{self._first_day(first_month):%Y-%m}"

    def _year_name(self, year: int) -> str:
        if self.pattern:
            number = year if self.named == "end" else self.pattern.starts_in(year)
        elif self.year_starts == 1:
            return f"{year:04d}"
        else:
            number = year + 1 if self.named == "end" else year
        return f"FY{number % 100:02d}"


def _parse_day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day; write it like 2026-11-15") from None


def calendar(
    model: CalendarModel | None = None,
    holidays: Iterable[Any] = (),
    *,
    week_starts: str | None = None,
    year: Mapping[str, str] | None = None,
    year_starts: str = "january",
    pattern: str | None = None,
    ends: str | None = None,
    named: str = "end",
    week_one: str | None = None,
) -> Calendar:
    """Make a company's calendar, in the words of params/company.yaml.

    `week_starts` is a weekday (default: monday; under a `pattern` the day after the one the year
    ends on). `year_starts` is a month. `pattern` (4-4-5, 4-5-4 or 5-4-4) makes months, quarters and
    years of whole weeks; `ends` then says on which day a year ends: `saturday nearest january 31`,
    `last saturday of january`. A fiscal year is `named` by the calendar year it ends or starts in.
    `week_one` (iso, first_full, january_1) numbers weeks. `holidays` are days on which nobody
    works. `year` says the same of the year as company.yaml does, with the keys starts, named,
    pattern and ends: `calendar(**words)` takes what stands there under `calendar:`.

    Raises UsageError for an unknown word, with the nearest right one, and if `week_starts`
    contradicts `ends`.

    Source: ISO 8601 (weeks); the NRF's 4-5-4 calendar (patterns).

    >>> periods.calendar().period("week", "2026-11-15").id
    '2026-W46'
    >>> retail = periods.calendar(
    ...     pattern="4-5-4", ends="saturday nearest january 31", named="start"
    ... )
    >>> retail.period("year", "2024-02-03").id
    'FY23'
    >>> periods.calendar(year={"starts": "july"}).period("year", "2026-08-01").id
    'FY27'
    """
    if model is None:
        words = {
            "week_starts": week_starts,
            "year_starts": year_starts,
            "pattern": pattern,
            "ends": ends,
            "named": named,
            "week_one": week_one,
        }
        words |= _words_of_year(year or {})
        ends = words.pop("ends")
        model = _model_of_words(words, ends)
    first_weekday = WEEKDAYS[model.first_weekday]
    usual_week_one: Literal["iso", "first_full"] = "iso" if first_weekday == 0 else "first_full"
    return Calendar(
        week_starts=first_weekday,
        year_starts=MONTHS[model.year.starts],
        named=model.year.named,
        week_one=model.week_one or usual_week_one,
        pattern=_pattern(model.year),
        holidays=frozenset(_holiday_date(holiday) for holiday in holidays),
    )


def _words_of_year(year: Mapping[str, str]) -> dict[str, str]:
    """Return what company.yaml says under `year:` in the words of `calendar`.

    Raises UsageError for an unknown key, with the nearest right one.
    """
    names = {"starts": "year_starts", "named": "named", "pattern": "pattern", "ends": "ends"}
    if not isinstance(year, Mapping):
        raise UsageError(f"year holds words by key, like {{'starts': 'april'}}, not {year!r}")
    words: dict[str, str] = {}
    for key, word in year.items():
        if key not in names:
            near = did_you_mean(str(key), names)
            raise UsageError(f"year has no key {key!r}{near}; it has {', '.join(names)}")
        words[names[key]] = word
    return words


def _model_of_words(words: dict[str, str | None], ends: str | None) -> CalendarModel:
    """Return the words as a model.

    Raises UsageError for an unknown word, and for words that contradict each other.
    """
    for name, word in words.items():
        if word is not None and word not in _WORDS[name]:
            near = did_you_mean(str(word), _WORDS[name])
            known = ", ".join(_WORDS[name])
            raise UsageError(f"{name} {word!r} is unknown{near}; it is one of {known}")
    if (words["pattern"] is None) != (ends is None):
        raise UsageError(
            "a pattern needs the day its year ends on, and that day a pattern: pattern=, ends="
        )
    try:
        year_end = None if ends is None else YearEnd.model_validate(ends)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"ends: {message}") from error

    year = {
        "starts": words["year_starts"],
        "named": words["named"],
        "pattern": words["pattern"],
        "ends": year_end,
    }
    week_starts, week_one = words["week_starts"], words["week_one"]
    model = CalendarModel.model_validate(
        {"week_starts": week_starts or "monday", "year": year, "week_one": week_one}
    )
    if week_starts is not None and model.first_weekday != week_starts:
        raise UsageError(
            f"week_starts {week_starts!r} contradicts ends {ends!r}: "
            f"weeks start on {model.first_weekday}"
        )
    if week_one not in (None, "iso") and model.first_weekday == "monday":
        raise UsageError("weeks that start on Monday are ISO weeks; leave week_one out")
    return model


def _holiday_date(holiday: object) -> dt.date:
    """Return the day of a holiday: a day, its text, or an entry of params/holidays.yaml."""
    if isinstance(holiday, Holiday):
        return holiday.date
    if isinstance(holiday, dt.datetime):
        return holiday.date()
    if isinstance(holiday, dt.date):
        return holiday
    try:
        return dt.date.fromisoformat(str(holiday))
    except ValueError:
        raise UsageError(f"holiday {holiday!r} is no day; write it like 2026-12-25") from None


def _pattern(year: FiscalYear) -> Pattern | None:
    if year.pattern is None or year.ends is None:
        return None
    first, second, third = map(int, year.pattern.split("-"))
    return Pattern((first, second, third), year.ends)


def calendar_model(cut: Calendar) -> CalendarModel:
    """Return a calendar as params/company.yaml would describe it, without its holidays."""
    pattern, ends = None, None
    if cut.pattern is not None:
        pattern = "-".join(map(str, cut.pattern.weeks))
        ends = cut.pattern.ends
    year = {
        "starts": list(MONTHS)[cut.year_starts - 1],
        "named": cut.named,
        "pattern": pattern,
        "ends": ends,
    }
    week_starts = list(WEEKDAYS)[cut.week_starts]
    return CalendarModel.model_validate(
        {"week_starts": week_starts, "year": year, "week_one": cut.week_one}
    )


class Day(NamedTuple):
    """A day, the ids of its periods, and whether it is worked.

    `fiscal_week` is empty without a pattern.
    """

    day: dt.date
    week: str
    month: str
    quarter: str
    year: str
    fiscal_week: str
    working: bool


def dimension(cut: Calendar, first: dt.date, last: dt.date) -> Iterator[Day]:
    """Yield one row for each day of `first`..`last`, oldest first.

    A warehouse or a spreadsheet joins them to cut time as the company does.

    >>> day = pd.Timestamp("2026-11-15").date()
    >>> next(periods.dimension(periods.calendar(), day, day)).working
    False
    """
    for offset in range((last - first).days + 1):
        day = first + dt.timedelta(days=offset)
        week, month, quarter, year = (cut.period(grain, day) for grain in GRAINS[1:])
        working = cut.is_worked(day)
        yield Day(day, week.id, month.id, quarter.id, year.id, week.fiscal, working)


def position(cut: Calendar, period: Period, day: dt.date, day_off: float = 1.0) -> float:
    """Return the share of a period that has passed by the end of a day.

    It is 0 before the first day and 1 on the last. A day off (a weekend, a holiday) counts
    `day_off` of a working day, at least a hundredth.
    """
    passed = _passed(cut, period, day_off)
    return passed[max((day - period.start).days + 1, 0)] / passed[-1]


def at_position(cut: Calendar, period: Period, share: float, day_off: float = 1.0) -> dt.date:
    """Return the day of a period by whose end most nearly this share of it has passed.

    It is the day before the first for a share of nothing, and never the last for less than 1.
    """
    passed = _passed(cut, period, day_off)
    total = passed[-1]
    if share < 1 and len(passed) > 2:
        passed.pop()
    # Rounded, so that of two days that are equally far the first is taken.
    distances = [round(abs(reached / total - share), 9) for reached in passed]
    days = distances.index(min(distances))
    return period.start + (days - 1) * DAY


def _passed(cut: Calendar, period: Period, day_off: float) -> list[float]:
    """Return how many working days have passed: before the first day, then by the end of each."""
    off = min(max(day_off, LEAST), 1.0)
    passed = [0.0]
    for offset in range(period.days):
        worked = cut.is_worked(period.start + offset * DAY)
        passed.append(passed[-1] + (1.0 if worked else off))
    return passed
