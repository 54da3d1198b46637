"""JSON Schemas of the company's files, so that an editor explains and completes every key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from dataops_nb.definitions.models import AnyEvent, Company, Defaults, Department, Holiday, Item, Name, Suite, Text

DRAFT = "http://json-schema.org/draft-07/schema#"
KINDS: dict[str, Any] = {
    "company": Company,
    "department": Department,
    "reports": dict[Name, Suite],
    "events": list[AnyEvent],
    "solve_next": list[Item],
    "glossary": dict[Text, Text],
    "holidays": list[Holiday],
}


def write_schema(folder: Path) -> list[Path]:
    """Write NAME.schema.json for every kind of file into `folder`, which is made where missing; returns the files."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in KINDS:
        path = folder / f"{name}.schema.json"
        text = json.dumps(schema_of(name), indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written


def schema_of(name: str) -> dict[str, Any]:
    """The schema of one kind of file as it is written: a department with defaults, a measure without a source."""
    schema = TypeAdapter(KINDS[name]).json_schema(by_alias=True)
    if name == "department":
        defaults = TypeAdapter(Defaults).json_schema(by_alias=True)
        schema["$defs"] |= defaults.pop("$defs", {}) | {"Defaults": defaults}
        schema["$defs"]["Measure"]["required"].remove("source")
        schema["properties"]["defaults"] = {"$ref": "#/$defs/Defaults", "description": "For every metric below."}
    return {"$schema": DRAFT, "title": f"params: {name}", **{k: v for k, v in schema.items() if k != "title"}}
