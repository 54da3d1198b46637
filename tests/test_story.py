"""Sentences say what the facts say, and nothing else."""

import datetime as dt
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import board, story
from dataops_nb.periods import Calendar
from dataops_nb.story import numbers


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (41, "meetings", "41"),
        (1234.0, "", "1,234"),
        (0.024, "percent", "2.4 %"),
        (0.0045, "percent", "0.45 %"),
        (0.91, "percent", "91 %"),
        (183400.4, "USD", "$183,400"),
        (9412345, "USD", "$9.41M"),
        (3.54, "days", "3.5"),
        (-4, "", "-4"),
        (1.25, "EUR", "€1.25"),
        (math.nan, "USD", "no value"),
    ],
)
def test_a_number_is_written_as_people_write_it_in_its_unit(value, unit, text):
    assert numbers.at("en_US").number(value, unit) == text


def test_one_of_something_is_singular():
    assert [numbers.at("en_US").quantity(n, "meetings") for n in (1, 2)] == ["1 meeting", "2 meetings"]


@given(st.floats(0, 1, exclude_max=True))
def test_a_missed_target_is_never_rounded_up_to_all_of_it(attained):
    assert not numbers.at("en_US").share(attained).startswith("100")


def test_a_period_is_named_in_words():
    cut, day = Calendar(), dt.date(2026, 11, 22)
    said = [numbers.at("en_US").period(cut.period(grain, day)) for grain in ("day", "week", "month", "quarter")]
    assert said == ["Sun 22 Nov 2026", "week 47", "November 2026", "2026 Q4"]


ROWS = "on,n\n" + "".join(
    f"{dt.date(2026, 11, 9) + dt.timedelta(days=i)},{n}\n" for i, n in enumerate([5] * 7 + [6] * 7)
)
SOURCE = "s: {system: CRM, path: s.csv, time: on}"


def made(company, rest, better="up", as_of="2026-11-22", rows=ROWS):
    metrics = f"m: {{label: Good meetings, type: simple, measure: {{source: s, agg: sum, expr: n}}, lights: standard, better: {better}{rest}}}"
    return board.of(company(SOURCE, metrics, {"s.csv": rows}, as_of=as_of), ["m"])


@pytest.mark.parametrize(
    ("rest", "better", "text", "light"),
    [
        (", targets: [{per: week, value: 45}]", "up",
         "Good meetings came to 42 in week 47, 3 below the target of 45 (93 % of it).", "yellow"),
        (", targets: [{per: week, value: 42}]", "up", "Good meetings came to 42 in week 47, exactly its target of 42.", "green"),
        (", targets: [{per: week, value: 20}]", "down",
         "Good meetings came to 42 in week 47, 22 above the target of 20, and lower is better.", "red"),
        (", targets: [{low: 40, high: 50}]", "inside", "Good meetings came to 42 in week 47, inside the agreed 40 to 50.", "green"),
        ("", "up", "Good meetings came to 42 in week 47; no target was agreed.", "unknown"),
    ],
)  # fmt: skip
def test_a_headline_says_value_period_and_target_in_one_sentence(company, rest, better, text, light):
    first = story.headline(made(company, rest, better)).sentences[0]
    assert (first.text, first.light) == (text, light)


def test_a_band_that_is_missed_is_said_with_the_share_that_is_attained(company):
    first = story.headline(made(company, ", targets: [{low: 50, high: 60}]", "inside")).sentences[0]
    assert first.text == "Good meetings came to 42 in week 47, below the agreed 50 to 60 (20 % attained)."


def test_at_a_glance_a_metric_is_one_line_of_what_is_known(company):
    assert str(story.now(made(company, ", targets: [{per: week, value: 45}]"))) == "Now 42 · Target 45 · Week before 35"


def test_the_second_sentence_says_which_way_it_moved(company):
    told = story.headline(made(company, ", targets: [{per: week, value: 45}]"))
    assert told.sentences[1].text == "Up 7 on the week before."


