"""The review: a board's numbers, what was agreed about them, and what feeds them.

The scorecard, six weeks and twelve months, splits, and where the numbers came from; what each light
means and asks for, and who owns what; the inputs of a number, what moved of late, and how inputs
lead to the North Star. On a summary the last ones stand between chart and next steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dataops_nb import numbers
from dataops_nb.alignment.comparisons import covers
from dataops_nb.alignment.measures import sources_of
from dataops_nb.board import Board, at_grain, current_rows, history, segments
from dataops_nb.display import Cell, Fact, Light, Table
from dataops_nb.links.pairs import flow
from dataops_nb.metrics import Light as Threshold
from dataops_nb.story.decisions import briefly, due_fact
from dataops_nb.story.facts import PARTIAL, beside, facts, is_partial
from dataops_nb.story.lights import most_moved
from dataops_nb.story.phrases import small_label
from dataops_nb.story.summary import room_for_inputs
from dataops_nb.terms import Grain

MISSING = "–"
CANNOT_TELL = "can't tell"  # successive values are too alike to separate change from chance
_TO_DATE = {"mtd": "Month to date", "qtd": "Quarter to date", "ytd": "Year to date"}
_PROVENANCE = {
    "source": "Source",
    "system": "System",
    "owner": "Owner",
    "files": "Files",
    "rows": "Rows",
    "data_to": "Data to",
    "sha256": "File check",
}
_INPUT_COLUMNS = ("Now", "Status", "Owner", "Data to")
MOST_INPUTS = 7
FEWEST_INPUTS = 3  # whatever else a summary says
_LATE = ("stale", "incomplete", "no data")
_BOUNDS = {"up": "≥ {}", "down": "≤ {}"}


def scorecard(board: Board) -> Table:
    """Return every metric of the board in its period, a metric a row.

    Columns: Metric, Status, Change, Now, Target, the period before, Year earlier, Meets target
    (whether it does by itself); and Data to where the metrics do not all reach the same day.

    >>> str(tables.scorecard(this)).splitlines()[0]
    'Results, week 46'
    """
    columns = [
        "Metric",
        "Status",
        "Change",
        "Now",
        "Target",
        f"{board.grain.capitalize()} before",
        "Year earlier",
        "Meets target",
    ]
    rows = [_score_row(board, row) for _, row in board.current.iterrows()]
    if board.current["data_to"].nunique(dropna=False) > 1:
        columns.append("Data to")
    else:
        rows = [row[:-1] for row in rows]
    when = numbers.of(board).period(board.period)
    return Table(f"Results, {when}", columns, rows, frozenset(columns[3:7]))


def _score_row(board: Board, row: pd.Series) -> list[Cell]:
    return [
        board.company.label(row["metric"]),
        Light(row["light"], row.get("reason")),
        variation_text(row),
        level_text(board, row, "value"),
        target_text(board, row),
        level_text(board, row, "previous"),
        level_text(board, row, "same_last_year"),
        numbers.assurance_of(row) or MISSING,
        data_to_text(board, row),
    ]


def data_to_text(board: Board, row: pd.Series) -> str:
    """Write the day up to which a row has data; a dash where there is none."""
    if pd.isna(row["data_to"]):
        return MISSING
    return numbers.of(board).date(row["data_to"].date())


def variation_text(row: pd.Series) -> str:
    """Write whether a row's value is usual for its metric; a dash where there is none."""
    if pd.isna(row["value"]):
        return MISSING
    return numbers.variation_of(row) or CANNOT_TELL


def target_text(board: Board, row: Any) -> str:
    """Write a row's target (`≥ 13`), limit (`≤ 26`) or range (`3 to 7`); a dash where none."""
    if pd.isna(row["target_low"]):
        text = level_text(board, row, "target")
        if text == MISSING:
            return MISSING
        return _BOUNDS[board.company.metrics[str(row["metric"])].better].format(text)
    return f"{level_text(board, row, 'target_low')} to {level_text(board, row, 'target_high')}"


def level_text(board: Board, row: Any, field: str, *, marked: bool = True) -> str:
    """Write a field of a row so that it reads apart from what it is compared with.

    What the data cover in part is `marked`; a dash where there is no value.
    """
    if pd.isna(row[field]):
        return MISSING
    text = beside(board.company, row).number(row[field])
    return PARTIAL.format(text) if marked and is_partial(row, field) else text


