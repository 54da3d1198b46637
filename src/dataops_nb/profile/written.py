"""Find out how a file's values are written: its missing ones, its numbers, its days.

Formats are tried until one reads every value. Where a day could be read in two ways, any column or
file that disproves one of them settles it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_nb import sources
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import DataError, Fault
from dataops_nb.profile.cells import ANY_DIGIT, DAY, NUMBER, kind_of
from dataops_nb.profile.columns import OptionGuess, in_batches, quote, some_columns
from dataops_nb.profile.dates import (
    COMPACT,
    DAY_AND_MONTH,
    FORMATS,
    MONTH_AND_DAY,
    day_first,
    matches_sql,
    other_order,
    pattern_of,
)
from dataops_nb.profile.names import DAYS, has, is_id, word_set
from dataops_nb.profile.names import SIGNS as CURRENCY_SIGNS
from dataops_nb.sources.archives import inner_ending
from dataops_nb.sources.catalog import Catalog
from dataops_nb.sources.files import DOCUMENTS

SAMPLE_ROWS = 100_000
FEW_ROWS = 200
# Each round settles some options, which can bring others to light.
ROUNDS = 3
ENOUGH = 0.99
# Milliseconds since 1970: of a day, of 1990 and of 2100.
DAY_MS, EPOCH_FIRST, EPOCH_LAST = 86_400_000, 631_152_000_000, 4_102_444_800_000
# As of this day, no row lies in the future.
FAR = dt.date(2200, 1, 1)
MISSING = word_set(r"- -- --- . ? \n na n/a #n/a nan nil none null missing unknown") | {""}
SIGN = r"[$€£¥₹]"
POINTED = r"(\d{1,3}(,\d{3})+|\d+)(\.\d+)?"
COMMAED = r"(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"
# `comma` fits every number with a decimal comma, `decimal_comma` only those that show one.
# `grouped` and `group` do the same for commas between thousands, `pointed_group` for points there,
# `money` and `dressed` for signs, parentheses and percents around a number.
NUMBER_SHAPES = {
    "comma": rf"-?{COMMAED}",
    "decimal_comma": r"-?[\d.]*,\d{1,2}|-?\d{1,3}(\.\d{3})+,\d+",
    "grouped": rf"-?{POINTED}",
    "group": r"-?\d{1,3}(,\d{3})+(\.\d+)?",
    "pointed_group": r"-?\d{1,3}(\.\d{3})+(,\d+)?",
    "money": rf"[-+]?\(?[-+]?{SIGN}?\s?[-+]?{POINTED}\s?[%]?{SIGN}?\)?-?",
    "money_comma": rf"[-+]?\(?[-+]?{SIGN}?\s?[-+]?{COMMAED}\s?[%]?{SIGN}?\)?-?",
}
NUMBER_PATTERNS = {shape: re.compile(pattern) for shape, pattern in NUMBER_SHAPES.items()}
DATE_PATTERNS = {fmt: pattern_of(fmt) for fmt in FORMATS}


@dataclass
class Settled:
    """A source's options, completed; the guesses among them, and the faults that are left.

    `doubt` is the other format that would read all days as well, `signs` are those of currencies
    in its numbers.
    """

    options: dict[str, Any]
    guesses: list[OptionGuess] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    doubt: str = ""
    signs: Counter[str] = field(default_factory=Counter)

    @property
    def day_first(self) -> bool | None:
        """Return whether its days are written day first; None where that does not show."""
        if self.doubt or "date_format" not in self.options:
            return None
        return day_first(self.options["date_format"])


def settle(name: str, options: dict[str, Any], catalog: Catalog) -> Settled:
    """Complete a source's options by what its values show; the catalog reads it from then on."""
    settled = Settled(options)
    for _ in range(ROUNDS):
        declare(catalog, {name: settled.options})
        settled.faults = catalog.check_one(name)
        guesses = _guess_header(settled) or _guess_options(catalog, name, settled)
        if not guesses:
            break
        for guess in guesses:
            settled.options = {**settled.options, guess.option: guess.value}
        settled.guesses += guesses
    else:
        declare(catalog, {name: settled.options})
    return settled


def open_sources(data: Path) -> Catalog:
    """Open a catalog of files that stand in no company's files yet; none is declared.

    No row of theirs is in the future.
    """
    company = {"company": "Profile", "sources": {}}
    definitions = Definitions.model_validate({"company": company, "departments": {}})
    return sources.open(definitions, data, FAR)


