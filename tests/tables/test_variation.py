"""The arrow of a variation: beside its word it never points the other way."""

from __future__ import annotations

import pytest

from dataops_nb import numbers

ROW = {"value": 44.0, "center": 44.8, "level_before": 23.8, "level_now": 44.8}


@pytest.mark.parametrize(
    ("variation", "signal", "text"),
    [
        ("special-cause concern", "shift", "↑ worse"),
        ("special-cause concern", "outside", "↓ worse"),
        (None, "shift", "↑ unusual"),
        ("common cause", None, "→ ordinary"),
    ],
)
def test_on_a_new_level_the_arrow_shows_the_way_from_the_level_before(variation, signal, text):
    assert numbers.variation_of(ROW | {"variation": variation, "signal": signal}) == text
