"""The summary of a board: in its order, each line under a heading, and never longer than agreed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from dataops_nb import alignment, board, display, status, story
from dataops_nb.board import decisions
from dataops_nb.story import summary
from tests import shop
from tests.story.test_decisions import NOTHING_KNOWN, made


def words(*answers):
    return sum(len(sentence.text.split()) for told in answers for sentence in told.sentences)


def decided(this, **changes):
    row = {**NOTHING_KNOWN, "metric": this.lead, "light": "red", "variation": "ordinary"}
    this.__dict__["decisions"] = pd.DataFrame(
        [row | {"link": "no sign"} | changes], columns=decisions.COLUMNS, dtype=object
    )
    return this


def test_a_tile_has_value_target_and_change_and_draws_the_last_values():
    (tile,) = story.tiles(made()).sentences
    assert tile.text == "Revenue: 320 · target 300 · up 110 in a week (better)"
    assert tile.kind == "tile"
    assert tile.past.target == 300
    assert tile.past.values[-1] == 320.5
    assert ", between " in tile.past.description


def limit(target):
    table = alignment.from_frame(
        shop.orders(), "refunds", time="ordered_on", value="amount", agg="sum"
    )
    agreement = status.Agreement(target=target, better="down")
    return board.of(status.judge(table, {"refunds": agreement}), lead="refunds")


def test_what_should_be_low_has_a_limit_and_its_rise_is_worse():
    (tile,) = story.tiles(limit(300)).sentences
    assert " · limit " in tile.text
    assert tile.text.endswith(" in a week (worse)")


def test_a_tile_of_a_period_without_a_result_shows_no_value():
    this = made()
    rows = this.table.assign(light="unknown", reason="stale")
    (tile,) = story.tiles(replace(this, table=rows)).sentences
    assert tile.text == "Revenue: no result yet"
    assert tile.light == "unknown"


def test_what_to_do_stands_in_a_box_under_a_heading():
    told = story.to_do(decided(made()))
    assert told.boxed
    assert told.heading == "What to do"
    assert "Leave this week alone" in str(told)


def listed(this, **changes):
    """The board with one thing that somebody listed about its lead, to be started within ten days."""
    rows = this.table.assign(light="red", reason=None)
    row = {
        "rank": 1, "id": "till", "title": "The till loses orders", "kind": "asked", "metric": this.lead, "light": "red",
        "slack": 10, "at_stake": 9000.0, "at_stake_low": 8000.0, "at_stake_high": 9500.0, "why": "part of it",
        "stability": 1.0, "star": None, "lag": 0, "reports": 0,
    }  # fmt: skip
    this = replace(this, table=rows)
    this.__dict__["priorities"] = pd.DataFrame([row | changes])
    this.__dict__["closed"] = pd.DataFrame(columns=["id", "title"])
    return decided(this)


@pytest.mark.parametrize(
    ("slack", "clock"), [(10, "must start by 25 Nov"), (-3, "had to start by 12 Nov")]
)
def test_the_box_says_by_when_listed_work_on_the_number_must_start(slack, clock):
    assert f"Work on “The till loses orders” {clock}." in str(
        story.to_do(listed(made(), slack=slack))
    )


@pytest.mark.parametrize(("slack", "is_said"), [(10, False), (-3, True)])
def test_no_clock_that_still_runs_stands_beside_one_that_has_run_out(slack, is_said):
    this = listed(made(), slack=slack)
    late = {"deadline": "overdue", "due": this.as_of - dt.timedelta(days=5), "days_left": -5}
    told = str(story.to_do(decided(this, **late)))
    assert ("start by" in told) is is_said


@pytest.mark.parametrize(
    "changes", [{"kind": "red"}, {"at_stake": 0.0}, {"slack": float("nan")}, {"metric": "other"}]
)
def test_of_what_nobody_listed_or_costs_nothing_the_box_has_no_start(changes):
    assert "start by" not in str(story.to_do(listed(made(), **changes)))


def test_there_is_always_something_to_read_in_the_box():
    this = decided(made(), light="unknown", reason="no target", star=None)
    assert str(story.to_do(this)) == "Nothing to do."


def test_a_heading_without_sentences_is_not_there():
    assert story.under("Why", display.Told())._repr_mimebundle_()["text/html"] == ""
    assert (
        "heading" not in story.under("Why", display.Told())._repr_mimebundle_()[display.SENTENCES]
    )


def test_the_same_sentence_stands_once_under_a_heading():
    moved = story.movement(made())
    assert len(story.under("Why", moved, moved).sentences) == 1


def test_at_most_so_many_sentences_stand_under_a_heading():
    lines = display.Told(tuple(display.say(str(n)) for n in range(9)))
    assert str(story.under("Why", lines, most=2)) == "0\n1"


def test_sentences_that_stand_elsewhere_are_left_out():
    lines = display.Told(tuple(display.say(str(n)) for n in range(6)))
    assert str(story.under("More", lines, after=4)) == "4\n5"
    assert story.under("More", lines, after=6)._repr_mimebundle_()["text/html"] == ""


@pytest.mark.parametrize("room", [0, 5, 12, 90])
def test_what_does_not_fit_is_left_out(monkeypatch, room):
    this = made()
    opening = words(story.opening(this), story.to_do(this))
    monkeypatch.setattr(summary, "WORDS", opening + room)
    told = story.why(this), story.others(this)
    assert words(*told) <= room


def test_what_changed_does_not_repeat_the_reason():
    this = made()
    assert not set(str(story.why(this)).split("\n")) & set(
        str(story.what_changed(this)).split("\n")
    )
