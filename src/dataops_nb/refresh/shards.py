"""A suite shared out between several refreshes, for schedulers that start many at once: each takes every N-th report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from dataops_nb.errors import UsageError

T = TypeVar("T")


def pick(items: Sequence[T], shard: str) -> list[T]:
    """The items of one shard: 2/4 takes the second of four parts; all of them where no shard is named.

    UsageError where `shard` is not I/N with I from 1 to N.
    """
    if not shard:
        return list(items)
    found = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", shard)
    if found is None or int(found[1]) > int(found[2]):
        raise UsageError(f"{shard!r} is no shard; write 2/4 for the second of four")
    return list(items)[int(found[1]) - 1 :: int(found[2])]