def number_text(board: Board, value: float, unit: str) -> str:
    """Write a value in its unit; a dash where there is none."""
    if pd.isna(value):
        return MISSING
    return numbers.of(board).number(value, unit)


def six_twelve(board: Board, metric: str) -> Table:
    """Return the last six weeks and twelve months, and month, quarter and year to date.

    Columns: Period, Value, Target, Year earlier, Change. What the data cover in part is marked
    (partial), and no change is told from it or to it.

    >>> str(tables.six_twelve(this, "revenue")).splitlines()[2]
    '2026-W44 | €200 | ≥ €300 | – | –'
    """
    weeks = _last_periods(board, metric, "week", 6)
    months = _last_periods(board, metric, "month", 12)
    rows = [_period_row(board, row, metric) for _, row in weeks.iterrows()]
    rows += [_period_row(board, row, metric) for _, row in months.iterrows()]
    covered = covers(board.rows, metric, board.period)
    rows += [_to_date_row(board, metric, name, covered) for name in _TO_DATE]
    spans = [(len(weeks), "week"), (len(months), "month")]
    counts = [numbers.of(board).quantity(count, f"{grain}s") for count, grain in spans if count]
    shown = f"last {', '.join(counts)} and to date" if counts else "to date"
    caption = f"{board.company.label(metric)}: {shown}"
    columns = ["Period", "Value", "Target", "Year earlier", "Change"]
    return Table(caption, columns, rows, frozenset(columns[1:]))


def _last_periods(board: Board, metric: str, grain: Grain, periods: int) -> pd.DataFrame:
    """Return a metric's last periods of a grain; no rows where it has no values at that grain."""
    if grain not in board.company.metrics[metric].grains:
        return board.table.iloc[:0]
    if board.grain != grain:
        board = at_grain(board, grain)
    return history(board, metric, periods)


def _period_row(board: Board, row: pd.Series, metric: str) -> list[Cell]:
    unit = board.company.metrics[metric].unit
    change = MISSING
    if row["complete"] and not is_partial(row, "same_last_year"):
        change = _change_text(board, row["value"], row["same_last_year"], unit)
    period = row["period"]
    if not row["complete"]:
        period = PARTIAL.format(period)
    return [
        period,
        level_text(board, row, "value", marked=False),
        target_text(board, row),
        level_text(board, row, "same_last_year"),
        change,
    ]


def _to_date_row(board: Board, metric: str, name: str, covered: Mapping[str, bool]) -> list[Cell]:
    row, unit = board.row(metric), board.company.metrics[metric].unit
    earlier = f"{name}_last_year"
    texts: list[Cell] = []
    for field in (name, earlier):
        text = number_text(board, row[field], unit)
        if text != MISSING and not covered[field]:
            text = PARTIAL.format(text)
        texts.append(text)
    change = MISSING
    if covered[name] and covered[earlier]:
        change = _change_text(board, row[name], row[earlier], unit)
    return [_TO_DATE[name], texts[0], MISSING, texts[1], change]


def _change_text(board: Board, value: float, before: float, unit: str) -> str:
    """Write a change in percent, of a percentage in points; a dash where there is none.

    Nothing is a percentage of 0 or of less.
    """
    if pd.isna(value) or pd.isna(before):
        return MISSING
    if unit == "percent":
        return numbers.of(board).effect(value - before, unit)
    if before <= 0:
        return MISSING
    return f"{_signed_digits(board, (value / before - 1) * 100)}%"


def _signed_digits(board: Board, percent: float) -> str:
    text = f"{abs(percent):.1f}"
    sign = "+" if percent > 0 else numbers.MINUS
    return f"{sign if float(text) else ''}{numbers.of(board).digits(text)}"


