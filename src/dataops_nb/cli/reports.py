"""Run the commands about reports and their pages.

`plan` shows what a refresh would do; `refresh` executes the reports and publishes their pages;
`backfill` does so for past periods; `runs` and `prune` show the ledger and keep it small;
`schedule` prints files for an existing scheduler. `zip` packs all pages, `serve` previews them on
this machine.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from dataops_nb import cli, workbench
from dataops_nb.cli import sound
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.reports import (
    formats,
    ledger,
    place_of,
    plan,
    progress,
    run,
    schedules,
    site,
    upkeep,
)
from dataops_nb.reports.resources import Limits
from dataops_nb.reports.run import backfill

LIGHT_MET = 4
MIB = 1 << 20
REFRESH_COLUMNS = ("report", "state", "light", "seconds", "pages", "error")
REFRESH_HEADERS = ("report", "state", "light", "seconds", "error")
FAILING_LIGHTS = {"red": ("red",), "yellow": ("red", "yellow"), "never": ()}
PLAN_COLUMNS = ("report", "notebook", "parameters", "period", "due", "why")
PLAN_HEADERS = ("suite", "report", "period", "due", "why", "notebook")
BACKFILL_COLUMNS = ("report", "period", "state", "light", "seconds", "pages", "error")
BACKFILL_HEADERS = ("report", "period", "state", "light", "seconds", "error")
RUN_COLUMNS = (
    "run",
    "suite",
    "report",
    "period",
    "as_of",
    "state",
    "started",
    "finished",
    "seconds",
    "code",
    "error",
    "parameters",
    "whatif",
    "content",
)
RUN_HEADERS = ("started", "report", "period", "state", "seconds", "run", "error")


def run_refresh(args: Namespace) -> int:
    """Refresh and print how each report ended; the exit code is the worst of them."""
    bench = cli.find(args)
    memory = None
    if args.memory:
        memory = args.memory * MIB
    sound.tell_broken(bench.out)
    outcome = run.run(
        bench,
        suite=args.suite,
        reports=tuple(args.report),
        as_of=args.as_of,
        parameters=_unique_parameters(args.parameters),
        force=args.force,
        missed=args.due,
        shard=args.shard,
        executor=args.executor,
        to=formats.parse(args.to),
        jobs=args.jobs,
        timeout=args.timeout,
        engine=args.engine,
        limits=Limits(cell=args.cell_timeout, memory=memory),
        progress=progress.silent if args.quiet else None,
    )
    if args.json:
        rows = fields(outcome.reports, REFRESH_COLUMNS)
        cli.document({"run": outcome.run, "as_of": outcome.as_of, "reports": rows})
    else:
        cli.show(results_table(outcome.reports, REFRESH_HEADERS))
        cli.write(f"\n{place_of(bench) / 'index.html'}")
    for problem in outcome.undelivered:
        print(f"dataops-nb: {problem}", file=sys.stderr)
    if outcome.exit_code:
        return outcome.exit_code
    failing = FAILING_LIGHTS[args.fail_on]
    if any(report.light in failing for report in outcome.reports):
        return LIGHT_MET
    return 0


def fields(objects: Iterable[Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the named attributes of each object as one dict an object."""
    rows = []
    for item in objects:
        rows.append({name: getattr(item, name) for name in names})
    return rows


def results_table(reports: Iterable[Any], headers: Sequence[str]) -> str:
    """Return how reports ended as a table for people."""
    lines = []
    for row in fields(reports, headers):
        row["light"] = cli.mark(row["light"])
        row["seconds"] = f"{row['seconds']:.1f}"
        lines.append(list(row.values()))
    return cli.table(headers, lines, right=("seconds",))


