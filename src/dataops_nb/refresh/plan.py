"""The plan: which reports a refresh would make, for which period, with which parameters, and why.

Everything that can be wrong before a notebook runs is found here, for all reports at once, so that a misspelt name
costs a second and not a night.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataops_nb import periods
from dataops_nb.definitions.models import GRAINS, Definitions, Grain, Report
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.refresh.parameters import Parameter, Value, complete, declared, read, unknown
from dataops_nb.refresh.surroundings import refuse_plain_secrets

RESERVED = frozenset({"runs", "history", "whatif", "cache", "notices", "ask", "messages"})
OURS = {"as_of": "--as-of"}


@dataclass(frozen=True, eq=False)
class Planned:
    """One report of a plan; `parameters` are complete: papermill, run in notebooks/, takes them as they are."""

    suite: str
    report: str
    notebook: str
    parameters: dict[str, Value]
    period: str
    due: bool
    why: str
    as_of: dt.date | None = None
    whatif: str = ""
    covers: periods.Period | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Where it is published: report and period."""
        return self.report, self.period


@dataclass(frozen=True)
class _Wanted:
    suite: str
    cadence: str
    report: str
    base: str
    said: Report
    parameters: dict[str, Any]

    @property
    def where(self) -> str:
        return f"report {self.report!r} ({self.said.notebook})"


def reports(
    definitions: Definitions,
    notebooks: Path,
    *,
    suite: str | None = None,
    only: Collection[str] = (),
    as_of: dt.date,
    parameters: Mapping[str, Any] | None = None,
    published: Mapping[tuple[str, str], str] | None = None,
    whatif: str = "",
) -> list[Planned]:
    """Every report of a suite (default: of all), in the order of the file.

    `only` keeps the reports with these ids, `parameters` are set in every report that declares them, `published` maps
    (report, period) to the as-of that was published, which makes a report not due; `whatif` is the name of the what-if
    that the definitions hold. UsageError lists every mistake.
    """
    wanted = _selected(list(_wanted(definitions, suite)), only)
    calendar = periods.calendar(definitions.company.calendar)
    extra = dict(parameters or {})
    wrong: list[str] = []
    planned: list[Planned] = []
    schemas: dict[str, dict[str, Parameter]] = {}
    seen: dict[Path, dict[str, Parameter]] = {}
    for want in wanted:
        try:
            file = _file(notebooks, want.said.notebook)
            if file not in seen:
                seen[file] = declared(read(file), want.said.notebook)
            schemas[want.report] = seen[file]
            values = _values(want, schemas[want.report], as_of, extra)
            refuse_plain_secrets(values, want.where)
            _require_department(values.get("department"), definitions, want.where)
            period = calendar.last_complete(_grain(want, values), as_of)
            planned.append(
                replace(_planned(want, values, period.id, published), as_of=as_of, whatif=whatif, covers=period)
            )
        except UsageError as error:
            wrong.append(str(error))
    if not wrong:
        wrong += _nobody_declares(extra, schemas)
        wrong += _same_place(planned)
    if wrong:
        raise UsageError("\n".join(dict.fromkeys(wrong)))
    return planned


def _require_department(said: object, definitions: Definitions, where: str) -> None:
    """A parameter `department` says one that there is, before anything runs; left empty, it says none."""
    if isinstance(said, str) and said and said not in definitions.departments:
        near = did_you_mean(said, definitions.departments)
        raise UsageError(f"{where}: department: there is no department {said!r}{near}")


def ids(definitions: Definitions) -> list[tuple[str, str]]:
    """Every report that the definitions name, as (suite, report), in the order of the file."""
    return [(want.suite, want.report) for want in _wanted(definitions, None)]


def _wanted(definitions: Definitions, suite: str | None) -> Iterator[_Wanted]:
    if not definitions.suites:
        raise UsageError("params/reports.yaml names no reports")
    if suite is not None and suite not in definitions.suites:
        raise UsageError(f"there is no suite {suite!r}{did_you_mean(suite, definitions.suites)}")
    for name, said in definitions.suites.items():
        if suite not in {None, name}:
            continue
        for id_, report in said.reports.items():
            if report.each is None:
                yield _Wanted(name, said.cadence, id_, id_, report, dict(report.parameters))
                continue
            for department in definitions.departments:
                own = {**report.parameters, "department": department}
                yield _Wanted(name, said.cadence, f"{id_}-{department}", id_, report, own)


def _selected(wanted: list[_Wanted], only: Collection[str]) -> list[_Wanted]:
    known = [name for want in wanted for name in (want.report, want.base)]
    wrong = [f"there is no report {name!r}{did_you_mean(name, known)}" for name in only if name not in known]
    if wrong:
        raise UsageError("\n".join(wrong))
    return [want for want in wanted if not only or want.report in only or want.base in only]


def _file(notebooks: Path, name: str) -> Path:
    path = (notebooks / name).resolve()
    if not path.is_relative_to(notebooks.resolve()):
        raise UsageError(f"the notebook {name!r} lies outside the folder notebooks")
    return path


def _values(
    want: _Wanted, known: Mapping[str, Parameter], as_of: dt.date, extra: Mapping[str, Any]
) -> dict[str, Value]:
    if not re.fullmatch(r"\w[\w.-]*", want.report) or want.report in RESERVED:
        raise UsageError(f"{want.report!r} cannot be a report's id: it becomes a folder; use letters, digits, - and _")
    said = {**want.parameters, **{name: value for name, value in extra.items() if name in known}}
    for name, option in OURS.items():
        if name in said or name in extra:
            raise UsageError(f"{want.where}: parameter {name!r} is set with {option}")
    said |= {"as_of": as_of.isoformat()} if "as_of" in known else {}
    if "grain" in known:
        said.setdefault("grain", want.cadence)
    return complete(known, said, want.where)


def _grain(want: _Wanted, values: Mapping[str, Value]) -> Grain:
    said = values.get("grain", want.cadence)
    grain = next((grain for grain in GRAINS if grain == said), None)
    if grain is None:
        raise UsageError(f"{want.where}: there is no grain {said!r}{did_you_mean(str(said), GRAINS)}")
    return grain


def _planned(
    want: _Wanted, values: dict[str, Value], period: str, published: Mapping[tuple[str, str], str] | None
) -> Planned:
    before = (published or {}).get((want.report, period))
    why = f"{period} is complete" if published is None else f"{period} is complete and not published yet"
    why = f"{period} was published as of {before}" if before else why
    return Planned(want.suite, want.report, want.said.notebook, values, period, before is None, why)


def _nobody_declares(extra: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Parameter]]) -> list[str]:
    known = {name: parameter for schema in schemas.values() for name, parameter in schema.items()}
    return [f"-p {name}: {unknown(name, known)}" for name in extra if name not in known]


def _same_place(planned: list[Planned]) -> list[str]:
    keys = [p.key for p in planned]
    twice = dict.fromkeys(key for key in keys if keys.count(key) > 1)
    return [f"two suites make the report {report!r} for {period}; give one another id" for report, period in twice]
