"""Local days of many stamps: a clock is changed a few times a decade, so most of the work is an addition.

A time zone database is asked for each row otherwise, which costs more than everything else that is done to it.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
from sqlglot import exp

from dataops_nb.sources.sql import text

BACK = dt.timedelta(days=15 * 365)
AHEAD = dt.timedelta(days=366)
WEEK = dt.timedelta(days=7)  # no clock has been changed twice within one
MACRO = "_nb_local_day"


class Steps:
    """The changes of a zone's clock from 15 years before as-of to one after, as a macro; other stamps go the long way.

    Not used where DuckDB's own zones say otherwise about any of them.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, zone: str, as_of: dt.date) -> None:
        self._con = con
        self._zone = zone
        self._as_of = as_of
        self._made = False
        self.usable: bool | None = None

    def cut(self, moment: exp.Expression, type_: str, zone: str) -> exp.Expression | None:
        """The local day of an instant, or of a stamp without an offset in UTC; None for any other."""
        instant = type_ == "TIMESTAMP WITH TIME ZONE"
        if not instant and (type_ != "TIMESTAMP" or zone != "UTC" or self._zone == "UTC"):
            return None
        if self.usable is None:
            self.make()
        if not self.usable:
            return None
        micros = exp.Anonymous(this="epoch_us", expressions=[moment])
        plain = exp.Anonymous(this="make_timestamp", expressions=[micros]) if instant else moment
        return exp.Anonymous(this=MACRO, expressions=[plain])

    def make(self) -> None:
        """Make the macro, once; it saves nothing where the zones of Python and DuckDB differ, and is then not used."""
        if self._made:
            return
        self._made = True
        steps = find_steps(ZoneInfo(self._zone), self._as_of)
        agreed = self._agree(steps)
        self.usable = agreed if self.usable is None else self.usable
        end = _stamp(dt.datetime.combine(self._as_of, dt.time()) + AHEAD)
        long = f"cast(timezone({text(self._zone)}, timezone('UTC', m)) as date)"
        cases = " ".join(f"when m >= {_stamp(at)} then cast(m + {_interval(offset)} as date)" for at, offset in steps)
        cases = cases if agreed else ""
        self._con.execute(
            f"create or replace macro {MACRO}(m) as case when m >= {end} then {long} {cases} else {long} end"
        )

    def _agree(self, steps: list[tuple[dt.datetime, dt.timedelta]]) -> bool:
        second = dt.timedelta(seconds=1)
        asked = {moment: offset for at, offset in steps for moment in (at, at + WEEK)}
        asked |= {at - second: before for (at, _), (_, before) in pairwise(steps)}
        listed = ", ".join(_stamp(moment) for moment in asked)
        query = f"select timezone({text(self._zone)}, timezone('UTC', m)) from (select unnest([{listed}]) as m)"
        said = [row[0] for row in self._con.execute(query).fetchall()]
        return said == [moment + offset for moment, offset in asked.items()]


def find_steps(zone: ZoneInfo, as_of: dt.date) -> list[tuple[dt.datetime, dt.timedelta]]:
    """The moments in UTC from which each offset holds, the latest first; the last one is where the search starts."""
    moment = dt.datetime.combine(as_of, dt.time())
    low, end = moment - BACK, moment + AHEAD
    steps = [(low, _offset(zone, low))]
    while low < end:
        high = low + WEEK
        if _offset(zone, high) != steps[-1][1]:
            steps.append(_change(zone, low, high))
        low = high
    return steps[::-1]


def _change(zone: ZoneInfo, low: dt.datetime, high: dt.datetime) -> tuple[dt.datetime, dt.timedelta]:
    """The second between two moments at which the clock is changed."""
    before = _offset(zone, low)
    while high - low > dt.timedelta(seconds=1):
        middle = low + dt.timedelta(seconds=(high - low) // dt.timedelta(seconds=2))
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high, _offset(zone, high)


def _offset(zone: ZoneInfo, moment: dt.datetime) -> dt.timedelta:
    return moment.replace(tzinfo=dt.UTC).astimezone(zone).utcoffset() or dt.timedelta()


def _stamp(moment: dt.datetime) -> str:
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S}'"


def _interval(offset: dt.timedelta) -> str:
    return f"to_seconds({int(offset.total_seconds())})"
