"""A command that nothing has changed for says what it said before, and anything else is computed anew."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataops_nb.cli import main
from tests.conftest import LIGHTS

COMPANY = f"""
company: Shop
timezone: UTC
data: data
{LIGHTS}
sources:
  orders: {{system: shop, path: "orders-*.csv", time: day}}
"""
DEPARTMENT = """
department: Sales
metrics:
  amount:
    type: simple
    measure: {source: orders, agg: sum, expr: amount}
    lights: standard
    targets: [{per: week, value: 5}]
"""
STATUS = ("status", "--as-of", "2026-01-18")
HEAVY = ("duckdb", "pandas", "numpy", "pydantic", "sqlglot", "pyarrow", "yaml")


@pytest.fixture
def bench(tmp_path):
    """A workbench whose files were written a while ago."""
    (tmp_path / "params" / "departments").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "params" / "company.yaml").write_text(COMPANY)
    (tmp_path / "params" / "departments" / "sales.yaml").write_text(DEPARTMENT)
    (tmp_path / "data" / "orders-1.csv").write_text("day,amount\n2026-01-05,1\n2026-01-12,2\n")
    settle(tmp_path)
    return tmp_path


def settle(root: Path) -> None:
    """Let everything in a workbench be a minute old."""
    then = time.time() - 60
    for place, folders, names in os.walk(root):
        for name in [".", *folders, *names]:
            os.utime(Path(place, name), (then, then))


def asked(bench: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["-w", str(bench), *(words or STATUS)]) == 0
    return capsys.readouterr().out


@pytest.fixture
def computed(monkeypatch):
    """How often a board was computed so far."""
    from dataops_nb import board

    boards = []
    read = board.read
    monkeypatch.setattr(board, "read", lambda *a, **k: boards.append(1) or read(*a, **k))
    return boards


@pytest.mark.parametrize("words", [STATUS, (*STATUS, "--json"), ("ask", "amount", *STATUS[1:])])
def test_what_nothing_has_changed_for_is_told_again(bench, capsys, computed, words):
    first = asked(bench, capsys, *words)
    settle(bench / "params")
    again = asked(bench, capsys, *words)
    assert again == asked(bench, capsys, *words) == first
    assert len(computed) == 2


@pytest.mark.long
def test_an_answer_that_is_told_again_imports_nothing_that_computes(bench):
    code = (
        f"import sys\nfrom dataops_nb.cli import main\nmain({['-w', str(bench), *STATUS]!r})\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    lines = []
    for _ in range(2):
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        lines.append(told.stdout.decode().splitlines())
    assert lines[0][:-1] == lines[1][:-1]
    assert lines[0][-1] == str(list(HEAVY))
    assert lines[1][-1] == "[]"


def edit_definitions(bench):
    path = bench / "params" / "departments" / "sales.yaml"
    path.write_text(path.read_text().replace("value: 5", "value: 1"))


def edit_data(bench):
    (bench / "data" / "orders-1.csv").write_text("day,amount\n2026-01-05,1\n2026-01-12,9\n")


def add_data(bench):
    (bench / "data" / "orders-2.csv").write_text("day,amount\n2026-01-13,9\n")


def remove_data(bench):
    (bench / "data" / "orders-2.csv").unlink(missing_ok=True)
    (bench / "data" / "orders-1.csv").write_text("day,amount\n2026-01-05,1\n")


def note(bench):
    assert main(["-w", str(bench), "note", "amount", "We know.", "--as-of", "2026-01-18"]) == 0


@pytest.mark.parametrize("change", [edit_definitions, edit_data, add_data, remove_data, note])
def test_any_change_is_seen(bench, capsys, computed, change):
    before = asked(bench, capsys, *STATUS, "--json")
    change(bench)
    settle(bench)
    capsys.readouterr()
    after = asked(bench, capsys, *STATUS, "--json")
    fresh = asked(bench, capsys, "--no-cache", *STATUS, "--json")
    assert after == fresh != before


def test_a_file_that_was_written_just_now_may_change_again(bench, capsys, computed):
    (bench / "data" / "orders-1.csv").touch()
    asked(bench, capsys)
    asked(bench, capsys)
    assert len(computed) == 2


def test_without_a_day_it_is_an_answer_of_that_day(bench, capsys, computed, monkeypatch):
    from dataops_nb.cli import answers

    asked(bench, capsys, "status")
    asked(bench, capsys, "status")
    assert len(computed) == 1

    class Tomorrow(answers.dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + answers.dt.timedelta(days=1)

    monkeypatch.setattr(answers.dt, "datetime", Tomorrow)
    asked(bench, capsys, "status")
    assert len(computed) == 2


def test_what_comes_from_a_database_is_asked_each_time(bench, capsys, computed):
    with sqlite3.connect(bench / "data" / "shop.db") as con:
        con.execute("create table orders (day date, amount double)")
        con.execute("insert into orders values ('2026-01-05', 1.0)")
    con.close()
    source = "  orders: {system: shop, url: 'sqlite:///shop.db', table: orders, time: day}"
    text = COMPANY.replace('  orders: {system: shop, path: "orders-*.csv", time: day}', source)
    (bench / "params" / "company.yaml").write_text(text)
    settle(bench)
    asked(bench, capsys)
    asked(bench, capsys)
    assert len(computed) == 2


def test_what_is_told_to_stderr_is_told_each_time(bench, capsys, computed, monkeypatch):
    from dataops_nb import cli
    from dataops_nb.cli import sound

    monkeypatch.setattr(sound, "tell_lines", lambda _: cli.print_error("line 2 is broken"))
    for _ in range(2):
        assert main(["-w", str(bench), *STATUS]) == 0
        assert capsys.readouterr().err == "dataops-nb: line 2 is broken\n"
    assert len(computed) == 2
