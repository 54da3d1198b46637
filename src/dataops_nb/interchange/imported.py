"""What came out of another tool's definitions: files of params/, and an account of what did not.

Nothing is dropped in silence. What is *kept* means the same here; what is *changed* means nearly
the same, and the note says which number differs; what is *refused* cannot be said here, and the
note says why and where it stood. `settle` reads the files back as `check` would, and refuses what
these would not pass.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dataops_nb import definitions
from dataops_nb.definitions.metric_checks import parts_of
from dataops_nb.errors import Mistake, UsageError
from dataops_nb.terms import Model

STANDARD_LIGHTS = {
    "green": {"at_least": 1.0, "means": "On plan.", "do": "Keep going."},
    "yellow": {
        "at_least": 0.85,
        "means": "Recoverable.",
        "do": "Review this week.",
        "act_within": "14d",
    },
    "red": {"means": "The plan is at risk.", "do": "Stop and plan again.", "act_within": "5d"},
}
REPORTS = {
    "weekly": {
        "cadence": "week",
        "reports": {"north-star": {"notebook": "10_north_star.ipynb"}},
    }
}
WIDTH = 110


@dataclass(frozen=True)
class Note:
    """One line of the account: what it is about, what became of it, and where it stood."""

    name: str
    text: str
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = self.file
        if self.line is not None:
            place += f":{self.line}"
        return f"{self.name}: {self.text}" + (f" ({place})" if place else "")


@dataclass
class Imported:
    """The files of params/ as plain values, and the account of what became of the original.

    `origin` names the original for people; `places` finds the file and line of a name. `is_ours`
    says that the original holds definitions of ours, which are then not asked for again.
    """

    origin: str
    file: str = ""
    is_ours: bool = False
    company: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    departments: dict[str, dict[str, Any]] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    kept: list[Note] = field(default_factory=list)
    changed: list[Note] = field(default_factory=list)
    refused: list[Note] = field(default_factory=list)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, tuple[str, int | None]] = field(default_factory=dict)

    def keep(self, name: str, text: str = "") -> None:
        """Note what means the same here."""
        self.kept.append(self._note(name, text or "kept"))

    def change(self, name: str, text: str) -> None:
        """Note what differs, and which number."""
        note = self._note(name, text)
        if note not in self.changed:
            self.changed.append(note)

    def refuse(self, name: str, text: str) -> None:
        """Note what is left out, and why."""
        note = self._note(name, text)
        if note not in self.refused:
            self.refused.append(note)

    def remark(self, name: str, text: str) -> None:
        """Put a comment above a metric or a source in its file."""
        self.remarks.setdefault(name, []).append(" ".join(text.split()))

    def _note(self, name: str, text: str) -> Note:
        file, line = self.places.get(name, (self.file, None))
        return Note(name, " ".join(text.split()), file, line)

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Every metric by id."""
        metrics: dict[str, dict[str, Any]] = {}
        for department in self.departments.values():
            metrics |= department["metrics"]
        return metrics

    def drop_metric(self, name: str) -> None:
        """Take a metric out, and what is kept of it."""
        for department in self.departments.values():
            department["metrics"].pop(name, None)
        self.kept = [note for note in self.kept if note.name != name]
        self.changed = [note for note in self.changed if note.name != name]

    def add(self, other: Imported) -> None:
        """Add what came out of another document; the company stays as it is.

        Raises UsageError where both have a source or a metric of one name.
        """
        for kind, own, others in (
            ("source", self.sources, other.sources),
            ("metric", self.metrics, other.metrics),
        ):
            for name in others:
                if name in own:
                    raise UsageError(f"{self.file} and {other.file} both have a {kind} {name}")
        self.origin = f"{self.origin}, {other.origin}"
        self.sources |= other.sources
        for name, department in other.departments.items():
            if name in self.departments:
                self.departments[name]["metrics"] |= department["metrics"]
            else:
                self.departments[name] = department
        self.kept += other.kept
        self.changed += other.changed
        self.refused += other.refused
        self.remarks |= other.remarks
        self.places |= other.places

    def files(self) -> dict[str, str]:
        """Return the text of each file under params/ by its name."""
        files = {"company.yaml": _company_text(self)}
        for name, department in self.departments.items():
            files[f"departments/{name}.yaml"] = _department_text(self, department)
        for name, content in self.others.items():
            files[f"{name}.yaml"] = _yaml(content)
        if self.metrics and "reports" not in self.others:
            files["reports.yaml"] = _yaml(REPORTS)
        return files


