"""The command `dataops-nb`: it parses, calls one function of the package a verb, and prints what that returns.

What a verb needs is imported when the verb runs, so that `--help` and a mistyped option answer at once.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from dataops_nb.cli import arguments
from dataops_nb.errors import DataopsError

__all__ = ["main"]

FAILED = 1
KILLED = 6
INTERRUPTED = 130
SIGNALLED = 128
DISK = 7


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` defaults to the process's own arguments.

    0 ok, 1 a report failed, 2 usage or definitions, 3 data, 4 `--fail-on` met, 5 timed out, 6 killed,
    7 disk or publish, 8 locked, 130 interrupted, 143 ended. Data go to stdout, everything else to stderr.
    """
    for name in ("stdout", "stderr"):  # somebody has closed it: what is written there goes nowhere
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  for as long as we run
    try:
        args = arguments.parse(sys.argv[1:] if argv is None else argv)
        module, function = args.run.split(":")
        with _memory(args):
            return int(getattr(_imported(f"dataops_nb.cli.{module}"), function)(args))
    except SystemExit as asked:  # --help, --version, and a refresh that was told to end
        code = int(asked.code or 0)
        return _fail(f"ended by {signal.Signals(code - SIGNALLED).name}", code) if code > SIGNALLED else code
    except DataopsError as error:
        return _fail(str(error), error.exit_code)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error), DISK)
    except KeyboardInterrupt as asked:
        return _fail(f"interrupted; {asked}" if str(asked) else "interrupted", INTERRUPTED)
    except Exception as error:
        return _admit(error)


def _imported(module: str) -> ModuleType:
    """A command's module and all that it needs. Nothing of that is garbage, so meanwhile it is not looked for."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        if collects:
            gc.enable()


@contextmanager
def _memory(args: Namespace) -> Iterator[None]:
    """With `--no-cache` this command and the processes it starts keep nothing and take nothing from earlier runs."""
    before = os.environ.get("DATAOPS_NO_CACHE")
    if args.no_cache:
        os.environ["DATAOPS_NO_CACHE"] = "1"
    try:
        yield
    finally:
        if args.no_cache and before is None:
            del os.environ["DATAOPS_NO_CACHE"]


def _admit(error: Exception) -> int:
    """One line about an error that nobody foresaw; `DATAOPS_TRACEBACK=1` raises it instead."""
    if isinstance(error, MemoryError):
        return _fail("out of memory", KILLED)
    if os.environ.get("DATAOPS_TRACEBACK"):
        raise error
    told = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return _fail(f"a mistake in dataops-nb itself, {told}; DATAOPS_TRACEBACK=1 shows where it happened", FAILED)


def _fail(message: str, code: int) -> int:
    print(f"dataops-nb: {message}", file=sys.stderr)
    return code
