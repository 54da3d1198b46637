"""A real Dask scheduler with two worker processes executes the notebooks; this process publishes what comes back."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time

import psutil
import pytest

from dataops_nb import workbench
from dataops_nb.errors import PublishError, UsageError
from dataops_nb.reports import ledger, progress, run
from dataops_nb.reports.execution import cluster
from tests.reports.test_refresh import DAY, make, weekly

pytestmark = pytest.mark.engines
WAITS = """
import os, time
note = os.path.join(os.environ["DATAOPS_OUT"], "pid")
if word == "wait" and not os.path.exists(note):
    with open(note + ".new", "w") as handle:
        handle.write(str(os.getpid()))
    os.replace(note + ".new", note)
    time.sleep(120)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The address of a scheduler, and its two workers."""
    pytest.importorskip("distributed")
    place = tmp_path_factory.mktemp("dask")
    where = place / "scheduler.json"
    command = [sys.executable, "-m", "dask"]
    env = {**os.environ, "DASK_DISTRIBUTED__DIAGNOSTICS__NVML": "false"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": env, "cwd": place}
    asked = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(where)]
    processes = [subprocess.Popen([*command, "scheduler", *asked], **quiet)]
    worker = [
        "--nthreads",
        "1",
        "--no-nanny",
        "--no-dashboard",
        "--host",
        "127.0.0.1",
        "--scheduler-file",
        str(where),
    ]
    processes += [subprocess.Popen([*command, "worker", *worker], **quiet) for _ in range(2)]
    try:
        from distributed import Client

        wait_for(where.exists)
        with Client(scheduler_file=str(where), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address.replace("tcp://", "dask://"), processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_for(reached, seconds: float = 90.0):
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def published(out):
    found = [path for path in out.glob("*/2026-*/*") if path.is_file()]
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
    }


@pytest.fixture
def wb(tmp_path):
    return make(
        tmp_path, weekly("one", "two", "bad"), one=["print(weeks)"], two=["word * 2"], bad=["1 / 0"]
    )


def test_a_cluster_makes_the_pages_that_this_machine_makes(wb, running):
    here = workbench.open(wb.root, data=wb.data, out=wb.root / "here")
    local = run.run(here, as_of=DAY, progress=progress.silent)
    there = run.run(wb, as_of=DAY, executor=running[0], progress=progress.silent)
    assert [(one.state, one.error) for one in there.reports] == [
        (one.state, one.error) for one in local.reports
    ]
    assert published(wb.out) == published(here.out)
    assert len(published(wb.out)) == 10
    assert (
        "ZeroDivisionError" in (wb.out / "runs" / there.run / "bad.weekly" / "log.txt").read_text()
    )


def test_a_worker_that_is_killed_in_the_middle_of_a_report_loses_nothing(tmp_path, running):
    wb = make(tmp_path, weekly("stuck", "two"), stuck=[WAITS], two=["2"])
    wb.out.mkdir()
    address, workers = running

    def kill():
        wait_for((wb.out / "pid").exists)
        above = {
            process.pid for process in psutil.Process(int((wb.out / "pid").read_text())).parents()
        }
        (victim,) = [worker for worker in workers if worker.pid in above]
        victim.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    outcome = run.run(
        wb, as_of=DAY, executor=address, parameters={"word": "wait"}, progress=progress.silent
    )
    killer.join()
    assert [one.state for one in outcome.reports] == ["ok", "ok"]
    assert sum(worker.poll() is not None for worker in workers) == 1
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        assert [row["state"] for row in ledger.rows(book)] == ["ok", "ok"]


@pytest.mark.parametrize("said", ["dask:/host:1", "dask://host", "spark://h:1", "dask://h:1/x"])
def test_an_executor_that_is_none_is_refused(said):
    with pytest.raises(UsageError, match="dask://HOST:PORT"):
        cluster.address(said)


def test_a_cluster_that_is_not_there_is_said(wb, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(PublishError, match="cannot be used"):
        run.run(wb, as_of=DAY, executor="dask://127.0.0.1:1", progress=progress.silent)
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        assert ledger.rows(book) == []
