"""Whether an input has changed: THE answer for csv and other files, databases, metrics, our code.

A fingerprint is equal for as long as the thing is: what was computed from it can be used again.
The content of a file is hashed once for each size and time. Only a file that was written less than
two seconds before its hash is read again, because its time may stand still while it changes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_nb import __version__, plain
from dataops_nb.company import Rates
from dataops_nb.definitions.models import Definitions, Source
from dataops_nb.definitions.sql import sources_behind
from dataops_nb.errors import DataError
from dataops_nb.metrics import MetricBase, Simple
from dataops_nb.sources.files import find_files

if TYPE_CHECKING:
    from dataops_nb.sources.cache import Store
    from dataops_nb.sources.needs import Need


SETTLED = 2_000_000_000  # nanoseconds after which a file's time tells a later change
AGREEMENTS = frozenset({"system", "owner", "on_fault", "rows", "columns"})
LIBRARIES = ("altair", "duckdb", "pandas", "vl-convert-python")
CODE = frozenset({".py", ".css", ".js", ".j2"})
UNSTEADY = re.compile(
    r"\b(current_date|current_time|current_timestamp|localtime|localtimestamp)\b"
    r"|\b(now|today|get_current_\w+|transaction_timestamp|random|setseed|uuid|gen_random_uuid"
    r"|uuidv[47]|nextval)\s*\(",
    re.IGNORECASE,
)
TEXTS = frozenset({".csv", ".tsv", ".txt"})
BLOCK = 1 << 20
FULL_LENGTH = 64  # hex digits of a digest that nobody reads


# --- files ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileFingerprint:
    """A file's size in bytes, time of last change, SHA-256, and number of rows where it is known.

    `mtime` is in nanoseconds, as is `seen`, the moment the content was hashed less two seconds.
    """

    size: int
    mtime: int
    seen: int
    sha256: str
    rows: int | None = None

    def fits(self, stat: os.stat_result) -> bool:
        """Whether a file has this size and time."""
        return (self.size, self.mtime) == (stat.st_size, stat.st_mtime_ns)


def of_file(path: Path, store: Store) -> FileFingerprint:
    """Return the fingerprint of a file; it is read only where `store` does not know it.

    Raises OSError where it cannot be read.
    """
    stat = path.stat()
    known = store.file(str(path))
    if known is not None and known.fits(stat) and stat.st_mtime_ns < known.seen:
        return known
    fingerprint = _read_file(path, stat)
    store.keep_file(str(path), fingerprint)
    return fingerprint


def _read_file(path: Path, stat: os.stat_result) -> FileFingerprint:
    content = hashlib.sha256()
    suffix = path.suffix.lower()
    lines = _LineCount()
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            content.update(block)
            if suffix in TEXTS:
                lines.add(block)
    rows = None
    if suffix in TEXTS:
        rows = lines.rows()
    elif suffix == ".parquet":
        rows = _parquet_rows(path)
    seen = time.time_ns() - SETTLED
    return FileFingerprint(stat.st_size, stat.st_mtime_ns, seen, content.hexdigest(), rows)


class _LineCount:
    """Counts the lines of a text file, block by block; a line break within quotes ends no line."""

    def __init__(self) -> None:
        self._newlines = 0
        self._quotes = 0
        self._last = b"\n"
        self._binary = False

    def add(self, block: bytes) -> None:
        """Count one more block."""
        self._binary = self._binary or b"\0" in block
        parts = block.split(b'"')
        outside = parts[self._quotes % 2 :: 2]
        self._newlines += sum(part.count(b"\n") for part in outside)
        self._quotes += len(parts) - 1
        self._last = block[-1:]

    def rows(self) -> int | None:
        """Return the number of lines below the header; None for what is no text."""
        if self._binary:
            return None
        lines = self._newlines + (self._last != b"\n")
        return max(lines - 1, 0)


def _parquet_rows(path: Path) -> int | None:
    from pyarrow import parquet  # noqa: PLC0415  heavy, and only needed where a file has changed

    try:
        return int(parquet.read_metadata(path).num_rows)
    except (OSError, ValueError):
        return None


# --- sources -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SourceFingerprint:
    """One hash of everything a source's rows depend on, and the files that went into it."""

    key: str
    files: tuple[tuple[Path, FileFingerprint], ...]

    def still_holds(self) -> bool:
        """Whether no file has changed since."""
        try:
            return all(fingerprint.fits(path.stat()) for path, fingerprint in self.files)
        except OSError:
            return False


@dataclass(frozen=True)
class Origins:
    """Where the sources of a company come from, as of one day.

    `reads` names the sources that each `query:` reads, `watermark` asks a database for the value of
    a source's `watermark:`, `store` knows the files of earlier runs.
    """

    sources: Mapping[str, Source]
    needs: Mapping[str, Need]
    reads: Mapping[str, tuple[str, ...]]
    rates: Rates | None
    data: Path
    as_of: dt.date
    zone: str
    watermark: Callable[[str], str | None]
    store: Store