def _unique_parameters(assignments: Iterable[tuple[str, str]]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in assignments:
        if name in parameters:
            raise UsageError(f"parameter {name!r} is given twice")
        parameters[name] = value
    return parameters


def run_plan(args: Namespace) -> int:
    """Print every report of the suite, or of all suites."""
    bench = cli.find(args)
    as_of = workbench.as_of(bench, args.as_of)
    reports = run.planned(bench, suite=args.suite, as_of=as_of)
    if args.json:
        rows = fields(reports, PLAN_COLUMNS)
        cli.document({"suite": args.suite, "as_of": as_of, "reports": rows})
        return 0
    lines = []
    for report in reports:
        due = "yes" if report.due else "no"
        lines.append([report.suite, report.report, report.period, due, report.why, report.notebook])
    cli.show(cli.table(PLAN_HEADERS, lines, spare=("notebook", "suite")))
    return 0


def run_backfill(args: Namespace) -> int:
    """Publish the periods and print how each report ended; the exit code is the worst of them."""
    cli.require_order(args)
    outcome = backfill(
        cli.find(args),
        args.suite,
        first=args.start,
        last=args.end,
        reports=tuple(args.report),
        jobs=args.jobs,
        timeout=args.timeout,
        progress=progress.silent if args.quiet else None,
    )
    if args.json:
        rows = fields(outcome.reports, BACKFILL_COLUMNS)
        cli.document({"run": outcome.run, "as_of": outcome.as_of, "reports": rows})
    else:
        cli.show(results_table(outcome.reports, BACKFILL_HEADERS))
    return outcome.exit_code


def run_runs(args: Namespace) -> int:
    """Print how every report of the last runs ended, the newest first."""
    bench = cli.find(args)
    path = bench.out / "ledger.sqlite"
    rows = []
    if path.exists():
        with ledger.opened(path) as connection:
            rows = ledger.rows(connection, args.limit, args.report)
    if args.report and not rows:
        _require_report(bench.definitions, args.report)
    if args.json:
        documents = [{name: row[name] for name in RUN_COLUMNS} for row in rows]
        cli.document({"runs": documents})
        return 0
    if not rows:
        cli.show("no runs yet")
        return 0
    lines = []
    for row in rows:
        lines.append([_rounded(row[name]) for name in RUN_HEADERS])
    cli.show(cli.table(RUN_HEADERS, lines, right=("seconds",), spare=("run", "period")))
    return 0


def _require_report(definitions: Definitions, report: str) -> None:
    known = []
    if definitions.suites:
        known = [report_name for _, report_name in plan.ids(definitions)]
    if report not in known:
        hint = did_you_mean(report, known)
        raise UsageError(f"there is no report {report!r}{hint}")


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.1f}"
    return value


def run_prune(args: Namespace) -> int:
    """Remove all but the newest periods and runs, and print what was removed."""
    removed = upkeep.prune(cli.find(args), args.keep)
    if args.json:
        cli.document({"pages": removed.pages, "runs": removed.runs, "rows": removed.rows})
        return 0
    for page in removed.pages:
        cli.write(f"removed {page}")
    counts = [
        f"{len(removed.pages)} periods",
        f"{len(removed.runs)} run folders",
        f"{removed.rows} log rows",
    ]
    cli.write(f"removed {counts[0]}, {counts[1]} and {counts[2]}")
    return 0


def run_schedule(args: Namespace) -> int:
    """Print the files, an empty line between them; --json adds their names."""
    contents = schedules.write(cli.find(args), args.suite, args.format)
    if args.json:
        files = []
        for name, content in contents.items():
            files.append({"name": name, "content": content})
        cli.document({"suite": args.suite, "format": args.format, "files": files})
        return 0
    texts = [content.rstrip("\n") for content in contents.values()]
    cli.write("\n\n".join(texts))
    return 0


def run_zip(args: Namespace) -> int:
    """Pack the pages while nobody publishes, and print the path of the file."""
    out = cli.find(args).out
    runs = out / "runs"
    with ExitStack() as stack:
        if runs.is_dir():
            stack.enter_context(ledger.publishing(runs))
        packed = site.pack(out, args.file or out / "site.zip")
    if args.json:
        cli.document({"file": packed.file, "files": packed.files, "bytes": packed.bytes})
    else:
        kilobytes = packed.bytes / 1000
        cli.write(f"{packed.file}\n{packed.files} files, {kilobytes:,.0f} kB")
    return 0


def run_serve(args: Namespace) -> int:
    """Print the address of the front page and serve it until interrupted."""
    from dataops_nb.reports.server import serving  # noqa: PLC0415  slow to import

    out = cli.find(args).out
    with serving(out, args.port or 0) as server:
        if args.json:
            cli.document({"url": server.url})
        else:
            cli.write(server.url)
        if not args.quiet:
            print(
                "Visible on this machine only, at this address. Press Ctrl-C to stop.",
                file=sys.stderr,
            )
        server.serve_forever()
    return 0
