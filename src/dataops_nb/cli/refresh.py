"""`dataops-nb refresh [SUITE]`: execute the reports and publish their pages."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable

from dataops_nb import refresh
from dataops_nb.cli import folder, output
from dataops_nb.errors import UsageError
from dataops_nb.publish import kinds
from dataops_nb.refresh import progress
from dataops_nb.refresh.results import place_of
from dataops_nb.refresh.watch import Limits

LIGHT_MET = 4
MIB = 1 << 20
COLUMNS = ("report", "state", "light", "seconds", "pages", "error")
FAILS = {"red": ("red",), "yellow": ("red", "yellow"), "never": ()}


def run(args: Namespace) -> int:
    """Refresh and print how each report ended; the exit code is the worst of them."""
    bench = folder.find(args)
    outcome = refresh.run(
        bench,
        suite=args.suite,
        reports=tuple(args.report),
        as_of=args.as_of,
        parameters=_once(args.parameters),
        force=args.force,
        missed=args.due,
        shard=args.shard,
        executor=args.executor,
        to=kinds.chosen(args.to),
        jobs=args.jobs,
        timeout=args.timeout,
        engine=args.engine,
        limits=Limits(cell=args.cell_timeout, memory=args.memory and args.memory * MIB),
        progress=progress.silent if args.quiet else None,
    )
    if args.json:
        reports = [{name: getattr(report, name) for name in COLUMNS} for report in outcome.reports]
        output.document({"run": outcome.run, "as_of": outcome.as_of, "reports": reports})
    else:
        lines = [[r.report, r.state, output.mark(r.light), f"{r.seconds:.1f}", r.error] for r in outcome.reports]
        output.write(output.table(("report", "state", "light", "seconds", "error"), lines, right=("seconds",)))
        output.write(f"\n{place_of(bench) / 'index.html'}")
    for said in outcome.undelivered:
        print(f"dataops-nb: {said}", file=sys.stderr)
    met = any(report.light in FAILS[args.fail_on] for report in outcome.reports)
    return outcome.exit_code or (LIGHT_MET if met else 0)


def _once(said: Iterable[tuple[str, str]]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in said:
        if name in parameters:
            raise UsageError(f"parameter {name!r} is given twice")
        parameters[name] = value
    return parameters
