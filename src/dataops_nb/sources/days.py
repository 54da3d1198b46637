"""Local days: which day of the company a moment of a source belongs to.

Dates are local days already and never move. Stamps without an offset are in the source's time zone,
stamps with one are instants; both are converted to the company's time zone and then cut to their
day, so that daylight saving is right.

Two things stand on local days: coverage, the days a source speaks about, so that a day without rows
is 0 inside it and unknown outside; and exchange rates, which hold for spans of days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
from sqlglot import exp

from dataops_nb.alignment.queries import SPANS, family, holds
from dataops_nb.alignment.rows import Coverage
from dataops_nb.company import Rates
from dataops_nb.definitions.models import Source
from dataops_nb.sources.evidence import ROW, Check, quote, text

SECOND = dt.timedelta(seconds=1)
BACK = dt.timedelta(days=15 * 365)
AHEAD = dt.timedelta(days=366)
WEEK = dt.timedelta(days=7)  # no clock has been changed twice within one
MACRO = "_nb_local_day"
LAST = "9999-12-31"
INSTANT = "TIMESTAMP WITH TIME ZONE"


# --- days of moments -----------------------------------------------------------------------------


def cut_day(moment: exp.Expression, type_: str, zone: str, company: str) -> exp.Expression:
    """Return the local day of a column of that type.

    `zone` is that of its stamps without an offset, `company` that of the days.
    """
    if type_ == "DATE":
        return moment
    if type_ != INSTANT:
        if zone == company:
            return exp.cast(moment, "date")
        moment = _at_zone(exp.cast(moment, "timestamp"), zone)
    return exp.cast(_at_zone(moment, company), "date")


def _at_zone(moment: exp.Expression, zone: str) -> exp.Expression:
    return exp.AtTimeZone(this=moment, zone=exp.Literal.string(zone))


def is_time(type_: str) -> bool:
    """Whether a column of that type has a day."""
    return family(type_) in ("date", "timestamp")


def end_before(column: exp.Expression, type_: str, zone: str, company: str, as_of: dt.date) -> str:
    """Return SQL that holds for the moments up to the end of a local day.

    The bare column stands on the left wherever possible, so that a file's statistics can answer.
    """
    after = as_of + dt.timedelta(days=1)
    sql = column.sql(dialect="duckdb")
    if type_ == "DATE":
        return f"{sql} < DATE '{after}'"
    if type_ != INSTANT and zone == company:
        return f"{sql} < TIMESTAMP '{after} 00:00:00'"
    end = dt.datetime.combine(after, dt.time(0), ZoneInfo(company)).astimezone(dt.UTC)
    instant = f"TIMESTAMPTZ '{end:%Y-%m-%d %H:%M:%S}+00'"
    if type_ == INSTANT:
        return f"{sql} < {instant}"
    if _is_steady(end, ZoneInfo(zone)):
        return f"{sql} < TIMESTAMP '{end.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}'"
    return f"(cast({sql} as timestamp) AT TIME ZONE '{zone}') < {instant}"


def _is_steady(moment: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether no clock of the zone is changed within 26 hours of a moment.

    Then the zone's wall clock orders the rows around it.
    """
    offsets = set()
    for hours in range(-26, 27):
        around = moment + dt.timedelta(hours=hours)
        offsets.add(around.astimezone(zone).utcoffset())
    return len(offsets) == 1


