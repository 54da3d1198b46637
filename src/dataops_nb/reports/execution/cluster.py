"""Have a running Dask cluster execute the notebooks; their pages are built and published here.

A notebook is sent with its parameters, and the executed notebook comes back; workers write nothing
that is published. A worker must see the workbench and its data under the same paths, and have the
same version of this package. When a worker dies, another one is given what it had in hand.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat

from dataops_nb import __version__
from dataops_nb.errors import KilledError, PublishError, TimedOutError, UsageError
from dataops_nb.reports import execution
from dataops_nb.reports.execution.job import Job, JobEnd

PATIENCE = 30.0  # seconds to wait for the cluster and its first worker
WAIT = 0.2
GRACE = 30.0
ADDRESS = re.compile(r"dask://([^\s/:]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})")
CARRIED = ("executed.ipynb", "result.json", "cell.txt", "log.txt")
Carried = dict[str, bytes]


@dataclass(frozen=True)
class Answer:
    """How a job ended on a worker, and the files that its process left."""

    ended: JobEnd
    files: Carried


def address(executor: str) -> str:
    """Return tcp://HOST:PORT of a dask://HOST:PORT; UsageError for anything else."""
    match = ADDRESS.fullmatch(executor)
    if match is None:
        raise UsageError(
            f"{executor!r} is no executor; write local, or dask://HOST:PORT of a running scheduler"
        )
    return f"tcp://{match[1]}:{match[2]}"


def run(
    jobs: Iterable[Job],
    *,
    at_a_time: int | None,
    timeout: float,
    started: Callable[[Job], None],
    scheduler: str,
    **options: Any,
) -> Generator[JobEnd, None, None]:
    """Execute jobs on the cluster at `scheduler`, otherwise as `execution.run` does.

    `at_a_time` None is as many as the cluster has threads. UsageError where `distributed` is not
    installed, PublishError where the cluster cannot be reached, has no worker, or has a worker with
    another version of the package.
    """
    client = _connect(address(scheduler))
    try:
        many = at_a_time or max(sum(client.nthreads().values()), 1)
        yield from _work_off(
            client, list(jobs), at_a_time=many, timeout=timeout, started=started, options=options
        )
    finally:
        client.close()


def _work_off(
    client: Any,
    waiting: list[Job],
    *,
    at_a_time: int,
    timeout: float,
    started: Callable[[Job], None],
    options: Mapping[str, Any],
) -> Generator[JobEnd, None, None]:
    running: dict[Any, tuple[Job, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_a_time:
                job = waiting.pop(0)
                started(job)
                sent = client.submit(_execute, job, timeout, dict(options), pure=False, retries=0)
                running[sent] = (job, time.monotonic())
            for sent in list(running):
                job, began = running[sent]
                if sent.done() or _is_overdue(began, timeout):
                    del running[sent]
                    yield _ended(sent, job, time.monotonic() - began)
            time.sleep(WAIT if running else 0)
    finally:
        client.cancel(list(running))


def _is_overdue(began: float, timeout: float) -> bool:
    """Tell whether to give a report up here; a worker ends one that takes too long by itself.

    This is for a report that no worker ever took, or whose workers died again and again.
    """
    return time.monotonic() - began > 3 * (timeout + GRACE)


def _execute(job: Job, timeout: float, options: Mapping[str, Any]) -> Answer:
    """Run one job on a worker, in a private folder of that machine."""
    with tempfile.TemporaryDirectory(prefix="dataops-nb-") as folder:
        here = replace(job, folder=Path(folder))
        (ended,) = execution.run(
            [here], at_a_time=1, timeout=timeout, started=lambda _: None, **options
        )
        # both machines' folders name the same place: the runner's
        home = str(job.folder)
        files = {}
        for name in CARRIED:
            path = here.folder / name
            if path.exists():
                files[name] = path.read_bytes().replace(folder.encode(), home.encode())
        error = ended.error and ended.error.replace(folder, home)
        return Answer(replace(ended, job=job, notebook=None, error=error), files)


def _ended(sent: Any, job: Job, seconds: float) -> JobEnd:
    if not sent.done():
        sent.cancel()
        return JobEnd(
            job,
            "timed_out",
            seconds,
            TimedOutError.exit_code,
            "no worker of the cluster finished it in time",
        )
    try:
        answer: Answer = sent.result()
    except Exception as error:  # whatever happened on a worker, the other reports go on
        why = f"the cluster gave it up: {type(error).__name__}"
        return JobEnd(job, "killed", seconds, KilledError.exit_code, why)
    job.folder.mkdir(parents=True, exist_ok=True)
    for name, content in answer.files.items():
        (job.folder / name).write_bytes(content)
    notebook = None
    if answer.ended.state == "ok":
        notebook = nbformat.read(job.executed, as_version=4)  # type: ignore[no-untyped-call]
    return replace(answer.ended, job=job, notebook=notebook)


def _connect(where: str) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415  the extra `dask`, heavy, and only for this
    except ImportError:
        raise UsageError(
            "the executor dask:// needs the package distributed: pip install 'dataops-nb[dask]'"
        ) from None
    try:
        connect: Any = Client
        client = connect(where, timeout=PATIENCE, set_as_default=False)
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, TimeoutError) as error:
        raise PublishError(f"the Dask cluster at {where} cannot be used: {error}") from error
    others = {version for version in client.run(_version).values() if version != __version__}
    if others:
        _ = client.close()
        raise PublishError(
            f"the cluster's workers have dataops-nb {', '.join(sorted(others))},"
            f" this is {__version__}"
        )
    return client


def _version() -> str:
    return __version__
