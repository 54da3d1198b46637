"""`dataops-nb runs` and `dataops-nb prune`: what the ledger knows, and how it stays small."""

from __future__ import annotations

from argparse import Namespace

from dataops_nb.cli import folder, output
from dataops_nb.definitions import Definitions
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.refresh import ledger, plan, pruning

COLUMNS = (
    "run", "suite", "report", "period", "as_of", "state", "started", "finished", "seconds", "code", "error", "parameters",
    "whatif", "content",
)  # fmt: skip
HEADERS = ("started", "report", "period", "state", "seconds", "run", "error")


def run(args: Namespace) -> int:
    """Print how every report of the last runs ended, the newest first."""
    bench = folder.find(args)
    path, found = bench.out / "ledger.sqlite", []
    if path.exists():
        with ledger.opened(path) as book:
            found = ledger.rows(book, args.limit, args.report)
    if args.report and not found:
        _require(bench.definitions, args.report)
    if args.json:
        output.document({"runs": [{name: row[name] for name in COLUMNS} for row in found]})
        return 0
    lines = [[_seen(row[name]) for name in HEADERS] for row in found]
    output.write(output.table(HEADERS, lines, right=("seconds",)) if lines else "nothing has run yet")
    return 0


def _require(definitions: Definitions, report: str) -> None:
    known = [name for _, name in plan.ids(definitions)] if definitions.suites else []
    if report not in known:
        raise UsageError(f"there is no report {report!r}{did_you_mean(report, known)}")


def prune(args: Namespace) -> int:
    """Remove what is older than the newest periods and runs, and say what that was."""
    removed = pruning.prune(folder.find(args), args.keep)
    if args.json:
        output.document({"pages": removed.pages, "runs": removed.runs, "rows": removed.rows})
        return 0
    for page in removed.pages:
        output.write(f"removed {page}")
    output.write(f"removed {len(removed.pages)} periods, {len(removed.runs)} run folders, {removed.rows} ledger rows")
    return 0


def _seen(value: object) -> object:
    return f"{value:.1f}" if isinstance(value, float) else value
