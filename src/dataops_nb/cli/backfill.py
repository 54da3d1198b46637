"""`dataops-nb backfill SUITE --from D --to D`: the reports of past periods."""

from __future__ import annotations

from argparse import Namespace

from dataops_nb.cli import folder, output
from dataops_nb.refresh import progress
from dataops_nb.refresh.backfill import backfill

COLUMNS = ("report", "period", "state", "light", "seconds", "pages", "error")


def run(args: Namespace) -> int:
    """Publish the periods and print how each report ended; the exit code is the worst of them."""
    folder.require_order(args)
    outcome = backfill(
        folder.find(args),
        args.suite,
        first=args.start,
        last=args.end,
        reports=tuple(args.report),
        jobs=args.jobs,
        timeout=args.timeout,
        progress=progress.silent if args.quiet else None,
    )
    if args.json:
        reports = [{name: getattr(report, name) for name in COLUMNS} for report in outcome.reports]
        output.document({"run": outcome.run, "as_of": outcome.as_of, "reports": reports})
        return outcome.exit_code
    lines = [[r.report, r.period, r.state, output.mark(r.light), f"{r.seconds:.1f}", r.error] for r in outcome.reports]
    output.write(output.table(("report", "period", "state", "light", "seconds", "error"), lines, right=("seconds",)))
    return outcome.exit_code
