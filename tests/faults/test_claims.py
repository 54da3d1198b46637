"""Claims and backfills at full size: each with its count printed."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

from dataops_nb.reports import ledger

pytestmark = pytest.mark.faults
PROCESSES, CLAIMS = 8, 10_000
CLAIMER = """
    import random, sys
    from pathlib import Path
    from dataops_nb.reports import ledger
    keys = [f"report-{n}" for n in range(int(sys.argv[2]))]
    random.Random(sys.argv[3]).shuffle(keys)
    with ledger.opened(Path(sys.argv[1])) as book:
        print("\\n".join(key for key in keys if ledger.claim(book, key, sys.argv[3])))
"""


def test_eight_processes_claim_each_of_ten_thousand_runs_once(tmp_path, capsys):
    path = tmp_path / "ledger.sqlite"
    with ledger.opened(path):
        pass
    asked = [
        subprocess.Popen(
            [sys.executable, "-c", dedent(CLAIMER), str(path), str(CLAIMS), str(n)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    given = [process.communicate()[0].split() for process in asked]
    assert [process.returncode for process in asked] == [0] * PROCESSES
    everything = [key for keys in given for key in keys]
    with capsys.disabled():
        print(
            f"\n{PROCESSES} processes x {CLAIMS:,} claims: {len(everything):,} given, {len(set(everything)):,} different"
        )
    assert len(everything) == len(set(everything)) == CLAIMS