def of_source(name: str, origins: Origins) -> SourceFingerprint | None:
    """Return the fingerprint of a source with everything it depends on.

    That is the content of its files or its database's watermark, its definition and what is needed
    of it, the same of every source it reads or refers to, the rates, the day, the time zone and our
    code. Returns None where one of these is unknown.
    """
    files: dict[Path, FileFingerprint] = {}
    parts: dict[str, Any] = {}
    for other in sources_around(name, origins):
        source = origins.sources[other]
        content = _content(other, origins, files)
        if content is None or not is_steady(source.query or ""):
            return None
        definition = source.model_dump_json(exclude={"system", "owner"})
        parts[other] = [definition, _list_needs(origins.needs[other]), content]
    rates = origins.rates.model_dump_json() if origins.rates else ""
    depends_on = [of_code(), origins.as_of, origins.zone, rates, name, parts]
    return SourceFingerprint(plain.digest(depends_on, FULL_LENGTH), tuple(files.items()))


def of_database(name: str, origins: Origins) -> str | None:
    """Return the watermark of a source's database now; None where it tells nothing of changes.

    Raises DataError where the database cannot be asked.
    """
    return origins.watermark(name)


def sources_around(name: str, origins: Origins) -> list[str]:
    """List a source with those it reads, refers to or converts by, and so on, by name."""
    around: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in around or current not in origins.sources:
            continue
        around.add(current)
        waiting += origins.reads.get(current, ())
        for column in origins.sources[current].columns.values():
            if column.references:
                waiting.append(column.references.partition(".")[0])
        if origins.rates and origins.needs[current].currencies:
            waiting.append(origins.rates.source)
    return sorted(around)


def is_steady(query: str) -> bool:
    """Whether a query gives the same result whenever it is asked of the same rows."""
    return not UNSTEADY.search(query)


def _content(
    name: str, origins: Origins, files: dict[Path, FileFingerprint]
) -> list[str | None] | None:
    """Return what a source's rows are made from; empty for a `query:`, None where it is unknown.

    For files these are names and hashes, and they are added to `files`.
    """
    source = origins.sources[name]
    if name in origins.reads:
        return []
    try:
        if source.url:
            mark = of_database(name, origins)
            return None if mark is None else [mark]
        content: list[str | None] = []
        matched = find_files(source.path or "", origins.data, origins.as_of)
        if matched.wrong:
            return None  # a fault, which must be told again in every run
        for file in matched.files:
            fingerprint = of_file(file.path, origins.store)
            files[file.path] = fingerprint
            content += [file.shown, fingerprint.sha256]
        for names in matched.again:
            content += names
    except (DataError, OSError, ValueError):
        return None
    return content or None


def _list_needs(need: Need) -> list[Any]:
    """Return what is needed of a source as plain values."""
    columns, numbers, times = sorted(need.columns), sorted(need.numbers), sorted(need.times)
    return [columns, numbers, times, need.used_times, need.currencies, need.holds_targets]


# --- metrics -------------------------------------------------------------------------------------


def of_metric(definitions: Definitions, metric: str) -> str:
    """Return 12 hex digits of everything a metric's value is computed from but the rows.

    That is its formula, the metrics and sources below it, and the calendar. Labels, targets,
    lights and agreements about columns do not count, nor does a default that is written out: a
    value that changed because its formula did is another story than one whose rows came late.
    """
    company = definitions.company
    metrics = {name: definitions.metrics[name] for name in definitions.upstream([metric])}
    measures = [part.measure for part in metrics.values() if isinstance(part, Simple)]
    named = [measure.source for measure in measures]
    counted = {"timezone", "calendar"}
    if company.rates and any(measure.currency for measure in measures):
        named.append(company.rates.source)
        counted |= {"currency", "rates"}
    formulas = {}
    for name, part in metrics.items():
        own_fields = type(part).model_fields.keys() - MetricBase.model_fields.keys()
        formulas[name] = _written(part, own_fields)
    behind = sources_behind(company.sources, named)
    sources = {name: _source_as_read(company.sources[name]) for name in behind}
    return plain.digest(
        {"metrics": formulas, "sources": sources, "company": _written(company, counted)}
    )


def _source_as_read(source: Source) -> dict[str, Any]:
    """Return what of a source's definition decides on its rows."""
    columns = {}
    for name, column in source.columns.items():
        read = _written(column, {"type", "map"})
        if read:
            columns[name] = read
    fields = Source.model_fields.keys() - AGREEMENTS
    return _written(source, fields) | {"columns": columns}


def _written(model: Any, fields: Iterable[str]) -> dict[str, Any]:
    """Return these fields of a model as they would be written, without defaults."""
    written: dict[str, Any] = model.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, include=set(fields)
    )
    return written


# --- code ----------------------------------------------------------------------------------------


@cache
def of_code() -> str:
    """Return 12 hex digits of this package's files and the libraries that compute and draw."""
    content = hashlib.sha256(__version__.encode())
    home = str(Path(__file__).parents[1])
    for path in _code_files(home):
        content.update(path.removeprefix(home).encode())
        with open(path, "rb") as handle:  # a Path for each file would take twice the time
            content.update(handle.read())
    for name in LIBRARIES:
        content.update(f"{name} {_version(name)}".encode())
    return content.hexdigest()[: plain.DIGEST_LENGTH]


def _code_files(home: str) -> list[str]:
    paths = []
    for folder, folders, names in os.walk(home):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            if os.path.splitext(name)[1] in CODE:
                paths.append(os.path.join(folder, name))
    return sorted(paths)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
