"""Whatever a report does to its process: one clear line, a row in the ledger, the last good report stays, others go on."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys

import nbformat
import pytest

from dataops_nb.errors import LockedError, UsageError
from dataops_nb.reports import environment, execution, progress, resources, run
from dataops_nb.reports.execution import job as job_
from tests.faults.faulty import DAY, again, alive, files, make, rows, wait_for, write_notebook

pytest_plugins = ["tests.faults.faulty"]  # its fixtures
pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="signals, limits and /proc"),
]

MIB = 1 << 20
HOLDS_THE_LOCK = "import re; re.match('(a+)+$', 'a' * 60 + 'b')"
NOTE = """
import os, signal, subprocess, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
own = subprocess.Popen(["sleep", "600"], start_new_session=True)
with open(os.path.join(os.environ["DATAOPS_OUT"], "pids.new"), "w") as file:
    file.write(f"{os.getpid()} {own.pid}")
os.replace(file.name, file.name[:-4])
"""


# --- how a process ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import os; os._exit(3)", "exit code 3"),
        ("import os; os._exit(0)", "exit code 0"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import os; os.execvp('true', ['true'])", "exit code 0"),
    ],
    ids=["killed", "exit", "exit-0", "segfault", "replaced"],
)
def test_a_process_that_is_gone_is_killed_with_its_cell_and_cause_named(spoil, cell, says):
    seen = spoil("x = 1", cell, state="killed", code=6)
    assert seen.error.startswith("cell 4: ")
    assert says in seen.error


def test_a_dead_stock_kernel_is_named_as_well(spoil):
    cell = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    seen = spoil(cell, state="killed", code=6, engine="kernel")
    assert seen.error == "cell 3: the kernel ended by SIGKILL"


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("import sys; sys.exit(0)", "cell 3: SystemExit: 0"),
        ("exit()", "stopped before its last cell"),
        (
            "import threading as t\nw = t.Thread(target=lambda: 1 / 0); w.start(); w.join()",
            "cell 3: a thread failed",
        ),
        (
            "import asyncio\nasync def f(): 1 / 0\nt = asyncio.create_task(f())",
            "a task failed: ZeroDivisionError",
        ),
        ("!false", "cell 3: CalledProcessError"),
    ],
    ids=["sys.exit", "exit", "thread", "task", "shell"],
)
def test_what_looks_like_a_good_end_is_told_from_one(spoil, cell, says):
    assert says in spoil(cell, state="failed", code=1).error


# --- time, memory, size ---------------------------------------------------------------------------------------------


def test_a_cell_that_finds_no_memory_is_named_with_the_peak(spoil):
    cell = """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        blocks = [bytearray(200 << 20) for _ in range(100)]
    """
    seen = spoil(cell, state="killed", code=6)
    assert seen.error.startswith("cell 3: out of memory at ")
    assert "MiB: MemoryError" in seen.error


def test_a_report_that_takes_more_memory_than_it_may_is_ended_with_what_it_started(spoil):
    cell = """
        import subprocess, sys, time
        # It is used again and again: a system may take what lies idle out of memory.
        code = "x = bytearray(500 << 20)\\nwhile True: x[::4096] = bytes(len(x) // 4096)"
        subprocess.run([sys.executable, "-c", code], check=True)
    """
    seen = spoil(cell, state="killed", code=6, limits=resources.Limits(memory=450 * MIB))
    assert "(limit 450 MiB) and was stopped" in seen.error


def test_an_endless_cell_is_ended_soon_after_its_limit(spoil):
    seen = spoil("while True: pass", state="timed_out", code=5, timeout=2)
    assert seen.error == "cell 3: took more than 2 s (limit) and was stopped"
    assert seen.seconds < 2 + 10


def test_many_short_cells_are_ended_by_the_limit_of_the_whole_run(spoil):
    short = ["import time; time.sleep(0.7)"] * 8
    seen = spoil(*short, state="timed_out", code=5, timeout=3, limits=resources.Limits(cell=2))
    assert "took more than 3 s (limit)" in seen.error


def test_a_long_cell_is_ended_by_the_limit_of_a_cell(spoil):
    cells = ["import time; time.sleep(0.1)", "time.sleep(60)"]
    seen = spoil(*cells, state="timed_out", code=5, timeout=60, limits=resources.Limits(cell=1.5))
    assert seen.error == "cell 4: took more than 1.5 s (limit of a cell) and was stopped"


@pytest.mark.parametrize("engine", ["forked", "kernel"])
def test_a_report_that_ignores_every_request_is_killed_with_all_it_started(spoil, engine):
    limits = resources.Limits(cell=2)
    seen = spoil(
        NOTE, HOLDS_THE_LOCK, state="timed_out", code=5, timeout=120, limits=limits, engine=engine
    )
    pids = [int(pid) for pid in (seen.wb.out / "pids").read_text().split()]
    assert [pid for pid in pids if alive(pid)] == []


def test_what_is_printed_without_end_is_cut_with_a_note(warm, tmp_path):
    wb = make(tmp_path, "loud", cells=("for i in range(200_000): print('line', i)",))
    assert again(wb, "loud").exit_code == 0
    job = job_.Job(
        wb.notebooks / "loud.ipynb", {"as_of": "2026-11-22"}, tmp_path / "job", environment.passed()
    )
    (ended,) = execution.run([job], at_a_time=1, timeout=60, started=lambda _: None)
    said = "".join(
        output.text
        for cell in ended.notebook.cells
        for output in cell.get("outputs", [])
        if "text" in output
    )
    assert "more were printed]" in said
    assert job.executed.stat().st_size < 2 * MIB
    assert (wb.out / "loud" / "2026-W47" / "analyst.html").stat().st_size < 0.3 * MIB


# --- refused before anything is written -----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["asks", "kernel", "truncated"])
def test_what_cannot_run_is_refused_before_anything_is_written(warm, tmp_path, fault):
    wb = make(tmp_path, "good", "bad")
    path = wb.notebooks / "bad.ipynb"
    if fault == "truncated":
        path.write_bytes(path.read_bytes()[:200])
    else:
        write_notebook(
            path,
            *["input('who?')"] * (fault == "asks"),
            kernel="nosuch" if fault == "kernel" else "python3",
        )
    with pytest.raises(UsageError, match=r"bad\.ipynb") as caught:
        again(wb, "good", "bad")
    print(caught.value)
    assert not wb.out.exists()


# --- the disk -------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path):
    """A workbench whose output is a small file system of its own."""
    wb = make(tmp_path, "good", "big")
    wb.out.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", wb.out], check=False, capture_output=True
    ).returncode:
        pytest.skip("this user may not mount a small file system")
    yield wb
    subprocess.run(["umount", "-l", wb.out], check=True)


def test_a_full_disk_keeps_the_last_good_report(warm, small):
    assert again(small, "big").exit_code == 0
    before = files(small.out / "big" / "2026-W47")
    write_notebook(
        small.notebooks / "big.ipynb",
        "display({'text/plain': 'x' * 900_000}, raw=True)",
        *["print('y' * 990_000)"] * 4,
    )
    outcome = again(small, "big")
    print(outcome.reports[0].error)
    assert (outcome.exit_code, outcome.reports[0].state) == (7, "failed")
    assert files(small.out / "big" / "2026-W47") == before
    assert again(small, "good").exit_code == 0


def test_a_read_only_folder_keeps_the_last_good_report(warm, small):
    assert again(small, "good").exit_code == 0
    before = files(small.out / "good" / "2026-W47")
    subprocess.run(["mount", "-o", "remount,ro", small.out], check=True)
    said = command(small, "refresh", "--force", "--as-of", "2026-11-22")
    assert said.returncode == 7, said.stderr
    assert files(small.out / "good" / "2026-W47") == before


def test_a_limit_on_files_keeps_the_last_good_report(tmp_path):
    wb = make(tmp_path, "good")
    with execution.kept() as warm:
        assert again(wb, "good", warm=warm).exit_code == 0
    before = files(wb.out / "good" / "2026-W47")
    write_notebook(wb.notebooks / "good.ipynb", "print('y' * 900_000)")
    limit = 400_000
    said = command(
        wb,
        "refresh",
        "--as-of",
        "2026-11-22",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert said.returncode == 7, said.stdout + said.stderr
    assert files(wb.out / "good" / "2026-W47") == before
    assert rows(wb)[0]["state"] == "failed"


# --- the runner -----------------------------------------------------------------------------------------------------


def words(wb, *said: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "dataops_nb",
        "-w",
        str(wb.root),
        "--data",
        str(wb.data),
        "--out",
        str(wb.out),
        *said,
    ]


def command(wb, *said: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        words(wb, *said), check=False, capture_output=True, text=True, timeout=120, **options
    )


@pytest.mark.parametrize(
    ("number", "code", "engine"),
    [
        (signal.SIGKILL, -9, "forked"),
        (signal.SIGTERM, 143, "forked"),
        (signal.SIGINT, 130, "forked"),
        (signal.SIGHUP, 129, "forked"),
        (signal.SIGKILL, -9, "kernel"),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else str(value),
)
def test_a_runner_that_is_ended_takes_everything_with_it(tmp_path, number, code, engine):
    """Even a cell that hears no signal, holds the interpreter's lock, and has a child in a session of its own."""
    wb = make(tmp_path, "stuck", cells=(NOTE, HOLDS_THE_LOCK))
    deaf = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # what a shell starts behind itself hears no Ctrl-C
    runner = subprocess.Popen(
        words(wb, "refresh", "--as-of", "2026-11-22", "--engine", engine),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    signal.signal(signal.SIGINT, deaf)
    wait_for((wb.out / "pids").exists)
    pids = [int(pid) for pid in (wb.out / "pids").read_text().split()]
    runner.send_signal(number)
    assert runner.wait(timeout=30) == code
    wait_for(lambda: not any(alive(pid) for pid in pids), 5)
    assert not (wb.out / "stuck").exists()
    write_notebook(wb.notebooks / "stuck.ipynb")
    with execution.kept() as warm:
        assert again(wb, "stuck", warm=warm).exit_code == 0
    assert [row["state"] for row in rows(wb)] == ["ok", "killed"]
    assert "ended" in rows(wb)[1]["error"] or "interrupted" in rows(wb)[1]["error"]


def test_the_second_of_two_runs_is_told_who_holds_the_output(warm, tmp_path):
    wb = make(tmp_path, "stuck", "good", cells=(NOTE, "import time; time.sleep(600)"))
    write_notebook(wb.notebooks / "good.ipynb")
    one = subprocess.Popen(
        words(wb, "refresh", "--report", "stuck", "--as-of", "2026-11-22"),
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for((wb.out / "pids").exists)
        with pytest.raises(LockedError, match=rf"process {one.pid}") as caught:
            run.run(wb, reports=["good"], as_of=DAY, progress=progress.silent)
        assert caught.value.exit_code == 8
    finally:
        one.terminate()
        assert one.wait(timeout=30) == 143


STUMBLES = """
import os
here = os.environ.get("DATAOPS_STUMBLE")
if here and os.environ.get("DATAOPS_NB_REFRESH"):
    with open(here, "a") as file: file.write("x")
    if os.path.getsize(here) <= int(os.environ["DATAOPS_TIMES"]): os._exit(9)
"""


@pytest.mark.parametrize(("times", "state", "starts"), [(1, "ok", 2), (9, "killed", 2)])
def test_a_start_is_tried_once_more_and_no_cell_ever_is(tmp_path, times, state, starts):
    """The process of the report ends before the first cell; a kernel below it starts another Python, which counts too."""
    (tmp_path / "sitecustomize.py").write_text(STUMBLES)
    wb = make(tmp_path / "wb", "one")
    seen = tmp_path / "starts"
    stumbling = {
        "PYTHONPATH": str(tmp_path),
        "DATAOPS_STUMBLE": str(seen),
        "DATAOPS_TIMES": str(times),
    }
    job = job_.Job(
        wb.notebooks / "one.ipynb",
        {"as_of": "2026-11-22"},
        tmp_path / "job",
        environment.passed() | stumbling,
    )
    (ended,) = execution.run(
        [job], at_a_time=1, timeout=60, started=lambda _: None, engine="kernel"
    )
    kernels = ended.state == "ok"
    assert (ended.state, seen.stat().st_size - kernels) == (state, starts), ended.error


def test_twenty_four_reports_at_once_take_turns(warm, tmp_path):
    """At most as many as the machine has cores where nothing is said, and as many as are asked for."""
    note = """
        import os, time
        here = os.path.join(os.environ["DATAOPS_OUT"], "here"); os.makedirs(here, exist_ok=True)
        mine = os.path.join(here, str(os.getpid())); open(mine, "w").close(); time.sleep(0.05)
        with open(here + ".seen", "a") as seen: seen.write(f"{len(os.listdir(here))}\\n")
        os.unlink(mine)
    """
    names = [f"n{i}" for i in range(24)]
    wb = make(tmp_path, *names, cells=(note,))
    for jobs, most in ((8, 8), (None, os.cpu_count())):
        assert {result.state for result in again(wb, *names, jobs=jobs).reports} == {"ok"}
        seen = [int(line) for line in (wb.out / "here.seen").read_text().split()]
        print(f"{len(seen)} reports, at most {max(seen)} at once (asked for: {jobs})")
        assert len(seen) == 24
        assert max(seen) <= most
        (wb.out / "here.seen").unlink()


# --- which cell is told, and what a parameters cell may say ---------------------------------------------------------


def tagged(path, number, *tags):
    """Tag a cell of a notebook by its number."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[number - 1].metadata["tags"] += tags
    nbformat.write(notebook, path)


@pytest.mark.parametrize("engine", ["forked", "kernel"])
def test_a_cell_that_may_raise_is_named_itself(warm, tmp_path, engine):
    wb = make(tmp_path, "one", cells=("x = 1", "1 / 0", "y = 2"))
    tagged(wb.notebooks / "one.ipynb", 4, "raises-exception")
    (only,) = again(wb, "one", engine=engine).reports
    assert only.state == "failed"
    assert only.error.startswith("cell 4: ZeroDivisionError: division by zero")


@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 2), (3, 0), (2, 2)])
def test_a_cell_that_may_raise_is_named_wherever_it_stands(warm, tmp_path, before, after):
    cells = [*["x = 1"] * before, "1 / 0", *["y = 2"] * after]
    wb = make(tmp_path, "one", cells=tuple(cells))
    for place in range(len(cells)):
        tagged(wb.notebooks / "one.ipynb", place + 3, "raises-exception")
    (only,) = again(wb, "one").reports
    assert only.error.startswith(f"cell {before + 3}: ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("name", "line", "engine"),
    [
        ("since", 'since: date = "2026-01-01"', "forked"),
        ("since", 'since: date = "2026-01-01"', "kernel"),
        ("since", 'since: date | None = "2026-01-01"', "forked"),
        ("since", 'from datetime import date\nsince: date = "2026-01-01"', "forked"),
        ("date", 'date = "2026-01-01"', "forked"),
    ],
)
def test_a_parameter_may_be_a_day(warm, tmp_path, name, line, engine):
    wb = make(tmp_path, "one", cells=(f"assert {name} == '2026-01-01', {name}",))
    path = wb.notebooks / "one.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source += f"\n{line}"
    nbformat.write(notebook, path)
    (only,) = again(wb, "one", engine=engine).reports
    assert (only.state, only.error) == ("ok", None)
