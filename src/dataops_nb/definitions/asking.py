"""Which metric is meant: by its id, its label, or words of them, as people say it in a meeting."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import UsageError

ALIKE = 0.75
MARGIN = 0.08
SHOWN = 5


def meant(definitions: Definitions, said: str) -> str:
    """The id of the metric that `said` means. Raises UsageError with the near ones where none or several may be meant."""
    if said in definitions.metrics:
        return said
    words = _words(said)
    exact = [id_ for id_ in definitions.metrics if words and words in (_words(id_), _words(definitions.label(id_)))]
    if len(exact) == 1:
        return exact[0]
    within = [id_ for id_ in definitions.metrics if words and _within(words, id_, definitions.label(id_))]
    if not exact and len(within) == 1:
        return within[0]
    near = exact or within or _near(definitions, words)
    if len(near) == 1:
        return near[0]
    listed = ", ".join(f"{id_} ({definitions.label(id_)})" for id_ in near[:SHOWN])
    what = f"{said!r} may mean {listed}" if near else f"no metric is called {said!r}"
    raise UsageError(f"{what}; dataops-nb metric list names all of them")


def _within(words: tuple[str, ...], *names: str) -> bool:
    """Whether one of the names holds all the words; words of an id and of a label do not add up to a name."""
    return any(set(words) <= set(_words(name)) for name in names)


def _near(definitions: Definitions, words: tuple[str, ...]) -> list[str]:
    """The metrics whose id or label is spelt alike, the nearest first; only one where it is clearly the nearest."""
    scores = {
        id_: max(_alike(words, _words(name)) for name in (id_, definitions.label(id_))) for id_ in definitions.metrics
    }
    best = sorted((id_ for id_, score in scores.items() if score >= ALIKE), key=lambda id_: -scores[id_])
    clear = len(best) > 1 and scores[best[0]] - scores[best[1]] >= MARGIN
    return best[:1] if clear else best


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    return SequenceMatcher(None, " ".join(one), " ".join(other)).ratio()


def _words(text: str) -> tuple[str, ...]:
    """The words of a name in small letters, each without the s of its plural."""
    return tuple(re.sub(r"(?<=\w{3})(?<!s)s$", "", word) for word in re.findall(r"[^\W_]+", text.casefold()))
