"""Run `dataops-nb verify`: check that pages are as they were published, and agree with their facts.

Apart from the other commands about reports, which do not wait for what reads a page.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from dataops_nb import cli
from dataops_nb.errors import UsageError
from dataops_nb.reports.pages import seals

REFUSED = 1
PAGE = (
    "the page it was made from "
    "(index.html, manager.html or analyst.html in the folder of its report and period)"
)
# What to check instead of a file that is no page, by its suffix.
OTHERS = {
    ".eml": (f"is an email: verify {PAGE}, or save its attachment first"),
    ".pdf": f"a PDF can't be verified: verify {PAGE}",
    ".ipynb": f"is a notebook: verify {PAGE}",
    ".json": "is a data file: verify the page next to it",
    ".csv": "is a data file: verify the page next to it",
    ".zip": "is a zip: unpack it and verify its pages",
}


def run_verify(args: Namespace) -> int:
    """Print a line for each page that agrees with its facts, and for each problem of another.

    Return 1 if there is a problem.
    """
    problems_by_page = {path: _problems(path) for path in args.pages}
    if args.json:
        pages = []
        for path, problems in problems_by_page.items():
            pages.append(_page_document(path, problems))
        cli.document({"pages": pages})
    else:
        for path, problems in problems_by_page.items():
            for problem in problems:
                print(f"{path}: {problem}", file=sys.stderr)
            if not problems and not args.quiet:
                cli.show(f"{path}: {_sound(path)}")
    if any(problems_by_page.values()):
        return REFUSED
    return 0


def _page_document(path: Path, problems: list[seals.Problem]) -> dict[str, Any]:
    documents = []
    for problem in problems:
        documents.append({"sentence": problem.sentence, "problem": problem.problem})
    return {"page": str(path), "ok": not problems, "problems": documents}


def _sound(path: Path) -> str:
    """Say what was checked of a page without a problem; an older version sealed less of it."""
    if seals.is_older(_text(path)):
        return f"its sentences agree with its facts ({seals.OLDER}: nothing else was checked)"
    return "unchanged since it was published"


def _problems(path: Path) -> list[seals.Problem]:
    """Return what is wrong with one file; a file that is no page is one problem.

    Raises UsageError for a missing file and for a folder.
    """
    suffix = path.suffix.lower()
    if suffix in OTHERS and path.is_file():
        return [seals.Problem("", OTHERS[suffix])]
    try:
        return seals.page(_text(path))
    except FileNotFoundError as error:
        raise UsageError(f"no page {path}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a folder: name a page in it") from error
    except UnicodeDecodeError:
        return [seals.Problem("", "is not a page (not UTF-8)")]


def _text(path: Path) -> str:
    """Return a page byte for byte, with its line ends and a mark at its start."""
    return path.read_bytes().decode("utf-8")
