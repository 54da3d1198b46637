"""Define the command line: a tree of commands with their options and help.

Each command names the function that runs it as `module:function` of this package. That module is
imported when the command runs, so help and usage errors stay fast.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path

from dataops_nb.cli.conversations import add_messages, add_notes, add_questions
from dataops_nb.cli.options import (
    Parser,
    Verbs,
    Versions,
    add_as_of,
    add_by,
    add_day,
    add_flag,
    add_grain,
    add_jobs,
    add_metric,
    add_reports,
    add_suite,
    add_suites,
    add_timeout,
    assignment,
    positive,
    shared_options,
)
from dataops_nb.cli.outside import add_init, add_outside
from dataops_nb.errors import did_you_mean

FORMATS = ("cron", "systemd", "github", "airflow", "jupyter-scheduler")
SHELLS = ("bash", "zsh", "fish")
SCALES = ("attainment", "sigma", "north_star")
ENGINES = ("forked", "kernel")
LIGHTS = ("red", "yellow", "never")
DESCRIPTION = "Reports that explain your company's numbers."
EPILOG = """exit codes:
  0 success, 1 report failed or page rejected, 2 usage or definition error,
  3 data error, 4 --fail-on reached, 5 timeout, 6 killed or out of memory,
  7 cannot write or publish, 8 locked, 130 interrupted, 143 stopped"""
OPTION = re.compile(r"(?<!\w)--?[a-z][a-z-]*")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments of one command: `verb`, `run`, the shared options and the command's own.

    Raises UsageError for an unknown command, option or value; SystemExit(0) after --help or
    --version, and after the help that a bare `dataops-nb` prints.
    """
    # The shared options have no defaults of their own; see there.
    defaults = argparse.Namespace(
        workbench=None,
        data=None,
        out=None,
        json=False,
        quiet=False,
        no_cache=False,
    )
    parser = build()
    if "_ARGCOMPLETE" in os.environ:
        # A shell asks what could stand at its cursor. Nothing else needs this module.
        from dataops_nb.cli import completion  # noqa: PLC0415

        completion.answer(parser)
    if not argv:
        parser.print_help()
        raise SystemExit(0)
    args, unknown = parser.parse_known_args(list(argv), defaults)
    if unknown:
        first = unknown[0]
        known = OPTION.findall(args.parser.format_help())
        kind = "option" if first.startswith("-") else "argument"
        hint = did_you_mean(first.split("=")[0], known)
        args.parser.error(f"no {kind} {first!r}{hint}")
    return args


def build() -> Parser:
    """Build the parser of all commands."""
    shared = shared_options()
    parser = Parser(
        prog="dataops-nb",
        description=DESCRIPTION,
        epilog=EPILOG,
        parents=[shared],
    )
    parser.add_argument(
        "--version", action=Versions, nargs=0, help="show this version, and those below it"
    )
    parser.set_defaults(parser=parser)
    verbs = Verbs(parser, shared, dest="verb", metavar="COMMAND", title="commands")
    verbs.group("begin")
    _start(verbs)
    verbs.group("look at numbers")
    _status(verbs)
    _metric(verbs)
    _comparisons(verbs)
    add_questions(verbs)
    verbs.group("publish reports")
    _plan(verbs)
    _refresh(verbs)
    _backfill(verbs)
    _ledger(verbs)
    _pages(verbs)
    verbs.group("write down")
    add_notes(verbs)
    add_messages(verbs)
    verbs.group("this machine and other tools")
    _machine(verbs)
    add_outside(verbs)
    return parser


def _start(verbs: Verbs) -> None:
    add_init(verbs)
    parts = verbs.branch("new", "add to this workbench", title="what", metavar="WHAT")
    department = parts.add(
        "department",
        "start:run_department",
        "a new department with its notebook",
    )
    department.add_argument("name", metavar="NAME", help="id, such as field_service")
    report = parts.add("report", "start:run_report", "a new report: notebook and reports.yaml line")
    report.add_argument("name", metavar="NAME", help="id, such as board-pack")
    verbs.add(
        "check",
        "check:run_check",
        "find every error in definitions and data",
    )


def _status(verbs: Verbs) -> None:
    status = verbs.add(
        "status",
        "status:run_status",
        "show how every metric is doing, without running notebooks",
    )
    add_as_of(status)
    add_grain(status)
    add_flag(status, "--open", "forecast for the period in progress")
    status.add_argument(
        "--sort",
        choices=SCALES,
        help="worst first",
    )


def _metric(verbs: Verbs) -> None:
    actions = verbs.branch("metric", "look at metrics: list, show, values, explain, tree")
    actions.add(
        "list",
        "metric:run_list",
        "list all metrics",
    )
    show = actions.add(
        "show",
        "metric:run_show",
        "show one metric's definition and targets",
    )
    add_metric(show, "metric id", "ID")
    values = actions.add(
        "values",
        "metric:run_values",
        "show one metric's values by period",
    )
    add_metric(values, "metric id", "ID")
    add_as_of(values)
    add_grain(values)
    add_day(values, "--from", "first day (default: start of the data)")
    add_day(values, "--to", "last day (default: the last with data)")
    add_by(values)
    explain = actions.add(
        "explain",
        "explain:run_explain",
        "show what changed one metric in the last full period",
    )
    add_metric(explain, "metric id", "ID")
    add_as_of(explain)
    add_grain(explain, "that of --against, else week")
    explain.add_argument(
        "--against",
        default="previous",
        metavar="PERIOD",
        help="what it is compared with: previous, last-year, or a period like 2026-W40 (previous)",
    )
    add_flag(explain, "--multiplicative", "factors of the parts, whose product is now / before")
    add_by(explain)
    actions.add(
        "tree",
        "metric:run_tree",
        "show the North Star and its inputs as a tree",
    )


