"""Run the command `dataops-nb`: parse its arguments, and call the function that they name.

The commands share what is here: the workbench that their options name, and their output on stdout,
which is text, a table for people, or one JSON document for programs. The module of a command is
imported when it runs, and a workbench when it is opened, so `--help` and usage errors answer at
once and files alone need no pandas.
"""

from __future__ import annotations

import gc
import json
import math
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dataops_nb.cli import answers, arguments
from dataops_nb.cli.answers import Answer
from dataops_nb.cli.terminal import folded, mark, painted, table, width
from dataops_nb.errors import DataopsError, UsageError

if TYPE_CHECKING:
    from dataops_nb.definitions.models import Definitions
    from dataops_nb.terms import Grain
    from dataops_nb.workbench import Workbench

__all__ = [
    "main",
    "mark",
    "table",
    "width",
]


FAILED = 1
KILLED = 6
DISK = 7
SIGNALLED = 128
INTERRUPTED = 130
SCHEMA_VERSION = 1
SELDOM = 100_000  # objects that are made before garbage is looked for


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` defaults to the arguments of this process.

    0 ok, 1 a report failed, 2 usage or definitions, 3 data, 4 `--fail-on` met, 5 timed out, 6
    killed, 7 disk or publish, 8 locked, 130 interrupted, 143 ended. Data go to stdout, everything
    else to stderr.
    """
    if argv is None:
        argv = sys.argv[1:]
        # This process ends with its command: what becomes garbage meanwhile is little.
        gc.set_threshold(SELDOM, 20, 20)
    _replace_closed_streams()
    try:
        return _run(argv)
    except SystemExit as error:
        # --help and --version end this way, and a refresh that a signal has ended.
        code = int(error.code or 0)
        if code > SIGNALLED:
            signal_name = signal.Signals(code - SIGNALLED).name
            print_error(f"stopped by {signal_name}")
        return code
    except KeyboardInterrupt as error:
        message = "interrupted"
        if str(error):
            message += f"; {error}"
        print_error(message)
        return INTERRUPTED
    except Exception as error:
        message, code = _failure(error)
        print_error(message)
        return code


def _run(argv: Sequence[str]) -> int:
    args = arguments.parse(argv)
    module_name, function_name = args.run.split(":")
    with _cache_setting(args):
        answer = Answer.of(args)
        kept = answer.kept() if answer else None
        if kept is not None:
            for text in kept:
                write(text)
            return 0
        module = _import_quickly(f"dataops_nb.cli.{module_name}")
        function = getattr(module, function_name)
        with answers.telling(answer):
            return int(function(args))


def _replace_closed_streams() -> None:
    """Let what is written to a closed stdout or stderr go nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            # Stays open as long as this process runs.
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, nowhere)


def _import_quickly(module_name: str) -> ModuleType:
    """Import a module with the garbage collector off: imports leave no garbage to look for."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return import_module(module_name)
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _cache_setting(args: Namespace) -> Iterator[None]:
    """Apply `--no-cache` to this process and those it starts."""
    earlier_value = os.environ.get("DATAOPS_NO_CACHE")
    if args.no_cache:
        os.environ["DATAOPS_NO_CACHE"] = "1"
    try:
        yield
    finally:
        if args.no_cache and earlier_value is None:
            del os.environ["DATAOPS_NO_CACHE"]


def _failure(error: Exception) -> tuple[str, int]:
    """Return the message and the exit code of an error.

    An error of our own code is told in one line; `DATAOPS_TRACEBACK=1` raises it instead.
    """
    if isinstance(error, DataopsError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        if error.filename and error.strerror:
            return f"{error.filename}: {error.strerror}", DISK
        return str(error), DISK
    if isinstance(error, MemoryError):
        return "out of memory", KILLED
    if os.environ.get("DATAOPS_TRACEBACK"):
        raise error
    text = " ".join(str(error).split())
    return (
        f"bug in dataops-nb: {type(error).__name__}: {text}. "
        "Please report it with DATAOPS_TRACEBACK=1"
    ), FAILED


def print_error(message: str) -> None:
    """Print a message to stderr, with the name of the program; it is said anew each time."""
    answers.spoil()
    print(f"dataops-nb: {message}", file=sys.stderr)


def write(text: str) -> None:
    """Print `text`; a closed pipe changes neither the work nor its exit code."""
    answers.note(text)
    encoding = sys.stdout.encoding or "utf-8"
    printable = text.encode(encoding, "replace").decode(encoding)
    try:
        sys.stdout.write(printable + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


def show(text: str) -> None:
    """Print what people read: on a terminal in its width, with the lights in colour."""
    write(painted(folded(text)))


def document(content: Mapping[str, Any]) -> None:
    """Print one JSON document; missing numbers are null, days are written like 2026-11-22."""
    finite = _finite({"schema_version": SCHEMA_VERSION, **content})
    text = json.dumps(finite, ensure_ascii=False, allow_nan=False, indent=2, default=str)
    write(text)


def _finite(value: Any) -> Any:
    """Replace NaN and infinite numbers by None, at any depth."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def find(args: Namespace) -> Workbench:
    """Open the workbench of -w, --data and --out.

    Raises UsageError where there is none, DefinitionsError for mistakes in its files.
    """
    from dataops_nb import workbench  # noqa: PLC0415

    return workbench.open(
        args.workbench,
        data=args.data,
        out=args.out,
        whatif=getattr(args, "whatif", None),
    )


def require_order(args: Namespace) -> None:
    """Raise UsageError if `--from` is after `--to`."""
    if args.start and args.end and args.start > args.end:
        raise UsageError(f"--from {args.start} is later than --to {args.end}")


def definitions(args: Namespace) -> Definitions:
    """Load the company's definitions.

    Reads data only where a department has `metrics_from`, whose metrics come from rows.
    """
    bench = find(args)
    declared = bench.definitions
    departments = declared.departments.values()
    if not any(department.metrics_from for department in departments):
        return declared
    # Only tables of indicators need the engine.
    from dataops_nb import sources, workbench  # noqa: PLC0415

    workbench.ensure_data(bench)
    as_of = workbench.as_of(bench, None)
    with sources.open(declared, bench.data, as_of, keep=bench.cache) as catalog:
        return catalog.company


def usual_grain(grains: Sequence[Grain]) -> Grain:
    """Return week for a metric that has weeks, else its first grain."""
    if "week" in grains:
        return "week"
    return grains[0]