def declare(
    catalog: Catalog,
    options_by_source: Mapping[str, dict[str, Any]],
    departments: dict[str, Any] | None = None,
) -> None:
    """Declare sources beside the others of a catalog, and departments in place of others."""
    declared = {name: {"system": name, **options} for name, options in options_by_source.items()}
    company = {"company": "Profile", "sources": declared}
    new = Definitions.model_validate({"company": company, "departments": departments or {}})
    merged = {**catalog.declared.sources, **new.sources}
    catalog.redeclare(new.model_copy(update={"sources": merged}))


def agree_on_days(settled: Mapping[str, Settled]) -> None:
    """Settle the order of day and month in doubtful files by what their siblings show."""
    orders = {one.day_first for one in settled.values()} - {None}
    for one in settled.values():
        if not one.doubt:
            continue
        chosen = str(one.options["date_format"])
        why = f"it fits every value, but so does {one.doubt}"
        if len(orders) == 1:
            wanted = orders.pop()
            orders.add(wanted)
            if day_first(chosen) != wanted:
                chosen = one.doubt
            siblings = [name for name, other in settled.items() if other.day_first == wanted]
            why = f"both orders read every value, but the days of {siblings[0]} show this one"
        else:
            why += ", so look at one whose day you know"
        one.options["date_format"] = chosen
        kept = [guess for guess in one.guesses if guess.option != "date_format"]
        one.guesses = [*kept, OptionGuess("date_format", chosen, why)]


def _guess_header(settled: Settled) -> list[OptionGuess]:
    """Guess the header of a file that has one, though it reads like the rows below it."""
    refused = any("`header: 1`" in fault.rule for fault in settled.faults)
    if not refused or "header" in settled.options:
        return []
    return [OptionGuess("header", 1, "the first line names the columns, and is no row")]


def _guess_options(catalog: Catalog, name: str, settled: Settled) -> list[OptionGuess]:
    options = settled.options
    missing = _guess_missing(options, settled.faults)
    if missing:
        return [missing]
    try:
        types = catalog.columns(name)
    except DataError:
        return []
    texts = _first_texts(catalog, name, types, options)
    blanks = _guess_blanks(options, texts)
    if blanks:
        return [blanks]
    tallies = {}
    for column, first_values in texts.items():
        signs: Counter[str] = Counter()
        fitting = _plausible(first_values, signs)
        if not NUMBER_PATTERNS.keys().isdisjoint(fitting):
            settled.signs.update(signs)
        if fitting:
            tallies[column] = _tally(catalog, name, column, fitting)
    guesses = [*_guess_numbers(tallies, options)]
    if "date_format" not in options:
        guesses += _guess_days(catalog, name, types, tallies, settled)
    merged: dict[str, OptionGuess] = {}
    for guess in guesses:
        before = merged.get(guess.option)
        merged[guess.option] = guess
        if before is not None and guess.option == "columns":
            value = {**before.value, **guess.value}
            merged["columns"] = OptionGuess("columns", value, f"{before.why}; {guess.why}")
    return list(merged.values())


def _guess_missing(options: dict[str, Any], faults: Sequence[Fault]) -> OptionGuess | None:
    """Guess words for missing values: known ones among the few values that do not parse."""
    words = set()
    for fault in faults:
        if fault.value is None or "like the other values" not in fault.rule:
            continue
        if fault.value.strip().casefold() in MISSING:
            words.add(fault.value)
    if not words:
        return None
    columns = ", ".join(dict.fromkeys(fault.column for fault in faults))
    return OptionGuess(
        "na",
        [*options.get("na", []), *sorted(words)],
        f"the other values of {columns} are numbers or days",
    )


def _guess_blanks(
    options: dict[str, Any], texts: Mapping[str, Sequence[str]]
) -> OptionGuess | None:
    """Guess words for missing values that stand often among numbers or days, as databases do it."""
    words = set()
    columns = []
    for column, values in texts.items():
        blank = {value for value in values if value.strip().casefold() in MISSING - {""}}
        kinds = {kind_of(value) for value in values if value not in blank and value.strip()}
        if blank and len(kinds) == 1 and kinds <= {NUMBER, DAY}:
            words |= blank
            columns.append(column)
    if not words:
        return None
    why = f"the other values of {', '.join(columns)} are numbers or days"
    return OptionGuess("na", [*options.get("na", []), *sorted(words)], why)


