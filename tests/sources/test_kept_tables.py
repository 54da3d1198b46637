"""Tables that were computed once come back as they were, and only while nothing behind them has changed."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import sqlite3
import time
from pathlib import Path
from threading import Barrier

import duckdb
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import alignment, board, definitions, sources
from dataops_nb.board import measurement
from dataops_nb.errors import DataError
from dataops_nb.periods import Period, calendar
from dataops_nb.sources import kept_tables
from dataops_nb.sources.cache import NAME
from dataops_nb.sources.kept_tables import read_table, write_table
from tests.sources.test_cache import (
    EDITED_DEFINITIONS,
    EDITED_FILES,
    EVENTS,
    FILES,
    METRICS,
    company,  # noqa: F401  a fixture
    define,
    write,
)

pytestmark = pytest.mark.long

TARGETS = METRICS.replace(
    "filter: \"kind <> 'x'\"}}",
    "filter: \"kind <> 'x'\"}, better: up, targets: [{from: 2026-01-01, value: 50}]}",
)
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.dates(),
    st.datetimes(min_value=dt.datetime(1900, 1, 1), max_value=dt.datetime(2200, 1, 1)).map(
        lambda moment: pd.Timestamp(moment).as_unit("us")
    ),
    st.just(pd.NaT),
)


def told(cells: list) -> list[tuple[str, str]]:
    return [(type(cell).__name__, repr(cell)) for cell in cells]


@given(st.lists(st.one_of(CELLS, st.lists(CELLS, max_size=3).map(tuple)), max_size=8))
def test_a_cell_comes_back_with_its_type(cells):
    frame = pd.DataFrame({"cell": pd.Series(cells, dtype=object)})
    returned = read_table(write_table(frame))
    assert told(returned["cell"]) == told(frame["cell"])


def test_columns_come_back_with_their_types_and_in_their_order():
    frame = pd.DataFrame(
        {
            "reason": pd.Series([None, "late"], dtype=object),
            "start": pd.Series(["2026-01-05", None], dtype="datetime64[s]"),
            "label": pd.Series(["a", None], dtype=pd.StringDtype("python", na_value=float("nan"))),
            "lag": pd.Series([3, None], dtype="Int64"),
            "value": [1.5, float("nan")],
            "complete": [True, False],
        }
    )
    pd.testing.assert_frame_equal(read_table(write_table(frame)), frame)


def test_a_table_without_rows_comes_back_with_its_columns():
    frame = pd.DataFrame({"a": pd.Series([], dtype=object), "b": pd.Series([], dtype=float)})
    pd.testing.assert_frame_equal(read_table(write_table(frame)), frame)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"cell": pd.Series([{1}], dtype=object)}),
        pd.DataFrame({"cell": [1, 2]}, index=[5, 6]),
        pd.DataFrame([[1, 2]], columns=["same", "same"]),
    ],
    ids=["a set", "an index of its own", "two columns of one name"],
)
def test_what_would_not_come_back_as_it_is_is_not_kept(frame):
    assert write_table(frame) is None


def judged(root: Path, keep: Path | None, **options: str) -> pd.DataFrame:
    """Return the judged table of all metrics of a company."""
    with opened(root, keep, **options) as rows:
        return board.measure(rows, list(rows.company.metrics), grain="week").table


def opened(root: Path, keep: Path | None, as_of: str = "2026-02-28") -> sources.Catalog:
    known = definitions.load(root / "params")
    return sources.open(known, root, dt.date.fromisoformat(as_of), keep=keep)


def no_measuring(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(measurement, "_measure", refuse)


def test_an_unchanged_board_is_not_measured_again(company, monkeypatch):  # noqa: F811
    first = judged(company, company / "cache")
    no_measuring(monkeypatch)
    pd.testing.assert_frame_equal(judged(company, company / "cache"), first)


def test_a_board_that_is_kept_needs_no_database(company, monkeypatch):  # noqa: F811
    judged(company, company / "cache")
    monkeypatch.setattr(duckdb, "connect", None)
    assert len(judged(company, company / "cache"))


def test_texts_of_a_table_are_held_by_python_whether_made_or_kept(company):  # noqa: F811
    for table in (judged(company, company / "cache"), judged(company, company / "cache")):
        assert {type_.storage for type_ in table.dtypes if type_ == "str"} == {"python"}


def test_without_a_cache_a_board_is_measured(company, monkeypatch):  # noqa: F811
    judged(company, None)
    no_measuring(monkeypatch)
    with pytest.raises(AssertionError, match="measured again"):
        judged(company, None)


def measured_beside(root: Path, at_once: Barrier) -> int:
    """Ask for a board in a process of its own; return how often it was measured there."""
    calls: list[object] = []
    measure = measurement._measure

    def slowly(*given: object, **named: object) -> pd.DataFrame:
        calls.append(given)
        time.sleep(0.5)
        return measure(*given, **named)

    measurement._measure = slowly
    at_once.wait()
    judged(root, root / "cache")
    return len(calls)


def test_processes_that_ask_at_once_measure_a_board_once(company):  # noqa: F811
    processes = multiprocessing.get_context("spawn")
    with processes.Manager() as manager, processes.Pool(3) as pool:
        at_once = manager.Barrier(3)
        counts = pool.starmap(measured_beside, [(company, at_once)] * 3)
    assert sorted(counts) == [0, 0, 1]


def test_nobody_waits_for_ever_for_a_board_that_another_process_makes(company, monkeypatch):  # noqa: F811
    monkeypatch.setattr(kept_tables, "LONGEST", 0.1)
    (company / "cache").mkdir()
    held = [FileLock(company / "cache" / f"table-{place:02x}.lock") for place in range(256)]
    for lock in held:
        lock.acquire()
    first = judged(company, company / "cache")
    for lock in held:
        lock.release()
    no_measuring(monkeypatch)
    pd.testing.assert_frame_equal(judged(company, company / "cache"), first)


FILES_EDITED = {
    **EDITED_FILES,
    "a rate": ("fx.csv", [*FILES["fx.csv"][:-1], ("2026-02-01", "EUR", 4)]),
}
EDITED = {**EDITED_DEFINITIONS, "a target": {"metrics": TARGETS}}
COMMON = ["a row", "a rate", "what a query joins", "a target"]
RARE = [edit for edit in [*FILES_EDITED, *EDITED] if edit not in COMMON]


@pytest.mark.parametrize(
    "edit", [*COMMON, *(pytest.param(e, marks=pytest.mark.slow) for e in RARE)]
)
def test_after_an_edit_a_board_is_what_it_is_without_a_cache(company, edit):  # noqa: F811
    before = judged(company, company / "cache")
    if edit in FILES_EDITED:
        write(company, *FILES_EDITED[edit])
    else:
        define(company, **EDITED[edit])
    after = judged(company, company / "cache")
    pd.testing.assert_frame_equal(after, judged(company, None))
    assert not before.equals(after)


def test_another_day_is_another_board(company):  # noqa: F811
    judged(company, company / "cache")
    earlier = judged(company, company / "cache", as_of="2026-02-10")
    pd.testing.assert_frame_equal(earlier, judged(company, None, as_of="2026-02-10"))


def test_the_metrics_behind_a_kept_board_were_looked_at(company):  # noqa: F811
    looked_at: list[set[str]] = []
    for _ in range(2):
        with opened(company, company / "cache") as rows:
            board.measure(rows, ["year"], grain="month")
            looked_at.append(set(rows.usage.metrics))
    assert looked_at[0] == looked_at[1] == {"year", "amount"}


def test_what_was_looked_at_before_stays_so(company):  # noqa: F811
    with opened(company, company / "cache") as rows:
        alignment.values(rows, "people", grain="month")
        board.measure(rows, ["rows"], grain="month")
        assert {"people", "rows"} <= rows.usage.metrics


def period_of(rows: sources.Catalog, back: int) -> Period:
    cut = calendar(rows.company.calendar)
    return cut.shift(cut.last_complete("week", rows.as_of), -back)


def test_sources_behind_what_was_remembered_in_memory_count(company):  # noqa: F811
    with opened(company, company / "cache") as rows:
        weeks = [period_of(rows, back) for back in range(9)]
        alignment.remember(rows, "amount", weeks)
        board.measure(rows, ["amount"], grain="week")
    write(company, *EDITED_FILES["a value of the same length"])
    with opened(company, company / "cache") as rows, opened(company, None) as fresh:
        kept = board.measure(rows, ["amount"], grain="week").table
        pd.testing.assert_frame_equal(kept, board.measure(fresh, ["amount"], grain="week").table)


def test_rows_under_another_company_keep_nothing(company):  # noqa: F811
    with opened(company, company / "cache") as rows:
        metric = rows.company.metrics["amount"].model_copy(update={"unit": "parts"})
        other = rows.company.model_copy(update={"extra": metric})
        board.measure(rows.under(other), ["amount"], grain="week")
    with sqlite3.connect(company / "cache" / NAME) as con:
        values = con.execute("select value from kept").fetchall()
    assert not [value for (value,) in values if b'"metrics"' in bytes(value)]


def test_a_board_over_a_faulty_source_is_not_kept(company):  # noqa: F811
    write(company, "events.csv", [*EVENTS, (4, "2026-02-20 12:00:00", 2, "x", 99, "USD")])
    for _ in range(2):
        with pytest.raises(DataError, match="share this key"):
            judged(company, company / "cache")
    write(company, "events.csv", EVENTS)
    pd.testing.assert_frame_equal(judged(company, company / "cache"), judged(company, None))


def test_a_table_of_a_query_that_differs_on_each_run_is_not_kept(company):  # noqa: F811
    runs: list[int] = []
    for _ in range(2):
        with opened(company, company / "cache") as rows:

            def make(rows=rows) -> pd.DataFrame:
                runs.append(1)
                return rows.fetch("select now() is not null as x from events limit 1")

            rows.recall(["probe"], make)
    assert len(runs) == 2


def test_a_damaged_table_is_made_anew(company):  # noqa: F811
    first = judged(company, company / "cache")
    with sqlite3.connect(company / "cache" / NAME) as con:
        con.execute("update kept set value = substr(value, 1, length(value) / 2)")
    pd.testing.assert_frame_equal(judged(company, company / "cache"), first)
