"""Run `dataops-nb status` and `dataops-nb solve`.

`status` shows the lights of the last complete period and its findings, the North Star first, then
one department after the other. `solve` shows what to solve next, and what was closed since the last
report.
"""

from __future__ import annotations

import datetime as dt
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dataops_nb import board, cli, numbers, plain, story
from dataops_nb.alignment.comparisons import with_digits
from dataops_nb.board import Board
from dataops_nb.cli import answers, sound
from dataops_nb.company import Company
from dataops_nb.numbers import Beside
from dataops_nb.periods import Period
from dataops_nb.story import actions
from dataops_nb.story.facts import PARTIAL, attained_text, beside, is_partial
from dataops_nb.story.findings import told

LIGHT_HEADERS = (
    "light",
    "department",
    "metric",
    "value",
    "target",
    "of target",
    "variation",
    "meets target",
    "reason",
    "owner",
)
LIGHT_RIGHT = ("value", "target", "of target")
SCALE_HEADERS = (*LIGHT_HEADERS[:6], "sigma", "north star", *LIGHT_HEADERS[6:])
SCALE_RIGHT = (*LIGHT_RIGHT, "sigma", "north star")
PACE_HEADERS = (
    "light",
    "department",
    "metric",
    "so far",
    "needed",
    "pace",
    "forecast",
    "target",
    "chance",
    "reason",
)
PACE_RIGHT = ("so far", "needed", "pace", "forecast", "target", "chance")
SOLVE_HEADERS = (
    "#",
    "what",
    "metric",
    "start by",
    "cost a year",
    "likely from",
    "to",
    "work",
    "top three",
    "requests",
    "why",
)
SOLVE_RIGHT = ("start by", "cost a year", "likely from", "to", "top three", "requests")
SOLVE_SPARE = ("requests", "top three", "likely from", "to", "work", "metric")
# What a narrow terminal does without, the first ones first.
SPARE = ("owner", "department", "of target", "needed", "chance", "pace", "sigma")
STAKES = ("at_stake", "at_stake_low", "at_stake_high")


def run_status(args: Namespace) -> int:
    """Print the lights and the findings; --json prints the whole rows of both tables.

    --sort adds the scales that compare metrics, the worst first, and leaves out the findings.
    --open shows the period that is not over yet.
    """
    company_board = board.read(cli.find(args), as_of=args.as_of, grain=args.grain)
    company_board = sound.with_sound_memory(company_board)
    answers.stands_on(company_board.rows, company_board.company.timezone)
    if args.open:
        return _run_open(args, company_board)
    frame = company_board.current
    if args.sort:
        frame = _sorted_by_scale(company_board, args.sort)
    rows = plain.rows(with_digits(frame, company_board.rows))
    if args.json:
        cli.document(_status_document(company_board, rows))
        return 0
    definitions = company_board.company
    cli.show(_period_heading(company_board, company_board.period, "as of"))
    if args.sort:
        lines = [_scale_line(definitions, row) for row in rows]
        cli.show(_table(SCALE_HEADERS, lines, SCALE_RIGHT))
        return 0
    lines = [_light_line(definitions, row) for row in _north_star_first(definitions, rows)]
    cli.show(_table(LIGHT_HEADERS, lines, LIGHT_RIGHT))
    _print_findings(company_board)
    return 0


def _table(headers: Sequence[str], lines: Sequence[Sequence[Any]], right: Sequence[str]) -> str:
    spare = [name for name in SPARE if name in headers]
    return cli.table(headers, lines, right=right, spare=spare, group="department")


def _print_findings(company_board: Board) -> None:
    """Print what the lights do not say, and which agreed reactions are due."""
    findings: list[Any] = []
    if len(company_board.findings):
        findings += story.findings(company_board).sentences
    if company_board.communicated:
        findings += story.untold(company_board).sentences
    reactions = story.reactions(company_board).sentences
    _print_sentences("Behind the lights", findings)
    _print_sentences("Actions due", reactions)


def _print_sentences(title: str, sentences: Sequence[Any]) -> None:
    if not sentences:
        return
    lines = [f"- {sentence.text}" for sentence in sentences]
    cli.show("\n".join(["", title, *lines]))


def _status_document(company_board: Board, rows: list[dict[str, Any]]) -> dict[str, Any]:
    notes = company_board.notes
    untold: list[str] = []
    if company_board.communicated:
        untold = list(actions.untold_metrics(company_board))
    return {
        "as_of": company_board.as_of,
        "grain": company_board.grain,
        "rows": rows,
        "findings": _findings_with_sentences(company_board),
        "reactions": plain.rows(company_board.reactions),
        "notes": plain.rows(notes[notes["open"]]),
        "untold": untold,
    }


def _findings_with_sentences(company_board: Board) -> list[dict[str, Any]]:
    """Return the rows of the findings, each with its sentence; rows may share a sentence."""
    texts = {}
    for rows, sentence in told(company_board):
        for row in rows:
            texts[row["kind"], row["metric"], row["other"]] = sentence.text
    findings = plain.rows(company_board.findings)
    for finding in findings:
        key = (finding["kind"], finding["metric"], finding["other"])
        finding["sentence"] = texts.get(key)
    return findings


def _run_open(args: Namespace, company_board: Board) -> int:
    """Print the open period: its values so far, where they lead, and the light of the pace."""
    rows = plain.rows(with_digits(company_board.unfinished, company_board.rows))
    period = company_board.open_period
    definitions = company_board.company
    if args.json:
        cli.document(
            {
                "as_of": company_board.as_of,
                "grain": company_board.grain,
                "rows": rows,
            }
        )
    elif period is None:
        cli.show(
            f"{definitions.name}: no {company_board.grain} is in progress on {company_board.as_of}"
        )
    else:
        cli.show(_period_heading(company_board, period, "forecast as of"))
        lines = [_pace_line(definitions, row) for row in _north_star_first(definitions, rows)]
        cli.show(_table(PACE_HEADERS, lines, PACE_RIGHT))
    return 0


