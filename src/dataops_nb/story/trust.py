"""Whether to believe a number: the sources behind it, a second system, restatements, past chances.

Sources with faults and overdue sources stand on top of a page. Where a metric is reconciled, a
sentence says whether the two systems agree. Published values that are others now say what changed,
rows or a definition. The track record counts how often lights on pace turned out to be right.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from dataops_nb import numbers, reconciliation
from dataops_nb.alignment.measures import coverage_of, sources_of
from dataops_nb.alignment.rows import Coverage
from dataops_nb.board import Board
from dataops_nb.display import Fact, Phrase, Piece, Sentence, Told, capitalized, listed, say
from dataops_nb.metrics import Measure, Simple
from dataops_nb.pacing.track_record import FEWEST_FORECASTS
from dataops_nb.periods import calendar
from dataops_nb.reconciliation.pairs import Pair, find_pairs
from dataops_nb.story.comments import label, period
from dataops_nb.story.facts import Subject, by_id, clean, facts, once_a_board, restatements
from dataops_nb.story.lights import sentence, unjudged_slots
from dataops_nb.story.phrases import fill, inside, metric_slots, phrase, small_label
from dataops_nb.story.wordings import TOGETHER, TRUST, UNJUDGED

_GRAVE = ["stale", "fault", "incomplete", "no data", "unreconciled"]


def agreements(board: Board) -> Told:
    """Say whether the two systems of each metric with `reconcile:` agree, and how often.

    >>> print(story.agreements(company))
    Shop €320.50, Bank €245 so far in week 46; more rows may arrive.
    They disagreed in 0 of 1 week; 2 more may still change.
    """
    known = agreement_facts(board)
    sentences: list[Sentence] = []
    for pair in pairs(board):
        sentences += _agreement(board, pair, known)
    return Told(tuple(sentences))


def pairs(board: Board) -> list[Pair]:
    """Return every pair of systems between which a metric of the board is compared.

    >>> [(pair.a.metric, pair.b.metric) for pair in story.pairs(company)]
    [('amount', 'paid')]
    """
    compared: list[Pair] = []
    for name in board.metrics:
        if board.company.metrics[name].reconcile:
            compared += find_pairs(board.company, name)
    return compared


def history(board: Board, pair: Pair) -> pd.DataFrame:
    """Return the bridge between two systems, a row a period, up to the board's period."""
    bridge = reconciliation.of_company(board.rows, pair.a.metric, board.grain)
    is_past = bridge["period_end"] <= pd.Timestamp(board.period.end)
    return bridge[(bridge["with"] == pair.b.metric) & is_past]


def systems(board: Board, pair: Pair) -> tuple[str, str]:
    """Return what two sides are called: their systems, or their metrics where both are in one."""
    origins = board.company.origins
    left, right = (origins[side.measure.source].system for side in (pair.a, pair.b))
    if left == right:
        return board.company.label(pair.a.metric), board.company.label(pair.b.metric)
    return left, right


def unit(board: Board, pair: Pair) -> str:
    """Return the unit compared: the company's currency for amounts, else that of the metric."""
    return board.company.currency if pair.a.amount else board.company.metrics[pair.a.metric].unit


@once_a_board
def agreement_facts(board: Board) -> dict[str, Fact]:
    """Return the facts of every pair, by id: `metric.field_with_other`.

    `a b difference agrees` of the period, `tolerance`, and in how many periods `judged` they were
    `apart`.
    """
    made: list[Fact] = []
    for pair in pairs(board):
        made += _agreement_facts(board, pair)
    return by_id(made)


