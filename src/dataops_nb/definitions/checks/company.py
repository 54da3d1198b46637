"""company.yaml: the calendar, the North Star and the lights."""

from __future__ import annotations

from zoneinfo import ZoneInfo, available_timezones

from babel.localedata import locale_identifiers

from dataops_nb.definitions.draft import Draft, Steps
from dataops_nb.definitions.models import CalendarModel, Company, Lights, YearEnd
from dataops_nb.errors import did_you_mean


def check_company(draft: Draft) -> None:
    """The calendar's words fit each other, the North Star names metrics, thresholds are in order."""
    company, file = draft.definitions.company, draft.company
    _check_calendar(draft)
    _check_rates(draft)
    check_timezone(draft, ("timezone",), company.timezone)
    _check_locale(draft, company.locale)
    for index, metric in enumerate(company.north_star):
        draft.say_unknown_metric(file, ("north_star", index), metric)
        if metric in company.north_star[:index]:
            draft.say(file, ("north_star", index), f"{metric!r} stands here twice")
    for name, lights in company.lights.items():
        for path, message in faults_of_lights(lights):
            draft.say(file, ("lights", name, *path), message)


def check_timezone(draft: Draft, path: Steps, zone: str | None) -> None:
    """A time zone that the world knows."""
    try:
        ZoneInfo(zone or "UTC")
    except (KeyError, ValueError, OSError):
        near = did_you_mean(zone or "", available_timezones())
        draft.say(draft.company, path, f"unknown time zone {zone!r}{near}")


def _check_locale(draft: Draft, locale: str) -> None:
    """A language, or a language and a country, whose way of writing numbers is known."""
    if locale != Company.model_fields["locale"].default and locale not in (known := locale_identifiers()):
        draft.say(draft.company, ("locale",), f"unknown locale {locale!r}{did_you_mean(locale, known)}")


def faults_of_lights(lights: Lights) -> list[tuple[Steps, str]]:
    """Where thresholds are missing or in the wrong order, and what to say there."""
    green, yellow, red = lights.green.at_least, lights.yellow, lights.red.at_least
    faults: list[tuple[Steps, str]] = []
    if green is None:
        faults.append((("green", "at_least"), "missing key 'at_least': from which attainment on it is green"))
    if yellow is not None and yellow.at_least is None:
        faults.append((("yellow", "at_least"), "missing key 'at_least': from which attainment on it is yellow"))
    if yellow is not None and yellow.at_least is not None and green is not None and yellow.at_least >= green:
        message = f"yellow starts at {yellow.at_least:g}, which must be below green's {green:g}"
        faults.append((("yellow", "at_least"), message))
    if red is not None:
        faults.append((("red", "at_least"), "red is everything below the other colours; leave it out"))
    return faults


def _check_calendar(draft: Draft) -> None:
    calendar = draft.definitions.company.calendar
    ends: Steps = ("calendar", "year", "ends")
    if calendar.year.pattern and not calendar.year.ends:
        draft.say(draft.company, ends, "a pattern needs the day the year ends on: saturday nearest january 31")
    if calendar.year.ends and not calendar.year.pattern:
        draft.say(draft.company, ends, "needs a pattern: 4-4-5, 4-5-4 or 5-4-4")
    if calendar.year.pattern and calendar.year.ends:
        _check_pattern(draft, calendar, calendar.year.ends)
    if calendar.week_one not in {None, "iso"} and calendar.first_weekday == "monday":
        message = "weeks that start on Monday are ISO weeks; leave it out, or say another week_starts"
        draft.say(draft.company, ("calendar", "week_one"), message)


def _check_pattern(draft: Draft, calendar: CalendarModel, ends: YearEnd) -> None:
    """Weeks and the year start on the day after the year ends; what else is said must say the same."""
    first = calendar.first_weekday
    if "week_starts" in calendar.model_fields_set and calendar.week_starts != first:
        message = f"a year that ends on a {ends.weekday} has weeks that start on {first}; write {first} or leave it out"
        draft.say(draft.company, ("calendar", "week_starts"), message)
    if "starts" in calendar.year.model_fields_set and calendar.year.starts != ends.next_month:
        message = f"a year that ends on the {ends} starts on the day after, about {ends.next_month}; leave it out"
        draft.say(draft.company, ("calendar", "year", "starts"), message)


def _check_rates(draft: Draft) -> None:
    company = draft.definitions.company
    if company.rates is None:
        return
    draft.say_unknown_source(draft.company, ("rates", "source"), company.rates.source)
    if company.rates.to != company.currency:
        message = f"the company's amounts are shown in {company.currency}; say the same currency in both places"
        draft.say(draft.company, ("rates", "to"), message)
    if company.rates.max_gap is not None and company.rates.fill is None:
        message = "without fill: previous a rate holds on its own day only; say fill, or leave max_gap out"
        draft.say(draft.company, ("rates", "max_gap"), message)
