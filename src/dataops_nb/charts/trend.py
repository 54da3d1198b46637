"""Lines over time: one metric with its target and last year, or several metrics side by side.

What happened meanwhile is a dashed upright line a day with a number above it, and a list below: a
title along its line would stand across the values, and several across each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd

from dataops_nb import numbers, plain
from dataops_nb.board import Board, history, of
from dataops_nb.board import events as events_
from dataops_nb.charts import look
from dataops_nb.charts.look import (
    ACCENT,
    FAINT,
    HEIGHT,
    INK,
    LIGHTS,
    WIDTH,
    Chart,
    style,
    styled,
    unchecked,
    value_axis,
)
from dataops_nb.display import Told, say
from dataops_nb.periods import calendar
from dataops_nb.status.attainment import CONCERN, IMPROVEMENT
from dataops_nb.story.facts import beside, says_unit
from dataops_nb.story.phrases import is_level

ROOM = 80  # at the right, for the names of the lines
_AXIS = alt.Axis(title=None, grid=False, tickCount=7)
# Altair guesses the class of a bare string, which takes five milliseconds each.
_WHEN = alt.X("period_start:T")
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3]]
_TARGET_LINE: Any = {
    "color": INK,
    "strokeDash": [6, 4],
    "strokeWidth": 1.4,
    "interpolate": "step-after",
}
_RANGE_BAND: Any = {"color": FAINT, "opacity": 0.16, "interpolate": "step-after"}
_CENTER_LINE: Any = {"color": FAINT, "strokeWidth": 0.8, "interpolate": "step-after"}
_LAST_YEAR_LINE: Any = {"color": FAINT, "strokeDash": [2, 3], "strokeWidth": 1.6}
BEFORE = 8  # periods drawn before a change, to be compared with
MOST_PERIODS = 104
MOST = 12  # events with a number; earlier ones are counted
CLOSE = 0.05  # numbers nearer than this share of the width are written as one
_EVENT_NAME: Any = {"y": 9, "dx": 5, "align": "left", "fontSize": 12}
_MEANT: dict[str, str] = {IMPROVEMENT: "better", CONCERN: "worse"}
_SIGNAL_COLOURS = {"better": LIGHTS["green"], "worse": LIGHTS["red"], "": INK}
_NUMBER: Any = {"y": 0, "dy": -4, "baseline": "bottom", "fontSize": 11, "color": INK}


@unchecked
def trend(
    board: Board | pd.DataFrame,
    metric: str | None = None,
    periods: int = 26,
    marks: pd.DataFrame | None = None,
) -> Any:
    """Draw a metric's last periods: value (solid), target (dashed), a year earlier (dotted).

    `board` may also be a judged metric table; `metric` is by default its first one.

    Where a finding about it began earlier, the line begins before that.

    A band is its usual range, from its last change of level on, a thin line its centre. Triangles
    are real changes: they point up above the centre, down below it. The board's period is labelled.
    The title says the first that holds: another level, a real change, how often the metric met its
    target, and how many of the drawn periods that leaves out.

    Numbered upright lines are events; one that a change began with is named, and `marks`
    (columns `date`, `title`) stand beside them; the subtitle lists them. For a metric without a
    value, return a sentence that says so.

    >>> charts.trend(this).to_dict()["title"]["text"]
    'Revenue met target in 1 of 3 weeks'
    """
    board = board if isinstance(board, Board) else of(board)
    metric = metric or board.lead
    rows = _drawable(board, history(board, metric, _reaching(board, metric, periods)))
    text = _alternative(board, rows, metric)
    if rows["value"].isna().all():
        return Told((say(text),))
    axis = value_axis(board.company.metrics[metric].unit, board.company.locale)
    events = seen(board, rows, metric, marks)
    names = look.ends(
        _named_ends(board, rows, metric),
        rows["period_start"].max(),
        _drawn_values(rows),
        point=_point_label(board, rows),
    )
    layers = [
        _last_year_line(rows, axis),
        *_usual_range(rows, axis),
        *_target_lines(rows, axis),
        _value_line(rows, axis),
        *drawn(events, rows),
        *_event_name(board, metric, events, rows),
        *_signal_points(rows),
        *names,
        *_current_point(rows),
    ]
    text += in_words(board, events)
    finding = _trend_title(board, rows, metric)
    dressed = style(board, finding, text, listed(board, events))
    return alt.layer(*layers, width=WIDTH - ROOM, height=HEIGHT, **dressed)


def _reaching(board: Board, metric: str, periods: int) -> int:
    """Return how many periods to draw: so many, and back to before a change that is told of it."""
    began = board.findings.loc[board.findings["metric"] == metric, "since"].dropna()
    if began.empty:
        return periods
    past = history(board, metric, MOST_PERIODS)
    since = int((past["period_start"] >= began.min()).sum())
    return max(periods, min(since + BEFORE, MOST_PERIODS))


def _named_ends(board: Board, rows: pd.DataFrame, metric: str) -> list[tuple[str, float]]:
    """List the names of the lines beside the value, with the value at which each ends."""
    lines = {_bound_name(board, rows, metric): rows["target"]}
    if rows["target_low"].notna().any():
        lines = {"agreed range": rows["target_high"]}
    lines["a year earlier"] = _last_year(rows)
    lines["usual range"] = rows["upper"].where(_has_range(rows))
    named: list[tuple[str, float]] = []
    for name, values in lines.items():
        known = values.dropna()
        if len(known):
            named.append((name, float(known.iloc[-1])))
    return named


def _bound_name(board: Board, rows: pd.DataFrame, metric: str) -> str:
    """Return the name of the target line with its last value: `limit 26`."""
    bound = "limit" if board.company.metrics[metric].better == "down" else "target"
    known = rows.dropna(subset=["target"])
    if known.empty:
        return bound
    last = known.iloc[-1]
    return f"{bound} {beside(board.company, last).number(float(last['target']))}"


def _drawn_values(rows: pd.DataFrame) -> pd.Series:
    """Return every value that is drawn."""
    columns = [rows[name] for name in ("value", "target", "target_low", "target_high")]
    limits = rows[["lower", "upper"]].where(_has_range(rows))
    columns += [_last_year(rows), limits["lower"], limits["upper"]]
    drawn: pd.Series = pd.concat(columns)
    return drawn.astype(float).dropna()


def _last_year(rows: pd.DataFrame) -> pd.Series:
    """Return last year's values where their periods were complete."""
    is_complete = rows["same_last_year_complete"].astype(bool)
    values: pd.Series = rows["same_last_year"].where(is_complete)
    return values


