"""`dataops-nb status`: the lights of the last complete period, North Star first, then department by department, and what
they do not say."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import pandas as pd

from dataops_nb import board, story
from dataops_nb.cli import folder, output
from dataops_nb.cli.records import records
from dataops_nb.definitions import Definitions
from dataops_nb.story import numbers

HEADERS = ("light", "department", "metric", "value", "target", "attained", "variation", "reason", "owner")
PACED = ("light", "department", "metric", "so far", "on plan", "pace", "landing", "target", "p(hit)", "reason")
SCALED = (*HEADERS[:6], "sigma", "north star", *HEADERS[6:])


def run(args: Namespace) -> int:
    """Print the lights and the findings; JSON carries the whole rows of both tables. With --sort, the scales too, worst
    first, and no findings for people."""
    read = board.read(folder.find(args), as_of=args.as_of, grain=args.grain)
    if args.open:
        return _run_open(args, read)
    rows = records(_sorted(read, args.sort) if args.sort else read.current)
    if args.json:
        about = {"as_of": read.as_of, "grain": read.grain, "rows": rows, "findings": _findings(read)}
        notes = records(read.notes[read.notes["open"]])
        untold = list(story.untold_metrics(read)) if read.communicated else []
        output.document({**about, "reactions": records(read.reactions), "notes": notes, "untold": untold})
        return 0
    definitions, period = read.definitions, read.period
    days = f"{period.id} ({period.start} to {period.end})"
    output.write(f"{definitions.company.company}, {days}, as of {read.as_of}\n")
    if args.sort:
        lines = [_scaled(definitions, row) for row in rows]
        output.write(output.table(SCALED, lines, right=SCALED[3:8]))
        return 0
    lines = [_line(definitions, row) for row in sorted(rows, key=lambda row: _rank(definitions, row["metric"]))]
    output.write(output.table(HEADERS, lines, right=("value", "target", "attained")))
    silent = story.untold(read).sentences if read.communicated else ()
    if len(read.findings) or silent:
        said = [*(story.findings(read).sentences if len(read.findings) else ()), *silent]
        output.write("\nWhat the lights do not say\n" + "\n".join(f"- {each.text}" for each in said))
    if told := story.reactions(read).sentences:
        output.write("\nWhat was agreed about them\n" + "\n".join(f"- {each.text}" for each in told))
    return 0


def _findings(read: board.Board) -> list[dict[str, Any]]:
    """Every finding as a row of its table, with the sentence that says it; one sentence may say several."""
    said = {(row["kind"], row["metric"], row["other"]): each.text for rows, each in story.told(read) for row in rows}
    found = records(read.findings)
    return [{**row, "sentence": said.get((row["kind"], row["metric"], row["other"]))} for row in found]


def _run_open(args: Namespace, read: board.Board) -> int:
    """Print the open period: what it has come to, where that leads, and the light of its pace."""
    rows, now, definitions = records(read.unfinished), read.open_period, read.definitions
    if args.json:
        output.document({"as_of": read.as_of, "grain": read.grain, "rows": rows})
    elif now is None:
        output.write(f"{definitions.company.company}: no {read.grain} is open at the end of {read.as_of}")
    else:
        days = f"{now.id} ({now.start} to {now.end})"
        output.write(f"{definitions.company.company}, {days}, on pace as of {read.as_of}\n")
        lines = [_paced(definitions, row) for row in sorted(rows, key=lambda row: _rank(definitions, row["metric"]))]
        output.write(output.table(PACED, lines, right=PACED[3:9]))
    return 0


def _paced(definitions: Definitions, row: dict[str, Any]) -> list[Any]:
    unit = definitions.metrics[row["metric"]].unit
    mark, owner, label, value, target, *_ = _line(definitions, row)
    expected, landing = (
        "" if row[name] is None else numbers.of(definitions).number(row[name], unit) for name in ("expected", "landing")
    )
    pace, p_hit = ("" if row[name] is None else f"{row[name]:.0%}" for name in ("pace", "p_hit"))
    mark = f"{mark}, on pace" if row["on_pace"] else mark
    return [mark, owner, label, value, expected, pace, landing, target, p_hit, row["reason"]]


def _sorted(read: board.Board, by: str) -> pd.DataFrame:
    """The board's rows with `sigma north_star`, the worst on one scale first and what is not on it last."""
    scales = board.scale(read)
    ranked = scales.sort_values(by, kind="stable", na_position="last").index
    return read.current.reset_index(drop=True).join(scales[["sigma", "north_star"]]).loc[ranked]


def _scaled(definitions: Definitions, row: dict[str, Any]) -> list[Any]:
    line = _line(definitions, row)
    sigma = "" if row["sigma"] is None else f"{row['sigma']:+.1f}"
    currency = definitions.company.currency
    worth = (
        "" if row["north_star"] is None else numbers.of(definitions).number(row["north_star"], currency, signed=True)
    )
    return [*line[:6], sigma, worth, *line[6:]]


def _rank(definitions: Definitions, metric: str) -> int:
    star = definitions.company.north_star
    return star.index(metric) if metric in star else len(star)


def _line(definitions: Definitions, row: dict[str, Any]) -> list[Any]:
    metric = row["metric"]
    unit = definitions.metrics[metric].unit
    department = definitions.departments[definitions.department_of(metric)]
    band = [row[name] for name in ("target_low", "target_high") if row.get(name) is not None]
    targets = [numbers.of(definitions).number(target, unit) for target in band or [row["target"]] if target is not None]
    return [
        output.mark(row["light"]),
        "North Star" if metric in definitions.company.north_star else department.department,
        definitions.label(metric),
        "" if row["value"] is None else numbers.of(definitions).quantity(row["value"], unit),
        " to ".join(targets),
        "" if row["attainment"] is None else numbers.of(definitions).share(row["attainment"]),
        numbers.variation(row["variation"], row["value"], row["center"]),
        row["reason"] or (f"accepted until {row['accepted_until']}" if row["accepted_until"] else None),
        department.owner,
    ]
