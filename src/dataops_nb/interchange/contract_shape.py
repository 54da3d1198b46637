"""Which keys may stand where in an Open Data Contract, versions 3.0 to 3.2.

The standard's own Python package drops misspelt keys and takes `'yes'` for true; here both are
mistakes, because a rule that is not read protects nobody.
"""

from __future__ import annotations

from dataops_nb.interchange.documents import Shape

OPERATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
_BESIDE = {
    "id": "text",
    "description": "text",
    "tags": "list",
    "customProperties": "list",
    "authoritativeDefinitions": "list",
}
_CUSTOM = Shape(
    {"id": "text", "property": "text", "value": "any", "description": "text", "vendor": "text"},
    ("property",),
)
_QUALITY = Shape(
    {
        **_BESIDE,
        "businessImpact": "text",
        "dimension": "text",
        "method": "text",
        "name": "text",
        "schedule": "text",
        "scheduler": "text",
        "severity": "text",
        "type": "text",
        "unit": "text",
        "metric": "text",
        "rule": "text",
        "arguments": "mapping",
        "query": "text",
        "engine": "text",
        "implementation": "any",
        "mustBe": "any",
        "mustNotBe": "any",
        "mustBeGreaterThan": "number",
        "mustBeGreaterOrEqualTo": "number",
        "mustBeLessThan": "number",
        "mustBeLessOrEqualTo": "number",
        "mustBeBetween": "two numbers",
        "mustNotBeBetween": "two numbers",
    }
)
_RELATIONSHIP = Shape(
    {"id": "text", "type": "text", "from": "any", "to": "any", "customProperties": "list"}
)
_ELEMENT = {
    **_BESIDE,
    "name": "text",
    "physicalType": "text",
    "physicalName": "text",
    "businessName": "text",
    "deprecated": "flag",
    "synonyms": "list",
    "logicalType": "text",
    "relationships": "list",
    "quality": "list",
}
_ENUM = Shape({**_BESIDE, "value": "any", "label": "text"}, ("value",))
_COLUMN = Shape(
    {
        **_ELEMENT,
        "primaryKey": "flag",
        "primaryKeyPosition": "number",
        "logicalTypeOptions": "mapping",
        "required": "flag",
        "unique": "flag",
        "semanticType": "text",
        "partitioned": "flag",
        "partitionKeyPosition": "number",
        "classification": "text",
        "encryptedName": "text",
        "transformSourceObjects": "list",
        "transformLogic": "text",
        "transformDescription": "text",
        "examples": "list",
        "enum": "list",
        "criticalDataElement": "flag",
        "items": "mapping",
        "properties": "list",
    },
    ("name",),
    {
        "quality": _QUALITY,
        "relationships": _RELATIONSHIP,
        "enum": _ENUM,
        "customProperties": _CUSTOM,
    },
)
_TABLE = Shape(
    {
        **_ELEMENT,
        "dataGranularityDescription": "text",
        "properties": "list",
        "context": "any",
    },
    ("name",),
    {
        "properties": _COLUMN,
        "quality": _QUALITY,
        "relationships": _RELATIONSHIP,
        "customProperties": _CUSTOM,
    },
)
_PROMISE = Shape(
    {
        **_BESIDE,
        "property": "text",
        "value": "any",
        "valueExt": "any",
        "unit": "text",
        "element": "text",
        "driver": "text",
        "scheduler": "text",
        "schedule": "text",
    },
    ("property", "value"),
)
CONTRACT = Shape(
    {
        "version": "text",
        "kind": "text",
        "apiVersion": "text",
        "id": "text",
        "name": "text",
        "tenant": "text",
        "tags": "list",
        "status": "text",
        "servers": "list",
        "dataProduct": "text",
        "description": "mapping",
        "domain": "text",
        "context": "any",
        "schema": "list",
        "support": "any",
        "price": "mapping",
        "team": "any",
        "roles": "list",
        "slaDefaultElement": "text",
        "slaProperties": "list",
        "authoritativeDefinitions": "list",
        "customProperties": "list",
        "contractCreatedTs": "text",
    },
    ("version", "kind", "apiVersion", "id"),
    {
        "servers": Shape({"server": "text", "type": "text"}, ("server", "type"), is_open=True),
        "schema": _TABLE,
        "slaProperties": _PROMISE,
        "customProperties": _CUSTOM,
    },
)
