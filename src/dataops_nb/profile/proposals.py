"""The metrics that one table's rows make: each with the time, the rows and the words it needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dataops_nb.profile.amounts import GOOD_MONEY, name_currency
from dataops_nb.profile.columns import quote
from dataops_nb.profile.maker import (
    AVERAGE_WEIGHT,
    COUNT_WEIGHT,
    DECIDED_WEIGHT,
    DURATION_WEIGHT,
    ENDED_WEIGHT,
    LEAD_WEIGHT,
    NEW_PEOPLE_WEIGHT,
    OPEN_WEIGHT,
    OTHER_MONEY_WEIGHT,
    OTHER_WEIGHT,
    PEOPLE_WEIGHT,
    RATE_WEIGHT,
    RECURRING_WEIGHT,
    REFUND_WEIGHT,
    SCALE_WEIGHT,
    SHARE_WEIGHT,
    TOTAL_WEIGHT,
    VALUE_RATIO_WEIGHT,
    WON_WEIGHT,
    Proposals,
    sentence_case,
)
from dataops_nb.profile.names import (
    DURATIONS,
    ENDED,
    PEOPLE,
    PEOPLE_MANY,
    RECOMMENDED,
    RECURRING,
    SCALES,
    expression,
    has,
    is_level,
    label_of,
    plural,
    slug,
    word_set,
    words,
)
from dataops_nb.profile.parts import find_parts, find_ratios
from dataops_nb.profile.revenue import Revenue
from dataops_nb.profile.tables import Table
from dataops_nb.profile.times import Moment
from dataops_nb.sources.catalog import Catalog

MOST_SUMS = 6
MOST_AVERAGES = 3
MOST_RATIOS = 2
LEAST_SHARE = 0.02  # of a part in a base that nothing but their sizes joins
# What shares are usually taken of: clicks of impressions, conversions of clicks.
WHOLES = word_set("impressions impr clicks sessions visits sent delivered recipients attendances")
MOST_ACCOUNTS = 4
PAST = {"end": "ended", "close": "closed", "closing": "closed", "until": "ended"}
DAYS_PER_WEEK = 7
DAYS_PER_MONTH = 30


def propose(catalog: Catalog, table: Table, taken: Collection[str]) -> Proposals:
    """Return the metrics of a table with days, none of them named like one in `taken`."""
    return _Proposer(catalog, table, taken).all()


class _Proposer(Revenue):
    """One table while all its metrics are made."""

    _ratios: frozenset[str] | set[str] = frozenset()

    def all(self) -> Proposals:
        """Propose everything, and tell what was found on the way."""
        table = self.table
        self.tell_states()
        if table.recurring:
            self.add_recurring()
        else:
            self.add_money()
        self._add_counts()
        self._add_ends()
        self._add_people()
        self._add_other_sums()
        self._add_levels()
        self._add_ratios()
        self._add_averages()
        if table.system:
            self.made.notes += [("system", note) for note in table.system.notes]
        return self.made

    # --- things ----------------------------------------------------------------------------------

    def _add_counts(self) -> None:
        table = self.table
        one = slug(self.noun)
        unit = self.noun
        deleted = " or ".join(
            flag.sql for flag in table.flags if not self._is_cancelled(flag.column)
        )
        if table.thing is not None:
            expr = expression(table.thing.column)
            _, out = self.conditions()
            definition = self.simple("count_distinct", expr, unit=unit, out=out)
            why = f"rows are lines, so distinct values of {table.thing.column} are counted"
            self.add(one, sentence_case(self.noun), definition, why, weight=COUNT_WEIGHT)
        elif table.counted or not table.sums:
            kept = ""
            deal = table.status is not None and table.status.is_deal
            paid = any(amount.is_money for amount in self.amounts)
            if paid and not deal and not table.recurring:
                kept, out = self.conditions()
                deleted = out or deleted
            why = "each row is one of them"
            if kept:
                why = f"each row where {kept} is one of them"
            definition = self.simple("count", unit=unit, kept=kept, out=deleted)
            label = sentence_case(self.noun)
            self.add(one, label, definition, why, weight=self._count_weight())

    def _count_weight(self) -> int:
        """Return less for rows that belong to something else, which is counted itself."""
        return SHARE_WEIGHT if self.table.name.endswith("_dated") else COUNT_WEIGHT

    def _is_cancelled(self, column: str) -> bool:
        return has(column, {"cancelled", "canceled", "show", "refunded"})

    def _add_ends(self) -> None:
        """Add what ended, what of it was won, and what is open."""
        table, end = self.table, self.table.end
        self._add_held()
        if end is None or table.time is None:
            return
        status = table.status
        if status is not None and status.is_deal:
            self._add_won(end.name)
            return
        if end.ahead > 0 and end.values >= table.rows:
            return
        if self._ends_at_once(end):
            return
        word = next((word for word in words(end.name) if word in ENDED), "ended")
        past = PAST.get(word, word)
        ended = self.simple("count", time=end.name, unit=self.noun)
        if table.thing is not None:
            expr = expression(table.thing.column)
            ended = self.simple("count_distinct", expr, time=end.name, unit=self.noun)
        label = sentence_case(f"{self.noun} {past}")
        why = f"{end.name} has a day"
        self.add(f"{slug(self.noun)}_{past}", label, ended, why, weight=ENDED_WEIGHT)
        if table.thing is not None:
            return
        measure = {
            "source": table.name,
            "agg": "count",
            "open": {"from": table.time, "to": end.name},
            "at": "end",
        }
        why = f"{table.time} has come and {end.name} has not"
        definition = {"type": "simple", "measure": measure, "unit": self.noun}
        word = "active" if table.recurring or has(self.noun, PEOPLE | PEOPLE_MANY) else "open"
        self.add(
            f"{slug(self.noun)}_{word}",
            sentence_case(f"{word} {self.noun}"),
            definition,
            why,
            weight=OPEN_WEIGHT,
        )

    def _ends_at_once(self, end: Moment) -> bool:
        """Return whether rows with money end on the day they begin: a bill is no backlog."""
        table = self.table
        if table.recurring or not any(amount.is_money for amount in self.amounts):
            return False
        first, last = quote(table.time or ""), quote(end.name)
        late = f"cast({last} as date) > cast({first} as date) + 1"
        query = f"select count(*) filter (where {late}) from {quote(table.name)}"
        ((later,),) = self.catalog.ask(query, table.name)
        return bool(later * 20 < end.values)

    def _add_held(self) -> None:
        """Add what took place, where it was booked before and could be cancelled."""
        table = self.table
        flags = [flag.sql for flag in table.flags if self._is_cancelled(flag.column)]
        if not flags or table.thing is not None or self.amounts:
            return
        for moment in table.moments:
            if moment.role == "started" and moment.ahead and moment.name != table.time:
                out = " or ".join(flags)
                held = self.simple("count", time=moment.name, unit=self.noun, out=out)
                why = (
                    f"by {moment.name}, the day it takes place; later ones are booked, not held, "
                    "and those cancelled or missed are left out"
                )
                name = f"{slug(self.noun)}_held"
                label = sentence_case(f"{self.noun} held")
                self.add(name, label, held, why, weight=WON_WEIGHT)
                return

    def _add_won(self, time: str) -> None:
        """Add the won rows, and their share of all that were decided."""
        status = self.table.status
        if status is None:
            return
        noun = slug(self.noun)
        kept = status.sql(status.won)
        won = self.simple("count", time=time, unit=self.noun, kept=kept)
        why = f"rows where {kept}, by {time}"
        label = sentence_case(f"{self.noun} won")
        won_id = self.add(f"{noun}_won", label, won, why, weight=WON_WEIGHT)
        lost = [value for value in status.bad if has(value, {"lost", "verloren"})]
        end = self.table.moment(time)
        base = end is not None and end.role == "ended"
        if not lost or not base:
            return
        both = status.sql([*status.won, *lost])
        decided = self.simple("count", time=time, unit=self.noun, kept=both)
        why = f"rows where {both}, by {time}; open ones have an expected {time} and are left out"
        label = sentence_case(f"{self.noun} decided")
        decided_id = self.add(f"{noun}_decided", label, decided, why, weight=DECIDED_WEIGHT)
        rate = {
            "type": "ratio",
            "numerator": won_id,
            "denominator": decided_id,
            "unit": "percent",
        }
        why = "won of all that were decided in the period"
        self.add("win_rate", "Win rate", rate, why, weight=RATE_WEIGHT, parts=(won_id, decided_id))

    def _add_people(self) -> None:
        table = self.table
        if not table.counted:
            return
        for name in table.people:
            person = next(word for word in words(name) if word in PEOPLE)
            unit = plural(person)
            active = self.simple("count_distinct", expression(name), unit=unit)
            article = "an" if person[0] in "aeio" else "a"
            why = f"{name} repeats, so it identifies {article} {person}"
            self.add(f"active_{unit}", f"Active {unit}", active, why, weight=PEOPLE_WEIGHT)
            weight = PEOPLE_WEIGHT - 1
            if self._come_regularly(name):
                weight = NEW_PEOPLE_WEIGHT
            new = self.simple("first_seen", expression(name), unit=unit)
            why = f"first appearances of {name}"
            self.add(f"new_{unit}", f"New {unit}", new, why, weight=weight)

    def _come_regularly(self, column_name: str) -> bool:
        """Return whether somebody new comes in a period, on average.

        A North Star that is zero in most periods says nothing.
        """
        table = self.table
        days = 0
        if table.first and table.last:
            days = (table.last - table.first).days + 1
        period = DAYS_PER_MONTH if table.monthly else DAYS_PER_WEEK
        return bool(table.column(column_name).distinct * period >= days)

    # --- other numbers ---------------------------------------------------------------------------

    def _add_other_sums(self) -> None:
        table = self.table
        lead = table.system.lead if table.system else ""
        order = {name: place for place, name in enumerate(table.sums)}
        others = [one for one in self.amounts if one.rank < GOOD_MONEY or one.taken_off]
        others.sort(key=lambda amount: order.get(amount.name, 0))
        for amount in others[:MOST_SUMS]:
            weight = float(OTHER_WEIGHT)
            kept, out = "", ""
            if "refund" in amount.name.casefold():
                weight = REFUND_WEIGHT
            elif amount.taken_off:
                weight = AVERAGE_WEIGHT
            elif not table.counted:
                weight = TOTAL_WEIGHT - order.get(amount.name, 0) / 10
            if amount.is_money and weight != REFUND_WEIGHT:
                kept, out = self.conditions()
            if amount.name == lead:
                weight = LEAD_WEIGHT
            both = " and ".join(part for part in (kept, amount.where) if part)
            unit = amount.currency
            definition = self.simple("sum", amount.expr, unit=unit, kept=both, out=out)
            self.add(
                slug(amount.name), label_of(amount.name), definition, amount.why, weight=weight
            )

    def _add_levels(self) -> None:
        """Add running totals and levels of period totals, as of a period's last day."""
        table = self.table
        if table.counted:
            return
        levels = [name for name in table.sums if is_level(name)]
        for place, name in enumerate(levels[:MOST_SUMS]):
            column = expression(name)
            unit = name_currency(name)
            definition = self.simple("sum", column, unit=unit)
            definition["measure"]["at"] = "end"
            why = f"{name} is a level or a running total: the value of a period's last day"
            weight = RECURRING_WEIGHT if has(name, RECURRING) else OTHER_MONEY_WEIGHT
            self.add(slug(name), label_of(name), definition, why, weight=weight - place / 10)

    def _ids_by_expression(self) -> dict[str, str]:
        """Return the ids of plain sums by their columns."""
        ids = {}
        for metric in self.made.metrics:
            measure = metric.definition.get("measure", {})
            if measure.get("agg") == "sum" and not {"open", "at"} & set(measure):
                ids[measure["expr"]] = metric.id
        return ids

    def _add_ratios(self) -> None:
        """Add rates that are one sum divided by another in each row, then parts of a base."""
        ids = self._ids_by_expression()
        rates = find_ratios(self.catalog, self.table)
        self._ratios = {rate for rate, _, _ in rates}
        same = set()
        for rate, part, base in rates:
            if expression(part) not in ids or expression(base) not in ids or (part, base) in same:
                continue
            same.add((part, base))
            why = f"{rate} is {part} divided by {base} in each row, so both are added up first"
            self._add_ratio(
                label_of(rate), part, base, why, name=slug(rate), weight=VALUE_RATIO_WEIGHT
            )
            self.tell(rate, f"{rate} is {part} / {base}: it is made a ratio, not an average")
        known = {(part, base) for _, part, base in rates}
        pairs = []
        for part, base in find_parts(self.catalog, self.table):
            both = expression(part) in ids and expression(base) in ids
            if both and (part, base) not in known:
                pairs.append((part, base))
        for part, base in self._choose_bases(pairs)[:MOST_RATIOS]:
            label = f"{label_of(part)} as a share of {label_of(base).lower()}"
            why = f"{part} never exceeds {base}, so it is probably part of it"
            name = slug(f"{part}_share")
            self._add_ratio(label, part, base, why, name=name, weight=SHARE_WEIGHT)

    def _choose_bases(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return of each part the base whose name holds it, else a usual one, else the widest.

        Of a part of a part, only the widest base makes a share, where names tell no more.
        """
        parts = {part for part, _ in pairs}
        chosen: dict[str, tuple[tuple[int, float], str]] = {}
        for part, base in pairs:
            size = float(self.table.column(base).largest)
            share = float(self.table.column(part).largest) / size if size else 0.0
            if set(words(base)) < set(words(part)):
                rank = (2, -size)
            elif has(base, WHOLES):
                rank = (1, -size)
            elif base not in parts and share >= LEAST_SHARE:
                rank = (0, size)
            else:
                continue
            if part not in chosen or rank > chosen[part][0]:
                chosen[part] = (rank, base)
        return [(part, base) for part, (_, base) in chosen.items()]

    def _add_ratio(
        self, label: str, part: str, base: str, why: str, *, name: str, weight: float
    ) -> None:
        ids = self._ids_by_expression()
        numerator, denominator = ids[expression(part)], ids[expression(base)]
        definition = {"type": "ratio", "numerator": numerator, "denominator": denominator}
        unit = self._unit_of_ratio(part, base)
        if unit:
            definition["unit"] = unit
        self.add(name, label, definition, why, weight=weight, parts=(numerator, denominator))

    def _unit_of_ratio(self, part: str, base: str) -> str:
        """Return percent for a part of a whole, a currency for money a piece, else nothing."""
        money = {amount.name: amount for amount in self.amounts if amount.is_money}
        if part in money and base not in money:
            return money[part].currency
        most, base_most = (float(self.table.column(name).largest or 0) for name in (part, base))
        return "percent" if most <= base_most else ""

    def _add_averages(self) -> None:
        """Add averages of what is no amount, and of no rate that is made a ratio already."""
        names = []
        for name in self.table.averages:
            if name not in self._ratios and not has(name, {"price", "unit"}):
                names.append(name)
        for name in names[:MOST_AVERAGES]:
            definition = self.simple("average", expression(name))
            why = f"{name} is no amount that adds up"
            label = _average_label(label_of(name))
            weight = AVERAGE_WEIGHT
            if has(name, SCALES) or name.strip().endswith("?"):
                weight = SCALE_WEIGHT
            elif has(name, DURATIONS):
                weight = DURATION_WEIGHT
            self.add(
                f"average_{slug(name).removeprefix('average_')}",
                label,
                definition,
                why,
                weight=weight,
            )
            self._add_recommended(name)

    def _add_recommended(self, name: str) -> None:
        """Add the net promoter score of a question that is answered from 0 to 10."""
        column = self.table.column(name)
        ten = float(column.smallest or 0) >= 0 and float(column.largest or 0) == 10
        if not has(name, RECOMMENDED) or not ten:
            return
        value = expression(name)
        expr = f"case when {value} >= 9 then 1.0 when {value} <= 6 then -1.0 else 0.0 end"
        definition = self.simple("average", expr, unit="percent")
        why = f"9 and 10 of {name} less 0 to 6, as a share of all answers"
        self.add("net_promoter_score", "Net promoter score", definition, why, weight=SCALE_WEIGHT)


def _average_label(label: str) -> str:
    """Return the label of an average; a column may be named so already."""
    first, *rest = label.split(" ")
    if first.casefold().rstrip(".") in ("average", "avg", "mean"):
        return sentence_case(f"average {' '.join(rest)}")
    lowered = first if first.isupper() and len(first) > 1 else first[:1].lower() + first[1:]
    return f"Average {' '.join([lowered, *rest])}"
