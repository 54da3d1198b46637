"""Read the company's files under params/ strictly, and report every mistake in them at once.

`load` and `survey` take the folder and return `Definitions`: each file is read as a tree, a what-if
is laid over it, a department's defaults are merged into its metrics, and the types and the checks
between files follow. A mistake names its file, line and key. `survey` returns what is sound of
files with mistakes too, so that the data can be checked in the same go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dataops_nb.company import AnyEvent, Item, meant
from dataops_nb.definitions.company_checks import check
from dataops_nb.definitions.draft import Draft, File
from dataops_nb.definitions.mistakes import validate
from dataops_nb.definitions.models import (
    CompanyFile,
    Defaults,
    Definitions,
    Department,
    MetricsFrom,
    Source,
    Suite,
    write_schema,
)
from dataops_nb.definitions.nodes import Node, read
from dataops_nb.definitions.sql import read_query
from dataops_nb.definitions.whatif import Overlay, split
from dataops_nb.errors import DefinitionsError, Mistake, nearest, printable
from dataops_nb.lineage import metric_parts
from dataops_nb.metrics import AnyMetric, Simple
from dataops_nb.periods.fiscal import Holiday
from dataops_nb.terms import Name, Text

__all__ = [
    "Definitions",
    "data_folder",
    "load",
    "meant",
    "survey",
    "write_schema",
]

# The files beside company.yaml and departments/, each with its type.
OTHERS: dict[str, Any] = {
    "reports": dict[Name, Suite],
    "events": list[AnyEvent],
    "solve_next": list[Item],
    "glossary": dict[Text, Text],
    "holidays": list[Holiday],
}
_LISTS = {"events", "solve_next", "holidays"}
T = TypeVar("T")


def load(params: Path, *, notebooks: Path | None = None, whatif: str = "") -> Definitions:
    """Return the definitions in the folder `params`.

    `notebooks` is the folder in which the notebooks of reports must exist; without it they are
    not looked for. `whatif` names a file in whatif/ whose differences are laid over the others.
    Raises DefinitionsError with every mistake of every file.
    """
    definitions, mistakes = survey(params, notebooks=notebooks, whatif=whatif)
    if mistakes:
        raise DefinitionsError(mistakes)
    return definitions


def survey(
    params: Path, *, notebooks: Path | None = None, whatif: str = ""
) -> tuple[Definitions, list[Mistake]]:
    """Return the definitions in `params` that hold no mistake, and all mistakes in order."""
    folder = _Folder(Path(params))
    folder.read_overlay(whatif)
    draft = folder.read_all(notebooks)
    check(draft)
    if not draft.mistakes:
        return draft.definitions, []
    mistakes = {folder.overlay.placed(mistake) for mistake in draft.mistakes}
    return salvage(draft), sorted(mistakes)


def data_folder(params: Path) -> str:
    """Return the key `data` of company.yaml without reading the other files; "data" by default."""
    return _written(params, "data") or "data"


def is_marked_sample(params: Path) -> bool:
    """Tell whether company.yaml says `sample: true`, without reading the other files."""
    return _written(params, "sample").lower() == "true"


def _written(params: Path, key: str) -> str:
    """Return a key of company.yaml as it is written there; "" where it is not."""
    root, _ = read(Path(params) / "company.yaml", "company.yaml")
    node = (root or Node(None)).step(key)
    if node is None or not node.written:
        return ""
    return node.written


def merge_defaults(root: Node, defaults: Node) -> None:
    """Put a department's defaults into its metrics, in place.

    `source` and `time` go into the measures, the rest beside them. The default time belongs to
    the default source: a measure of another source does not take it.
    """
    metrics = root.step("metrics")
    if metrics is None or not isinstance(metrics.value, dict):
        return
    if not isinstance(defaults.value, dict):
        return
    shared = {key: node for key, node in defaults.value.items() if key not in {"source", "time"}}
    for metric in metrics.value.values():
        if isinstance(metric.value, dict):
            metric.value = {**shared, **metric.value}
            measure = metric.step("measure")
            if measure is not None and isinstance(measure.value, dict):
                _merge_measure(measure, defaults)


def _merge_measure(measure: Node, defaults: Node) -> None:
    source, time = defaults.step("source"), defaults.step("time")
    merged: dict[str, Node] = {}
    same_source = True
    if source is not None:
        merged["source"] = source
        own_source = measure.step("source") or source
        same_source = own_source.value == source.value
    if time is not None and same_source:
        merged["time"] = time
    measure.value = merged | measure.value


@dataclass
class _Folder:
    """Read the files of a folder one by one, and keep every mistake.

    `unread` holds the texts of files that are no YAML.
    """

    path: Path
    mistakes: list[Mistake] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    overlay: Overlay = field(default_factory=Overlay)

    def read_overlay(self, whatif: str) -> None:
        """Read the what-if of that name; it is laid over every file that is read after it."""
        if whatif:
            path = self.path / "whatif" / f"{whatif}.yaml"
            file = self.read(path, {}, "whatif/")
            self.overlay = split(file.root, file.name, OTHERS)

    def read_all(self, notebooks: Path | None) -> Draft:
        """Read all files into a draft that is ready to be checked."""
        company_file, company = self.company()
        files: dict[str, File] = {}
        departments: dict[str, Department] = {}
        metrics: list[str] = []
        for path in self.department_paths():
            files[path.stem], departments[path.stem] = self.department(path)
            metrics += departments[path.stem].metrics
        other_files: dict[str, File] = {}
        others: dict[str, Any] = {}
        for name, kind in OTHERS.items():
            other_files[name], others[name] = self.other(name, kind)
        self.refuse_misnamed()
        self.mistakes += self.overlay.unplaced(departments, metrics)

        suites = others.pop("reports")
        definitions = Definitions.model_construct(
            departments=departments, suites=suites, **company.fields(), **others
        )
        unread = "\n".join(self.unread)
        return Draft(
            definitions, company_file, files, other_files, notebooks, unread, self.mistakes
        )

    def company(self) -> tuple[File, CompanyFile]:
        """Read company.yaml; an empty company takes the place of one that cannot be read."""
        file = self.read(self.path / "company.yaml", {})
        self.overlay.lay_company(file.root, file.name)
        company = self.validate_file(CompanyFile, file)
        return file, company or CompanyFile.model_construct(company="", sources={})

    def department_paths(self) -> list[Path]:
        """List the departments' files; report where there are none."""
        files = sorted(self.path.glob("departments/*.yaml"))
        paths = [path for path in files if not path.name.startswith(".")]
        for path in paths:
            if printable(path.name) != path.name:
                name = self.name(f"departments/{printable(path.name)}")
                self.report(name, "the name of the file is not UTF-8; rename it")
        paths = [path for path in paths if printable(path.name) == path.name]
        if not paths:
            message = "no department is declared; write departments/NAME.yaml for each"
            self.report(self.name("departments"), message)
        return paths

    def department(self, path: Path) -> tuple[File, Department]:
        """Read a department's file, its defaults merged into its metrics."""
        file = self.read(path, {}, "departments/")
        self.overlay.lay_department(path.stem, file.root, file.name)
        shared: Defaults | None = None
        if isinstance(file.root.value, dict) and "defaults" in file.root.value:
            file.defaults = file.root.value.pop("defaults")
            shared = self.validate(Defaults, file.defaults, file)
            merge_defaults(file.root, file.defaults)
        department = self.validate_file(Department, file)
        if department is None:
            return file, Department.model_construct(department="")
        if shared is not None:
            department = department.model_copy(update={"defaults": shared})
        return file, department

    def other(self, name: str, kind: Any) -> tuple[File, Any]:
        """Read one of the files that may be missing; a missing or unreadable one is empty."""
        path = self.path / f"{name}.yaml"
        empty: Any = {}
        if name in _LISTS:
            empty = []
        file = File(self.name(path.name), Node(empty))
        if path.exists():
            file = self.read(path, empty)
        elif name not in self.overlay.others:
            return file, empty
        self.overlay.lay_other(name, file.root, file.name)
        value = None
        if file.readable:
            value = self.validate(kind, file.root, file)
        if value is None:
            value = empty
        return file, value

    def read(self, path: Path, empty: Any, folder: str = "") -> File:
        """Return a file with its tree, or with an empty one where it cannot be read."""
        name = self.name(f"{folder}{path.name}")
        if not path.exists():
            self.report(name, "the file is missing")
            return File(name, Node(empty), readable=False)
        root, mistakes = read(path, name)
        self.mistakes += mistakes
        if root is None:
            if path.is_file():
                self.unread.append(path.read_text(encoding="utf-8", errors="replace"))
            return File(name, Node(empty), readable=False)
        if root.value is None:
            root = Node(empty)
        return File(name, root)

    def validate_file(self, kind: Any, file: File) -> Any:
        """Return the model of a whole file, or None.

        Names are declared before the tree is mended and after: mending may drop or respell them.
        """
        file.declare()
        if not file.readable:
            return None
        model = self.validate(kind, file.root, file)
        file.declare()
        return model

    def validate(self, kind: Any, root: Node, file: File) -> Any:
        model, mistakes = validate(kind, root, file.name)
        self.mistakes += mistakes
        return model

    def refuse_misnamed(self) -> None:
        """Report a file that is not read because of its name: company.yml, event.yaml."""
        known = ["company.yaml", *(f"{name}.yaml" for name in OTHERS)]
        for path in sorted(self.path.glob("*.y*ml")):
            right = nearest(path.name, known)
            if path.name not in known and right:
                self.report_misnamed(path, right)
        for path in sorted(self.path.glob("departments/*.yml")):
            self.report_misnamed(path, f"{path.stem}.yaml")

    def report_misnamed(self, path: Path, right: str) -> None:
        below = path.relative_to(self.path).as_posix()
        self.report(self.name(below), f"is not read; did you mean {right!r}?")

    def report(self, name: str, message: str) -> None:
        """Add a mistake about a whole file."""
        self.mistakes.append(Mistake(name, 1, "", message))

    def name(self, below: str) -> str:
        """Return the name of a file as mistakes give it: params/company.yaml."""
        return f"{self.path.name}/{below}"