class Steps:
    """A macro in DuckDB that cuts local days by addition, for the company's zone.

    Looking up each row in a time zone database costs more than everything else done to it, but a
    clock is changed only a few times a decade. The macro holds the changes from 15 years before
    as-of to one after; other stamps go the long way. It is not used where DuckDB's own zones differ
    from Python's about any of them: `usable` is then False, and None until that is known.
    """

    def __init__(
        self, con: Callable[[], duckdb.DuckDBPyConnection], zone: str, as_of: dt.date
    ) -> None:
        self._con = con
        self._zone = zone
        self._as_of = as_of
        self._made = False
        self.usable: bool | None = None

    def cut(self, moment: exp.Expression, type_: str, zone: str) -> exp.Expression | None:
        """Return the local day of an instant, or of a stamp in UTC without offset; else None."""
        is_instant = type_ == INSTANT
        is_utc = type_ == "TIMESTAMP" and zone == "UTC" and self._zone != "UTC"
        if not is_instant and not is_utc:
            return None
        if self.usable is None:
            self.make()
        if not self.usable:
            return None
        if is_instant:
            micros = exp.Anonymous(this="epoch_us", expressions=[moment])
            moment = exp.Anonymous(this="make_timestamp", expressions=[micros])
        return exp.Anonymous(this=MACRO, expressions=[moment])

    def make(self) -> None:
        """Make the macro, once; without any steps where Python and DuckDB differ."""
        if self._made:
            return
        self._made = True
        steps = find_steps(ZoneInfo(self._zone), self._as_of)
        agreed = self._agree(steps)
        if self.usable is None:
            self.usable = agreed
        end = _stamp(dt.datetime.combine(self._as_of, dt.time()) + AHEAD)
        long = f"cast(timezone({text(self._zone)}, timezone('UTC', m)) as date)"
        cases = [f"when m >= {end} then {long}"]
        if agreed:
            for start, offset in steps:
                day = f"cast(m + {_interval(offset)} as date)"
                cases.append(f"when m >= {_stamp(start)} then {day}")
        body = f"case {' '.join(cases)} else {long} end"
        self._con().execute(f"create or replace macro {MACRO}(m) as {body}")

    def _agree(self, steps: list[tuple[dt.datetime, dt.timedelta]]) -> bool:
        """Whether DuckDB has the same offsets at each change, a week after and a second before."""
        offsets = {}
        for start, offset in steps:
            offsets[start] = offset
            offsets[start + WEEK] = offset
        for (start, _), (_, offset_before) in pairwise(steps):
            offsets[start - SECOND] = offset_before
        moments = ", ".join(_stamp(moment) for moment in offsets)
        local = f"timezone({text(self._zone)}, timezone('UTC', m))"
        query = f"select {local} from (select unnest([{moments}]) as m)"
        local_times = [row[0] for row in self._con().execute(query).fetchall()]
        return local_times == [moment + offset for moment, offset in offsets.items()]


def find_steps(zone: ZoneInfo, as_of: dt.date) -> list[tuple[dt.datetime, dt.timedelta]]:
    """Return the moments in UTC from which each offset holds, the latest first.

    The last of them is where the search starts, 15 years before as-of.
    """
    moment = dt.datetime.combine(as_of, dt.time())
    low, end = moment - BACK, moment + AHEAD
    steps = [(low, _offset(zone, low))]
    while low < end:
        high = low + WEEK
        if _offset(zone, high) != steps[-1][1]:
            steps.append(_change(zone, low, high))
        low = high
    return steps[::-1]


def _change(
    zone: ZoneInfo, low: dt.datetime, high: dt.datetime
) -> tuple[dt.datetime, dt.timedelta]:
    """Return the second between two moments at which the clock is changed, and the new offset."""
    before = _offset(zone, low)
    while high - low > SECOND:
        middle = low + (high - low) // (2 * SECOND) * SECOND
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high, _offset(zone, high)


def _offset(zone: ZoneInfo, moment: dt.datetime) -> dt.timedelta:
    return moment.replace(tzinfo=dt.UTC).astimezone(zone).utcoffset() or dt.timedelta()


def _stamp(moment: dt.datetime) -> str:
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S}'"


def _interval(offset: dt.timedelta) -> str:
    return f"to_seconds({int(offset.total_seconds())})"


# --- coverage ------------------------------------------------------------------------------------


