"""The state of a source: one hash of all that what it says depends on, so that what was computed before can be known again.

It holds the content of its files (by size and time, hashed when those change), a database's watermark, its definition and
what is asked of it, the same of every source that it stands on or refers to, the rates, the day, the time zone, and the
versions of this package and of DuckDB. Where one of these cannot be told there is no state, and nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from dataops_nb import __version__
from dataops_nb.definitions.models import Source
from dataops_nb.errors import DataError
from dataops_nb.sources.files import find_files
from dataops_nb.sources.identity import Identity, identify
from dataops_nb.sources.keeping import Kept
from dataops_nb.sources.needs import Need

if TYPE_CHECKING:
    from dataops_nb.sources.loading import Shelf

UNSTEADY = re.compile(
    r"\b(current_date|current_time|current_timestamp|localtime|localtimestamp)\b|"
    r"\b(now|today|get_current_\w+|transaction_timestamp|random|setseed|uuid|gen_random_uuid|uuidv[47]|nextval)\s*\(",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class State:
    """The hash, and the files it was made from, as they were."""

    key: str
    files: tuple[tuple[Path, Identity], ...]

    def still_holds(self) -> bool:
        """Whether no file has changed since."""
        try:
            return all((s := path.stat()) and (s.st_size, s.st_mtime_ns) == (i.size, i.mtime) for path, i in self.files)
        except OSError:
            return False


def find_state(shelf: Shelf, kept: Kept, name: str, known: dict[str, Identity]) -> State | None:
    """The state of a source now; None where it cannot be told. `known` are the identities of files, which grow."""
    files: dict[Path, Identity] = {}
    parts: dict[str, Any] = {}
    for each in around(shelf, name):
        content = _content(shelf, kept, each, known, files)
        if content is None or UNSTEADY.search(shelf.sources[each].query or ""):
            return None
        parts[each] = [_definition(shelf.sources[each]), _asked(shelf.needs[each]), content]
    rates = shelf.rates.model_dump_json() if shelf.rates else ""
    whole = [software(), duckdb.__version__, shelf.as_of.isoformat(), shelf.zone, rates, name, parts]
    return State(digest(json.dumps(whole, sort_keys=True)), tuple(files.items()))


def around(shelf: Shelf, name: str) -> list[str]:
    """A source, those it stands on, those it refers to, the rates it needs, and so on for each of them."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each in found or each not in shelf.sources:
            continue
        found[each] = None
        waiting += shelf.queries[each].sources if each in shelf.queries else ()
        waiting += [
            (c.references or "").partition(".")[0] for c in shelf.sources[each].columns.values() if c.references
        ]
        if shelf.rates and shelf.needs[each].currencies:
            waiting.append(shelf.rates.source)
    return sorted(found)


def _content(
    shelf: Shelf, kept: Kept, name: str, known: dict[str, Identity], files: dict[Path, Identity]
) -> list[str] | None:
    """What a source's rows are made from: its files' names and hashes, or a database's watermark; empty for a `query:`."""
    source = shelf.sources[name]
    try:
        if source.url:
            mark = shelf.watermark(name)
            return None if mark is None else [mark]
        if name in shelf.queries:
            return []
        said = []
        for file in find_files(source.path or "", shelf.data, shelf.as_of).files:
            found = identify(file.path, known)
            if found is not known.get(str(file.path)):
                known[str(file.path)] = found
                kept.put_identity(str(file.path), found)
            files[file.path] = found
            said += [file.shown, found.sha256]
    except (DataError, OSError, ValueError):
        return None
    return said or None


def _definition(source: Source) -> str:
    return source.model_dump_json(exclude={"system", "owner"})


def _asked(need: Need) -> list[Any]:
    named = [sorted(need.columns), sorted(need.numbers), sorted(need.times), need.used_times]
    return [*named, need.currencies, need.holds_targets]


def digest(*parts: str) -> str:
    """A hash of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def digest_frames(frames: dict[str, pd.DataFrame]) -> str:
    """A hash of tables' content and types, by name."""
    found = hashlib.sha256()
    for name, frame in sorted(frames.items()):
        found.update(f"{name} {dict(frame.dtypes)} {len(frame)}".encode())
        found.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return found.hexdigest()


def is_steady(written: str) -> bool:
    """Whether a query says the same whenever it is asked."""
    return not UNSTEADY.search(written)


@cache
def software() -> str:
    """This package's version, and when the code that reads and aggregates was last changed."""
    home = Path(__file__).parents[1]
    folders: Iterable[str] = ("sources", "alignment", "periods", "reconciliation", "definitions")
    files = (path for folder in folders for path in sorted((home / folder).rglob("*.py")))
    return digest(__version__, *(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files))