def _guess_numbers(
    tallies: Mapping[str, dict[str, int]], options: dict[str, Any]
) -> Iterable[OptionGuess]:
    """Yield a decimal comma, and columns of numbers with signs or separators around them."""
    commas = []
    if "decimal" not in options:
        for column, tally in tallies.items():
            is_money = _fits(tally, "money_comma") or _fits(tally, "comma")
            if is_money and tally.get("decimal_comma", 0) and not _fits(tally, "grouped"):
                commas.append(column)
        for column, tally in tallies.items():
            shown = tally.get("money_comma", 0) and not tally.get("money", 0)
            if column not in commas and shown and _fits(tally, "money_comma"):
                commas.append(column)
    if commas:
        why = f"every value of {commas[0]} is a number with a comma"
        yield OptionGuess("decimal", ",", why)
    comma = bool(commas) or options.get("decimal") == ","
    shape = "money_comma" if comma else "money"
    plain = "comma" if comma else "grouped"
    group = "pointed_group" if comma else "group"
    dressed = {}
    reasons = []
    for column, tally in tallies.items():
        if not _fits(tally, shape) or is_id(column):
            continue
        grouped = _fits(tally, plain) and tally.get(group, 0)
        signs = not _fits(tally, plain)
        if grouped or signs:
            dressed[column] = {"type": "decimal"}
            reasons.append((column, bool(signs)))
    if dressed:
        why = _why(reasons, "points" if comma else "commas")
        yield OptionGuess("columns", {**options.get("columns", {}), **dressed}, why)


def _why(reasons: Sequence[tuple[str, bool]], separators: str) -> str:
    signed = [column for column, signs in reasons if signs]
    grouped = [column for column, signs in reasons if not signs]
    parts = []
    if grouped:
        parts.append(f"in {', '.join(grouped)} {separators} separate the thousands")
    if signed:
        parts.append(
            f"the numbers of {', '.join(signed)} are read with their signs: "
            "(1.00) in parentheses is negative, 45% is 0.45"
        )
    return "; ".join(parts)


def _fits(tally: Mapping[str, int], shape: str) -> bool:
    return tally["values"] > 0 and tally.get(shape, 0) >= ENOUGH * tally["values"]


def _guess_days(
    catalog: Catalog,
    name: str,
    types: Mapping[str, str],
    tallies: Mapping[str, dict[str, int]],
    settled: Settled,
) -> Iterable[OptionGuess]:
    """Yield the format that reads most columns of days; note another order that would, too."""
    able: dict[str, list[str]] = {}
    for column, tally in tallies.items():
        for fmt in FORMATS:
            if _fits(tally, fmt):
                able.setdefault(fmt, []).append(column)
    if able:
        best = max(able, key=lambda fmt: len(able[fmt]))
        doubt = other_order(best)
        settled.doubt = doubt if len(able.get(doubt, [])) == len(able[best]) else ""
        why = f"it fits every value of {', '.join(able[best])}"
        if settled.doubt:
            # 03/04/2026 is a day in both orders of day and month.
            why += f", but so does {doubt}: check a date you know"
        yield OptionGuess("date_format", best, why)
        return
    moments = _epoch_moments(catalog, name, types)
    if moments:
        why = (
            f"the numbers of {', '.join(moments)} are milliseconds since 1970, as pandas writes "
            "moments"
        )
        yield OptionGuess("columns", {**settled.options.get("columns", {}), **moments}, why)
        return
    compact = _compact_days(catalog, name, types)
    if compact:
        columns = {column: {"type": "date"} for column in compact}
        why = f"the numbers of {', '.join(compact)} are days such as 20261120"
        yield OptionGuess("date_format", COMPACT, why)
        yield OptionGuess("columns", {**settled.options.get("columns", {}), **columns}, why)
        return
    yield from _guess_yearless(catalog, name, types, settled)


