"""How hard a text is to read: sentences, words, syllables, and the grade that Flesch and Kincaid make of them.

Grade = .39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid et al., 1975). Syllables are counted by the vowels
that are heard: groups of vowels, less the silent e and ed, with the common endings that break the rule.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\s]+")
_SPOKEN = re.compile(r"[^\W_]")
_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(]?[^\sa-z])")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?<=[^aeiouy])(?:e|es|ed)$")
_HEARD = re.compile(r"(?:[td]ed|[^aeiouy]les?|(?:[sxz]|ch|sh|ce|ge|se|ze)es|[^aeiouy]res?)$")
_SPLIT = re.compile(
    r"i[ao](?!n\b|ns\b|us\b|l\b|lly\b|ble)|[^q]ua(?!r)|[^aeiou]eo|uou|ying|[aeiouy]ing$|ism$|eate|iet|creat|"
    r"[aeiou]y[aeiou]"
)
_JOINED = re.compile(r"(?:tio|sio|cia|tia|cio|gio|scio)")
_KNOWN = {
    "business": 2, "every": 2, "everyone": 3, "everybody": 4, "people": 2, "customer": 3, "customers": 3,
    "revenue": 3, "area": 3, "idea": 3, "ideas": 3, "being": 2, "does": 1, "done": 1, "gone": 1, "some": 1,
    "once": 1, "eight": 1, "whole": 1, "while": 1, "rate": 1, "recipe": 3, "maybe": 2, "something": 2,
    "sometimes": 2, "therefore": 2, "somewhere": 2, "evening": 2, "different": 3, "interest": 3, "several": 3,
    "created": 3, "quiet": 2, "client": 2, "clients": 2, "science": 2, "review": 2, "reviews": 2, "real": 2,
    "really": 2, "twelve": 1, "before": 2, "orders": 2, "promised": 2, "value": 2, "our": 2,
}  # fmt: skip


def words(text: str) -> list[str]:
    """The words of a text, as they stand between blanks; what has no letter or digit is none."""
    return [word for word in _WORD.findall(text) if _SPOKEN.search(word)]


def sentences(text: str) -> list[str]:
    """The sentences of a text: they end with . ! or ? before a blank and what is no small letter."""
    return [part for part in _END.split(text.strip()) if _SPOKEN.search(part)]


def syllables(word: str) -> int:
    """The syllables of a word as they are heard; a number counts one, as in the published formula's tools."""
    parts = [part for part in re.split(r"[-–—/]", word.lower()) if _SPOKEN.search(part)]
    if len(parts) > 1:
        return sum(map(syllables, parts))
    plain = re.sub(r"[^a-z]", "", re.sub(r"['’]s?$", "", word.lower()))
    if not plain:
        return 1 if _SPOKEN.search(word) else 0
    if plain in _KNOWN:
        return _KNOWN[plain]
    shorter = plain if _HEARD.search(plain) else _SILENT.sub("", plain)
    groups = len(_VOWELS.findall(shorter))
    split = len(_SPLIT.findall(_JOINED.sub("tyo", shorter)))
    return max(1, groups + split)


def grade(text: str) -> float:
    """The school grade at which a text can be read; -15.59 for one without words."""
    said = words(text)
    if not said:
        return -15.59
    return 0.39 * len(said) / max(1, len(sentences(text))) + 11.8 * sum(map(syllables, said)) / len(said) - 15.59
