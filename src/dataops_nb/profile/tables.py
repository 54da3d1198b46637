"""Find out what a source's rows are: their key, their time, what splits them and what adds up.

The values of the columns tell most; the words of a column's name tell what it is about. Each
finding is a `Guess`, with its reason.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from dataops_nb.profile.columns import (
    Column,
    describe_columns,
    describe_use,
    period_columns,
    pivot_hint,
    quote,
)
from dataops_nb.profile.names import (
    GROUPS,
    INTERVALS,
    MONEY,
    NUMBERED,
    ORDERS,
    PLACES,
    POINTING,
    RECURRING,
    TITLES,
    has,
    is_averaged,
    is_id,
    is_monthly_fee,
    words,
)
from dataops_nb.profile.states import (
    Flag,
    Money,
    Status,
    find_currencies,
    find_flags,
    find_moves,
    find_status,
)
from dataops_nb.profile.systems import System, recognise
from dataops_nb.profile.things import Thing, find_people, find_thing
from dataops_nb.profile.times import Moment, choose_end, choose_time, look_at_times
from dataops_nb.sources.catalog import Catalog

MOST_MEMBERS = 25
VERSIONS = frozenset(["version", "release", "tag"])
MOST_DIMENSIONS = 4
WIDEST_KEY = 3
CANDIDATES = 8
MOST_LISTED = 12
# A key of several columns has this many possible rows for each that is there.
SPARSEST_GRID = 6
PERIOD_MONTHS = (1, 3, 12)


@dataclass(frozen=True)
class Guess:
    """One guess that goes into the company's files.

    `about` names a source, a column (`orders.day`) or a metric. `said` is the guess, empty where
    there is none; `why` is the reason.
    """

    about: str
    said: str
    why: str


@dataclass(frozen=True)
class Table:
    """A source with its rows, its columns, and what each column is taken for.

    `noun_words` are those of the name that tell it apart from other files. `monthly` rows are
    dated on the first day of the month that they are about. `moments` are all columns of days,
    `thing` is what several rows are lines of, `periods` are columns that are periods. The key of
    rows that belong to one of another table, `foreign_key`, says nothing about what they are.
    """

    name: str
    rows: int
    columns: list[Column]
    key: list[str]
    time: str | None = None
    ended: str | None = None
    monthly: bool = False
    first: dt.date | None = None
    last: dt.date | None = None
    dimensions: list[str] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)
    averages: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    status: Status | None = None
    flags: list[Flag] = field(default_factory=list)
    currencies: list[Money] = field(default_factory=list)
    thing: Thing | None = None
    recurring: bool = False
    system: System | None = None
    periods: list[str] = field(default_factory=list)
    noun_words: str = ""
    foreign_key: bool = False
    guesses: list[Guess] = field(default_factory=list)

    @property
    def counted(self) -> bool:
        """Return whether a row is an event; if the key holds the time, it is a period's total."""
        return self.time is not None and self.time not in self.key

    @property
    def months_apart(self) -> int:
        """Return how many months a row of a period's total is about: 1, 3 or 12."""
        if not self.monthly or self.time is None or self.first is None or self.last is None:
            return 1
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month
        apart = months / max(1, self.column(self.time).distinct - 1)
        return max((step for step in PERIOD_MONTHS if step <= apart), default=1)

    @property
    def end(self) -> Moment | None:
        """Return the moment at which rows end; None without one."""
        return self.moment(self.ended)

    def moment(self, name: str | None) -> Moment | None:
        """Return the column of days of a name."""
        return next((moment for moment in self.moments if moment.name == name), None)

    def column(self, name: str) -> Column:
        """Return the column of a name."""
        return next(column for column in self.columns if column.name == name)

    def uses(self, column_name: str) -> list[str]:
        """Return what a column is taken for: `key time end dimension people sum average`."""
        names_by_use: dict[str, Sequence[str | None]] = {
            "key": self.key,
            "time": [self.time],
            "end": [self.ended],
            "dimension": self.dimensions,
            "people": self.people,
            "sum": self.sums,
            "average": self.averages,
        }
        return [use for use, names in names_by_use.items() if column_name in names]


def describe_table(catalog: Catalog, name: str) -> Table:
    """Describe a source. Raises DataError if it cannot be read."""
    return _Profile(catalog, name).table()