def split(board: Board, metric: str, by: str, periods: int = 6) -> Table:
    """Return a metric's last periods by a declared dimension, the largest segment first.

    >>> str(tables.split(this, "revenue", "channel")).splitlines()[-1]
    'shop | – | – | – | €0 | €60 | €90'
    """
    unit = board.company.metrics[metric].unit
    rows = segments(board, metric, by, periods)
    partial = set(rows.loc[~rows["complete"].astype(bool), "period"])
    wide = rows.pivot_table(
        index="segment", columns="period", values="value", aggfunc="first", dropna=False
    )
    if len(wide.columns):
        wide = wide.sort_values(wide.columns[-1], ascending=False)
    body: list[list[Cell]] = []
    for segment, values in zip(wide.index, wide.to_numpy(), strict=True):
        name = segment.split("=", 1)[1]
        body.append([name, *(number_text(board, value, unit) for value in values)])
    dimension = by.replace("_", " ")
    caption = f"{board.company.label(metric)} by {dimension}"
    periods_shown = [str(name) for name in wide.columns]
    for place, name in enumerate(wide.columns):
        if name in partial:
            periods_shown[place] = PARTIAL.format(name)
    columns = [dimension.capitalize(), *periods_shown]
    return Table(caption, columns, body, frozenset(periods_shown))


def provenance(board: Board) -> Table:
    """Return the sources of the board's numbers, a source a row.

    Columns: Source, System, Owner, Files, Rows, Data to, File check (their SHA-256).

    >>> table = tables.provenance(company)
    >>> [row[:5] for row in table.rows]
    [['orders', 'Shop', 'Shop Ops', 'orders.csv', '8'], ['payments', 'Bank', 'Finance',
    'payments.csv', '7']]
    """
    sources = board.rows.provenance(*sources_of(board.company, board.metrics))
    rows: list[list[Cell]] = []
    for _, source in sources.iterrows():
        rows.append([_plain_text(board, source[name]) for name in _PROVENANCE])
    columns = list(_PROVENANCE.values())
    return Table("Sources", columns, rows, frozenset({"Rows"}))


