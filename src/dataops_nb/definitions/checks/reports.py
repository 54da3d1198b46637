"""reports.yaml: every report has a notebook, a folder of its own, and a department that exists."""

from __future__ import annotations

from pathlib import PurePosixPath

from dataops_nb.definitions.checks.names import fault_of_identifier, fault_of_name
from dataops_nb.definitions.draft import Draft, Steps
from dataops_nb.definitions.models import Report, Suite
from dataops_nb.errors import did_you_mean

TAKEN = {"runs", "history", "whatif", "cache"}


def check_reports(draft: Draft) -> None:
    """Ids over all suites, notebooks, parameters and addresses."""
    file = draft.others["reports"]
    first: dict[str, str] = {}
    for name, suite in draft.definitions.suites.items():
        if fault := fault_of_name(name, "suite"):
            draft.say(file, (name,), fault)
        _check_mail(draft, name, suite)
        for id_, report in suite.reports.items():
            here: Steps = (name, "reports", id_)
            if fault := _fault_of_id(id_):
                draft.say(file, here, fault)
            if id_.casefold() in first:
                draft.say(
                    file,
                    here,
                    f"the report {id_!r} is declared a second time; the first is in {first[id_.casefold()]!r}",
                )
            first.setdefault(id_.casefold(), name)
            _check_report(draft, here, report)


def _fault_of_id(id_: str) -> str:
    if id_.casefold() in TAKEN:
        return f"{id_!r} is a folder that the tool keeps for itself; choose another report name"
    return fault_of_name(id_, "report")


def _check_report(draft: Draft, here: Steps, report: Report) -> None:
    file = draft.others["reports"]
    if fault := _fault_of_notebook(draft, report.notebook):
        draft.say(file, (*here, "notebook"), fault)
    for name, value in report.parameters.items():
        if fault := fault_of_identifier(name, "parameter"):
            draft.say(file, (*here, "parameters", name), fault)
        if name == "department":
            if report.each == "department":
                draft.say(file, (*here, "parameters", name), "contradicts each: department; keep one of the two")
            draft.say_unknown(file, (*here, "parameters", name), "department", str(value), draft.departments)


def _fault_of_notebook(draft: Draft, notebook: str) -> str:
    path = PurePosixPath(notebook)
    if path.is_absolute() or ".." in path.parts or "\\" in notebook:
        return f"{notebook!r} must stand in notebooks/"
    if draft.notebooks is None or (draft.notebooks / notebook).is_file():
        return ""
    known = [found.relative_to(draft.notebooks).as_posix() for found in draft.notebooks.glob("*.ipynb")]
    return f"no notebook {notebook!r} in {draft.notebooks.name}/{did_you_mean(notebook, known)}"


def _check_mail(draft: Draft, name: str, suite: Suite) -> None:
    for key in ("success", "failure"):
        for index, address in enumerate(getattr(suite.mail, key, [])):
            if address.count("@") != 1 or any(sign.isspace() or sign in ",;<>" for sign in address):
                message = f"{address!r} is no mail address; write name@example.com"
                draft.say(draft.others["reports"], (name, "mail", key, index), message)
