"""Sentences say what the facts say, and nothing else."""

import datetime as dt
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import board, numbers, story
from dataops_nb.periods import Calendar
from dataops_nb.story.facts import facts


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (41, "meetings", "41"),
        (1234.0, "", "1,234"),
        (0.024, "percent", "2.4%"),
        (0.0045, "percent", "0.45%"),
        (0.91, "percent", "91%"),
        (183400.4, "USD", "$183,400"),
        (9412345, "USD", "$9.41M"),
        (3.54, "days", "3.5"),
        (-4, "", "−4"),
        (1.25, "EUR", "€1.25"),
        (math.nan, "USD", "no value"),
    ],
)
def test_a_number_is_written_as_people_write_it_in_its_unit(value, unit, text):
    assert numbers.at("en_US").number(value, unit) == text


def test_one_of_something_is_singular():
    assert [numbers.at("en_US").quantity(n, "meetings") for n in (1, 2)] == [
        "1 meeting",
        "2 meetings",
    ]


@given(st.floats(0, 1, exclude_max=True))
def test_a_missed_target_is_never_rounded_up_to_all_of_it(attained):
    assert not numbers.at("en_US").share(attained).startswith("100")


def test_a_period_is_named_in_words():
    cut, day = Calendar(), dt.date(2026, 11, 22)
    said = [
        numbers.at("en_US").period(cut.period(grain, day))
        for grain in ("day", "week", "month", "quarter")
    ]
    assert said == ["22 Nov 2026", "week 47", "November 2026", "2026 Q4"]


ROWS = "on,n\n" + "".join(
    f"{dt.date(2026, 11, 9) + dt.timedelta(days=i)},{n}\n" for i, n in enumerate([5] * 7 + [6] * 7)
)
SOURCE = "s: {system: CRM, path: s.csv, time: on}"


def made(company, rest, better="up", as_of="2026-11-22", rows=ROWS):
    metrics = f"m: {{label: Good meetings, type: simple, measure: {{source: s, agg: sum, expr: n}}, lights: standard, better: {better}{rest}}}"
    return board.measure(company(SOURCE, metrics, {"s.csv": rows}, as_of=as_of), ["m"])


@pytest.mark.parametrize(
    ("rest", "better", "text", "light"),
    [
        (", targets: [{per: week, value: 45}]", "up",
         "Good meetings were 42 in week 47, 3 short of target (45).", "yellow"),
        (", targets: [{per: week, value: 42}]", "up", "Good meetings were 42 in week 47, exactly on target.", "green"),
        (", targets: [{per: week, value: 20}]", "down",
         "Good meetings were 42 in week 47, 22 over the limit of 20.", "red"),
        (", targets: [{low: 40, high: 50}]", "inside", "Good meetings were 42 in week 47, inside the agreed range of 40 to 50.", "green"),
        ("", "up", "Good meetings were 42 in week 47.", "unknown"),
    ],
)  # fmt: skip
def test_a_headline_says_value_period_and_target_in_one_sentence(
    company, rest, better, text, light
):
    first = story.headline(made(company, rest, better)).sentences[0]
    assert (first.text, first.light) == (text, light)


def test_a_band_that_is_missed_says_on_which_side(company):
    first = story.headline(made(company, ", targets: [{low: 50, high: 60}]", "inside")).sentences[0]
    assert first.text == "Good meetings were 42 in week 47, below the agreed range of 50 to 60."


def test_at_a_glance_a_metric_is_one_line_of_what_is_known(company):
    assert (
        str(story.now(made(company, ", targets: [{per: week, value: 45}]")))
        == "42 · target 45 · week before 35"
    )


def test_the_second_sentence_says_which_way_it_moved(company):
    told = story.headline(made(company, ", targets: [{per: week, value: 45}]"))
    assert told.sentences[1].text == "Up 7 from the week before."


def test_where_the_data_end_early_the_sentence_says_so_and_the_light_is_unknown(company):
    told = story.headline(made(company, ", targets: [{per: week, value: 45}]", as_of="2026-11-29"))
    assert told.sentences[0].text == "Good meetings: no data for week 48. The data end on 22 Nov."
    assert told.sentences[0].light == "unknown"


def test_every_number_of_a_sentence_is_the_text_of_one_of_its_facts(company):
    this = made(company, ", targets: [{per: week, value: 45}]")
    known = facts(this)
    for sentence in [*story.headline(this).sentences, *story.moved(this).sentences]:
        said = " ".join(known[fact].text for fact in sentence.facts) + " week 47"
        assert set(re.findall(r"\d+", sentence.text)) <= set(re.findall(r"\d+", said))