def _epoch_moments(
    catalog: Catalog, name: str, types: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return the types of columns of a JSON file whose numbers are all moments of our time."""
    ending = inner_ending(Path(catalog.declared.sources[name].path or ""))
    if ending not in DOCUMENTS:
        return {}
    moments = {}
    for column, type_name in types.items():
        if type_name != "BIGINT" or is_id(column):
            continue
        value = quote(column)
        query = (
            f"select count({value}), min({value}), max({value}), "
            f"count(*) filter (where {value} % {DAY_MS} <> 0) from {quote(name)}"
        )
        ((values, least, most, clocks),) = catalog.ask(query, name)
        if values and least >= EPOCH_FIRST and most <= EPOCH_LAST:
            moments[column] = {"type": "timestamp" if clocks else "date"}
    return moments


def _compact_days(catalog: Catalog, name: str, types: Mapping[str, str]) -> list[str]:
    """Return the columns of integers, named as days, of which each value is one."""
    compact = []
    for column, type_name in types.items():
        if type_name == "BIGINT" and has(column, DAYS) and not is_id(column):
            row = _count_format(catalog, name, column, COMPACT)
            if row[0] and row[0] == row[1]:
                compact.append(column)
    return compact


def _guess_yearless(
    catalog: Catalog, name: str, types: Mapping[str, str], settled: Settled
) -> Iterable[OptionGuess]:
    """Yield a format of days without a year, and the year that is written above the table."""
    first_day = settled.options.get("year_from")
    if first_day is None:
        return
    for column, type_name in types.items():
        if type_name not in ("VARCHAR", "BIGINT") or not has(column, DAYS):
            continue
        for fmt in (DAY_AND_MONTH, MONTH_AND_DAY):
            values, read = _count_format(catalog, name, column, fmt)
            if values and values == read:
                columns = {**settled.options.get("columns", {}), column: {"type": "date"}}
                why = (
                    f"{column} holds day and month without a year (%d%m); the year is that of "
                    f"{first_day}, from the line above the header"
                )
                yield OptionGuess("date_format", fmt, why)
                yield OptionGuess("columns", columns, why)
                return


def _count_format(catalog: Catalog, name: str, column: str, fmt: str) -> tuple[int, int]:
    value = f"lpad(cast({quote(column)} as varchar), {4 if len(fmt) == 4 else 8}, '0')"
    fits = matches_sql(value, fmt)
    counts = f"count({quote(column)}), count(*) filter (where {fits})"
    ((values, read),) = catalog.ask(f"select {counts} from {quote(name)}", name)
    return values, read


def _first_texts(
    catalog: Catalog, name: str, types: Mapping[str, str], options: dict[str, Any]
) -> dict[str, list[str]]:
    """Return the first values of each undeclared column of text that holds any."""
    declared = options.get("columns", {})
    columns = []
    for column, type_name in types.items():
        if type_name == "VARCHAR" and column not in declared:
            columns.append(column)
    texts: dict[str, list[str]] = {}
    for batch in in_batches(columns):
        lists = []
        for column in batch:
            value = quote(column)
            filled = f"select {value} as v from rows_here where {value} is not null"
            lists.append(f"coalesce((select list(v) from ({filled} limit {FEW_ROWS})), [])")
        rows_here = some_columns(name, batch, len(types))
        (row,) = catalog.ask(f"{rows_here} select {', '.join(lists)}", name)
        for column, values in zip(batch, row, strict=True):
            if values:
                texts[column] = list(values)
    return texts


def _plausible(values: Sequence[str], signs: Counter[str]) -> list[str]:
    """Return the shapes and formats that most of the first values of a column have.

    Signs of currencies among them are counted in `signs`.
    """
    # No pattern tells digits apart, so what differs in them alone is looked at once.
    counts = Counter(str(value).strip().translate(ANY_DIGIT) for value in values)
    for value, count in counts.items():
        for sign in CURRENCY_SIGNS.keys() & set(value):
            signs[sign] += count * value.count(sign)
    total = counts.total()
    with_digits = {value: n for value, n in counts.items() if any(map(str.isdigit, value))}
    if sum(with_digits.values()) * 2 <= total:
        return []  # numbers and days have digits
    plausible = []
    for shape, pattern in (NUMBER_PATTERNS | DATE_PATTERNS).items():
        fitting = sum(count for value, count in with_digits.items() if pattern.fullmatch(value))
        if fitting * 2 > total:
            plausible.append(shape)
    return plausible


def _tally(catalog: Catalog, name: str, column: str, shapes: Sequence[str]) -> dict[str, int]:
    """Count a column's `values`, those of each shape of a number, and those each format reads."""
    value = f"trim({quote(column)})"
    conditions = {}
    numeric = not NUMBER_PATTERNS.keys().isdisjoint(shapes)
    for shape, pattern in NUMBER_SHAPES.items():
        if numeric:
            conditions[shape] = f"regexp_full_match({value}, '{pattern}')"
    for fmt in FORMATS:
        if fmt in shapes:
            conditions[fmt] = matches_sql(value, fmt)
    counts = [f"count({value})"]
    counts += [f"count(*) filter (where {condition})" for condition in conditions.values()]
    filled = f"{quote(column)} is not null"
    sample = f"select {quote(column)} from {quote(name)} where {filled} limit {SAMPLE_ROWS}"
    (row,) = catalog.ask(f"select {', '.join(counts)} from ({sample})", name)
    return dict(zip(["values", *conditions], row, strict=True))


def year_above(lines: Sequence[str]) -> dt.date | None:
    """Return the first day of the year that the lines above a table speak of, if they name one."""
    for line in lines:
        days = re.findall(r"(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)", line)
        if days:
            year, month, day = min(days)
            return dt.date(int(year), int(month), int(day))
    return None
