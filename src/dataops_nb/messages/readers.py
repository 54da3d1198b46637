"""Readers: who reads which variant. Chance decides, in blocks; a number tells nobody which one it belongs to.

Nobody can choose: an answer counts only from a number that was given out, about the variant that this number was given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from random import Random

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read for another one
LENGTH = 6


def numbered(name: str, seed: int, variants: Sequence[str], each: int) -> dict[str, str]:
    """`{reader: variant}`, `each` readers of each variant, in the order in which they are invited.

    Blocks hold every variant once or twice, so that the variants stay even whenever the trial ends, and the last of a block
    cannot be foretold. The same name and seed give the same readers; more of them come behind.
    """
    rng = Random(f"{name}:{seed}")  # noqa: S311  the seed is the secret
    found: dict[str, str] = {}
    while len(found) < each * len(variants):
        block = list(variants) * rng.choice((1, 2))
        rng.shuffle(block)
        for variant in block:
            found[_number(rng, found)] = variant
    return _even(found, variants, each)


def _number(rng: Random, taken: Collection[str]) -> str:
    number = "".join(rng.choices(LETTERS, k=LENGTH))
    return _number(rng, taken) if number in taken else number


def _even(found: Mapping[str, str], variants: Sequence[str], each: int) -> dict[str, str]:
    """The first `each` readers of each variant: the last block may have been longer than was needed."""
    left = dict.fromkeys(variants, each)
    kept = {}
    for reader, variant in found.items():
        if left[variant]:
            left[variant] -= 1
            kept[reader] = variant
    return kept