class _Profile:
    """One source while it is looked through; collects the guesses in their order."""

    def __init__(self, catalog: Catalog, name: str) -> None:
        self.catalog = catalog
        self.name = name
        self.columns = describe_columns(catalog, name)
        self.rows = self._number(f"select count(*) as n from {quote(name)}")
        self.system = recognise([column.name for column in self.columns])
        self.guesses: list[Guess] = []

    def table(self) -> Table:
        if self.system:
            self._guess(
                "", self.system.name, f"this is a {self.system.name} export, by its columns"
            )
        time = self._find_time()
        moments = look_at_times(self.catalog, self.name, self.columns, time)
        key = self._find_single_key()
        thing = find_thing(self.catalog, self.name, self.columns, self.rows, key)
        if not key:
            key = self._find_wider_key(thing)
        first, last, monthly = self._find_span(time)
        status = find_status(self.catalog, self.name, self.columns)
        recurring = self._recurs(moments, time)
        end = choose_end(moments, time, self.rows, recurring=recurring)
        if self.system and self.system.end and self._has_column(self.system.end):
            end = next(moment for moment in moments if moment.name == self.system.end)
        if end is not None:
            self._guess(f".{end.name}", "the end of a row", f"it is never before {time}")
        # A dimension may be a part of the key, but not all of it.
        used = {time}
        if len(key) == 1:
            used.update(key)
        currencies = find_currencies(self.catalog, self.name, self.columns)
        used.update(money.column for money in currencies)
        numbers = [column.name for column in self.columns if self._is_amount(column, key, thing)]
        table = Table(
            name=self.name,
            rows=self.rows,
            columns=self.columns,
            key=key,
            time=time,
            ended=end.name if end else None,
            monthly=monthly,
            first=first,
            last=last,
            dimensions=self._find_dimensions(used),
            sums=[number for number in numbers if not is_averaged(number)],
            averages=[number for number in numbers if is_averaged(number)],
            people=find_people(self.columns, key),
            moments=moments,
            status=status,
            flags=self._find_flags(numbers),
            currencies=currencies,
            thing=thing,
            recurring=recurring,
            system=self.system,
            periods=period_columns(self.columns),
            guesses=self.guesses,
        )
        if time is None:
            why = "no date column, so nothing can be counted over time"
            planned = [moment.name for moment in moments if moment.role == "planned"]
            if planned:
                why = (
                    f"{', '.join(planned)} is a deadline or a plan, not a time at which something "
                    "happened, so its rows are on no calendar and make no metric"
                )
            self._guess("", "", why + pivot_hint(table.periods))
        else:
            self._tell_times(table)
            self._list_unused(table)
        return table

    def _guess(self, about: str, said: str, why: str) -> None:
        """Add a guess about this source, or about what `about` adds to its name."""
        self.guesses.append(Guess(f"{self.name}{about}", said, why))

    def _number(self, query: str) -> int:
        ((number,),) = self.catalog.ask(query, self.name)
        return int(number)

    def _has_column(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)

    def _find_time(self) -> str | None:
        """Return the column of days that says when a row happened."""
        preferred = [self.system.time] if self.system and self.system.time else []
        time = choose_time(self.columns, self.rows, preferred)
        if time is None:
            return None
        column = next(column for column in self.columns if column.name == time)
        self._guess(".time", time, f"{column.values:,} of {self.rows:,} rows have a day there")
        return time

    def _tell_times(self, table: Table) -> None:
        """Tell of each other column of days why it is not the time."""
        for moment in table.moments:
            if moment.name in (table.time, table.ended):
                continue
            if moment.role == "planned":
                why = (
                    f"{moment.name} is a deadline, a plan or a running period: no time to count by"
                )
            elif moment.role == "updated":
                why = f"{moment.name} changes with each update, so it is no time to count by"
            elif moment.role == "born":
                why = f"{moment.name} is a birthday"
            elif moment.given_up and moment.values:
                why = (
                    f"{moment.name} has a day in {moment.values:,} of {table.rows:,} rows: they "
                    "were cancelled or lost and still count; to leave them out, exclude where "
                    "it is filled"
                )
            elif moment.values:
                why = f"{moment.name} would be possible as a time too"
            else:
                continue
            if moment.ahead:
                why += f"; {moment.ahead:,} of its days ahead, in the future of the export"
            self._guess(f".{moment.name}", "", why)
        end = table.end
        if end is not None and end.ahead:
            why = (
                f"in {end.ahead:,} of {table.rows:,} rows {end.name} lies ahead of the last "
                f"{table.time}: expected, not happened"
            )
            self._guess(f".{end.name}", "", why)

    # --- keys ------------------------------------------------------------------------------------

    def _find_single_key(self) -> list[str]:
        """Return the column whose values tell all rows apart, names of ids first."""
        full = []
        if self.rows > 1:
            full = [column for column in self.columns if column.values == self.rows]
        unique = [column for column in full if column.distinct == self.rows]
        id_column = self._find_id(unique)
        if id_column:
            why = f"{self.rows:,} rows, {self.rows:,} different values"
            self._guess(".key", id_column, why)
            return [id_column]
        for column in unique:
            if column.type == "DATE":
                self._guess(
                    ".key", column.name, f"{self.rows:,} rows, {self.rows:,} different days"
                )
                return [column.name]
        return []

    def _find_wider_key(self, thing: Thing | None) -> list[str]:
        """Return the fewest columns whose values together tell all rows apart."""
        full = [column for column in self.columns if column.values == self.rows > 1]
        names = [] if thing else self._find_composite_key(full)
        if names:
            why = f"unique together in {self.rows:,} rows"
            self._guess(".key", ", ".join(names), why)
            return names
        why = "no column, and no few columns together, tell its rows apart"
        if thing:
            why = (
                f"{thing.column} repeats, as several rows are lines of one, so nothing tells its "
                "rows apart"
            )
        self._guess(".key", "", why)
        return []

    def _find_id(self, unique: Sequence[Column]) -> str | None:
        able = []
        for column in unique:
            place = has(column.name, PLACES)
            if not column.time and not place and (column.text or column.type == "BIGINT"):
                able.append(column)
        if self.system and self.system.key:
            for column in able:
                if column.name == self.system.key:
                    return column.name
        for column in able:
            if is_id(column.name):
                return column.name
        for column in able:
            is_title = not TITLES.isdisjoint(words(column.name)[-1:])
            if column is self.columns[0] and not is_title:
                return column.name
        for column in able:
            version = has(column.name, VERSIONS)
            if column.text and not version and self._is_code(column.name):
                return column.name
        return None

    def _is_code(self, name: str) -> bool:
        """Return whether all values of a column are written alike, with digits: RE-0001."""
        shape = f"regexp_replace({quote(name)}, '[0-9]+', '9', 'g')"
        query = f"select count(distinct {shape}), min({shape}) from {quote(self.name)}"
        ((shapes, first),) = self.catalog.ask(query, self.name)
        return shapes == 1 and "9" in first and " " not in first

    def _find_composite_key(self, full: Sequence[Column]) -> list[str]:
        able = []
        for column in full:
            counts_lines = words(column.name)[-1:] and words(column.name)[-1] in ORDERS
            named = is_id(column.name) or has(column.name, GROUPS) or counts_lines
            version = has(column.name, VERSIONS)  # of one project, whatever others have
            several = 1 < column.distinct < self.rows + version
            if several and (column.text or column.time or named):
                able.append(column.name)
        for width in range(2, WIDEST_KEY + 1):
            for names in combinations(able[:CANDIDATES], width):
                if not self._is_grid(names):
                    continue
                quoted = ", ".join(quote(name) for name in names)
                distinct = f"select distinct {quoted} from {quote(self.name)}"
                if self._number(f"select count(*) as n from ({distinct})") == self.rows:
                    return list(names)
        return []

    def _is_grid(self, names: Sequence[str]) -> bool:
        """Return whether columns are a key by more than chance: ids, or nearly all pairs."""
        product = 1
        for column in self.columns:
            if column.name in names:
                product *= column.distinct
        return product <= self.rows * SPARSEST_GRID or any(is_id(name) for name in names)

    # --- what rows are about ---------------------------------------------------------------------

    def _recurs(self, moments: Sequence[Moment], time: str | None) -> bool:
        """Return whether rows are subscriptions: they run, at a price per period."""
        spans = [moment for moment in moments if moment.role == "ended" and moment.name != time]
        if not spans or not any(moment.values < self.rows for moment in spans):
            return False
        names = [self.name, *(column.name for column in self.columns)]
        if any(has(name, RECURRING) or is_monthly_fee(name) for name in names):
            return True
        named = any({"subscription", "subscriptions"} & set(words(name)) for name in names)
        priced = any(has(column.name, INTERVALS | {"plan"}) for column in self.columns)
        return (named and any(column.number for column in self.columns)) or (
            priced and any(has(column.name, INTERVALS) for column in self.columns)
        )

    def _find_flags(self, numbers: Sequence[str]) -> list[Flag]:
        """Return what puts rows out of what counts, with moves of money where there is any."""
        flags = find_flags(self.catalog, self.name, self.columns)
        if any(has(number, MONEY) for number in numbers):
            flags += find_moves(self.catalog, self.name, self.columns, self.rows)
        return flags

    def _find_span(self, time: str | None) -> tuple[dt.date | None, dt.date | None, bool]:
        """Return the first and the last day, and whether each row has the first of a month."""
        if time is None:
            return None, None, False
        day = quote(time)
        query = f"select min({day})::date, max({day})::date from {quote(self.name)}"
        ((first, last),) = self.catalog.ask(query, self.name)
        other = f"""
            select 1 from {quote(self.name)}
            where day({day}) <> 1 or {day}::timestamp <> date_trunc('day', {day}::timestamp)
            limit 1"""
        days = next(column.distinct for column in self.columns if column.name == time)
        monthly = days > 2 and not self.catalog.ask(other, self.name)
        if monthly:
            why = "every day is the first of a month"
            self._guess(f".{time}", "the month of a row", why)
        return first, last, monthly

    def _find_dimensions(self, used: Collection[str | None]) -> list[str]:
        """Return columns with few values, each of them repeated, those with the fewest first."""
        able = []
        for column in self.columns:
            if column.name not in used and self._is_dimension(column):
                able.append(column)
        able.sort(key=lambda column: column.distinct)
        dimensions: list[Column] = []
        for column in able:
            if len(dimensions) == MOST_DIMENSIONS:
                break
            if not any(self._says_the_same(column, other) for other in dimensions):
                dimensions.append(column)
        for column in dimensions:
            why = f"{self.rows:,} rows hold {column.distinct} values"
            self._guess(f".{column.name}", "a dimension", why)
        return [column.name for column in dimensions]

    def _says_the_same(self, column: Column, other: Column) -> bool:
        """Return whether two columns split the rows alike, as a name and its address do."""
        if (column.distinct, column.values) != (other.distinct, other.values):
            return False
        both = f"select distinct {quote(column.name)}, {quote(other.name)} from {quote(self.name)}"
        filled = f"{both} where {quote(column.name)} is not null"
        return self._number(f"select count(*) as n from ({filled})") == column.distinct

    def _is_dimension(self, column: Column) -> bool:
        group = column.number and has(column.name, GROUPS)
        if not (column.text or column.type == "BOOLEAN" or group):
            return False
        if is_id(column.name) and not POINTING.isdisjoint(words(column.name)[-1:]):
            return False
        if is_averaged(column.name) and any(map(str.isdigit, column.smallest)):
            return False  # < 10% is a share, and no group
        few = 2 <= column.distinct <= MOST_MEMBERS
        repeated = column.distinct * 2 <= self.rows
        mostly_filled = column.values * 2 >= self.rows
        return few and repeated and mostly_filled and not has(column.name, PLACES)

    def _is_amount(self, column: Column, key: Sequence[str], thing: Thing | None) -> bool:
        """Return whether a number measures something: no id, no code and no place."""
        if not column.number or column.bit or column.name in key or is_id(column.name):
            return False
        rows = thing.count if thing and column.name in thing.once else self.rows
        if column.values * 2 < rows or column.distinct <= (0 if has(column.name, MONEY) else 2):
            return False
        nothing = column.distinct == 1 and not float(column.largest)
        if nothing or (has(column.name, ORDERS) and words(column.name)[-1] in ORDERS):
            return False
        if self._is_numbering(column) or not NUMBERED.isdisjoint(words(column.name)[-1:]):
            return False
        not_amounts = PLACES | GROUPS if has(column.name, MONEY) else PLACES | ORDERS | GROUPS
        return is_monthly_fee(column.name) or not has(column.name, not_amounts)

    def _is_numbering(self, column: Column) -> bool:
        """Return whether a column of integers numbers the rows: each its own, with few gaps."""
        if column.type != "BIGINT" or has(column.name, MONEY):
            return False
        if column.distinct < self.rows or self.rows < MOST_MEMBERS:
            return False
        span = int(float(column.largest)) - int(float(column.smallest)) + 1
        return span <= self.rows * 2

    def _list_unused(self, table: Table) -> None:
        unused = []
        for column in self.columns:
            if not table.uses(column.name):
                unused.append(describe_use(column))
        if not unused:
            return
        listed = unused[:MOST_LISTED]
        if len(unused) > MOST_LISTED:
            listed.append(f"{len(unused) - MOST_LISTED} more")
        self._guess(": other columns", "", f"not used: {', '.join(listed)}")