def _plain_text(board: Board, value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    is_nan = value != value  # noqa: PLR0124  NaN differs from itself
    if value is None or value is pd.NaT or is_nan:
        return MISSING
    if isinstance(value, int) and not isinstance(value, bool):
        return numbers.of(board).count(value)
    return str(value)


def lights(board: Board, metric: str | None = None) -> Table:
    """Return what each light of a metric means and asks for; by default of the lead.

    Columns: Status, From, Meaning, Action, Within.

    >>> print(tables.lights(company))
    What each light means for revenue
    Status | From | Meaning | Action | Within
    ● Green | 100% of target | On plan. | Keep going. | –
    ▲ Yellow | 85% of target | Recoverable. | Review this week. | 14 days
    ■ Red | below that | The plan is at risk. | Stop and plan again. | 5 days
    """
    metric = metric or board.lead
    agreed = board.company.lights(metric)
    rows: list[list[Cell]] = []
    if agreed is not None:
        for colour in ("green", "yellow", "red"):
            threshold = getattr(agreed, colour)
            if threshold is not None:
                rows.append(_light_row(board, colour, threshold))
    caption = f"What each light means for {small_label(board, metric).text}"
    return Table(caption, ["Status", "From", "Meaning", "Action", "Within"], rows)


def _light_row(board: Board, colour: str, threshold: Threshold) -> list[Cell]:
    start = "below that"
    if threshold.at_least is not None:
        start = f"{numbers.of(board).threshold(threshold.at_least)} of target"
    within = MISSING
    if threshold.act_within:
        within = str(threshold.act_within)
    return [Light(colour), start, threshold.means, threshold.do, within]


def owners(board: Board) -> Table:
    """Return every metric's question, department and owner, a metric a row.

    >>> print(tables.owners(company))
    Owners
    Metric | Question | Department | Owner
    Revenue | Do we sell enough to live on? | Shop | Head of Shop
    New customers | – | Shop | Head of Shop
    Paid | – | Finance | Head of Finance
    Paid share | – | Finance | Head of Finance
    """
    company = board.company
    rows: list[list[Cell]] = []
    for metric in board.metrics:
        department = company.departments[company.department_of(metric)]
        question = company.metrics[metric].question or MISSING
        owner = department.owner or MISSING
        rows.append([company.label(metric), question, department.department, owner])
    return Table("Owners", ["Metric", "Question", "Department", "Owner"], rows)


def reactions(board: Board) -> Table:
    """Return what to do about the lights that are on, the most urgent first.

    Columns: Metric, Status, Owner, Action, By.

    >>> print(tables.reactions(company))
    Actions due
    Metric | Status | Owner | Action | By
    Revenue | ■ Red | Head of Shop | Find the cause. | 6 Nov, answered
    """
    rows = [_reaction_row(board, row) for row in board.reactions.to_dict("records")]
    columns = ["Metric", "Status", "Owner", "Action", "By"]
    return Table("Actions due", columns, rows, nothing="nothing")


def _reaction_row(board: Board, row: dict[Any, Any]) -> list[Cell]:
    words = briefly(board, str(row["metric"]))
    due = due_fact(board, str(row["metric"]), row["due"]).text
    if row["answered"]:
        due = f"{due}, answered"
    elif row["overdue"]:
        due = f"{due}, overdue"
    return [
        board.company.label(row["metric"]),
        Light(row["light"], row.get("reason")),
        row["owner"] or "no owner",
        words.text if words else MISSING,
        due,
    ]


def feeds(board: Board, most: int = MOST_INPUTS) -> Table:
    """Return what feeds the board's numbers, the strongest first: value, light, owner of each.

    A North Star is fed by what moves it in the data, whether or not somebody declared it, by the
    parts of its formula, and by what was declared to move it, wherever it is measured; an input
    that says the same as a stronger one is left out. Another metric that leads a board is fed by
    what stands directly below it in the tree. The date of the data is shown where it differs. The
    weakest are left out where a summary would have more words than anybody reads.

    >>> print(tables.feeds(company))
    Inputs to the North Star
    Input | Feeds | Change | Now | Status | Owner
    New customers | Revenue | can't tell | 2 | ● Green | Head of Shop
    """
    company = board.company
    if board.lead in company.north_star:
        return _feeds_of_stars(board, most)
    inputs = board.inputs.head(most)
    return _input_table(
        board,
        [(row, []) for _, row in inputs.iterrows()],
        [],
        small_label(board, board.lead).text,
    )


def _feeds_of_stars(board: Board, most: int) -> Table:
    stars_of: dict[str, list[str]] = {}
    for name, star in _strongest_pairs(board):
        stars_of.setdefault(name, []).append(board.company.label(star))
    rows = current_rows(board, list(stars_of)[:most])
    row_of = {str(row["metric"]): row for _, row in rows.iterrows()}
    fed: list[tuple[pd.Series, list[Cell]]] = []
    for name in list(stars_of)[:most]:
        if name in row_of:
            row = row_of[name]
            fed.append((row, ["; ".join(stars_of[name]), variation_text(row)]))
    return _input_table(board, fed, ["Feeds", "Change"], "the North Star")


def _strongest_pairs(board: Board) -> list[tuple[str, str]]:
    """Return inputs with the North Stars they feed, as the data show them.

    What moves a star comes first, the surest first; then parts of its formula; then what was only
    declared to move it.
    """
    ranked: list[tuple[int, float, float, str, str]] = []
    for row in board.company_links.to_dict("records"):
        is_found = row["verdict"] == "moves" and not row["contradicted"]
        if row["target"] not in board.metrics or pd.notna(row.get("same_as")):
            continue
        if is_found:
            ranked.append((0, row["q"], -abs(row["effect"]), row["input"], row["target"]))
        elif row["is_part"]:
            ranked.append((1, 0.0, 0.0, row["input"], row["target"]))
        elif row["declared"]:
            ranked.append((2, 0.0, 0.0, row["input"], row["target"]))
    ranked.sort(key=lambda pair: pair[:3])
    return [(name, star) for *_, name, star in ranked]


def _input_table(
    board: Board, fed: list[tuple[pd.Series, list[Cell]]], further: list[str], of: str
) -> Table:
    """Return inputs as a table; the date of their data only where one differs from the page's."""
    reach = board.row(board.lead)["data_to"]
    is_dated = any(row["data_to"] != reach for row, _ in fed)
    rows: list[list[Cell]] = []
    room = room_for_inputs(board)
    for row, more in fed:
        label, *others = _input_row(board, row)
        cells = [label, *more, *(others if is_dated else others[:-1])]
        room -= sum(len(str(cell).split()) for cell in cells)
        if room >= 0 or len(rows) < FEWEST_INPUTS:
            rows.append(cells)
    columns = [*_INPUT_COLUMNS] if is_dated else [*_INPUT_COLUMNS[:-1]]
    names = ["Input", *further, *columns]
    return Table(f"Inputs to {of}", names, rows, frozenset({"Now"}), "none known")


def _input_row(board: Board, row: pd.Series) -> list[Cell]:
    company, metric = board.company, str(row["metric"])
    department = company.departments[company.department_of(metric)]
    return [
        company.label(metric),
        level_text(board, row, "value"),
        Light(row["light"], row["reason"]),
        department.owner or "no owner",
        data_to_text(board, row),
    ]


def moved(board: Board, count: int = 3) -> Table:
    """Return the `count` metrics that moved most since the period before, the largest first.

    Changes are compared by each metric's own usual change. Columns: Metric, Change, Now.

    >>> print(tables.moved(company))
    Biggest changes from the week before
    Metric | Change | Now
    Revenue | +€110.50 | €320.50
    Paid | +€35 | €245
    New customers | +1 | 2
    """
    known = facts(board)
    rows: list[list[Cell]] = []
    for metric in most_moved(board, count):
        change = _signed_change(board, known[f"{metric}.change"])
        rows.append([board.company.label(metric), change, known[f"{metric}.value"].text])
    columns, caption = ["Metric", "Change", "Now"], f"Biggest changes from the {board.grain} before"
    changes = [known.get(f"{metric}.change") for metric in board.metrics]
    nothing = "none" if any(changes) else "nothing to compare"
    return Table(caption, columns, rows, frozenset({"Now"}), nothing)


def _signed_change(board: Board, change: Fact) -> str:
    """Write a change with its sign; of what is best when it is low, whether it is better."""
    is_rise = float(change.value or 0) > 0
    text = f"{'+' if is_rise else numbers.MINUS}{change.text}"
    definition = board.company.metrics[change.metric]
    if definition.better == "down" and definition.has_direction:
        return f"{text} ({'worse' if is_rise else 'better'})"
    return text


def leads(board: Board) -> Table:
    """Return the declared links of the board's inputs, a link a row; not shown without any.

    Columns: Input, Expected effect on, After, What the data show, Reason.

    >>> print(tables.leads(company))
    Does it move the North Star?
    Input | Expected effect on | After | What the data show | Reason
    New customers | Revenue | 1 week | No sign yet | who comes once comes again
    """
    company = board.company
    rows: list[list[Cell]] = []
    for metric in board.metrics:
        for move in company.metrics[metric].moves:
            after = MISSING
            if move.after:
                after = str(move.after)
            row: list[Cell] = [
                company.label(metric),
                company.label(move.metric),
                after,
                _link_verdict(board, metric, move.metric),
                move.because or MISSING,
            ]
            rows.append(row)
    columns = ["Input", "Expected effect on", "After", "What the data show", "Reason"]
    return Table("Does it move the North Star?", columns, rows, nothing="")


def _link_verdict(board: Board, metric: str, target: str) -> str:
    """Write what the data show of an expected link; only links to a North Star are tested."""
    tested = board.links[board.links["input"] == metric]
    for _, row in tested.iterrows():
        star = str(row["target"])
        if target in {star, flow(board.company, star)}:
            return _verdict(board, row)
    return "Not tested"


def _verdict(board: Board, row: pd.Series) -> str:
    reasons = {
        "is_part": "Yes, part of the formula",
        "rocking_chair": "No effect seen, though it is up",
        "together": f"Same {board.grain}, can't tell which moves which",
    }
    for column, reason in reasons.items():
        if row[column]:
            return reason
    if row["contradicted"]:
        return "No, the opposite" if row["verdict"] == "moves" else "No effect seen"
    if row["verdict"] == "moves":
        lag = numbers.of(board).quantity(int(row["lag"]), f"{board.grain}s")
        return f"Yes, after {lag}"
    if row["verdict"] == "does not":
        return "No effect seen"
    return "No sign yet"
