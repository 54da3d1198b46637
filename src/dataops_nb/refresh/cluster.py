"""A running Dask cluster executes the notebooks; the pages come back to this process, the one that publishes.

What is sent is a notebook with its parameters, and what comes back is the executed notebook: workers write nothing that is
published. A worker must see the workbench and its data under the same paths, and have the same version of this package.
When a worker dies, what it had in hand is given to another one.
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
from dataops_nb.refresh import execute
from dataops_nb.refresh.execute import Ended, Job

PATIENCE = 30.0
WAIT = 0.2
GRACE = 30.0
_ADDRESS = re.compile(r"dask://([^\s/:]+|\[[0-9a-fA-F:]+\]):([0-9]{1,5})")
CARRIED = ("executed.ipynb", "result.json", "cell.txt", "log.txt")
Carried = dict[str, bytes]


@dataclass(frozen=True)
class Answer:
    """How a job ended on a worker, and the files that its process left."""

    ended: Ended
    files: Carried


def address(said: str) -> str:
    """tcp://HOST:PORT of a dask://HOST:PORT; UsageError for anything else."""
    found = _ADDRESS.fullmatch(said)
    if found is None:
        raise UsageError(f"{said!r} is no executor; write local, or dask://HOST:PORT of a running scheduler")
    return f"tcp://{found[1]}:{found[2]}"


def run(
    jobs: Iterable[Job],
    *,
    at_a_time: int | None,
    timeout: float,
    started: Callable[[Job], None],
    scheduler: str,
    **options: Any,
) -> Generator[Ended, None, None]:
    """Execute jobs on the cluster at `scheduler`, at most `at_a_time` at once (default: as many as it has threads).

    Like `execute.run` otherwise.

    UsageError where `distributed` is not installed, PublishError where the cluster cannot be reached, has no worker, or
    where a worker has another version of the package.
    """
    client = _connected(address(scheduler))
    try:
        many = at_a_time or max(sum(client.nthreads().values()), 1)
        yield from _worked(client, list(jobs), at_a_time=many, timeout=timeout, started=started, options=options)
    finally:
        client.close()


def _worked(
    client: Any,
    waiting: list[Job],
    *,
    at_a_time: int,
    timeout: float,
    started: Callable[[Job], None],
    options: Mapping[str, Any],
) -> Generator[Ended, None, None]:
    running: dict[Any, tuple[Job, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_a_time:
                job = waiting.pop(0)
                started(job)
                sent = client.submit(_execute, job, timeout, dict(options), pure=False, retries=0)
                running[sent] = (job, time.monotonic())
            for sent in [one for one in running if one.done() or _overdue(running[one][1], timeout)]:
                job, began = running.pop(sent)
                yield _ended(sent, job, time.monotonic() - began)
            time.sleep(WAIT if running else 0)
    finally:
        client.cancel(list(running))


def _overdue(began: float, timeout: float) -> bool:
    """A worker ends a report by itself; this is for one that no worker ever took, or that died again and again."""
    return time.monotonic() - began > 3 * (timeout + GRACE)


def _execute(job: Job, timeout: float, options: Mapping[str, Any]) -> Answer:
    """On a worker: run one job in a private folder of this machine."""
    with tempfile.TemporaryDirectory(prefix="dataops-nb-") as place:
        here = replace(job, folder=Path(place))
        (ended,) = execute.run([here], at_a_time=1, timeout=timeout, started=lambda _: None, **options)
        files = {name: path.read_bytes() for name in CARRIED if (path := here.folder / name).exists()}
        said = ended.error and ended.error.replace(place, str(job.folder))
        return Answer(replace(ended, job=job, notebook=None, error=said), _at_home(files, here.folder, job.folder))


def _at_home(files: Carried, there: Path, here: Path) -> Carried:
    """The files with the worker's folder replaced by the runner's, so that both name the same place."""
    return {name: content.replace(str(there).encode(), str(here).encode()) for name, content in files.items()}


def _ended(sent: Any, job: Job, seconds: float) -> Ended:
    if not sent.done():
        sent.cancel()
        return Ended(job, "timed_out", seconds, TimedOutError.exit_code, "no worker of the cluster finished it in time")
    try:
        answer: Answer = sent.result()
    except Exception as error:  # whatever happened on a worker, this report failed and the others go on
        why = f"the cluster gave it up: {type(error).__name__}"
        return Ended(job, "killed", seconds, KilledError.exit_code, why)
    job.folder.mkdir(parents=True, exist_ok=True)
    for name, content in answer.files.items():
        (job.folder / name).write_bytes(content)
    good = answer.ended.state == "ok"
    notebook = nbformat.read(job.executed, as_version=4) if good else None  # type: ignore[no-untyped-call]
    return replace(answer.ended, job=job, notebook=notebook)


def _connected(where: str) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415  the extra `dask`, heavy, and only for this
    except ImportError:
        raise UsageError("the executor dask:// needs the package distributed: pip install 'dataops-nb[dask]'") from None
    try:
        connect: Any = Client
        client = connect(where, timeout=PATIENCE, set_as_default=False)
        client.wait_for_workers(1, timeout=PATIENCE)
    except (OSError, TimeoutError) as error:
        raise PublishError(f"the Dask cluster at {where} cannot be used: {error}") from error
    others = {version for version in client.run(_version).values() if version != __version__}
    if others:
        _ = client.close()
        raise PublishError(f"the cluster's workers have dataops-nb {', '.join(sorted(others))}, this is {__version__}")
    return client


def _version() -> str:
    return __version__