def _agreement_facts(board: Board, pair: Pair) -> Iterator[Fact]:
    money, past = unit(board, pair), history(board, pair)
    written, periods = numbers.of(board), f"{board.grain}s"
    subject, other = Subject(pair.a.metric, board.period.id, money), f"with_{pair.b.metric}"
    allowed = pair.tolerance
    allowed_unit = "percent" if allowed.relative else money
    text = written.number(allowed.value, allowed_unit)
    yield subject.fact(f"tolerance_{other}", allowed.value, text, allowed_unit)
    judged = past["within_tolerance"].dropna()
    apart = int((~judged.astype(bool)).sum())
    count = len(judged)
    yield subject.fact(f"judged_{other}", count, written.quantity(count, periods), periods)
    yield subject.fact(f"apart_{other}", apart, written.number(apart), periods)
    unfinished = int(past["a"].notna().sum()) - count
    if unfinished > 0:
        yield subject.fact(f"open_{other}", unfinished, written.number(unfinished), periods)
    for row in past[past["period"] == board.period.id].dropna(subset=["a"]).to_dict("records"):
        a, b = float(row["a"]), float(row["b"])
        gap = float(row["difference"])
        compared = written.beside(a, [b] if gap else [], money)
        yield subject.fact(f"a_{other}", a, compared.number(a))
        yield subject.fact(f"b_{other}", b, compared.number(b))
        yield subject.fact(f"difference_{other}", gap, written.gap(gap, money))
        if row["within_tolerance"] is not None:
            agrees = "yes" if row["within_tolerance"] else "no"
            yield subject.word(f"agrees_{other}", agrees)


def _agreement(board: Board, pair: Pair, known: dict[str, Fact]) -> Iterator[Sentence]:
    def find(name: str) -> Fact | None:
        return known.get(f"{pair.a.metric}.{name}_with_{pair.b.metric}")

    a, b, gap = find("a"), find("b"), find("difference")
    agrees, allowed = find("agrees"), find("tolerance")
    left, right = systems(board, pair)
    name = board.company.label(pair.a.metric)
    slots: dict[str, Piece] = {
        "A": say.name(left),
        "B": say.name(right),
        "l": "" if name in (left, right) else inside(name),
        "in_": numbers.of(board).within(board.grain),
        "when": period(board),
    }
    if a is None or b is None or gap is None or allowed is None:
        yield fill(TRUST["no data"], slots)
        return
    slots |= {"a": a, "b": b, "gap": gap, "allowed": allowed}
    if agrees is None:
        yield fill(TRUST["open"], slots)
    elif not gap.value:
        yield fill(TRUST["equal"], slots, gap, agrees)
    else:
        yield fill(TRUST["within" if agrees.value == "yes" else "apart"], slots, gap, agrees)
    judged, apart = find("judged"), find("apart")
    if judged is not None and apart is not None and judged.value:
        counts: dict[str, Piece] = {"apart": apart, "compared": judged, "open": find("open") or ""}
        yield fill(TRUST["history"], counts)


def restated(board: Board, metrics: Iterable[str] | None = None, most: int = 3) -> Told:
    """Say which values differ from those published for an earlier as-of; nothing where none does.

    A sentence for each of the newest `most` periods of a metric whose rows changed, one for a
    changed definition, and how many periods there are where there are more.

    >>> print(story.restated(company))
    Revenue, week 44: reported €180, now €200. Its rows have changed.
    """
    known, changed = facts(board), restatements(board)
    sentences: list[Sentence] = []
    for name in metrics or board.metrics:
        board.row(name)  # refuses a metric that the board does not have
        rows = changed[changed["metric"] == name]
        rows = rows.sort_values("period_start", ascending=False)
        sentences += _restated(board, name, rows, known, most)
    return Told(tuple(sentences))


def _restated(
    board: Board, metric: str, changed: pd.DataFrame, known: dict[str, Fact], most: int
) -> Iterator[Sentence]:
    for redefined, shown in ((False, most), (True, 1)):
        rows = changed[changed["redefined"] == redefined]
        for _, row in rows.head(shown).iterrows():
            yield _restatement(board, row, known)
        if len(rows) > shown:
            yield _rest(board, metric, known, redefined=redefined)