def test_where_the_data_end_early_the_sentence_says_so_and_the_light_is_unknown(company):
    told = story.headline(made(company, ", targets: [{per: week, value: 45}]", as_of="2026-11-29"))
    assert (
        told.sentences[0].text
        == "Good meetings cannot be judged for week 48: there are no data for it (the data end on Sun 22 Nov 2026)."
    )
    assert told.sentences[0].light == "unknown"


def test_every_number_of_a_sentence_is_the_text_of_one_of_its_facts(company):
    this = made(company, ", targets: [{per: week, value: 45}]")
    known = story.facts(this)
    for sentence in [*story.headline(this).sentences, *story.moved(this).sentences]:
        said = " ".join(known[fact].text for fact in sentence.facts) + " week 47"
        assert set(re.findall(r"\d+", sentence.text)) <= set(re.findall(r"\d+", said))


def test_the_record_is_json_with_every_fact_and_the_lead_metrics_light(company):
    import json

    payload = story.record(made(company, ", targets: [{per: week, value: 45}]"))._repr_mimebundle_()
    record = json.loads(json.dumps(payload["application/vnd.dataops-nb.facts+json"], allow_nan=False))
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
    rows = [f"{first + dt.timedelta(days=i)},{values[i // 7] if i % 7 == 6 else 0}" for i in range(7 * len(values))]
    return made(company, f", targets: [{{per: week, value: 45}}]{rest}", better, rows="on,n\n" + "\n".join(rows) + "\n")


@pytest.mark.parametrize(
    ("values", "better", "text"),
    [
        ([*QUIET, 41], "up", "Down 1 on the week before; within its usual range of 29.1 to 52."),
        (
            [*QUIET, 90],
            "up",
            "Up 48 on the week before; outside its usual range of 24.5 to 62.1, a signal for the better.",
        ),
        (
            [*QUIET, 90],
            "down",
            "Up 48 on the week before; outside its usual range of 24.5 to 62.1, a signal for the worse.",
        ),
        (QUIET[:5], "up", "Up 3 on the week before."),
    ],
)
def test_the_second_sentence_says_whether_the_value_is_one_of_its_usual_ones(company, values, better, text):
    this = weekly(company, values, better=better)
    said = story.headline(this).sentences[1]
    assert said.text == text
    known = story.facts(this)
    for number in re.findall(r"[\d.]*\d", said.text):
        assert any(number == known[fact].text for fact in said.facts)


def test_a_range_does_not_reach_below_what_the_metric_can_be(company):
    said = story.headline(weekly(company, [1, 3, 0, 2, 4, 1, 0, 3, 2, 1, 4, 0, 2])).sentences[1]
    assert said.text == "Up 2 on the week before; within its usual range of up to 7.8."


def test_a_run_within_the_limits_is_a_signal_and_says_so(company):
    values = [*[38, 42, 36, 44, 37, 43, 39, 41, 36, 44, 38] * 2, 45, 47, 44, 46, 45, 47, 44, 46]
    said = story.headline(weekly(company, values)).sentences[1].text
    assert "within its usual range of" in said
    assert re.search(
        r"but so long on the same side of its average of \d+(\.\d)? that it is a signal for the better\.$", said
    )


def test_an_accepted_light_keeps_its_colour_and_says_who_answers_until_when(company):
    accept = ', accept: [{light: yellow, owner: CFO, until: 2026-12-31, because: "migration of the till."}]'
    told = story.headline(weekly(company, [*QUIET, 41], accept)).sentences
    assert told[0].light == "yellow"
    assert (
        told[1].text == "This yellow is accepted until Thu 31 Dec 2026, and CFO answers for it: migration of the till."
    )
    assert "m.accepted_until" in told[1].facts


def test_capability_is_said_in_the_files_and_lights_the_board(company):
    this = weekly(company, [*QUIET, 41], ", policy: capability")
    assert this.row("m")["light"] == "yellow"
    assert weekly(company, QUIET[:5], ", policy: capability").row("m")["reason"] == "too short"
    told = story.headline(weekly(company, QUIET[:5], ", policy: capability")).sentences[0].text
    assert told == "Good meetings cannot be judged for week 47: its own past does not say enough yet to judge it by."
