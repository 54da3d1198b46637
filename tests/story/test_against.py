"""What moved a metric went the way of its change; what went the other way is said to have held against it."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import board, drivers, story
from tests.sentences import wrong

SOURCE = "s: {system: CRM, path: s.csv, time: on, covers: {from: 2026-10-01, to: 2026-11-30}}"
METRIC = "m: {type: simple, measure: {source: s, agg: sum, expr: n}, by: [who]}"


@pytest.fixture
def moved(company):
    """Two months of a metric by who, each a mapping of names to amounts, as it is told."""

    def make(before, now):
        lines = ["on,who,n"]
        for day, amounts in (("2026-10-05", before), ("2026-11-05", now)):
            lines += [f"{day},{who},{amount}" for who, amount in amounts.items()]
        rows = "\n".join(lines) + "\n"
        known = company(SOURCE, METRIC, {"s.csv": rows}, as_of="2026-11-30")
        told = story.explained(board.measure(known, ["m"], grain="month"))
        assert [wrong(sentence) for sentence in told.sentences] == [[]] * len(told.sentences)
        return told

    return make


def test_the_part_that_moved_it_most_went_the_way_of_the_change(moved):
    told = moved({"a": 100, "b": 100, "c": 100}, {"a": 90, "b": 91, "c": 113})
    assert str(told) == ("M fell 6 from the month before: a −10, c +13, everything else −9.")
    assert told.known["m.held_against_by"].value == 13


def test_all_that_held_against_it_is_in_the_rest_but_the_largest(moved):
    told = moved({"a": 10, "b": 10, "c": 10}, {"a": 40, "b": 5, "c": 2})
    assert str(told) == ("M rose 17 from the month before: a +30, c −8, everything else −5.")


def test_two_parts_leave_nothing_else(moved):
    assert str(moved({"a": 10, "b": 10}, {"a": 40, "b": 5})).endswith(": a +30, b −5.")


def test_nothing_held_against_a_change_that_all_parts_share(moved):
    told = moved({"a": 10, "b": 10}, {"a": 20, "b": 15})
    assert str(told).endswith(": a +10, everything else +5.")
    assert "m.held_against" not in told.known


def test_the_parts_of_what_is_level_held_each_other(moved):
    assert str(moved({"a": 10, "b": 10, "c": 10}, {"a": 18, "b": 4, "c": 8})) == (
        "No net change in M from the month before: a +8, b −6, everything else −2."
    )


def made_up(this, effects, size):
    """Replace what is known of the parts of a change by these effects; the last is unexplained."""
    change, parts = board.explain(this, "m")
    rows = [
        {**parts.iloc[0].to_dict(), "part": f"who={name}", "effect": effect}
        for name, effect in effects.items()
    ]
    rest = size - sum(effects.values())
    if rest:
        rows.append({**rows[0], "part": "", "kind": "unexplained", "effect": rest})
    changed = drivers.Change(change.period, change.against, 100.0, 100.0 + size, True)
    this.explained["m", ()] = changed, pd.DataFrame(rows)


@pytest.fixture
def rising(company):
    """A board whose metric rose by so much since the month before."""

    def make(size):
        rows = f"on,who,n\n2026-10-05,a,1\n2026-11-05,a,{1 + size}\n"
        known = company(SOURCE, METRIC, {"s.csv": rows}, as_of="2026-11-30")
        return board.measure(known, ["m"], grain="month")

    return make


@pytest.fixture
def this(rising):
    return rising(1)


def test_where_no_known_part_went_its_way_none_is_said_to_have_moved_it(this):
    made_up(this, {"a": -2.0}, 1.0)
    assert str(story.explained(this)) == ("M rose 1 from the month before: a −2, unexplained +3.")


def test_a_level_metric_whose_known_parts_all_fell_is_moved_by_what_fell_most(rising):
    this = rising(0)
    made_up(this, {"a": -2.0, "b": -1.0}, 0.0)
    assert str(story.explained(this)) == (
        "No net change in M from the month before: a −2, everything else +2 (+3 unexplained)."
    )


def test_a_part_that_prints_as_nothing_held_nothing(this):
    made_up(this, {"a": 1.0, "b": -1e-6}, 1.0 - 1e-6)
    assert str(story.explained(this)).endswith(", almost all of it from a.")


@pytest.mark.parametrize("size", [1.0])
def test_any_parts_are_told_by_their_signs(this, size):
    whole = st.integers(-50, 50).map(float)

    @given(st.lists(whole, min_size=1, max_size=4))
    def holds(effects):
        made_up(this, dict(zip("abcd", effects, strict=False)), size)
        known = story.explained(this).known
        most, held = known.get("m.moved_most_by"), known.get("m.held_against_by")
        assert (most is None) == (max(effects) <= 0)
        assert (held is None) == (min(effects) >= 0)
        assert most is None or most.value == max(effects)
        assert held is None or held.value == min(effects)
        told = [most, held, known.get("m.moved_rest")]
        assert sum(fact.value for fact in told if fact) == pytest.approx(size)

    holds()
