"""What stands on top of a page: sources that are overdue or have faults, as spans."""

import pytest

from dataops_nb import board, story
from dataops_nb.story.trust import faulty_sources, overdue_sources
from tests import sentences

METRIC = "m: {label: Deals, type: simple, measure: {source: s, agg: count}, lights: standard}"


def source(more):
    return f"s: {{system: CRM 2, owner: Ann, path: s.csv, time: on, {more}}}"


@pytest.fixture
def overdue(company):
    catalog = company(
        source("fresh_within: 2 days"),
        METRIC,
        {"s.csv": "on\n2026-11-15\n"},
        as_of="2026-11-22",
    )
    (sentence,) = overdue_sources(board.measure(catalog, ["m"]))
    return sentence


def test_an_overdue_source_is_told_with_its_days_and_its_owner(overdue):
    assert overdue.text == (
        "CRM 2 data are late: last received 15 Nov, due before 18 Nov. Owner: Ann."
    )


def test_the_days_of_an_overdue_source_are_facts(overdue):
    values = {id_: fact.value for id_, fact in overdue.known.items()}
    assert values == {"s.overdue_since": "2026-11-18", "s.last_row": "2026-11-15"}


def test_digits_in_the_name_of_a_system_state_nothing(overdue):
    assert sentences.wrong(overdue) == []


def test_a_faulty_source_is_told_with_its_first_fault_as_somebody_elses_words(company):
    catalog = company(
        source("on_fault: mark, columns: {n: {type: integer, required: true}}"),
        METRIC,
        {"s.csv": "on,n\n2026-11-15,\n2026-11-16,x\n"},
        as_of="2026-11-22",
    )
    (sentence,) = faulty_sources(board.measure(catalog, ["m"]))
    assert sentence.text.startswith(
        "CRM 2 sent bad data, so its numbers are not shown. Owner: Ann. First error: s.csv"
    )
    assert sentence.spans[-1].name


def test_the_record_keeps_warnings_as_plain_texts(company):
    catalog = company(
        source("fresh_within: 2 days"), METRIC, {"s.csv": "on\n2026-11-15\n"}, as_of="2026-11-22"
    )
    warnings = story.record(board.measure(catalog, ["m"])).payload["warnings"]
    assert warnings[0].startswith("CRM 2 data are late: last received 15 Nov")
