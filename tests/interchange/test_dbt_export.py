"""YAML of dbt's latest spec, and the manifest that dbt makes of it, read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataops_nb import definitions, interchange
from dataops_nb.interchange.dbt_export import NAME, form_of
from dataops_nb.interchange.dbt_filters import RefusedError

ROOT = Path(__file__).parents[2]
COMPANIES = [ROOT / "params", ROOT / "examples" / "olist" / "params"]


def parsed(document: dict[str, Any]) -> dict[str, Any]:
    """The manifest that dbt 1.12 writes of a document, as far as an import reads it.

    `dbt parse` itself gave equal definitions for both companies; it is not a part of the tests.
    """
    models, metrics = [], []
    for model in document["models"]:
        semantic = model["semantic_model"]
        entities = list(model.get("derived_semantics", {}).get("entities", []))
        dimensions = []
        for column in model.get("columns", []):
            for kind, listed in (("entity", entities), ("dimension", dimensions)):
                if kind in column:
                    element = column[kind]
                    name = element.get("name", column["name"])
                    expr = None if name == column["name"] else column["name"]
                    listed.append({"name": name, "type": element["type"], "expr": expr})
        models.append(
            {
                "name": semantic["name"],
                "defaults": {"agg_time_dimension": model.get("agg_time_dimension")},
                "node_relation": {"alias": model["name"], "schema_name": "main"},
                "entities": entities,
                "dimensions": dimensions,
                "measures": [],
                "config": semantic["config"],
            }
        )
        metrics += [simple(model, metric) for metric in model.get("metrics", [])]
    metrics += [combined(metric) for metric in document.get("metrics", [])]
    return {"semantic_models": models, "metrics": metrics, "project_configuration": {}}


def simple(model: dict[str, Any], metric: dict[str, Any]) -> dict[str, Any]:
    held = {
        "semantic_model": model["name"],
        "agg": metric["agg"],
        "agg_params": {"percentile": metric.get("percentile"), "use_approximate_percentile": True},
        "agg_time_dimension": metric.get("agg_time_dimension", model.get("agg_time_dimension")),
    }
    parameters = {"expr": metric["expr"], "metric_aggregation_params": held}
    return {**named(metric), "type": "simple", "type_params": parameters}


def combined(metric: dict[str, Any]) -> dict[str, Any]:
    if metric["type"] == "ratio":
        parameters = {role: {"name": metric[role]} for role in ("numerator", "denominator")}
    else:
        inputs = [{"name": name} for name in metric["input_metrics"]]
        parameters = {"expr": metric["expr"], "metrics": inputs}
    return {**named(metric), "type": metric["type"], "type_params": parameters}


def named(metric: dict[str, Any]) -> dict[str, Any]:
    return {key: metric[key] for key in ("name", "label", "description", "config") if key in metric}


def read(document: dict[str, Any], tmp_path: Path) -> interchange.Imported:
    path = tmp_path / "semantic_manifest.json"
    path.write_text(json.dumps(parsed(document)))
    contents, data = interchange.recognised([path])
    return interchange.read(contents, data, tmp_path / "bench")


@pytest.mark.parametrize("params", COMPANIES, ids=["sample", "olist"])
def test_definitions_are_equal_after_out_and_in(params, tmp_path):
    company = definitions.load(params)
    imported = read(interchange.export(company, "dbt").document, tmp_path)
    for name, text in imported.files().items():
        path = tmp_path / "params" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    again = definitions.load(tmp_path / "params")
    for field in ("sources", "departments", "named_lights", "calendar", "events", "holidays"):
        assert getattr(again, field) == getattr(company, field), field
    assert not imported.changed or {note.name for note in imported.changed} <= set(again.metrics)


def test_a_metric_that_was_changed_there_counts_and_keeps_our_rest(tmp_path):
    document = interchange.export(definitions.load(COMPANIES[0]), "dbt").document
    deals = next(model for model in document["models"] if model["name"] == "deals")
    won = next(metric for metric in deals["metrics"] if metric["name"] == "closed_won")
    won |= {"agg": "sum", "expr": "amount"}
    imported = read(document, tmp_path)
    assert imported.metrics["closed_won"]["measure"] == {
        "source": "deals",
        "agg": "sum",
        "expr": "amount",
    }
    assert imported.metrics["closed_won"]["targets"]
    assert "closed_won" in {note.name for note in imported.changed}


def test_a_condition_is_written_into_the_expression():
    documents = {
        "mm": {
            "type": "simple",
            "measure": {"source": "s", "agg": "count", "filter": "a = 1", "exclude": "b"},
        }
    }
    assert form_of("mm", documents, {"s": {"key": "id"}}) == {
        "type": "simple",
        "agg": "count",
        "expr": "case when (a = 1) and (not coalesce(b, false)) then id end",
    }


def test_a_division_by_zero_stays_missing_there():
    documents: dict[str, Any] = {
        name: {"type": "simple", "measure": {"source": "s", "agg": "count"}}
        for name in ("aa", "bb")
    }
    documents["mm"] = {"type": "derived", "expr": "aa / (bb - 1) * 2"}
    assert form_of("mm", documents, {"s": {"key": "id"}})["expr"] == "aa / NULLIF((bb - 1), 0) * 2"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"type": "cumulative", "metric": "aa", "window": "12 months"}, "window"),
        ({"type": "conversion"}, "conversion"),
        ({"type": "ratio", "numerator": "aa", "denominator": {"metric": "aa", "offset": "1 period"}}, "another period"),
        ({"type": "simple", "measure": {"source": "s", "agg": "sum", "expr": "x", "at": "end"}}, "stock"),
        ({"type": "ratio", "numerator": "aa", "denominator": "ff"}, "first time"),
    ],
)  # fmt: skip
def test_what_has_no_right_form_is_left_out(document, reason):
    documents = {
        "aa": {"type": "simple", "measure": {"source": "s", "agg": "count"}},
        "ff": {"type": "simple", "measure": {"source": "s", "agg": "first_seen", "expr": "x"}},
        "mm": document,
    }
    with pytest.raises(RefusedError, match=reason):
        form_of("mm", documents, {"s": {"key": "id"}})


@pytest.mark.parametrize(
    ("name", "is_one"), [("jobs", True), ("a", False), ("a__b", False), ("Jobs", False)]
)
def test_names_are_those_that_dbt_takes(name, is_one):
    assert bool(NAME.fullmatch(name)) == is_one
