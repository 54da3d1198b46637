"""What a terminal shows: tables in its width, lights in colour, a clock that moves; elsewhere the same as ever."""

import re
import time
from types import SimpleNamespace

import pytest

from dataops_nb.cli import arguments, terminal
from dataops_nb.reports import progress

HEADERS = ("light", "department", "metric", "value", "owner")
ROWS = [
    ["● green", "Sales", "Closed-won deals of all teams", "12 deals", "Head of Sales"],
    ["■ red", "Sales", "Win rate", "42.9%", "Head of Sales"],
    ["◇ unknown", "Support", "Tickets that were answered late", "1,325 tickets", None],
]
SPARE = ("owner", "department")


def set_table(width=None, monkeypatch=None):
    if monkeypatch is not None:
        monkeypatch.setattr(terminal, "width", lambda: width)
    return terminal.table(HEADERS, ROWS, right=("value",), spare=SPARE, group="department")


@pytest.fixture
def tty(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(
        terminal, "sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True))
    )


def test_what_is_piped_is_as_wide_as_its_cells_and_has_every_column():
    assert set_table().splitlines()[2] == (
        "● green    Sales       Closed-won deals of all teams         12 deals  Head of Sales"
    )


@pytest.mark.parametrize("width", [100, 80, 60, 50, 40])
def test_a_table_is_as_wide_as_the_terminal_at_most(width, monkeypatch):
    assert max(map(len, set_table(width, monkeypatch).splitlines())) <= width


@pytest.mark.parametrize("width", [100, 80, 60, 50, 40])
def test_no_word_of_a_column_that_is_kept_gets_lost(width, monkeypatch):
    words = set_table(width, monkeypatch).split()
    for row in ROWS:
        for cell in (row[0], row[2], row[3]):
            assert set(cell.split()) <= set(words)


def test_a_terminal_that_is_wide_enough_shows_the_same_as_a_pipe(monkeypatch):
    assert set_table() == set_table(200, monkeypatch)


def test_the_first_spare_column_goes_first_and_is_named(monkeypatch):
    text = set_table(64, monkeypatch)
    assert text.endswith("\n\nA wider terminal also shows: owner.")
    assert "department" in text


def test_rows_without_their_group_column_stand_under_its_names(monkeypatch):
    lines = set_table(50, monkeypatch).splitlines()
    assert [line for line in lines if line in {"Sales", "Support"}] == ["Sales", "Support"]


def test_a_table_without_rows_has_its_headers(monkeypatch):
    monkeypatch.setattr(terminal, "width", lambda: 40)
    assert terminal.table(("a", "b"), []).splitlines() == ["a  b", "-  -"]


def test_a_light_keeps_its_shape_and_word_and_gets_a_colour(tty):
    text = terminal.painted("■ red  Churn rate")
    assert text == "\x1b[31m■ red\x1b[0m  Churn rate"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_nothing_is_coloured_where_that_is_not_wanted(name, value, tty, monkeypatch):
    monkeypatch.setenv(name, value)
    assert terminal.painted("■ red") == "■ red"


def test_nothing_is_coloured_or_folded_where_stdout_is_no_terminal():
    line = "■ red " + "word " * 60
    assert terminal.painted(terminal.folded(line)) == line


def test_a_long_line_is_folded_between_words_below_its_bullet(monkeypatch):
    monkeypatch.setattr(terminal, "width", lambda: 40)
    lines = terminal.folded("- " + "several words " * 6).splitlines()
    assert max(map(len, lines)) <= 40
    assert [line[:2] for line in lines] == ["- ", "  ", "  "]


def test_a_path_is_never_broken(monkeypatch):
    monkeypatch.setattr(terminal, "width", lambda: 40)
    path = "/a-folder-with-a-long-name/and-another-one/index.html"
    assert terminal.folded(path) == path


def test_every_command_stands_in_a_group_of_the_help():
    text = arguments.build().format_help().split("commands:")[1].split("exit codes:")[0]
    lines = [line for line in text.splitlines() if line.strip()]
    titles = [line for line in lines if re.match(r"  \S", line)]
    assert re.match(r"  \S", lines[0])
    assert len(titles) == 5


def test_the_help_fits_into_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, arguments.build().format_help().splitlines())) <= 80


@pytest.mark.long
def test_the_clock_of_a_refresh_moves_while_nothing_ends(monkeypatch, capsys):
    monkeypatch.setattr(progress, "TICK", 0.01)
    bar = progress.Bar(2)
    bar.begun("sales")
    time.sleep(1.2)
    bar.close()
    shown = capsys.readouterr().err
    assert "sales 0 s" in shown
    assert "sales 1 s" in shown
    assert "00:01" in shown


def test_a_report_that_ended_badly_is_told_above_the_bar(capsys):
    bar = progress.Bar(1)
    bar.begun("sales")
    bar(SimpleNamespace(report="sales", state="failed", period="W1", seconds=1.0, error="broken"))
    assert "failed  sales  W1  1.0 s  broken" in capsys.readouterr().err
