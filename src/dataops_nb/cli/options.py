"""Options that several commands share, the types of their values, and the parser that reads them.

Usage errors are UsageError with the nearest right name. Apart from `arguments`, so that the tree of
commands there can be read in one go.
"""

from __future__ import annotations

import argparse
import datetime as dt
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from dataops_nb import __version__
from dataops_nb.errors import UsageError, did_you_mean

GRAINS = ("day", "week", "month", "quarter", "year")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
ADDRESS = re.compile(r"[^\s@,;<>?&]+@[^\s@,;<>?&]+")
# The libraries on which values, charts and execution stand.
DECISIVE = ("pandas", "duckdb", "altair", "papermill", "jupyterlab")
WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Format help so that each command stands on one line with its text, however long its name."""

    def add_argument(self, action: argparse.Action) -> None:
        """Add an option or argument; widen the first column to fit the names of commands."""
        super().add_argument(action)
        if isinstance(action.choices, dict):
            longest = max(map(len, action.choices), default=0)
            width = longest + 2 * self._indent_increment
            self._action_max_length = max(self._action_max_length, width)

    def _format_action(self, action: argparse.Action) -> str:
        """Format one option or argument; commands come in the groups in which they were added."""
        groups = getattr(action, "groups", {})
        if not groups:
            return super()._format_action(action)
        texts: list[str] = []
        indent = " " * self._current_indent
        for command in self._iter_indented_subactions(action):
            title = groups.get(command.dest)
            if title:
                blank = "\n" if texts else ""
                texts.append(f"{blank}{indent}{title}\n")
            texts.append(super()._format_action(command))
        return "".join(texts)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError and suggests the nearest right name."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", Formatter)
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the command that prints help."""
        required = "the following arguments are required: "
        if message.startswith(required):
            names = message.removeprefix(required).split(", ")
            message = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing"
        raise UsageError(f"{message}\nHelp: {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        hint = did_you_mean(str(value), action.choices)
        if not hint:
            hint = f"; choose from {', '.join(map(str, action.choices))}"
        if action.option_strings:
            self.error(f"{action.option_strings[-1]} can't be {value!r}{hint}")
        self.error(f"no command {value!r}{hint}")


class Versions(argparse.Action):
    """Print our version, then those of Python and of the libraries that decide what comes out."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        """Print one name and version a line, ours first."""
        lines = [f"dataops-nb {__version__}", f"python {platform.python_version()}"]
        for name in DECISIVE:
            try:
                lines.append(f"{name} {metadata.version(name)}")
            except metadata.PackageNotFoundError:
                lines.append(f"{name} is not installed")
        sys.stdout.write("\n".join(lines) + "\n")
        parser.exit()


class Verbs:
    """Add commands to one level of the tree, each with the options that every command has."""

    def __init__(self, parser: Parser, shared: Parser, **options: Any) -> None:
        self._shared = shared
        self._commands = parser.add_subparsers(required=True, **options)
        self._title = ""
        self._titles: dict[str, str] = {}
        vars(self._commands)["groups"] = self._titles

    def group(self, title: str) -> None:
        """Show the commands that are added from here on under `title` in the help."""
        self._title = title

    def add(self, name: str, run: str, text: str) -> Parser:
        """Add the command `name`, which calls the function `run`; `text` is its help."""
        if self._title:
            self._titles[name] = self._title
            self._title = ""
        description = f"{text[0].upper()}{text[1:]}."
        parser: Parser = self._commands.add_parser(
            name, help=text, description=description, parents=[self._shared]
        )
        parser.set_defaults(run=run, parser=parser)
        return parser

    def branch(
        self, name: str, text: str, *, title: str = "actions", metavar: str = "ACTION"
    ) -> Verbs:
        """Add the command `name` and return the level of commands below it."""
        parser = self.add(name, "", text)
        return Verbs(parser, self._shared, dest="action", title=title, metavar=metavar)


def shared_options() -> Parser:
    """Return a parser of the options of every command, before or after it.

    They have no defaults: those of the second place would replace what was given in the first.
    """
    shared = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = shared.add_argument_group("global options")
    group.add_argument(
        "-w",
        dest="workbench",
        type=Path,
        metavar="DIR",
        help="the workbench (default: this folder)",
    )
    group.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="data folder",
    )
    group.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="output folder (default: out)",
    )
    group.add_argument(
        "--json",
        action="store_true",
        help="print JSON",
    )
    group.add_argument(
        "--quiet",
        action="store_true",
        help="print errors only",
    )
    group.add_argument(
        "--no-cache",
        action="store_true",
        help="ignore cached results",
    )
    return shared


def add_flag(parser: Parser, name: str, text: str) -> None:
    """Add an option without a value."""
    parser.add_argument(name, action="store_true", help=text)


def add_metric(parser: Parser, text: str, metavar: str = "METRIC") -> None:
    """Add the argument that names a metric."""
    parser.add_argument("metric", metavar=metavar, help=text)


def add_by(parser: Parser) -> None:
    """Add `--by`, a list of dimensions."""
    parser.add_argument(
        "--by",
        action="append",
        metavar="DIM",
        help="dimension to split by; DIM,DIM to cross two",
    )


def add_as_of(parser: Parser) -> None:
    """Add `--as-of`, the last day whose rows exist."""
    parser.add_argument(
        "--as-of",
        type=day,
        metavar="D",
        help="ignore data after this day (default: today)",
    )


def add_grain(parser: Parser, otherwise: str = "week") -> None:
    """Add `--grain`, with week as its default; None where the help says `otherwise`."""
    parser.add_argument(
        "--grain",
        choices=GRAINS,
        default="week" if otherwise == "week" else None,
        metavar="G",
        help=f"{', '.join(GRAINS)} ({otherwise})",
    )


def add_day(parser: Parser, option: str, text: str, *, required: bool = False) -> None:
    """Add `--from` or `--to`, a first or last day; kept as `start` or `end`."""
    destination = "start" if option == "--from" else "end"
    parser.add_argument(
        option,
        dest=destination,
        type=day,
        required=required,
        metavar="D",
        help=text,
    )


def add_suite(parser: Parser) -> None:
    """Add the argument that names a suite."""
    parser.add_argument("suite", metavar="SUITE", help="suite in params/reports.yaml")


def add_suites(parser: Parser) -> None:
    """Add the argument that may name a suite; without it all are meant."""
    parser.add_argument(
        "suite",
        nargs="?",
        metavar="SUITE",
        help="suite in params/reports.yaml (default: all)",
    )


def add_reports(parser: Parser) -> None:
    """Add `--report`, a list of reports."""
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="ID",
        help="only this report; repeatable",
    )


def add_jobs(parser: Parser) -> None:
    """Add `--jobs`, the reports that run at a time."""
    parser.add_argument(
        "--jobs",
        type=positive,
        metavar="N",
        help="reports run at once (default: chosen for this machine)",
    )


def add_timeout(parser: Parser) -> None:
    """Add `--timeout`, in seconds for each report."""
    parser.add_argument(
        "--timeout",
        type=positive,
        default=900,
        metavar="S",
        help="time limit a report, in seconds (900)",
    )


def day(text: str) -> dt.date:
    """Return a day written like 2026-11-22."""
    mistake = argparse.ArgumentTypeError(f"{text!r} is not a date: write 2026-11-22")
    if not DAY.fullmatch(text):
        raise mistake
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise mistake from None


def address(text: str) -> str:
    """Return `text` if it is one mail address."""
    if not ADDRESS.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an email address")
    return text


def positive(text: str) -> int:
    """Return a whole number from 1 on."""
    if not WHOLE_NUMBER.fullmatch(text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} must be 1 or more")
    return int(text)


def assignment(text: str) -> tuple[str, str]:
    """Split NAME=VALUE at the first equals sign."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"write NAME=VALUE, not {text!r}")
    return name, value