def _has_range(rows: pd.DataFrame) -> pd.Series:
    """Tell for each row whether its limits apply, and so are drawn."""
    applies: pd.Series = rows["limits_reason"].isna()
    return rows["lower"].notna() & applies


def _trend_title(board: Board, rows: pd.DataFrame, metric: str) -> str:
    label = board.company.label(metric)
    finding = _finding_title(board, rows, metric)
    if finding:
        return finding
    judged = rows[rows["light"] != "unknown"]
    if judged.empty:
        return f"{label}, last {_span_text(rows, board)}"
    met = int((judged["attainment"] >= 1).sum())
    counted = numbers.of(board).quantity(len(judged), f"{board.grain}s")
    return f"{numbers.closed(label)} met target in {met} of {counted}{_left_out(rows)}"


def _left_out(rows: pd.DataFrame) -> str:
    """Say how many of the drawn periods were not counted, and why: `; 1 has no result`."""
    unjudged = rows[rows["light"] == "unknown"]
    if unjudged.empty:
        return ""
    has_target = unjudged["reason"] != "no target"
    lacking = "no result" if has_target.all() else "no result or no target"
    if not has_target.any():
        lacking = "no target"
    return f"; {len(unjudged)} {'has' if len(unjudged) == 1 else 'have'} {lacking}"


def _finding_title(board: Board, rows: pd.DataFrame, metric: str) -> str:
    """Return what changed about a metric: its level, or its newest value; "" for nothing."""
    label = board.company.label(metric)
    own = board.findings[board.findings["metric"] == metric]
    levels = own[own["kind"].isin(["explained signal", "new level"])]
    if len(levels):
        level = levels.iloc[0]
        return _level_title(board, metric, level)
    now = rows[rows["now"]]
    if now.empty or not isinstance(now["variation"].iloc[0], str):
        return ""
    way = _MEANT.get(str(now["variation"].iloc[0]))
    return f"{label}: a real change for the {way}" if way else ""


