"""The sentence of what to do: every cell of its table, and no two of them at odds."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest

from dataops_nb import alignment, board, status, story
from dataops_nb.board import decisions
from dataops_nb.story.decisions import LINKS, WORDINGS, cell_of, inside, wording_of
from dataops_nb.story.phrases import fill
from tests import shop

LIGHTS = ("green", "yellow", "red")
VARIATIONS = ("worse", "better", "ordinary", "unreachable", "cannot tell")
NOTHING_KNOWN = {
    "reason": None, "star": None, "lag": None, "effect": None, "periods_needed": None, "deadline": "none",
    "due": None, "days_left": None, "since": None, "waited": False, "began": None, "event": None, "left": None,
}  # fmt: skip
EVERYTHING = {
    "lag": 6, "effect": 0.5, "periods_needed": 9, "deadline": "running", "due": dt.date(2026, 11, 25),
    "days_left": 3, "since": dt.date(2026, 9, 6), "began": pd.Timestamp("2026-08-24"), "left": 5,
}  # fmt: skip


def made(target=300):
    """The board of one metric with this target."""
    table = alignment.from_frame(
        shop.orders(), "revenue", time="ordered_on", value="amount", agg="sum"
    )
    judged = status.judge(table, {"revenue": status.Agreement(target=target)})
    return board.of(judged, lead="revenue", labels={"revenue": "Revenue"})


@pytest.fixture
def this():
    return made()


def told(this, **changes):
    row = {
        **NOTHING_KNOWN,
        "metric": this.lead,
        "light": "red",
        "variation": "ordinary",
        "link": "no sign",
    }
    this.__dict__["decisions"] = pd.DataFrame(
        [row | changes], columns=decisions.COLUMNS, dtype=object
    )
    return str(story.action(this)).replace("\n", " ")


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("variation", VARIATIONS)
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("known", [{}, EVERYTHING])
def test_every_cell_is_a_sentence(this, light, variation, link, known):
    text = told(this, light=light, variation=variation, link=link, star=this.lead, **known)
    assert re.fullmatch(r"[A-Z][^{}\[\]]*\.", text)
    assert not re.search(r"\s[.,;:]|\s\s|,\.|;\.|\bnan\b|None", text)


@pytest.mark.parametrize("link", LINKS)
def test_an_ordinary_week_is_never_told_to_look_for_a_cause(this, link):
    text = told(this, variation="ordinary", link=link, star=this.lead, **EVERYTHING)
    assert not re.search(r"cause|stop|undo|what changed", text)


def test_what_is_overdue_is_due_now_and_says_since_when(this):
    text = told(
        this,
        deadline="overdue",
        due=dt.date(2026, 11, 20),
        days_left=-2,
        since=dt.date(2026, 11, 15),
    )
    assert "more often now." in text
    assert "2026" not in text
    assert "2 days ago" in text


def test_what_was_due_long_ago_counts_no_days(this):
    text = told(
        this,
        deadline="overdue",
        due=dt.date(2026, 8, 28),
        days_left=-86,
        since=dt.date(2026, 8, 23),
    )
    assert "ago" not in text


@pytest.mark.parametrize("deadline", ["accepted", "answered"])
def test_who_has_answered_is_asked_for_nothing(this, deadline):
    assert told(this, deadline=deadline) == ""


def test_waiting_for_long_asks_for_another_plan(this):
    text = told(this, waited=True, deadline="overdue", since=dt.date(2025, 6, 1), days_left=-500,
                due=dt.date(2025, 6, 15))  # fmt: skip
    assert "aiting has not helped since" in text
    assert "change the plan or the target now." in text


@pytest.mark.parametrize(
    ("effect", "way"), [(0.5, "falls"), (-0.5, "rises")]
)  # revenue that is short of its target
def test_the_effect_has_the_sign_of_the_link_and_the_miss(effect, way):
    text = told(made(1e6), variation="worse", link="moves", star="revenue", lag=6, effect=effect)
    assert f"revenue {way} 6 weeks later" in text


def test_a_metric_without_a_target_that_moves_nothing_is_left_alone(this):
    assert told(this, light="unknown", reason="no target") == ""


def test_a_label_is_small_inside_a_sentence_unless_it_is_a_name():
    texts = [inside(text).text for text in ("Churn rate", "CRM deals", "Sign-ups", "MRR")]
    assert texts == ["churn rate", "CRM deals", "sign-ups", "MRR"]


@pytest.mark.parametrize(
    "label",
    [
        "Dr. Oetker orders",
        "Acme Inc.",
        "New York orders",
        "X",
        "B orders",
        "Red Line 7",
        "iPhone sales",
    ],
)
def test_a_name_stays_as_it_is_written_inside_a_sentence_and_before_it(label):
    assert inside(label).text == label
    assert fill("{l} fell.", {"l": inside(label)}).text.startswith(label)


@pytest.mark.parametrize("label", ["A share", "No. of calls", "Sales in Rome", "Churn, EMEA"])
def test_a_label_with_names_further_on_is_small(label):
    assert inside(label).text == label[0].lower() + label[1:]


def test_brackets_are_left_out_where_a_slot_is_empty():
    slots = {"who": "Ann", "by": "", "effect": "churn rises"}
    assert fill("{who}: stop[ {by}][; {effect}].", slots).text == "Ann: stop; churn rises."


def test_a_slot_that_nobody_fills_is_an_error():
    with pytest.raises(KeyError):
        fill("{whom}", {"who": "Ann"})


def test_every_light_and_variation_has_wordings_for_each_link():
    for light in LIGHTS:
        for variation in VARIATIONS:
            row = {"light": light, "variation": variation, "waited": False, "reason": None}
            for link in LINKS:
                assert wording_of({**row, "link": link, "star": None, "lag": None})
    assert all(len(wordings) == len(LINKS) for wordings in WORDINGS.values())
    assert cell_of({"light": "unknown", "reason": "stale"}) in WORDINGS


def test_the_reference_lists_every_wording():
    text = (Path(__file__).parents[2] / "docs" / "reference" / "actions.md").read_text("utf-8")
    for wordings in WORDINGS.values():
        for wording in wordings:
            assert wording in text


def test_data_are_asked_of_the_source_of_the_rows_and_not_of_a_plan_or_a_list_that_ends_before(
    company,
):
    catalog = company(
        """
        calls: {system: Desk, path: calls.csv, time: on}
        staff: {system: HR, path: staff.csv, key: agent}
        plan: {system: Budget, path: plan.csv, time: on}
        """,
        "m: {type: simple, by: [{column: agent, values: staff.agent}], lights: standard,"
        " measure: {source: calls, agg: count}, targets: [{source: plan, column: goal, per: week}]}",
        {
            "calls.csv": "on,agent\n2026-11-02,ann\n2026-11-15,ann\n",
            "staff.csv": "agent\nann\nbob\n",
            "plan.csv": "on,goal\n2026-11-02,3\n",
        },
        as_of="2026-11-22",
    )
    assert str(story.action(board.measure(catalog, ["m"]))).startswith("Deliver Desk data")
