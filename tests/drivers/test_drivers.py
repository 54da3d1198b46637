"""What moved a metric: the published figures, parts that add up, and nothing spread that is not known."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import alignment, board, charts, definitions, drivers, sources, story
from dataops_nb.drivers import decompositions
from dataops_nb.errors import UsageError
from dataops_nb.periods import calendar
from dataops_nb.workbench import sample

ROOT = Path(__file__).parents[2]
BEFORE, NOW = (
    [[1, 10, 2], [4, 5, 3]],
    [[4, 5, 3], [5, 6, 4]],
)  # two segments of three factors: 80, then 180
AMOUNTS = st.just(0.0) | st.floats(1e-3, 1e3)


def total(side):
    return float(np.prod(side, axis=1).sum())


def is_close(found, expected, scale):
    return abs(found - expected) <= 1e-9 * max(scale, 1e-300)


# --- products: LMDI-I (Ang 2005, 2015) --------------------------------------------------------------------------------


def test_lmdi_adds_up_as_published():
    assert drivers.lmdi(BEFORE, NOW) == pytest.approx(
        [69.79006598, -9.45512579, 39.66505981], abs=5e-9
    )


def test_lmdi_multiplies_as_published():
    assert decompositions.lmdi_factors(BEFORE, NOW) == pytest.approx(
        [1.76111782, 0.92619131, 1.37941012], abs=5e-9
    )


def test_the_factors_of_each_segment_multiply_to_the_published_ones():
    # methods.md 6 (Ang 2015): 80 -> 180
    found = decompositions.lmdi_parts(BEFORE, NOW) / decompositions.logarithmic_mean(180, 80)
    assert np.exp(found).prod(axis=0) == pytest.approx(
        [1.76111782, 0.92619131, 1.37941012], abs=5e-9
    )
    assert np.exp(found).prod() == pytest.approx(180 / 80, rel=1e-12)


def test_lmdi_of_customers_times_price_is_as_published_and_negated_backwards():
    there, back = drivers.lmdi([1500, 220], [1700, 225]), drivers.lmdi([1700, 225], [1500, 220])
    assert [round(float(part), 2) for part in there] == [44508.56, 7991.44]
    assert list(back) == [-part for part in there]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([0, 6], [7, 6], [42, 0]),
        ([7, 6], [0, 6], [-42, 0]),
        ([0, 3], [7, 6], [42, 0]),
        ([0, 0], [7, 6], [21, 21]),
        ([0, 6], [0, 9], [0, 0]),
        ([0, 6], [7, 0], [0, 0]),
    ],
)
def test_what_comes_from_nothing_has_its_analytic_limit(before, now, expected):
    """Ang, Zhang and Choi 1998: no small number stands for the zero."""
    assert list(drivers.lmdi(before, now)) == expected


def test_the_limit_is_where_ever_smaller_numbers_go():
    small = [drivers.lmdi([tiny, 3], [7, 6])[0] for tiny in (1e-50, 1e-150, 1e-300)]
    assert small == sorted(small)
    assert small[-1] == pytest.approx(42, rel=2e-3)


@st.composite
def products(draw):
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    side = st.lists(
        st.lists(AMOUNTS, min_size=columns, max_size=columns), min_size=rows, max_size=rows
    )
    return draw(side), draw(side)


@given(products())
def test_the_factors_of_products_add_up_and_are_negated_backwards(sides):
    before, now = sides
    scale = total(before) + total(now)
    parts, back = drivers.lmdi(before, now), drivers.lmdi(now, before)
    assert is_close(parts.sum(), total(now) - total(before), scale)
    assert all(is_close(a, -b, scale) for a, b in zip(parts, back, strict=True))


@given(products().filter(lambda sides: min(map(total, sides)) > 0))
def test_the_factors_of_products_multiply_to_the_ratio_of_the_totals(sides):
    before, now = sides
    assert math.log(decompositions.lmdi_factors(before, now).prod()) == pytest.approx(
        math.log(total(now) / total(before)), abs=1e-9, rel=1e-9
    )


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_a_logarithmic_mean_lies_between_the_geometric_and_the_arithmetic_mean(a, b):
    mean = decompositions.logarithmic_mean(a, b)
    assert math.sqrt(a * b) * (1 - 1e-12) <= mean <= (a + b) / 2 * (1 + 1e-12)
    assert mean == decompositions.logarithmic_mean(b, a)


def test_what_is_no_product_of_positives_is_refused():
    with pytest.raises(UsageError, match="from 0 on"):
        drivers.lmdi([-1, 2], [3, 4])
    with pytest.raises(UsageError, match="the same segments and factors"):
        drivers.lmdi([1, 2], [3, 4, 5])
    with pytest.raises(UsageError, match="total of 0"):
        decompositions.lmdi_factors([0, 2], [3, 4])


# --- any formula: Shapley ---------------------------------------------------------------------------------------------


def test_shapley_of_customers_times_price_is_as_published():
    assert drivers.shapley(lambda x, p: x * p, [1500, 220], [1700, 225]) == [44500, 8000]


FORMULAS = {
    "sum": lambda a, b, c: a + b - c,
    "mixed": lambda a, b, c: a * b - c / 2,
    "square": lambda a, b, c: a * a * b + c,
}


@given(
    st.sampled_from(sorted(FORMULAS)), *[st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3)] * 2
)
def test_shapley_parts_add_up_and_are_negated_backwards(name, before, now):
    formula = FORMULAS[name]
    parts, back = drivers.shapley(formula, before, now), drivers.shapley(formula, now, before)
    largest = max(map(abs, [*before, *now, 1.0])) ** 3
    assert is_close(sum(parts), formula(*now) - formula(*before), largest)
    assert all(is_close(a, -b, largest) for a, b in zip(parts, back, strict=True))


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.tuples(*[st.lists(st.integers(-6, 6), min_size=n, max_size=n)] * 2)
    ),
    st.sampled_from(["product", "sum of products", "square"]),
)
def test_shapley_is_the_mean_over_every_order_in_which_factors_can_change(sides, name):
    """Brute force for up to five factors: all orders, one after the other."""
    before, now = sides
    formula = {
        "product": lambda *x: math.prod(x),
        "sum of products": lambda *x: sum(a * b for a, b in itertools.pairwise([*x, 1])),
        "square": lambda *x: sum(x) ** 2,
    }[name]
    orders, expected = list(itertools.permutations(range(len(before)))), [0.0] * len(before)
    for order in orders:
        state = list(before)
        for factor in order:
            earlier, state[factor] = formula(*state), now[factor]
            expected[factor] += (formula(*state) - earlier) / len(orders)
    assert drivers.shapley(formula, before, now) == pytest.approx(expected, abs=1e-6)


@given(products())
def test_logarithmic_parts_are_negated_to_the_last_bit_backwards(sides):
    before, now = sides
    assert list(drivers.lmdi(before, now)) == [-part for part in drivers.lmdi(now, before)]


def test_a_factor_that_stays_has_no_part():
    assert drivers.shapley(lambda a, b, c: a / b + c, [4, 2, 1], [4, 8, 1]) == [0, -1.5, 0]


def test_a_formula_without_a_value_halfway_has_no_shares():
    assert all(map(math.isnan, drivers.shapley(lambda a, b: a / (a + b), [0, 5], [5, 0])))


def test_eight_factors_are_explained_and_nine_are_refused():
    assert drivers.shapley(lambda *x: sum(x), [0] * 8, range(8)) == pytest.approx(range(8))
    with pytest.raises(UsageError, match="512 combinations; at most 8"):
        drivers.shapley(lambda *x: sum(x), [0] * 9, range(9))


# --- rates over segments: Bennet --------------------------------------------------------------------------------------


def test_a_rate_that_changes_by_who_is_there_is_mix_alone():
    within, mix = decompositions.rates([0.5, 0.5], [0.2, 0.6], [0.25, 0.75], [0.2, 0.6])
    assert (list(within), list(mix)) == ([0, 0], pytest.approx([-0.05, 0.15]))


def test_a_segment_that_comes_is_mix_at_the_rate_it_has():
    within, mix = decompositions.rates([1, 0], [0.5, math.nan], [0.5, 0.5], [0.5, 0.9])
    assert (list(within), list(mix)) == ([0, 0], pytest.approx([-0.25, 0.45]))


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), min_size=1, max_size=5))
def test_rate_and_mix_add_up_and_are_negated_backwards(segments):
    table = np.array(segments)
    old, new = table[:, 0] / max(table[:, 0].sum(), 1), table[:, 2] / max(table[:, 2].sum(), 1)
    was, now = (
        np.where(share > 0, table[:, column], np.nan) for share, column in ((old, 1), (new, 3))
    )
    (within, mix), (again, other) = (
        decompositions.rates(old, was, new, now),
        decompositions.rates(new, now, old, was),
    )
    change = np.nansum(new * now) - np.nansum(old * was)
    assert is_close(within.sum() + mix.sum(), change, 1e3)
    assert np.allclose(within, -again, rtol=0, atol=1e-9)
    assert np.allclose(mix, -other, rtol=0, atol=1e-9)


# --- a metric ---------------------------------------------------------------------------------------------------------

SOURCE = "s: {system: CRM, path: s.csv, time: on, covers: {from: 2025-01-01, to: 2026-01-31}}"
ROWS = """
    on,team,who,n,won
    2025-12-02,East,a,4,1
    2025-12-03,West,b,6,0
    2026-01-05,East,a,10,1
    2026-01-06,East,c,20,0
    2026-01-07,West,c,6,1
    2026-01-08,,d,,1