def _restatement(board: Board, row: pd.Series, known: dict[str, Fact]) -> Sentence:
    metric, at = str(row["metric"]), f"@{row['period']}"
    reported, value = known[f"{metric}.reported{at}"], known[f"{metric}.value{at}"]
    by = known.get(f"{metric}.restated_by{at}")
    if by is not None and reported.text == value.text:
        way = "more" if row["value"] > row["reported"] else "less"
        now = phrase(TRUST[f"now {way}"], {"by": by})
    else:
        now = phrase(TRUST["now"], {"value": value})
    start = row["period_start"].date()
    then = calendar(board.company.calendar).period(board.grain, start)
    slots: dict[str, Piece] = {
        "L": label(board, metric),
        "when": period(board, then),
        "reported": reported,
        "value_now": now,
        "reason": capitalized(_why(metric, at, known, redefined=bool(row["redefined"]))),
    }
    return fill(TRUST["restated"], slots)


def _why(metric: str, at: str, known: dict[str, Fact], *, redefined: bool) -> Phrase:
    if redefined:
        return phrase(TRUST["redefined"], {})
    for kind in ("late", "dropped"):
        rows = known.get(f"{metric}.{kind}_rows{at}")
        if rows is not None:
            noun = "row" if rows.value == 1 else "rows"
            return phrase(TRUST[f"{kind} {noun}"], {"rows": rows})
    return phrase(TRUST["changed rows"], {})


def _rest(board: Board, metric: str, known: dict[str, Fact], *, redefined: bool) -> Sentence:
    slots = metric_slots(board, metric)
    if redefined:
        slots["cases"] = known[f"{metric}.redefined"]
        return fill(TRUST["redefined rest"], slots)
    slots["cases"] = known[f"{metric}.restated"]
    return fill(TRUST["restated rest"], slots)


def faulty_sources(board: Board) -> list[Sentence]:
    """Say which sources have faults, each with its first; their metrics are marked unknown."""
    first: dict[str, str] = {}
    for fault in board.rows.marked(*sources_of(board.company, board.metrics)):
        first.setdefault(fault.source, str(fault))
    sentences = []
    for name, first_fault in first.items():
        slots = {**_source_slots(board, name), "fault": say.name(first_fault)}
        sentences.append(fill(TRUST["faulty"], slots))
    return sentences


def overdue_sources(board: Board) -> list[Sentence]:
    """Say which sources' last row is older than agreed, each with the day since when it is."""
    stale = {name: coverage for name, coverage in coverages(board) if coverage.stale}
    return [_overdue(board, name, coverage) for name, coverage in stale.items()]


def _overdue(board: Board, name: str, coverage: Coverage) -> Sentence:
    slots = _source_slots(board, name)
    agreed = board.company.origins[name].fresh_within
    if coverage.last_row is None or agreed is None:
        return fill(TRUST["no rows"], slots)
    since = coverage.last_row + dt.timedelta(days=agreed.days + 1)
    subject, written = Subject(name, board.period.id), numbers.of(board)
    late = subject.fact("overdue_since", since.isoformat(), written.date(since))
    last = subject.fact("last_row", coverage.last_row.isoformat(), written.date(coverage.last_row))
    return fill(TRUST["overdue"], {**slots, "last": last, "due": late})


def _source_slots(board: Board, name: str) -> dict[str, Piece]:
    origin = board.company.origins[name]
    return {
        "system": say.name(origin.system),
        "owner": say.name(origin.owner) if origin.owner else "",
    }


def coverages(board: Board) -> list[tuple[str, Coverage]]:
    """Return how far each source reaches, by each time column that the board's metrics use.

    Sources with faults are left out.
    """
    reaches: list[tuple[str, Coverage]] = []
    for name in board.company.upstream(board.metrics):
        metric = board.company.metrics[name]
        if not isinstance(metric, Simple) or board.rows.faulty(metric.measure.source):
            continue
        reach = metric.measure.source, coverage_of(board.rows, metric.measure)
        if reach not in reaches:
            reaches.append(reach)
    return reaches


def _time_column(board: Board, measure: Measure) -> str | None:
    """Return the column that dates a measure's rows; none where its source has its own."""
    is_undated = board.company.origins[measure.source].time is None
    if not measure.time and is_undated and measure.open is not None:
        return measure.open.from_
    return measure.time


