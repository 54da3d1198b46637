"""A change of level is proposed as the line that writes it into a metric's definition."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
import yaml

from dataops_nb import board, definitions, limits, tables
from dataops_nb.board import rebases
from dataops_nb.cli import levels

SOURCES = "visits: {system: Log, path: visits.csv, time: day, covers: {to: as_of}}"
METRIC = "m: {type: simple, measure: {source: visits, agg: sum, expr: amount}%s}"
MONDAY = dt.date(2024, 1, 1)


def visits(*steps: tuple[int, int], weeks: int = 100) -> str:
    """A row a week around 300; `steps` say from which week on how many more."""
    values = 300 + np.random.default_rng(3).integers(-9, 10, weeks)
    for week, size in steps:
        values[week:] += size
    lines = [f"{MONDAY + dt.timedelta(weeks=week)},{values[week]}" for week in range(weeks)]
    return "day,amount\n" + "\n".join(lines) + "\n"


def week(number: int) -> dt.date:
    return MONDAY + dt.timedelta(weeks=number)


@pytest.fixture
def opened(company):
    def open_(rows: str, limits_: str = ""):
        last = rows.strip().splitlines()[-1].split(",")[0]
        as_of = dt.date.fromisoformat(last) + dt.timedelta(days=6)
        return company(SOURCES, METRIC % limits_, {"visits.csv": rows}, as_of=as_of.isoformat())

    return open_


def proposed(catalog) -> list[rebases.Rebase]:
    return list(rebases.propose(board.measure(catalog, ["m"])))


def test_the_line_holds_every_change_of_level(opened):
    (only,) = proposed(opened(visits((40, 60), (84, 60))))
    assert [entry.from_ for entry in only.limits.rebase] == [week(40), week(84)]
    assert (round(only.before, -1), round(only.now, -1)) == (360, 420)


def test_a_steady_metric_gets_no_line(opened):
    assert proposed(opened(visits())) == []


def test_the_pasted_line_is_accepted_and_gives_each_level_limits_of_its_own(opened):
    rows = visits((40, 60), (84, 60))
    (only,) = proposed(opened(rows))
    found = board.measure(opened(rows), ["m"]).table
    pasted = board.measure(opened(rows, f", {only.line}"), ["m"])
    for name in ("center", "lower", "upper"):
        np.testing.assert_allclose(pasted.table[name], found[name])
    assert pasted.table["center"].nunique() == 3
    assert list(rebases.propose(pasted)) == []


def test_the_line_keeps_what_the_limits_said_before(opened):
    (only,) = proposed(opened(visits((84, 60)), ", limits: {rules: nhs, range: median}"))
    written = yaml.safe_load(only.line)["limits"]
    assert (written["rules"], written["range"]) == ("nhs", "median")
    assert written["rebase"][0]["from"] == week(84)


def test_the_event_before_a_change_is_its_reason(opened, tmp_path):
    catalog = opened(visits((84, 60)))
    day = week(83) + dt.timedelta(days=2)
    events = f'- {{date: {day}, kind: shop, title: "A \\"new\\" shop", metrics: [m]}}\n'
    (tmp_path / "params" / "events.yaml").write_text(events)
    known = definitions.load(tmp_path / "params")
    this = board.measure(catalog.under(known), ["m"])
    (only,) = rebases.propose(this)
    assert only.limits.rebase[0].because == f'A "new" shop, {day}'
    assert yaml.safe_load(only.line)["limits"]["rebase"][0]["because"] == f'A "new" shop, {day}'


def test_after_a_rebase_the_next_change_is_found(opened):
    said = ', limits: {rebase: [{from: 2024-10-07, because: "a new shop"}]}'
    (only,) = proposed(opened(visits((40, 60), (84, 60)), said))
    assert [entry.from_ for entry in only.limits.rebase] == [dt.date(2024, 10, 7), week(84)]


def test_check_names_the_file_and_the_line(opened, tmp_path):
    (notice,) = levels.notices(tmp_path / "params", opened(visits((84, 60))))
    file = Path(tmp_path / "params" / notice.file)
    assert "m: {" in file.read_text().splitlines()[notice.line - 1]
    assert f"rebase: [{{from: {week(84)}" in notice.message


def test_the_table_shows_the_line(opened):
    this = board.measure(opened(visits((84, 60))), ["m"])
    (only,) = rebases.propose(this)
    assert tables.levels(this).rows[0][-1] == only.line


def test_levels_before_the_newest_are_said_too(opened):
    rows = limits.add_limits(board.measure(opened(visits((40, 60), (84, 60))), ["m"]).table)
    assert rows["level_since"].iloc[50].date() == week(40)
    assert rows["level_since"].iloc[-1].date() == week(84)
    assert rows["level_since"].iloc[:40].isna().all()
