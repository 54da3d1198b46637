"""From the folder params/ to `Definitions`: files are read, defaults merged, types and names checked, all mistakes raised."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_nb.definitions import checks
from dataops_nb.definitions.draft import Draft, File
from dataops_nb.definitions.models import Company, Defaults, Definitions, Department, Event, Holiday, Item, Name, Suite, Text
from dataops_nb.definitions.reading import Node, read
from dataops_nb.definitions.validation import validate
from dataops_nb.errors import DefinitionsError, Mistake, nearest

OTHERS: dict[str, Any] = {
    "reports": dict[Name, Suite],
    "events": list[Event],
    "solve_next": list[Item],
    "glossary": dict[Text, Text],
    "holidays": list[Holiday],
}
_FILES = ("company.yaml", *(f"{name}.yaml" for name in OTHERS))


def load(params: Path, *, notebooks: Path | None = None) -> Definitions:
    """The definitions in the folder `params`; notebooks that reports name are looked for in `notebooks` where given.

    Raises DefinitionsError with every mistake of every file.
    """
    folder = _Folder(Path(params))
    draft = folder.draft(notebooks)
    checks.check(draft)
    if draft.mistakes:
        raise DefinitionsError(draft.mistakes)
    return draft.definitions


def data_folder(params: Path) -> str:
    """What company.yaml says under `data:`, read alone and without the other files.

    Raises DefinitionsError, with the mistakes of all files, where company.yaml cannot be read.
    """
    root, mistakes = read(Path(params) / "company.yaml", "company.yaml")
    if root is None or mistakes:
        load(params)
    said = root.step("data") if root else None
    return said.written if said and said.written else "data"


@dataclass
class _Folder:
    path: Path
    mistakes: list[Mistake] = field(default_factory=list)
    unread: str = ""

    def draft(self, notebooks: Path | None) -> Draft:
        company_file, company = self.company()
        departments = {path.stem: self.department(path) for path in self.department_paths()}
        others = {name: self.other(name, kind) for name, kind in OTHERS.items()}
        self.refuse_strangers()
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
            self.unread,
            self.mistakes,
        )

    def company(self) -> tuple[File, Company]:
        file = self.read(self.path / "company.yaml")
        if file is None:
            return File(self.name("company.yaml"), Node({})), Company.model_construct(sources={})
        names = _names_of(file.root)
        company = self.validate(Company, file)
        file.declared = names
        return file, company or Company.model_construct(sources={})

    def department(self, path: Path) -> tuple[File, Department]:
        empty = Department.model_construct(department="")
        file = self.read(path)
        if file is None:
            return File(self.name(f"departments/{path.name}"), Node({})), empty
        if isinstance(file.root.value, dict):
            file.defaults = file.root.value.pop("defaults", None) or Node({})
            validate_mistakes = validate(Defaults, file.defaults, file.name)[1] if file.defaults.value is not None else []
            self.mistakes += validate_mistakes
            merge_defaults(file.root, file.defaults)
        file.declared = _names_of(file.root)
        return file, self.validate(Department, file) or empty

    def other(self, name: str, kind: Any) -> tuple[File, Any]:
        path = self.path / f"{name}.yaml"
        empty: Any = [] if str(kind).startswith("list") else {}
        file = self.read(path) if path.exists() else None
        if file is None or file.root.value is None:
            return file or File(self.name(path.name), Node(empty)), empty
        return file, self.validate(kind, file) or empty
