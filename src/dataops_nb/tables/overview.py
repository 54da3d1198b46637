"""The overview of a company's reports: where to begin, and whether they are worth their work.

Where each department stands and the notebook that tells more, last refreshes, what changed or is
stale; which metrics earn their place and were ever told to anybody; what came of the chances that
were given; what to solve next, and where that order comes from.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from dataops_nb import numbers
from dataops_nb.board import Bench, Board
from dataops_nb.board import admission as test
from dataops_nb.display import Cell, Light, Link, Table
from dataops_nb.story.lights import headline
from dataops_nb.story.trust import coverages
from dataops_nb.tables.scorecard import MISSING, number_text

_ENDS = {
    "failed": "failed",
    "timed_out": "took too long",
    "killed": "was stopped",
    "skipped": "was skipped",
}
_MARKS = {True: "yes", False: "no"}
_FEWEST = 5  # cases of a chance below which a share of them says nothing
COLUMNS = (
    "Problem",
    "Owner",
    "Start by",
    "Cost a year",
    "Likely from",
    "Likely to",
    "Work",
    "How sure (top three)",
    "Requests",
    "Why",
)
# All but what, by whom, by when and why are aligned to the right.
NUMERIC = frozenset(COLUMNS) - {"Problem", "Owner", "Start by", "Why"}


def doors(board: Board, here: Bench) -> Table:
    """Return where the North Star and each department stand, by the first metric of each.

    Columns: Department, Status, Result, Owner, Notebook (that tells more).

    >>> table = tables.doors(company, wb)
    >>> [(row[0], row[3]) for row in table.rows]
    [('North Star', 'Head of Shop'), ('Finance', 'Head of Finance'), ('Shop', 'Head of Shop')]
    """
    company = board.company
    notebook_of = here.doors
    rows: list[list[Cell]] = []
    star = _first_on_board(board, company.north_star)
    if star is not None:
        rows.append(_door_row(board, "North Star", star, notebook_of.get(None)))
    for id_, department in company.departments.items():
        lead = _first_on_board(board, department.metrics)
        if lead is not None:
            row = _door_row(board, department.department, lead, notebook_of.get(id_))
            rows.append(row)
    columns = ["Department", "Status", "Result", "Owner", "Notebook"]
    return Table("Departments", columns, rows)


def _first_on_board(board: Board, metrics: Any) -> str | None:
    return next((metric for metric in metrics if metric in board.metrics), None)


def _door_row(board: Board, name: str, lead: str, notebook: str | None) -> list[Cell]:
    department = board.company.departments[board.company.department_of(lead)]
    sentence = headline(board, lead).sentences[0].text
    judged = board.row(lead)
    light = Light(str(judged["light"]), judged["reason"])
    link: Cell = MISSING
    if notebook:
        link = Link(notebook, notebook)
    return [name, light, sentence, department.owner or MISSING, link]


def refreshed(board: Board) -> Table:
    """Return each report's last refresh; no rows where there was none.

    Columns: Report, Status, Last refresh (how it ended), Period, As of, Finished.

    >>> print(tables.refreshed(company))
    Last refresh
    Report | Status | Last refresh | Period | As of | Finished
    shop | ■ Red | published | 2026-W45 | 2026-11-08 | 2026-11-09 06:00 UTC
    """
    records = board.memory.latest().get("reports", [])
    rows = [_refresh_row(record) for record in records]
    columns = ["Report", "Status", "Last refresh", "Period", "As of", "Finished"]
    nothing = "none yet: run dataops-nb refresh"
    return Table("Last refresh", columns, rows, nothing=nothing)


def _refresh_row(record: dict[str, Any]) -> list[Cell]:
    finished = MISSING
    if record.get("finished"):
        moment = dt.datetime.fromisoformat(str(record["finished"]))
        finished = moment.strftime("%Y-%m-%d %H:%M %Z")
    return [
        str(record["report"]),
        Light(str(record.get("light") or "unknown")),
        _ENDS.get(str(record.get("state")), "published"),
        str(record.get("period") or MISSING),
        str(record.get("as_of") or MISSING),
        finished,
    ]


def changed(board: Board) -> Table:
    """Return the metrics whose light or value differs from the last published ones.

    Columns: Metric, Reported for, Status then, Value then, Now, Status now, Value now.

    >>> print(tables.changed(company))
    Changes since the last report
    Metric | Reported for | Status then | Value then | Now | Status now | Value now
    Revenue | 2026-W45 | ◇ Unknown | €210 | 2026-W46 | ■ Red | €320.50
    Paid | 2026-W45 | ◇ Unknown | €210 | 2026-W46 | ○ No target | €245
    Paid share | 2026-W45 | ◇ Unknown | 100% | 2026-W46 | ○ No target | 76.4%
    """
    lights, values = board.memory.lights(), board.memory.newest()
    rows: list[list[Cell]] = []
    for metric in board.metrics:
        row = _changed_row(board, metric, lights, values)
        if row is not None:
            rows.append(row)
    columns = [
        "Metric",
        "Reported for",
        "Status then",
        "Value then",
        "Now",
        "Status now",
        "Value now",
    ]
    nothing = "nothing"
    if lights.empty:
        nothing = "nothing published yet"
    numeric = frozenset({"Value then", "Value now"})
    return Table("Changes since the last report", columns, rows, numeric, nothing)


def _changed_row(
    board: Board, metric: str, lights: pd.DataFrame, values: pd.DataFrame
) -> list[Cell] | None:
    """Return a metric's row, or None where nothing was published or nothing has changed."""
    is_own = (lights["metric"] == metric) & (lights["grain"] == board.grain)
    own = lights[is_own & ~lights["on_pace"]]
    if own.empty:
        return None
    last = own.sort_values(["as_of", "period"], kind="stable").iloc[-1]
    row, unit = board.row(metric), board.company.metrics[metric].unit
    value_then = _published_value(values, metric, board.grain, last["period"])
    then = number_text(board, value_then, unit)
    now = number_text(board, row["value"], unit)
    if (last["light"], then) == (row["light"], now):
        return None
    if then == now and now != MISSING:
        # another light of another number: the digits must show that it is one
        compared = numbers.of(board).beside(row["value"], [value_then], unit)
        then, now = compared.number(value_then), compared.number(row["value"])
    return [
        board.company.label(metric),
        str(last["period"]),
        Light(str(last["light"])),
        then,
        str(row["period"]),
        Light(str(row["light"]), row.get("reason")),
        now,
    ]


