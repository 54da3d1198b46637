"""Where to begin: which notebook tells of which department, when it was last refreshed, what changed since, what is stale."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from dataops_nb.board import Board
from dataops_nb.history import latest, published, published_lights
from dataops_nb.story import headline, numbers
from dataops_nb.story.warnings import coverages
from dataops_nb.tables.markup import Cell, Light, Link, Table
from dataops_nb.workbench import Workbench

_NOTHING = "–"
_ENDED = {"failed": "failed", "timed_out": "ran out of time", "killed": "was killed", "skipped": "was skipped"}


def doors(board: Board, here: Workbench) -> Table:
    """The North Star and each department: light and sentence of its first metric, owner, and the notebook that tells more."""
    definitions = board.definitions
    told = notebooks(here)
    star = next((name for name in definitions.company.north_star if name in board.metrics), None)
    rows = [_door(board, "North Star", star, told.get(None))] if star else []
    for id_, department in definitions.departments.items():
        lead = next((name for name in department.metrics if name in board.metrics), None)
        if lead:
            rows.append(_door(board, department.department, lead, told.get(id_)))
    return Table("Where each department stands", ["Department", "Light", "In a sentence", "Owner", "Notebook"], rows)


def _door(board: Board, name: str, lead: str, notebook: str | None) -> list[Cell]:
    owner = board.definitions.departments[board.definitions.department_of(lead)].owner
    said = headline(board, lead).sentences[0].text
    light = Light(str(board.row(lead)["light"]))
    return [name, light, said, owner or _NOTHING, Link(notebook, notebook) if notebook else _NOTHING]


def notebooks(here: Workbench) -> dict[str | None, str]:
    """The notebook of each department's first report, and under None of the company's: by what reports.yaml and it say."""
    found: dict[str | None, str] = {}
    for report in (each for suite in here.definitions.suites.values() for each in suite.reports.values()):
        own = report.parameters.get("department") or _department(here.notebooks / report.notebook)
        about = list(here.definitions.departments) if report.each == "department" else [str(own) if own else None]
        for department in about:
            found.setdefault(department, report.notebook)
    return found


def _department(path: Path) -> str | None:
    """The department that a notebook speaks for by itself; None where its parameters name none."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return None
    said = ["".join(cell["source"]) for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    hit = re.search(r"""^department\b[^=\n]*=\s*["']([^"']+)["']""", "\n".join(said), re.MULTILINE)
    return hit[1] if hit else None


def refreshed(board: Board) -> Table:
    """Each report's last refresh: how it ended, for which period and day, and when. No rows where there was none."""
    told = latest(board.out)
    rows = [_run(each) for each in told.get("reports", [])]
    columns = ["Report", "Light", "Last refresh", "Period", "As of", "Finished"]
    return Table("Last refresh", columns, rows, nothing="none yet; dataops-nb refresh makes the reports")


def _run(record: dict[str, Any]) -> list[Cell]:
    ended = _ENDED.get(str(record.get("state")), "published")
    shown = [str(record.get(name) or _NOTHING) for name in ("period", "as_of")]
    finished = str(record.get("finished") or "")
    when = dt.datetime.fromisoformat(finished).strftime("%Y-%m-%d %H:%M %Z") if finished else _NOTHING
    return [str(record["report"]), Light(str(record.get("light") or "unknown")), ended, *shown, when]


def changed(board: Board) -> Table:
    """Each metric whose light or value is another one than was last published for its grain, then and now."""
    lights, values = published_lights(board.out), published(board.out)
    rows = [row for name in board.metrics for row in _changed(board, name, lights, values)]
    columns = ["Metric", "Published for", "Light then", "Value then", "Now", "Light now", "Value now"]
    known = not lights.empty
    said = "nothing" if known else "nothing was published yet"
    return Table("What changed since the last report", columns, rows, frozenset({"Value then", "Value now"}), said)


def _changed(board: Board, metric: str, lights: pd.DataFrame, values: pd.DataFrame) -> Iterator[list[Cell]]:
    own = lights[(lights["metric"] == metric) & (lights["grain"] == board.grain) & ~lights["on_pace"]]
    if own.empty:
        return
    last = own.sort_values(["as_of", "period"], kind="stable").iloc[-1]
    same = (values["metric"] == metric) & (values["grain"] == board.grain) & (values["period"] == last["period"])
    said = values[same & values["segment"].isna()].sort_values("as_of", kind="stable")["value"]
    row, unit = board.row(metric), board.definitions.metrics[metric].unit
    then, now = (_number(board, value, unit) for value in (said.iloc[-1] if len(said) else float("nan"), row["value"]))
    if (last["light"], then) == (row["light"], now):
        return
    yield [
        board.definitions.label(metric), str(last["period"]), Light(str(last["light"])), then,
        str(row["period"]), Light(str(row["light"])), now,
    ]  # fmt: skip


def stale(board: Board) -> Table:
    """The sources of the board whose last row is older than was agreed: how far they reach, what was agreed, who answers."""
    late = {name: each for name, each in coverages(board) if each.stale}
    rows: list[list[Cell]] = []
    for name, coverage in late.items():
        source = board.definitions.company.sources[name]
        reach = numbers.of(board).date(coverage.last_row) if coverage.last_row else "no rows"
        agreed = f"within {source.fresh_within}" if source.fresh_within else _NOTHING
        rows.append([name, source.system, source.owner or _NOTHING, reach, agreed])
    return Table("What is stale", ["Source", "System", "Owner", "Last row", "Agreed"], rows, nothing="nothing")


def _number(board: Board, value: float, unit: str) -> str:
    return _NOTHING if pd.isna(value) else numbers.of(board).number(value, unit)
