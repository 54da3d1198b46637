"""`dataops-nb verify`: whether pages that somebody sends on still say what was published, and what their facts say."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from dataops_nb.cli import output
from dataops_nb.errors import UsageError
from dataops_nb.publish import verify

REFUSED = 1
PAGE = "the page it was made from (index.html, manager.html or analyst.html in the folder of its report and period)"
OTHERS = {
    ".eml": f"is a mail, and its text carries no facts: check {PAGE}, or a page attached to it, saved as a file",
    ".pdf": f"is a print, and carries no facts: check {PAGE}",
    ".ipynb": f"is a notebook: check {PAGE}",
    ".json": "is data, not a page: check the page beside it",
    ".csv": "is data, not a page: check the page beside it",
    ".zip": "is a zip: unpack it, and check its pages",
}


def run(args: Namespace) -> int:
    """Print one line a page that agrees, and one a sentence that does not; 1 where one does not."""
    found = {path: _wrong(path) for path in args.pages}
    if args.json:
        pages = [
            {
                "page": str(path),
                "ok": not wrong,
                "problems": [{"sentence": p.sentence, "problem": p.problem} for p in wrong],
            }
            for path, wrong in found.items()
        ]
        output.document({"pages": pages})
    else:
        for path, wrong in found.items():
            for problem in wrong:
                print(f"{path}: {problem}", file=sys.stderr)
            if not wrong and not args.quiet:
                output.write(f"{path}: agrees with its facts")
    return REFUSED if any(found.values()) else 0


def _wrong(path: Path) -> list[verify.Problem]:
    """What is wrong with one file; what is no page is refused with what to give instead, and the others are looked at."""
    if path.suffix.lower() in OTHERS and path.is_file():
        return [verify.Problem("", OTHERS[path.suffix.lower()])]
    try:
        return verify.page(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise UsageError(f"there is no page {path}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path} is not a page: a folder") from error
    except UnicodeDecodeError:
        return [verify.Problem("", "is not a page: not UTF-8 text")]
