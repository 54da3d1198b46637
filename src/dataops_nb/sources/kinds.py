"""What a column's texts are: integers, decimals, dates, stamps, truth values, or text, by what they parse as.

Nothing is guessed from the first rows: every value is looked at. All functions give SQL over one text column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataops_nb.sources.evidence import Raw
from dataops_nb.sources.sql import Connection, first_row, quote, text

DAY = r"\d{4}-\d{2}-\d{2}"
CLOCK = r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
ZONE = r"\s?(Z|UTC|[+-]\d{2}(:?\d{2})?)"
NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
)


def family(type_: str) -> str:
    """What a DuckDB type is called in `columns:`: integer, decimal, text, date, timestamp, boolean, or other."""
    if type_ in NUMERIC:
        return "integer"
    if type_ in ("FLOAT", "DOUBLE") or type_.startswith("DECIMAL"):
        return "decimal"
    if type_ == "VARCHAR" or type_.startswith("ENUM"):
        return "text"
    if type_.startswith("TIMESTAMP"):
        return "timestamp"
    return {"DATE": "date", "BOOLEAN": "boolean"}.get(type_, "other")


@dataclass(frozen=True)
class Shapes:
    """How numbers and dates are written in one source: the decimal sign, and a `strptime` format for its dates."""

    decimal: str = "."
    date_format: str | None = None
    typed_cells: bool = False  # a workbook's own dates stand beside texts in the declared format

    def matches(self, value: str, pattern: str) -> str:
        """Whether the whole value has the shape, spaces around it aside."""
        return rf"regexp_full_match({value}, '\s*{pattern}\s*')"

    @property
    def point(self) -> str:
        """The decimal sign as a pattern."""
        return r"\." if self.decimal == "." else ","

    @property
    def grouped(self) -> str:
        """A number with thousands separators in groups of three."""
        group = "," if self.decimal == "." else r"\."
        return rf"[+-]?\d{{1,3}}({group}\d{{3}})+({self.point}\d*)?"

    def integer(self, value: str) -> str:
        """The value as BIGINT, null where it is none."""
        return f"case when {self.matches(value, '[+-]?[0-9]+')} then try_cast({value} as bigint) end"

    def number(self, value: str) -> str:
        """The value as DOUBLE, null where it is none."""
        pattern = rf"[+-]?(\d+{self.point}?\d*|{self.point}\d+)([eE][+-]?\d+)?"
        plain = value if self.decimal == "." else f"replace({value}, ',', '.')"
        return f"case when {self.matches(value, pattern)} then {_finite(plain)} end"

    def declared_number(self, value: str) -> str:
        """The value as DOUBLE, thousands separators allowed."""
        strip = f"replace({value}, {text(',' if self.decimal == '.' else '.')}, '')"
        plain = strip if self.decimal == "." else f"replace({strip}, ',', '.')"
        return (
            f"coalesce({self.number(value)}, case when {self.matches(value, self.grouped)} then {_finite(plain)} end)"
        )

    def declared_integer(self, value: str) -> str:
        """The value as BIGINT; thousands separators and an empty fraction (12.0) are allowed."""
        strip = f"replace({value}, {text(',' if self.decimal == '.' else '.')}, '')"
        plain = f"regexp_replace({strip}, '{self.point}0*\\s*$', '')"
        shape = f"({self.matches(value, f'[+-]?[0-9]+({self.point}0*)?')} or {self.matches(value, self.grouped)})"
        return f"case when {shape} and {self.matches(plain, '[+-]?[0-9]+')} then try_cast({plain} as bigint) end"

    def date(self, value: str) -> str:
        """The value as DATE where it is written 2026-11-22."""
        return f"case when {self.matches(value, DAY)} then try_cast({value} as date) end"

    def midnight(self, value: str) -> str:
        """The value as DATE where it is a date, or a stamp without offset at 00:00."""
        stamp = f"try_cast(trim({value}) as timestamp)"
        midnight = f"{self.matches(value, DAY + CLOCK)} and {stamp} = date_trunc('day', {stamp})"
        return f"coalesce({self.date(value)}, case when {midnight} then cast({stamp} as date) end)"

    def stamp(self, value: str) -> str:
        """The value as TIMESTAMP where it is a date or a stamp without an offset."""
        return f"case when {self.matches(value, f'{DAY}({CLOCK})?')} then try_cast(trim({value}) as timestamp) end"

    def instant(self, value: str) -> str:
        """The value as TIMESTAMP WITH TIME ZONE where it is a stamp with an offset."""
        return f"case when {self.matches(value, DAY + CLOCK + ZONE)} then try_cast(trim({value}) as timestamptz) end"

    def formatted(self, value: str) -> str:
        """The value by the declared format; SQL null where none is declared."""
        if not self.date_format:
            return "null"
        parsed = f"try_strptime(trim({value}), {text(self.date_format)})"
        if self.typed_cells:
            parsed = f"coalesce({parsed}, {self.stamp(value)})"
        return f"cast({parsed} as date)" if self.formatted_type == "DATE" else parsed

    @property
    def formatted_type(self) -> str:
        """The type that the declared format makes: a date, a stamp, or an instant where it has an offset."""
        said = self.date_format or ""
        if "%z" in said:
            return "TIMESTAMP WITH TIME ZONE"
        return "TIMESTAMP" if any(part in said for part in ("%H", "%I", "%M", "%S", "%X", "%c", "%T")) else "DATE"

    def boolean(self, value: str) -> str:
        """The value as BOOLEAN where it is true or false."""
        return f"case when {self.matches(value, '(?i:true|false)')} then lower(trim({value})) = 'true' end"


def _finite(plain: str) -> str:
    number = f"try_cast({plain} as double)"
    return f"case when isfinite({number}) then {number} end"


NUMBERS = ("integer", "number", "huge", "zeros", "grouped")
TIMES = ("date", "stamp", "instant", "formatted")
EVERY = (*NUMBERS, *TIMES, "boolean")
TOGETHER = 40
SHORT = 100_000


@dataclass(frozen=True)
class Tally:
    """How many of a column's values parse as what; `n` is how many there are."""

    n: int
    counts: Mapping[str, int]

    def share(self, kind: str) -> float:
        """The share of values that parse as a kind; 0 where there are none."""
        return self.counts.get(kind, 0) / self.n if self.n else 0.0

    def __getitem__(self, kind: str) -> int:
        return self.counts.get(kind, 0)