def salvage(draft: Draft) -> Definitions:
    """Return the definitions without faulty sources and metrics, and all that stands on them."""
    sources = _sound_sources(draft)
    metrics = _sound_metrics(draft, sources)
    north_star = [metric_id for metric_id in draft.definitions.north_star if metric_id in metrics]
    changes: dict[str, Any] = {"sources": sources, "north_star": north_star}
    for mistake in draft.mistakes:
        if mistake.file == draft.company.name and mistake.key == "timezone":
            changes["timezone"] = "UTC"

    departments = {}
    for name, department in draft.definitions.departments.items():
        own = department.metrics.items()
        parts = {
            "metrics": {metric_id: metric for metric_id, metric in own if metric_id in metrics},
            "metrics_from": _sound_tables(draft, name, sources),
        }
        departments[name] = department.model_copy(update=parts)
    return draft.definitions.model_copy(update={**changes, "departments": departments})


def _sound_sources(draft: Draft) -> dict[str, Source]:
    sound: dict[str, Source] = {}
    reads: dict[str, list[str]] = {}
    for name, source in draft.definitions.sources.items():
        if _is_faulty(draft, draft.company.name, f"sources.{name}"):
            continue
        sound[name] = source
        reads[name] = []
        if source.query:
            reads[name], _ = read_query(source.query)
    return _keep_whole(sound, reads)


