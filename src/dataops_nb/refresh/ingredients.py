"""What a report is made of: its notebook, parameters, the package, the definitions, files and history behind it.

Each ingredient has a name and a digest. A report whose ingredients are those it was last published from is not run
again; where one differs, that is why it is due. Which definitions and sources a report uses, its notebook said when it
ran (`used` in its facts); until then it is taken to use all of them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import dataops_nb
from dataops_nb.definitions import sources_behind, upstream
from dataops_nb.definitions.models import Definitions
from dataops_nb.refresh.plan import Planned
from dataops_nb.refresh.remembered import Remembered
from dataops_nb.sources.files import find_files
from dataops_nb.sources.identity import Identity, identify
from dataops_nb.workbench import Workbench

Made = dict[str, Any]
EVERYTHING = "everything"
LIBRARIES = ("altair", "duckdb", "pandas", "vl-convert-python")


class Larder:
    """The digests of a workbench's ingredients as of now, each taken once, for as many reports as ask."""

    def __init__(self, wb: Workbench, known: Mapping[str, Identity] | None = None) -> None:
        self.wb = wb
        self.definitions: Definitions = wb.definitions
        self.identities: dict[str, Identity] = dict(known or {})
        self._remembered = Remembered(wb.out / "history")
        self._notebooks: dict[str, str] = {}
        self._files: dict[tuple[str, dt.date], dict[str, Any]] = {}

    def made_of(self, planned: Planned, as_of: dt.date, used: Mapping[str, Iterable[str]] | None) -> Made:
        """The ingredients of a report; `used` names its `metrics` and `sources`, None means all there are."""
        metrics = self._metrics(None if used is None else used.get("metrics", ()))
        sources = self._sources(None if used is None else used.get("sources", ()))
        made: Made = {"notebook": self._notebook(planned.notebook), "parameters": dict(planned.parameters)}
        made |= {EVERYTHING: used is None, "code": _code()} | self.company
        made |= {f"metric:{name}": self._metric_digests[name] for name in metrics}
        for name in sources:
            made |= {f"source:{name}": self._source_digests[name]} | self._inputs(name, as_of)
        return made | {"history": self._remembered.digest(None if used is None else frozenset(metrics), as_of)}

    def again(self, planned: Planned, as_of: dt.date, before: Mapping[str, Any]) -> Made:
        """The same ingredients as those of an earlier run, as they are now."""
        return self.made_of(planned, as_of, used_by(before))

    def _metrics(self, wanted: Iterable[str] | None) -> list[str]:
        known = self.definitions.metrics
        return upstream(self.definitions, known if wanted is None else [name for name in wanted if name in known])

    def _sources(self, wanted: Iterable[str] | None) -> list[str]:
        known = self.definitions.company.sources
        return sources_behind(known, known if wanted is None else [name for name in wanted if name in known])

    def _notebook(self, name: str) -> str:
        if name not in self._notebooks:
            document = json.loads((self.wb.notebooks / name).read_text(encoding="utf-8"))
            cells = [
                [cell["cell_type"], "".join(cell["source"]), sorted(cell["metadata"].get("tags", []))]
                for cell in document["cells"]
            ]
            self._notebooks[name] = digest(cells)
        return self._notebooks[name]

    @cached_property
    def company(self) -> dict[str, str]:
        """What any report may show: the company, who owns its departments, its events and its other files."""
        company = _plain(self.definitions.company)
        said = {"params/company.yaml": {k: v for k, v in company.items() if k not in {"sources", "lights", "data"}}}
        for name, department in self.definitions.departments.items():
            whole = _plain(department)
            said[f"params/departments/{name}.yaml"] = {
                k: v for k, v in whole.items() if k not in {"metrics", "defaults"}
            }
        for name in type(self.definitions).model_fields.keys() - {"company", "departments", "suites"}:
            said[f"params/{name}.yaml"] = getattr(self.definitions, name)
        return {f"file:{name}": digest(value) for name, value in said.items()}

    @cached_property
    def _metric_digests(self) -> dict[str, str]:
        known = self.definitions
        return {
            name: digest([metric, known.lights(name), known.department_of(name)])
            for name, metric in known.metrics.items()
        }

    @cached_property
    def _source_digests(self) -> dict[str, str]:
        return {name: digest(source) for name, source in self.definitions.company.sources.items()}

    def _inputs(self, name: str, as_of: dt.date) -> dict[str, Any]:
        """The files of one source as of a day; a database says nothing about itself and always counts as changed."""
        if (name, as_of) not in self._files:
            source = self.definitions.company.sources[name]
            found = find_files(source.path, self.wb.data, as_of).files if source.path and not source.url else []
            said: dict[str, Any] = {f"input:{file.shown}": self._identity(file.path) for file in found}
            if source.url:
                said[f"database:{name}"] = None
            self._files[name, as_of] = said
        return self._files[name, as_of]

    def _identity(self, path: Path) -> list[Any]:
        try:
            now = identify(path, self.identities)
        except OSError:
            return ["unreadable", None]
        self.identities[str(path)] = now
        return [now.sha256[:16], now.rows]


