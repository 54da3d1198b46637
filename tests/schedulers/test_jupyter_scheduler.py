"""jupyter-scheduler takes a printed definition over REST, and its job comes to a good end. Needs its extension installed."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from dataops_nb.reports import schedules
from tests.reports.test_refresh import make, weekly

pytestmark = pytest.mark.slow


@pytest.fixture
def ask(tmp_path):
    """Ask a JupyterLab server of this test, opened in a workbench."""
    pytest.importorskip("jupyter_scheduler", reason="jupyter-scheduler is not installed here")
    reports = weekly("one").replace("one.ipynb", "one.ipynb, parameters: {word: there}")
    made = make(tmp_path, reports, one=["assert word * weeks == 'there' * 26"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    private = tmp_path / "private"
    env = {
        **os.environ,
        **{
            name: str(private / name)
            for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")
        },
    }
    words = [
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={tmp_path}",
    ]
    enabled = "--ServerApp.jpserver_extensions={'jupyter_scheduler': True}"
    db = f"--SchedulerApp.db_url=sqlite:///{tmp_path / 'jobs.sqlite'}"
    server = subprocess.Popen([sys.executable, "-m", "jupyter", "server", *words, enabled, db], env=env,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

    def asked(path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/scheduler/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    try:
        until(lambda: reached(asked))
        yield made, asked
    finally:
        server.terminate()
        server.wait(timeout=30)


def reached(asked) -> bool:
    try:
        return bool(asked("runtime_environments"))
    except urllib.error.URLError:
        return False


def until(met, seconds=180.0):
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_a_printed_definition_is_taken_and_its_job_runs_the_notebook(ask):
    wb, asked = ask
    ((_, text),) = schedules.write(wb, "weekly", "jupyter-scheduler").items()
    (body,) = json.loads(text)
    body["runtime_environment_name"] = asked("runtime_environments")[0]["name"]
    id_ = asked("job_definitions", body)["job_definition_id"]
    kept = asked(f"job_definitions/{id_}")
    assert (kept["schedule"], kept["timezone"], kept["parameters"]) == (
        "0 6 * * 1",
        "UTC",
        body["parameters"],
    )
    job = asked(f"job_definitions/{id_}/jobs", {"parameters": body["parameters"]})["job_id"]
    until(lambda: asked(f"jobs/{job}")["status"] in {"COMPLETED", "FAILED"})
    done = asked(f"jobs/{job}")
    assert (done["status"], done["status_message"]) == ("COMPLETED", None)
