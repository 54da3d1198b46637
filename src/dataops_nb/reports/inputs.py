"""What a report is made of, and which of it has changed since the report was published.

Each ingredient has a name and a digest: the notebook, the parameters, our code, the company's
files, the definitions and files behind its numbers, and what was published before. A report whose
ingredients are those it was last published from is not run again; where one differs, that is why it
is due. Which definitions and sources a report uses, its notebook says when it runs (`used` in its
last output); until then it is taken to use all of them.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from dataops_nb import plain
from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.sql import sources_behind
from dataops_nb.reports.marks import HistoryDigest
from dataops_nb.reports.plan import Planned
from dataops_nb.sources.cache import Store
from dataops_nb.sources.files import find_files
from dataops_nb.sources.fingerprints import of_code, of_file
from dataops_nb.workbench import Workbench

Ingredients = dict[str, Any]
EVERYTHING = "everything"
OTHER_FILES = ("events", "solve_next", "glossary", "holidays")
UNREADABLE = ("unreadable", None)
_COMPANY_ELSEWHERE = frozenset({"sources", "lights", "data"})
_DEPARTMENT_ELSEWHERE = frozenset({"metrics", "defaults"})


class Inputs:
    """The ingredients of a workbench's reports as they are now; each digest is made once.

    The files that were hashed are remembered for the next run, unless `read_only`.
    """

    def __init__(self, wb: Workbench, *, read_only: bool = False) -> None:
        self._wb = wb
        self._definitions: Definitions = wb.definitions
        self._store = Store(wb.cache, read_only=read_only)
        self._history = HistoryDigest(wb.out, read_only=read_only)
        self._notebooks: dict[str, str] = {}
        self._source_files: dict[tuple[str, dt.date], Ingredients] = {}

    def close(self) -> None:
        """Close the file that the files' fingerprints are kept in, and keep what was read."""
        self._store.close()
        self._history.keep()

    def of(
        self, planned: Planned, as_of: dt.date, used: Mapping[str, Iterable[str]] | None
    ) -> Ingredients:
        """Return the ingredients of a report; `used` names its `metrics` and `sources`.

        None stands for all there are.
        """
        metrics = self._metrics(None if used is None else used.get("metrics", ()))
        sources = self._sources(None if used is None else used.get("sources", ()))
        ingredients: Ingredients = {
            "notebook": self._notebook(planned.notebook),
            "parameters": dict(planned.parameters),
            EVERYTHING: used is None,
            "code": of_code(),
        }
        ingredients |= self._company_files
        for name in metrics:
            ingredients[f"metric:{name}"] = self._metric_digests[name]
        for name in sources:
            ingredients[f"source:{name}"] = self._source_digests[name]
            ingredients |= self._files_of(name, as_of)
        counted = None if used is None else frozenset(metrics)
        ingredients["history"] = self._history.digest(counted, as_of)
        return ingredients

    def again(self, planned: Planned, as_of: dt.date, before: Mapping[str, Any]) -> Ingredients:
        """Return the ingredients of an earlier run as they are now."""
        return self.of(planned, as_of, used_by(before))

    def _metrics(self, wanted: Iterable[str] | None) -> list[str]:
        """List the metrics that still exist, and those they stand on."""
        known = self._definitions.metrics
        chosen = known if wanted is None else [name for name in wanted if name in known]
        return self._definitions.upstream(chosen)

    def _sources(self, wanted: Iterable[str] | None) -> list[str]:
        """List the sources that still exist, and those their queries read."""
        known = self._definitions.company.sources
        chosen = known if wanted is None else [name for name in wanted if name in known]
        return sources_behind(known, chosen)

    def _notebook(self, name: str) -> str:
        """Return the digest of a notebook's cells; outputs and the kernel do not count."""
        if name not in self._notebooks:
            document = json.loads((self._wb.notebooks / name).read_text(encoding="utf-8"))
            cells = []
            for cell in document["cells"]:
                tags = sorted(cell["metadata"].get("tags", []))
                cells.append([cell["cell_type"], "".join(cell["source"]), tags])
            self._notebooks[name] = plain.digest(cells)
        return self._notebooks[name]

    @cached_property
    def _company_files(self) -> dict[str, str]:
        """What any report may show: the company, its departments' owners, its other files.

        Sources, metrics and lights are ingredients of their own.
        """
        definitions = self._definitions
        digests = {
            "file:params/company.yaml": _digest_without(definitions.company, _COMPANY_ELSEWHERE)
        }
        for name, department in definitions.departments.items():
            digest = _digest_without(department, _DEPARTMENT_ELSEWHERE)
            digests[f"file:params/departments/{name}.yaml"] = digest
        for name in OTHER_FILES:
            digests[f"file:params/{name}.yaml"] = plain.digest(getattr(definitions, name))
        return digests

    @cached_property
    def _metric_digests(self) -> dict[str, str]:
        definitions = self._definitions
        digests = {}
        for name, metric in definitions.metrics.items():
            agreed = [metric, definitions.lights(name), definitions.department_of(name)]
            digests[name] = plain.digest(agreed)
        return digests

    @cached_property
    def _source_digests(self) -> dict[str, str]:
        sources = self._definitions.company.sources
        return {name: plain.digest(source) for name, source in sources.items()}

    def _files_of(self, name: str, as_of: dt.date) -> Ingredients:
        """Return the files of one source as of a day, each with its hash and number of rows.

        A database tells nothing about itself and always counts as changed.
        """
        if (name, as_of) not in self._source_files:
            source = self._definitions.company.sources[name]
            files: Ingredients = {}
            if source.url:
                files[f"database:{name}"] = None
            elif source.path:
                matched = find_files(source.path, self._wb.data, as_of)
                for file in matched.files:
                    files[f"input:{file.shown}"] = self._file(file.path)
                for name_of_file, _ in matched.wrong:
                    if name_of_file != source.path:  # then it is away, as it always was told
                        files[f"input:{name_of_file}"] = list(UNREADABLE)
            self._source_files[name, as_of] = files
        return self._source_files[name, as_of]

    def _file(self, path: Path) -> list[Any]:
        try:
            fingerprint = of_file(path, self._store)
        except OSError:
            return list(UNREADABLE)
        return [fingerprint.sha256[:16], fingerprint.rows]


