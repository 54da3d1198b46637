"""What several sentences of a board ask for is made once."""

from __future__ import annotations

import importlib

import pytest

from dataops_nb import board, story
from dataops_nb.story.facts import once_a_board

ROWS = "on,n\n" + "".join(
    f"2026-{month:02}-{day:02},{day}\n" for month in (9, 10) for day in range(1, 31)
)
METRICS = """
    m: {type: simple, measure: {source: s, agg: sum, expr: n}, lights: standard, targets: [{per: week, value: 500}]}
    k: {type: simple, measure: {source: s, agg: count}, lights: standard}
"""


@pytest.fixture
def this(company):
    known = company(
        "s: {system: CRM, path: s.csv, time: on}", METRICS, {"s.csv": ROWS}, as_of="2026-10-30"
    )
    return board.measure(known, ["m", "k"])


def test_what_is_asked_again_is_made_once_for_each_question(this):
    asked = []

    @once_a_board
    def words(board_, metric="m", *, brief=False):
        asked.append((metric, brief))
        return {"metric": metric}

    first = words(this)
    first["metric"] = "somebody's own"
    assert words(this) == {"metric": "m"}
    assert words(this, "k", brief=True) == words(this, "k", brief=True) == {"metric": "k"}
    assert asked == [("m", False), ("k", True)]


def test_a_whole_summary_looks_for_sentences_about_findings_once_a_form(this, monkeypatch):
    calls = []
    findings = importlib.import_module(
        "dataops_nb.story.findings"
    )  # story.findings is its function
    find = findings._of_one_cause
    monkeypatch.setattr(
        findings, "_of_one_cause", lambda *given: calls.append(given) or find(*given)
    )
    for part in (
        story.opening,
        story.to_do,
        story.why,
        story.others,
        story.what_changed,
        story.findings,
    ):
        part(this)
    story.record(this, findings=True, links=True)
    assert len(calls) <= 4  # whole and brief, with and without the cause, and each alone
