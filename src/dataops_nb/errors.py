"""One family of errors: each says what a person can do next, and has the command's exit code.

Mistakes are in the company's files, faults in its data; an error lists all of them at once, each
with the place to look at. Names that are wrong are answered with the nearest right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

LONGEST_VALUE = 80  # characters of a faulty value that a message shows


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that looks most like `name`, or an empty string if none does."""
    names = {str(known_name).casefold(): str(known_name) for known_name in known}
    matches = get_close_matches(str(name).casefold(), list(names), n=1, cutoff=0.6)
    return names[matches[0]] if matches else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known name, or an empty string."""
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else ""


def printable(name: str) -> str:
    """Return a file's name with its bytes that are no UTF-8 written as `\\xff`.

    A name that comes back as it was can be printed, and given to any library.
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def say_invalid(what: str, errors: Sequence[Mapping[str, Any]], fields: Iterable[str]) -> str:
    """Put the first of pydantic's errors about a model's arguments into words.

    `what` is the model, `fields` are its fields. A wrong word comes with the nearest right one.
    """
    first = errors[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{what} takes no {name!r}{did_you_mean(name, fields)}; it takes {', '.join(fields)}"
    value = first["input"]
    if first["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", str(first["ctx"]["expected"]))
        near = did_you_mean(str(value), known)
        return f"{what}: {name} {value!r} is unknown{near}; it is one of {', '.join(known)}"
    message = str(first["msg"]).removeprefix("Value error, ")
    return f"{what}: {name} {value!r}: {message}"


def first_line(name: str, message: str) -> str:
    """Return `ValueError: what was wrong`: an error's name and the first line of its message.

    The second line is added if it is an indented detail.
    """
    first, *others = message.splitlines() or [""]
    line = f"{name}: {first.strip()}"
    if others and others[0].startswith("  "):
        line += f": {others[0].strip()}"
    return line.removesuffix(": ")


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake in the company's files: where it stands and what is wrong with it."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}"
        if self.key:
            place += f": {self.key}"
        return f"{place}: {self.message}"


@dataclass(frozen=True)
class Fault:
    """One fault in the data: where it stands, the value and the rule that it breaks.

    `row` is the line of the file (the header is 1) or the row of the sheet. In a database `file` is
    the table, and `key` says which row it is.
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
        details = [f"source {self.source}"]
        if self.column:
            details.append(f"column {self.column}")
        if self.value is not None:
            shown = self.value
            if len(shown) > LONGEST_VALUE:
                shown = shown[: LONGEST_VALUE - 3] + "..."
            details.append(f"value {shown!r}")
        if self.key:
            details.append(f"row {self.key}")
        return f"{place}: {', '.join(details)}: {self.rule}"


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
        super().__init__(_listed("mistake", "in the definitions", self.mistakes))


class DataError(DataopsError):
    """The data cannot be used as declared; every fault is listed."""

    exit_code = 3

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(dict.fromkeys(faults))
        super().__init__(_listed("fault", "in the data", self.faults))


def _listed(noun: str, place: str, entries: Sequence[object]) -> str:
    """Return how many there are, and each on a line of its own."""
    plural = "" if len(entries) == 1 else "s"
    lines = [f"{len(entries)} {noun}{plural} {place}"]
    lines += [f"  {entry}" for entry in entries]
    return "\n".join(lines)


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