def test_the_record_is_json_with_every_fact_and_the_lead_metrics_light(company):
    import json

    payload = story.record(made(company, ", targets: [{per: week, value: 45}]"))._repr_mimebundle_()
    record = json.loads(
        json.dumps(payload["application/vnd.dataops-nb.facts+json"], allow_nan=False)
    )
    by_id = {fact["id"]: fact for fact in record["facts"]}
    assert by_id["m.value"] == {
        "id": "m.value", "metric": "m", "segment": None, "period": "2026-W47", "field": "value", "value": 42.0, "unit": "", "text": "42",
    }  # fmt: skip
    assert (record["light"], record["complete"], record["period"], record["data_to"]) == (
        "yellow",
        True,
        "2026-W47",
        "2026-11-22",
    )


def test_a_board_without_a_metric_of_that_name_names_the_nearest(company):
    with pytest.raises(Exception, match="did you mean 'm'"):
        story.headline(made(company, ""), "M")


QUIET = [40, 44, 37, 42, 45, 35, 41, 38, 40, 44, 43, 39, 38, 45, 40, 36, 42]


def weekly(company, values, rest="", better="up"):
    first = dt.date(2026, 11, 22) - dt.timedelta(days=7 * len(values) - 1)
    rows = [
        f"{first + dt.timedelta(days=i)},{values[i // 7] if i % 7 == 6 else 0}"
        for i in range(7 * len(values))
    ]
    return made(
        company,
        f", targets: [{{per: week, value: 45}}]{rest}",
        better,
        rows="on,n\n" + "\n".join(rows) + "\n",
    )


@pytest.mark.parametrize(
    ("values", "better", "text"),
    [
        (
            [*QUIET, 41],
            "up",
            "Down 1 from the week before. An ordinary week (usual range 29.1 to 52).",
        ),
        (
            [*QUIET, 90],
            "up",
            "Up 48 from the week before. A real change for the better (usual range 24.5 to 62.1).",
        ),
        (
            [*QUIET, 90],
            "down",
            "Up 48 from the week before (worse). A real change for the worse (usual range 24.5 to 62.1).",
        ),
        (QUIET[:5], "up", "Up 3 from the week before."),
    ],
)
def test_the_second_sentence_says_whether_the_value_is_one_of_its_usual_ones(
    company, values, better, text
):
    this = weekly(company, values, better=better)
    said = story.movement(this)
    assert str(said).replace("\n", " ") == text
    known = facts(this)
    for number in re.findall(r"[\d.]*\d", text):
        assert any(number == known[fact].text for fact in said.known)


def test_a_range_does_not_reach_below_what_the_metric_can_be(company):
    said = story.headline(weekly(company, [1, 3, 0, 2, 4, 1, 0, 3, 2, 1, 4, 0, 2])).sentences[2]
    assert said.text == "An ordinary week (usually up to 12.4)."


def test_a_run_within_the_limits_is_a_signal_and_says_so(company):
    values = [*[38, 42, 36, 44, 37, 43, 39, 41, 36, 44, 38] * 2, 45, 47, 44, 46, 45, 47, 44, 46]
    moving_ranges = ", limits: {chart: xmr}"
    said = story.headline(weekly(company, values, moving_ranges)).sentences[2].text
    assert re.fullmatch(
        r"A real change for the better: on one side of its average of \d+(\.\d)? for too long to be "
        r"chance\.",
        said,
    )


def test_an_accepted_light_keeps_its_colour_and_says_who_answers_until_when(company):
    accept = ', accept: [{light: yellow, owner: CFO, until: 2026-12-31, because: "migration of the till."}]'
    told = story.headline(weekly(company, [*QUIET, 41], accept)).sentences
    assert told[0].light == "yellow"
    assert told[1].text == "CFO has accepted this until 31 Dec: migration of the till."
    assert "m.accepted_until" in told[1].facts


def test_capability_is_said_in_the_files_and_lights_the_board(company):
    this = weekly(company, [*QUIET, 41], ", policy: capability")
    assert this.row("m")["light"] == "yellow"
    assert weekly(company, QUIET[:5], ", policy: capability").row("m")["reason"] == "too short"
    told = story.headline(weekly(company, QUIET[:5], ", policy: capability")).sentences[0].text
    assert told == "Good meetings: too new to judge."
