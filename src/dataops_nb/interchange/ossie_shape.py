"""Which keys may stand where in an Ossie model, versions 0.1.0 to 0.2.0.dev0.

The standard allows no other key anywhere, so a key that is not here is a mistake.
"""

from __future__ import annotations

from dataops_nb.interchange.documents import Shape

_EXTENSIONS = Shape({"vendor_name": "text", "data": "text"}, ("vendor_name", "data"))
_COMMON = {"description": "text", "ai_context": "any", "custom_extensions": "list"}
_EXPRESSION = Shape(
    {"dialects": "list"},
    ("dialects",),
    {"dialects": Shape({"dialect": "text", "expression": "text"}, ("dialect", "expression"))},
)
_FIELD = Shape(
    {
        **_COMMON,
        "name": "text",
        "expression": "mapping",
        "dimension": "mapping",
        "label": "text",
        "datatype": "text",
    },
    ("name", "expression"),
    {
        "expression": _EXPRESSION,
        "dimension": Shape({"is_time": "flag"}),
        "custom_extensions": _EXTENSIONS,
    },
)
_DATASET = Shape(
    {
        **_COMMON,
        "name": "text",
        "source": "text",
        "primary_key": "texts",
        "unique_keys": "lists of texts",
        "fields": "list",
    },
    ("name", "source"),
    {"fields": _FIELD, "custom_extensions": _EXTENSIONS},
)
_RELATIONSHIP = Shape(
    {
        **_COMMON,
        "name": "text",
        "from": "text",
        "to": "text",
        "from_columns": "texts",
        "to_columns": "texts",
    },
    ("name", "from", "to", "from_columns", "to_columns"),
    {"custom_extensions": _EXTENSIONS},
)
_METRIC = Shape(
    {**_COMMON, "name": "text", "expression": "mapping", "datatype": "text"},
    ("name", "expression"),
    {"expression": _EXPRESSION, "custom_extensions": _EXTENSIONS},
)
_MODEL = Shape(
    {
        **_COMMON,
        "name": "text",
        "datasets": "list",
        "relationships": "list",
        "metrics": "list",
    },
    ("name", "datasets"),
    {
        "datasets": _DATASET,
        "relationships": _RELATIONSHIP,
        "metrics": _METRIC,
        "custom_extensions": _EXTENSIONS,
    },
)
DOCUMENT = Shape(
    {"version": "text", "semantic_model": "list", "dialects": "list", "vendors": "list"},
    ("version", "semantic_model"),
    {"semantic_model": _MODEL},
)