def used_by(ingredients: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """Return the metrics and sources among ingredients; None where a run was taken to use all."""
    if ingredients.get(EVERYTHING, True):
        return None
    used: dict[str, list[str]] = {"metrics": [], "sources": []}
    for key in ingredients:
        kind, _, name = key.partition(":")
        if kind in {"metric", "source"}:
            used[f"{kind}s"].append(name)
    return used


def claim_key(planned: Planned, ingredients: Mapping[str, Any]) -> str:
    """Return what stands for one (report, period, parameters, code, inputs)."""
    about = [planned.suite, planned.report, planned.period, planned.whatif]
    return plain.digest([*about, dict(ingredients)])


def _digest_without(model: Any, left_out: Collection[str]) -> str:
    fields = plain.value(model)
    return plain.digest({name: fields[name] for name in fields if name not in left_out})


# --- what has changed, in words ------------------------------------------------------------------


def changes(before: Mapping[str, Any], now: Mapping[str, Any], notebook: str) -> list[str]:
    """Say what differs between ingredients: `deals.parquet changed; 412 new rows`.

    Empty where nothing does. `notebook` is the name of the report's notebook.
    """
    sentences = []
    for name in _names_of_both(before, now):
        if name == EVERYTHING:
            continue
        if name == "parameters":
            sentences += _parameter_changes(before.get(name, {}), now[name])
        elif name.startswith("database:"):
            source = name.removeprefix("database:")
            sentences.append(f"source {source} is a database, which may have changed")
        elif before.get(name) != now.get(name):
            sentences.append(_change(name, before.get(name), now.get(name), notebook))
    return sentences


def _names_of_both(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [*now, *(name for name in before if name not in now)]


def _parameter_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    sentences = []
    for name in _names_of_both(before, now):
        value_before, value_now = before.get(name), now.get(name)
        if value_before != value_now:
            sentences.append(f"{name} is {value_now!r}, not {value_before!r}")
    return sentences


def _change(key: str, before: Any, now: Any, notebook: str) -> str:
    kind, _, name = key.partition(":")
    verb = "changed"
    if before is None:
        verb = "is new"
    elif now is None:
        verb = "is gone"
    if kind == "metric":
        return f"definition of {name} {verb}"
    if kind == "source":
        return f"definition of the source {name} {verb}"
    if kind == "input":
        return f"{name} {verb}{_rows(before, now)}"
    fixed = {
        "notebook": notebook,
        "code": "the package",
        "history": "what was published before or noted",
    }
    return f"{name or fixed.get(kind, kind)} {verb}"


def _rows(before: Any, now: Any) -> str:
    """Say how many rows came or went; empty where that is not known, or none did."""
    if not before or not now or before[1] is None or now[1] is None or before[1] == now[1]:
        return ""
    more = now[1] - before[1]
    which = "new" if more > 0 else "fewer"
    noun = "row" if abs(more) == 1 else "rows"
    return f"; {abs(more):,} {which} {noun}"
