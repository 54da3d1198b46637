"""`dataops-nb plan [SUITE]`: what a refresh would do."""

from __future__ import annotations

from argparse import Namespace

from dataops_nb import refresh, workbench
from dataops_nb.cli import folder, output

COLUMNS = ("report", "notebook", "parameters", "period", "due", "why")
HEADERS = ("suite", "report", "period", "due", "why", "notebook")


def run(args: Namespace) -> int:
    """Print every report of the suite, or of all suites."""
    bench = folder.find(args)
    as_of = workbench.as_of(bench, args.as_of)
    planned = refresh.planned(bench, suite=args.suite, as_of=as_of)
    if args.json:
        reports = [{name: getattr(report, name) for name in COLUMNS} for report in planned]
        output.document({"suite": args.suite, "as_of": as_of, "reports": reports})
        return 0
    lines = [[r.suite, r.report, r.period, "yes" if r.due else "no", r.why, r.notebook] for r in planned]
    output.write(output.table(HEADERS, lines))
    return 0