def settle(imported: Imported) -> None:
    """Refuse what `check` would call a mistake, until none is left.

    A metric with a mistake goes, with those that stand on it; a column's rule goes; a source goes
    with all that is measured of it.
    """
    _drop_empty(imported)
    for _ in range(len(imported.metrics) + len(imported.sources) + 2):
        mistakes = _mistakes(imported)
        if not mistakes:
            break
        for mistake in mistakes:
            _drop_mistaken(imported, mistake)
        _drop_dependents(imported)
        _drop_empty(imported)
    stars = [name for name in imported.company.get("north_star", []) if name in imported.metrics]
    if not stars and imported.metrics and not imported.is_ours:
        stars = [next(iter(imported.metrics))]
    imported.company["north_star"] = stars


def account(imported: Imported) -> str:
    """Return IMPORT.md: what was kept, what changed in meaning, and what was refused."""
    lines = [
        "# Import",
        "",
        f"From {imported.origin}. Each line names what it is about, what became of it, and where "
        "it stood.",
    ]
    for title, notes, nothing in (
        ("Kept", imported.kept, "Nothing."),
        ("Changed in meaning", imported.changed, "Nothing."),
        ("Refused", imported.refused, "Nothing."),
    ):
        lines += ["", f"## {title}", ""]
        lines += [f"- {note}" for note in notes] or [nothing]
    return "\n".join(lines) + "\n"


def as_document(imported: Imported) -> dict[str, Any]:
    """Return the account as plain values: `origin kept changed refused`."""
    return {
        "origin": imported.origin,
        "kept": [vars(note) for note in imported.kept],
        "changed": [vars(note) for note in imported.changed],
        "refused": [vars(note) for note in imported.refused],
    }


def _mistakes(imported: Imported) -> list[Mistake]:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in imported.files().items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        _, mistakes = definitions.survey(Path(folder))
    return mistakes


def _drop_mistaken(imported: Imported, mistake: Mistake) -> None:
    """Take out the metric, the column's rule or the source that a mistake is in."""
    kind, _, rest = mistake.key.partition(".")
    name, _, place = rest.partition(".")
    if kind == "metrics" and name in imported.metrics:
        imported.drop_metric(name)
        imported.refuse(name, mistake.message)
    elif kind == "sources" and name in imported.sources:
        source = imported.sources[name]
        part, _, rule = place.partition(".")
        column = rule.rpartition(".")[0] or rule
        if part == "columns" and column in source.get("columns", {}):
            del source["columns"][column]
            imported.refuse(f"{name}.{column}", mistake.message)
        elif part in source and part not in ("system", "path", "query", "url", "table"):
            del source[part]
            imported.refuse(f"{name}.{part}", mistake.message)
        else:
            del imported.sources[name]
            imported.refuse(name, mistake.message)
    elif kind in imported.company and kind not in ("company", "sources"):
        del imported.company[kind]
        imported.refuse(kind, mistake.message)
    else:
        stem = Path(mistake.file).stem
        if stem in imported.others:
            del imported.others[stem]
            imported.refuse(stem, mistake.message)


def _drop_dependents(imported: Imported) -> None:
    """Refuse metrics of sources that are gone, and metrics that stand on metrics that are gone."""
    for name, reason in list(_orphans(imported)):
        imported.drop_metric(name)
        imported.refuse(name, reason)
        _drop_dependents(imported)
        return