def warnings(board: Board) -> list[Sentence]:
    """Say what a reader must know first: sources with faults or overdue, and unknown metrics."""
    grave = board.current[board.current["reason"].isin(_GRAVE)]
    return [*faulty_sources(board), *overdue_sources(board), *_together(board, grave["metric"])]


def _together(board: Board, metrics: Iterable[str]) -> Iterator[Sentence]:
    """Say which metrics have no result; those without one for one reason share a sentence.

    Which system is late or sent bad data, a sentence about the source has said.
    """
    alike: dict[str, list[str]] = {}
    for metric in metrics:
        why = phrase(UNJUDGED[str(board.row(metric)["reason"])], _unjudged(board, metric))
        alike.setdefault(say(why).text, []).append(metric)
    for same in alike.values():
        if len(same) == 1:
            yield sentence(board, same[0], names_system=False)
            continue
        reason = str(board.row(same[0])["reason"])
        names = listed([small_label(board, metric) for metric in same])
        yield fill(TOGETHER[reason], {**_unjudged(board, same[0]), "names": names})


def _unjudged(board: Board, metric: str) -> dict[str, Piece]:
    return {**unjudged_slots(board, metric), "system": ""}


def track(board: Board) -> Told:
    """Say what became of lights and chances published for unfinished periods on earlier days.

    While there are too few cases it says so.

    >>> print(story.track(company))
    No forecast record yet: no week with a forecast has ended.
    """
    known = track_facts(board)
    return Told(tuple(_record(board, known)), more=known)


@once_a_board
def track_facts(board: Board) -> dict[str, Fact]:
    """Return the counts of the track record of the board's lead, and its Brier score, by id.

    `tracked_periods tracked_green green_not_met tracked_red red_met tracked_chances brier`.
    """
    return by_id(_track_facts(board))


def _track_facts(board: Board) -> Iterator[Fact]:
    score, written, periods = board.track, numbers.of(board), f"{board.grain}s"
    subject = Subject(board.lead, board.period.id, "cases")
    count = score.periods
    yield subject.fact("tracked_periods", count, written.quantity(count, periods), periods)
    needed = FEWEST_FORECASTS
    yield subject.fact("tracked_needed", needed, written.number(needed), periods)
    counts = {
        "tracked_green": score.green,
        "green_not_met": score.green_not,
        "tracked_red": score.red,
        "red_met": score.red_hit,
        "tracked_chances": score.chances,
    }
    for field, count in counts.items():
        yield subject.fact(field, count, written.number(count))
    if not math.isnan(score.brier):
        brier = clean(score.brier)
        yield subject.fact("brier", brier, written.digits(f"{brier:.2f}"), "")
    for light in ("green", "red"):
        yield subject.word(f"light_tracked_{light}", light)


def _record(board: Board, known: Mapping[str, Fact]) -> Iterator[Sentence]:
    def find(field: str) -> Fact:
        return known[f"{board.lead}.{field}"]

    periods, needed = find("tracked_periods"), find("tracked_needed")
    if not periods.value:
        yield fill(TRUST["no record"], {"grain": board.grain}, periods)
    elif not board.track.tells:
        yield fill(TRUST["few"], {"periods": periods, "needed": needed})
    else:
        yield from _lights(board, known)
        yield from _chances(board, known)


def _lights(board: Board, known: Mapping[str, Fact]) -> Iterator[Sentence]:
    for light, field, wording in (
        ("green", "green_not_met", "green missed"),
        ("red", "red_met", "red met"),
    ):
        count, of = known[f"{board.lead}.{field}"], known[f"{board.lead}.tracked_{light}"]
        if of.value:
            colour = known[f"{board.lead}.light_tracked_{light}"]
            yield fill(TRUST[wording], {"light": colour, "cases": count, "of": of})


def _chances(board: Board, known: Mapping[str, Fact]) -> Iterator[Sentence]:
    brier, count = known.get(f"{board.lead}.brier"), known[f"{board.lead}.tracked_chances"]
    if brier is None or float(count.value or 0) < FEWEST_FORECASTS:
        yield fill(TRUST["few chances"], {}, count)
        return
    yield fill(TRUST["score"], {"brier": brier, "cases": count})
