"""Answers kept whole: a command that nothing has changed for tells what it told before.

An answer stands on files: the workbench's definitions and notebooks, the data behind its sources,
what earlier reports published, and this package. `Answer` keeps what a command printed with the
sizes and times of all of them, and gives it back while each is as it was, which takes neither
pandas nor DuckDB. What stands on anything else - a database, a query that asks for the time, a
source with a fault, a file that was written just now - is computed anew.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from dataops_nb.cli.terminal import has_colours, width

KEPT = frozenset({"status:run_status", "ask:run_ask"})
MOST = 200  # answers; those told longest ago go first
LARGEST = 8 << 20  # bytes of one
SETTLED = 2_000_000_000  # nanoseconds after which a file's time tells a later change
FOLDERS = ("params", "notebooks")
ENGINE = "duckdb"  # stands beside the other libraries
Mark = tuple[str, Any]


class Evidence(Protocol):
    """The rows that an answer was computed from: `sources.Catalog`."""

    def origins(self) -> list[Path] | None:
        """The files and folders they come from; None where there is more behind them."""


class Answer:
    """What one command prints, and what it stands on.

    `texts` are what it has printed so far, `evidence` the rows it was computed from, the company's
    time zone, and the files that were written beside it. It is not `is_sound` where something was
    said that must be said each time.
    """

    def __init__(self, args: Namespace, root: Path, out: Path) -> None:
        self._root, self._out = root, out
        self._is_dated = args.as_of is not None
        named = {name: str(value) for name, value in sorted(vars(args).items())}
        environment = {key: os.environ[key] for key in sorted(os.environ) if key[:8] == "DATAOPS_"}
        sees = [width(), has_colours(), sys.stdout.encoding]
        words = [str(Path.cwd()), str(root), str(out), named, environment, sees, sys.version]
        name = hashlib.sha256(json.dumps(words).encode()).hexdigest()[:24]
        self._path = out / "cache" / "answers" / f"{name}.json"
        self._begun = time.time_ns()
        self.texts: list[str] = []
        self.is_sound = True
        self.evidence: tuple[Evidence, str, list[Path]] | None = None

    @classmethod
    def of(cls, args: Namespace) -> Answer | None:
        """Return the answer to a command; None where it keeps none, or there is no workbench."""
        if args.run not in KEPT or os.environ.get("DATAOPS_NO_CACHE"):
            return None
        with suppress(OSError):
            start = args.workbench or os.environ.get("DATAOPS_WORKBENCH")
            places = [Path(start)] if start else [Path.cwd(), *Path.cwd().parents]
            for root in places:
                if (root / "params" / "company.yaml").is_file():
                    out = args.out or os.environ.get("DATAOPS_OUT") or root / "out"
                    return cls(args, root.absolute(), Path(out).absolute())
        return None

    def kept(self) -> list[str] | None:
        """Return what was printed, where all that it stands on is as it was; else None."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            today = str(dt.datetime.now(ZoneInfo(kept["zone"])).date())
            if not self._is_dated and kept["today"] != today:
                return None
            if kept["marks"] != [list(mark) for mark in self._marks(kept["files"], kept["pages"])]:
                return None
            os.utime(self._path)
            return [str(text) for text in kept["texts"]]
        return None

    def keep(self) -> None:
        """Keep what was printed, where it stands on files alone that nobody changes just now."""
        if self.evidence is None or not self.is_sound:
            return
        rows, zone, written = self.evidence
        origins = rows.origins()
        if origins is None:
            return
        with suppress(OSError, ValueError):
            files, pages = [str(path) for path in origins], [str(path) for path in written]
            marks = self._marks(files, pages)
            if any(_is_fresh(mark, self._begun) for mark in marks if mark[0] not in pages):
                return
            today = str(dt.datetime.now(ZoneInfo(zone)).date())
            kept = {"zone": zone, "today": today, "files": files, "pages": pages, "marks": marks}
            content = json.dumps({**kept, "texts": self.texts})
            if len(content) > LARGEST:
                return
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            staged = self._path.with_suffix(f".{os.getpid()}")
            staged.write_text(content, encoding="utf-8")
            staged.replace(self._path)
            self._prune()

    def _prune(self) -> None:
        kept = sorted(self._path.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for path in kept[:-MOST]:
            path.unlink(missing_ok=True)

    def _marks(self, files: Iterable[str], pages: Iterable[str]) -> list[Mark]:
        """Return the mark of everything that the answer stands on as it is now."""
        trees = [self._root / name for name in FOLDERS]
        trees += [self._out / "history", Path(__file__).parents[1]]
        marks: list[Mark] = [_mark(path) for path in (*files, *pages)]
        marks += [_mark(self._out / name) for name in ("index.html", "latest.json")]
        spec = find_spec(ENGINE)
        marks.append(_mark(Path(spec.origin).parents[1] if spec and spec.origin else ""))
        for tree in trees:
            marks += list(_tree(tree))
        return marks


_TELLING: ContextVar[Answer | None] = ContextVar("_TELLING", default=None)


@contextmanager
def telling(answer: Answer | None) -> Iterator[None]:
    """Keep what is printed meanwhile as an answer, unless that fails."""
    token = _TELLING.set(answer)
    try:
        yield
        if answer is not None:
            answer.keep()
    finally:
        _TELLING.reset(token)


def note(text: str) -> None:
    """Note what the command has printed."""
    answer = _TELLING.get()
    if answer is not None:
        answer.texts.append(text)


def spoil() -> None:
    """Keep nothing of what this command prints."""
    answer = _TELLING.get()
    if answer is not None:
        answer.is_sound = False


def stands_on(rows: Any, zone: str, pages: Iterable[Path] = ()) -> None:
    """Say which rows the answer is computed from, and which `pages` were written beside it."""
    answer = _TELLING.get()
    if answer is not None:
        answer.evidence = rows, zone, list(pages)


def _mark(path: Path | str) -> Mark:
    """Return a file's name with its size and times; a missing one has none."""
    try:
        stat = os.stat(path)
    except OSError:
        return str(path), None
    return str(path), [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def _tree(folder: Path) -> Iterator[Mark]:
    """Yield the marks of the files in a folder and below, in one number each for many."""
    marks = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        for name in names:
            marks.append(_mark(os.path.join(place, name)))
    newest = max((mark[1][1] for mark in marks if mark[1]), default=0)
    digest = hashlib.sha256(json.dumps(sorted(marks)).encode()).hexdigest()
    yield str(folder), [digest, newest, 0]


def _is_fresh(mark: Mark, begun: int) -> bool:
    """Tell whether a file was written so lately that its time may not tell the next change."""
    return mark[1] is not None and mark[1][1] > begun - SETTLED