def _published_value(values: pd.DataFrame, metric: str, grain: str, period: str) -> float:
    """Return the last published value of a metric's total in a period; NaN where there is none."""
    is_own = (values["metric"] == metric) & (values["grain"] == grain)
    is_total = (values["period"] == period) & values["segment"].isna()
    known = values[is_own & is_total].sort_values("as_of", kind="stable")["value"]
    if known.empty:
        return float("nan")
    return float(known.iloc[-1])


def stale(board: Board) -> Table:
    """Return the sources whose last row is older than agreed, a source a row.

    Columns: Source, System, Owner, Last data, Due within.

    >>> tables.stale(company).rows  # both files are on time
    []
    """
    # By name: a source that metrics read by two time columns is one row.
    late = {name: coverage for name, coverage in coverages(board) if coverage.stale}
    rows: list[list[Cell]] = []
    for name, coverage in late.items():
        source = board.company.origins[name]
        last_row, agreed = "none received", MISSING
        if coverage.last_row:
            last_row = numbers.of(board).date(coverage.last_row)
        if source.fresh_within:
            agreed = str(source.fresh_within)
        rows.append([name, source.system, source.owner or MISSING, last_row, agreed])
    columns = ["Source", "System", "Owner", "Last data", "Due within"]
    return Table("Late data", columns, rows, nothing="nothing")


def admission(board: Board) -> Table:
    """Return the admission test, a metric a row, the weakest first.

    Columns: Metric, the four properties (Available, Relevant, Actionable, Cheap) with what was
    measured for each, Tests passed, Keep?

    >>> table = tables.admission(company)
    >>> [(row[0], row[-1]) for row in table.rows]
    [('Paid', 'keep'), ('Paid share', 'retire'), ('Revenue', 'keep'), ('New customers', 'keep')]
    """
    scored = test.score(board).sort_values("held", kind="stable")
    rows = [_admission_row(board, row) for row in scored.to_dict("records")]
    out = int(scored["retire"].sum())
    answer = f"{out} of {len(rows)} {'is' if out == 1 else 'are'} not" if out else "All are"
    caption = f"Is each metric worth keeping? {answer}"
    columns = ["Metric", "Available", "Relevant", "Actionable", "Cheap", "Tests passed", "Keep?"]
    return Table(caption, columns, rows, frozenset({"Tests passed"}))


def _admission_row(board: Board, row: dict[Any, Any]) -> list[Cell]:
    written = numbers.of(board)
    fresh = "late"
    if row["fresh"]:
        fresh = "up to date"
    change = MISSING
    if pd.notna(row["detectable"]):
        change = written.number(float(row["detectable"]), "percent")
    verdict = "keep"
    if row["retire"]:
        verdict = "retire"
    covered = written.share(float(row["coverage"]))
    exports = written.quantity(int(row["exports"]), "files")
    owner = str(row["owner"] or "no owner")
    actions = written.quantity(int(row["actions"]), "actions")
    systems = written.quantity(int(row["systems"]), "systems")
    seconds = written.digits(f"{float(row['seconds']):.2f}")

    def marked(name: str, reason: str) -> str:
        return f"{_MARKS[bool(row[name])]}: {reason}"

    return [
        board.company.label(str(row["metric"])),
        marked("tracked", f"{covered} of days, {fresh}, {exports}"),
        marked("relevant", str(row["relevance"])),
        marked("specific", f"{owner}, {actions}, can show a {change} change"),
        marked("affordable", f"{systems}, {seconds} s"),
        f"{row['held']} of 4",
        verdict,
    ]