def _level_title(board: Board, metric: str, level: pd.Series) -> str:
    label, unit = board.company.label(metric), board.company.metrics[metric].unit
    written = numbers.of(board).beside(float(level["now"]), [float(level["before"])], unit)
    write = written.quantity if says_unit(board, metric) else written.number
    since: Any = level["event"] if level["kind"] == "explained signal" else None
    if not isinstance(since, str):
        start = calendar(board.company.calendar).period(board.grain, level["since"].date())
        since = numbers.of(board).period(start)
    have = numbers.agreeing(label, "has", "have")
    a_period = "" if is_level(board, metric) else f" a {board.grain}"
    way = "up" if level["now"] > level["before"] else "down"
    now, before = write(float(level["now"])), write(float(level["before"]))
    name = numbers.closed(label)
    return f"{name} {have} averaged {now}{a_period} since {since}, {way} from {before}"


def _span_text(rows: pd.DataFrame, board: Board) -> str:
    if len(rows) == 1:
        return board.grain
    return f"{len(rows)} {board.grain}s"


@unchecked
def compare(board: Board, metrics: list[str], periods: int = 26, title: str | None = None) -> Any:
    """Draw several metrics of one unit, each named at its end; dashes tell them apart.

    >>> charts.compare(both, ["revenue", "buyers"]).to_dict()["title"]["text"]
    'Revenue and Buyers'
    """
    company = board.company
    rows = pd.concat([_drawable(board, history(board, metric, periods)) for metric in metrics])
    rows = rows.assign(label=rows["metric"].map(company.label))
    names = [company.label(metric) for metric in metrics]
    axis = value_axis(company.metrics[metrics[0]].unit, company.locale)
    dashes = alt.Scale(domain=names, range=_DASHES[: len(names)])
    base = Chart(inline_values(rows, ["period_start", "label", "value"])).encode(
        x=alt.X("period_start:T", axis=_AXIS),
        y=_value_scale("value", axis),
        detail=alt.Detail("label:N"),
    )
    lines = base.mark_line(strokeWidth=2.2, color=ACCENT).encode(
        strokeDash=alt.StrokeDash("label:N", scale=dashes, legend=None)
    )

    known = rows.dropna(subset=["value"])
    last = known.groupby("label", sort=False).tail(1)
    named: list[tuple[str, float]] = []
    for name, value in zip(last["label"], last["value"], strict=True):
        named.append((str(name), float(value)))
    ends = look.ends(named, rows["period_start"].max(), known["value"], INK)
    chart = alt.layer(lines, *ends).properties(width=WIDTH - 130, height=HEIGHT)

    head = title or _names_text(names)
    texts = [_alternative(board, rows[rows["metric"] == metric], metric) for metric in metrics]
    return styled(board, chart, head, f"{head}. {' '.join(texts)}")


def _names_text(names: list[str]) -> str:
    *first, last = names
    if not first:
        return last
    return f"{', '.join(first)} and {last}"


