"""Definitions that other tools hold: read into files of params/, and written for them.

`read` takes files of any of the known kinds, which it knows by their content, with the data files
of their tables. `export` writes the definitions of a workbench in one of the other formats.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import UsageError
from dataops_nb.interchange import (
    contracts,
    contracts_export,
    dbt,
    dbt_export,
    ossie,
    ossie_export,
)
from dataops_nb.interchange.extensions import select
from dataops_nb.interchange.imported import WIDTH, Imported, account, as_document, settle

__all__ = ["Imported", "account", "as_document", "export", "read", "recognised"]

READERS = {
    "dbt": dbt.read_project,
    "ossie": ossie.read_model,
    "odcs": contracts.read_contract,
}
WRITERS = {
    "ossie": ossie_export.model_of,
    "odcs": contracts_export.contract_of,
    "dbt": dbt_export.project_of,
}
TEXT_ENDINGS = (".json", ".yaml", ".yml")
LARGEST = 64 * 1024 * 1024
Content = tuple[Path, str, Any]


def recognised(files: Sequence[Path]) -> tuple[list[Content], list[Path]]:
    """Return the definitions among files, each with its kind and content, and the other files.

    Raises UsageError for a dbt project without a manifest, and for a file that is YAML or JSON of
    a kind that looks like one of these and is none.
    """
    contents: list[Content] = []
    others: list[Path] = []
    for given in files:
        path = dbt.find_manifest(given) or given
        content = _document(path)
        kind = _kind(path, content)
        if kind:
            contents.append((path, kind, content))
        else:
            others.append(given)
    return contents, others


def read(contents: Sequence[Content], data: Sequence[Path], target: Path) -> Imported:
    """Return what definitions say, as files of params/ for a workbench in `target`.

    `data` are the data files of their tables; one that no table is called after is refused. Several
    models or contracts are put together. Raises UsageError where they share a name, and where dbt
    projects or several kinds are given together.
    """
    kinds = {kind for _, kind, _ in contents}
    if len(contents) > 1 and (len(kinds) > 1 or kinds == {"dbt"}):
        names = ", ".join(str(path) for path, _, _ in contents)
        raise UsageError(f"definitions of one kind at a time, and one dbt project, not {names}")
    folder, files = _data_files(data)
    path, kind, content = contents[0]
    imported = READERS[kind](path, content, files)
    for path, kind, content in contents[1:]:
        imported.add(READERS[kind](path, content, files))
    if folder is not None:
        imported.company["data"] = _relative(folder, target)
    used = {source.get("path") for source in imported.sources.values()}
    for options in files.values():
        if options["path"] not in used:
            imported.refuse(options["path"], "no table of the definitions is called like this file")
    settle(imported)
    return imported


@dataclass(frozen=True)
class Exported:
    """A document for another tool, and what has no right form in it, each with the reason."""

    document: Any
    left_out: list[str]

    @property
    def text(self) -> str:
        """The document as YAML; several documents one after the other."""
        documents = self.document if isinstance(self.document, list) else [self.document]
        texts = []
        for document in documents:
            texts.append(
                yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=WIDTH)
            )
        return "---\n".join(texts)


class _Plain(yaml.SafeDumper):
    """Write values that stand twice twice: other tools' readers may not know aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def export(
    definitions: Definitions,
    kind: str,
    *,
    metrics: Sequence[str] = (),
    sources: Sequence[str] = (),
) -> Exported:
    """Return the definitions as a document of another tool: `ossie`, `odcs` or `dbt`.

    Raises UsageError for a metric or a source that is unknown.
    """
    selection = select(definitions, metrics, sources)
    document, left_out = WRITERS[kind](selection)
    return Exported(document, [f"{name}: {reason}" for name, reason in left_out.items()])


def _document(path: Path) -> Any:
    """Return the content of a text file that may hold definitions; None for any other."""
    if path.suffix.lower() not in TEXT_ENDINGS or not path.is_file():
        return None
    if path.stat().st_size > LARGEST:
        return None
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    try:
        if path.suffix.lower() == ".json":
            return json.loads(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  a safe loader without days
    except ValueError:
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", "") or "it cannot be read"
        raise UsageError(f"{path}{line}: is no YAML: {problem}") from error


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Read days as texts, as JSON has them."""


_Loader.yaml_implicit_resolvers = {
    letter: [item for item in resolvers if item[0] != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _kind(path: Path, content: Any) -> str:
    if dbt.is_manifest(content):
        return "dbt"
    if ossie.is_model(content):
        return "ossie"
    if contracts.is_contract(content):
        return "odcs"
    if dbt.is_yaml(content):
        raise UsageError(f"{path} is a dbt project's YAML; {dbt.ADVICE}, and give its folder")
    return ""


def _data_files(data: Sequence[Path]) -> tuple[Path | None, dict[str, dict[str, Any]]]:
    """Return the folder of data files, and by their names how each is read."""
    if not data:
        return None, {}
    # brings pandas and DuckDB, which definitions alone do not need
    from dataops_nb import profile  # noqa: PLC0415

    draft = profile.draft(list(data))
    files: dict[str, dict[str, Any]] = {}
    for options in draft.sources.values():
        kept = {key: value for key, value in options.items() if key not in ("columns", "system")}
        files[Path(options["path"]).stem.casefold()] = kept
    return draft.data, files


def _relative(folder: Path, target: Path) -> str:
    """Return the data folder, relative to the workbench where it lies beside or within it."""
    relative = os.path.relpath(folder, target)
    if relative.count("..") <= 1:
        return Path(relative).as_posix()
    return folder.as_posix()
