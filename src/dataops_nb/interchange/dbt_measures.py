"""Turn a measure of a dbt project, or the aggregation in a metric, into a measure here.

What a measure says of empty periods and of stocks is checked here too: both are a number there and
another one here, or none, where nobody looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataops_nb.interchange.dbt_filters import Model, RefusedError
from dataops_nb.interchange.imported import Imported

AGGREGATIONS = ("sum", "average", "min", "max", "median", "count_distinct")
ADDS_UP = ("count", "count_distinct", "sum")

Document = dict[str, Any]


def measure_of(name: str, model: Model, measure: Mapping[str, Any], imported: Imported) -> Document:
    """Return the aggregation of a measure, without its source, its time and its metric's filter."""
    agg = measure["agg"]
    expression = str(measure.get("expr") or measure["name"])
    turned: Document
    if agg == "count" or (agg == "sum" and expression == "1"):
        turned = {"agg": "count"}
        key = imported.sources[model.name].get("key")
        if agg == "count" and expression not in ("1", "*", key):
            turned["expr"] = expression
    elif agg == "sum_boolean":
        turned = {"agg": "count", "filter": expression}
    elif agg == "percentile":
        turned = {"agg": "percentile", "q": _share(name, measure, imported), "expr": expression}
    elif agg in AGGREGATIONS:
        turned = {"agg": agg, "expr": expression}
    else:
        raise RefusedError(f"its aggregation {agg} is not known here")
    stock = measure.get("non_additive_dimension")
    if stock:
        _check_stock(model, measure, stock)
        turned["at"] = "end"
    return turned


def _share(name: str, measure: Mapping[str, Any], imported: Imported) -> float:
    parameters = measure.get("agg_params") or {}
    share = parameters.get("percentile")
    if share is None:
        raise RefusedError("its percentile is not said")
    if parameters.get("use_discrete_percentile"):
        raise RefusedError(f"percentile {share} is a discrete one; here they are continuous")
    if parameters.get("use_approximate_percentile"):
        imported.change(
            name,
            f"percentile {share} is an approximation there (dbt 1.12 writes so even where "
            "continuous was said), and exact here",
        )
    return float(share)


def _check_stock(model: Model, measure: Mapping[str, Any], stock: Mapping[str, Any]) -> None:
    time = measure.get("agg_time_dimension") or model.written["defaults_time"]
    choice = stock.get("window_choice") or stock.get("window_agg")
    if stock["name"] != time:
        raise RefusedError(f"a stock over {stock['name']}, which is not its time {time}")
    if choice != "max":
        raise RefusedError("an opening stock; at: end takes a period's last day")
    groupings = stock.get("window_groupings") or stock.get("group_by")
    if groupings:
        raise RefusedError(
            f"takes the own last day of each {', '.join(groupings)}; at: end takes one day for all"
        )


def check_filling(
    name: str, measure: Document, filling: Mapping[str, Any], imported: Imported
) -> None:
    """Refuse a filler that is not what stands here; note what is null there and 0 here."""
    fill = filling.get("fill_nulls_with")
    if fill is not None and (fill != 0 or measure["agg"] not in ADDS_UP):
        raise RefusedError(f"fills empty periods with {fill}; {measure['agg']} has none or 0 here")
    if fill is not None and filling.get("join_to_timespine"):
        imported.change(
            name,
            "0 on every day of the time spine there, also before and after the data; here on the "
            "days that the source covers",
        )
    if filling.get("join_to_timespine") and fill is None and measure["agg"] in ADDS_UP:
        imported.change(
            name,
            "an empty period is null there (dbt 1.12 drops fill_nulls_with of the latest spec), "
            "0 here",
        )
