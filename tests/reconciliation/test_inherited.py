"""What is made of an unreconciled or faulty metric is unknown, with the same reason."""

import pytest

from dataops_nb import board
from dataops_nb.story.lights import sentence as sentence_of

pytestmark = pytest.mark.long

SOURCES = """
a: {system: CRM, path: a.csv, time: day, covers: {from: 2026-01-05, to: 2026-03-01}, columns: {v: {type: decimal}}}
b: {system: Billing, path: b.csv, time: day, covers: {from: 2026-01-05, to: 2026-03-01}}
c: {system: Web, path: c.csv, time: day, on_fault: mark, covers: {from: 2026-01-05, to: 2026-06-01}, columns: {v: {type: decimal}}}
"""
ROWS = "k,day,v\nx,2026-01-06,5\ny,2026-02-24,100\n"
OTHER = ROWS.replace("100", "90")
METRICS = """
won: {type: simple, measure: {source: a, agg: sum, expr: v}, lights: standard, targets: [{value: 1}],
      reconcile: [{with: billed, key: {left: k, right: k}}]ACCEPTED}
billed: {type: simple, measure: {source: b, agg: sum, expr: v}}
visits: {type: simple, measure: {source: c, agg: sum, expr: v}}
"""
KINDS = {
    "ratio": "{type: ratio, numerator: visits, denominator: won, MORE}",
    "upper": "{type: ratio, numerator: won, denominator: visits, MORE}",
    "sum": "{type: derived, expr: 2 * (visits + won), MORE}",
    "window": "{type: cumulative, metric: won, window: 2 weeks, MORE}",
    "converted": "{type: conversion, base_metric: won, conversion_metric: visits, entity: k, window: 0d, MORE}",
    "converts": "{type: conversion, base_metric: visits, conversion_metric: won, entity: k, window: 0d, MORE}",
}


def judged(company, metric, *, rows=OTHER, visits=ROWS, accepted="", as_of="2026-03-01"):
    """The board of a metric m in the week that ends on as-of, and its row."""
    more = "lights: standard, targets: [{value: 0.1}]"
    known = METRICS.replace("ACCEPTED", accepted) + f"m: {metric.replace('MORE', more)}\n"
    files = {"a.csv": ROWS, "b.csv": rows, "c.csv": visits}
    this = board.measure(company(SOURCES, known, files, as_of=as_of), ["m"])
    return this, this.row("m")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_of_an_unreconciled_metric_is_unreconciled(company, kind):
    this, row = judged(company, KINDS[kind])
    assert (row["light"], row["reason"]) == ("unknown", "unreconciled")
    assert "Two systems disagree about what it is made of" in sentence_of(this, "m").text


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_of_metrics_that_agree_is_judged(company, kind):
    _, row = judged(company, KINDS[kind], rows=ROWS)
    assert row["reason"] != "unreconciled"
    assert row["reconciled"] is not False


@pytest.mark.parametrize("kind", ["ratio", "upper", "sum"])
def test_what_is_made_of_a_faulty_metric_is_a_fault(company, kind):
    wrong = "k,day,v\nx,2026-01-06,many\n"
    _, row = judged(company, KINDS[kind], rows=ROWS, visits=wrong)
    assert (row["light"], row["reason"]) == ("unknown", "fault")


@pytest.mark.parametrize(
    "metric",
    [
        "{type: cumulative, metric: visits, window: 2 weeks, MORE}",
        "{type: conversion, base_metric: visits, conversion_metric: won, entity: k, window: 3d, MORE}",
        "{type: conversion, base_metric: won, conversion_metric: visits, entity: k, window: 3d, MORE}",
        "{type: derived, expr: won - before, parts: {before: {metric: visits, offset: 1 period}}, MORE}",
    ],
)
def test_a_window_a_conversion_and_an_earlier_period_of_a_faulty_metric_are_faults(company, metric):
    wrong = "k,day,v\nx,2026-01-06,many\n"
    _, row = judged(company, metric, rows=ROWS, visits=wrong)
    assert (row["light"], row["reason"]) == ("unknown", "fault")


def test_it_goes_through_any_number_of_metrics(company):
    middle = "{type: derived, expr: won + 0 * visits}\nover: {type: cumulative, metric: middle, window: 1 week}"
    _, row = judged(company, f"{{type: ratio, numerator: over, denominator: visits, MORE}}\nmiddle: {middle}")  # fmt: skip
    assert row["reason"] == "unreconciled"


WEEK = "k,day,v\nx,2026-01-06,5\ny,2026-02-17,LAST\ny2,2026-02-24,100\n"


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("{type: derived, expr: won * 1, MORE}", None),
        ("{type: derived, expr: won - before, parts: {before: {metric: won, offset: 1 period}}, MORE}", "unreconciled"),
        ("{type: derived, expr: won - before, parts: {before: {metric: won, offset: 2 periods}}, MORE}", None),
        ("{type: cumulative, metric: won, window: 7d, MORE}", None),
        ("{type: cumulative, metric: won, window: 8d, MORE}", "unreconciled"),
    ],
)  # fmt: skip
def test_the_week_that_disagrees_is_the_one_that_is_asked_for(company, metric, reason):
    more = "lights: standard, targets: [{value: 0.1}]"
    known = METRICS.replace("ACCEPTED", "") + f"m: {metric.replace('MORE', more)}\n"
    files = {
        "a.csv": WEEK.replace("LAST", "20"),
        "b.csv": WEEK.replace("LAST", "21"),
        "c.csv": ROWS,
    }
    this = board.measure(company(SOURCES, known, files, as_of="2026-03-01"), ["m"])
    assert this.row("m")["reason"] == reason


def test_a_disagreement_that_somebody_answers_for_is_not_inherited(company):
    accepted = (
        ", accept: [{light: unreconciled, owner: CFO, until: 2026-03-01, because: migration}]"
    )
    _, row = judged(company, KINDS["sum"], accepted=accepted)
    assert row["light"] == "green"


def test_who_answers_for_the_ratio_alone_answers_for_the_ratio(company):
    accepted = (
        "accept: [{light: unreconciled, owner: CFO, until: 2026-03-01, because: known}], MORE"
    )
    _, row = judged(company, KINDS["sum"].replace("MORE", accepted))
    assert row["light"] == "green"
