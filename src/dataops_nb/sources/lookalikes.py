"""Names that differ in nothing a reader sees or means, and count apart.

That is letter case, blanks, letters without a width, how a letter with an accent is put together,
and letters of other alphabets that look like Latin ones: a Cyrillic А beside an A. Which ones do,
Unicode says (UTS 39, confusables).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from sqlglot import exp

from dataops_nb.sources.catalog import Catalog
from dataops_nb.sources.evidence import Notice, quote

BLANKS = "[\\s\u00a0\u2000-\u200a\u202f\u205f\u3000]+"
UNSEEN = "[\u00ad\u200b-\u200d\u2060\ufeff]"  # letters without a width
BEYOND_LATIN = r"[^\x00-\x{024F}]"
LAST_LATIN = "\u024f"
LISTED = 5
MOST_VALUES = 20_000  # of a column in a database


def find_lookalikes(catalog: Catalog, name: str, column: str) -> Iterator[Notice]:
    """Yield the values of a column that look alike, with what tells them apart."""
    look = _alike_in_files if catalog.is_embedded(name) else _alike_in_database
    for spellings, count in look(catalog, name, column):
        is_lettered = len({_form(spelling, {}) for spelling in spellings}) > 1
        letters = latin_twins() if is_lettered else {}
        shown = " and ".join(show(spelling, letters) for spelling in spellings[:LISTED])
        text = f"spellings in column {column} look alike and count apart: {shown}"
        yield Notice(name, text, count)


def show(value: str, letters: Iterable[str] = ()) -> str:
    """Write a text in quotes; what cannot be seen in it is named behind, and some letters are."""
    named = []
    for letter in dict.fromkeys(value):
        if _is_unseen(letter) or letter in letters:
            named.append(f"U+{ord(letter):04X}")
    shown = f"'{_escape(value)}'"
    return f"{shown} (with {', '.join(named)})" if named else shown


@cache
def latin_twins() -> dict[str, str]:
    """Return the letters of other alphabets that look like a Latin one of the same case."""
    # half a megabyte, which only names beyond Latin need
    from confusable_homoglyphs.confusables import confusables_data  # noqa: PLC0415

    alike: dict[str, list[str]] = {}
    for letter, others in confusables_data.items():
        alike[letter] = [other["c"] for other in others]
    twins = {}
    for letter, near in alike.items():
        is_other = len(letter) == 1 and letter > LAST_LATIN and letter.isalpha()
        candidates = list(near)
        for other in near:
            candidates += alike.get(other, [])
        for other in candidates if is_other else []:
            is_plain = len(other) == 1 and other.isascii() and other.isalpha()
            if is_plain and other.isupper() == letter.isupper():
                twins[letter] = other
                break
    return twins


def _form(value: str, twins: Mapping[str, str]) -> str:
    """Return what all spellings of a value have in common."""
    seen = re.sub(UNSEEN, "", unicodedata.normalize("NFC", value))
    latin = "".join(twins.get(letter, letter) for letter in seen)
    return re.sub(BLANKS, " ", latin).strip().lower()


def _alike_in_files(catalog: Catalog, name: str, column: str) -> Iterator[tuple[list[str], int]]:
    """Yield the spellings of a value, the most frequent first, and how many there are."""
    value = quote(column)
    rows = f"select {value} as v, count(*) as n from {quote(name)} where {value} is not null"
    beyond = f"select bool_or(regexp_matches({value}, '{BEYOND_LATIN}')) as b from {quote(name)}"
    twins = latin_twins() if catalog.fetch(beyond)["b"].eq(True).any() else {}
    seen = f"regexp_replace(nfc_normalize(v), '{UNSEEN}', '', 'g')"
    if twins:
        seen = f"translate({seen}, '{''.join(twins)}', '{''.join(twins.values())}')"
    form = f"lower(trim(regexp_replace({seen}, '{BLANKS}', ' ', 'g')))"
    counted = f"select v, n, {form} as form from ({rows} group by 1)"
    alike = f"select form, list(v order by n desc, v) as v, count(*) as n from ({counted})"
    query = f"{alike} group by form having count(*) > 1 order by form limit {LISTED}"
    frame = catalog.fetch(query)
    for spellings, count in zip(frame["v"], frame["n"], strict=True):
        yield list(spellings), int(count)


def _alike_in_database(catalog: Catalog, name: str, column: str) -> Iterator[tuple[list[str], int]]:
    """Yield the same of a database, which has no word for it: of its values, if they are few."""
    value = exp.alias_(exp.column(column, quoted=True), "v")
    query = exp.select(value, "count(*) as n").from_(catalog.relation(name))
    query = query.where(exp.column(column, quoted=True).is_(exp.null()).not_())
    frame = catalog.fetch(query.group_by(exp.column(column, quoted=True)).limit(MOST_VALUES + 1))
    if len(frame) > MOST_VALUES:
        return
    values = frame["v"].astype(str)
    twins = latin_twins() if any(max(value, default="") > LAST_LATIN for value in values) else {}
    alike: dict[str, list[tuple[int, str]]] = {}
    for spelling, count in zip(values, frame["n"], strict=True):
        alike.setdefault(_form(spelling, twins), []).append((-int(count), spelling))
    several = [form for form in sorted(alike) if len(alike[form]) > 1]
    for form in several[:LISTED]:
        yield [spelling for _, spelling in sorted(alike[form])], len(alike[form])


def _is_unseen(letter: str) -> bool:
    """Whether a letter is a blank of another kind, joins the one before, or has no width."""
    return letter != " " and unicodedata.category(letter) in ("Zs", "Mn", "Cf")


def _escape(value: str) -> str:
    letters = []
    for letter in value:
        is_control = unicodedata.category(letter) in ("Cc", "Zl", "Zp")
        letters.append(ascii(letter).strip("'") if is_control else letter)
    return "".join(letters)
