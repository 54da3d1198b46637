"""The figures that must hold: many runs leave nothing, random kills tear nothing, readers see whole reports."""

from __future__ import annotations

import gc
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from dataops_nb.reports import environment, execution, ledger, processes, progress, run, site
from dataops_nb.reports.execution import job
from tests.faults.faulty import DAY, again, alive, files, make, rows, write_notebook

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="processes are counted through /proc"
)

MIB = 1 << 20
RUNNER = """
import sys
from dataops_nb import workbench
from dataops_nb.reports import progress, run
wb = workbench.open(sys.argv[1], data=sys.argv[1] + "/data", out=sys.argv[1] + "/out")
while True:
    run.run(wb, as_of="2026-11-22", force=True, jobs=2, progress=progress.silent)
"""
READER = """
import os, sys
folder, enough = sys.argv[1], int(sys.argv[2])
print("reads", flush=True)
for read in range(enough):
    name = ("index.html", "facts.json")[read % 2]
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        text = file.read()
    assert text == text[:4] * 5_000, f"torn: {len(text)} characters"
"""


def few_or_many(few: int, many: int):
    """The same test with few runs beside the other faults, and with many in the long run."""
    return [pytest.param(few, marks=pytest.mark.faults), pytest.param(many, marks=pytest.mark.slow)]


def held() -> tuple[int, set[int], int]:
    """Descriptors, processes and memory of this process and those below it."""
    gc.collect()
    below = {pid for pid, _ in processes.below(os.getpid()) if alive(pid)}
    return (
        len(os.listdir("/proc/self/fd")),
        below,
        sum(map(processes.resident, {os.getpid(), *below})),
    )


