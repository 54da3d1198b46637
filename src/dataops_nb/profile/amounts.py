"""Choose the amounts of a table that may be added up, and say of the others why they may not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dataops_nb.profile.names import (
    CURRENCIES,
    EARNED,
    MONEY,
    OWED,
    QUANTITIES,
    RUNNING,
    SPENT,
    TAKEN_OFF,
    TOTALS,
    expression,
    has,
    is_attribute,
    is_count,
    is_id,
    is_level,
    is_monthly_fee,
    label_of,
    words,
)
from dataops_nb.profile.states import Status, code_of, currency_of
from dataops_nb.profile.tables import Table

MAIN = 20
SOLD = "Sales"  # what prices of pieces add up to
GOOD_MONEY = 5
MOST_CONSTANT = 3
SIDES = ({"s", "h"}, {"d", "c"}, {"debit", "credit"}, {"soll", "haben"}, {"dr", "cr"})
NEGATIVE = ("h", "c", "credit", "haben", "cr")
YEARLY = ("year", "yearly", "annual", "annually", "12 months")


@dataclass(frozen=True)
class Amount:
    """An amount that adds up: its SQL, how much it says (`rank`), its currency, and conditions.

    `where` keeps the rows of one currency where a column mixes several. `label` is what it is
    called where its column's name says what a piece costs.
    """

    name: str
    expr: str
    rank: int
    why: str
    currency: str = ""
    where: str = ""
    label: str = ""

    @property
    def is_money(self) -> bool:
        """Return whether its name means money."""
        return self.rank > 0

    @property
    def taken_off(self) -> bool:
        """Return whether it is a fee, a tax, a discount or a refund; a monthly fee is earned."""
        return has(self.name, TAKEN_OFF) and not is_monthly_fee(self.name)

    @property
    def spent(self) -> bool:
        """Return whether it is a cost."""
        return has(self.name, SPENT)


def rank_of(name: str) -> int:
    """Return how much an amount of money says by its name, from 1 to 10; 0 for no money.

    >>> rank_of("Total") > rank_of("Subtotal") > rank_of("Cost") > rank_of("Shipping")
    True
    """
    own = words(name)
    known = set(own)
    rank = 0
    if is_count(name):
        return rank
    if is_monthly_fee(name):
        rank = 10
    elif known & TAKEN_OFF:
        rank = 2
    elif known & SPENT:
        rank = 3
    elif known & EARNED:
        rank = 10
    elif "total" in known:
        rank = 9
    elif known & TOTALS:
        rank = 8
    elif "subtotal" in known:
        rank = 7
    elif known & CURRENCIES:
        rank = 6
    elif known & MONEY:
        rank = GOOD_MONEY
    return rank


def find_amounts(table: Table) -> list[Amount]:
    """Return the amounts of a table that add up, money that says most first."""
    amounts = []
    mixed = _mixed(table)
    own = [table.system.amount] if table.system and table.system.amount in table.averages else []
    for name in [*table.sums, *own]:
        if _refusal(table, name) or (name in mixed and _converted(table, name, mixed)):
            continue
        amounts.append(_amount(table, name, mixed))
    priced = _priced(table, amounts)
    if priced is not None:
        amounts.append(priced)
    order = {name: place for place, name in enumerate(table.sums)}
    amounts.sort(key=lambda amount: (-amount.rank, order.get(amount.name, 0)))
    by_label: dict[str, Amount] = {}
    for amount in amounts:
        # N. Revenue and N. Revenue (formatted) are one.
        by_label.setdefault(label_of(amount.name), amount)
    return list(by_label.values())


def _amount(table: Table, name: str, mixed: Sequence[str]) -> Amount:
    rank = rank_of(name)
    if table.system and table.system.amount == name:
        rank = MAIN
    if table.system and table.system.lead == name:
        rank = max(rank, 1)
    why = f"{name} is a number that adds up"
    if rank_of(name):
        why += ", by its name an amount of money"
    expr = expression(name)
    side = find_sides(table)
    if side is not None and rank and not table.column(name).negative:
        column, negative = side
        quoted = negative.replace("'", "''")
        expr = f"case when {expression(column)} = '{quoted}' then -{expr} else {expr} end"
        why += f"; {column} gives its sign, {negative} is negative"
    where = ""
    currency = name_currency(name)
    money = currency_of(name, table.currencies)
    if money is not None and rank:
        currency = currency or money.single
        if name in mixed:
            first = next(iter(money.counts))
            currency = code_of(first)
            where = f"{expression(money.column)} = '{first}'"
            why += f"; only rows in {first}, as {money.column} holds several currencies"
    return Amount(name, expr, rank, why, currency, where)


def name_currency(column_name: str) -> str:
    """Return the currency that a column's name holds; empty without one."""
    for word in words(column_name):
        if word in CURRENCIES:
            return word.upper()
    return ""


def _mixed(table: Table) -> list[str]:
    """Return the amounts whose currency differs from row to row."""
    mixed = []
    for name in table.sums:
        money = currency_of(name, table.currencies)
        if money is not None and not money.single and rank_of(name):
            mixed.append(name)
    return mixed


