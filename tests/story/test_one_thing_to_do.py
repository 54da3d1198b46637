"""One thing to do about one metric: a page for every cell of the table of decisions, and all that it says."""

from __future__ import annotations

import datetime as dt
import functools
import re
from pathlib import Path

import pandas as pd
import pytest

from dataops_nb import alignment, board, status, story
from dataops_nb.board import decisions, findings
from dataops_nb.reports.delivery import words
from dataops_nb.story.decisions import LINKS
from tests import shop, summaries

pytestmark = pytest.mark.faults  # some hundred boards; `make check` has the time
LIGHTS = ("green", "yellow", "red")
VARIATIONS = ("worse", "better", "ordinary", "unreachable", "cannot tell")
DUE = dt.date(2026, 11, 13)
DEADLINES = {
    "none": {"deadline": "none"},
    "running": {"deadline": "running", "due": DUE, "days_left": 3, "since": dt.date(2026, 11, 1)},
    "overdue": {"deadline": "overdue", "due": DUE, "days_left": -90, "since": dt.date(2026, 8, 1)},
    "waited": {
        "deadline": "overdue", "due": DUE, "days_left": -500, "since": dt.date(2025, 6, 1), "waited": True,
    },
}  # fmt: skip
UNKNOWN = ("no target", "stale", "incomplete", "no data", "fault", "unreconciled")
NOTHING = dict.fromkeys(decisions.COLUMNS) | {"waited": False}
# What a sentence asks somebody to do.
ASKS = re.compile(
    r"\b(find (?:what|out|the cause)|decide|keep (?:what|it going)|leave this|bring|drop this|drop the|agree a|"
    r"stop the|review|act before|add no effort|set a target|deliver|settle|change the plan|hunt|no action|"
    r"[Nn]othing (?:new )?to do|whether)\b"
)
# Two orders that no page gives about one metric.
AT_ODDS = [
    ("find", "leave"), ("find", "hunt"), ("find", "no action"), ("find", "othing"), ("find", "drop"),
    ("review", "change the plan"), ("keep it going", "drop"), ("leave", "change the plan"), ("keep", "find"),
]  # fmt: skip


def made(light: str, variation: str, link: str, deadline: str) -> board.Board:
    """A board of two metrics, the first of which is in this cell, with the finding that led there."""
    target = {"green": 100, "yellow": 330, "red": 1000}[light]
    this = _board(target)
    known = {"star": "buyers", "periods_needed": 9, **DEADLINES[deadline]}
    if link == "moves":
        known |= {"lag": 6, "effect": 0.5}
    found = {"kind": None}
    if variation in ("worse", "better"):
        known["began"] = pd.Timestamp("2026-11-02")
        found = {"kind": "new level", "since": known["began"], "before": 300.0, "now": 200.0}
        if variation == "better":
            found |= {"before": 200.0, "now": 300.0}
    elif (light, variation) == ("red", "ordinary"):
        found = {"kind": "red by noise"}
    row = {
        **NOTHING,
        "metric": "revenue",
        "light": light,
        "variation": variation,
        "link": link,
        **known,
    }
    other = {**NOTHING, "metric": "buyers", "light": "unknown", "reason": "no target",
             "variation": "cannot tell", "link": "no sign", "deadline": "none"}  # fmt: skip
    _put(this, [row, other], found, light)
    return this


@functools.cache
def _board(target: float) -> board.Board:
    names = {"revenue": "amount", "buyers": "customer"}
    rows = shop.orders()
    money = alignment.from_frame(
        rows, "revenue", time="ordered_on", value=names["revenue"], agg="sum"
    )
    people = alignment.from_frame(rows, "buyers", time="ordered_on", agg="count")
    agreed = {"revenue": status.Agreement(target=target, yellow=0.85)}
    judged = status.judge(alignment.combine(money, people), agreed)
    return board.of(judged, lead="revenue", labels={"revenue": "Revenue", "buyers": "Buyers"})


def _put(this: board.Board, rows: list[dict], found: dict, light: str) -> None:
    this.__dict__["decisions"] = pd.DataFrame(rows, columns=decisions.COLUMNS, dtype=object)
    told = [{"metric": "revenue", "light": light, **found}] if found["kind"] else []
    filled = [{**dict.fromkeys(findings.COLUMNS), **row} for row in told]
    columns = {}
    for name, dtype in findings.COLUMNS.items():
        columns[name] = pd.Series([row[name] for row in filled], dtype=dtype)
    this.__dict__["findings"] = pd.DataFrame(columns)


def said(this: board.Board, folder: Path) -> list[str]:
    """Every sentence and every cell of the page that shows all that the three pages do."""
    path = summaries.write(this, folder, summaries.NORTH_STAR, "analyst")
    page = path.read_text("utf-8")
    cells = [summaries.plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", page, re.DOTALL)]
    return [*words.sentences(page), *cells]


def orders(texts: list[str]) -> set[str]:
    """What the sentences ask for, each once: a sentence repeated is one order."""
    asked = set()
    for text in texts:
        for sentence in re.split(r"(?<=[.;]) ", text):
            verbs = [match[0] for match in ASKS.finditer(sentence)]
            if verbs:
                asked.add(" + ".join(verbs))
    return asked


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("variation", VARIATIONS)
def test_no_page_says_two_things_to_do_about_one_metric(light, variation, tmp_path):
    for link in LINKS:
        for deadline in DEADLINES:
            if light == "green" and deadline != "none":
                continue  # nothing is due of a good light
            this = made(light, variation, link, deadline)
            own = {name.lower() for name in orders([str(story.action(this))])}
            texts = said(this, tmp_path)
            everywhere = {name.lower() for name in orders(texts)}
            assert everywhere == own, (link, deadline, texts)
            for one, other in AT_ODDS:
                text = " ".join(everywhere)
                assert not (one in text and other in text), (link, deadline, everywhere)


@pytest.mark.parametrize("reason", UNKNOWN)
def test_without_a_light_a_page_asks_for_one_thing_at_most(reason, tmp_path):
    this = made("red", "cannot tell", "moves", "none")
    rows = this.decisions.to_dict("records")
    rows[0] |= {"light": "unknown", "reason": reason}
    _put(this, rows, {"kind": None}, "unknown")
    assert len(orders([str(story.action(this))])) <= 1
    assert orders(said(this, tmp_path)) <= orders([str(story.action(this)), "Nothing to do."])
