"""Whether a label names several things, so that the verb after it agrees: `New customers follow`, `Churn rate follows`."""

from __future__ import annotations

import re

_AFTER_HEAD = re.compile(r"[,;:(/]|\s[-–—]\s|\b(?:of|per|by|in|on|for|from|with|within|without|to|at|until|that|who)\b")
_PARTICIPLES = {"held", "won", "lost", "sent", "sold", "met", "paid", "made", "kept", "built", "left", "done", "seen"}
_PLURAL = {"people", "women", "men", "children"}
_SINGULAR = {"news", "series", "always"}
_NO_PLURAL = ("ss", "us", "is", "'s", "’s")


def agreeing(label: str, one: str, many: str) -> str:
    """The verb's form for a label: `many` where its head noun is an English plural, else `one`."""
    return many if is_plural(label) else one


def is_plural(label: str) -> bool:
    """Whether the head noun of a label is an English plural: `Meetings held`, not `Sales pipeline` or `Share of customers`."""
    words = _AFTER_HEAD.split(label, maxsplit=1)[0].split()
    while len(words) > 1 and (words[-1].casefold() in _PARTICIPLES or words[-1].endswith("ed")):
        words.pop()
    if not words or words[-1].isupper():
        return False
    noun = words[-1].casefold()
    return noun in _PLURAL or (noun.endswith("s") and not noun.endswith(_NO_PLURAL) and noun not in _SINGULAR)