def used_by(made: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """The metrics and sources of an earlier run's ingredients; None where it was taken to use all."""
    if made.get(EVERYTHING, True):
        return None
    return {
        f"{kind}s": [name.removeprefix(f"{kind}:") for name in made if name.startswith(f"{kind}:")]
        for kind in ("metric", "source")
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any], notebook: str) -> list[str]:
    """What differs, in words: `deals.parquet changed; 412 new rows`. Empty where nothing does."""
    said = []
    for name in [*now, *(name for name in before if name not in now)]:
        if name == EVERYTHING:
            continue
        if name == "parameters":
            said += _parameters(before.get(name, {}), now[name])
        elif name.startswith("database:"):
            said.append(f"source {name.removeprefix('database:')} is a database, which may have changed")
        elif before.get(name) != now.get(name):
            said.append(_change(name, before.get(name), now.get(name), notebook))
    return said


def _parameters(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    names = [*now, *(name for name in before if name not in now)]
    return [
        f"{name} is {now.get(name)!r}, not {before.get(name)!r}" for name in names if before.get(name) != now.get(name)
    ]


def _change(name: str, before: Any, now: Any, notebook: str) -> str:
    kind, _, what = name.partition(":")
    verb = "is new" if before is None else "is gone" if now is None else "changed"
    if kind == "metric":
        return f"definition of {what} {verb}"
    if kind == "source":
        return f"definition of the source {what} {verb}"
    if kind == "input":
        return f"{what} {verb}{_rows(before, now)}"
    fixed = {"notebook": notebook, "code": "the package", "history": "what was published before or noted"}
    return f"{what or fixed.get(kind, kind)} {verb}"


def _rows(before: Any, now: Any) -> str:
    if not before or not now or before[1] is None or now[1] is None or before[1] == now[1]:
        return ""
    more = now[1] - before[1]
    return f"; {abs(more):,} {'new' if more > 0 else 'fewer'} {'row' if abs(more) == 1 else 'rows'}"


def claim_key(planned: Planned, made: Mapping[str, Any]) -> str:
    """What stands for one (report, period, parameters, code, inputs)."""
    return digest([planned.suite, planned.report, planned.period, planned.whatif, dict(made)])


def digest(value: Any) -> str:
    """12 hex digits of plain values and models."""
    text = json.dumps(value, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    return str(value)


@cache
def _code() -> str:
    """The package's own code and style sheets, and the versions of the libraries that compute and draw."""
    whole, home = hashlib.sha256(), Path(dataops_nb.__file__).parent
    for path in sorted(path for kind in ("*.py", "*.css") for path in home.rglob(kind)):
        whole.update(path.read_bytes())
    whole.update(" ".join(_version(name) for name in LIBRARIES).encode())
    return whole.hexdigest()[:12]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def known_files(ledger: sqlite3.Connection) -> dict[str, Identity]:
    """The identities of files that earlier runs have hashed, by path."""
    found = ledger.execute("select path, size, mtime, seen, sha256, rows from files").fetchall()
    return {row["path"]: Identity(*tuple(row)[1:]) for row in found}


def remember_files(ledger: sqlite3.Connection, identities: Mapping[str, Identity]) -> None:
    """Keep the identities of files for the next run."""
    rows = [(path, one.size, one.mtime, one.seen, one.sha256, one.rows) for path, one in identities.items()]
    ledger.executemany("insert or replace into files values (?, ?, ?, ?, ?, ?)", rows)
