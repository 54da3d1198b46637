"""Read an Apache Ossie model (Open Semantic Interchange): datasets become sources.

Its metrics are expressions, which `expressions` takes apart. Versions 0.1.0, 0.1.1 and 0.2.0.dev0
are read; the key names of all three are checked. A relationship is a join there and a promise
here, so it becomes a question, not a rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dataops_nb.errors import UsageError
from dataops_nb.interchange import expressions, extensions
from dataops_nb.interchange.dbt_filters import PLAIN, RefusedError
from dataops_nb.interchange.documents import Lines, check_document
from dataops_nb.interchange.expressions import Reader
from dataops_nb.interchange.extensions import VENDOR
from dataops_nb.interchange.imported import STANDARD_LIGHTS, Imported, free_name
from dataops_nb.interchange.ossie_export import dataset_of
from dataops_nb.interchange.ossie_shape import DOCUMENT
from dataops_nb.profile.names import title

VERSIONS = ("0.1.0", "0.1.1", "0.2.0.dev0")
WAREHOUSE = "env:WAREHOUSE_URL"
DBTS = "osi_document.json"
DIALECTS = ("ANSI_SQL",)
TYPES = {
    "String": "text",
    "Integer": "integer",
    "Decimal": "decimal",
    "Float": "decimal",
    "Boolean": "boolean",
    "Date": "date",
    "Time": "text",
    "DateTime": "timestamp",
    "DateTimeTz": "timestamp",
}
TEMPORAL = ("Date", "DateTime", "DateTimeTz")
QUERY = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
Document = dict[str, Any]


def is_model(content: Any) -> bool:
    """Tell whether a document is an Ossie model, or an ontology of the same project."""
    if not isinstance(content, dict):
        return False
    return "semantic_model" in content or ("ontology" in content and "version" in content)


def read_model(
    path: Path, content: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]
) -> Imported:
    """Return what an Ossie document says, as files of params/."""
    if "semantic_model" not in content:
        kind = "an ontology, which says what things are and not how they are measured"
        raise UsageError(f"{path}: holds {kind}; there is no semantic_model in it")
    version = str(content.get("version"))
    if version not in VERSIONS:
        raise UsageError(f"{path}: Ossie {version}: this reads {', '.join(VERSIONS)}")
    check_document(path, dict(content), DOCUMENT)
    models = content["semantic_model"]
    imported = Imported(f"Ossie model {', '.join(m['name'] for m in models)}", file=path.name)
    imported.company = {
        "company": title(models[0]["name"]) if models else "Company",
        "timezone": "UTC",
        "lights": {"standard": STANDARD_LIGHTS},
    }
    if path.name == DBTS:
        imported.change(
            DBTS,
            "was written by dbt, and says a plain aggregation where the project has a stock, a "
            "window or another period; give the project's semantic_manifest.json",
        )
    lines = Lines(path)
    for number, model in enumerate(models):
        _Model(imported, model, files, lines, number).read()
    return imported


class _Model:
    """One semantic model of a document."""

    def __init__(
        self,
        imported: Imported,
        model: Mapping[str, Any],
        files: Mapping[str, Mapping[str, Any]],
        lines: Lines,
        number: int,
    ) -> None:
        self.imported = imported
        self.model = model
        self.files = files
        self.lines = lines
        self.number = number
        self.ids: dict[str, str] = {}
        self.fields: dict[str, dict[str, Mapping[str, Any]]] = {}
        self.own = own_extension(model)
        self.taken: set[str] = set()

    def read(self) -> None:
        imported = self.imported
        self._place()
        if self.own.get("company"):
            extensions.read_company(imported, self.own)
        self._tell_context(self.model, self.model["name"])
        for dataset in self.model["datasets"]:
            self._add_dataset(dataset)
        for relationship in self.model.get("relationships") or []:
            self._read_relationship(relationship)
        documents = self._metrics()
        documents |= extensions.whole_metrics(self.own, imported)
        extensions.place_metrics(imported, self.own, documents)
        if documents:
            name = free_name(identifier(self.model["name"]), imported.departments)
            department = {"department": title(self.model["name"]), "metrics": documents}
            imported.departments[name] = department

    def _place(self) -> None:
        """Note the line of each dataset, relationship and metric."""
        for kind in ("datasets", "relationships", "metrics"):
            for number, item in enumerate(self.model.get(kind) or []):
                steps = ("semantic_model", self.number, kind, number, "name")
                line = self.lines.at(steps)
                self.imported.places[identifier(item["name"])] = (self.imported.file, line)

    # --- datasets --------------------------------------------------------------------------------

    def _add_dataset(self, dataset: Mapping[str, Any]) -> None:
        imported = self.imported
        name = identifier(dataset["name"])
        if name in imported.sources:
            raise UsageError(
                f"{imported.file}: two datasets are called {name}; take one model at a time"
            )
        self.ids[dataset["name"]] = name
        self.fields[name] = {field["name"]: field for field in dataset.get("fields") or []}
        options = self.files.get(_last_part(dataset["source"])) or self.files.get(name.casefold())
        exported = own_extension(dataset).get("source")
        native = self._native_source(dataset, name, options)
        if isinstance(exported, dict):
            imported.sources[name] = self._whole_source(dataset, name, exported, native, options)
        else:
            imported.sources[name] = native
            self._tell_context(dataset, name)
        place = native.get("path") or native.get("table") or "its query"
        imported.keep(name, f"source of {place}")

    def _whole_source(
        self,
        dataset: Mapping[str, Any],
        name: str,
        exported: Document,
        native: Document,
        options: Mapping[str, Any] | None,
    ) -> Document:
        source = dict(exported)
        if options:
            source["path"] = options["path"]
        written = dataset_of(name, exported)
        keys = ("source", "primary_key", "unique_keys", "fields")
        if all(written.get(key) == dataset.get(key) for key in keys):
            return source
        self.imported.change(name, "was changed there since it was exported; key and types count")
        columns = {column: dict(rule) for column, rule in source.get("columns", {}).items()}
        for column, rule in native.get("columns", {}).items():
            columns[column] = {**columns.get(column, {}), **rule}
        changed: Document = dict(source)
        for key in ("key", "time"):
            if key in native:
                changed[key] = native[key]
        return {**changed, "columns": columns} if columns else changed

    def _native_source(
        self, dataset: Mapping[str, Any], name: str, options: Mapping[str, Any] | None
    ) -> Document:
        imported = self.imported
        source: Document = {"system": title(self.model["name"])}
        text = dataset["source"]
        if options:
            source |= options
        elif QUERY.match(text):
            source |= {"url": WAREHOUSE, "query": text}
        else:
            source |= {"url": WAREHOUSE, "table": text}
        key = dataset.get("primary_key")
        if key:
            source["key"] = key[0] if len(key) == 1 else list(key)
        columns = self._typed_columns(name)
        for unique in dataset.get("unique_keys") or []:
            if len(unique) == 1:
                columns.setdefault(unique[0], {})["unique"] = True
            elif list(unique) != list(key or []):
                imported.refuse(name, f"unique over {', '.join(unique)}; only single columns are")
        if columns:
            source["columns"] = columns
        times = self._times(name)
        if len(times) == 1:
            source["time"] = times[0]
        elif times:
            imported.refuse(f"{name}.time", f"several times: {', '.join(times)}; say time:")
        return source

    def _typed_columns(self, name: str) -> Document:
        columns: Document = {}
        for field in self.fields[name].values():
            column = self._column(field)
            datatype = field.get("datatype")
            if column and datatype in TYPES:
                columns[column] = {"type": TYPES[datatype]}
            if datatype in ("Float", "Time", "Opaque"):
                becomes = TYPES.get(datatype, "what its values are")
                self.imported.change(f"{name}.{field['name']}", f"{datatype} there, {becomes} here")
        return columns

    def _column(self, field: Mapping[str, Any]) -> str | None:
        text = self._expression(field)
        return text if text and PLAIN.fullmatch(text) else None

    def _expression(self, element: Mapping[str, Any]) -> str | None:
        """Return the expression that can be read here; None where only other dialects have one."""
        for dialect in element["expression"]["dialects"]:
            if dialect["dialect"] in DIALECTS:
                return " ".join(dialect["expression"].split())
        return None

    def _times(self, name: str) -> list[str]:
        """Return the columns that place a dataset's rows in time: days and moments, not years.

        Fields that are only said to be of time count where none has such a type.
        """
        typed, untyped = [], []
        for field in self.fields[name].values():
            column = self._column(field)
            datatype = field.get("datatype")
            role = (field.get("dimension") or {}).get("is_time")
            if column and datatype in TEMPORAL and role is not False:
                typed.append(column)
            elif column and datatype is None and role:
                untyped.append(column)
        return typed or untyped

    def _read_relationship(self, relationship: Mapping[str, Any]) -> None:
        imported = self.imported
        name = relationship["name"]
        many, one = (self.ids.get(relationship[end]) for end in ("from", "to"))
        if many is None or one is None:
            imported.refuse(name, "joins a dataset that is not in the model")
            return
        own, other = relationship["from_columns"], relationship["to_columns"]
        if len(own) != 1 or len(other) != 1:
            imported.refuse(name, "joins over several columns; references take one")
            return
        rule = imported.sources[many].get("columns", {}).get(own[0], {})
        target = f"{one}.{other[0]}"
        if rule.get("references") == target:
            return
        imported.remark(many, f"ask: is each {own[0]} there?  {own[0]}: {{references: {target}}}")
        imported.change(
            name, f"a join there; here a question at source {many}, because a rule could fail"
        )
        self._date(many, one, own[0], other[0])

    def _date(self, many: str, one: str, own: str, other: str) -> None:
        """Give rows without a time that of the dataset behind a relationship, if it has one."""
        sources = self.imported.sources
        time = sources[one].get("time")
        dated = f"{many}_dated"
        if sources[many].get("time") or not time or dated in sources or self._times(many):
            return
        source: Document = {"system": sources[many]["system"], "time": time}
        if "key" in sources[many]:
            source["key"] = sources[many]["key"]
        source["query"] = (
            f'select {many}.*, {one}."{time}" from {many} left join {one} '
            f'on {many}."{own}" = {one}."{other}"'
        )
        sources[dated] = source
        self.imported.keep(dated, f"source: {many} with the time of {one}, which its metrics need")

    # --- metrics ---------------------------------------------------------------------------------

    def _metrics(self) -> dict[str, Document]:
        written = self.model.get("metrics") or []
        self.taken = {identifier(metric["name"]) for metric in written}
        definitions = self._definitions(written)
        reader = Reader(self._table_of, self._column_of, self._table_of_rows, self.taken)
        documents: dict[str, Document] = {}
        for metric in written:
            name = identifier(metric["name"])
            try:
                documents |= self._metric(name, metric, reader, definitions)
            except RefusedError as refusal:
                self.imported.refuse(name, str(refusal))
            else:
                self.imported.keep(name, "metric")
        return documents

    def _definitions(self, written: list[Mapping[str, Any]]) -> dict[str, Document]:
        """Return the definitions of ours that travel with metrics or with the model."""
        definitions = dict(self.own.get("metrics") or {})
        for metric in written:
            definition = own_extension(metric).get("definition")
            if isinstance(definition, dict):
                definitions[identifier(metric["name"])] = definition
        return definitions

    def _metric(
        self,
        name: str,
        metric: Mapping[str, Any],
        reader: Reader,
        definitions: Mapping[str, Document],
    ) -> dict[str, Document]:
        text = self._expression(metric)
        definition = definitions.get(name)
        if definition is not None and text == self._as_exported(name, definitions):
            return {name: definition}
        if text is None:
            known = [dialect["dialect"] for dialect in metric["expression"]["dialects"]]
            raise RefusedError(f"no ANSI_SQL text, only {', '.join(known)}")
        documents = reader.read(name, text)
        for part, document in documents.items():
            measure = document.get("measure")
            if measure:
                self._give_time(measure)
                self._give_splits(document, measure["source"])
            if part != name:
                self.imported.keep(part, f"made, as a part of {name}")
        if definition is not None:
            native = documents[name]
            documents[name] = extensions.merged(name, definition, native, self.imported)
        elif metric["name"] != name:
            documents[name] = {"label": metric["name"], **documents[name]}
        description = metric.get("description") or ""
        if description.strip().endswith("?"):
            documents[name] = {"question": " ".join(description.split()), **documents[name]}
        elif description and definition is None:
            self.imported.remark(name, description)
        self._tell_context(metric, name)
        return documents

    def _as_exported(self, name: str, definitions: Mapping[str, Document]) -> str | None:
        """Return the expression that an export writes for a definition of ours."""
        try:
            text = expressions.write(name, definitions, self.imported.sources)
        except (RefusedError, KeyError):
            return None
        return " ".join(text.split())

    def _give_time(self, measure: Document) -> None:
        source = measure["source"]
        sources = self.imported.sources
        if sources[source].get("time"):
            return
        if f"{source}_dated" in sources:
            measure["source"] = f"{source}_dated"
            return
        times = self._times(source)
        if times:
            raise RefusedError(f"{source} has several times, {', '.join(times)}; none is said")
        raise RefusedError(f"its dataset {source} has no time")

    def _give_splits(self, document: Document, source: str) -> None:
        columns = []
        for field in self.fields.get(source.removesuffix("_dated"), {}).values():
            column = self._column(field)
            if column and field.get("datatype") in ("String", "Boolean") and field.get("dimension"):
                columns.append(column)
        if columns:
            document["by"] = columns

    def _table_of(self, column: str) -> str:
        owners = [name for name, fields in self.fields.items() if column in fields]
        if len(owners) == 1:
            return owners[0]
        if len(self.fields) == 1:
            return next(iter(self.fields))
        raise RefusedError(f"names {column} without its dataset")

    def _column_of(self, source: str, column: str) -> str:
        if source not in self.fields:
            raise RefusedError(f"names dataset {source}, which is not in the model")
        field = self.fields[source].get(column)
        if field is None:
            return column if PLAIN.fullmatch(column) else f'"{column}"'
        text = self._expression(field)
        if text is None:
            raise RefusedError(f"names {source}.{column}, which has no ANSI_SQL text")
        return text

    def _table_of_rows(self) -> str:
        dated = [name for name in self.fields if self.imported.sources[name].get("time")]
        if len(dated) == 1:
            return dated[0]
        raise RefusedError("COUNT(*) names no dataset, and several have a time")

    def _tell_context(self, element: Mapping[str, Any], name: str) -> None:
        """Say which texts and extensions of others have no place here."""
        for extension in element.get("custom_extensions") or []:
            if extension["vendor_name"] != VENDOR:
                self.imported.refuse(name, f"an extension of {extension['vendor_name']}")
        if element.get("ai_context"):
            self.imported.refuse(name, "its ai_context; nothing here holds instructions")
        fields = [field["name"] for field in element.get("fields") or [] if field.get("ai_context")]
        if fields:
            self.imported.refuse(name, f"ai_context of {', '.join(fields)}")


def own_extension(element: Mapping[str, Any]) -> Document:
    """Return what we have put into an element; nothing where it is not ours or no JSON."""
    for extension in own_extensions(element):
        try:
            data = json.loads(extension)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}
    return {}


def own_extensions(element: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of our extensions."""
    for extension in element.get("custom_extensions") or []:
        if extension.get("vendor_name") == VENDOR:
            yield extension.get("data", "")


def identifier(name: str) -> str:
    """Return a name as an id here: letters, digits and _, a letter first."""
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "model"
    return plain if plain[0].isalpha() else f"m_{plain}"


def _last_part(text: str) -> str:
    return text.rpartition(".")[2].strip('"`[] ').casefold()