def _comparisons(verbs: Verbs) -> None:
    links = verbs.add(
        "links",
        "comparisons:run_links",
        "which inputs move the North Star",
    )
    add_as_of(links)
    add_grain(links)
    reconcile = verbs.add(
        "reconcile",
        "comparisons:run_reconcile",
        "compare two systems' values of a metric",
    )
    reconcile.add_argument(
        "metric",
        nargs="?",
        metavar="ID",
        help="metric id (default: all with reconcile:)",
    )
    add_as_of(reconcile)
    add_grain(reconcile)
    add_day(reconcile, "--from", "first day (default: both systems' first)")
    add_day(reconcile, "--to", "last day (default: both systems' last)")
    add_flag(reconcile, "--rows", "list the rows that differ")


def _plan(verbs: Verbs) -> None:
    plan = verbs.add("plan", "reports:run_plan", "show which reports are due, and why")
    add_suites(plan)
    add_as_of(plan)


def _refresh(verbs: Verbs) -> None:
    refresh = verbs.add(
        "refresh",
        "reports:run_refresh",
        "run the reports that are due and publish them",
    )
    add_suites(refresh)
    add_reports(refresh)
    add_as_of(refresh)
    refresh.add_argument(
        "-p",
        dest="parameters",
        action="append",
        default=[],
        type=assignment,
        metavar="NAME=VALUE",
        help="notebook parameter; repeatable",
    )
    _add_execution(refresh)
    refresh.add_argument(
        "--fail-on",
        choices=LIGHTS,
        default="never",
        metavar="|".join(LIGHTS),
        help="exit 4 if a light is this bad (default: never)",
    )
    add_flag(refresh, "--force", "run unchanged reports too")
    add_flag(refresh, "--due", "only reports never published for their latest period")
    _add_destination(refresh)


def _add_execution(refresh: Parser) -> None:
    """Add how reports are executed, and what they may use."""
    add_jobs(refresh)
    refresh.add_argument(
        "--engine",
        choices=ENGINES,
        default="forked",
        metavar="|".join(ENGINES),
        help="forked process or Jupyter kernel (forked)",
    )
    add_timeout(refresh)
    refresh.add_argument(
        "--cell-timeout",
        type=positive,
        metavar="S",
        help="time limit a cell, in seconds (report's)",
    )
    refresh.add_argument(
        "--memory",
        type=positive,
        metavar="MIB",
        help="memory limit a report, in MiB",
    )


def _add_destination(refresh: Parser) -> None:
    """Add which reports run here, where, and what is made of them."""
    refresh.add_argument(
        "--shard",
        default="",
        metavar="I/N",
        help="share I of N, for parallel schedulers",
    )
    refresh.add_argument(
        "--executor",
        default="local",
        metavar="WHERE",
        help="local, or dask://HOST:PORT (local)",
    )
    refresh.add_argument(
        "--to",
        default="html",
        metavar="FORMATS",
        help="html,pdf,eml,slack,ipynb (html)",
    )
    refresh.add_argument(
        "--whatif",
        metavar="NAME",
        help="apply params/whatif/NAME.yaml",
    )


def _backfill(verbs: Verbs) -> None:
    backfill = verbs.add(
        "backfill",
        "reports:run_backfill",
        "publish reports for past periods",
    )
    add_suite(backfill)
    add_day(backfill, "--from", "first period end", required=True)
    add_day(backfill, "--to", "last period end", required=True)
    add_reports(backfill)
    add_jobs(backfill)
    add_timeout(backfill)


def _ledger(verbs: Verbs) -> None:
    schedule = verbs.add(
        "schedule",
        "reports:run_schedule",
        "write files for cron, systemd, GitHub and others",
    )
    add_suite(schedule)
    schedule.add_argument(
        "--format",
        required=True,
        choices=FORMATS,
        metavar="FORMAT",
        help=", ".join(FORMATS),
    )
    runs = verbs.add("runs", "reports:run_runs", "list past runs and how they ended")
    runs.add_argument("--report", metavar="ID", help="only this report")
    runs.add_argument(
        "--limit",
        type=positive,
        default=100,
        metavar="N",
        help="number of rows (100)",
    )
    prune = verbs.add(
        "prune",
        "reports:run_prune",
        "delete old reports and logs; the latest report is always kept",
    )
    prune.add_argument(
        "--keep",
        type=positive,
        required=True,
        metavar="N",
        help="number of periods to keep",
    )


def _pages(verbs: Verbs) -> None:
    verify = verbs.add(
        "verify", "verify:run_verify", "check that a page is unchanged since it was published"
    )
    verify.add_argument(
        "pages",
        nargs="+",
        type=Path,
        metavar="PAGE",
        help="a published page (html)",
    )
    serve = verbs.add(
        "serve",
        "reports:run_serve",
        "open the reports in a browser (this machine only)",
    )
    serve.add_argument(
        "--port",
        type=positive,
        metavar="N",
        help="the port (default: a free one)",
    )
    archive = verbs.add("zip", "reports:run_zip", "pack all published pages into one file")
    archive.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="where (default: site.zip in the output folder)",
    )


def _machine(verbs: Verbs) -> None:
    lab = verbs.add(
        "lab",
        "start:run_lab",
        "open the notebooks in JupyterLab",
    )
    add_flag(lab, "--no-browser", "do not open a browser")
    lab.add_argument(
        "extra",
        nargs="*",
        metavar="-- ARGUMENT",
        help="options for JupyterLab, after --",
    )
    verbs.add(
        "doctor",
        "check:run_doctor",
        "check that this machine and workbench are ready",
    )
    completion = verbs.add(
        "completion",
        "completion:run_completion",
        "print what makes a shell complete commands and names",
    )
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