"""
METRICS = """
    rows: {type: simple, measure: {source: s, agg: count}, by: [team]}
    won: {type: simple, measure: {source: s, agg: sum, expr: won}, by: [team]}
    people: {type: simple, measure: {source: s, agg: count_distinct, expr: who}, by: [team]}
    size: {type: simple, measure: {source: s, agg: average, expr: n}, by: [team]}
    middle: {type: simple, measure: {source: s, agg: median, expr: n}, by: [team]}
    bare: {type: simple, measure: {source: s, agg: count}}
    rate: {type: ratio, numerator: won, denominator: rows, unit: percent, by: [team]}
    growth: {type: ratio, numerator: rows, denominator: {metric: rows, offset: 1 month}}
    nothing: {type: simple, measure: {source: s, agg: count, filter: "n > 100"}}
    still: {type: derived, expr: nothing * 2}
    half: {type: derived, expr: (rows + won) / 2}
    product: {type: derived, expr: rows * size}
    quarter: {type: cumulative, metric: rows, window: 2 months}
    quarter_people: {type: cumulative, metric: people, window: 2 months}
    quarter_rate: {type: cumulative, metric: rate, window: 2 months, unit: percent}
    weekly: {type: simple, measure: {source: s, agg: count}, grains: [week]}
"""


@pytest.fixture
def catalog(company):
    return company(SOURCE, METRICS, {"s.csv": ROWS}, as_of="2026-01-31")


def explained(catalog, metric, by=None, against="previous"):
    january = calendar(catalog.company.company.calendar).period("month", dt.date(2026, 1, 15))
    table = drivers.of_company(catalog, metric, january, against, by)
    whole = drivers.change(catalog, metric, january, against)
    assert list(table.columns) == drivers.COLUMNS
    if len(table):
        assert table["effect"].sum() == pytest.approx(whole.size, rel=1e-9, abs=1e-12)
    return {(row.kind, row.part): row.effect for row in table.itertuples()}


def test_what_adds_up_is_split_by_its_first_declared_dimension(catalog):
    assert explained(catalog, "rows") == {
        ("segment", "team=East"): 1, ("segment", "team=(none)"): 1, ("segment", "team=West"): 0,
    }  # fmt: skip


def test_people_in_two_segments_are_left_unexplained(catalog):
    parts = explained(catalog, "people")
    assert parts["segment", "team=East"] == 1
    assert parts["unexplained", ""] == -1


@pytest.mark.parametrize("metric", ["bare", "middle"])
def test_what_has_no_parts_is_unexplained_as_a_whole(catalog, metric):
    assert [kind for kind, _ in explained(catalog, metric)] == ["unexplained"]


def test_a_ratio_is_explained_by_its_two_sides(catalog):
    parts = explained(catalog, "rate")
    assert parts == {
        ("numerator", "won"): pytest.approx(0.75),
        ("denominator", "rows"): pytest.approx(-0.5),
    }


def test_a_ratio_by_a_dimension_is_rate_and_mix(catalog):
    parts = explained(catalog, "rate", "team")
    assert parts["mix", "team=(none)"] == pytest.approx(0.25)
    assert parts["rate", "team=(none)"] == 0
    assert parts["rate", "team=West"] == pytest.approx((0.5 + 0.25) / 2)
    assert ("unexplained", "") not in parts


def test_an_average_is_rate_and_mix_by_its_rows(catalog):
    parts = explained(catalog, "size")
    assert parts["rate", "team=East"] == pytest.approx((1 / 2 + 2 / 3) / 2 * (15 - 4))
    assert ("unexplained", "") not in parts


def test_an_offset_side_is_measured_where_it_lies(catalog):
    assert explained(catalog, "growth") == {}  # there was nothing in November


def test_a_formula_is_explained_by_its_metrics(catalog):
    assert explained(catalog, "half") == {("factor", "rows"): 1, ("factor", "won"): 1}


def test_a_product_of_positives_is_explained_by_logarithms(catalog):
    parts = explained(catalog, "product")
    assert list(parts.values()) == pytest.approx(list(drivers.lmdi([2, 5], [4, 12])))


def test_a_trailing_window_is_explained_by_the_days_that_entered_and_left_it(catalog):
    assert explained(catalog, "quarter") == {
        ("entered", "2026-01-01..2026-01-31"): 4, ("left", "2025-11-01..2025-11-30"): 0,
    }  # fmt: skip


def test_people_who_were_in_the_window_already_are_unexplained(catalog):
    assert explained(catalog, "quarter_people")["unexplained", ""] == -1


def test_a_trailing_window_by_the_dimension_of_its_metric_is_split_into_segments(catalog):
    assert explained(catalog, "quarter", "team") == {
        ("segment", "team=East"): 2, ("segment", "team=West"): 1, ("segment", "team=(none)"): 1,
    }  # fmt: skip


def test_a_trailing_ratio_is_explained_by_its_sides_over_the_window(catalog):
    assert {kind for kind, _ in explained(catalog, "quarter_rate")} == {"numerator", "denominator"}


def test_last_year_is_another_comparison(catalog):
    assert explained(catalog, "bare", against="same_last_year") == {("unexplained", ""): 4}


def test_a_change_from_nothing_known_is_not_explained(catalog):
    first = calendar(catalog.company.company.calendar).period("month", dt.date(2025, 1, 15))
    assert drivers.of_company(catalog, "rows", first).empty
    assert math.isnan(drivers.change(catalog, "rows", first).before)


@pytest.mark.parametrize(
    ("metric", "options", "said"),
    [
        ("rowz", {}, "did you mean 'rows'"),
        ("weekly", {}, "no month values"),
        ("rows", {"by": "teams"}, "can't be split by teams: choose team"),
        ("bare", {"by": "team"}, "bare can't be split by team: its definition has no by:"),
        ("half", {"by": "team"}, "explained by its parts, not by segments"),
        ("rows", {"against": "last_year"}, "no comparison 'last_year'"),
    ],
)
def test_a_question_that_cannot_be_asked_names_what_can(catalog, metric, options, said):
    with pytest.raises(UsageError, match=said):
        explained(catalog, metric, **options)


# --- sentences and the chart ------------------------------------------------------------------------------------------


def monthly(catalog, metric):
    return board.measure(catalog, [metric], grain="month")


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("quarter", "Quarter rose 4 from the month before, all of it from the days that came in."),
        ("people", "People rose 1 from the month before: (none) +1, everything else 0 (−1 unexplained)."),
        ("rate", "Rate rose 25 points from the month before: Won +75 points, Rows −50 points."),
        ("still", "Still and all its parts are unchanged from the month before."),
        ("bare", "Bare rose 2 from the month before. There is no breakdown to explain it."),
    ],
)  # fmt: skip
def test_two_sentences_say_what_moved_it_most_and_how_much_the_rest_did(catalog, metric, said):
    assert str(story.explained(monthly(catalog, metric))) == said


def test_a_rest_that_would_print_as_nothing_hardly_moved_it(catalog):
    this = monthly(catalog, "rate")
    whole, parts = board.explain(this, "rate")
    this.explained["rate", ()] = whole, parts.assign(effect=[0.75, *[1e-6] * (len(parts) - 1)])
    assert str(story.explained(this)).endswith(", almost all of it from Won.")


def test_a_change_on_any_other_period_is_told_with_its_name(catalog):
    cut = calendar(catalog.company.company.calendar)
    this, november = monthly(catalog, "people"), cut.period("month", dt.date(2025, 11, 15))
    assert str(story.explained(this, against=november)).startswith(
        "People rose 3 from November 2025: East +2"
    )
    december = cut.period("month", dt.date(2025, 12, 15))
    told = str(story.explained(this, against=december))
    assert told == str(story.explained(this)).replace("the month before", "December 2025")


def test_periods_of_another_length_are_not_compared(catalog):
    cut = calendar(catalog.company.company.calendar)
    week, january = (
        cut.period("week", dt.date(2026, 1, 15)),
        cut.period("month", dt.date(2026, 1, 15)),
    )
    with pytest.raises(UsageError, match="can't compare a "):
        drivers.change(catalog, "rows", january, week)


@pytest.mark.parametrize("metric", ["rows", "people", "rate", "quarter", "still"])
def test_what_was_remembered_is_explained_alike_and_without_a_query(catalog, monkeypatch, metric):
    cut = calendar(catalog.company.company.calendar)
    january = cut.period("month", dt.date(2026, 1, 15))
    splits = [(), *drivers.splits(catalog.company, metric)]
    anew = [drivers.of_company(catalog, metric, january, by=by) for by in splits]
    for by in splits:
        alignment.remember(catalog, metric, [january], by)
    monkeypatch.setattr(catalog, "_run", lambda *_: pytest.fail("a query was run"))
    for by, table in zip(splits, anew, strict=True):
        pd.testing.assert_frame_equal(drivers.of_company(catalog, metric, january, by=by), table)


def test_every_fact_of_these_sentences_is_in_the_record(catalog):
    this = monthly(catalog, "rate")
    told = story.explained(this)
    facts = {fact["id"] for fact in story.record(this).payload["facts"]} | set(told.known)
    assert {"rate.moved_most", "rate.moved_most_by"} <= set(told.known)
    assert {id_ for sentence in told.sentences for id_ in sentence.facts} <= facts


def _data(spec):
    inline = [
        layer["data"]["values"] for layer in spec["layer"] if "values" in layer.get("data", {})
    ]
    return [*inline, *spec.get("datasets", {}).values()]


def test_the_waterfall_ends_with_the_change(catalog):
    spec = charts.waterfall(monthly(catalog, "rate"), "rate").to_dict()
    assert (
        spec["description"]
        == "What changed rate: +25 points from the month before. Won +75 points; Rows −50 points; "
        "net change +25 points."
    )
    bars = next(rows for rows in _data(spec) if "part" in rows[0])
    assert [(bar["from"], bar["to"]) for bar in bars] == [(0, 0.75), (0.75, 0.25), (0, 0.25)]


def test_many_segments_are_drawn_as_the_largest_and_the_others(company):
    rows = "on,who\n" + "".join(f"2026-01-05,p{i}\n" * (i + 1) for i in range(12))
    what = "m: {type: simple, measure: {source: s, agg: count}, by: [who]}"
    known = company(SOURCE, what, {"s.csv": rows}, as_of="2026-01-31")
    said = charts.waterfall(monthly(known, "m"), "m").to_dict()["description"]
    assert "p11 +12" in said
    assert "4 others +10; net change +78" in said


def test_without_both_periods_chart_and_sentence_say_so(company):
    known = company("s: {system: CRM, path: s.csv, time: on}", "m: {type: simple, measure: {source: s, agg: count}}",
                    {"s.csv": "on\n2026-01-05\n2026-01-31\n"}, as_of="2026-01-31")  # fmt: skip
    this = monthly(known, "m")
    assert str(story.explained(this)) == (
        "No explanation for M: data are missing for January 2026 or December 2025."
    )
    assert (
        "data missing for one of the two months"
        in charts.waterfall(this, "m").to_dict()["description"]
    )


@pytest.mark.long
def test_metrics_of_every_type_of_the_sample_are_explained_and_close(tmp_path):
    made = sample.write(tmp_path, end=dt.date(2026, 11, 22))
    with sources.open(definitions.load(ROOT / "params"), tmp_path, made.end) as known:
        week = calendar(known.company.company.calendar).last_complete("week", made.end)
        for metric in (
            "revenue_ttm",
            "sad",
            "csat",
            "win_rate",
            "churn_rate",
            "deal_size",
            "cycle_length",
        ):
            table, whole = (
                drivers.of_company(known, metric, week),
                drivers.change(known, metric, week),
            )
            assert whole.explainable
            assert table["effect"].sum() == pytest.approx(
                whole.size, rel=1e-9, abs=1e-9 * abs(whole.now)
            ), metric
