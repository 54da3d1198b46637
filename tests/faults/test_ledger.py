"""The ledger under a process that dies while it writes, and under a program that holds it."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from textwrap import dedent

import pytest

from dataops_nb import cli
from dataops_nb.reports import ledger
from tests.faults.faulty import DAY, again, files, make, rows

pytest_plugins = ["tests.faults.faulty"]  # its fixtures
pytestmark = pytest.mark.faults
KILLS = 20
WRITER = """
    import sys, datetime as dt
    from pathlib import Path
    from dataops_nb.reports import ledger
    from dataops_nb.reports.plan import Planned
    one, key = Planned("weekly", "sales", "s.ipynb", {}, "2026-W47", True, ""), sys.argv[2]
    with ledger.opened(Path(sys.argv[1])) as book:
        print("writes", flush=True)
        for n in range(1_000_000):
            ledger.claim(book, f"{key} {n}", key)
            row = ledger.start(book, key, one, dt.date(2026, 11, 22), made_of={"much": "x" * 5_000})
            ledger.finish(book, row, "ok", seconds=0.1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="it is killed by a signal")
def test_a_ledger_whose_writer_was_killed_is_whole_and_every_row_gets_its_end(tmp_path, capsys):
    path, chance, cut = tmp_path / "ledger.sqlite", random.Random(8), 0
    for kill in range(KILLS):
        words = [sys.executable, "-c", dedent(WRITER), str(path), f"r{kill}"]
        writer = subprocess.Popen(words, stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.1))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        with ledger.opened(path) as book:
            assert book.execute("pragma integrity_check").fetchone()[0] == "ok"
            cut += len(ledger.reconcile(book))
    with ledger.opened(path) as book:
        states = [row["state"] for row in ledger.rows(book, None)]
    with capsys.disabled():
        print(
            f"\n{KILLS} writers killed: {len(states):,} rows, all readable; {cut} were cut short and are `killed`"
        )
    assert set(states) <= {"ok", "killed"}
    assert states.count("killed") == cut
    assert len(states) > KILLS


def test_a_ledger_that_stays_locked_ends_the_command_with_eight(
    warm, tmp_path, monkeypatch, capsys
):
    wb = make(tmp_path, "good")
    assert again(wb, "good").exit_code == 0
    before = files(wb.out / "good" / "2026-W47")
    monkeypatch.setattr(ledger, "WAIT", 0.2)  # in place of 30 s
    other = sqlite3.connect(wb.out / "ledger.sqlite", isolation_level=None)
    other.execute("begin exclusive")
    where = ["-w", str(wb.root), "--data", str(wb.data), "--out", str(wb.out)]
    assert cli.main([*where, "refresh", "--force", "--as-of", DAY.isoformat()]) == 8
    other.close()
    assert "another program holds the ledger ledger.sqlite" in capsys.readouterr().err
    assert files(wb.out / "good" / "2026-W47") == before
    assert [row["state"] for row in rows(wb)] == ["ok"]
