"""The rules of one table of a data contract, as the rules of a source's columns.

A rule becomes one that `check` tests, or it is listed: nothing is approximated in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataops_nb.interchange.contracts_export import GUESSED_PROPERTY
from dataops_nb.interchange.imported import Imported

TYPES = {
    "string": "text",
    "integer": "integer",
    "number": "decimal",
    "date": "date",
    "timestamp": "timestamp",
    "time": "text",
    "boolean": "boolean",
}
JAVA = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMM": "%b",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
}
ISO = ("yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss")
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
UNTOLD = ("format", "timezone", "defaultTimezone", *BOUNDS)
CONFIDENTIAL = ("confidential", "restricted", "secret")

Document = dict[str, Any]


class Rules:
    """Collects what is agreed about one source: its key, its columns, its rows."""

    def __init__(self, imported: Imported, name: str) -> None:
        self.imported = imported
        self.name = name
        self.columns: dict[str, Document] = {}
        self._keys: list[tuple[int, int, str]] = []
        self._formats: dict[str, str] = {}
        self._zones: set[str] = set()
        self._missing: dict[str, list[str]] = {}
        self._rows: Document = {}

    def source(self) -> Document:
        """Return the keys of the source."""
        source: Document = {}
        keys = [column for _, _, column in sorted(self._keys)]
        if keys:
            source["key"] = keys[0] if len(keys) == 1 else keys
        formats = set(self._formats.values())
        if len(formats) == 1:
            source["date_format"] = formats.pop()
        elif formats:
            columns = ", ".join(self._formats)
            self._refuse("", f"dates are written differently in {columns}; a file has one form")
        if len(self._zones) == 1:
            source["timezone"] = self._zones.pop()
        missing = [set(texts) for texts in self._missing.values()]
        if missing and all(texts == missing[0] for texts in missing):
            source["na"] = sorted(missing[0])
            self._change("", f"{', '.join(sorted(missing[0]))} is missing in every column here")
        elif missing:
            self._refuse("", f"other texts mean missing in {' and '.join(self._missing)}")
        if self._rows:
            source["rows"] = self._rows
        agreed = {name: rule for name, rule in self.columns.items() if rule}
        if agreed:
            source["columns"] = agreed
        return source

    # --- columns ---------------------------------------------------------------------------------

    def read_column(self, name: str, column: Mapping[str, Any]) -> None:
        """Take what a column says."""
        rule: Document = self.columns.setdefault(name, {})
        kind = column.get("logicalType")
        if kind in TYPES and not _is_guessed(column):
            rule["type"] = TYPES[kind]
            if kind == "time":
                self._change(name, "a time of day there, text here")
        elif kind and kind not in TYPES:
            self._refuse(name, f"{kind} has no type here")
        if column.get("primaryKey"):
            position = column.get("primaryKeyPosition")
            place = position if position and position > 0 else 10**6
            self._keys.append((place, len(self._keys), name))
        for key in ("required", "unique"):
            if column.get(key):
                rule[key] = True
        if column.get("enum"):
            rule["one_of"] = [item["value"] for item in column["enum"]]
            if any(item.get("label") for item in column["enum"]):
                self._refuse(name, "labels of its values; map: would rename them")
        self._read_options(name, kind, column.get("logicalTypeOptions") or {}, rule)
        for quality in column.get("quality") or []:
            self._read_rule(name, quality, rule)
        self._tell(name, column)

    def _tell(self, name: str, column: Mapping[str, Any]) -> None:
        for key in ("partitioned", "encryptedName", "deprecated", "tags", "criticalDataElement"):
            if column.get(key):
                self._refuse(name, f"{key}; nothing here holds it")
        classification = str(column.get("classification") or "").lower()
        if classification in CONFIDENTIAL:
            self._refuse(name, f"is {classification}; do not split metrics by it on pages")

    def _read_options(
        self, name: str, kind: str | None, options: Mapping[str, Any], rule: Document
    ) -> None:
        written = options.get("format")
        if written and kind in ("date", "timestamp") and written not in ISO:
            form = _python_format(str(written))
            if form:
                self._formats[name] = form
            else:
                self._refuse(name, f"dates are written {written}, which is not understood")
        elif written and kind not in ("date", "timestamp"):
            self._refuse(name, f"format {written}; nothing here checks it")
        zone = options.get("defaultTimezone")
        if isinstance(zone, str):
            self._zones.add(zone)
        self._read_bounds(name, kind, options, rule)
        for key, value in options.items():
            if key not in UNTOLD:
                self._refuse(name, f"{key} {value}; nothing here checks it")

    def _read_bounds(
        self, name: str, kind: str | None, options: Mapping[str, Any], rule: Document
    ) -> None:
        for key, bound, step in (
            ("minimum", "min", 0),
            ("exclusiveMinimum", "min", 1),
            ("maximum", "max", 0),
            ("exclusiveMaximum", "max", -1),
        ):
            value = options.get(key)
            if value is None:
                continue
            if kind in ("date", "timestamp"):
                if step or len(str(value)) != len("2026-01-01"):
                    self._refuse(name, f"{key} {value}; bounds of days are days, inclusive")
                    continue
                rule[bound] = str(value)
            elif isinstance(value, bool) or not isinstance(value, int | float):
                self._refuse(name, f"{key} {value} is no number")
            elif step and kind != "integer":
                self._refuse(name, f"{key} {value}; bounds here are inclusive")
            else:
                rule[bound] = value + step

    # --- rules -----------------------------------------------------------------------------------

    def read_table_rule(self, quality: Mapping[str, Any]) -> None:
        """Take a rule about the whole table."""
        metric = quality.get("metric") or quality.get("rule")
        if metric == "rowCount" and _is_library(quality):
            self._read_rows(quality)
        elif metric == "duplicateValues" and quality.get("mustBe") == 0:
            columns = list((quality.get("arguments") or {}).get("properties") or [])
            if len(columns) == 1:
                self.columns.setdefault(columns[0], {})["unique"] = True
            elif columns and not self._keys:
                self._keys = [(0, place, column) for place, column in enumerate(columns)]
            elif sorted(columns) != sorted(column for _, _, column in self._keys):
                self._refuse("", f"no two rows alike in {', '.join(columns)}; it has another key")
        else:
            self._refuse("", _said(quality))

    def _read_rows(self, quality: Mapping[str, Any]) -> None:
        if "mustBe" in quality:
            self._rows = {"min": int(quality["mustBe"]), "max": int(quality["mustBe"])}
        elif "mustBeBetween" in quality:
            least, most = quality["mustBeBetween"]
            self._rows = {"min": int(least), "max": int(most)}
        elif "mustBeGreaterOrEqualTo" in quality:
            self._rows["min"] = int(quality["mustBeGreaterOrEqualTo"])
        elif "mustBeGreaterThan" in quality:
            self._rows["min"] = int(quality["mustBeGreaterThan"]) + 1
        elif "mustBeLessOrEqualTo" in quality:
            self._rows["max"] = int(quality["mustBeLessOrEqualTo"])
        elif "mustBeLessThan" in quality:
            self._rows["max"] = int(quality["mustBeLessThan"]) - 1
        else:
            self._refuse("", _said(quality))

    def _read_rule(self, name: str, quality: Mapping[str, Any], rule: Document) -> None:
        metric = quality.get("metric") or quality.get("rule")
        arguments = quality.get("arguments") or {}
        if not _is_library(quality):
            self._refuse(name, _said(quality))
        elif metric == "nullValues":
            self._read_nulls(name, quality, rule)
        elif metric == "duplicateValues" and quality.get("mustBe") == 0:
            rule["unique"] = True
        elif metric == "invalidValues" and quality.get("mustBe") == 0 and _only(arguments):
            rule["one_of"] = list(arguments["validValues"])
        elif metric == "missingValues" and quality.get("mustBe") == 0:
            texts = arguments.get("missingValues") or []
            wanted = [str(text) for text in texts if text not in (None, "")]
            if wanted:
                self._missing[name] = wanted
            rule["required"] = True
        else:
            self._refuse(name, _said(quality))

    def _read_nulls(self, name: str, quality: Mapping[str, Any], rule: Document) -> None:
        share = quality.get("mustBeLessOrEqualTo")
        if quality.get("mustBe") == 0 or (share == 0 and quality.get("unit") != "percent"):
            rule["required"] = True
        elif share is not None and quality.get("unit") == "percent":
            rule["nulls"] = f"{share:g}%"
        else:
            self._refuse(name, f"{_said(quality)}; here a share of cells, at most: nulls: 5%")

    def _refuse(self, column: str, text: str) -> None:
        self.imported.refuse(f"{self.name}.{column}" if column else self.name, text)

    def _change(self, column: str, text: str) -> None:
        self.imported.change(f"{self.name}.{column}" if column else self.name, text)


def _is_guessed(column: Mapping[str, Any]) -> bool:
    """Tell whether an export of ours has only guessed the column's type."""
    customs = column.get("customProperties") or []
    return any(custom.get("property") == GUESSED_PROPERTY for custom in customs)


def _is_library(quality: Mapping[str, Any]) -> bool:
    return bool(quality.get("type", "library") == "library")


def _only(arguments: Mapping[str, Any]) -> bool:
    """Tell whether nothing but the valid values is said."""
    return list(arguments) == ["validValues"] and isinstance(arguments["validValues"], list)


def _said(quality: Mapping[str, Any]) -> str:
    """Return a rule that nothing here checks, in its own words."""
    words = []
    for key in ("name", "metric", "rule", "description", "query", "engine", "implementation"):
        if quality.get(key):
            words.append(" ".join(str(quality[key]).split()))
    for key, value in quality.items():
        if key.startswith("must"):
            words.append(f"{key} {value}")
    if quality.get("arguments"):
        words.append(str(quality["arguments"]))
    return f"rule not taken: {', '.join(words)}"


def _python_format(written: str) -> str:
    """Return a pattern of Java as one of Python; "" where a letter is not known."""
    form, rest = "", written
    while rest:
        for word, code in JAVA.items():
            if rest.startswith(word):
                form, rest = form + code, rest[len(word) :]
                break
        else:
            if rest[0].isalpha():
                return ""
            form, rest = form + rest[0], rest[1:]
    return form
