"""Local days: which day of the company a moment of a source belongs to.

Dates are local days already and never move. Stamps without an offset are in the source's time zone, stamps with one are
instants; both are told in the company's time zone and then cut to their day, so that daylight saving is right.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from sqlglot import exp

from dataops_nb.sources.kinds import family


def cut_day(moment: exp.Expression, type_: str, zone: str, company: str) -> exp.Expression:
    """The local day of a column of that type; `zone` is the one of its stamps without an offset."""
    if type_ == "DATE":
        return moment
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return exp.cast(_tell(moment, company), "date")
    if zone == company:
        return exp.cast(moment, "date")
    return exp.cast(_tell(_tell(exp.cast(moment, "timestamp"), zone), company), "date")


def _tell(moment: exp.Expression, zone: str) -> exp.Expression:
    return exp.AtTimeZone(this=moment, zone=exp.Literal.string(zone))


def is_time(type_: str) -> bool:
    """Whether a column of that type has a day."""
    return family(type_) in ("date", "timestamp")


def end_before(column: exp.Expression, type_: str, zone: str, company: str, as_of: dt.date) -> str:
    """SQL that holds for the moments up to the end of a local day, in a form that a file's statistics can answer."""
    after = as_of + dt.timedelta(days=1)
    sql = column.sql(dialect="duckdb")
    if type_ == "DATE":
        return f"{sql} < DATE '{after}'"
    if type_ != "TIMESTAMP WITH TIME ZONE" and zone == company:
        return f"{sql} < TIMESTAMP '{after} 00:00:00'"
    end = dt.datetime.combine(after, dt.time(0), ZoneInfo(company)).astimezone(dt.UTC)
    instant = f"TIMESTAMPTZ '{end:%Y-%m-%d %H:%M:%S}+00'"
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"{sql} < {instant}"
    if _is_steady(end, ZoneInfo(zone)):
        return f"{sql} < TIMESTAMP '{end.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}'"
    return f"(cast({sql} as timestamp) AT TIME ZONE '{zone}') < {instant}"


def _is_steady(moment: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether no clock of the zone is changed near that moment, so that its wall clock orders the rows around it."""
    around = [(moment + dt.timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in range(-26, 27, 1)]
    return len(set(around)) == 1
