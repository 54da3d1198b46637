"""The metrics of money: what was won or paid, accounts of a ledger, prices per period."""

from __future__ import annotations

from typing import Any

from dataops_nb.profile.amounts import GOOD_MONEY, YEARLY, Amount
from dataops_nb.profile.maker import (
    MONEY_WEIGHT,
    OPEN_WEIGHT,
    OTHER_MONEY_WEIGHT,
    RECURRING_WEIGHT,
    REFUND_WEIGHT,
    Maker,
    sentence_case,
)
from dataops_nb.profile.names import (
    EARNED,
    INTERVALS,
    expression,
    has,
    label_of,
    singular,
    slug,
    word_set,
    words,
)
from dataops_nb.profile.states import count_values

MOST_ACCOUNTS = 4
GENERAL_LABELS = frozenset(["Total", "Amount", "Value", "Net", "Gross", "Subtotal"])  # of anything
GIVEN_BACK = word_set("refund refunds refunded return returns returned credit")


class Revenue(Maker):
    """A table while its money becomes metrics."""

    def add_money(self) -> None:
        """Add what was won or paid, or the accounts of a ledger."""
        main = [one for one in self.amounts if one.rank >= GOOD_MONEY and not one.taken_off]
        table = self.table
        if not main:
            return
        if self._add_accounts(main[0]):
            return
        lead = table.system.lead if table.system else ""
        weight: float = MONEY_WEIGHT
        if lead:
            weight = OPEN_WEIGHT - 1
        kept, out = self.conditions()
        status, end = table.status, table.end
        time, words_for_rows, why = None, "", ""
        if status is not None and status.is_deal:
            time = end.name if end is not None else None
            kept = status.sql(status.won)
            words_for_rows = " won"
            why = f"only rows of which {status.column} is {', '.join(status.won)}"
            if time:
                why += f", by {time}, the day they were won"
            if time and table.time:
                why += f"; by {table.time} all would be summed by the day they were opened"
        elif kept:
            words_for_rows = " paid"
            why = f"only rows where {kept}"
        for place, amount in enumerate(main):
            reason = amount.why + (f"; {why}" if why else "")
            both = " and ".join(part for part in (kept, amount.where) if part)
            definition = self.simple(
                "sum", amount.expr, unit=amount.currency, time=time, kept=both, out=out
            )
            own = weight if place == 0 else OTHER_MONEY_WEIGHT - place
            label = amount.label or label_of(amount.name)
            if label in GENERAL_LABELS and not words_for_rows:
                label = sentence_case(f"{singular(self.noun)} {label.lower()}")
            name = slug(amount.label or amount.name) + words_for_rows.replace(" ", "_")
            self.add(name, label + words_for_rows, definition, reason, weight=own)

    def _add_accounts(self, amount: Amount) -> bool:
        """Add the amount by each account of a ledger that is earned or given back."""
        for column in self.table.columns:
            own = words(column.name)
            if own not in (["account"], ["gl", "account"], ["account", "name"]) or not column.text:
                continue
            accounts = count_values(self.catalog, self.table.name, column.name)
            earned = [name for name in accounts if has(name, EARNED | {"sale", "erlose"})]
            back = [name for name in accounts if has(name, GIVEN_BACK)]
            if not earned or len(accounts) < 2:
                continue
            left = [name for name in accounts if name not in (*earned, *back)]
            for place, account in enumerate(earned[:MOST_ACCOUNTS]):
                self._add_account(amount, column.name, account, MONEY_WEIGHT - place)
            for account in back[:MOST_ACCOUNTS]:
                self._add_account(amount, column.name, account, REFUND_WEIGHT)
            for account in left[:MOST_ACCOUNTS]:
                self._add_account(amount, column.name, account, OTHER_MONEY_WEIGHT)
            return True
        return False

    def _add_account(self, amount: Amount, column: str, account: str, weight: float) -> None:
        quoted = account.replace("'", "''")
        kept = f"{expression(column)} = '{quoted}'"
        label = account.strip("0123456789 .-") or account
        definition = self.simple("sum", amount.expr, unit=amount.currency, kept=kept)
        why = f"{amount.why}; a ledger is summed by account, never over all of them"
        self.add(slug(label), label, definition, why, weight=weight)

    def add_recurring(self) -> None:
        """Add a price per period as what runs at a period's end."""
        main = [one for one in self.amounts if one.rank >= GOOD_MONEY and not one.taken_off]
        if not main or not self.table.ended or not self.table.time:
            return
        amount = main[0]
        expr, yearly = amount.expr, self._yearly()
        why = (
            f"{amount.name} is a price per period: it is summed over what is open at a period's "
            f"end, from {self.table.time} to {self.table.ended}, never by the day it began"
        )
        if yearly:
            column, value = yearly
            expr = f"case when {expression(column)} = '{value}' then {expr} / 12 else {expr} end"
            why += f"; {value}ly prices count a twelfth a month"
        measure = {
            "source": self.table.name,
            "agg": "sum",
            "expr": expr,
            "open": {"from": self.table.time, "to": self.table.ended},
            "at": "end",
        }
        if amount.where:
            measure["filter"] = amount.where
            why += f"; only rows where {amount.where}"
        definition: dict[str, Any] = {"type": "simple", "measure": measure}
        if amount.currency:
            definition["unit"] = amount.currency
        self.add("mrr", "Monthly recurring revenue", definition, why, weight=RECURRING_WEIGHT)

    def _yearly(self) -> tuple[str, str] | None:
        for column in self.table.columns:
            if column.text and has(column.name, INTERVALS):
                values = count_values(self.catalog, self.table.name, column.name)
                yearly = [value for value in values if value.casefold() in YEARLY]
                if yearly and len(values) > 1:
                    return column.name, yearly[0]
        return None
