"""`dataops-nb init DIR [--from FILE...]`: a new workbench, the packaged one or one made from files."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from dataops_nb import workbench
from dataops_nb.cli import output

if TYPE_CHECKING:
    from dataops_nb.profile import Draft

NOTEBOOKS = ("00_start_here.ipynb", "05_profile.ipynb", "10_north_star.ipynb")


def run(args: Namespace) -> int:
    """Make the workbench and print where it is; made from files, also what was guessed about them, and what is asked."""
    if args.files:
        return _from_files(args)
    made = workbench.init(args.folder)
    if args.json:
        output.document({"workbench": str(made)})
    else:
        output.write(str(made))
    _say_next(args, "check")
    return 0


def _from_files(args: Namespace) -> int:
    from dataops_nb import profile  # noqa: PLC0415  pandas and duckdb are not needed to copy the packaged workbench

    draft = profile.draft(args.files)
    params = profile.write(draft, args.folder.absolute())
    made = workbench.furnish(args.folder, params, NOTEBOOKS, draft.grain)
    if args.json:
        faults = [asdict(fault) for found in draft.faults.values() for fault in found]
        guesses = [asdict(guess) for guess in draft.guesses]
        last = draft.last.isoformat() if draft.last else None
        output.document(
            {"workbench": str(made), "guesses": guesses, "asked": profile.ASKED, "faults": faults, "last": last}
        )
    else:
        output.write("\n".join([*_lines(draft), *(f"ask: {asked}" for asked in profile.ASKED), str(made)]))
    _say_next(args, "check", *_refresh(draft))
    return 0


def _lines(draft: Draft) -> list[str]:
    guessed = [
        f"guessed {g.about}: {g.said}: {g.why}" if g.said else f"not guessed {g.about}: {g.why}" for g in draft.guesses
    ]
    return [*guessed, *(f"fault: {fault}" for found in draft.faults.values() for fault in found)]


def _refresh(draft: Draft) -> list[str]:
    """The command of the first report, as of the files' last day; nothing where there is no metric."""
    if not draft.north_star:
        return []
    return [f"refresh --as-of {draft.last}" if draft.last else "refresh"]


def _say_next(args: Namespace, *commands: str) -> None:
    if not args.quiet:
        for command in commands:
            print(f"Next: dataops-nb -w {args.folder} {command}", file=sys.stderr)
