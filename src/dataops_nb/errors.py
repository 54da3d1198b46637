"""One family of errors. Each says what a person can do next, and carries the exit code of the command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like `name`, or an empty string where none does."""
    folded = {str(k).casefold(): str(k) for k in known}
    hits = get_close_matches(str(name).casefold(), list(folded), n=1, cutoff=0.6)
    return folded[hits[0]] if hits else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest known name, or an empty string."""
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else ""


def first_line(name: str, message: str) -> str:
    """`ValueError: what was wrong`: the first line of a message, with the next one where it is an indented detail."""
    lines = message.splitlines() or [""]
    detail = f": {lines[1].strip()}" if len(lines) > 1 and lines[1].startswith("  ") else ""
    return f"{name}: {lines[0].strip()}{detail}".removesuffix(": ")


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake in the company's files: where it stands and what is wrong with it."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: {self.key}: {self.message}"
            if self.key
            else f"{self.file}:{self.line}: {self.message}"
        )


@dataclass(frozen=True)
class Fault:
    """One fault in the data: source, file, physical line (the header is 1) or sheet row, column, value and the broken rule.

    In a database `file` is the table, and `key` says which row it is.
    """

    source: str
    rule: str
    file: str = ""
    row: int | None = None
    column: str = ""
    value: str | None = None
    key: str = ""

    def __str__(self) -> str:
        place = self.file or self.source
        if self.row is not None:
            place += f":{self.row}"
        what = [f"source {self.source}"]
        if self.column:
            what.append(f"column {self.column}")
        if self.value is not None:
            shown = self.value if len(self.value) <= 80 else self.value[:77] + "..."
            what.append(f"value {shown!r}")
        if self.key:
            what.append(f"row {self.key}")
        return f"{place}: {', '.join(what)}: {self.rule}"


class DataopsError(Exception):
    """The base of all errors that the package raises on purpose."""

    exit_code = 1


class ReportError(DataopsError):
    """A report failed, or a page was refused."""

    exit_code = 1


class UsageError(DataopsError):
    """The command, a parameter or an argument is wrong."""

    exit_code = 2


class DefinitionsError(UsageError):
    """The company's files hold mistakes; all of them are listed."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes))
        count = len(self.mistakes)
        head = f"{count} {'mistake' if count == 1 else 'mistakes'} in the definitions"
        super().__init__("\n".join([head, *(f"  {m}" for m in self.mistakes)]))


class DataError(DataopsError):
    """The data cannot be used as declared; every fault is listed."""

    exit_code = 3

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(dict.fromkeys(faults))
        count = len(self.faults)
        head = f"{count} {'fault' if count == 1 else 'faults'} in the data"
        super().__init__("\n".join([head, *(f"  {f}" for f in self.faults)]))


class TimedOutError(DataopsError):
    """A report ran longer than it may."""

    exit_code = 5


class KilledError(DataopsError):
    """A report's process was killed or ran out of memory."""

    exit_code = 6


class PublishError(DataopsError):
    """The output could not be written or published."""

    exit_code = 7


class LockedError(DataopsError):
    """Another run holds the output folder."""

    exit_code = 8
