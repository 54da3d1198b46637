"""What a metric means for other departments: how their numbers hang together with it."""

from types import SimpleNamespace

import pandas as pd
import pytest

from dataops_nb import definitions, story
from dataops_nb.story import effects
from dataops_nb.story.facts import Subject

COMPANY = """
company: Test
timezone: UTC
north_star: [customers]
lights: {standard: {green: {at_least: 1.0, means: "Ok.", do: "Go on."}, red: {means: "Risk.", do: "Re-plan."}}}
sources: {log: {system: Log, path: log.csv, time: day}}
"""
COUNT = "{type: simple, measure: {agg: count}, label: "
DEPARTMENTS = {
    "Sales": (f"won: {COUNT}Won deals}}", f"offers: {COUNT}Offers}}"),
    "Finance": (f"customers: {COUNT}New customers}}",),
    "SDR": (f"met: {COUNT}Meetings}}",),
    "Product": (f"shipped: {COUNT}Features}}",),
    "Support": (
        "rate: {type: ratio, label: Win rate, numerator: won, denominator: met, unit: percent}",
    ),
}
UNKNOWN = {
    "verdict": "cannot tell",
    "lag": 2,
    "effect": 0.5,
    "declared": False,
    "contradicted": False,
    "together": False,
}


@pytest.fixture
def told(tmp_path):
    (tmp_path / "departments").mkdir()
    (tmp_path / "company.yaml").write_text(COMPANY)
    for name, metrics in DEPARTMENTS.items():
        listed = "".join(f"  {metric}\n" for metric in metrics)
        text = (
            f"department: {name}\ndefaults: {{source: log, lights: standard}}\nmetrics:\n{listed}"
        )
        (tmp_path / "departments" / f"{name.lower()}.yaml").write_text(text)
    known = definitions.load(tmp_path)

    def read(metric, *links):
        rows = pd.DataFrame(
            [
                {"input": "won", "target": "customers", "rocking_chair": False, **UNKNOWN, **each}
                for each in links
            ]
        )
        period = SimpleNamespace(id="2026-W47")
        board = SimpleNamespace(
            company=known,
            locale=known.locale,
            company_links=rows,
            meant={},
            grain="week",
            period=period,
        )
        return [each.text for each in story.for_departments(board, metric).sentences]

    read.company = known
    return read


def test_what_moves_it_is_told_with_the_time_it_takes(told):
    assert told("customers", {"verdict": "moves"}) == [
        "Sales: when your won deals rise, new customers rise 2 weeks later."
    ]


def test_what_it_moves_is_told_with_the_time_it_takes(told):
    assert "Finance: when won deals rise, your new customers rise 2 weeks later." in told(
        "won", {"verdict": "moves"}
    )


def test_what_was_declared_and_moves_in_the_same_period_is_told_without_saying_which_moves_which(
    told,
):
    assert "Finance: your new customers and won deals move in the same week." in told(
        "won", {"declared": True, "together": True}
    )
    assert told("customers", {"declared": True, "together": True}) == [
        "Sales: your won deals and new customers move in the same week."
    ]


def test_what_nobody_declared_and_goes_together_by_chance_is_not_told(told):
    assert told("customers", {"together": True}) == []


def test_an_input_that_was_meant_to_move_it_and_does_not_is_told(told):
    said = told(
        "customers",
        {"input": "shipped", "verdict": "does not", "declared": True, "rocking_chair": True},
    )
    assert said == ["Product: we expected your features to move new customers; no effect seen."]


def test_formulas_tell_what_is_a_part_and_what_is_computed_from_it(told):
    assert told("won", {}) == ["Support: your win rate is calculated from won deals."]
    assert told("rate", {}) == [
        "Sales: your won deals are part of win rate.",
        "SDR: your meetings are part of win rate.",
    ]


def test_a_link_against_which_the_data_speak_is_no_link(told):
    assert told("customers", {"verdict": "moves", "declared": True, "contradicted": True}) == []


def test_what_is_the_same_for_two_numbers_of_a_department_is_said_once(told):
    said = told("customers", {"verdict": "moves"}, {"input": "offers", "verdict": "moves"})
    assert said == ["Sales: when your won deals and offers rise, new customers rise 2 weeks later."]


@pytest.mark.parametrize(
    ("light", "said"),
    [
        ("green", "Features are on target, with no effect seen on new customers."),
        (
            "red",
            "On average features have been on target lately, with no effect seen on new customers.",
        ),
    ],
)
def test_only_what_is_on_target_today_is_said_to_be(told, light, said):
    subject = Subject("shipped", "2026-W47")
    known = {
        fact.id: fact
        for fact in (
            subject.word("verdict_on_customers", "does not"),
            subject.word("rocking_chair_on_customers", "yes"),
        )
    }
    board = SimpleNamespace(
        company=told.company,
        locale=told.company.locale,
        grain="week",
        metrics=["shipped"],
        row=lambda _: {"light": light},
    )
    assert effects.rocking(board, "shipped", "customers", known).text == said