def _period_heading(company_board: Board, period: Period, relation: str) -> str:
    company = company_board.company.name
    days = f"{period.id} ({period.start} to {period.end})"
    return f"{company}, {days}, {relation} {company_board.as_of}\n"


def _sorted_by_scale(company_board: Board, scale: str) -> pd.DataFrame:
    """Return the board's rows with `sigma north_star`, the worst on `scale` first.

    Metrics that are not on the scale come last.
    """
    scales = board.scale(company_board)
    worst_first = scales.sort_values(scale, kind="stable", na_position="last").index
    rows = company_board.current.reset_index(drop=True)
    return rows.join(scales[["sigma", "north_star"]]).loc[worst_first]


def _north_star_first(definitions: Company, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with the North Stars in front, in the company's order."""
    stars = definitions.north_star

    def rank(row: dict[str, Any]) -> int:
        if row["metric"] in stars:
            return stars.index(row["metric"])
        return len(stars)

    return sorted(rows, key=rank)


def _light_line(definitions: Company, row: dict[str, Any]) -> list[Any]:
    metric = row["metric"]
    department = definitions.departments[definitions.department_of(metric)]
    place = department.department
    if metric in definitions.north_star:
        place = "North Star"
    compared = beside(definitions, row)
    value = ""
    if row["value"] is not None:
        value = compared.quantity(row["value"])
        if is_partial(row, "value"):
            value = PARTIAL.format(value)
    attained = attained_text(definitions, row)
    reason = row["reason"]
    if not reason and row["accepted_until"]:
        reason = f"accepted until {row['accepted_until']}"
    return [
        cli.mark(row["light"]),
        place,
        definitions.label(metric),
        value,
        _target_text(row, compared),
        attained,
        numbers.variation_of(row),
        numbers.assurance_of(row),
        reason or None,
        department.owner,
    ]


def _target_text(row: dict[str, Any], compared: Beside) -> str:
    """Write the target, or both ends of an agreed range."""
    targets = []
    for name in ("target_low", "target_high"):
        if row.get(name) is not None:
            targets.append(row[name])
    if not targets and row["target"] is not None:
        targets.append(row["target"])
    return " to ".join(compared.number(target) for target in targets)


def _scale_line(definitions: Company, row: dict[str, Any]) -> list[Any]:
    sigma = ""
    if row["sigma"] is not None:
        sigma = f"{row['sigma']:+.1f}"
    worth = ""
    if row["north_star"] is not None:
        currency = definitions.currency
        worth = numbers.of(definitions).number(row["north_star"], currency, signed=True)
    line = _light_line(definitions, row)
    line[6:6] = [sigma, worth]
    return line


def _pace_line(definitions: Company, row: dict[str, Any]) -> list[Any]:
    light, place, label, *_ = _light_line(definitions, row)
    if row["on_pace"]:
        light = f"{light}, forecast"
    # where the period ends is what its target is compared with
    landing = {**row, "value": row["landing"]} if row["landing"] is not None else row
    compared = beside(definitions, landing)
    target = _target_text(row, compared)
    value = ""
    if row["value"] is not None:
        unit = definitions.metrics[row["metric"]].unit
        value = numbers.of(definitions).quantity(row["value"], unit)
    amounts = {"expected": "", "landing": ""}
    for name in amounts:
        if row[name] is not None:
            amounts[name] = compared.number(row[name])
    shares = {"pace": "", "p_hit": ""}
    for name in shares:
        if row[name] is not None:
            shares[name] = numbers.of(definitions).share(row[name])
    return [
        light,
        place,
        label,
        value,
        amounts["expected"],
        shares["pace"],
        amounts["landing"],
        target,
        shares["p_hit"],
        row["reason"],
    ]


def run_solve(args: Namespace) -> int:
    """Print the list, best first; --json prints every column of the ranking."""
    company_board = board.read(cli.find(args), as_of=args.as_of)
    rows = plain.rows(company_board.priorities)
    closed = plain.rows(company_board.closed)
    currency = company_board.company.currency
    if args.json:
        cli.document(
            {
                "as_of": company_board.as_of,
                "grain": company_board.grain,
                "period": company_board.period.id,
                "currency": currency,
                "rows": rows,
                "closed": closed,
            }
        )
        return 0
    written = numbers.of(company_board)
    day = company_board.as_of
    lines = [_solve_line(row, currency, written, day) for row in rows]
    cli.show(cli.table(SOLVE_HEADERS, lines, right=SOLVE_RIGHT, spare=SOLVE_SPARE))
    for row in closed:
        cli.show(f"closed since the last report: {row['title']}")
    return 0


def _solve_line(
    row: dict[str, Any], currency: str, written: numbers.Numbers, day: dt.date
) -> list[Any]:
    title = row["title"]
    if row["reports"]:
        title += f" ({written.quantity(row['reports'], 'reports')})"
    start_by = None
    if row["slack"] is not None:
        start_by = str(day + dt.timedelta(days=int(row["slack"])))
    amounts: list[str | None] = []
    for name in STAKES:
        amount = None
        if row[name] is not None:
            amount = written.rough(row[name], currency)
        amounts.append(amount)
    times_asked = None
    if row["kind"] == "asked":
        times_asked = row["asked"]
    return [
        row["rank"],
        title,
        row["metric"],
        start_by,
        *amounts,
        row["effort"],
        written.share(row["stability"]),
        times_asked,
        row["why"],
    ]
