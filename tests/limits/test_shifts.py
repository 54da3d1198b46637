"""Changes of level: found where they are, and not where a series only remembers, grows or waves."""

from __future__ import annotations

import honesty_shifts
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb.limits import looks, shifts

# Annual flow of the Nile at Aswan, 1871-1970, 10^8 m³: Cobb 1978, Biometrika 65, p. 249, Table 1;
# his change point, and that of Durbin and Koopman 2012 (section 2.7.1), lies between 1898 and 1899.
NILE = (
    "1120 1160 963 1210 1160 1160 813 1230 1370 1140 995 935 1110 994 1020 960 1180 799 958 1140 "
    "1100 1210 1150 1250 1260 1220 1030 1100 774 840 874 694 940 833 701 916 692 1020 1050 969 "
    "831 726 456 824 702 1120 1100 832 764 821 768 845 864 862 698 845 744 796 1040 759 781 865 "
    "845 944 984 897 822 1010 771 676 649 846 812 742 801 1040 860 874 848 890 744 749 838 1050 "
    "918 986 797 923 975 815 1020 906 901 1170 912 746 919 718 714 740"
)


def nile() -> np.ndarray:
    return np.array(NILE.split(), dtype=float)


def noise(n: int, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n)


def trend(n: int) -> list[np.ndarray]:
    return [np.zeros((n, 0)), np.linspace(-1, 1, n)[:, None]]


def test_the_nile_changed_its_level_after_1898() -> None:
    found = shifts.find(nile(), trend(100))
    assert [1871 + start for start in found.starts] == [1899]
    assert shifts.suspects(nile()[None, :]).all()


def test_what_the_nile_leaves_within_its_regimes_remembers_nothing() -> None:
    whole = nile() - nile().mean()
    before = float(whole[1:] @ whole[:-1] / (whole @ whole))
    assert before > 2 / np.sqrt(100)
    assert shifts.find(nile(), trend(100)).memory < 2 / np.sqrt(100)


def test_a_step_two_deviations_high_is_found_within_eight_periods() -> None:
    assert honesty_shifts.found_shifts(2.0, ago=8, count=120) >= 0.8


@pytest.mark.parametrize("kind", honesty_shifts.PROMISED)
def test_a_series_without_a_step_seldom_shows_one(kind: str) -> None:
    # 2 of 100 in the long run; five of sixty would come by chance once in a hundred times.
    assert honesty_shifts.false_shifts(kind, count=60) <= 5 / 60


@pytest.mark.slow
@pytest.mark.parametrize("kind", honesty_shifts.PROMISED)
def test_steps_are_said_as_seldom_as_promised(kind: str) -> None:
    assert honesty_shifts.false_shifts(kind, count=1000) <= honesty_shifts.at_most(1000)


@pytest.mark.slow
def test_steps_are_found_as_often_as_promised() -> None:
    assert honesty_shifts.found_shifts(2.0, ago=8, count=1000) >= honesty_shifts.FOUND


def test_each_of_two_steps_has_its_place() -> None:
    values = noise(120)
    values[40:] += 5
    values[90:] -= 8
    assert shifts.find(values, trend(120)).starts == (40, 90)


def test_a_series_that_wanders_is_known_before_it_is_searched() -> None:
    walks = np.cumsum(np.random.default_rng(11).standard_normal((200, 130)), axis=1)
    steady = np.random.default_rng(12).standard_normal((200, 130))
    assert shifts.wanders(walks).mean() > 0.7
    assert not shifts.wanders(steady).any()


def test_steps_do_not_make_a_series_wander() -> None:
    stepped = np.random.default_rng(13).standard_normal((200, 130))
    stepped[:, 52:] += 10
    stepped[:, 104:] -= 8
    assert not shifts.wanders(stepped).any()


def test_a_series_that_wanders_has_one_regime() -> None:
    walks = np.cumsum(np.random.default_rng(14).standard_normal((40, 130)), axis=1)
    for walk in walks[shifts.wanders(walks)]:
        assert shifts.find(walk, trend(130)).starts == ()


def test_a_series_shorter_than_two_regimes_has_no_steps() -> None:
    values = np.repeat([0.0, 100.0], [6, 5]) + noise(11)
    assert shifts.find(values).starts == ()
    assert not shifts.suspects(values[None, :]).any()


def test_values_that_never_move_have_no_steps() -> None:
    assert shifts.find(np.full(60, 3.0), trend(60)).starts == ()


def test_values_that_move_only_in_their_step_have_it() -> None:
    assert shifts.find(np.repeat([3.0, 4.0], 30), trend(60)).starts == (30,)


def test_a_step_beside_a_line_is_told_from_it() -> None:
    values = noise(130) + np.linspace(0, 6, 130)
    values[100:] -= 8
    found = shifts.find(values, trend(130))
    assert found.starts == (100,)
    assert found.line == 1


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    scale=st.sampled_from([1e-6, 0.01, 7.0, 1e9]),
    place=st.integers(20, 80),
    size=st.sampled_from([0.0, 2.0, 5.0]),
)
def test_the_unit_and_the_sign_of_values_change_nothing(
    seed: int, scale: float, place: int, size: float
) -> None:
    values = noise(100, seed)
    values[place:] += size
    found = shifts.find(values, trend(100)).starts
    assert shifts.find(-scale * values, trend(100)).starts == found


@pytest.mark.parametrize("starts", [(), (40,), (20, 70)])
def test_a_line_beside_regimes_is_fitted_by_least_squares(starts: tuple[int, ...]) -> None:
    values, at = noise(100) + np.linspace(0, 3, 100), np.linspace(-1, 1, 100)
    columns = np.column_stack([at, np.sin(9 * at)])
    regimes = np.searchsorted(starts, np.arange(100), side="right")[:, None] == np.arange(
        len(starts) + 1
    )
    design = np.hstack([regimes, columns])
    solution = np.linalg.lstsq(design, values, rcond=None)[0]

    look = looks.looked(values[None, :], [starts], columns)[0]

    assert np.allclose(look.rest, values - design @ solution, atol=1e-12)
    assert np.allclose(look.slope, solution[len(starts) + 1 :])
