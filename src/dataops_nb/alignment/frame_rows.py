"""DataFrames as rows that a query can aggregate, in one DuckDB in memory.

Nothing is read or written.

`FrameRows` answers what `sources.Catalog` answers for files: the queries of `alignment` run over
either of them. A frame becomes an Arrow table of the columns that are needed, with the local day of
each row in a column of its own. `frame_company` is the company of metrics whose rows are handed in.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from sqlglot import exp

from dataops_nb.alignment.frames import (
    Day,
    as_day,
    find_label,
    local_days,
    plain_column,
    read_moments,
    refuse_lookalikes,
    to_array,
)
from dataops_nb.alignment.rows import Coverage, Rows, Usage, WholeNumbers, require_day
from dataops_nb.company import Company, Department, Origin
from dataops_nb.errors import DataError, Fault, UsageError, did_you_mean
from dataops_nb.metrics import Metric, Simple
from dataops_nb.periods import Calendar, calendar_model
from dataops_nb.periods.fiscal import Holiday
from dataops_nb.terms import Duration

LOCAL_DAY = "_nb_local_day"


@dataclass(frozen=True)
class Framed:
    """The rows of one frame: the columns that are needed, `LOCAL_DAY`, and the days they cover."""

    name: str
    table: pa.Table
    time: str
    first: dt.date | None
    last: dt.date | None
    covers: tuple[dt.date | None, dt.date | None]

    @classmethod
    def of(
        cls,
        name: str,
        frame: pd.DataFrame,
        columns: Iterable[str],
        time: str,
        *,
        timezone: str | None = None,
        covers: tuple[Day, Day] | None = None,
    ) -> Framed:
        """Return the rows of a frame whose time is known.

        Raises UsageError for a column, a time or a zone that is none.
        """
        labels = {}
        for column in [time, *columns]:
            labels[column] = find_label(frame, column)
        refuse_lookalikes(labels)
        moments = read_moments(frame[labels[time]], time, timezone)
        days = local_days(moments, timezone)
        arrays = {}
        for column, label in labels.items():
            own = moments if column == time else plain_column(frame[label].reset_index(drop=True))
            arrays[column] = to_array(own)
        arrays[LOCAL_DAY] = pa.array(days, type=pa.date32(), from_pandas=True)
        known = days.dropna()
        table = pa.table(arrays).filter(pa.array(days.notna().to_numpy()))
        first, last = covers or (None, None)
        return cls(
            name,
            table,
            time,
            known.min().date() if len(known) else None,
            known.max().date() if len(known) else None,
            (as_day(first, "covers"), as_day(last, "covers")),
        )


class FrameRows(Rows):
    """Frames by name, as of one day, about a company whose metrics are measured over them.

    `measured` is where `alignment` keeps what it was told to remember.
    """

    dialect = "duckdb"

    def __init__(self, frames: Iterable[Framed], company: Company, as_of: dt.date) -> None:
        self.frames = {framed.name: framed for framed in frames}
        self._company = company
        self.as_of = require_day(as_of)
        self.usage = Usage()
        self.measured: dict[tuple[str, tuple[str, ...]], list[Any]] = {}
        self._results: dict[str, pd.DataFrame] = {}

    def __repr__(self) -> str:
        return f"<FrameRows of {', '.join(self.frames)}, rows to {self.as_of}>"

    @cached_property
    def company(self) -> Company:
        """The company that the rows are about."""
        return self._company

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """DuckDB that opens no file, writes no temporary one, and sees these frames only."""
        connection = duckdb.connect(":memory:", config={"temp_directory": ""})
        connection.execute("set python_enable_replacements = false")
        connection.execute("set enable_external_access = false")
        for name, framed in self.frames.items():
            connection.register(name, framed.table)
        return connection

    def fetch(self, query: exp.Expression | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query over the frames by name, and over others by keyword.

        Without frames by keyword a result is kept. Raises UsageError for a query that these columns
        do not allow.
        """
        written = query if isinstance(query, str) else query.sql(dialect=self.dialect)
        if not frames and written in self._results:
            return self._results[written].copy(deep=False)
        connection = self._connection
        for name, frame in frames.items():
            connection.register(name, pa.Table.from_pandas(frame, preserve_index=False))
        try:
            result: pd.DataFrame = connection.execute(written).df()
        except duckdb.Error as error:
            raise UsageError(self._advice(error)) from error
        finally:
            for name in frames:
                connection.unregister(name)
        if not frames:
            self._results[written] = result.copy(deep=False)
        return result

    def _advice(self, error: duckdb.Error) -> str:
        """Say why a query does not run: DuckDB's first line, and the nearest column."""
        message = str(error).splitlines()[0]
        named = re.search(r'[Cc]olumn "([^"]+)"', message)
        columns = []
        for framed in self.frames.values():
            columns += framed.table.column_names
        near = did_you_mean(named[1], columns) if named else ""
        return f"the rows cannot be measured: {message}{near}"

    def whole_numbers(self, name: str, column: str) -> WholeNumbers | None:
        """The values of a column of integers; None for anything else."""
        own = self.frames[name].table
        column = column.strip('"').replace('""', '"')
        if not self.is_whole(name, column):
            return None
        values = own.column(column).drop_null().to_numpy()
        if not len(values):
            return None
        return WholeNumbers(int(values.min()), int(values.max()), len(values))

    def is_whole(self, name: str, column: str) -> bool:
        """Whether a column holds integers; False where there are no rows behind a table."""
        if name not in self.frames:
            return False
        schema = self.frames[name].table.schema
        return column in schema.names and bool(pa.types.is_integer(schema.field(column).type))

    def require(self, *names: str) -> None:
        """A frame has been checked when it was taken."""

    def relation(self, name: str) -> exp.Expression:
        """What to select from."""
        return exp.to_table(name, dialect=self.dialect)

    def columns(self, name: str) -> dict[str, str]:
        """Each column of a frame with its DuckDB type."""
        described = self.fetch(f'select * from (describe select * from "{name}")')
        return dict(zip(described["column_name"], described["column_type"], strict=True))

    def local_date(self, name: str, column: str) -> exp.Expression:
        """The local day of the frame's time column."""
        if column != self.frames[name].time:
            rule = f"has its days by {self.frames[name].time!r}, not by {column!r}"
            raise DataError([Fault(name, rule, column=column)])
        return exp.column(LOCAL_DAY, quoted=True)

    def coverage(self, name: str, time: str | None = None) -> Coverage:
        """The days a frame speaks about, none after as-of.

        They are what `covers` says, else its first to its last day with rows.
        """
        framed = self.frames[name]
        first_row, last_row = framed.first, framed.last
        if last_row is not None and last_row > self.as_of:
            last_row = self._last_row(name)
            first_row = first_row if last_row is not None else None
        first = framed.covers[0] or first_row
        last = min(framed.covers[1], self.as_of) if framed.covers[1] else last_row
        if first is None or last is None or first > last:
            return Coverage(None, None, False, last_row)
        return Coverage(first, last, False, last_row)

    def _last_row(self, name: str) -> dt.date | None:
        """The last day with rows, none after as-of."""
        days = self.frames[name].table.column(LOCAL_DAY).to_numpy().astype("datetime64[D]")
        seen = days[days <= np.datetime64(self.as_of)]
        return seen.max().item() if len(seen) else None

    def span(self, *names: str) -> tuple[dt.date, dt.date] | None:
        """First and last covered day over these frames (default: all)."""
        covered = [self.coverage(name) for name in names or self.frames]
        firsts = [coverage.first for coverage in covered if coverage.first]
        lasts = [coverage.last for coverage in covered if coverage.last]
        return (min(firsts), max(lasts)) if firsts and lasts else None


@dataclass(frozen=True)
class InMemory:
    """What is said of rows that were handed in."""

    system: str = "a DataFrame"
    owner: str | None = None
    path: str | None = None
    time: str | None = None
    fresh_within: Duration | None = None


class FrameCompany(Company):
    """A company whose rows are handed in."""

    @property
    def origins(self) -> Mapping[str, Origin]:
        """The frames that its metrics name."""
        metrics = [metric for metric in self.metrics.values() if isinstance(metric, Simple)]
        return {metric.measure.source: InMemory() for metric in metrics}


def frame_company(metrics: dict[str, Metric], cut: Calendar, **fields: Any) -> Company:
    """Return a company that has these metrics, this calendar and these other fields."""
    holidays = [Holiday(date=day, name="holiday") for day in sorted(cut.holidays)]
    departments = {"-": Department(department="-", metrics=metrics)}
    return FrameCompany(
        calendar=calendar_model(cut), holidays=holidays, departments=departments, **fields
    )
