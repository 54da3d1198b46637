"""Plan which reports a refresh makes, for which period, with which parameters, and why.

Everything that can be wrong before a notebook runs is found here, for all reports at once, so that
a misspelt name costs a second and not a night. A suite can be shared out between several refreshes,
for schedulers that start many at once: each takes every N-th report.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from dataops_nb import periods
from dataops_nb.definitions.company_checks import TAKEN
from dataops_nb.definitions.models import Definitions, Report
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.reports.parameters import (
    Parameter,
    Value,
    cells_of_parameters,
    complete,
    declared,
    read,
    refuse_plain_secrets,
    unknown,
)
from dataops_nb.terms import GRAINS, Grain

OPTIONS = {"as_of": "--as-of"}  # parameters that the command sets
Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Planned:
    """One report of a plan: its notebook, its period, and why it is due or not.

    `parameters` are complete, so that papermill, run in notebooks/, takes them as they are.
    """

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
class _Entry:
    """A report as reports.yaml names it; `base` is its name there, without a department.

    `where` is what messages call it.
    """

    suite: str
    cadence: str
    report: str
    base: str
    agreed: Report
    parameters: dict[str, Any]
    where: str


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
    """Plan every report of a suite (default: of all), in the order of the file.

    `only` keeps the reports with these ids; `parameters` are set in every report that declares
    them. `published` maps (report, period) to the as-of that was published, which makes a report
    not due. `whatif` is the name of the what-if that the definitions hold. UsageError lists every
    mistake.
    """
    entries = _select(list(_entries(definitions, suite)), only)
    calendar = periods.calendar(definitions.company.calendar)
    extra = dict(parameters or {})
    mistakes: list[str] = []
    planned: list[Planned] = []
    schemas: dict[str, dict[str, Parameter]] = {}
    schemas_by_file: dict[Path, dict[str, Parameter]] = {}
    for entry in entries:
        try:
            file = _file(notebooks, entry.agreed.notebook)
            if file not in schemas_by_file:
                schemas_by_file[file] = declared(read(file), entry.agreed.notebook)
            schemas[entry.report] = schemas_by_file[file]
            values = _values(entry, schemas[entry.report], as_of, extra)
            grain = _check_values(entry, values, definitions)
            period = calendar.last_complete(grain, as_of)
            report = _planned(entry, values, period.id, published)
            planned.append(replace(report, as_of=as_of, whatif=whatif, covers=period))
        except UsageError as error:
            mistakes.append(str(error))
    if not mistakes:
        mistakes += _undeclared(extra, schemas)
        mistakes += _same_place(planned)
    if mistakes:
        raise UsageError("\n".join(dict.fromkeys(mistakes)))
    return planned


@dataclass(frozen=True)
class Misfit:
    """What a report says that does not fit; `parameter` is empty for its notebook."""

    suite: str
    report: str
    parameter: str
    message: str


def misfits(definitions: Definitions, notebooks: Path) -> Iterator[Misfit]:
    """Yield what would stop a refresh before anything runs: wrong notebooks and parameters.

    What a family of reports has in common is told once. A notebook that is not there is a mistake
    of the definitions.
    """
    seen: set[Misfit] = set()
    for entry in _entries(definitions, None) if definitions.suites else []:
        for parameter, message in _unfit(entry, definitions, notebooks):
            misfit = Misfit(entry.suite, entry.base, parameter, message)
            if misfit not in seen:
                seen.add(misfit)
                yield misfit


def _unfit(entry: _Entry, definitions: Definitions, notebooks: Path) -> Iterator[tuple[str, str]]:
    """Yield each parameter that a report gives wrongly, else what else is wrong with it."""
    where = entry.agreed.notebook
    try:
        notebook = read(_file(notebooks, where))
        schema = declared(notebook, where)
    except UsageError as error:
        yield "", str(error)
        return
    places = cells_of_parameters(notebook)
    where = f"{where}, cell {places[0]}" if places else where
    are_given_well = True
    for name, given in entry.agreed.parameters.items():
        try:
            if name not in schema and name not in OPTIONS:
                raise UsageError(f"{where}: {unknown(name, schema)}")
            one = replace(entry, parameters={name: given}, where=where)
            known = {name: schema[name]} if name in schema else {}
            _check_values(one, _values(one, known, dt.date.max, {}), definitions)
        except UsageError as error:
            are_given_well = False
            yield name, str(error)
    if are_given_well:
        try:
            whole = replace(entry, where=where)
            _check_values(whole, _values(whole, schema, dt.date.max, {}), definitions)
        except UsageError as error:
            yield "", str(error)


def ids(definitions: Definitions) -> list[tuple[str, str]]:
    """Return every report that the definitions name, as (suite, report), in file order."""
    return [(entry.suite, entry.report) for entry in _entries(definitions, None)]


def _entries(definitions: Definitions, suite: str | None) -> Iterator[_Entry]:
    """Yield the reports of a suite; one `each: department` becomes one a department."""
    if not definitions.suites:
        raise UsageError("there are no reports: params/reports.yaml is missing, or names none")
    if suite is not None and suite not in definitions.suites:
        raise UsageError(f"there is no suite {suite!r}{did_you_mean(suite, definitions.suites)}")
    for name, agreed in definitions.suites.items():
        if suite not in {None, name}:
            continue
        for id_, report in agreed.reports.items():
            if report.each is None:
                own = dict(report.parameters)
                yield _Entry(name, agreed.cadence, id_, id_, report, own, _where(id_, report))
                continue
            for department in definitions.departments:
                own = {**report.parameters, "department": department}
                full = f"{id_}-{department}"
                where = _where(full, report)
                yield _Entry(name, agreed.cadence, full, id_, report, own, where)


def _where(report: str, agreed: Report) -> str:
    return f"report {report!r} ({agreed.notebook})"


def _select(entries: list[_Entry], only: Collection[str]) -> list[_Entry]:
    known = []
    for entry in entries:
        known += [entry.report, entry.base]
    mistakes = []
    for name in only:
        if name not in known:
            mistakes.append(f"there is no report {name!r}{did_you_mean(name, known)}")
    if mistakes:
        raise UsageError("\n".join(mistakes))
    if not only:
        return entries
    return [entry for entry in entries if entry.report in only or entry.base in only]


def _file(notebooks: Path, name: str) -> Path:
    path = (notebooks / name).resolve()
    if not path.is_relative_to(notebooks.resolve()):
        raise UsageError(f"the notebook {name!r} lies outside the folder notebooks")
    return path


def _values(
    entry: _Entry, schema: Mapping[str, Parameter], as_of: dt.date, extra: Mapping[str, Any]
) -> dict[str, Value]:
    """Return the parameters of a report: its own, those set from outside, the day, the grain."""
    if not re.fullmatch(r"\w[\w.-]*", entry.report) or entry.report in TAKEN:
        raise UsageError(
            f"{entry.report!r} cannot be a report's id: it becomes a folder;"
            " use letters, digits, - and _"
        )
    given = dict(entry.parameters)
    for name, value in extra.items():
        if name in schema:
            given[name] = value
    for name, option in OPTIONS.items():
        if name in given or name in extra:
            raise UsageError(f"{entry.where}: parameter {name!r} is set with {option}")
    if "as_of" in schema:
        given["as_of"] = as_of.isoformat()
    if "grain" in schema:
        given.setdefault("grain", entry.cadence)
    return complete(schema, given, entry.where)


def _check_values(entry: _Entry, values: Mapping[str, Value], definitions: Definitions) -> Grain:
    """Return the grain of a report, whose parameters are read; UsageError where one cannot be."""
    refuse_plain_secrets(values, entry.where)
    _require_department(values.get("department"), definitions, entry.where)
    return _grain(entry, values)


def _require_department(name: object, definitions: Definitions, where: str) -> None:
    """Raise UsageError where a parameter `department` names none that there is.

    Left empty, it names none.
    """
    if isinstance(name, str) and name and name not in definitions.departments:
        near = did_you_mean(name, definitions.departments)
        raise UsageError(f"{where}: department: there is no department {name!r}{near}")


def _grain(entry: _Entry, values: Mapping[str, Value]) -> Grain:
    name = values.get("grain", entry.cadence)
    grain = next((grain for grain in GRAINS if grain == name), None)
    if grain is None:
        near = did_you_mean(str(name), GRAINS)
        raise UsageError(f"{entry.where}: there is no grain {name!r}{near}")
    return grain


def _planned(
    entry: _Entry,
    values: dict[str, Value],
    period: str,
    published: Mapping[tuple[str, str], str] | None,
) -> Planned:
    before = (published or {}).get((entry.report, period))
    if before:
        why = f"up to date ({period}, published {before})"
    elif published is None:
        why = f"{period} is complete"
    else:
        why = f"{period} has ended and is not published"
    return Planned(
        suite=entry.suite,
        report=entry.report,
        notebook=entry.agreed.notebook,
        parameters=values,
        period=period,
        due=before is None,
        why=why,
    )


def _undeclared(
    extra: Mapping[str, Any], schemas: Mapping[str, Mapping[str, Parameter]]
) -> list[str]:
    """Name the parameters of the command that no notebook declares."""
    known: dict[str, Parameter] = {}
    for schema in schemas.values():
        known |= schema
    return [f"-p {name}: {unknown(name, known)}" for name in extra if name not in known]


def _same_place(planned: list[Planned]) -> list[str]:
    """Name the reports that two suites would publish at one place."""
    counts = Counter(report.key for report in planned)
    mistakes = []
    for (report, period), count in counts.items():
        if count > 1:
            mistakes.append(
                f"two suites make the report {report!r} for {period}; give one another id"
            )
    return mistakes


def pick(items: Sequence[Item], shard: str) -> list[Item]:
    """Return the items of one shard: 2/4 takes the second of four parts, no shard takes all.

    UsageError where `shard` is not I/N with I from 1 to N.
    """
    if not shard:
        return list(items)
    match = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", shard)
    if match is None or int(match[1]) > int(match[2]):
        raise UsageError(f"{shard!r} is no shard; write 2/4 for the second of four")
    return list(items)[int(match[1]) - 1 :: int(match[2])]
