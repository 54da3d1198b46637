"""Read an Open Data Contract, versions 3.0 to 3.2: each entry of its schema becomes a source.

What the contract promises becomes the source's rules, and `check` then names the rows that break
one. A rule that nothing here checks is listed, one line a rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dataops_nb.errors import DefinitionsError, Mistake, UsageError
from dataops_nb.interchange import extensions
from dataops_nb.interchange.contract_rules import Rules
from dataops_nb.interchange.contract_shape import CONTRACT, OPERATORS
from dataops_nb.interchange.contracts_export import (
    COMPANY_PROPERTY,
    SOURCE_PROPERTY,
    schema_of,
)
from dataops_nb.interchange.dbt_filters import PLAIN, RefusedError
from dataops_nb.interchange.documents import Lines, check_document
from dataops_nb.interchange.expressions import Reader
from dataops_nb.interchange.imported import STANDARD_LIGHTS, Imported, free_name
from dataops_nb.interchange.ossie import identifier
from dataops_nb.profile.names import title

VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
WITHOUT_TABLES = ("api", "kafka", "kinesis", "pubsub")
IN_THE_CLOUD = ("s3", "azure", "gcs", "sftp")
LOCAL_FORMATS = ("csv", "json", "parquet", "xlsx", "tsv")
PROMISED = ("freshness", "latency")
DAYS = {"d": 1.0, "h": 1 / 24, "m": 1 / 1440, "min": 1 / 1440, "s": 1 / 86400, "w": 7.0, "y": 365.0}

Document = dict[str, Any]


def is_contract(content: Any) -> bool:
    """Tell whether a document is a data contract of the open standard."""
    return isinstance(content, dict) and content.get("kind") == "DataContract"


def read_contract(
    path: Path, content: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]
) -> Imported:
    """Return what a data contract says, as files of params/."""
    version = str(content.get("apiVersion"))
    if version not in VERSIONS:
        raise UsageError(
            f"{path}: data contract {version}: this reads {VERSIONS[0]} to {VERSIONS[-1]}"
        )
    check_document(path, dict(content), CONTRACT)
    _check_operators(path, content)
    name = content.get("name") or content.get("dataProduct") or content["id"]
    imported = Imported(f"data contract {name}", file=path.name)
    imported.company = {
        "company": title(name),
        "timezone": "UTC",
        "lights": {"standard": STANDARD_LIGHTS},
    }
    head = _own(content, COMPANY_PROPERTY)
    if head:
        extensions.read_company(imported, {**head, "files": {}})
    contract = _Contract(imported, content, files, title(name))
    contract.place(Lines(path))
    for entry in content.get("schema") or []:
        contract.add(entry)
    contract.refer()
    contract.promise()
    contract.tell()
    contract.count_rows()
    return imported


def _own(element: Mapping[str, Any], name: str) -> Document:
    """Return what an export of ours has put into custom properties."""
    for custom in element.get("customProperties") or []:
        if custom.get("property") == name and isinstance(custom.get("value"), dict):
            return dict(custom["value"])
    return {}


def _check_operators(path: Path, content: Mapping[str, Any]) -> None:
    """Raise DefinitionsError for rules that say no limit, which the standard's own reader takes."""
    lines, mistakes = Lines(path), []
    for steps, rule in _rules(content):
        kind = rule.get("type") or ("library" if _metric(rule) else "text")
        operators = [key for key in OPERATORS if rule.get(key) is not None]
        if kind in ("library", "sql") and len(operators) != 1:
            key = ".".join(str(step) for step in steps)
            message = f"a rule has one of {', '.join(OPERATORS)}, and this has {len(operators)}"
            mistakes.append(Mistake(str(path), lines.at(steps) or 1, key, message))
    if mistakes:
        raise DefinitionsError(mistakes)