def communications(board: Board) -> Table:
    """Return when each metric was last published, sent and read back, a metric a row.

    Columns: Metric, Status, Last report (its day), Report, Sent, Replies, Note. The note names
    metrics that are on target and were never shared.

    >>> table = tables.communications(company)
    >>> [(row[0], row[2], row[-1]) for row in table.rows]
    [('Revenue', '9 Nov', ''), ('New customers', '–', 'on target, never shared'), ('Paid', '–',
    ''), ('Paid share', '–', '')]
    """
    log = board.memory.communications(board.metrics, board.as_of)
    rows = [_communication_row(board, row) for row in log.to_dict("records")]
    columns = ["Metric", "Status", "Last report", "Report", "Sent", "Replies", "Note"]
    return Table("Who has seen it", columns, rows, frozenset({"Replies"}))


def _communication_row(board: Board, row: dict[Any, Any]) -> list[Cell]:
    metric = str(row["metric"])
    judged = board.row(metric)
    light = str(judged["light"])
    day, note = MISSING, ""
    if pd.notna(row["published"]):
        day = numbers.of(board).date(row["published"])
    elif not row["answers"] and light == "green":
        note = "on target, never shared"
    return [
        board.company.label(metric),
        Light(light, judged["reason"]),
        day,
        _known_text(row["report"]),
        _known_text(row["sent"]),
        str(row["answers"]),
        note,
    ]


def _known_text(value: Any) -> str:
    if pd.isna(value):
        return MISSING
    return str(value)


def track(board: Board) -> Table:
    """Return how chances came true, a fifth of the scale from 0% to 100% a row.

    Without a chance it is not shown: `story.track` says so.

    Columns: Forecast chance, Forecasts, Average forecast, Met target.

    >>> tables.track(company).rows  # no forecast has come due yet
    []
    """
    rows: list[list[Cell]] = []
    if board.track.chances:
        for row in board.track.calibration.to_dict("records"):
            rows.append(_fifth_row(board, row))
    numeric = ["Forecasts", "Average forecast", "Met target"]
    columns = ["Forecast chance", *numeric]
    return Table("How past forecasts turned out", columns, rows, frozenset(numeric), nothing="")


def _fifth_row(board: Board, row: dict[Any, Any]) -> list[Cell]:
    written = numbers.of(board)
    fifth = f"{row['low']:.0%} to {row['high']:.0%}"
    count = written.count(row["cases"])
    if row["cases"] < _FEWEST:
        return [fifth, count, "too few", "too few"]
    return [fifth, count, written.share(row["said"]), written.share(row["came"])]


def solve_next(board: Board) -> Table:
    """Return the things to solve, best first, a thing a row; the columns are `COLUMNS`.

    How often a thing was asked for is shown, but does not decide the order.

    >>> table = tables.solve_next(company)
    >>> [row[:4] for row in table.rows]
    [['1. Payments arrive late', 'Head of Shop', '5 days late', '€8,166']]
    """
    rows = [_solve_row(board, row) for row in board.priorities.to_dict("records")]
    return Table("Problems by cost and urgency", COLUMNS, rows, NUMERIC)


def shortlist(board: Board, count: int = 3) -> Table:
    """Return the first `count` things to solve: owner, cost, and by when to start.

    >>> print(tables.shortlist(company))
    Top problems
    Problem | Owner | Cost a year | Start by
    1. Payments arrive late | Head of Shop | €8,166 | 5 days late
    """
    rows: list[list[Cell]] = []
    for row in board.priorities.head(count).to_dict("records"):
        what = f"{row['rank']}. {row['title']}"
        owner = str(row["owner"] or row["raised_by"] or "no owner")
        stake = _stake_text(board, row["at_stake"])
        rows.append([what, owner, stake, _start_text(board, row["slack"])])
    columns = ["Problem", "Owner", "Cost a year", "Start by"]
    return Table("Top problems", columns, rows, frozenset({"Cost a year"}), "the list is empty")


def _stake_text(board: Board, amount: float) -> str:
    if pd.isna(amount):
        return MISSING
    return numbers.of(board).rough(amount, board.company.currency)


def _start_text(board: Board, slack: float) -> str:
    """Write the last day on which work can start in time, or how late it is."""
    if pd.isna(slack):
        return MISSING
    written = numbers.of(board)
    if slack < 0:
        return f"{written.quantity(-int(slack), 'days')} late"
    return written.date(board.as_of + dt.timedelta(days=int(slack)))


def _solve_row(board: Board, row: dict[Any, Any]) -> list[Cell]:
    written = numbers.of(board)
    what = f"{row['rank']}. {row['title']}"
    if row["reports"]:
        what += f" ({written.quantity(row['reports'], 'reports')})"
    asked = MISSING
    if row["kind"] == "asked":
        asked = str(row["asked"])
    return [
        what,
        row["owner"] or row["raised_by"] or MISSING,
        _start_text(board, row["slack"]),
        _stake_text(board, row["at_stake"]),
        _stake_text(board, row["at_stake_low"]),
        _stake_text(board, row["at_stake_high"]),
        row["effort"] or MISSING,
        written.share(row["stability"]),
        asked,
        row["why"],
    ]
