"""What feeds a number, what moved of late, and how it leads to the North Star: tables to look at."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from dataops_nb import board, story, tables
from dataops_nb.display import Light
from dataops_nb.tables.scorecard import _verdict

pytestmark = pytest.mark.long

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
    return lambda *metrics: board.measure(catalog, metrics)


def test_what_feeds_a_metric_are_its_parts_and_what_is_declared_to_move_it_of_whatever_board(
    boards,
):
    assert [row[0] for row in tables.feeds(boards("rate")).rows] == ["Won", "Calls"]
    (row,) = tables.feeds(boards("won")).rows
    assert row == ["Calls", "7", Light("unknown", "no target"), "no owner"]


def test_at_most_so_many_inputs_are_shown(boards):
    assert [row[0] for row in tables.feeds(boards("rate"), most=1).rows] == ["Won"]


def test_the_date_of_an_inputs_data_is_shown_where_it_is_another_one(boards):
    this = boards("rate")
    other = this.inputs.assign(data_to=this.inputs["data_to"] - pd.Timedelta(days=2))
    this.__dict__["inputs"] = other  # as a cached property keeps it
    table = tables.feeds(this)
    assert table.columns[-1] == "Data to"
    assert {row[-1] for row in table.rows} == {"20 Nov"}


def test_where_nothing_feeds_it_a_sentence_says_so(boards):
    assert str(tables.feeds(boards("calls"))).startswith("Inputs to calls")
    assert "Inputs to calls: none known." in tables.feeds(boards("calls")).html()


def test_a_north_star_says_what_each_input_feeds(boards):
    table = tables.feeds(boards("star"))
    assert list(table.columns) == [
        "Input",
        "Feeds",
        "Change",
        "Now",
        "Status",
        "Owner",
    ]
    assert [row[:2] for row in table.rows] == [["Won", "Star"]]


def test_what_moved_is_signed_and_what_the_data_do_not_cover_has_not_fallen(boards):
    this = boards("won", "calls", "visits")
    assert this.row("visits")["reason"] == "incomplete"
    rows = {row[0]: row[1:] for row in tables.moved(this).rows}
    assert set(rows) == {"Won"}  # calls did not change
    assert rows["Won"][0][0] in "+\u2212"


def test_what_moved_names_the_metrics_of_the_sentences_in_their_order(boards):
    this = boards("won", "calls")
    told = [sentence.facts[-1].partition(".")[0] for sentence in story.moved(this).sentences]
    assert [this.company.label(name) for name in told] == [
        row[0] for row in tables.moved(this).rows
    ]


def test_how_it_leads_says_what_the_data_say_and_what_was_not_tested(boards):
    rows = tables.leads(boards("won", "calls")).rows
    assert rows[0][:3] == ["Won", "Star", "2 weeks"]
    assert rows[0][4] == "They pay."
    assert rows[1] == ["Calls", "Won", "–", "Not tested", "–"]
    assert tables.leads(boards("rate"))._repr_mimebundle_()["text/html"] == ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"is_part": True}, "Yes, part of the formula"),
        ({"rocking_chair": True, "verdict": "does not"}, "No effect seen, though it is up"),
        ({"together": True}, "Same week, can't tell which moves which"),
        ({"contradicted": True, "verdict": "moves"}, "No, the opposite"),
        ({"verdict": "moves", "lag": 3}, "Yes, after 3 weeks"),
        ({"verdict": "does not"}, "No effect seen"),
        ({}, "No sign yet"),
    ],
)
def test_each_verdict_has_its_words(boards, said, words):
    row = {
        "is_part": False,
        "rocking_chair": False,
        "together": False,
        "contradicted": False,
        "verdict": "cannot tell",
    }
    assert _verdict(boards("won"), row | said) == words


def test_metrics_of_which_the_same_is_to_be_said_share_a_warning(company):
    source = "part: {system: Phone, path: part.csv, time: on}"
    metrics = "\n".join(
        f"    m{i}: {{type: simple, measure: {{source: part, agg: count}}}}" for i in (1, 2, 3)
    )
    this = board.measure(
        company(source, metrics, {"part.csv": SHORT}, as_of="2026-11-22"), ["m1", "m2", "m3"]
    )
    (warning,) = story.record(this).payload["warnings"]
    assert warning.startswith("No result for week 47 yet: m1, m2 and m3.")
