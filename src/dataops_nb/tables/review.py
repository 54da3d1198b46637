"""Numbers for review: the scorecard, six weeks and twelve months, a split, and where it all came from."""

from __future__ import annotations

import pandas as pd

from dataops_nb.alignment import sources_of
from dataops_nb.board import Board, at_grain, history, segments
from dataops_nb.definitions.models import Grain
from dataops_nb.story import numbers
from dataops_nb.tables.markup import Light, Table

_NOTHING = "–"


def scorecard(board: Board) -> Table:
    """One row a metric: light, variation, value, target, the period before, the same period last year, data to."""
    grain = board.grain.capitalize()
    columns = ["Metric", "Light", "Variation", "Now", "Target", f"{grain} before", "Last year", "Data to"]
    rows = [_score(board, row) for _, row in board.current.iterrows()]
    when = numbers.of(board).period(board.period)
    return Table(f"Scorecard for {when}", columns, rows, frozenset(columns[3:7]))


def _reach(board: Board, row: pd.Series) -> str:
    return numbers.of(board).date(row["data_to"].date()) if pd.notna(row["data_to"]) else _NOTHING


def _varies(row: pd.Series) -> str:
    return numbers.variation(row["variation"], row["value"], row["center"]) or "no verdict"


def _target(board: Board, row: pd.Series, unit: str) -> str:
    if pd.notna(row["target_low"]):
        return f"{_number(board, row['target_low'], unit)} to {_number(board, row['target_high'], unit)}"
    return _number(board, row["target"], unit)


def _score(board: Board, row: pd.Series) -> list[str | Light]:
    unit = board.definitions.metrics[row["metric"]].unit
    shown = [
        _number(board, row["value"], unit),
        _target(board, row, unit),
        *(_number(board, row[n], unit) for n in ("previous", "same_last_year")),
    ]
    return [board.definitions.label(row["metric"]), Light(row["light"]), _varies(row), *shown, _reach(board, row)]


def six_twelve(board: Board, metric: str) -> Table:
    """The last six weeks and twelve months with last year's, and month-, quarter- and year-to-date with theirs."""
    unit = board.definitions.metrics[metric].unit
    weeks, months = _last(board, metric, "week", 6), _last(board, metric, "month", 12)
    rows = [*_rows(board, weeks, unit), *_rows(board, months, unit), *_to_date(board, metric)]
    columns = ["Period", "Value", "Target", "Last year", "Change"]
    return Table(
        f"{board.definitions.label(metric)}: six weeks, twelve months, to date", columns, rows, frozenset(columns[1:])
    )


def _last(board: Board, metric: str, grain: Grain, periods: int) -> pd.DataFrame:
    """A metric's last periods of a grain; no rows where it makes no sense there."""
    if grain not in board.definitions.metrics[metric].grains:
        return board.table.iloc[:0]
    return history(board if board.grain == grain else at_grain(board, grain), metric, periods)


def _rows(board: Board, rows: pd.DataFrame, unit: str) -> list[list[str | Light]]:
    return [
        [row["period"] + ("" if row["complete"] else " (partial)"),
         *(_number(board, row[name], unit) for name in ("value", "target", "same_last_year")),
         _change(board, row["value"], row["same_last_year"], unit)]
        for _, row in rows.iterrows()
    ]  # fmt: skip


def _to_date(board: Board, metric: str) -> list[list[str | Light]]:
    row, unit = board.row(metric), board.definitions.metrics[metric].unit
    names = {"mtd": "Month to date", "qtd": "Quarter to date", "ytd": "Year to date"}
    return [
        [label, _number(board, row[name], unit), _NOTHING, _number(board, row[f"{name}_last_year"], unit),
         _change(board, row[name], row[f"{name}_last_year"], unit)]
        for name, label in names.items()
    ]  # fmt: skip


def split(board: Board, metric: str, by: str, periods: int = 6) -> Table:
    """A metric's last periods by a declared dimension, the largest first."""
    rows, unit = segments(board, metric, by, periods), board.definitions.metrics[metric].unit
    wide = rows.pivot_table(index="segment", columns="period", values="value", aggfunc="first", dropna=False)
    wide = wide.sort_values(wide.columns[-1], ascending=False) if len(wide.columns) else wide
    body = [
        [name.split("=", 1)[1], *(_number(board, value, unit) for value in row)]
        for name, row in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    columns = [by.replace("_", " ").capitalize(), *wide.columns]
    return Table(f"{board.definitions.label(metric)} by {by.replace('_', ' ')}", columns, body, frozenset(wide.columns))


def provenance(board: Board) -> Table:
    """Where the numbers came from: system, owner, files, rows, how far they reach, and the files' fingerprint."""
    known = board.catalog.provenance(*sources_of(board.definitions, board.metrics))
    columns = {"source": "Source", "system": "System", "owner": "Owner", "files": "Files", "rows": "Rows",
               "data_to": "Data to", "sha256": "Fingerprint"}  # fmt: skip
    rows = [[_text(board, row[name]) for name in columns] for _, row in known.iterrows()]
    return Table("Where the numbers came from", list(columns.values()), rows, frozenset({"Rows"}))


def _number(board: Board, value: float, unit: str) -> str:
    return _NOTHING if pd.isna(value) else numbers.of(board).number(value, unit)


def _change(board: Board, value: float, before: float, unit: str) -> str:
    if pd.isna(value) or pd.isna(before) or (unit != "percent" and before == 0):
        return _NOTHING
    if unit == "percent":
        return f"{_signed(board, (value - before) * 100)} points"
    return f"{_signed(board, (value / before - 1) * 100)} %" if before > 0 else _NOTHING


def _signed(board: Board, percent: float) -> str:
    text = f"{percent:+.1f}"
    return f"{text[0]}{numbers.of(board).digits(text[1:])}"


def _text(board: Board, value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if value is None or value is pd.NaT or value != value:  # noqa: PLR0124 - NaN differs from itself
        return _NOTHING
    if isinstance(value, int) and not isinstance(value, bool):
        return numbers.of(board).count(value)
    return str(value)
