"""Causes: one find each; windows and parts of a North Star are none; how far lags were tried."""

import numpy as np
import pandas as pd
import pytest

from dataops_nb import alignment, links

pytestmark = pytest.mark.long


def table(n=150, **series):
    """A metric table of weekly sums."""
    days = pd.date_range("2023-01-02", periods=n, freq="7D")
    frames = []
    for name, values in series.items():
        rows = pd.DataFrame({"on": days, "v": values})
        frames.append(alignment.from_frame(rows, name, time="on", value="v", agg="sum"))
    return alignment.combine(*frames)


def shop(seed=1, n=150):
    """Tickets move churn two weeks later; complaints are tickets under another name."""
    rng = np.random.default_rng(seed)
    tickets = rng.normal(100, 10, n)
    churn = 50 + rng.normal(0, 4, n)
    churn[2:] += 0.6 * (tickets[:-2] - 100)
    return {
        "churn": churn,
        "tickets": tickets,
        "complaints": 0.3 * tickets + rng.normal(0, 1.5, n),
        "weather": rng.normal(20, 5, n),
    }


def test_another_name_of_a_cause_is_named_under_the_strongest():
    rows = links.find(table(**shop()), "churn").set_index("input")
    assert list(rows.loc[["tickets", "complaints"], "verdict"]) == ["moves", "moves"]
    assert rows.loc["complaints", "same_as"] == "tickets"
    assert pd.isna(rows.loc["tickets", "same_as"])
    assert pd.isna(rows.loc["weather", "same_as"])


def test_two_causes_are_two_finds():
    series = shop()
    series["churn"][3:] += 1.5 * (series["weather"][:-3] - 20)
    rows = links.find(table(**series), "churn").set_index("input")
    assert list(rows.loc[["tickets", "weather"], "verdict"]) == ["moves", "moves"]
    assert pd.isna(rows.loc["weather", "same_as"])


def test_the_horizon_is_the_longest_lag_that_was_tried():
    moves = [{"input": "weather", "after": "12w"}]
    rows = links.find(table(**shop()), "churn", moves=moves).set_index("input")
    assert list(rows.loc[["tickets", "weather"], "horizon"]) == [8, 14]


def test_nothing_was_tried_where_series_are_too_short():
    short = {name: values[:15] for name, values in shop().items()}
    rows = links.find(table(n=15, **short), "churn")
    assert rows["horizon"].isna().all()
    assert set(rows["reason"]) == {"too short"}


@pytest.fixture
def kin(company):
    """Revenue, its trailing year and its share of that, visits, and revenue for each of them."""
    rng = np.random.default_rng(2)
    days = pd.date_range("2024-01-01", periods=130, freq="7D")
    sold, visits = rng.integers(50, 90, 130), rng.integers(5, 30, 130)
    lines = [f"{day:%Y-%m-%d},{a},{b}\n" for day, a, b in zip(days, sold, visits, strict=True)]
    metrics = """
    revenue: {type: simple, measure: {source: s, agg: sum, expr: sold}}
    trailing: {type: cumulative, metric: revenue, window: 12 months}
    share: {type: derived, expr: revenue / trailing}
    visits: {type: simple, measure: {source: s, agg: sum, expr: visits}}
    per_visit: {type: ratio, numerator: revenue, denominator: visits}
    """
    return company(
        "s: {system: A, path: s.csv, time: on}",
        metrics,
        {"s.csv": "on,sold,visits\n" + "".join(lines)},
        as_of="2026-06-28",
        extra="north_star: [trailing]",
    )


def test_windows_and_parts_of_a_north_star_are_no_inputs_of_it(kin):
    with kin as catalog:
        rows = links.of_company(catalog).set_index("input")
    assert rows["reason"].to_dict() | {"visits": None, "per_visit": None} == {
        "revenue": "part", "share": "window", "visits": None, "per_visit": None,
    }  # fmt: skip
    assert (rows.loc[["revenue", "share"], "verdict"] == "cannot tell").all()
    assert rows.loc[["visits", "per_visit"], "horizon"].notna().all()


@pytest.mark.parametrize("seed", range(4, 9))
def test_two_measures_that_are_each_a_little_off_are_one_find(seed):
    rng = np.random.default_rng(seed)
    cause = rng.normal(0, 1, 150)
    calls, chats = (100 + cause + rng.normal(0, size, 150) for size in (0.5, 0.7))
    churn = 50 + rng.normal(0, 0.8, 150)
    churn[2:] += cause[:-2]
    rows = links.find(table(churn=churn, calls=calls, chats=chats), "churn").set_index("input")
    assert set(rows["verdict"]) == {"moves"}
    assert rows["same_as"].notna().sum() == 1


@pytest.mark.parametrize("seed", range(4, 9))
def test_two_related_causes_are_two_finds(seed):
    rng = np.random.default_rng(seed)
    calls = rng.normal(0, 1, 150)
    chats = 0.5 * calls + rng.normal(0, 0.87, 150)
    churn = 50 + rng.normal(0, 0.7, 150)
    churn[2:] += calls[:-2] + chats[:-2]
    rows = links.find(table(churn=churn, calls=100 + calls, chats=100 + chats), "churn")
    assert set(rows["verdict"]) == {"moves"}
    assert rows["same_as"].isna().all()
