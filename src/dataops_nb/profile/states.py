"""What became of a row: won or lost, paid or failed; and in which currency its amounts are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dataops_nb.profile.columns import Column, quote
from dataops_nb.profile.names import CURRENCIES, STATES, expression, has, word_set, words
from dataops_nb.sources.catalog import Catalog

MOST_STATES = 40
MOST_CURRENCIES = 12
WON = frozenset(["won", "gewonnen"])
GOOD = word_set(
    "paid succeeded success successful captured settled completed authorised authorized "
    "bezahlt betalt betaald paye pagado pagato"
)
BAD = word_set(
    "failed failure voided void cancelled canceled deleted refunded lost declined draft "
    "abandoned rejected uncaptured trash chargeback disputed fraud denied reversed verloren "
    "storniert erstattet abgelehnt refunderet afvist annulleret geannuleerd rembourse refuse "
    "annule reembolsado cancelado rimborsato annullato"
)
PENDING = word_set("pending processing unpaid")  # bad beside good ones: no money yet
# Of columns that say what kind of a row it is; and of rows that only move what was counted before.
KINDS = word_set("type kind category")
MOVES = word_set("withdrawal payout transfer topup")
# Columns of true and false that put a row out of what counts.
FLAGS = word_set("deleted isdeleted voided void cancelled canceled test show spam refunded")
YES = ("true", "yes", "y", "1")
LIVE = frozenset(["livemode", "live"])


@dataclass(frozen=True)
class Status:
    """A column that says what became of a row: its values, the won and lost ones, and the bad."""

    column: str
    counts: dict[str, int]
    won: list[str] = field(default_factory=list)
    good: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)

    @property
    def is_deal(self) -> bool:
        """Return whether rows are won or lost."""
        return bool(self.won)

    def sql(self, values: Sequence[str]) -> str:
        """Return the condition that a row has one of the values."""
        column = expression(self.column)
        quoted = ["'" + value.replace("'", "''") + "'" for value in values]
        if len(quoted) == 1:
            return f"{column} = {quoted[0]}"
        return f"{column} in ({', '.join(quoted)})"

    def said(self, values: Sequence[str]) -> str:
        """Return values with their rows: `Failed (7)`."""
        return ", ".join(f"{value} ({self.counts[value]:,})" for value in values)


@dataclass(frozen=True)
class Flag:
    """A column that puts rows out of what counts: their condition, and how many they are.

    `moves` are the values of rows that only move money, empty for a column of true and false.
    """

    column: str
    sql: str
    rows: int
    moves: str = ""


@dataclass(frozen=True)
class Money:
    """The currencies of a column of their names, with the rows of each, the most first."""

    column: str
    counts: dict[str, int]

    @property
    def single(self) -> str:
        """Return the one currency; empty where there are several."""
        if len(self.counts) == 1:
            return code_of(next(iter(self.counts)))
        return ""


def count_values(catalog: Catalog, source: str, column: str) -> dict[str, int]:
    """Return the values of a column with their rows, the most frequent first."""
    name = quote(column)
    query = (
        f"select cast({name} as varchar) as v, count(*) as n from {quote(source)} "
        f"where {name} is not null group by 1 order by n desc, v"
    )
    return dict(catalog.ask(query, source))


def find_status(catalog: Catalog, source: str, columns: Sequence[Column]) -> Status | None:
    """Return the column that says most about what became of a row; None without one."""
    best: Status | None = None
    for column in columns:
        if not column.text or not 1 <= column.distinct <= MOST_STATES:
            continue
        if not has(column.name, STATES):
            continue
        status = _read_states(column.name, count_values(catalog, source, column.name))
        weight = (status.is_deal, len(status.good) + len(status.bad))
        if best is None or weight > (best.is_deal, len(best.good) + len(best.bad)):
            best = status
    return best


def _read_states(column: str, counts: dict[str, int]) -> Status:
    won, good, bad = [], [], []
    for value in counts:
        own = set(words(value))
        if own & WON:
            won.append(value)
        elif own & BAD:
            bad.append(value)
        elif own & GOOD and not own & {"partially", "not", "un"}:
            good.append(value)
    if good:
        bad += [value for value in counts if set(words(value)) & PENDING and value not in bad]
        good = [value for value in good if value not in bad]
    return Status(column, counts, won, good, bad)


def find_flags(catalog: Catalog, source: str, columns: Sequence[Column]) -> list[Flag]:
    """Return the columns of true and false that put some of their rows out of what counts."""
    flags = []
    for column in columns:
        live = has(column.name, LIVE)
        if not live and not has(column.name, FLAGS):
            continue
        two_texts = column.text and 1 <= column.distinct <= 2
        if column.type != "BOOLEAN" and not two_texts and not column.bit:
            continue
        counts = count_values(catalog, source, column.name)
        for value, rows in counts.items():
            out = (value.casefold() in YES) != live
            known = value.casefold() in (*YES, "false", "no", "n", "0")
            if out and known:
                flags.append(Flag(column.name, _flag_sql(column, value), rows))
    return flags


def find_moves(catalog: Catalog, source: str, columns: Sequence[Column], rows: int) -> list[Flag]:
    """Return the columns of kinds of rows of which some only move money that was counted before.

    A payout, a withdrawal or a transfer to a bank is no income, and no loss.
    """
    moves = []
    for column in columns:
        if (
            not column.text
            or not 2 <= column.distinct <= MOST_STATES
            or not has(column.name, KINDS)
        ):
            continue
        counts = count_values(catalog, source, column.name)
        moved = {value: count for value, count in counts.items() if has(value, MOVES)}
        if moved and sum(moved.values()) * 2 < rows:
            sql = Status(column.name, moved).sql(list(moved))
            shown = ", ".join(f"{value} ({count:,})" for value, count in moved.items())
            moves.append(Flag(column.name, sql, sum(moved.values()), shown))
    return moves


def _flag_sql(column: Column, value: str) -> str:
    name = expression(column.name)
    if column.type == "BOOLEAN":
        return name if value.casefold() == "true" else f"not {name}"
    if column.bit:
        return f"{name} = {value}"
    return f"{name} = '{value}'"


def find_currencies(catalog: Catalog, source: str, columns: Sequence[Column]) -> list[Money]:
    """Return the columns that name currencies, by their values."""
    currencies = []
    for column in columns:
        if not column.text or not 1 <= column.distinct <= MOST_CURRENCIES:
            continue
        counts = count_values(catalog, source, column.name)
        if all(code_of(value) for value in counts):
            currencies.append(Money(column.name, counts))
    return currencies


def code_of(value: str) -> str:
    """Return the currency that a value names by its code; empty where it names none.

    >>> code_of("eur"), code_of("Euro - EUR"), code_of("a euro")
    ('EUR', 'EUR', '')
    """
    name, _, code = value.strip().rpartition(" - ")
    if code.casefold() in CURRENCIES and (not name or code.isupper()):
        return code.upper()
    return ""


def currency_of(amount: str, currencies: Sequence[Money]) -> Money | None:
    """Return the currency column that belongs to an amount: the one that shares most words."""
    if not currencies:
        return None

    def shared(money: Money) -> int:
        own = set(words(money.column)) - {"currency", "code"}
        return len(own & set(words(amount))) - len(own - set(words(amount)))

    return max(currencies, key=shared)