def tally_columns(
    con: Connection,
    raw: Raw,
    wanted: Mapping[str, Sequence[str]],
    shapes: Shapes,
    values: Mapping[str, str],
) -> dict[str, Tally]:
    """A tally of the wanted kinds of each column; `values` is the SQL of each column's text.

    A few columns at a time: planning one query over hundreds of columns takes far longer than reading them again. Of a
    wide and short table the columns are put under each other, so that each kind is planned once.
    """
    found: dict[str, Tally] = {}
    if raw.rows <= SHORT and not raw.elsewhere:
        for kinds in {tuple(kinds) for kinds in wanted.values()}:
            alike = [column for column in wanted if tuple(wanted[column]) == kinds]
            if len(alike) > TOGETHER:
                found |= _tally_long(con, raw, alike, kinds, shapes=shapes, values=values)
    columns = [column for column in wanted if column not in found]
    for start in range(0, len(columns), TOGETHER):
        some = {column: wanted[column] for column in columns[start : start + TOGETHER]}
        found |= _tally_some(con, raw, some, shapes, values)
    return found


def _tally_long(
    con: Connection,
    raw: Raw,
    columns: Sequence[str],
    kinds: Sequence[str],
    *,
    shapes: Shapes,
    values: Mapping[str, str],
) -> dict[str, Tally]:
    """The tallies of many columns with the same kinds, from one query over all their values in one column."""
    listed = ", ".join(values[column] for column in columns)
    counts = "".join(f", count(*) filter (where {_condition(kind, shapes, 'v')})" for kind in kinds)
    long = f"select unnest(range({len(columns)})) as i, unnest([{listed}]) as v from ({raw.scan})"
    rows = {row[0]: row[1:] for row in con.execute(f"select i, count(v){counts} from ({long}) group by i").fetchall()}
    empty = (0,) * (len(kinds) + 1)
    found = {column: rows.get(i, empty) for i, column in enumerate(columns)}
    return {column: Tally(row[0], dict(zip(kinds, row[1:], strict=True))) for column, row in found.items()}


def _tally_some(
    con: Connection,
    raw: Raw,
    wanted: Mapping[str, Sequence[str]],
    shapes: Shapes,
    values: Mapping[str, str],
) -> dict[str, Tally]:
    parts: list[str] = []
    for column, kinds in wanted.items():
        parts.append(f"count({values[column]})")
        parts += [f"count(*) filter (where {_condition(kind, shapes, values[column])})" for kind in kinds]
    row = iter(first_row(con, f"select {', '.join(parts)} from ({raw.scan})") or ())
    return {column: Tally(next(row), {kind: next(row) for kind in kinds}) for column, kinds in wanted.items()}


def _condition(kind: str, shapes: Shapes, value: str) -> str:
    if kind == "huge":
        return f"{shapes.matches(value, '[+-]?[0-9]{19,}')} and try_cast({value} as bigint) is null"
    if kind == "zeros":
        return shapes.matches(value, "[+-]?0[0-9]+.*")
    if kind == "grouped":
        return shapes.matches(value, shapes.grouped)
    return f"({getattr(shapes, kind)(value)}) is not null"


def text_of(column: str, type_: str, mapping: Mapping[str, str] | None) -> str:
    """SQL of a column's text after its `map:`."""
    value = quote(column) if type_ == "VARCHAR" else f"cast({quote(column)} as varchar)"
    if not mapping:
        return value
    cases = " ".join(f"when {text(old)} then {text(new)}" for old, new in mapping.items())
    return f"(case {value} {cases} else {value} end)"
