"""What a board of many metrics costs, in queries and calendar periods: it does not grow with the metrics."""

import pytest

from dataops_nb.board import measurement
from dataops_nb.periods import Calendar

SOURCES = "daily: {system: shop, path: daily.csv, time: day, columns: {channel: {type: text}}}"
FILTERS = ("", ", filter: \"channel = 'web'\"", ', filter: "a > 1"')
MOST_QUERIES = 4


def metrics(count: int) -> str:
    """So many sums and counts, by channel, by a condition and of all, with targets that change."""
    lines = []
    for number in range(count):
        measure = f"source: daily, agg: sum, expr: {'abc'[number % 3]} * {number + 1}"
        measure += FILTERS[number % len(FILTERS)]
        targets = f"[{{per: month, value: {number}}}, {{from: 2025-06-01, per: week, value: 3}}]"
        lines.append(f"m{number}: {{type: simple, measure: {{{measure}}}, targets: {targets}}}")
    return "\n".join(lines)


def rows() -> str:
    lines = ["day,channel,a,b,c"]
    for month in range(1, 13):
        lines += [f"2025-{month:02d}-{day:02d},web,1,2,3" for day in range(1, 29)]
        lines += [f"2025-{month:02d}-{day:02d},shop,3,2,1" for day in range(1, 29)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def costs(company, monkeypatch):
    """Measure a board of so many metrics; return its queries and the periods it asked for."""

    def measure(count: int) -> tuple[int, int]:
        catalog = company(SOURCES, metrics(count), {"daily.csv": rows()}, as_of="2025-12-31")
        queries, periods = [], []
        run, period = catalog._run, Calendar.period
        monkeypatch.setattr(catalog, "_run", lambda *args: queries.append(1) or run(*args))
        monkeypatch.setattr(
            Calendar, "period", lambda self, *args: periods.append(1) or period(self, *args)
        )
        names = tuple(catalog.company.metrics)
        last = Calendar().last_complete("week", catalog.as_of)
        table = measurement.measure_table(catalog, names, "week", last)
        monkeypatch.undo()
        assert table["metric"].nunique() == count
        return len(queries), len(periods)

    return measure


def test_a_board_of_more_metrics_asks_no_more_of_its_source(costs):
    assert costs(24)[0] <= MOST_QUERIES


def test_a_board_of_more_metrics_cuts_no_more_periods(costs):
    few, many = costs(4)[1], costs(40)[1]
    assert many <= few + 40