def _sound_metrics(draft: Draft, sources: Mapping[str, Source]) -> dict[str, AnyMetric]:
    sound: dict[str, AnyMetric] = {}
    for name, file in draft.departments.items():
        department = draft.definitions.departments[name]
        for metric_name, metric in department.metrics.items():
            if isinstance(metric, Simple) and metric.measure.source not in sources:
                continue
            if not _is_faulty(draft, file.name, f"metrics.{metric_name}"):
                sound[metric_name] = metric
    parts = {metric_id: metric_parts(metric) for metric_id, metric in sound.items()}
    return _keep_whole(sound, parts)


def _sound_tables(draft: Draft, name: str, sources: Mapping[str, Source]) -> list[MetricsFrom]:
    """List a department's tables of indicators; none where one of them is faulty."""
    file = draft.departments[name].name
    for mistake in draft.mistakes:
        if mistake.file == file and mistake.key.startswith(("metrics_from", "defaults")):
            return []
    tables = draft.definitions.departments[name].metrics_from
    return [table for table in tables if table.source in sources]


def _is_faulty(draft: Draft, file: str, key: str) -> bool:
    """Tell whether a file has a mistake at a key or below it."""
    below = (f"{key}.", f"{key}[")
    for mistake in draft.mistakes:
        if mistake.file != file:
            continue
        if mistake.key == key or mistake.key.startswith(below):
            return True
    return False


def _keep_whole(values: Mapping[str, T], parts: Mapping[str, list[str]]) -> dict[str, T]:
    """Keep the values whose parts are kept too; names differ by more than capitals."""
    kept = dict(values)
    while True:
        names = {name.casefold() for name in kept}
        lacking = [
            name for name in kept if not names.issuperset(part.casefold() for part in parts[name])
        ]
        if not lacking:
            return kept
        for name in lacking:
            del kept[name]
