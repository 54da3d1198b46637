"""The panel proposes to start limits anew where a metric left its level, and saves it."""

from __future__ import annotations

import datetime as dt

import pytest

from dataops_nb import board, workbench
from dataops_nb.controls.drawers import NO_REBASE, WhatIf
from dataops_nb.controls.material import Material
from dataops_nb.controls.settings import Settings
from dataops_nb.workbench import whatifs

SOURCE = "visits: {system: Log, path: visits.csv, time: day, covers: {to: as_of}}"
METRIC = "m: {type: simple, measure: {source: visits, agg: sum, expr: amount}}"
MONDAY = dt.date(2024, 1, 1)


class Opened(WhatIf):
    """The drawer, open, of a metric of 100 weeks; it remembers what was supposed."""

    def __init__(self, bench: workbench.Workbench, measured: board.Board) -> None:
        self.supposed: dict = {}
        super().__init__(Material(measured), bench.memory.whatifs, self._take_over)
        self._measured = measured
        self.button.value = True
        self.see(measured, Settings("m", measured.period.id))

    def _take_over(self, changes) -> None:
        self.supposed = changes
        self.see(self._measured, Settings("m", self._measured.period.id, changes=changes))


@pytest.fixture
def drawer(company, tmp_path):
    def open_(size: int) -> Opened:
        rows = [(MONDAY + dt.timedelta(weeks=at), 300 + 7 * at % 20) for at in range(100)]
        lines = [f"{day},{value + size * (at >= 84)}" for at, (day, value) in enumerate(rows)]
        files = {"visits.csv": "day,amount\n" + "\n".join(lines) + "\n"}
        catalog = company(
            SOURCE, METRIC, files, as_of=str(MONDAY + dt.timedelta(weeks=100, days=-1))
        )
        bench = workbench.Workbench(tmp_path, tmp_path, tmp_path / "out")
        return Opened(bench, board.measure(catalog, ["m"]))

    return open_


def test_without_a_new_level_nothing_is_proposed(drawer):
    opened = drawer(0)
    assert (opened.rebasing.disabled, opened.rebasing.description) == (True, NO_REBASE)


def test_the_new_level_is_supposed_saved_and_loaded(drawer, tmp_path):
    opened = drawer(90)
    assert not opened.rebasing.disabled
    opened.rebasing.click()
    day = MONDAY + dt.timedelta(weeks=84)
    assert f"rebase: [{{from: {day}" in opened.message.html
    opened.name.value = "anew"
    opened.saving.click()
    bench = workbench.Workbench(tmp_path, tmp_path, tmp_path / "out")
    loaded, more = whatifs.load(bench, bench.definitions, "anew")
    assert loaded == opened.supposed
    assert loaded["m"].limits.rebase[0].from_ == day
    assert more == []
