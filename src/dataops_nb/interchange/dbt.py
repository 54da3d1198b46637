"""Read a dbt project: its semantic manifest, as `dbt parse` writes it from either spec.

The manifest is what MetricFlow answers from, so the import follows it, not the YAML. A semantic
model becomes a source, a group a department. Neither Jinja nor SQL of the project is run, and no
warehouse is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from dataops_nb.errors import UsageError
from dataops_nb.interchange.dbt_filters import Filter, Model, RefusedError
from dataops_nb.interchange.dbt_metrics import Metrics
from dataops_nb.interchange.dbt_shape import MANIFEST as SHAPE
from dataops_nb.interchange.documents import check_document
from dataops_nb.interchange.extensions import place_metrics, read_company, whole_metrics
from dataops_nb.interchange.imported import STANDARD_LIGHTS, Imported
from dataops_nb.profile.names import title

MANIFEST = "semantic_manifest.json"
WAREHOUSE = "env:DBT_WAREHOUSE_URL"
# Lists of a project's YAML, and what the manifest calls their items.
DEFINED = {"metrics": "metrics", "semantic_models": "semantic_models", "models": "semantic_models"}
ADVICE = "run 'dbt parse --no-partial-parse' there first"


def find_manifest(path: Path) -> Path | None:
    """Return the manifest of a project's folder, or of a file in its target/; else None.

    Raises UsageError for a project that was never parsed, and for the document of another standard
    that dbt writes beside the manifest, which has lost offsets, stocks and filters.
    """
    if path.is_dir():
        if not (path / "dbt_project.yml").is_file():
            return None
        target = path / _target(path)
        if not (target / MANIFEST).is_file():
            raise UsageError(f"no {_target(path)}/{MANIFEST} in {path}; {ADVICE}")
        return target / MANIFEST
    beside = path.with_name(MANIFEST)
    if path.name == "osi_document.json" and beside.is_file():
        lost = "was written by dbt and has lost offsets, stocks and filters"
        raise UsageError(f"{path} {lost}; give {beside}")
    return None


def is_manifest(content: Any) -> bool:
    """Tell whether a document is a semantic manifest, whatever its file is called."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("semantic_models"), list)
        and isinstance(content.get("metrics"), list)
        and "project_configuration" in content
    )


def is_yaml(content: Any) -> bool:
    """Tell whether a document is YAML of a dbt project, which needs dbt to be read."""
    lists = ("semantic_models", "metrics", "models")
    if not isinstance(content, dict) or content.get("version", 2) != 2:
        return False
    return any(isinstance(content.get(name), list) for name in lists)


def read_project(
    path: Path, content: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]
) -> Imported:
    """Return what a semantic manifest says, as files of params/.

    `files` are the data files at hand by name, each with the options of its source.
    """
    check_document(path, dict(content), SHAPE)
    project = _Project(path, content)
    imported = Imported(f"dbt project {project.name}", file=path.name)
    imported.places = project.places()
    imported.company = {
        "company": title(project.name),
        "timezone": "UTC",
        "lights": {"standard": STANDARD_LIGHTS},
    }
    extension = project.extension()
    if extension:
        read_company(imported, extension)
    for model in project.models.values():
        _add_source(imported, model, project, files)
    metrics = Metrics(content, project.models, _Joins(imported, project).source, imported)
    metrics.turn_all()
    documents = {**metrics.documents, **whole_metrics(extension, imported)}
    place_metrics(imported, extension, documents)
    for name, document in documents.items():
        _place(imported, project, name, document)
    if not imported.is_ours:
        _say_differences(imported, project)
    for exposure in project.exposures():
        imported.refuse(exposure, "an exposure; nothing here holds it")
    for saved in content.get("saved_queries") or []:
        imported.refuse(saved["name"], "a saved query; dataops-nb metric values asks the same")
    return imported


