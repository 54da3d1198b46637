"""Which of two messages is understood better, by exact methods: no normal approximation, no library.

Fisher's exact test (two-sided, the tables that are no likelier), P(B > A) of two beta-binomials with uniform priors, the exact
power of Fisher's test, and Cohen's kappa (Educational and Psychological Measurement 20, 1960).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

ALPHA = 0.05
POWER = 0.8
MOST = 2000
_TIES = 1 + 1e-9


def fisher(a: tuple[int, int], b: tuple[int, int]) -> float:
    """The two-sided p of two rows of (right, wrong): how often chance alone divides them as unevenly or more."""
    rights = a[0] + b[0]
    return _p_values(sum(a), sum(b), rights)[a[0] - max(0, rights - sum(b))]


@lru_cache(maxsize=4096)
def _p_values(first: int, second: int, rights: int) -> tuple[float, ...]:
    """The p of every table with these margins, from the fewest right in the first row to the most."""
    span = range(max(0, rights - second), min(first, rights) + 1)
    ways = [math.comb(first, k) * math.comb(second, rights - k) for k in span]
    whole = sum(ways)
    return tuple(sum(other for other in ways if other <= own * _TIES) / whole for own in ways)


def better(a: tuple[int, int], b: tuple[int, int]) -> float:
    """P(B > A): the chance that the share of right answers is larger for the second row of (right, wrong)."""
    ra, wa, rb, wb = a[0] + 1, a[1] + 1, b[0] + 1, b[1] + 1
    terms = (_beta(ra + i, wa + wb) - math.log(wb + i) - _beta(1 + i, wb) - _beta(ra, wa) for i in range(rb))
    return min(1.0, math.fsum(map(math.exp, terms)))


def _beta(x: float, y: float) -> float:
    return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)


def power(a: float, b: float, readers: int, alpha: float = ALPHA) -> float:
    """The chance that Fisher's test finds the difference between true shares with so many readers of each message."""
    first, second = ([_binomial(k, readers, share) for k in range(readers + 1)] for share in (a, b))
    total = 0.0
    for rights in range(2 * readers + 1):
        low = max(0, rights - readers)
        for place, p in enumerate(_p_values(readers, readers, rights)):
            if p <= alpha:
                total += first[low + place] * second[rights - low - place]
    return min(1.0, total)


def _binomial(k: int, n: int, share: float) -> float:
    return math.comb(n, k) * share**k * (1 - share) ** (n - k)


@lru_cache(maxsize=64)
def readers_needed(a: float, b: float, wanted: float = POWER, alpha: float = ALPHA) -> int | None:
    """The fewest readers of each message with which a difference is found so often; None above 2,000."""
    low, high = 1, 2
    while power(a, b, high, alpha) < wanted:
        low, high = high, high * 2
        if high > MOST:
            return None
    return next(n for n in range(low, high + 1) if power(a, b, n, alpha) >= wanted)


def kappa(pairs: Iterable[Sequence[str]]) -> float:
    """Cohen's kappa of pairs of words: agreement beyond chance; NaN for no pairs, or where both always say the same word."""
    both = list(pairs)
    if not both:
        return math.nan
    ours, theirs = (Counter(pair[side] for pair in both) for side in (0, 1))
    seen = sum(one == other for one, other in both) / len(both)
    chance = sum(count * theirs[word] for word, count in ours.items()) / len(both) ** 2
    return math.nan if chance == 1 else (seen - chance) / (1 - chance)
