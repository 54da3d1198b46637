"""What feeds a number, what moved of late, and how it leads to the North Star: tables to look at."""

from __future__ import annotations

import datetime as dt

import pytest

from dataops_nb import board, story, tables
from dataops_nb.tables import flow
from dataops_nb.tables.markup import Light

DAYS = [dt.date(2026, 1, 5) + dt.timedelta(days=i) for i in range(322)]
ROWS = "on,n\n" + "".join(f"{day},{1 + day.toordinal() % 3}\n" for day in DAYS)
SHORT = "on,n\n" + "".join(f"{day},2\n" for day in DAYS[:-3])
SOURCES = "s: {system: CRM, path: s.csv, time: on}\npart: {system: Phone, path: part.csv, time: on}"
METRICS = """
    rate: {label: Rate, type: ratio, numerator: won, denominator: calls, unit: percent}
    won: {label: Won, type: simple, measure: {source: s, agg: sum, expr: n}, lights: standard,
          targets: [{from: 2020-01-01, per: week, value: 7}], moves: [{metric: star, after: 2w, because: "They pay."}]}
    calls: {label: Calls, type: simple, measure: {source: s, agg: count}, moves: [{metric: won}]}
    visits: {label: Visits, type: simple, measure: {source: part, agg: sum, expr: n}}
    star: {label: Star, type: simple, measure: {source: s, agg: max, expr: n}}
"""


@pytest.fixture
def boards(company):
    files = {"s.csv": ROWS, "part.csv": SHORT}
    catalog = company(SOURCES, METRICS, files, as_of="2026-11-22", extra="north_star: [star]")
    return lambda *metrics: board.of(catalog, metrics)


def test_what_feeds_a_metric_are_its_parts_and_what_is_declared_to_move_it_of_whatever_board(boards):
    assert [row[0] for row in tables.feeds(boards("rate")).rows] == ["Won", "Calls"]
    (row,) = tables.feeds(boards("won")).rows
    assert row == ["Calls", "7", Light("unknown"), "nobody named", "Sun 22 Nov 2026"]


def test_where_nothing_feeds_it_a_sentence_says_so(boards):
    assert str(tables.feeds(boards("calls"))).startswith("What feeds it")
    assert "What feeds it: no other metric is declared to move Calls." in tables.feeds(boards("calls")).html()


def test_a_north_star_says_what_each_input_feeds(boards):
    table = tables.feeds(boards("star"))
    assert list(table.columns) == ["Input", "Feeds", "Variation", "Value", "Light", "Owner", "Fresh to"]
    assert [row[:2] for row in table.rows] == [["Won", "Star"]]


def test_what_moved_is_signed_and_what_the_data_do_not_cover_has_not_fallen(boards):
    this = boards("won", "calls", "visits")
    assert this.row("visits")["reason"] == "incomplete"
    rows = {row[0]: row[1:] for row in tables.moved(this).rows}
    assert set(rows) == {"Won", "Calls"}
    assert rows["Calls"] == ["0", "7"]
    assert rows["Won"][0][0] in "+-"


def test_what_moved_names_the_metrics_of_the_sentences_in_their_order(boards):
    this = boards("won", "calls")
    told = [sentence.facts[-1].partition(".")[0] for sentence in story.moved(this).sentences]
    assert [this.definitions.label(name) for name in told] == [row[0] for row in tables.moved(this).rows]


def test_how_it_leads_says_what_the_data_say_and_what_was_not_tested(boards):
    rows = tables.leads(boards("won", "calls")).rows
    assert rows[0][:3] == ["Won", "Star", "2 weeks"]
    assert rows[0][4] == "They pay."
    assert rows[1] == ["Calls", "Won", "–", "not tested: it is no North Star", "–"]
    assert "nothing here is declared to move another metric" in tables.leads(boards("rate")).html()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"is_part": True}, "it is part of it"),
        ({"rocking_chair": True, "verdict": "does not"}, "activity, not movement"),
        ({"together": True}, "both move in the same week"),
        ({"contradicted": True, "verdict": "moves"}, "they speak against it"),
        ({"verdict": "moves", "lag": 3}, "it does, 3 weeks later"),
        ({"verdict": "does not"}, "it does not"),
        ({}, "that cannot be told yet"),
    ],
)
def test_each_verdict_has_its_words(boards, said, words):
    row = {"is_part": False, "rocking_chair": False, "together": False, "contradicted": False, "verdict": "cannot tell"}
    assert flow._verdict(boards("won"), row | said) == words


def test_metrics_of_which_the_same_is_to_be_said_share_a_warning(company):
    source = "part: {system: Phone, path: part.csv, time: on}"
    metrics = "\n".join(f"    m{i}: {{type: simple, measure: {{source: part, agg: count}}}}" for i in (1, 2, 3))
    this = board.of(company(source, metrics, {"part.csv": SHORT}, as_of="2026-11-22"), ["m1", "m2", "m3"])
    (warning,) = story.record(this).payload["warnings"]
    assert warning.startswith("M1, M2 and M3 cannot be judged for week 47: their data do not cover the whole period")
