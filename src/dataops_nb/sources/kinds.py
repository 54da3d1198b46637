"""What a column's texts are: integers, decimals, dates, stamps, truth values, or text.

Nothing is guessed from the first rows: every value is looked at, and each kind it parses as is
counted. `Shapes` writes the SQL that parses one text as a kind; `tallies` counts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from dataops_nb.sources.evidence import quote, text

DAY = r"\d{4}-\d{2}-\d{2}"
# What people and programs write beside the digits of an amount.
DRESS = "$€£¥₹%()+- \u00a0\u202f"
SPACE = "[ \u00a0\u202f]"  # before a sign stand blanks that do not break
CLOCK = r"[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
ZONE = r"\s?(Z|UTC|[+-]\d{2}(:?\d{2})?)"
ALIKE = (" \u00a0\u202f", "'\u2019")  # blanks, and apostrophes, that nobody can tell apart
CLOCK_SIGNS = ("%H", "%I", "%M", "%S", "%X", "%c", "%T")
NUMBERS = ("integer", "number", "huge", "zeros", "grouped")
TIMES = ("date", "stamp", "instant", "formatted")
EVERY = (*NUMBERS, *TIMES, "boolean")
HUGE_DIGITS = 19  # of integers that may not fit BIGINT


@dataclass(frozen=True)
class Shapes:
    """How numbers and dates are written in one source: `decimal` sign, `date_format` of `strptime`.

    `typed_cells` is true for a workbook, whose own dates stand beside texts in the declared format.
    `thousands` is the sign that groups digits in every number; where none is declared, the sign
    that is not the decimal one groups those of columns that are declared to be numbers.
    `year_from` is the first of the twelve months in which days without a year lie.
    """

    decimal: str = "."
    date_format: str | None = None
    typed_cells: bool = False
    thousands: str | None = None
    year_from: dt.date | None = None

    def matches(self, value: str, pattern: str) -> str:
        """Whether the whole value has the shape, spaces around it aside."""
        quoted = pattern.replace("'", "''")
        return rf"regexp_full_match({value}, '\s*{quoted}\s*')"

    @property
    def point(self) -> str:
        """The decimal sign as a pattern."""
        return r"\." if self.decimal == "." else ","

    @property
    def _separators(self) -> str:
        """The signs that group digits; those that look the same are the same."""
        if self.thousands is None:
            return "," if self.decimal == "." else "."
        for alike in ALIKE:
            if self.thousands in alike:
                return alike
        return self.thousands

    @property
    def _group(self) -> str:
        """One separator and three digits, as a pattern."""
        return f"[{self._separators}]\\d{{3}}"

    @property
    def grouped(self) -> str:
        """The pattern of a number with thousands separators in groups of three."""
        return rf"[+-]?\d{{1,3}}({self._group})+({self.point}\d*)?"

    def _without_groups(self, value: str) -> str:
        for separator in self._separators:
            value = f"replace({value}, {text(separator)}, '')"
        return value

    def _as_double(self, value: str) -> str:
        """Parse a plain number; null where it is too large for a finite one."""
        if self.decimal != ".":
            value = f"replace({value}, ',', '.')"
        number = f"try_cast({value} as double)"
        return f"case when isfinite({number}) then {number} end"

    def integer(self, value: str) -> str:
        """Return the value as BIGINT, null where it is none."""
        plain = _when(self.matches(value, "[+-]?[0-9]+"), f"try_cast({value} as bigint)")
        if self.thousands is None:
            return plain
        groups = self.matches(value, rf"[+-]?\d{{1,3}}({self._group})+")
        grouped = _when(groups, f"try_cast({self._without_groups(value)} as bigint)")
        return f"coalesce({plain}, {grouped})"

    def number(self, value: str) -> str:
        """Return the value as DOUBLE, null where it is none."""
        if self.thousands is not None:
            return self.declared_number(value)
        return self._plain_number(value)

    def _plain_number(self, value: str) -> str:
        """Parse a number without separators."""
        pattern = rf"[+-]?(\d+{self.point}?\d*|{self.point}\d+)([eE][+-]?\d+)?"
        return _when(self.matches(value, pattern), self._as_double(value))

    def declared_number(self, value: str) -> str:
        """Return the value as DOUBLE: thousands separators, a currency's sign, parentheses and a
        minus behind for what is negative, and percents as fractions are allowed.
        """
        ungrouped = self._as_double(self._without_groups(value))
        grouped = _when(self.matches(value, self.grouped), ungrouped)
        return f"coalesce({self._plain_number(value)}, {grouped}, {self._dressed_number(value)})"

    def _dressed_number(self, value: str) -> str:
        """Return `$1,200.50`, `(500.00)`, `12.5 %` or `7.00-` as DOUBLE; null for others."""
        digits = rf"(\d{{1,3}}({self._group})+|\d+)({self.point}\d*)?"
        sign = rf"[$€£¥₹]?{SPACE}?"
        minus = "[-+]?"
        plain = rf"{minus}{sign}{minus}{digits}{SPACE}?[%$€£¥₹]?-?"
        pattern = rf"({plain}|{sign}\({plain}\))"
        # Letter by letter, because not every engine replaces by a pattern.
        bare = value
        for letter in DRESS:
            bare = f"replace({bare}, '{letter}', '')"
        number = self._as_double(self._without_groups(bare))
        negative = f"({_holds(value, '-')} or {_holds(value, '(')})"
        share = _holds(value, "%")
        signed = f"case when {negative} then -1 else 1 end * {number}"
        scaled = f"{signed} / case when {share} then 100 else 1 end"
        return _when(self.matches(value, pattern), scaled)

    def declared_integer(self, value: str) -> str:
        """Return the value as BIGINT; thousands separators and an empty fraction are allowed."""
        ungrouped = self._without_groups(value)
        digits = f"regexp_replace({ungrouped}, '{self.point}0*\\s*$', '')"
        plain = self.matches(value, f"[+-]?[0-9]+({self.point}0*)?")
        shape = f"({plain} or {self.matches(value, self.grouped)})"
        condition = f"{shape} and {self.matches(digits, '[+-]?[0-9]+')}"
        return _when(condition, f"try_cast({digits} as bigint)")

    def date(self, value: str) -> str:
        """Return the value as DATE where it is written 2026-11-22."""
        return _when(self.matches(value, DAY), f"try_cast({value} as date)")

    def midnight(self, value: str) -> str:
        """Return the value as DATE where it is a date, or a stamp without offset at 00:00."""
        stamp = f"try_cast(trim({value}) as timestamp)"
        is_midnight = f"{self.matches(value, DAY + CLOCK)} and {stamp} = date_trunc('day', {stamp})"
        return f"coalesce({self.date(value)}, {_when(is_midnight, f'cast({stamp} as date)')})"

    def stamp(self, value: str) -> str:
        """Return the value as TIMESTAMP where it is a date or a stamp without an offset."""
        stamp = f"try_cast(trim({value}) as timestamp)"
        return _when(self.matches(value, f"{DAY}({CLOCK})?"), stamp)

    def instant(self, value: str) -> str:
        """Return the value as TIMESTAMP WITH TIME ZONE where it is a stamp with an offset."""
        instant = f"try_cast(trim({value}) as timestamptz)"
        return _when(self.matches(value, DAY + CLOCK + ZONE), instant)

    def formatted(self, value: str) -> str:
        """Return the value by the declared format; SQL null where none is declared."""
        if not self.date_format:
            return "null"
        parsed = f"try_strptime(trim({value}), {text(self.date_format)})"
        if self.year_from and not {"%Y", "%y"} & set(re.findall("%.", self.date_format)):
            parsed = self._with_year(value, self.date_format, self.year_from)
        if self.typed_cells:
            parsed = f"coalesce({parsed}, {self.stamp(value)})"
        if self.formatted_type == "DATE":
            return f"cast({parsed} as date)"
        return parsed

    def _with_year(self, value: str, date_format: str, first: dt.date) -> str:
        """Return a day that is written without its year: the one in the twelve months from `first`.

        Spreadsheets drop the zero in front of 0109.
        """
        padded = f"trim({value})"
        if date_format in ("%d%m", "%m%d"):
            padded = f"case when length({padded}) = 3 then '0' else '' end || {padded}"
        days = []
        for year in (first.year, first.year + 1):
            written = f"{padded} || {text(f' {year}')}"
            days.append(f"try_strptime({written}, {text(date_format + ' %Y')})")
        this_year, next_year = days
        return f"case when {this_year} >= {text(str(first))} then {this_year} else {next_year} end"

    @property
    def formatted_type(self) -> str:
        """The type the declared format makes: date, stamp, or instant where it has an offset."""
        date_format = self.date_format or ""
        if "%z" in date_format:
            return "TIMESTAMP WITH TIME ZONE"
        if any(sign in date_format for sign in CLOCK_SIGNS):
            return "TIMESTAMP"
        return "DATE"

    def boolean(self, value: str) -> str:
        """Return the value as BOOLEAN where it is true or false."""
        is_true = f"lower(trim({value})) = 'true'"
        return _when(self.matches(value, "(?i:true|false)"), is_true)

    def casts(self, value: str) -> dict[str, str]:
        """Return for each parsing SQL one that casts values which are known to parse, unlooked-at.

        Patterns cost several times as much as the casts behind them.
        """
        stamp = f"try_cast({value} as timestamp)"
        cast_by_parse = {
            self.date(value): f"try_cast({value} as date)",
            self.stamp(value): f"coalesce({stamp}, try_cast(trim({value}) as timestamp))",
            self.instant(value): f"try_cast(trim({value}) as timestamptz)",
            self.boolean(value): f"lower(trim({value})) = 'true'",
        }
        if self.thousands is None:
            cast_by_parse[self.integer(value)] = f"try_cast({value} as bigint)"
            comma = value if self.decimal == "." else f"replace({value}, ',', '.')"
            cast_by_parse[self.number(value)] = f"try_cast({comma} as double)"
        return cast_by_parse


def _holds(value: str, letter: str) -> str:
    return f"replace({value}, '{letter}', '') <> {value}"


def _when(condition: str, value: str) -> str:
    return f"case when {condition} then {value} end"


def text_of(column: str, type_: str, mapping: Mapping[str, str] | None) -> str:
    """Return the SQL of a column's text after its `map:`."""
    value = quote(column)
    if type_ != "VARCHAR":
        value = f"cast({value} as varchar)"
    if not mapping:
        return value
    cases = [f"when {text(old)} then {text(new)}" for old, new in mapping.items()]
    return f"(case {value} {' '.join(cases)} else {value} end)"
