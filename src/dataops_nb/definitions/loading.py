"""From the folder params/ to `Definitions`: read, merged with defaults, checked; all mistakes raised at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_nb.definitions import checks
from dataops_nb.definitions.draft import Draft, File
from dataops_nb.definitions.models import (
    AnyEvent,
    Company,
    Defaults,
    Definitions,
    Department,
    Holiday,
    Item,
    Name,
    Suite,
    Text,
)
from dataops_nb.definitions.reading import Node, read
from dataops_nb.definitions.salvage import salvage
from dataops_nb.definitions.validation import validate
from dataops_nb.definitions.whatif import Overlay, split
from dataops_nb.errors import DefinitionsError, Mistake, nearest

OTHERS: dict[str, Any] = {
    "reports": dict[Name, Suite],
    "events": list[AnyEvent],
    "solve_next": list[Item],
    "glossary": dict[Text, Text],
    "holidays": list[Holiday],
}
_LISTS = {"events", "solve_next", "holidays"}


def load(params: Path, *, notebooks: Path | None = None, whatif: str = "") -> Definitions:
    """The definitions in the folder `params`; notebooks that reports name are looked for in `notebooks` where given.

    With `whatif` the differences in whatif/NAME.yaml are laid over them. Raises DefinitionsError with every mistake of
    every file.
    """
    definitions, mistakes = survey(params, notebooks=notebooks, whatif=whatif)
    if mistakes:
        raise DefinitionsError(mistakes)
    return definitions


def survey(params: Path, *, notebooks: Path | None = None, whatif: str = "") -> tuple[Definitions, list[Mistake]]:
    """The definitions in the folder `params` that hold no mistake, and every mistake of the others, in order."""
    folder = _Folder(Path(params))
    folder.lay(whatif)
    draft = folder.read_all(notebooks)
    checks.check(draft)
    mistakes = sorted({folder.overlay.placed(mistake) for mistake in draft.mistakes})
    return (salvage(draft) if draft.mistakes else draft.definitions), mistakes


def data_folder(params: Path) -> str:
    """What company.yaml says under `data:`, without reading the other files; `data` where it says nothing readable."""
    root, _ = read(Path(params) / "company.yaml", "company.yaml")
    said = root.step("data") if root else None
    return said.written if said and said.written else "data"


def merge_defaults(root: Node, defaults: Node) -> None:
    """Put a department's defaults into its metrics: `source` and `time` into the measures, the rest beside them.

    The default time belongs to the default source: a measure of another source does not take it.
    """
    metrics = root.step("metrics")
    if metrics is None or not isinstance(metrics.value, dict) or not isinstance(defaults.value, dict):
        return
    shared = {key: node for key, node in defaults.value.items() if key not in {"source", "time"}}
    source, time = defaults.step("source"), defaults.step("time")
    for metric in metrics.value.values():
        if not isinstance(metric.value, dict):
            continue
        metric.value = {**shared, **metric.value}
        measure = metric.step("measure")
        if measure is not None and isinstance(measure.value, dict):
            own = measure.step("source")
            same = own is None or source is None or own.value == source.value
            given = {"source": source, "time": time if same else None}
            measure.value = {key: node for key, node in given.items() if node is not None} | measure.value


@dataclass
class _Folder:
    """Reads the files one by one, keeping every mistake."""

    path: Path
    mistakes: list[Mistake] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    overlay: Overlay = field(default_factory=Overlay)

    def lay(self, whatif: str) -> None:
        """Read the what-if of that name, to be laid over every file that is read from now on."""
        if whatif:
            file = self.read(self.path / "whatif" / f"{whatif}.yaml", {}, "whatif/")
            self.overlay = split(file.root, file.name, OTHERS)

    def read_all(self, notebooks: Path | None) -> Draft:
        company_file, company = self.company()
        departments = {path.stem: self.department(path) for path in self.department_paths()}
        others = {name: self.other(name, kind) for name, kind in OTHERS.items()}
        self.refuse_strangers()
        metrics = [id_ for _, department in departments.values() for id_ in department.metrics]
        self.mistakes += self.overlay.strangers(departments, metrics)
        definitions = Definitions.model_construct(
            company=company,
            departments={id_: department for id_, (_, department) in departments.items()},
            suites=others["reports"][1],
            **{name: value for name, (_, value) in others.items() if name != "reports"},
        )
        return Draft(
            definitions,
            company_file,
            {id_: file for id_, (file, _) in departments.items()},
            {name: file for name, (file, _) in others.items()},
            notebooks,
            "\n".join(self.unread),
            self.mistakes,
        )

    def company(self) -> tuple[File, Company]:
        file = self.read(self.path / "company.yaml", {})
        self.overlay.lay_company(file.root, file.name)
        file.declare()
        company = self.validate(Company, file.root, file) if file.readable else None
        file.declare()
        return file, company or Company.model_construct(company="", sources={})

    def department_paths(self) -> list[Path]:
        paths = sorted(path for path in self.path.glob("departments/*.yaml") if not path.name.startswith("."))
        if not paths:
            message = "no department is declared; write departments/NAME.yaml for each"
            self.mistakes.append(Mistake(self.name("departments"), 1, "", message))
        return paths

    def department(self, path: Path) -> tuple[File, Department]:
        file = self.read(path, {}, "departments/")
        self.overlay.lay_department(path.stem, file.root, file.name)
        shared: Defaults | None = None
        if isinstance(file.root.value, dict):
            defaults = file.root.value.pop("defaults", None)
            if defaults is not None:
                shared = self.validate(Defaults, defaults, file)
                file.defaults = defaults
                merge_defaults(file.root, defaults)
        file.declare()
        department = self.validate(Department, file.root, file) if file.readable else None
        file.declare()
        if department is not None and shared is not None:
            department = department.model_copy(update={"defaults": shared})
        return file, department or Department.model_construct(department="")

    def other(self, name: str, kind: Any) -> tuple[File, Any]:
        path = self.path / f"{name}.yaml"
        empty: Any = [] if name in _LISTS else {}
        if not path.exists() and name not in self.overlay.others:
            return File(self.name(path.name), Node(empty)), empty
        file = self.read(path, empty) if path.exists() else File(self.name(path.name), Node(empty))
        self.overlay.lay_other(name, file.root, file.name)
        value = self.validate(kind, file.root, file) if file.readable else None
        return file, empty if value is None else value

    def read(self, path: Path, empty: Any, folder: str = "") -> File:
        """A file's tree, or an empty one where it cannot be read or holds nothing."""
        name = self.name(f"{folder}{path.name}")
        if not path.exists():
            self.mistakes.append(Mistake(name, 1, "", "the file is missing"))
            return File(name, Node(empty), readable=False)
        root, mistakes = read(path, name)
        self.mistakes += mistakes
        if root is None:
            self.unread.append(path.read_text(encoding="utf-8", errors="replace") if path.is_file() else "")
            return File(name, Node(empty), readable=False)
        return File(name, Node(empty) if root.value is None else root)

    def validate(self, kind: Any, root: Node, file: File) -> Any:
        model, mistakes = validate(kind, root, file.name)
        self.mistakes += mistakes
        return model

    def refuse_strangers(self) -> None:
        """A file that would be passed over because of its name: company.yml, event.yaml."""
        known = ["company.yaml", *(f"{name}.yaml" for name in OTHERS)]
        for path in sorted([*self.path.glob("*.y*ml"), *self.path.glob("departments/*.yml")]):
            below = path.relative_to(self.path).as_posix()
            right = f"{path.stem}.yaml" if path.parent != self.path else nearest(path.name, known)
            if below not in known and right:
                self.mistakes.append(Mistake(self.name(below), 1, "", f"is not read; did you mean {right!r}?"))

    def name(self, below: str) -> str:
        return f"{self.path.name}/{below}"
