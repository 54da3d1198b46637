"""Lines over time: one metric against its target and last year, or several metrics side by side."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from dataops_nb.board import Board, history
from dataops_nb.charts import happenings, labels
from dataops_nb.charts.rendering import ACCENT, FAINT, HEIGHT, INK, LIGHTS, WIDTH, style, styled
from dataops_nb.story import Sentence, Told, numbers

ROOM = 80  # at the right, for the names of the lines
_AXIS = alt.Axis(title=None, grid=False, tickCount=7)
_WHEN = alt.X("period_start:T")  # altair guesses the class of a bare string, which takes five milliseconds each


def trend(board: Board, metric: str, periods: int = 26, marks: pd.DataFrame | None = None) -> Any:
    """A metric's last 26 periods: the value (solid), its target (dashed), last year (dotted), this period labelled.

    Thin lines are its usual range and its centre; rings are its signals. The title is the finding: how often it met its
    target. The events that may have moved it are upright dashed lines, numbered, and so are `marks` (columns `date`,
    `title`) beside them; the subtitle lists what they were. A metric without a value is a sentence that says so, and no
    empty frame.
    """
    rows = _drawable(board, history(board, metric, periods))
    if rows["value"].isna().all():
        return Told((Sentence(_alternative(board, rows, metric), ()),))
    unit = board.definitions.metrics[metric].unit
    found = happenings.seen(board, rows, metric, marks)
    layers = [
        *_last_year(rows, unit),
        *_usual(rows, unit),
        *_target(rows, unit),
        _value(rows, unit),
        *happenings.drawn(found, rows),
        *_signals(rows),
        *labels.ends(_ends(rows), rows["period_start"].max(), _all(rows)),
        *_current(board, rows, metric),
    ]
    said = f"{_alternative(board, rows, metric)}{happenings.in_words(board, found)}"
    dressed = style(board, _finding(board, rows, metric), said, happenings.listed(board, found))
    return alt.layer(*layers, width=WIDTH - ROOM, height=HEIGHT, **dressed)


def _ends(rows: pd.DataFrame) -> list[tuple[str, float]]:
    """What the lines beside the value are called, and where each ends."""
    band = rows["target_low"].notna().any()
    shown = rows.assign(same_last_year=_whole_last_year(rows), upper=rows["upper"].where(_has_range(rows)))
    called = {"target_high" if band else "target": "agreed band" if band else "target", "same_last_year": "last year",
              "upper": "usual range"}  # fmt: skip
    known = {name: shown[name].dropna() for name in called}
    return [(called[name], float(values.iloc[-1])) for name, values in known.items() if len(values)]


def _all(rows: pd.DataFrame) -> pd.Series:
    """Every value that is drawn."""
    limits = rows[["lower", "upper"]].where(_has_range(rows))
    fields = [rows[name] for name in ("value", "target", "target_low", "target_high")]
    drawn: pd.Series = pd.concat([*fields, _whole_last_year(rows), limits["lower"], limits["upper"]])
    return drawn.astype(float).dropna()


def _whole_last_year(rows: pd.DataFrame) -> pd.Series:
    said: pd.Series = rows["same_last_year"].where(rows["same_last_year_complete"].astype(bool))
    return said


def _has_range(rows: pd.DataFrame) -> pd.Series:
    """Where the limits come from enough periods to be drawn."""
    enough: pd.Series = rows["limits_reason"] != "too short"
    return rows["lower"].notna() & enough


def _finding(board: Board, rows: pd.DataFrame, metric: str) -> str:
    label, judged = board.definitions.label(metric), rows[rows["light"] != "unknown"]
    if judged.empty:
        return f"{label} over the last {_count(rows, board)}"
    met = int((judged["attainment"] >= 1).sum())
    return f"{label}: on target in {met} of the last {len(judged)} {board.grain}s"


def _count(rows: pd.DataFrame, board: Board) -> str:
    return board.grain if len(rows) == 1 else f"{len(rows)} {board.grain}s"


def compare(board: Board, metrics: list[str], periods: int = 26, title: str | None = None) -> Any:
    """Several metrics of one unit over the last periods, each labelled at its end; dashes tell them apart."""
    rows = pd.concat([_drawable(board, history(board, metric, periods)) for metric in metrics])
    rows = rows.assign(label=rows["metric"].map(board.definitions.label))
    unit = board.definitions.metrics[metrics[0]].unit
    names = [board.definitions.label(metric) for metric in metrics]
    base = alt.Chart(_values(rows, ["period_start", "label", "value"])).encode(
        x=alt.X("period_start:T", axis=_AXIS), y=_y("value:Q", unit), detail=alt.Detail("label:N")
    )
    dashes = alt.Scale(domain=names, range=[[1, 0], [6, 3], [2, 2], [8, 3, 2, 3]][: len(names)])
    lines = base.mark_line(strokeWidth=2.2, color=ACCENT).encode(
        strokeDash=alt.StrokeDash("label:N", scale=dashes, legend=None)
    )
    known = rows.dropna(subset=["value"])
    last = known.groupby("label", sort=False).tail(1)
    named = [(str(name), float(value)) for name, value in zip(last["label"], last["value"], strict=True)]
    ends = labels.ends(named, rows["period_start"].max(), known["value"], INK) if named else []
    head = title or _listed(names)
    chart = alt.layer(lines, *ends).properties(width=WIDTH - 130, height=HEIGHT)
    return styled(
        board, chart, head, f"{head}. " + " ".join(_alternative(board, rows[rows["metric"] == m], m) for m in metrics)
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _drawable(board: Board, rows: pd.DataFrame) -> pd.DataFrame:
    whole = rows["complete"] | rows["value"].isna()
    return rows.assign(value=rows["value"].where(whole), now=rows["period"] == board.period.id)


def _values(rows: pd.DataFrame, columns: list[str]) -> alt.InlineData:
    """These columns as records: days as their midnight, numbers with six digits, nothing where nothing is known."""
    told = zip(*(_plain(rows[name]) for name in columns), strict=True)
    return alt.InlineData(values=tuple(dict(zip(columns, record, strict=True)) for record in told))


def _plain(column: pd.Series) -> list[Any]:
    said = zip(column.tolist(), column.isna().tolist(), strict=True)
    if column.dtype.kind == "M":
        return [None if missing else f"{value.date()}T00:00:00" for value, missing in said]
    if column.dtype.kind in "iuf":
        return [None if missing else float(f"{value:.6g}") for value, missing in said]
    return [None if missing else value for value, missing in said]


def _y(field: str, unit: str) -> alt.Y:
    axis = alt.Axis(title=None, format="~%" if unit == "percent" else "~s", tickCount=5)
    return alt.Y(field, axis=axis, scale=alt.Scale(zero=False, nice=True))


def _value(rows: pd.DataFrame, unit: str) -> Any:
    base = alt.Chart(_values(rows, ["period_start", "value"])).encode(
        x=alt.X("period_start:T", axis=_AXIS), y=_y("value:Q", unit)
    )
    return base.mark_line(color=ACCENT, strokeWidth=2.4, point=alt.OverlayMarkDef(color=ACCENT, size=18))


def _target(rows: pd.DataFrame, unit: str) -> list[alt.Chart]:
    dashed: Any = {"color": INK, "strokeDash": [6, 4], "strokeWidth": 1.4, "interpolate": "step-after"}
    fields = ["target_low", "target_high"] if rows["target_low"].notna().any() else ["target"]
    known = [field for field in fields if rows[field].notna().any()]
    return [
        alt.Chart(_values(rows, ["period_start", field])).mark_line(**dashed).encode(x=_WHEN, y=_y(f"{field}:Q", unit))
        for field in known
    ]


def _usual(rows: pd.DataFrame, unit: str) -> list[alt.Chart]:
    """The limits and the centre line as thin lines, where they come from enough periods to be drawn."""
    drawn = rows[_has_range(rows)]
    if drawn.empty:
        return []
    data = _values(drawn, ["period_start", "lower", "center", "upper"])
    thin: Any = {"color": FAINT, "strokeWidth": 0.8, "interpolate": "step-after"}
    return [
        alt.Chart(data).mark_line(**thin).encode(x=_WHEN, y=_y(f"{field}:Q", unit))
        for field in ("lower", "center", "upper")
    ]


def _signals(rows: pd.DataFrame) -> list[alt.Chart]:
    found = rows[rows["signal"].notna() & rows["value"].notna()]
    if found.empty:
        return []
    base = alt.Chart(_values(found, ["period_start", "value"])).encode(x=_WHEN, y=alt.Y("value:Q"))
    return [base.mark_point(filled=False, size=110, color=INK, strokeWidth=1.4, opacity=1)]


def _last_year(rows: pd.DataFrame, unit: str) -> list[alt.Chart]:
    shown = rows.assign(same_last_year=_whole_last_year(rows))
    line = alt.Chart(_values(shown, ["period_start", "same_last_year"])).mark_line(
        color=FAINT, strokeDash=[2, 3], strokeWidth=1.6
    ).encode(x=_WHEN, y=_y("same_last_year:Q", unit))  # fmt: skip
    return [line]


def _current(board: Board, rows: pd.DataFrame, metric: str) -> list[alt.Chart]:
    now = rows[rows["now"] & rows["value"].notna()]
    if now.empty:
        return []
    unit, value, at = board.definitions.metrics[metric].unit, now["value"].iloc[0], now["period_start"].iloc[0]
    text = f"{numbers.of(board).number(value, unit)} in {numbers.of(board).period(board.period)}"
    base = alt.Chart(_values(now, ["period_start", "value"])).encode(x=_WHEN, y=alt.Y("value:Q"))
    fill = LIGHTS[str(now["light"].iloc[0])]
    return [
        base.mark_point(filled=True, size=120, color=fill, stroke=INK, strokeWidth=1.2, opacity=1),
        *labels.said(at, value, text, over=labels.above(rows, value)),
    ]


def _alternative(board: Board, rows: pd.DataFrame, metric: str) -> str:
    known = rows.dropna(subset=["value"])
    label, unit = board.definitions.label(metric), board.definitions.metrics[metric].unit
    if known.empty:
        return f"{label}: no values in the last {_count(rows, board)}."
    low, high = (numbers.of(board).number(value, unit) for value in (known["value"].min(), known["value"].max()))
    last = numbers.of(board).number(known["value"].iloc[-1], unit)
    said = f"{label} over the last {len(rows)} {board.grain}s: between {low} and {high}, {last} in {known['period'].iloc[-1]}"
    target = known["target"].iloc[-1]
    said = f"{said}; target {numbers.of(board).number(target, unit)}." if pd.notna(target) else f"{said}."
    return f"{said}{_usual_in_words(board, known, unit)}"


def _usual_in_words(board: Board, known: pd.DataFrame, unit: str) -> str:
    row = known.iloc[-1]
    if pd.isna(row["lower"]) or row["limits_reason"] == "too short":
        return ""
    low, high = (numbers.of(board).number(row[name], unit) for name in ("lower", "upper"))
    said = f" Usual range {low} to {high}"
    if pd.notna(row["limits_reason"]):
        return f"{said}; successive values are too alike for it to tell signals from noise."
    count = int(known["signal"].notna().sum())
    return f"{said}; {count or 'no'} {'signal' if count == 1 else 'signals'}."