def _rules(content: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
    for number, entry in enumerate(content.get("schema") or []):
        place = ("schema", number)
        for position, rule in enumerate(entry.get("quality") or []):
            yield (*place, "quality", position), rule
        for index, column in enumerate(entry.get("properties") or []):
            for position, rule in enumerate(column.get("quality") or []):
                yield (*place, "properties", index, "quality", position), rule


def _metric(rule: Mapping[str, Any]) -> str:
    return rule.get("metric") or rule.get("rule") or ""


class _Contract:
    def __init__(
        self,
        imported: Imported,
        content: Mapping[str, Any],
        files: Mapping[str, Mapping[str, Any]],
        system: str,
    ) -> None:
        self.imported = imported
        self.content = content
        self.files = files
        self.system = system
        self.server = self._choose_server()
        self.names: dict[str, str] = {}
        self.columns: dict[tuple[str, str], str] = {}
        self.exported: set[str] = set()

    def place(self, lines: Lines) -> None:
        """Note the line of each table and column."""
        file = self.imported.file
        for number, entry in enumerate(self.content.get("schema") or []):
            name = identifier(entry["name"])
            steps: tuple[Any, ...] = ("schema", number)
            self.imported.places[name] = (file, lines.at((*steps, "name")))
            for index, column in enumerate(entry.get("properties") or []):
                line = lines.at((*steps, "properties", index, "name"))
                self.imported.places[f"{name}.{column['name']}"] = (file, line)

    def _choose_server(self) -> Mapping[str, Any] | None:
        """Return the server whose tables are read: production's, else the first one."""
        servers = self.content.get("servers") or []
        if not servers:
            return None
        chosen: Mapping[str, Any] = servers[0]
        for server in servers:
            if str(server.get("environment", "")).lower() in ("prod", "production"):
                chosen = server
                break
        if len(servers) > 1:
            known = ", ".join(server["server"] for server in servers)
            self.imported.change(
                "servers", f"there are {known}; {chosen['server']} is taken, change path: or url:"
            )
        return chosen

    # --- one table -------------------------------------------------------------------------------

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add the source of one entry of the schema."""
        name = identifier(entry["name"])
        self.names[entry["name"]] = name
        try:
            native = {"system": self.system, **self._where(entry, name)}
        except RefusedError as refusal:
            self.imported.refuse(name, str(refusal))
            return
        owner = self._owner()
        if owner:
            native["owner"] = owner
        native |= self._agreed(entry, name)
        exported = _own(entry, SOURCE_PROPERTY).get("source")
        if isinstance(exported, dict):
            native = self._merge(entry, name, exported, native)
        self.imported.sources[name] = native
        place = native.get("path") or native.get("table") or "its query"
        self.imported.keep(name, f"source of {place}")
        if not isinstance(exported, dict):
            self._add_metrics(entry, name)

    def _merge(
        self, entry: Mapping[str, Any], name: str, exported: Document, native: Document
    ) -> Document:
        """Return a source as it was exported, or with what the contract has changed since."""
        self.exported.add(name)
        source = dict(exported)
        options = self._file(entry, name)
        if options:
            source["path"] = options["path"]
        if _without_order(entry) == _without_order(schema_of(name, exported)):
            return source
        self.imported.change(name, "was changed since it was exported; its rules count")
        for key in ("key", "columns", "rows"):
            if key in native:
                source[key] = native[key]
        return source

    def _file(self, entry: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
        for called in (entry.get("physicalName"), entry["name"], name):
            if called and called.rpartition(".")[2].casefold() in self.files:
                return self.files[called.rpartition(".")[2].casefold()]
            if called and called.casefold() in self.files:
                return self.files[called.casefold()]
        return None

    def _where(self, entry: Mapping[str, Any], name: str) -> Document:
        """Return where a table lies: a data file of its name, a file or a table of the server."""
        options = self._file(entry, name)
        if options:
            return dict(options)
        table = entry.get("physicalName") or entry["name"]
        server = self.server
        if server is None:
            return {"url": "env:WAREHOUSE_URL", "table": table}
        kind = server["type"]
        if kind in WITHOUT_TABLES:
            raise RefusedError(f"its server {server['server']} is {kind}, which has no tables")
        if kind in IN_THE_CLOUD:
            raise RefusedError(f"it lies in {kind}; give a copy of it as a file called {table}")
        if kind == "local":
            return self._local(server, entry["name"])
        schema = server.get("schema") or server.get("dataset")
        if schema and "." not in table:
            table = f"{schema}.{table}"
        variable = f"{identifier(server['server']).upper()}_URL"
        return {"url": f"env:{variable}", "table": table}

    def _local(self, server: Mapping[str, Any], table: str) -> Document:
        path = str(server.get("path") or "").replace("{model}", table)
        kind = server.get("format") or path.rpartition(".")[2]
        if kind not in LOCAL_FORMATS:
            raise RefusedError(f"its files are {kind or 'of no known format'}")
        where: Document = {"path": path}
        for key in ("delimiter", "encoding"):
            if server.get(key):
                where[key] = server[key]
        return where

    def _owner(self) -> str | None:
        team = self.content.get("team")
        members = team
        if isinstance(team, dict):
            if team.get("name"):
                return str(team["name"])
            members = team.get("members")
        for member in members if isinstance(members, list) else []:
            if isinstance(member, dict) and str(member.get("role", "")).lower() == "owner":
                return str(member.get("name") or member.get("username"))
        return None

    def _agreed(self, entry: Mapping[str, Any], name: str) -> Document:
        rules = Rules(self.imported, name)
        for column in entry.get("properties") or []:
            if column.get("semanticType") == "measure":
                continue
            real = column.get("physicalName") or column["name"]
            self.columns[name, column["name"]] = real
            rules.read_column(real, column)
        for rule in entry.get("quality") or []:
            rules.read_table_rule(rule)
        return rules.source()

    def _add_metrics(self, entry: Mapping[str, Any], name: str) -> None:
        """Offer the measures of a table as metrics."""
        taken: set[str] = set(self.imported.metrics)
        reader = Reader(lambda _: name, lambda _, column: _plain(column), lambda: name, taken)
        for column in entry.get("properties") or []:
            if column.get("semanticType") != "measure":
                continue
            metric = identifier(column["name"])
            self.imported.places[metric] = self.imported.places[f"{name}.{column['name']}"]
            try:
                documents = reader.read(metric, str(column.get("transformLogic") or ""))
            except RefusedError as refusal:
                self.imported.refuse(metric, str(refusal))
                continue
            department = self.imported.departments.setdefault(
                identifier(self.content["id"]), {"department": self.system, "metrics": {}}
            )
            department["metrics"] |= documents
            self.imported.keep(metric, "metric")

    # --- between tables --------------------------------------------------------------------------

    def refer(self) -> None:
        """Turn relationships into references."""
        for entry in self.content.get("schema") or []:
            name = self.names[entry["name"]]
            if name not in self.imported.sources or name in self.exported:
                continue
            for column in entry.get("properties") or []:
                for relationship in column.get("relationships") or []:
                    self._refer(name, column["name"], relationship.get("to"))
            for relationship in entry.get("relationships") or []:
                own, other = relationship.get("from"), relationship.get("to")
                if isinstance(own, str):
                    self._refer(name, own.rpartition(".")[2], other)
                else:
                    self.imported.refuse(name, "a relationship over several columns")

    def _refer(self, name: str, column: str, other: Any) -> None:
        label = f"{name}.{column}"
        if not isinstance(other, str):
            self.imported.refuse(label, "a relationship over several columns")
            return
        words = [word for word in other.replace("/", ".").split(".") if word]
        words = [word for word in words if word not in ("schema", "properties")]
        target = self.names.get(words[0]) if len(words) == 2 else None
        if target is None or target not in self.imported.sources:
            self.imported.refuse(label, f"points at {other}, which is not in this contract")
            return
        key = self.columns.get((target, words[1]), words[1])
        columns = self.imported.sources[name].setdefault("columns", {})
        real = self.columns.get((name, column), column)
        columns.setdefault(real, {})["references"] = f"{target}.{key}"

    def promise(self) -> None:
        """Turn promises about the age of data into freshness; list the others."""
        for promise in self.content.get("slaProperties") or []:
            word = promise["property"]
            elements = promise.get("element") or self.content.get("slaDefaultElement") or ""
            if word not in PROMISED:
                self.imported.refuse(word, f"{promise['value']}; nothing here checks it")
                continue
            days = _days(promise)
            if days is None:
                self.imported.refuse(word, f"{promise['value']} {promise.get('unit')}: no length")
                continue
            for element in elements.split(","):
                self._keep_promise(word, element.strip(), days)

    def _keep_promise(self, word: str, element: str, days: float) -> None:
        table, _, column = element.rpartition(".")
        kept = False
        for written, name in self.names.items():
            source = self.imported.sources.get(name)
            is_meant = table in ("", written) and (name, column) in self.columns
            if source is None or not is_meant:
                continue
            kept = True
            if name in self.exported:
                continue
            whole_days = math.ceil(days - 1e-9)
            source["time"] = self.columns[name, column]
            source["fresh_within"] = f"{whole_days}d"
            if whole_days != days:
                self.imported.change(
                    name, f"{word} of {days * 24:g} hours there, {whole_days} days here"
                )
        if not kept:
            self.imported.refuse(word, f"its element {element or 'is not said'}: no such column")

    def count_rows(self) -> None:
        """Count the rows of each table with a time: a first metric, so that there is a department.

        A contract says nothing of metrics, and a workbench without a department is none.
        """
        imported = self.imported
        name = identifier(self.content["id"])
        department = imported.departments.setdefault(
            name, {"department": self.system, "metrics": {}}
        )
        for source, agreed in imported.sources.items():
            if agreed.get("time"):
                department["metrics"][free_name(f"{source}_rows", imported.metrics)] = {
                    "label": f"Rows of {source}",
                    "type": "simple",
                    "measure": {"source": source, "agg": "count"},
                    "unit": "rows",
                }

    def tell(self) -> None:
        """List what a contract says that has no place here."""
        for key in ("description", "price", "roles", "support", "tags", "domain", "context"):
            if self.content.get(key):
                self.imported.refuse(key, "nothing here holds it")
        for name, source in self.imported.sources.items():
            if not source.get("time") and name not in self.exported:
                self.imported.remark(name, "ask: time, the column with the day of a row")


def _without_order(entry: Mapping[str, Any]) -> Document:
    """Return an entry of the schema with its columns by name: a program may have sorted keys."""
    document = {key: value for key, value in entry.items() if key != "customProperties"}
    document["properties"] = {column["name"]: column for column in entry.get("properties") or []}
    return document


def _days(promise: Mapping[str, Any]) -> float | None:
    """Return a promise's length in days; None where it has no known unit."""
    try:
        value = float(promise["value"])
    except (TypeError, ValueError):
        return None
    unit = str(promise.get("unit") or "d").lower()
    words = {"day": "d", "hour": "h", "hr": "h", "minute": "min", "second": "s", "week": "w"}
    unit = words.get(unit.rstrip("s") or unit, unit)
    unit = {"year": "y", "yr": "y"}.get(unit.rstrip("s") or unit, unit)
    return value * DAYS[unit] if unit in DAYS else None


def _plain(column: str) -> str:
    return column if PLAIN.fullmatch(column) else f'"{column}"'
