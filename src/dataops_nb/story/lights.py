"""What happened against what was agreed, which way it moved, and whether that is usual.

A board's judged rows become the sentences on top of a report: the headline of one metric, a line
for each of the others, its movement, and what was agreed for its light. A value's usual range comes
from the metric's own past (`limits`); a value inside it is told as usual, whatever its light is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import pandas as pd

from dataops_nb import numbers
from dataops_nb.alignment.measures import sources_of
from dataops_nb.board import Board, history
from dataops_nb.display import Fact, Phrase, Piece, Sentence, Told, capitalized, say
from dataops_nb.status.attainment import has_memory
from dataops_nb.story.comments import period
from dataops_nb.story.facts import facts, once_a_board, without_unit
from dataops_nb.story.phrases import counted, fill, is_at_end, metric_slots, phrase
from dataops_nb.story.wordings import LIGHTS, UNJUDGED, USUAL

_UNCOVERED = frozenset({"no data", "stale", "incomplete", "fault"})
_UNTRUSTED = frozenset({"no data", "stale", "fault"})
_MEANT = {
    "special-cause improvement": " for the better",
    "special-cause concern": " for the worse",
}
# Within the usual range these alone are a change.
_LASTING = ("trend", "crossings", "shift", "near-limit")


@once_a_board
def headline(board: Board, metric: str | None = None, *, moved: bool = True) -> Told:
    """Say the light of a metric (default: the board's lead), and the way it `moved`.

    Where the light was accepted for a time, the sentence between the two says by whom and why.

    >>> print(story.headline(this, moved=False))
    Revenue was €320.50 in week 46, €20.50 above target (€300).
    """
    name = metric or board.lead
    opening = _lit(board, sentence(board, name), name, "headline")
    accepted = _acceptance(board, name, facts(board))
    further = movement(board, name).sentences if moved else ()
    return Told((opening, *accepted, *further))


def movement(board: Board, metric: str | None = None) -> Told:
    """Say which way a metric (default: the lead) moved, and whether that is usual.

    It is compared with the period before and a year earlier. Nothing is said of a value that is not
    judged, or that has nothing to be compared with.

    >>> print(story.movement(this))
    Up €110.50 from the week before.
    """
    name = metric or board.lead
    return Told(tuple(_movement(board, board.row(name), facts(board))))


def now(board: Board, metric: str | None = None) -> Told:
    """Show a metric (default: the board's lead) at a glance: now, target, before, a year earlier.

    Nothing is shown of a metric that cannot be judged for want of data.

    >>> print(story.now(this))
    €320.50 · target €300 · week before €210
    """
    name, known = metric or board.lead, facts(board)
    better = board.company.metrics[name].better
    bound = "limit" if better == "down" else "target"
    fields = {
        "value": "",
        "target": f"{bound} ",
        "previous": f"{board.grain} before ",
        "same_last_year": "year earlier ",
    }
    if f"{name}.value" not in known or board.row(name)["reason"] in _UNTRUSTED:
        return Told()
    pieces: list[Piece] = []
    low, high = known.get(f"{name}.target_low"), known.get(f"{name}.target_high")
    for field, words in fields.items():
        if field == "target" and low and high:
            pieces += [" · range ", without_unit(low, high), " to ", high]
            continue
        fact = known.get(f"{name}.{field}")
        if fact is not None:
            pieces += [" · " if pieces else "", words, fact]
    return Told((say(*pieces, kind="figures"),))


def lines(board: Board, metrics: Iterable[str] | None = None) -> Told:
    """Say each metric's value against its target, in the order of the board.

    The sentences do not name the period: it is that of the page.

    >>> print(story.lines(this))
    Revenue: €320.50, €20.50 above €300.
    """
    names = metrics or board.metrics
    return Told(tuple(_lit(board, _line(board, name), name) for name in names))


def _line(board: Board, metric: str) -> Sentence:
    known, row = facts(board), board.row(metric)
    value = known.get(f"{metric}.value")
    if value is None or (row["reason"] and row["reason"] != "no target"):
        return sentence(board, metric)
    what = phrase(LIGHTS["named"], {**metric_slots(board, metric), "value": value})
    if row["reason"] == "no target":
        return fill(LIGHTS["alone"], {"what": what})
    return _against(board, metric, what, brief=True)


def _lit(
    board: Board, words: Sentence, metric: str, kind: Literal["headline", "line"] = "line"
) -> Sentence:
    """Return a sentence under the light of its metric; a line without a target has none."""
    row = board.row(metric)
    is_judged = kind == "headline" or row["reason"] != "no target"
    return replace(words, kind=kind, light=str(row["light"]) if is_judged else None)


@once_a_board
def sentence(board: Board, metric: str, *, names_system: bool = True) -> Sentence:
    """Say what happened to one metric, against its target.

    Where it has no result, `names_system` says which system is the reason.
    """
    known, row = facts(board), board.row(metric)
    light, value = known[f"{metric}.light"], known.get(f"{metric}.value")
    if row["reason"] == "no target" and value:
        return fill(LIGHTS["alone"], {"what": _what(board, metric, value)}, light)
    if row["reason"]:
        reason = known[f"{metric}.reason"]
        slots = unjudged_slots(board, metric)
        if not names_system:
            slots["system"] = ""
        why = phrase(UNJUDGED[_reason(board, row, metric)], slots)
        return fill("{L}: {why}", {**metric_slots(board, metric), "why": why}, light, reason)
    return _against(board, metric, _what(board, metric, known[f"{metric}.value"]))


def moved(board: Board, count: int = 3) -> Told:
    """Say which metrics moved most since the period before, the largest change first.

    A change is measured against the metric's own usual change; what did not change is left out.

    >>> print(story.moved(company))
    Revenue rose €110.50 to €320.50.
    Paid rose €35 to €245.
    New customers rose 1 to 2.
    """
    known = facts(board)
    return Told(tuple(_change(board, name, known) for name in most_moved(board, count)))


def most_moved(board: Board, count: int = 3) -> list[str]:
    """Return the ids of the metrics that moved most since the period before, largest first.

    Metrics whose data do not cover the period are left out, as a gap is no fall; so is what did not
    change.
    """
    known = facts(board)
    sizes = {}
    for name in board.metrics:
        is_covered = board.row(name)["reason"] not in _UNCOVERED
        change = known.get(f"{name}.change")
        if is_covered and change is not None and change.value:
            sizes[name] = _unusual(board, name)
    return sorted(sizes, key=lambda name: -sizes[name])[:count]


def _unusual(board: Board, metric: str) -> float:
    """Return the last change as a multiple of the usual one, over half a year of weeks."""
    change = history(board, metric, 27)["value"].diff().abs()
    usual = change.iloc[:-1].mean()
    return float(change.iloc[-1] / usual) if usual > 0 else 0.0


def _change(board: Board, metric: str, known: Mapping[str, Fact]) -> Sentence:
    change, value = known[f"{metric}.change"], known[f"{metric}.value"]
    way = "rose" if float(change.value or 0) > 0 else "fell"
    slots = {**metric_slots(board, metric), "change": change, "value": value}
    return fill(LIGHTS[way], slots)


def _reason(board: Board, row: pd.Series, metric: str) -> str:
    """Return the row's reason; `inherited` where only a part of the metric is unreconciled."""
    if row["reason"] == "unreconciled" and not board.company.metrics[metric].reconcile:
        return "inherited"
    return str(row["reason"])


def unjudged_slots(board: Board, metric: str) -> dict[str, Piece]:
    """Return what the sentences about a metric without a light name: `when reach system`."""
    system: Piece = ""
    names = sources_of(board.company, [metric])
    systems = list(dict.fromkeys(board.company.origins[name].system for name in names))
    if len(systems) == 1:
        system = say.name(systems[0])
    reach: Piece = facts(board).get(f"{metric}.data_to", "")
    last = board.row(metric)["data_to"]
    if pd.notna(last) and last.date() >= board.period.end:
        reach = ""  # its source is there to the end, and says nothing of it
    return {"when": period(board), "reach": reach, "system": system}


def _what(board: Board, metric: str, value: Fact) -> Phrase:
    """Return `44 sad customers in week 47`, or `Churn rate was 0.80% in week 47`.

    A level is that of its period's end.
    """
    slots = metric_slots(board, metric)
    count = counted(board, metric, value)
    wording = LIGHTS["counted" if count else "measured"]
    within = numbers.of(board).within(board.grain)
    in_ = "at the end of" if is_at_end(board, metric) else within
    return phrase(
        wording, {**slots, "count": count, "value": value, "in_": in_, "when": period(board)}
    )


def _against(board: Board, metric: str, what: Phrase, *, brief: bool = False) -> Sentence:
    """Say a value against its target: `…, 4 short of target (45)`; `brief` in a list."""
    known = facts(board)
    light = known[f"{metric}.light"]
    if board.company.metrics[metric].better == "inside":
        low, high = known[f"{metric}.target_low"], known[f"{metric}.target_high"]
        value = known[f"{metric}.value"]
        side = _side_of_range(value, low, high)
        slots: dict[str, Piece] = {"what": what, "low": without_unit(low, high), "high": high}
        return fill(LIGHTS[side], slots, light, value, low)
    gap, target = known[f"{metric}.gap"], known[f"{metric}.target"]
    slots = {"what": what, "gap": gap, "target": target}
    is_limit = board.company.metrics[metric].better == "down"
    size = float(gap.value or 0)
    if is_limit:
        side = "over" if size > 0 else "under" if size else "at"
    else:
        side = "above" if size > 0 else "short" if size else "on"
    wording = LIGHTS.get(f"line {side}") if brief else None
    return fill(wording or LIGHTS[side], slots, light, gap, target)


def _side_of_range(value: Fact, low: Fact, high: Fact) -> str:
    size, lowest, highest = (float(fact.value or 0) for fact in (value, low, high))
    if lowest <= size <= highest:
        return "inside"
    return "below range" if size < lowest else "above range"


def _movement(board: Board, row: pd.Series, known: Mapping[str, Fact]) -> list[Sentence]:
    metric = str(row["metric"])
    change, year = known.get(f"{metric}.change"), known.get(f"{metric}.change_last_year")
    if row["reason"] or change is None:
        return []
    is_limit = board.company.metrics[metric].better == "down"
    slots: dict[str, Piece] = {
        "went": _direction(change),
        "grain": board.grain,
        "judged": _judged(change) if is_limit else "",
        "joint": "",
        "year": "",
        "judged_year": _judged(year) if is_limit and year is not None else "",
    }
    if year is not None:
        slots |= _beside(change, year)
    sentences = [fill(LIGHTS["changed"], slots)]
    usual = within_usual(board, row, known)
    if usual:
        sentences.append(say(capitalized((*usual, "."))))
    return sentences


def _beside(change: Fact, year: Fact) -> dict[str, Piece]:
    """Return how the change in a year follows that in a period: `up 3 … and 5 …`."""
    ways = [(float(fact.value or 0) > 0) - (float(fact.value or 0) < 0) for fact in (change, year)]
    if ways[0] != ways[1]:
        return {"joint": ", ", "year": _direction(year)}
    if not ways[0]:
        return {"joint": " and", "year": say.rests_on(year), "judged_year": ""}
    return {"joint": " and ", "year": year, "judged": ""}


def _judged(change: Fact) -> str:
    """Return whether a change is for the better, of what is best when it is low."""
    size = float(change.value or 0)
    if not size:
        return ""
    return " (worse)" if size > 0 else " (better)"


def _direction(change: Fact) -> Phrase:
    """Return which way a value moved, and how far."""
    if not change.value:
        return ("unchanged", say.rests_on(change))
    return ("up " if float(change.value) > 0 else "down ", change)


def _acceptance(board: Board, metric: str, known: Mapping[str, Fact]) -> list[Sentence]:
    until, light = known.get(f"{metric}.accepted_until"), known[f"{metric}.light"]
    if until is None:
        return []
    for accepted in board.company.metrics[metric].accept:
        if accepted.light == light.value and accepted.until.isoformat() == until.value:
            break
    slots: dict[str, Piece] = {
        "who": say.name(accepted.owner),
        "until": until,
        "because": say.name(accepted.because.rstrip(".")),
    }
    return [fill(LIGHTS["accepted"], slots, light)]


def within_usual(board: Board, row: pd.Series, known: Mapping[str, Fact]) -> Phrase:
    """Return `an ordinary week (usual range 28 to 52)`; nothing where that cannot be told."""
    metric = str(row["metric"])
    variation, signal = known.get(f"{metric}.variation"), known.get(f"{metric}.signal")
    if row["limits_reason"] or (variation is None and signal is None):
        return ()
    used = say.rests_on(*(fact for fact in (variation, signal) if fact is not None))
    span, ends = _range(board, metric, known)
    meant = _MEANT.get(str(variation.value), "") if variation else ""
    center = known[f"{metric}.center"]
    slots: dict[str, Piece] = {"grain": board.grain, "meant": meant, "range": span}
    slots["center"] = center
    if signal is None:
        return (*phrase(USUAL["ordinary"], slots), used)
    kind = str(signal.value)
    is_beyond = kind == "outside"
    if kind == "shift":
        is_beyond = not row["lower"] <= row["value"] <= row["upper"]
    if not is_beyond:
        run = "run"
        if isinstance(row.get("limits_line"), str):
            run = "run after" if has_memory(row) else "run foreseen"
        wording = kind if kind in _LASTING else run
        return (*phrase(USUAL[wording], slots), used)
    # The range helps only where it shows an end that was crossed, and that differs as printed.
    end = "upper" if row["value"] > row["upper"] else "lower"
    crossed = known[f"{metric}.{end}"]
    is_shown = crossed.id in [fact.id for fact in ends]
    if not is_shown or crossed.text == known[f"{metric}.value"].text:
        slots["range"] = ""
    return (*phrase(USUAL["outside"], slots), used)


def _range(board: Board, metric: str, known: Mapping[str, Fact]) -> tuple[Phrase, list[Fact]]:
    """Return `(usual range 28 to 52)` and its ends, without an end that no value can reach."""
    lower, upper = known[f"{metric}.lower"], known[f"{metric}.upper"]
    values = history(board, metric, len(board.table))["value"].dropna()
    is_rate = board.company.metrics[metric].unit == "percent"
    if lower.text == upper.text:
        return (), []  # all of its values are the same
    below = float(lower.value or 0) <= 0 <= values.min()
    above = is_rate and values.max() <= 1 <= float(upper.value or 0)
    slots: dict[str, Piece] = {"lower": lower, "upper": upper}
    if below and above:
        return (), []
    if below:
        return phrase(USUAL["up to"], slots), [upper]
    if above:
        return phrase(USUAL["from"], slots), [lower]
    slots |= {"lower": without_unit(lower, upper), "grain": board.grain}
    wording = "range after" if has_memory(board.row(metric)) else "range"
    return phrase(USUAL[wording], slots), [lower, upper]
