"""Charts and tables show the board, with a text alternative, and escape what they are given."""

import datetime as dt
import re

import altair as alt
import pytest
from altair.utils import schemapi
from jsonschema import ValidationError

from dataops_nb import board, charts, tables
from dataops_nb.charts import look

ROWS = "on,n,team\n" + "".join(
    f"{dt.date(2026, 1, 5) + dt.timedelta(days=i)},{i % 9},{'East' if i % 2 else '<b>West</b>'}\n"
    for i in range(322)
)
METRICS = """
    m: {label: "Good <meetings>", type: simple, measure: {source: s, agg: sum, expr: n}, by: [team], lights: standard,
        targets: [{per: week, value: 28}]}
    k: {label: Other, type: simple, measure: {source: s, agg: count}, lights: standard}
"""


@pytest.fixture
def this(company):
    return board.measure(
        company(
            "s: {system: CRM, path: s.csv, time: on}", METRICS, {"s.csv": ROWS}, as_of="2026-11-22"
        ),
        ["m", "k"],
    )


def test_a_trend_has_its_finding_as_title_and_a_text_alternative(this):
    spec = charts.trend(this, "m").to_dict()
    assert re.fullmatch(r"Good <meetings> met target in \d+ of 26 weeks", spec["title"]["text"])
    assert ", last 26 weeks: " in spec["description"]
    assert "target 28" in spec["description"]


def test_a_chart_leaves_as_a_picture_in_the_lab_and_as_a_specification_while_refreshing(
    this, monkeypatch
):
    spec = charts.trend(this, "m").to_dict()
    assert set(look._render(spec)) == {"image/svg+xml", "text/plain"}
    monkeypatch.setenv(look.REFRESHING, "1")
    assert set(look._render(spec)) == {look.MIME, "text/plain"}


def test_a_chart_asks_nothing_of_a_network(this):
    svg = look._render(charts.compare(this, ["m", "k"]).to_dict())["image/svg+xml"]
    assert "<image" not in svg
    assert set(re.findall(r"https?://[^\s\"']+", svg)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_parts_are_drawn_largest_first_and_read_out(this):
    description = charts.by_segment(this, "m", "team").to_dict()["description"]
    assert "<b>West</b> " in description
    assert "East " in description


def test_the_scorecard_has_a_row_a_metric_with_shape_and_word(this):
    html = tables.scorecard(this).html()
    assert html.count("<tr>") == 3
    assert 'data-light="unknown"' in html
    assert "Good &lt;meetings&gt;" in html
    assert "<caption>" in html
    assert 'scope="row"' in html


def test_six_weeks_and_twelve_months_and_three_to_date(this):
    table = tables.six_twelve(this, "m")
    names = [row[0] for row in table.rows]
    assert names[:6] == [f"2026-W{week}" for week in range(42, 48)]
    assert names[-3:] == ["Month to date", "Quarter to date", "Year to date"]
    assert len(names) == 6 + min(12, 10) + 3


def test_a_split_escapes_the_names_of_its_segments(this):
    assert "&lt;b&gt;West" in tables.split(this, "m", "team").html()


def test_the_agreement_names_every_colour_its_meaning_and_its_action(this):
    text = str(tables.lights(this, "m"))
    assert "● Green | 100% of target | On plan. | Keep going." in text
    assert "■ Red | below that | At risk. | Re-plan." in text


def test_a_trend_shows_the_usual_range_as_a_band_and_says_it(this):
    spec = charts.trend(this, "m").to_dict()
    marks = [layer["mark"] for layer in spec["layer"] if isinstance(layer.get("mark"), dict)]
    assert [mark["type"] for mark in marks].count("area") == 1
    usual = r"Usual range [\d.]+ to [\d.]+; (no|\d+) real changes?\."
    assert re.search(usual, spec["description"])


def test_a_signal_points_up_in_the_colour_of_what_it_means_and_is_named_in_the_scorecard(company):
    rows = "on,n\n" + "".join(
        f"{dt.date(2026, 7, 20) + dt.timedelta(days=7 * i)},{9 + i % 3 * (-1) ** i if i < 17 else 90}\n"
        for i in range(18)
    )
    source = "s: {system: CRM, path: s.csv, time: on, covers: {to: as_of}}"
    metric = "m: {type: simple, measure: {source: s, agg: sum, expr: n}, better: down}"
    this = board.measure(company(source, metric, {"s.csv": rows}, as_of="2026-11-22"), ["m"])
    spec = charts.trend(this, "m").to_dict()
    assert re.search(r"; \d+ real changes?\.$", spec["description"])
    ups = [layer for layer in spec["layer"] if layer["mark"].get("shape") == "triangle-up"]
    assert ups[0]["mark"]["color"] == look.LIGHTS["red"]
    assert spec["datasets"][ups[0]["data"]["name"]][-1]["value"] == 90
    assert "<td>↑\u00a0worse</td>" in tables.scorecard(this).html()


def test_a_chart_of_ones_own_has_the_house_style():
    own = alt.Chart(alt.InlineData(values=[{"x": 1}])).mark_bar().encode(x="x:Q")
    assert own.to_dict()["config"]["font"] == look.FONT


def test_money_has_its_currency_on_the_axis():
    axis = look.value_axis("EUR", "de_DE").to_dict()
    assert axis["labelExpr"] == (
        "'' + format(datum.value, abs(datum.value) < 1 ? '~f' : '~s') + '\u00a0€'"
    )


EVERY_CHART = {
    "trend": lambda this: charts.trend(this, "m"),
    "compare": lambda this: charts.compare(this, ["m", "k"]),
    "moving range": lambda this: charts.moving_range(this, "m"),
    "segments": lambda this: charts.by_segment(this, "m", "team"),
    "waterfall": lambda this: charts.waterfall(this, "m", "team"),
    "eisenhower": charts.eisenhower,
}


@pytest.mark.parametrize("draw", EVERY_CHART.values(), ids=EVERY_CHART)
def test_every_chart_of_ours_is_valid_though_no_report_checks_it(this, draw):
    assert draw(this).to_dict(validate=True) == draw(this).to_dict()


@pytest.mark.parametrize("draw", EVERY_CHART.values(), ids=EVERY_CHART)
def test_layers_that_are_copied_by_reference_say_the_same(this, draw, monkeypatch):
    quick = draw(this).to_dict()
    monkeypatch.delattr(look.Chart, "__deepcopy__")
    assert draw(this).to_dict() == quick


def test_a_chart_is_checked_in_no_report(this, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("checked")

    monkeypatch.setattr(schemapi.SchemaBase, "validate", refuse)
    assert charts.trend(this, "m").to_dict()["title"]


def test_what_an_analyst_changes_in_a_chart_is_checked(this):
    with pytest.raises(ValidationError):
        charts.trend(this, "m").properties(width="wide")