def _drawable(board: Board, rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out values of periods that are not complete, and mark the board's period as `now`."""
    values = rows["value"].where(rows["complete"])
    return rows.assign(value=values, now=rows["period"] == board.period.id)


def inline_values(rows: pd.DataFrame, columns: list[str]) -> alt.InlineData:
    """Return these columns as data of a chart: days as midnights, numbers with six digits."""
    shown = rows[columns].copy()
    for name in columns:
        kind = shown[name].dtype.kind
        if kind == "M":
            shown[name] = shown[name].dt.strftime("%Y-%m-%dT00:00:00")
        elif kind in "iu":
            shown[name] = shown[name].astype(float)
    return alt.InlineData(values=tuple(plain.rows(shown, digits=6)))


def _value_scale(field: str, axis: alt.Axis) -> alt.Y:
    scale = alt.Scale(zero=False, nice=True)
    return alt.Y(f"{field}:Q", axis=axis, scale=scale)


def _line(rows: pd.DataFrame, field: str, axis: alt.Axis, look: dict[str, Any]) -> Any:
    data = inline_values(rows, ["period_start", field])
    return Chart(data).mark_line(**look).encode(x=_WHEN, y=_value_scale(field, axis))


def _value_line(rows: pd.DataFrame, axis: alt.Axis) -> Any:
    base = Chart(inline_values(rows, ["period_start", "value"])).encode(
        x=alt.X("period_start:T", axis=_AXIS), y=_value_scale("value", axis)
    )
    points = alt.OverlayMarkDef(color=ACCENT, size=18)
    return base.mark_line(color=ACCENT, strokeWidth=2.4, point=points)


def _target_lines(rows: pd.DataFrame, axis: alt.Axis) -> list[alt.Chart]:
    fields = ["target"]
    if rows["target_low"].notna().any():
        fields = ["target_low", "target_high"]
    known = [field for field in fields if rows[field].notna().any()]
    return [_line(rows, field, axis, _TARGET_LINE) for field in known]


def _usual_range(rows: pd.DataFrame, axis: alt.Axis) -> list[alt.Chart]:
    """Draw the usual range as a band and its centre, where they come from enough periods.

    They break off where the metric left its level: each level has a range of its own.
    """
    rows = rows[_has_range(rows)]
    if rows.empty:
        return []
    level = pd.Series(0, rows.index)
    if "level_since" in rows:
        level = rows["level_since"].rank(method="dense").fillna(0).astype(int)
    rows = rows.assign(level=level)
    data = inline_values(rows, ["period_start", "lower", "center", "upper", "level"])
    base = Chart(data).encode(x=_WHEN, detail=alt.Detail("level:N"))
    band = base.mark_area(**_RANGE_BAND).encode(y=_value_scale("lower", axis), y2=alt.Y2("upper:Q"))
    center = base.mark_line(**_CENTER_LINE).encode(y=_value_scale("center", axis))
    return [band, center]


def _last_year_line(rows: pd.DataFrame, axis: alt.Axis) -> Any:
    shown = rows.assign(same_last_year=_last_year(rows))
    return _line(shown, "same_last_year", axis, _LAST_YEAR_LINE)


def _signal_points(rows: pd.DataFrame) -> list[alt.Chart]:
    """Draw real changes as triangles: their form says up or down, their colour what it means."""
    rows = rows[rows["signal"].notna() & rows["value"].notna()]
    went_up = rows["value"] > rows["center"]
    if "level_now" in rows:
        has_shift = rows["signal"] == "shift"
        went_up = went_up.where(~has_shift, rows["level_now"] > rows["level_before"])
    layers = []
    for is_above, shape in ((True, "triangle-up"), (False, "triangle-down")):
        for meant, colour in _SIGNAL_COLOURS.items():
            named = rows["variation"].map(lambda meaning: _MEANT.get(str(meaning), ""))
            own = rows[(went_up == is_above) & (named == meant)]
            if own.empty:
                continue
            data = inline_values(own, ["period_start", "value"])
            base = Chart(data).encode(x=_WHEN, y=alt.Y("value:Q"))
            layers.append(
                base.mark_point(shape=shape, filled=True, size=70, color=colour, opacity=1)
            )
    return layers


def _event_name(
    board: Board, metric: str, events: pd.DataFrame, rows: pd.DataFrame
) -> list[alt.Chart]:
    """Name the event that a change of the metric began with, beside its line.

    A late one is named to the left: on its right stand the names of the lines.
    """
    own = board.findings[board.findings["metric"] == metric]
    days = set(own.loc[own["kind"] == "explained signal", "event_date"])
    named = events[events["date"].isin(days)]
    if named.empty:
        return []
    event = named.iloc[-1]
    values = [{"period_start": _midnight(event["date"]), "title": str(event["title"])}]
    base = Chart(alt.InlineData(values=values)).encode(x=_WHEN, text=alt.Text("title:N"))
    first, last = rows["period_start"].min(), rows["period_start"].max()
    is_late = pd.Timestamp(event["date"]) > first + (last - first) / 2
    to_the_left = {"align": "right", "dx": -5} if is_late else {}
    place = _EVENT_NAME | to_the_left
    return [base.mark_text(**place, **look.RIM), base.mark_text(**place, color=INK)]


def _current_point(rows: pd.DataFrame) -> list[alt.Chart]:
    """Draw the board's period as a point in the colour of its light."""
    now = rows[rows["now"] & rows["value"].notna()]
    if now.empty:
        return []
    data = inline_values(now, ["period_start", "value"])
    base = Chart(data).encode(x=_WHEN, y=alt.Y("value:Q"))
    colour = LIGHTS[str(now["light"].iloc[0])]
    return [
        base.mark_point(filled=True, size=120, color=colour, stroke=INK, strokeWidth=1.2, opacity=1)
    ]


def _point_label(board: Board, rows: pd.DataFrame) -> tuple[list[str], float] | None:
    """Return the label of the board's period: its value, and below it when; None for no value."""
    now = rows[rows["now"] & rows["value"].notna()]
    if now.empty:
        return None
    value = float(now["value"].iloc[0])
    written = beside(board.company, now.iloc[0]).number(value)
    names = numbers.of(board)
    return [written, f"{names.within(board.grain)} {names.period(board.period)}"], value


def _alternative(board: Board, rows: pd.DataFrame, metric: str) -> str:
    """Write what a metric's line shows, for people who do not see it."""
    label, unit = board.company.label(metric), board.company.metrics[metric].unit
    known = rows.dropna(subset=["value"])
    if known.empty:
        return f"{label}: no data for the last {_span_text(rows, board)}."
    values, last = known["value"], known.iloc[-1]
    written = beside(board.company, last)
    low, high = written.number(values.min()), written.number(values.max())
    names = numbers.of(board)
    when = f"{names.within(board.grain)} {names.period_in_words(str(last['period']))}"
    now = f"{written.number(last['value'])} {when}"
    text = f"{label}, last {_span_text(rows, board)}: {now}, between {low} and {high}"
    if pd.notna(last["target"]):
        text += f"; {_bound_name(board, rows, metric)}"
    return f"{text}.{_usual_in_words(board, known, unit)}"


def _usual_in_words(board: Board, known: pd.DataFrame, unit: str) -> str:
    last = known.iloc[-1]
    if last["limits_reason"] == "autocorrelated":
        return " Successive values are too alike to tell a real change from chance."
    if pd.isna(last["lower"]) or pd.notna(last["limits_reason"]):
        return ""
    written = numbers.of(board)
    low, high = written.number(last["lower"], unit), written.number(last["upper"], unit)
    text = f" Usual range {low} to {high}"
    count = int(known["signal"].notna().sum())
    if count == 1:
        return f"{text}; 1 real change."
    if not count:
        return f"{text}; no real change."
    return f"{text}; {count} real changes."


def seen(board: Board, rows: pd.DataFrame, metric: str, marks: pd.DataFrame | None) -> pd.DataFrame:
    """Return the events about a metric within the drawn periods, oldest first.

    `marks` are further ones. All have the columns `date` and `title`.
    """
    events = events_.about(board.events, metric)[["date", "title"]]
    if marks is not None:
        events = pd.concat([events, marks[["date", "title"]]]).drop_duplicates()
    first, last = rows["period_start"].min(), rows["period_end"].max()
    events = events[events["date"].between(first, last)]
    return events.sort_values("date").reset_index(drop=True)


def listed(board: Board, events: pd.DataFrame) -> list[str]:
    """List what each number stands for: `1 Release 8.0, 13 Oct`."""
    lines: list[str] = []
    earlier = len(events) - MOST
    if earlier > 0:
        lines.append(f"{earlier} earlier events are not numbered")
    newest = events.tail(MOST).to_dict("records")
    for number, event in enumerate(newest, 1):
        lines.append(f"{number} {_event_text(board, event)}")
    return lines


def in_words(board: Board, events: pd.DataFrame) -> str:
    """Write the events for a text alternative; "" where there are none."""
    if events.empty:
        return ""
    texts = [_event_text(board, event) for event in events.to_dict("records")]
    return f" Events: {'; '.join(texts)}."


def _event_text(board: Board, event: dict[Any, Any]) -> str:
    day = numbers.of(board).date(event["date"].date())
    return f"{event['title']}, {day}"


def drawn(events: pd.DataFrame, rows: pd.DataFrame) -> list[alt.Chart]:
    """Draw the upright lines and their numbers."""
    if events.empty:
        return []
    midnights = dict.fromkeys(_midnight(day) for day in events["date"])
    lines = [{"period_start": midnight} for midnight in midnights]
    width = rows["period_end"].max() - rows["period_start"].min()
    texts: list[dict[str, Any]] = []
    for day, number in _numbered(events, width * CLOSE):
        texts.append({"period_start": _midnight(day), "number": number})
    x = alt.X("period_start:T")
    line_chart = Chart(alt.InlineData(values=lines))
    text_chart = Chart(alt.InlineData(values=texts))
    return [
        line_chart.mark_rule(color=INK, strokeWidth=1, strokeDash=[1, 2]).encode(x=x),
        text_chart.mark_text(**_NUMBER).encode(x=x, text=alt.Text("number:N")),
    ]


def _midnight(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m-%dT00:00:00}"


def _numbered(events: pd.DataFrame, width: pd.Timedelta) -> Iterator[tuple[pd.Timestamp, str]]:
    """Yield the day and the text of each number; numbers within `width` share one: `1–2`."""
    days = list(events["date"].tail(MOST))
    start = 0
    for end in range(1, len(days) + 1):
        if end < len(days) and days[end] - days[start] <= width:
            continue
        text = str(end)
        if end > start + 1:
            text = f"{start + 1}\u2013{end}"
        yield days[start], text
        start = end