def _target(folder: Path) -> str:
    """Return where a project's folder has what dbt writes."""
    try:
        settings = yaml.safe_load((folder / "dbt_project.yml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return "target"
    target = settings.get("target-path") if isinstance(settings, dict) else None
    return target if isinstance(target, str) and "{" not in target else "target"


class _Project:
    """A manifest with what stands beside it: groups, file names, and how old it is."""

    def __init__(self, path: Path, content: Mapping[str, Any]) -> None:
        self.path = path
        self.content = content
        self.root = path.parent.parent
        self.nodes = self._read_nodes()
        self.name = self._name()
        self.models: dict[str, Model] = {}
        for written in content["semantic_models"]:
            self.models[written["name"]] = _model(written)

    def _read_nodes(self) -> dict[str, Any]:
        """Return dbt's large manifest; nothing where it is not there."""
        try:
            content = json.loads(self.path.with_name("manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        kinds = ("metrics", "semantic_models", "groups")
        if not isinstance(content, dict):
            return {}
        if not all(isinstance(content.get(kind, {}), dict) for kind in kinds):
            return {}
        return content

    def _name(self) -> str:
        name = (self.nodes.get("metadata") or {}).get("project_name")
        if name:
            return str(name)
        settings = self.root / "dbt_project.yml"
        if settings.is_file():
            match = re.search(r"^name:\s*['\"]?([\w-]+)", settings.read_text("utf-8"), re.MULTILINE)
            if match:
                return match[1]
        return "dbt"

    def extension(self) -> dict[str, Any]:
        """Return our own definitions that an export has put into a model's meta."""
        for written in self.content["semantic_models"]:
            meta = ((written.get("config") or {}).get("meta") or {}).get("dataops_nb") or {}
            if isinstance(meta, dict) and meta.get("company"):
                return meta
        return {}

    def places(self) -> dict[str, tuple[str, int | None]]:
        """Return the file and line in which each metric, else each model, is defined."""
        places: dict[str, tuple[str, int | None]] = {}
        lines: dict[str, dict[tuple[str, str], int]] = {}
        for kind in ("semantic_models", "metrics"):
            for node in (self.nodes.get(kind) or {}).values():
                file = node.get("original_file_path")
                if not file:
                    continue
                if file not in lines:
                    lines[file] = _named_lines(self.root / file)
                places[node["name"]] = (file, lines[file].get((kind, node["name"])))
        return places

    def group_of(self, metric: str) -> tuple[str, str, str | None]:
        """Return a metric's department: id, name and owner; the project where it has no group."""
        for node in (self.nodes.get("metrics") or {}).values():
            group = node.get("group") or (node.get("config") or {}).get("group")
            if node["name"] == metric and group:
                return group, title(group), self._owner(group)
        return self.name, title(self.name), None

    def _owner(self, group: str) -> str | None:
        for node in (self.nodes.get("groups") or {}).values():
            if node["name"] == group:
                owner = node.get("owner") or {}
                return owner.get("name") or owner.get("email")
        return None

    def description(self, metric: str) -> str:
        """Return what a metric's description says."""
        for original in self.content["metrics"]:
            if original["name"] == metric:
                return original.get("description") or ""
        return ""

    def exposures(self) -> list[str]:
        """Return what else the project says is made of its models."""
        exposures = self.nodes.get("exposures") or {}
        return [node["name"] for node in exposures.values()] if isinstance(exposures, dict) else []

    def newer_files(self) -> list[str]:
        """Return YAML files of the project that were changed after the manifest was written."""
        if not (self.root / "dbt_project.yml").is_file():
            return []
        written_at = self.path.stat().st_mtime
        newer = []
        for file in {file for file, _ in self.places().values()}:
            path = self.root / file
            if path.is_file() and path.stat().st_mtime > written_at:
                newer.append(file)
        return sorted(newer)


def _named_lines(path: Path) -> dict[tuple[str, str], int]:
    """Return the line of each metric and model that a YAML file of the project defines."""
    lines: dict[tuple[str, str], int] = {}
    try:
        tree = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError):
        return lines
    _collect_lines(tree, "", lines)
    return lines


def _collect_lines(node: Any, kind: str, lines: dict[tuple[str, str], int]) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _collect_lines(item, kind, lines)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        if key.value == "name" and kind:
            lines.setdefault((kind, str(value.value)), value.start_mark.line + 1)
        elif key.value in DEFINED:
            _collect_lines(value, DEFINED[key.value], lines)


def _by_name(elements: Iterable[dict[str, Any]] | None) -> dict[str, dict[str, Any]]:
    return {element["name"]: element for element in elements or []}


def _model(written: Mapping[str, Any]) -> Model:
    entities = _by_name(written.get("entities"))
    primary = written.get("primary_entity") or ""
    for name, entity in entities.items():
        if entity["type"] == "primary":
            primary = name
    defaults_time = (written.get("defaults") or {}).get("agg_time_dimension")
    return Model(
        name=written["name"],
        entities=entities,
        dimensions=_by_name(written.get("dimensions")),
        measures=_by_name(written.get("measures")),
        primary=primary,
        written={**written, "defaults_time": defaults_time},
    )


# --- sources -------------------------------------------------------------------------------------


def _add_source(
    imported: Imported,
    model: Model,
    project: _Project,
    files: Mapping[str, Mapping[str, Any]],
) -> None:
    """Add the source of a semantic model: a data file of its name, else the warehouse's table."""
    relation = model.written["node_relation"]
    source: dict[str, Any] = {"system": title(project.name)}
    name = model.name
    meta = ((model.written.get("config") or {}).get("meta") or {}).get("dataops_nb") or {}
    exported = meta.get("source") if isinstance(meta, dict) else None
    options = files.get(relation["alias"].casefold()) or files.get(name.casefold())
    if isinstance(exported, dict):
        imported.sources[name] = dict(exported) | (dict(options) if options else {})
        imported.keep(name, "source, as it was exported")
        return
    if options:
        source |= options
        imported.keep(name, f"source of {options['path']}")
    else:
        table = ".".join(filter(None, [relation.get("schema_name"), relation["alias"]]))
        source |= {"url": WAREHOUSE, "table": table}
        imported.keep(name, f"source of table {table}; {WAREHOUSE} must hold its address")
    primary = model.entities.get(model.primary)
    key = model.column(primary) if primary else None
    if key:
        source["key"] = key
    elif primary:
        imported.refuse(f"{name}.{model.primary}", "its key is computed, not a column")
    time = model.dimensions.get(model.written["defaults_time"] or "")
    if time and model.column(time):
        source["time"] = model.column(time)
    _add_columns(imported, model, source)
    imported.sources[name] = source


def _add_columns(imported: Imported, model: Model, source: dict[str, Any]) -> None:
    name = model.name
    columns: dict[str, Any] = {}
    for entity in model.entities.values():
        column = model.column(entity)
        if entity["type"] == "unique" and column:
            columns[column] = {"unique": True}
        if entity["type"] == "foreign" and column:
            imported.remark(
                name,
                f"ask: does every {column} stand in the model behind {entity['name']}? dbt does "
                f"not promise it:  {column}: {{references: SOURCE.KEY}}",
            )
        if entity["type"] == "natural":
            imported.refuse(f"{name}.{entity['name']}", "a natural key, valid for a time")
    for dimension in model.dimensions.values():
        validity = (dimension.get("type_params") or {}).get("validity_params")
        if validity:
            imported.refuse(f"{name}.{dimension['name']}", "says for how long a row is valid")
        elif dimension["type"] == "categorical" and not model.column(dimension):
            expression = " ".join(model.expression(dimension).split())
            imported.refuse(
                f"{name}.{dimension['name']}",
                f"computed ({expression}), and by takes columns; a source query can add it",
            )
    if columns:
        source["columns"] = columns


class _Joins:
    """The sources that hold a model's rows with columns of other models, as filters need them."""

    def __init__(self, imported: Imported, project: _Project) -> None:
        self.imported = imported
        self.models = project.models
        self._columns: dict[str, set[tuple[str, str, str]]] = {}

    def source(self, model: Model, condition: Filter) -> str:
        """Return the name of the source that holds what a filter needs."""
        entities = sorted({join.entity for join in condition.joins})
        name = "_with_".join([model.name, *entities])
        columns = self._columns.setdefault(name, set())
        columns |= {(join.entity, join.model, join.dimension) for join in condition.joins}
        selects, joins = [f"{model.name}.*"], []
        for entity in entities:
            others = sorted(item for item in columns if item[0] == entity)
            selects += [f"{entity}.{entity}__{dimension}" for _, _, dimension in others]
            joins.append(_join(model, self.models[others[0][1]], entity, others))
        base = self.imported.sources[model.name]
        source: dict[str, Any] = {}
        for key in ("system", "owner", "key", "time"):
            if key in base:
                source[key] = base[key]
        source["query"] = f"select {', '.join(selects)} from {model.name} {' '.join(joins)}"
        if name not in self.imported.sources:
            text = f"source: {model.name} with columns of {', '.join(entities)}"
            self.imported.keep(name, text)
        self.imported.sources[name] = source
        return name


def _join(model: Model, other: Model, entity: str, columns: list[tuple[str, str, str]]) -> str:
    """Return a left join that keeps each row of the model once, as long as the other key is one."""
    own = model.expression(model.entities[entity])
    if entity not in other.entities:
        raise RefusedError(f"entity {entity} of {other.name} has no column")
    key = other.expression(other.entities[entity])
    selects = [f"{key} as {entity}_key"]
    for _, _, dimension in columns:
        expression = other.expression(other.dimensions[dimension])
        selects.append(f"{expression} as {entity}__{dimension}")
    inner = f"select {', '.join(selects)} from {other.name}"
    place = own if not own.isidentifier() else f"{model.name}.{own}"
    return f"left join ({inner}) as {entity} on {place} = {entity}.{entity}_key"


# --- departments and notes -----------------------------------------------------------------------


def _place(imported: Imported, project: _Project, name: str, document: dict[str, Any]) -> None:
    """Put a metric into the department of its group."""
    group, label, owner = project.group_of(name)
    if group not in imported.departments:
        department: dict[str, Any] = {"department": label, "metrics": {}}
        imported.departments[group] = department
        if owner:
            imported.departments[group]["owner"] = owner
    ordered: dict[str, Any] = {}
    for key in ("label", "question", "type"):
        if key in document:
            ordered[key] = document[key]
    imported.departments[group]["metrics"][name] = {**ordered, **document}
    description = " ".join(project.description(name).split())
    if description and not description.endswith("?"):
        imported.remark(name, description)


def _say_differences(imported: Imported, project: _Project) -> None:
    """Say once what differs for every metric, and what the manifest itself may have lost."""
    imported.change(
        "periods without rows",
        "no row there, or null where it is joined to a time spine; here counts and sums are 0 "
        "inside the days that the source covers, and ratios of them 0 or missing",
    )
    imported.change(
        "after the last row",
        "a window goes on there to the end of the time spine, sinking; here the value is missing",
    )
    imported.change(
        "weeks",
        "start on Monday, as on DuckDB, Postgres and BigQuery; on Snowflake its account decides",
    )
    if any(source.get("key") for source in imported.sources.values()):
        imported.change(
            "rows that stand twice",
            "count twice there; here rows that are alike in all columns count once, and others "
            "with one key are a fault",
        )
    configuration = project.content.get("project_configuration") or {}
    for spine in configuration.get("time_spines") or []:
        for custom in spine.get("custom_granularities") or []:
            imported.refuse(custom["name"], "a calendar of its own; say it in calendar:")
    newer = project.newer_files()
    if newer:
        imported.change(
            project.path.name, f"is older than {', '.join(newer)}; {ADVICE} to have their latest"
        )