@pytest.mark.parametrize("count", few_or_many(100, 1000))
def test_runs_in_a_row_leave_nothing_behind(tmp_path, monkeypatch, count):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    wb = make(
        tmp_path / "wb", "good", cells=("import tempfile; kept = tempfile.TemporaryDirectory()",)
    )
    others = held()[1]  # of other tests: a database, a cluster
    with execution.kept() as warm:
        for _ in range(10):
            again(wb, "good", warm=warm)
        descriptors, family, memory = held()
        states = [again(wb, "good", warm=warm).exit_code for _ in range(count)]
        after = held()
    grown = (after[2] - memory) / MIB
    print(
        f"{count} runs: {after[0] - descriptors} descriptors, {len(after[1] - family)} processes left, {grown:+.1f} MiB"
    )
    assert states == [0] * count
    assert (after[0], after[1]) == (descriptors, family)
    assert grown < 20
    assert not [pid for pid in family - others if alive(pid)]
    assert list(temporary.iterdir()) == []
    assert [path.name for path in (wb.out / "runs").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("count", few_or_many(100, 250))
def test_four_at_a_time_leave_nothing_behind(tmp_path, count):
    wb = make(tmp_path / "wb", "good")
    notebook, given = wb.notebooks / "good.ipynb", {"as_of": "2026-11-22"}
    jobs = [
        job.Job(notebook, given, tmp_path / "jobs" / str(i), environment.passed())
        for i in range(4 * count)
    ]
    before = held()
    states = [
        ended.state
        for ended in execution.run(jobs, at_a_time=4, timeout=120, started=lambda _: None)
    ]
    print(f"4 at a time, {len(states)} in all: {len(states) - states.count('ok')} failed")
    assert states == ["ok"] * len(jobs)
    assert held()[:2] == before[:2]


def whole(wb, name: str) -> bool:
    """Whether what readers find of a report is a whole one."""
    place = wb.out / name / "2026-W47"
    names = {path.name for path in place.iterdir()} if place.exists() else set()
    pages = ("index.html", "manager.html", "analyst.html")
    return set(pages) <= names and all(
        (place / page).read_text().endswith("</html>\n") for page in pages
    )


@pytest.mark.parametrize("count", few_or_many(20, 500))
def test_random_kills_tear_nothing_and_leave_no_orphan(tmp_path, count):
    """The runner is killed at any moment after its first publication: while it executes, publishes, writes the ledger."""
    chance, names = random.Random(count), ["one", "two", "three"]
    cell = "import os, subprocess; own = subprocess.Popen(['sleep', '600'], start_new_session=True)"
    wb = make(tmp_path / "wb", *names, cells=(cell,))
    with execution.kept() as warm:
        assert again(wb, *names, warm=warm).exit_code == 0
    good = {name: files(wb.out / name / "2026-W47") for name in names}
    torn = orphans = lost = 0
    for _ in range(count):
        known = rows(wb)[0]["id"]
        runner = subprocess.Popen(
            [sys.executable, "-c", RUNNER, str(wb.root)], start_new_session=True
        )
        while rows(wb)[0]["id"] == known:
            assert runner.poll() is None
            time.sleep(0.02)
        time.sleep(chance.uniform(0.0, 0.6))
        family = [pid for pid, _ in processes.below(runner.pid)]
        runner.kill()
        runner.wait()
        deadline = time.monotonic() + 5
        while any(map(alive, family)) and time.monotonic() < deadline:
            time.sleep(0.02)
        orphans += sum(map(alive, family))
        torn += sum(not whole(wb, name) for name in names)
        lost += sum(files(wb.out / name / "2026-W47") != good[name] for name in names)
    with execution.kept() as warm:
        assert again(wb, *names, warm=warm).exit_code == 0
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        intact = book.execute("pragma integrity_check").fetchone()[0]
    states = [row["state"] for row in rows(wb)]
    left = [
        path
        for path in (wb.out / "runs").rglob("*")
        if path.suffix == ".new" or path.name == "publish"
    ]
    print(f"{count} kills: {torn} torn, {orphans} orphans after 5 s, {lost} lost good reports, ledger {intact},"
          f" {states.count('ok')} ok and {states.count('killed')} killed, {len(left)} temporary files")  # fmt: skip
    assert (torn, orphans, lost, intact, len(left)) == (0, 0, 0, "ok", 0)
    assert set(states) <= {"ok", "killed"}


@pytest.mark.faults
def test_readers_never_see_half_a_report_while_a_hundred_are_published(tmp_path):
    target, private = (
        tmp_path / "out" / "sales" / "2026-W47",
        tmp_path / "out" / "runs" / "run" / "sales",
    )
    private.mkdir(parents=True)
    published = 0

    def publish() -> None:
        page = (f"{published % 1000:03} " * 5_000).encode()
        site.publish({"index.html": page, "facts.json": page}, target, private)

    publish()
    words = [sys.executable, "-c", READER, str(target), "6000"]
    readers = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for reader in readers:
        assert reader.stdout.readline() == "reads\n"
    while published < 100 or any(reader.poll() is None for reader in readers):
        published += 1
        publish()
    torn = sum(reader.returncode != 0 for reader in readers)
    print(f"{published} publishes: {torn} torn of 12,000 reads")
    assert torn == 0
    for reader in readers:
        reader.stdout.close()


@pytest.mark.faults
def test_one_bad_report_of_fifty_leaves_forty_nine_published(tmp_path):
    names = [f"n{i}" for i in range(50)]
    wb = make(tmp_path, *names)
    write_notebook(wb.notebooks / "n17.ipynb", "1 / 0")
    outcome = run.run(wb, as_of=DAY, progress=progress.silent)
    published = [name for name in names if whole(wb, name)]
    failed = [result for result in outcome.reports if result.state != "ok"]
    print(f"{len(published)} of 50 published, exit {outcome.exit_code}: {failed[0].error}")
    assert (len(published), outcome.exit_code) == (49, 1)
    assert [(result.report, result.error) for result in failed] == [
        ("n17", "cell 3: ZeroDivisionError: division by zero")
    ]
    assert re.search("1 not updated|n17", (wb.out / "index.html").read_text(), re.IGNORECASE)


@pytest.mark.slow
def test_a_thousand_forked_children_end_well_and_nobody_warns():
    soak = Path(__file__).parents[2] / "benchmarks" / "soak.py"
    said = subprocess.run(
        [sys.executable, str(soak), "1000"], check=False, capture_output=True, text=True
    )
    print(said.stdout)
    assert said.returncode == 0, said.stdout + said.stderr