def _orphans(imported: Imported) -> Iterator[tuple[str, str]]:
    metrics = imported.metrics
    for name, metric in metrics.items():
        source = metric.get("measure", {}).get("source")
        if metric["type"] == "simple" and source not in imported.sources:
            yield name, f"its source {source} was refused"
        for part in parts_in(metric):
            if part not in metrics:
                yield name, f"stands on {part}, which was refused"


def parts_in(metric: dict[str, Any]) -> list[str]:
    """Return the metrics that a metric stands on, as its file names them."""
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415  for this alone

    from dataops_nb.metrics import Metric  # noqa: PLC0415

    try:
        parsed: Model = TypeAdapter(Metric).validate_python(metric)
    except ValidationError:
        return []
    return parts_of(parsed)  # type: ignore[arg-type]


def _drop_empty(imported: Imported) -> None:
    """Take out departments without metrics; the last one stays, because a company has one."""
    for name in list(imported.departments):
        department = imported.departments[name]
        is_empty = not department["metrics"] and not department.get("metrics_from")
        if is_empty and len(imported.departments) > 1:
            del imported.departments[name]


# --- text ----------------------------------------------------------------------------------------


def _yaml(content: Any) -> str:
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=WIDTH)
    return text


def _company_text(imported: Imported) -> str:
    head = [
        "# yaml-language-server: $schema=.schema/company.schema.json",
        f"# From {_one_line(imported.origin)}; IMPORT.md says what became of it.",
    ]
    if not imported.is_ours:
        head += [
            "# ask: timezone, where days, weeks and months are cut; the calendar; the currency",
            "# ask: north_star, the few numbers everyone looks at; the first metric stands there",
            "# ask: lights, from which share of the target on a colour holds, and what is done",
            "# ask: owner of each source, and fresh_within, how old its last row may be",
        ]
    company = {key: value for key, value in imported.company.items() if value not in (None, [])}
    text = _yaml(company) + "sources:\n"
    blocks = _blocks(imported, imported.sources) or ["  {}\n"]
    return "\n".join(head) + "\n" + text + "".join(blocks)


def _department_text(imported: Imported, department: dict[str, Any]) -> str:
    head = [
        "# yaml-language-server: $schema=../.schema/department.schema.json",
        f"# From {_one_line(imported.origin)}; IMPORT.md says what became of it.",
    ]
    if not imported.is_ours:
        head += [
            "# For each metric, ask:",
            "#   better: up                      # or down, or inside a band",
            "#   lights: standard                # or a named set of company.yaml",
            "#   targets: [{from: 2026-01-01, per: week, value: 12}]    # without one: unknown",
        ]
        if not department.get("owner"):
            head.append("# owner: Head of Sales       # ask: who answers for these numbers")
        for note in imported.refused:
            head.append(f"# refused: {_one_line(str(note))}")
    rest = {key: value for key, value in department.items() if key != "metrics"}
    blocks = _blocks(imported, department["metrics"])
    text = _yaml(rest)
    text += "metrics:\n" + "".join(blocks) if blocks else "metrics: {}\n"
    return "\n".join(head) + "\n" + text


def _blocks(imported: Imported, entries: dict[str, dict[str, Any]]) -> list[str]:
    """Return each entry of a mapping as YAML two spaces deep, below its remarks."""
    blocks = []
    for name, entry in entries.items():
        lines = [f"  # {remark}\n" for remark in imported.remarks.get(name, [])]
        for line in _yaml({name: entry}).splitlines(keepends=True):
            lines.append(f"  {line}" if line.strip() else line)
        blocks.append("".join(lines))
    return blocks


def _one_line(text: str) -> str:
    return " ".join(text.split())


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return a name, or with the first number at its end that makes it new."""
    names = set(taken)
    candidate, number = name, 1
    while candidate in names:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
