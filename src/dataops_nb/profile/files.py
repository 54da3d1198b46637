"""How a file is written: its encoding, what separates its cells, its decimal sign, its dates, its words for missing.

What can be seen in the bytes is seen there; the rest is tried on the values until every one of them is read.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataops_nb import sources
from dataops_nb.definitions import Definitions
from dataops_nb.errors import DataError, Fault

TEXTS = (".csv", ".tsv", ".txt")
SAMPLE = 1 << 20
LINES = 200
MISSING = frozenset(["na", "n/a", "nan", "null", "none", "nil", "-", "--", ".", "?", "", "#n/a", "unknown", "missing"])
DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
OTHERS = (
    "%Y-%m", "%Y/%m/%d", "%Y%m%d", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y", "%a, %d-%b-%Y", "%b %Y",
    "%Y-%m-%d %H:%M:%S UTC",
)  # fmt: skip
CLOCKS = ("", " %H:%M", " %H:%M:%S")
FORMATS = [*OTHERS, *(day + clock for day in (*DAY_FIRST, *MONTH_FIRST) for clock in CLOCKS)]
SHAPES = {
    "comma": r"-?\d{1,3}(\.\d{3})*,\d+|-?\d+(,\d+)?",
    "with_comma": r"-?[\d.]*,\d{1,2}|-?\d{1,3}(\.\d{3})+,\d+",
    "grouped": r"-?\d{1,3}(,\d{3})*(\.\d+)?|-?\d+(\.\d+)?",
    "with_group": r"-?\d{1,3}(,\d{3})+(\.\d+)?",
}
ROUNDS = 4
TOGETHER = 40
ROWS = 100_000
FAR = dt.date(2200, 1, 1)


def sniff(path: Path) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """The options of a source that its bytes tell, and what was guessed: option, value, reason."""
    if path.suffix.lower() not in TEXTS:
        return {}, []
    content = path.open("rb").read(SAMPLE)
    encoding = _encoding(path, content)
    options: dict[str, Any] = {"encoding": encoding} if encoding else {}
    told = [("encoding", encoding, "its bytes are no UTF-8")] if encoding else []
    text = content.decode(encoding or "utf-8-sig", errors="replace")
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    delimiter = _delimiter(text.splitlines()[:LINES], usual)
    if delimiter != usual:
        options["delimiter"] = delimiter
        told.append(("delimiter", repr(delimiter), "it divides the lines into as many cells as the header"))
    return options, told


def _encoding(path: Path, head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        with path.open(encoding="utf-8") as handle:
            while handle.read(SAMPLE):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return None


def _delimiter(lines: Sequence[str], usual: str) -> str:
    """What divides most lines into as many cells as the first, and into most; the usual one where nothing does."""
    best, score = usual, (0.0, 0)
    for delimiter in dict.fromkeys((usual, ",", ";", "\t", "|")):
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        if widths and widths[0] > 1:
            found = (Counter(widths)[widths[0]] / len(widths), widths[0])
            best, score = (delimiter, found) if found > score else (best, score)
    return best


def settle(
    name: str, options: dict[str, Any], data: Path
) -> tuple[dict[str, Any], list[tuple[str, str, str]], list[Fault]]:
    """A source's options completed by what its values tell, what was guessed, and the faults that are left."""
    told: list[tuple[str, str, str]] = []
    faults: list[Fault] = []
    for _ in range(ROUNDS):
        with open_one(name, options, data) as catalog:
            faults = catalog.check()
            found = _find_missing(options, faults) or _read_values(catalog, name, options)
        if not found:
            break
        options = {**options, **{option: value for option, value, _ in found}}
        told += [(option, str(value), why) for option, value, why in found]
    return options, told, faults


def open_one(name: str, options: dict[str, Any], data: Path) -> sources.Catalog:
    """A catalog with this source alone, on the last of days."""
    company = {"company": "Profile", "sources": {name: {"system": name, **options}}}
    return sources.open(Definitions.model_validate({"company": company, "departments": {}}), data, FAR)


Found = list[tuple[str, Any, str]]


def _find_missing(options: dict[str, Any], faults: Sequence[Fault]) -> Found:
    """Words that mean missing, among the few values that do not parse like the others."""
    odd = {f.value for f in faults if f.value is not None and "like the other values" in f.rule}
    missing = sorted(value for value in odd if value.strip().casefold() in MISSING)
    known = [*options.get("na", []), *missing]
    why = f"the other values of {', '.join(dict.fromkeys(f.column for f in faults))} are numbers or days"
    return [("na", known, why)] if missing else []


def _read_values(catalog: sources.Catalog, name: str, options: dict[str, Any]) -> Found:
    """A decimal comma, thousands separators, or the way dates are written, found in columns of text."""
    counts = {column: _tally(catalog, name, column) for column in _list_texts(catalog, name, options)}
    known = {column: tally for column, tally in counts.items() if tally["n"]}
    for column, tally in known.items():
        if "decimal" not in options and tally["comma"] == tally["n"] and tally["with_comma"]:
            return [("decimal", ",", f"every value of {column} is a number with a comma")]
    grouped = [c for c, tally in known.items() if tally["grouped"] == tally["n"] and tally["with_group"]]
    if grouped:
        columns = {**options.get("columns", {}), **{c: {"type": "decimal"} for c in grouped}}
        return [("columns", columns, f"in {', '.join(grouped)} commas separate the thousands")]
    if "date_format" in options:
        return []
    dated = ((column, [f for f in FORMATS if tally[f] == tally["n"]]) for column, tally in known.items())
    return next(([_say_format(column, fits)] for column, fits in dated if fits), [])


def _say_format(column: str, fits: Sequence[str]) -> tuple[str, Any, str]:
    others = [one for one in fits[1:] if one.startswith("%m") != fits[0].startswith("%m")]
    doubt = f"; {others[0]} would read all of them too, so look at one whose day you know" if others else ""
    return "date_format", fits[0], f"it reads every value of {column}{doubt}"


def _list_texts(catalog: sources.Catalog, name: str, options: dict[str, Any]) -> list[str]:
    try:
        columns = catalog.columns(name)
    except DataError:
        return []
    declared = options.get("columns", {})
    texts = [column for column, type_ in columns.items() if type_ == "VARCHAR" and column not in declared]
    return [
        c for start in range(0, len(texts), TOGETHER) for c in _filled(catalog, name, texts[start : start + TOGETHER])
    ]


def _filled(catalog: sources.Catalog, name: str, columns: Sequence[str]) -> list[str]:
    """Those of a few columns that hold anything."""
    counts = ", ".join(f"count({_quote(column)})" for column in columns)
    row = catalog.fetch(f"select {counts} from {_quote(name)}").iloc[0]
    return [column for column, count in zip(columns, row, strict=True) if count]


def _tally(catalog: sources.Catalog, name: str, column: str) -> dict[str, int]:
    """How many values of a column of text there are, have each shape, and are days by each format."""
    value = f"trim({_quote(column)})"
    kinds = {kind: f"regexp_full_match({value}, '{shape}')" for kind, shape in SHAPES.items()}
    kinds |= {f: f"year(try_strptime({value}, '{f}')) between 1900 and 2200" for f in FORMATS}
    counts = ", ".join(f"count(*) filter (where {condition})" for condition in kinds.values())
    sample = f"select {_quote(column)} from {_quote(name)} limit {ROWS}"
    row = catalog.fetch(f"select count({value}), {counts} from ({sample})").iloc[0]
    return dict(zip(["n", *kinds], map(int, row), strict=True))


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
