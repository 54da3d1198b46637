"""The chart of moving ranges: Wheeler's limits, level by level."""

from __future__ import annotations

import numpy as np
import pytest

from dataops_nb import limits
from dataops_nb.limits import Rules
from dataops_nb.limits.ranges import moving_ranges
from tests.limits.test_regimes import table

# Wheeler, "data set to use when verifying software": mean moving range 355.93, limit 1163.19.
VERIFY = [
    *(5045, 4350, 4350, 3975, 4290, 4430, 4485, 4285),
    *(3980, 3925, 3645, 3760, 3300, 3685, 3463, 5200),
]


def ranges(values, rules=None):
    rules = rules or Rules(chart="xmr")
    return moving_ranges(limits.add_limits(table(np.array(values, float)), rules), rules)


def test_the_limit_of_moves_is_the_published_one():
    found = ranges(VERIFY)
    assert found["range_center"].iloc[-1] == pytest.approx(355.93, abs=0.005)
    assert found["range_upper"].iloc[-1] == pytest.approx(1163.19, abs=0.05)
    assert np.flatnonzero(found["range"] > found["range_upper"]).tolist() == [15]


def test_no_move_reaches_from_one_level_into_the_next():
    values = [*VERIFY, *(value + 9000 for value in VERIFY)]
    rebase = [{"from": "2024-04-22", "because": "a new plant"}]
    found = ranges(values, Rules(chart="xmr", rebase=rebase))
    assert np.flatnonzero(found["range"].isna()).tolist() == [0, 16]
    assert found["range_upper"].nunique() == 1


def test_the_median_has_its_own_limit():
    found = ranges(VERIFY, Rules(chart="xmr", range="median"))
    assert found["range_upper"].iloc[0] == pytest.approx(3.865 * found["range_center"].iloc[0])