def _converted(table: Table, name: str, mixed: Sequence[str]) -> str:
    """Return the column that holds the same amount in one currency; empty without one."""
    for other in table.sums:
        if other not in mixed and set(words(name)) < set(words(other)):
            return other
    return ""


def _priced(table: Table, amounts: Sequence[Amount]) -> Amount | None:
    """Return price times quantity, or the price of rows of one piece, where no amount is there."""
    if any(amount.rank >= GOOD_MONEY and not amount.taken_off for amount in amounts):
        return None
    prices = [name for name in table.averages if _is_unit_price(name)]
    prices = [name for name in prices if not _in_thing(table, name)]
    if not prices:
        return None
    price = prices[0]
    quantities = [column.name for column in table.columns if has(column.name, QUANTITIES)]
    if quantities:
        quantity = quantities[0]
        why = f"{price} is for a piece, so it is multiplied by {quantity}"
        expr = f"{expression(quantity)} * {expression(price)}"
        return Amount(price, expr, GOOD_MONEY, why, name_currency(price), label=SOLD)
    if has(price, {"unit", "per", "each"}) or not has(price, {"price"}):
        return None
    why = f"{price} is what one row costs, and no quantity stands beside it"
    expr = expression(price)
    return Amount(price, expr, GOOD_MONEY, why, name_currency(price), label=SOLD)


def _is_unit_price(name: str) -> bool:
    own = set(words(name))
    return bool("price" in own or ("unit" in own and own & {"amount", "price", "cost"}))


def _in_thing(table: Table, name: str) -> bool:
    return table.thing is not None and name in table.thing.repeated


def _refusal(table: Table, name: str) -> str:
    """Say why a number is never summed, though it is an amount; empty where it may be."""
    if _in_thing(table, name) and table.thing is not None:
        return (
            f"{name} is repeated on each line of one {table.thing.column}: summed over rows it "
            "would count several times; it counts once an id"
        )
    if is_level(name) and not table.recurring and (not table.counted or has(name, RUNNING)):
        return (
            f"{name} is a level or a running total, so it is taken at a period's end and never "
            "added up over days"
        )
    if table.counted and not table.recurring and is_attribute(name):
        return (
            f"{name} says what somebody is like, and is nothing that came in, so it is not summed"
        )
    if has(name, OWED):
        return f"{name} is expected or still owed, not what came in, so it is not summed"
    return ""


def list_refusals(table: Table) -> Iterator[tuple[str, str]]:
    """Yield each number that is not summed, with the reason."""
    mixed = _mixed(table)
    for name in table.sums:
        refusal = _refusal(table, name)
        converted = _converted(table, name, mixed) if name in mixed else ""
        if refusal:
            yield name, refusal
        elif converted:
            yield name, f"{name} mixes currencies, so {converted} is summed instead"
    for name in table.averages:
        yield name, _why_averaged(table, name)
    for column in table.columns:
        if column.number and is_id(column.name) and [column.name] != table.key:
            yield column.name, f"{column.name} is a number that is a name, so it is never summed"
    constant = [one for one in table.columns if one.number and one.distinct == 1]
    constant = [one for one in constant if not is_id(one.name) and one.name not in table.sums]
    for column in constant[:MOST_CONSTANT]:
        yield column.name, f"{column.name} is always {column.smallest}, so it is not used"
    more = len(constant) - MOST_CONSTANT
    if more > 0:
        yield "other columns", f"{more} more columns hold one number each and are not used"


def _why_averaged(table: Table, name: str) -> str:
    if _is_unit_price(name):
        return f"{name} is a price per piece: never summed by itself"
    return (
        f"{name} is a rate, a score or a duration: never summed, and an average over rows weighs "
        "each row alike; divide its two parts where they are known"
    )


def find_sides(table: Table) -> tuple[str, str] | None:
    """Return the column that says debit or credit, with its value of what is negative."""
    for column in table.columns:
        if not column.text or column.distinct != 2:
            continue
        values = {column.smallest, column.largest}
        if {value.strip().casefold() for value in values} in SIDES:
            return column.name, next(value for value in values if value.casefold() in NEGATIVE)
    return None


def money_conditions(table: Table, *, refunds: bool) -> tuple[str, str]:
    """Return filter and exclude of rows whose money counts: paid, not failed, void or deleted.

    `refunds` says that refunds have a column of their own, so that refunded rows still count.
    """
    kept = ""
    out = [flag.sql for flag in table.flags]
    status = table.status
    if status is not None and status.bad and not status.is_deal:
        real = [value for value in status.bad if not (refunds and _is_refund(value))]
        neutral = set(status.counts) - set(status.bad) - set(status.good)
        if status.good and real and not neutral:
            kept = status.sql(status.good)
        elif real:
            out.append(status.sql(real))
    return kept, " or ".join(out)


def _is_refund(value: str) -> bool:
    return has(value, {"refunded", "refund"})


def said_states(status: Status, *, filtered: bool) -> str:
    """Return what is told of rows that went wrong."""
    counted = "they are not counted as money" if filtered else "they still count"
    return f"{status.column}: {status.said(status.bad)} are in the file; {counted}"
