"""What of dbt's semantic manifest is read, and of which kind it must be.

The manifest holds more, and later versions will hold other things; a key that is not here is no
mistake. A program writes it, so a mistake means a file that was cut, edited, or of another version.
"""

from __future__ import annotations

from dataops_nb.interchange.documents import Shape

_FILTER = Shape(
    {"where_filters": "list"},
    inside={"where_filters": Shape({"where_sql_template": "text"}, ("where_sql_template",))},
    is_open=True,
)
_WINDOW = Shape({"count": "number", "granularity": "text"}, ("count", "granularity"), is_open=True)
_CONFIG = Shape({"meta": "mapping", "group": "text"}, is_open=True)
_MEASURE_INPUT = Shape(
    {"name": "text", "filter": "mapping", "alias": "text", "join_to_timespine": "flag"},
    ("name",),
    {"filter": _FILTER},
    is_open=True,
)
_METRIC_INPUT = Shape(
    {
        "name": "text",
        "filter": "mapping",
        "alias": "text",
        "offset_window": "mapping",
        "offset_to_grain": "text",
    },
    ("name",),
    {"filter": _FILTER, "offset_window": _WINDOW},
    is_open=True,
)
_STOCK = Shape(
    {"name": "text", "window_choice": "text", "window_groupings": "texts"},
    ("name",),
    is_open=True,
)
_SHARE = Shape({"percentile": "number"}, is_open=True)
_AGGREGATION = Shape(
    {
        "semantic_model": "text",
        "agg": "text",
        "agg_params": "mapping",
        "agg_time_dimension": "text",
        "non_additive_dimension": "mapping",
    },
    ("semantic_model", "agg"),
    {"agg_params": _SHARE, "non_additive_dimension": _STOCK},
    is_open=True,
)
_CUMULATIVE = Shape(
    {
        "window": "mapping",
        "grain_to_date": "text",
        "period_agg": "text",
        "metric": "mapping",
    },
    inside={"window": _WINDOW, "metric": _METRIC_INPUT},
    is_open=True,
)
_CONVERSION = Shape(
    {
        "base_measure": "mapping",
        "base_metric": "mapping",
        "conversion_measure": "mapping",
        "conversion_metric": "mapping",
        "entity": "text",
        "calculation": "text",
        "window": "mapping",
    },
    ("entity",),
    {
        "base_measure": _MEASURE_INPUT,
        "base_metric": _METRIC_INPUT,
        "conversion_measure": _MEASURE_INPUT,
        "conversion_metric": _METRIC_INPUT,
        "window": _WINDOW,
    },
    is_open=True,
)
_PARAMETERS = Shape(
    {
        "measure": "mapping",
        "numerator": "mapping",
        "denominator": "mapping",
        "window": "mapping",
        "grain_to_date": "text",
        "metrics": "list",
        "conversion_type_params": "mapping",
        "cumulative_type_params": "mapping",
        "metric_aggregation_params": "mapping",
    },
    inside={
        "measure": _MEASURE_INPUT,
        "numerator": _METRIC_INPUT,
        "denominator": _METRIC_INPUT,
        "window": _WINDOW,
        "metrics": _METRIC_INPUT,
        "conversion_type_params": _CONVERSION,
        "cumulative_type_params": _CUMULATIVE,
        "metric_aggregation_params": _AGGREGATION,
    },
    is_open=True,
)
_METRIC = Shape(
    {
        "name": "text",
        "type": "text",
        "type_params": "mapping",
        "filter": "mapping",
        "label": "text",
        "description": "text",
        "config": "mapping",
    },
    ("name", "type", "type_params"),
    {"type_params": _PARAMETERS, "filter": _FILTER, "config": _CONFIG},
    is_open=True,
)
_MEASURE = Shape(
    {
        "name": "text",
        "agg": "text",
        "agg_params": "mapping",
        "agg_time_dimension": "text",
        "non_additive_dimension": "mapping",
    },
    ("name", "agg"),
    {"agg_params": _SHARE, "non_additive_dimension": _STOCK},
    is_open=True,
)
_ELEMENT = Shape(
    {"name": "text", "type": "text", "type_params": "mapping"},
    ("name", "type"),
    {"type_params": Shape({"time_granularity": "text"}, is_open=True)},
    is_open=True,
)
_MODEL = Shape(
    {
        "name": "text",
        "node_relation": "mapping",
        "entities": "list",
        "dimensions": "list",
        "measures": "list",
        "defaults": "mapping",
        "primary_entity": "text",
        "config": "mapping",
    },
    ("name", "node_relation"),
    {
        "node_relation": Shape({"alias": "text", "schema_name": "text"}, ("alias",), is_open=True),
        "entities": _ELEMENT,
        "dimensions": _ELEMENT,
        "measures": _MEASURE,
        "defaults": Shape({"agg_time_dimension": "text"}, is_open=True),
        "config": _CONFIG,
    },
    is_open=True,
)
_SPINE = Shape(
    {"custom_granularities": "list"},
    inside={"custom_granularities": Shape({"name": "text"}, ("name",), is_open=True)},
    is_open=True,
)
MANIFEST = Shape(
    {
        "semantic_models": "list",
        "metrics": "list",
        "saved_queries": "list",
        "project_configuration": "mapping",
    },
    ("semantic_models", "metrics"),
    {
        "semantic_models": _MODEL,
        "metrics": _METRIC,
        "saved_queries": Shape({"name": "text"}, ("name",), is_open=True),
        "project_configuration": Shape(
            {"time_spines": "list"}, inside={"time_spines": _SPINE}, is_open=True
        ),
    },
    is_open=True,
)
