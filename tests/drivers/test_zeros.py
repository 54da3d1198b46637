"""Parts of products where a factor is 0: the limits of what they are beside it, and no jump."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import alignment, drivers

POSITIVE = st.floats(1e-3, 1e3)
TINY = (1e-100, 1e-200, 1e-300)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        # Ang, Zhang and Choi 1998, Energy 23, table 3, and Ang and Liu 2007, Energy Policy 35, table 1: the
        # eight cases of L(V_T, V_0) ln(x_T / x_0), here of the first factor of a product V
        ([0, 6], [7, 6], 42),  # V_0 = 0, x_0 = 0: V_T
        ([7, 6], [0, 6], -42),  # V_T = 0, x_T = 0: -V_0
        ([2, 0], [7, 6], 0),  # V_0 = 0, both x positive
        ([2, 6], [7, 0], 0),  # V_T = 0, both x positive
        ([2, 0], [7, 0], 0),  # both V 0, both x positive
        ([0, 5], [0, 6], 0),  # both V 0, both x 0
        ([0, 5], [7, 0], 0),  # both V 0, x_0 = 0
        ([7, 0], [0, 5], 0),  # both V 0, x_T = 0
    ],
)
def test_a_part_with_a_zero_has_its_published_limit(before, now, expected):
    assert drivers.lmdi(before, now)[0] == expected


@st.composite
def from_nothing(draw):
    """A product of which one factor comes from 0 and the others are positive."""
    count = draw(st.integers(2, 4))
    before = draw(st.lists(POSITIVE, min_size=count, max_size=count))
    now = draw(st.lists(POSITIVE, min_size=count, max_size=count))
    return before, now, draw(st.integers(0, count - 1))


@given(from_nothing(), st.booleans())
def test_the_one_factor_that_is_zero_has_all_of_the_change(case, backwards):
    before, now, place = case
    before = [*before[:place], 0.0, *before[place + 1 :]]
    old, new = (now, before) if backwards else (before, now)
    parts = drivers.lmdi(old, new)
    assert parts[place] == np.prod(new) - np.prod(old)
    assert not np.delete(parts, place).any()


@given(from_nothing())
def test_the_parts_at_zero_are_where_they_go_as_the_factor_goes_to_zero(case):
    """They go there like 1 / ln x: three small x are carried on to 1 / ln x = 0."""
    before, now, place = case
    steps, seen = [], []
    for tiny in TINY:
        old = [*before[:place], tiny, *before[place + 1 :]]
        steps.append(-1 / math.log(tiny))
        seen.append(drivers.lmdi(old, now))
    at_zero = drivers.lmdi([*before[:place], 0.0, *before[place + 1 :]], now)
    ahead = np.zeros(len(now))
    for number, step in enumerate(steps):
        others = [other for other in steps if other != step]
        ahead += seen[number] * math.prod(other / (other - step) for other in others)
    assert ahead == pytest.approx(at_zero, abs=2e-3 * float(np.prod(now)))


@given(from_nothing())
def test_the_other_parts_only_shrink_as_the_factor_goes_to_zero(case):
    before, now, place = case
    sizes = []
    for tiny in (1e-20, 1e-80, 1e-300, 0.0):
        parts = drivers.lmdi([*before[:place], tiny, *before[place + 1 :]], now)
        sizes.append(float(np.abs(np.delete(parts, place)).sum()))
    assert sizes == sorted(sizes, reverse=True)


@given(st.integers(1, 3), from_nothing())
def test_factors_whose_product_is_below_the_smallest_float_still_add_up(zeros, case):
    before, now, _ = case
    old = [*before, *[1e-160] * (zeros + 1)]
    new = [*now, *[1.0] * (zeros + 1)]
    assert drivers.lmdi(old, new).sum() == pytest.approx(math.prod(new) - math.prod(old))


def products_of(customers):
    """A week of one purchase and one of so many customers, by 20 and then 25 each."""
    days = pd.to_datetime(["2026-11-03", "2026-11-10"])
    buyers = pd.DataFrame({"at": days, "n": [customers, 10.0]})
    baskets = pd.DataFrame({"at": days, "n": [20.0, 25.0]})
    options = {"time": "at", "value": "n", "agg": "sum", "grain": "week", "as_of": "2026-11-15"}
    options["covers"] = ("2026-11-02", "2026-11-15")
    return alignment.combine(
        alignment.from_frame(buyers, "buyers", **options),
        alignment.from_frame(baskets, "basket", **options),
    )


@pytest.mark.parametrize("customers", [1e-4, 1e-30, 1e-300])
def test_the_factors_of_a_metric_do_not_jump_where_one_is_zero(customers):
    def parts(size):
        return drivers.explain(
            products_of(size), "revenue", "2026-W46", formula="buyers * basket"
        ).set_index("part")["effect"]

    near, at = parts(customers), parts(0.0)
    assert (at["buyers"], at["basket"]) == (250, 0)
    assert near.sum() == pytest.approx(250, abs=0.01)
    # the whole of the distance to the limit is what is left of 1 / ln x
    assert near["basket"] == pytest.approx(
        (250 - 20 * customers) / math.log(250 / (20 * customers)) * math.log(25 / 20)
    )