def cover_days(
    source: Source, as_of: dt.date, first_row: dt.date | None, last_row: dt.date | None
) -> Coverage:
    """Return the days a source covers: what it declares, completed by its rows.

    With `fresh_within` it reaches to as-of while its last row is no older than that; after that it
    is stale and ends with its last row. With `exists_from` times may be days to come, so the
    source reaches to as-of; `last_row` is then the day on which its last row was known.
    """
    first = source.covers.from_ or first_row
    last, stale = _last_day(source, as_of, last_row)
    if last is not None and last > as_of:
        last = as_of
    if first is None or last is None or first > last:
        return Coverage(None, None, stale, last_row)
    return Coverage(first, last, stale, last_row)


def _last_day(
    source: Source, as_of: dt.date, last_row: dt.date | None
) -> tuple[dt.date | None, bool]:
    """Return the last covered day, and whether the source is stale."""
    until = source.covers.to
    declared = min(until, as_of) if isinstance(until, dt.date) else None
    if source.fresh_within is None:
        if until == "as_of":
            return as_of, False
        if source.exists_from is not None and last_row is not None:
            return declared or as_of, False
        return declared or last_row, False
    reach = declared or as_of
    if last_row is None or (reach - last_row).days > source.fresh_within.days:
        return last_row, True
    return reach, False


# --- exchange rates ------------------------------------------------------------------------------


SPAN_TYPES = {
    "_nb_currency": "varchar",
    "_nb_since": "date",
    "_nb_until": "date",
    "_nb_rate": "double",
}


def list_spans(rates: Rates, relation: exp.Expression, day: exp.Expression) -> exp.Select:
    """Return the days each rate holds: `_nb_currency _nb_since _nb_until _nb_rate`.

    `_nb_until` is exclusive, and spans never overlap. `day` is the local day of a row of
    `relation`, the source of the rates.
    """
    currency = exp.cast(exp.column(rates.from_, quoted=True), "text")
    rate = exp.cast(exp.column(rates.rate, quoted=True), "double")
    known = exp.select(
        exp.alias_(currency, "_nb_currency"),
        exp.alias_(day, "_nb_since"),
        exp.alias_(rate, "_nb_rate"),
    ).from_(relation)
    complete = "_nb_currency is not null and _nb_since is not null and _nb_rate is not null"
    after = "lead(_nb_since) over (partition by _nb_currency order by _nb_since, _nb_rate)"
    until = f"coalesce({after}, cast('{LAST}' as date))"
    longest = _longest_days(rates)
    if longest is not None:
        until = f"least({until}, cast(_nb_since + interval '{longest + 1}' day as date))"
    columns = ("_nb_currency", "_nb_since", f"cast({until} as date) as _nb_until", "_nb_rate")
    return exp.select(*columns, dialect="duckdb").from_(known.subquery("r")).where(complete)


def check_rate(
    rates: Rates, column: str, day: exp.Expression, relation: str, *, among: str, spans: exp.Select
) -> Check:
    """Return the check of rows that lack a currency, or a rate on their day; `among` says which.

    The value shown names both the currency and the day.
    """
    day_sql = day.sql(dialect="duckdb")
    same = holds(exp.column(column, quoted=True), day).sql(dialect="duckdb")
    own = f"cast({quote(column)} as varchar)"
    lacking = f"{quote(column)} is null or ({own} <> {text(rates.to)} and _nb_rate is null)"
    joined = f"({relation}) left join ({spans.sql(dialect='duckdb')}) as {SPANS} on {same}"
    rows = f"select {ROW} from {joined} where ({among}) and ({lacking})"
    rule = f"has no rate to {rates.to} in {rates.source}{_say_reach(rates)}"
    shown = f"coalesce({own}, 'no currency') || ' on ' || cast({day_sql} as varchar)"
    return Check(column, rule, f"{ROW} in ({rows})", shown)


def _say_reach(rates: Rates) -> str:
    longest = _longest_days(rates)
    if longest is None:
        return ""
    if longest == 0:
        return " on that day"
    return f" no older than {rates.max_gap}"


def _longest_days(rates: Rates) -> int | None:
    """Return how many days a rate holds after its own; None without end."""
    if rates.fill is None:
        return 0
    return rates.max_gap.days if rates.max_gap else None
