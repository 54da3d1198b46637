"""Tables: the same facts for people who prefer numbers; plain HTML with headers and captions.

Each function takes a board and returns a `Table` of text. Here are the tables that prove something:
receipts (the query behind each number), links and what the data say about them, two systems side by
side with the rows behind their difference, and pitches with what readers understood of them.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from dataops_nb import numbers, reconciliation
from dataops_nb.alignment.measures import receipts as queries_of
from dataops_nb.board import Board, rebases
from dataops_nb.display import Cell, Fact, Table
from dataops_nb.links.verdicts import reason_words
from dataops_nb.reconciliation.bridges import PARTS
from dataops_nb.reconciliation.pairs import Pair
from dataops_nb.story import trust
from dataops_nb.story.effects import link_facts
from dataops_nb.story.pitch import grade as grade_
from dataops_nb.story.pitch import pitches, words
from dataops_nb.tables.overview import (
    admission,
    changed,
    communications,
    doors,
    refreshed,
    shortlist,
    solve_next,
    stale,
    track,
)
from dataops_nb.tables.scorecard import (
    MISSING,
    feeds,
    leads,
    lights,
    moved,
    owners,
    provenance,
    reactions,
    scorecard,
    six_twelve,
    split,
)

__all__ = [
    "admission",
    "agreed",
    "bridge",
    "changed",
    "communications",
    "doors",
    "feeds",
    "leads",
    "levels",
    "lights",
    "links",
    "moved",
    "owners",
    "pitch_gate",
    "provenance",
    "reactions",
    "receipts",
    "refreshed",
    "rows_apart",
    "scorecard",
    "shortlist",
    "six_twelve",
    "solve_next",
    "split",
    "stale",
    "track",
    "understood",
]


def __dir__() -> list[str]:
    return __all__


_VERDICTS = {"moves": "yes", "does not": "no", "cannot tell": "no sign yet"}
_ALLOWED = {True: "yes", False: "no", None: "too early"}


def receipts(board: Board, metric: str | None = None) -> Table:
    """Return the measures that a metric stands on, by default the lead, a measure a row.

    Columns: Measure, Source, Rows, File check (SHA-256), Query (as it ran).

    Behind a plain table stand none.

    >>> table = tables.receipts(company)
    >>> [row[:3] for row in table.rows]
    [['amount', 'orders', '8']]
    """
    queries = queries_of(board.rows, metric or board.lead)
    sources = dict.fromkeys(queries["source"])
    provenance = board.rows.provenance(*sources).set_index("source")
    queries = queries[queries["source"].isin(provenance.index)]
    rows: list[list[Cell]] = []
    for measure, source, query in queries.itertuples(index=False):
        count = numbers.of(board).count(int(provenance.loc[source, "rows"]))
        fingerprint = str(provenance.loc[source, "sha256"])[:12]
        rows.append([measure, source, count, fingerprint, query])
    columns = ["Measure", "Source", "Rows", "File check", "Query"]
    return Table("Queries", columns, rows, frozenset({"Rows"}))


def levels(board: Board) -> Table:
    """Return the metrics on a new level, and the line that writes it into their definitions.

    Columns: Metric, Since, Before, Now, To write in its definition.

    >>> tables.levels(company).rows  # three weeks have one level
    []
    """
    rows: list[list[Cell]] = []
    for proposed in rebases.propose(board):
        written, unit = numbers.of(board), board.company.metrics[proposed.metric].unit
        ends = [written.number(level, unit) for level in (proposed.before, proposed.now)]
        since = written.date(proposed.since)
        rows.append([board.company.label(proposed.metric), since, *ends, proposed.line])
    columns = ["Metric", "Since", "Before", "Now", "To write in its definition"]
    numeric = frozenset({"Before", "Now"})
    return Table("Changes of level", columns, rows, numeric, "no metric is on a new level")


def links(board: Board) -> Table:
    """Return the tested links that were declared or found, with their effect and its limits.

    Columns: Input, North Star, Effect?, After, For each extra, Change, Likely from
    and to, Note.

    >>> str(tables.links(both)).splitlines()[0]
    'Tested effects (1 pair)'
    """
    tested = board.links[~board.links["is_part"].astype(bool)]
    is_shown = tested["declared"].astype(bool) | (tested["verdict"] == "moves")
    known = link_facts(board)
    rows = [_link_row(board, row, known) for _, row in tested[is_shown].iterrows()]
    numeric = ["For each extra", "Change", "Likely from", "Likely to"]
    columns = ["Input", "North Star", "Effect?", "After", *numeric, "Note"]
    caption = f"Tested effects ({numbers.of(board).quantity(len(tested), 'pairs')})"
    return Table(caption, columns, rows, frozenset(numeric))


def _link_row(board: Board, row: pd.Series, known: dict[str, Fact]) -> list[Cell]:
    def text(field: str, *, signed: bool = False) -> str:
        fact = known.get(f"{row['input']}.{field}_on_{row['target']}")
        if fact is None:
            return MISSING
        if not signed:
            return fact.text
        if float(fact.value or 0) < 0:
            return f"{numbers.MINUS}{fact.text}"
        return f"+{fact.text}"

    return [
        board.company.label(str(row["input"])),
        board.company.label(str(row["target"])),
        _VERDICTS[str(row["verdict"])],
        text("lag"),
        text("step"),
        text("effect", signed=True),
        text("effect_low", signed=True),
        text("effect_high", signed=True),
        _link_note(board, row, text("needed")),
    ]


def _link_note(board: Board, row: pd.Series, needed: str) -> str:
    if row["rocking_chair"]:
        return "up without effect"
    if row["together"]:
        return f"same {board.grain}"
    if row["contradicted"]:
        return "expected, but not seen"
    if row["verdict"] == "moves" or not row["declared"]:
        return _found_note(board, row)
    if pd.isna(row["periods_needed"]):
        return reason_words(str(row["reason"]), board.grain)
    return f"{needed} more needed"


def _found_note(board: Board, row: pd.Series) -> str:
    """Say under which other name a link shows, or whether it was declared."""
    if pd.notna(row["same_as"]):
        return f"same as {numbers.small(board.company.label(str(row['same_as'])))}"
    return "expected" if row["declared"] else "not expected"


def bridge(board: Board, pair: Pair, periods: int = 26) -> Table:
    """Return the last periods in which two systems differ, newest first.

    Columns: Period, both systems, Difference, its five parts, Allowed (within the tolerance).

    >>> table = tables.bridge(company, story.pairs(company)[0])
    >>> dict(zip(table.columns, table.rows[0]))["Only in Shop"]
    '+€75'
    """
    left, right = trust.systems(board, pair)
    unit = trust.unit(board, pair)
    past = trust.history(board, pair).dropna(subset=["a"])
    differing = past[past["difference"] != 0].tail(periods)
    rows: list[list[Cell]] = []
    for _, row in differing.iloc[::-1].iterrows():
        both = [_amount_text(board, row[system], unit) for system in ("a", "b")]
        parts = [_signed_text(board, row[part], unit) for part in ("difference", *PARTS)]
        rows.append([row["period"], *both, *parts, _ALLOWED[row["within_tolerance"]]])
    numeric = [
        left,
        right,
        "Difference",
        f"Only in {left}",
        f"Only in {right}",
        "Different amount",
        f"Different {board.grain}",
        "Duplicates",
    ]
    columns = ["Period", *numeric, "Allowed"]
    return Table(f"{left} minus {right}, by cause", columns, rows, frozenset(numeric))


def rows_apart(board: Board, pair: Pair, largest: int = 30) -> Table:
    """Return the rows behind the differences, the largest first.

    Columns: Key, What (is wrong), both amounts, both days.

    >>> print(tables.rows_apart(company, story.pairs(company)[0]))
    2 rows differ between Shop and Bank
    Key | What | Shop, amount | Bank, amount | Shop, day | Bank, day
    1008 | only in Shop | €75 | – | 2026-11-15 | –
    1006 | different amount | €45.50 | €45 | 2026-11-11 | 2026-11-11
    """
    left, right = trust.systems(board, pair)
    unit = trust.unit(board, pair)
    apart = reconciliation.rows_of_company(
        board.rows, pair.a.metric, board.grain, end=board.period.end
    )
    apart = apart[apart["with"] == pair.b.metric]
    sizes = [_size_apart(row) for row in apart.itertuples()]
    ranked = apart.assign(size=sizes).sort_values("size", ascending=False, kind="stable")

    reasons = {
        "only_a": f"only in {left}",
        "only_b": f"only in {right}",
        "amount": "different amount",
        "date": f"different {board.grain}",
        "duplicate": "duplicate",
    }
    rows = [
        _apart_row(board, row, reasons[str(row.part)], unit)
        for row in ranked.head(largest).itertuples()
    ]
    caption = f"{numbers.of(board).count(len(apart))} rows differ between {left} and {right}"
    if len(apart) > largest:
        caption += f" (largest {largest})"
    amounts = [f"{left}, amount", f"{right}, amount"]
    days = [f"{left}, day", f"{right}, day"]
    return Table(caption, ["Key", "What", *amounts, *days], rows, frozenset(amounts))


def _apart_row(board: Board, row: Any, reason: str, unit: str) -> list[Cell]:
    key = "(no key)"
    if row.key is not None:
        key = str(row.key)
    return [
        key,
        reason,
        _amount_text(board, row.a_amount, unit),
        _amount_text(board, row.b_amount, unit),
        _day_text(row.a_day),
        _day_text(row.b_day),
    ]


def _size_apart(row: Any) -> float:
    """Return how far apart two amounts are; equal ones differ by their whole amount."""
    left, right = _amount_or_zero(row.a_amount), _amount_or_zero(row.b_amount)
    return abs(left - right) or left


def _amount_or_zero(amount: Any) -> float:
    if amount is None:
        return 0.0
    return float(amount)


def _amount_text(board: Board, amount: Any, unit: str) -> str:
    if amount is None:
        return MISSING
    return numbers.of(board).number(float(amount), unit)


def _signed_text(board: Board, amount: Any, unit: str) -> str:
    if not amount:
        return MISSING
    return numbers.of(board).number(float(amount), unit, signed=True)


def _day_text(day: Any) -> str:
    if pd.isna(day):
        return MISSING
    return f"{day:%Y-%m-%d}"


def pitch_gate(board: Board, metric: str | None = None) -> Table:
    """Return the pitches of a metric as they read now; by default of the lead.

    Columns: Pitch, Text, Words, Reading grade (of school), Result (what keeps it back).

    >>> print(tables.pitch_gate(company))
    Pitch check
    Pitch | Text | Words | Reading grade | Result
    a | We sold €320.50 of €400. | 5 | -1.8 | passes
    b | Revenue was €320.50 this week. | 5 | 2.9 | passes
    """
    rows: list[list[Cell]] = []
    for pitch in pitches(board, metric or board.lead):
        gate = "passes"
        if pitch.faults:
            gate = "; ".join(pitch.faults)
        elif pitch.missing:
            gate = "no data for it"
        word_count = str(len(words(pitch.text)))
        grade = f"{grade_(pitch.text):.1f}"
        rows.append([pitch.variant, pitch.text, word_count, grade, gate])
    columns = ["Pitch", "Text", "Words", "Reading grade", "Result"]
    return Table("Pitch check", columns, rows, frozenset({"Words", "Reading grade"}))


def understood(board: Board, metric: str | None = None) -> Table:
    """Return what readers understood of each pitch in a metric's last trial.

    Columns: Pitch, Readers, and the share of them who got the Light, the Direction, What to do,
    and All three. The caption says whether the difference is more than luck.

    >>> tables.understood(company).columns
    ['Pitch', 'Readers', 'Light', 'Direction', 'What to do', 'All three']
    """
    columns = ["Pitch", "Readers", "Light", "Direction", "What to do", "All three"]
    trial = board.memory.trial(metric or board.lead)
    if trial is None:
        return Table("What readers understood", columns, [])
    rows: list[list[Cell]] = []
    for variant, shares in trial.shares.iterrows():
        readers = str(int(shares["readers"]))
        keys = ("colour", "direction", "action", "understood")
        rows.append([str(variant), readers, *(_share_text(board, shares[key]) for key in keys)])
    caption = f"What readers understood: {trial.evidence}"
    return Table(caption, columns, rows, frozenset(columns[1:]))


def agreed(board: Board) -> Table:
    """Return whether readers see the lights that we see, over all trials.

    Columns: By (department or altitude), Group, Answers, Agreed, Kappa (chance removed).

    >>> tables.agreed(company).rows  # nobody has been asked yet
    []
    """
    groups = board.memory.agreement()
    rows: list[list[Cell]] = []
    for row in groups.to_dict("records"):
        name = row["group"]
        if name in board.company.departments:
            name = board.company.departments[name].department
        alike = _share_text(board, row["alike"])
        kappa = _kappa_text(board, row["kappa"])
        rows.append([row["by"], name, str(row["readers"]), alike, kappa])
    columns = ["By", "Group", "Answers", "Agreed", "Kappa (chance removed)"]
    return Table("Do readers see the same status we do?", columns, rows, frozenset(columns[2:]))


def _kappa_text(board: Board, value: float) -> str:
    if math.isnan(value):
        return "one status only"
    return numbers.of(board).digits(f"{value:.2f}")


def _share_text(board: Board, value: float) -> str:
    if math.isnan(value):
        return MISSING
    return numbers.of(board).share(value)
