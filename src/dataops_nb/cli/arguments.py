"""What may be said on the command line: one tree of verbs, their options and their help.

Every verb names the function that runs it as `module:function` of this package, imported only when it is run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from dataops_nb import __version__
from dataops_nb.errors import UsageError, did_you_mean

GRAINS = ("day", "week", "month", "quarter", "year")
FORMATS = ("cron", "systemd", "github", "airflow", "jupyter-scheduler")
SCALES = ("attainment", "sigma", "north_star")
EPILOG = """exit codes:
  0 ok, 1 a report failed or a page was refused, 2 usage, parameters or definitions, 3 data, 4 --fail-on met,
  5 timed out, 6 killed or out of memory, 7 disk or publish, 8 locked, 130 interrupted, 143 ended"""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help in which every command, the longest one too, stands on one line with its text."""

    def add_argument(self, action: argparse.Action) -> None:
        """Make room for an option or argument, and for the commands below it."""
        super().add_argument(action)
        if isinstance(action.choices, dict):
            longest = max(map(len, action.choices), default=0)
            self._action_max_length = max(self._action_max_length, longest + 2 * self._indent_increment)


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are our errors and name the nearest right name."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, "formatter_class": Formatter, **options})

    def error(self, message: str) -> NoReturn:
        """Raise the mistake, and say where help is."""
        raise UsageError(f"{message}\nSee {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = action.option_strings[-1].lstrip("-") if action.option_strings else "command"
            near = did_you_mean(str(value), action.choices) or f"; known are {', '.join(map(str, action.choices))}"
            self.error(f"unknown {what} {value!r}{near}")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of one command: `verb`, `run`, the global options and the verb's own.

    Raises UsageError for an unknown verb, option or value; SystemExit(0) after --help or --version.
    """
    start = argparse.Namespace(workbench=None, data=None, out=None, json=False, quiet=False, no_cache=False)
    parser = build()
    args, unknown = parser.parse_known_args(list(argv), start)
    if unknown:
        known = re.findall(r"(?<!\w)--?[a-z][a-z-]*", args.parser.format_help())
        what = "option" if unknown[0].startswith("-") else "argument"
        args.parser.error(f"unknown {what} {unknown[0]!r}{did_you_mean(unknown[0].split('=')[0], known)}")
    return args


def build() -> Parser:
    """The whole tree of verbs."""
    shared = _shared()
    parser = Parser(prog="dataops-nb", description="Align, judge and tell the numbers of a revenue organisation.",
                    epilog=EPILOG, parents=[shared])  # fmt: skip
    parser.add_argument("--version", action="version", version=f"dataops-nb {__version__}")
    parser.set_defaults(parser=parser)
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True, title="commands")

    def verb(name: str, run: str, text: str, under: Any = verbs) -> Parser:
        made: Parser = under.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", parents=[shared])
        made.set_defaults(run=run, parser=made)
        return made

    init = verb("init", "init:run", "make a new workbench, the packaged one or one made from files")
    init.add_argument("folder", type=Path, metavar="DIR", help="where; a folder that is new or empty")
    init.add_argument("--from", dest="files", nargs="+", type=Path, default=[], metavar="FILE",
                      help="one's own files, or folders of them: they are profiled, and the definitions guessed")  # fmt: skip
    made = verb("new", "", "make a part of this workbench")
    parts = made.add_subparsers(dest="action", metavar="WHAT", required=True, title="what")
    department = verb("department", "new:run_department", "a department's definitions and notebook", parts)
    department.add_argument("name", metavar="NAME", help="its id, like field_service")
    verb("check", "check:run", "check definitions, sources, contracts, freshness and pitches; every fault at once")
    status = verb("status", "status:run", "show the lights; no notebook is executed")
    _as_of(status)
    _grain(status)
    status.add_argument("--open", action="store_true", help="the period that is not over yet, by its pace")
    status.add_argument("--sort", choices=SCALES, help="worst first on one scale: all metrics compared")
    _metric(verb, verb("metric", "", "list, show, compute, explain or draw the metrics"))
    links = verb("links", "links:run", "which inputs move the North Star, which only rock")
    _as_of(links)
    _grain(links)
    _reconcile(verb)
    _reports(verb)
    _as_of(verb("solve", "solve:run", "what to solve next: urgent and important, not loud"))
    ask = verb("ask", "ask:run", "the page that is right when somebody asks about a number")
    ask.add_argument("metric", metavar="METRIC", help="the metric's id, its label, or words of them")
    _as_of(ask)
    _message(verb, verb("message", "", "try pitches on readers: forms, answers, and which is understood better"))
    note = verb("note", "note:run", "say something about a metric's light; it is shown until it is answered")
    note.add_argument("metric", metavar="METRIC", help="the metric's id")
    note.add_argument("text", metavar="TEXT", help="what is being done, or why")
    note.add_argument("--who", metavar="NAME", help="who says it (default: the owner of the metric's department)")
    note.add_argument(
        "--answer", action="store_true", help="it answers the notes on this metric, which are then closed"
    )
    _as_of(note)
    verify = verb("verify", "verify:run", "check the sentences of a page against its facts")
    verify.add_argument("pages", nargs="+", type=Path, metavar="PAGE", help="a published page (html)")
    serve = verb("serve", "serve:run", "look at the published pages, on this machine only")
    serve.add_argument("--port", type=positive, metavar="N", help="the port (default: a free one)")
    packed = verb("zip", "zip:run", "pack all published pages into one file")
    packed.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="where (default: site.zip in the output folder)"
    )
    lab = verb("lab", "lab:run", "open JupyterLab in the workbench, at its first notebook, in its own workspace")
    lab.add_argument("--no-browser", action="store_true", help="do not open a browser")
    lab.add_argument("extra", nargs="*", metavar="-- ARGUMENT", help="after --: handed to JupyterLab as it is")
    verb("doctor", "doctor:run", "check this machine and this workbench: versions, kernel, charts, folders")
    return parser


def _shared() -> Parser:
    shared = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = shared.add_argument_group("options of every command, before or after it")
    group.add_argument("-w", dest="workbench", type=Path, metavar="DIR", help="the workbench (default: this folder)")
    group.add_argument("--data", type=Path, metavar="DIR", help="where relative paths of sources start")
    group.add_argument("--out", type=Path, metavar="DIR", help="where results go (default: out in the workbench)")
    group.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    group.add_argument("--quiet", action="store_true", help="say only what went wrong")
    group.add_argument("--no-cache", action="store_true", help="read all data anew; take and keep no aggregates")
    return shared


def _metric(verb: Callable[..., Parser], metric: Parser) -> None:
    actions = metric.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    verb("list", "metric:run_list", "every metric with its department, type, grains, unit and role", actions)
    show = verb("show", "metric:run_show", "one metric: definition, sources, targets, lights", actions)
    show.add_argument("metric", metavar="ID", help="the metric's id")
    values = verb("values", "values:run", "the values of one metric, period by period", actions)
    values.add_argument("metric", metavar="ID", help="the metric's id")
    _as_of(values)
    _grain(values)
    values.add_argument("--from", dest="start", type=day, metavar="D", help="first day (default: the first with data)")
    values.add_argument("--to", dest="end", type=day, metavar="D", help="last day (default: the last with data)")
    values.add_argument("--by", action="append", metavar="DIM", help="a declared dimension; DIM,DIM or twice crosses")
    explain = verb("explain", "explain:run", "what moved one metric in its last complete period, part by part", actions)
    explain.add_argument("metric", metavar="ID", help="the metric's id")
    _as_of(explain)
    _grain(explain)
    explain.add_argument("--against", choices=("previous", "last-year"), default="previous", metavar="previous|last-year",
                         help="what it is compared with (previous)")  # fmt: skip
    explain.add_argument("--by", action="append", metavar="DIM", help="a declared dimension; DIM,DIM or twice crosses")
    verb("tree", "metric:run_tree", "what the North Star is made of, and what is declared to move it", actions)


def _message(verb: Callable[..., Parser], message: Parser) -> None:
    actions = message.add_subparsers(dest="action", metavar="ACTION", required=True, title="actions")
    form = verb("form", "message:run_form", "write a page for each pitch, and say how many readers it takes", actions)
    form.add_argument("metric", metavar="METRIC", help="the metric whose pitches are compared")
    form.add_argument("--readers", type=positive, default=20, metavar="N", help="readers of each pitch (20)")
    form.add_argument("--mail", type=address, metavar="ADDRESS", help="where answers may be mailed to")
    _as_of(form)
    record = verb("record", "message:run_record", "keep the answers that came back", actions)
    record.add_argument("files", nargs="+", type=Path, metavar="FILE", help="answers, as files or as the text of mails")
    result = verb("result", "message:run_result", "which pitch is understood better, and how sure that is", actions)
    result.add_argument("metric", metavar="METRIC", help="the metric whose pitches were compared")
    result.add_argument("--write", action="store_true", help="write the winner into params, with date and evidence")


def _reconcile(verb: Callable[..., Parser]) -> None:
    reconcile = verb("reconcile", "reconcile:run", "two systems' versions of one metric, and the rows between them")
    reconcile.add_argument("metric", nargs="?", metavar="ID", help="the metric's id (default: all with reconcile:)")
    _as_of(reconcile)
    _grain(reconcile)
    reconcile.add_argument(
        "--from", dest="start", type=day, metavar="D", help="first day (default: both systems' first)"
    )
    reconcile.add_argument("--to", dest="end", type=day, metavar="D", help="last day (default: both systems' last)")
    reconcile.add_argument("--rows", action="store_true", help="print the rows that differ, one by one")


def _reports(verb: Callable[..., Parser]) -> None:
    plan = verb("plan", "plan:run", "every report, whether it is due, and why")
    plan.add_argument("suite", nargs="?", metavar="SUITE", help="one suite of params/reports.yaml (default: all)")
    _as_of(plan)
    refresh = verb("refresh", "refresh:run", "execute reports and publish their pages")
    refresh.add_argument("suite", nargs="?", metavar="SUITE", help="one suite of params/reports.yaml (default: all)")
    refresh.add_argument("--report", action="append", default=[], metavar="ID", help="only this one; may be repeated")
    _as_of(refresh)
    refresh.add_argument("-p", dest="parameters", action="append", default=[], type=assignment, metavar="NAME=VALUE",
                         help="a parameter of the notebooks; may be repeated")  # fmt: skip
    refresh.add_argument("--jobs", type=positive, metavar="N", help="reports at a time (default: as fits the machine)")
    refresh.add_argument("--engine", choices=("forked", "kernel"), default="forked", metavar="forked|kernel",
                         help="a fork of a warm process, or the stock kernel (forked)")  # fmt: skip
    refresh.add_argument("--timeout", type=positive, default=900, metavar="S", help="seconds a report may take (900)")
    refresh.add_argument("--cell-timeout", type=positive, metavar="S", help="seconds a cell may take (as the report)")
    refresh.add_argument(
        "--memory", type=positive, metavar="MIB", help="memory a report may hold (its share of what is free)"
    )
    refresh.add_argument("--fail-on", choices=("red", "yellow", "never"), default="never", metavar="red|yellow|never",
                         help="end with 4 when a report's light is this bad (never)")  # fmt: skip

    refresh.add_argument("--force", action="store_true", help="run unchanged reports too")
    refresh.add_argument("--due", action="store_true", help="only reports whose latest period was never published")
    refresh.add_argument("--shard", default="", metavar="I/N", help="only every N-th report, from the I-th on")
    refresh.add_argument("--executor", default="local", metavar="WHERE", help="local, or dask://HOST:PORT (local)")
    refresh.add_argument("--to", default="html", metavar="FORMATS", help="html,pdf,eml,slack,ipynb (html)")
    refresh.add_argument("--whatif", metavar="NAME", help="with the differences of params/whatif/NAME.yaml")
    _records(verb)


def _records(verb: Callable[..., Parser]) -> None:
    backfill = verb("backfill", "backfill:run", "publish the reports of past periods, each as of its own last day")
    backfill.add_argument("suite", metavar="SUITE", help="one suite of params/reports.yaml")
    backfill.add_argument(
        "--from", dest="start", type=day, required=True, metavar="D", help="periods that end on or after"
    )
    backfill.add_argument(
        "--to", dest="end", type=day, required=True, metavar="D", help="periods that end on or before"
    )
    backfill.add_argument("--report", action="append", default=[], metavar="ID", help="only this one; may be repeated")
    backfill.add_argument("--jobs", type=positive, metavar="N", help="reports at a time (default: as fits the machine)")
    backfill.add_argument("--timeout", type=positive, default=900, metavar="S", help="seconds a report may take (900)")
    schedule = verb("schedule", "schedule:run", "print files for a scheduler that is there already")
    schedule.add_argument("suite", metavar="SUITE", help="one suite of params/reports.yaml")
    schedule.add_argument("--format", required=True, choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    runs = verb("runs", "runs:run", "how every report of the last runs ended")
    runs.add_argument("--report", metavar="ID", help="only this one")
    runs.add_argument("--limit", type=positive, default=100, metavar="N", help="at most so many (100)")
    prune = verb("prune", "runs:prune", "remove old periods, run folders and ledger rows; never the latest good report")
    prune.add_argument("--keep", type=positive, required=True, metavar="N", help="how many periods of a report to keep")


def _as_of(parser: Parser) -> None:
    parser.add_argument("--as-of", type=day, metavar="D", help="rows after this day do not exist (default: today)")


def _grain(parser: Parser) -> None:
    parser.add_argument("--grain", choices=GRAINS, default="week", metavar="G", help=f"{', '.join(GRAINS)} (week)")


def day(text: str) -> dt.date:
    """A day as people write it on the command line: 2026-11-22."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it like 2026-11-22")


def address(text: str) -> str:
    """One mail address."""
    if re.fullmatch(r"[^\s@,;<>?&]+@[^\s@,;<>?&]+", text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is not a mail address; write it like ann@example.com")


def positive(text: str) -> int:
    """A whole number from 1 on."""
    if re.fullmatch(r"[0-9]{1,9}", text) and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")


def assignment(text: str) -> tuple[str, str]:
    """NAME=VALUE; the value is everything after the first equals sign."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value
