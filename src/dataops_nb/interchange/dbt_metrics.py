"""Turn the metrics of a dbt project into metrics here, one type after the other.

A metric keeps its meaning, or is changed with the number said that differs, or is refused with the
reason. What dbt lets stand inside a metric (a filter or an alias of an input, a measure without a
metric) becomes a metric of its own, under a name that is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlglot
from sqlglot import exp

from dataops_nb.interchange.dbt_export import META, form_of
from dataops_nb.interchange.dbt_filters import (
    Filter,
    Model,
    RefusedError,
    read_filter,
    templates_of,
)
from dataops_nb.interchange.dbt_measures import check_filling, measure_of
from dataops_nb.interchange.extensions import merged
from dataops_nb.interchange.imported import Imported, free_name
from dataops_nb.terms import GRAINS, Duration

DAYS = {"day": 1, "week": 7}

Document = dict[str, Any]
Input = Mapping[str, Any]


class Metrics:
    """The metrics of a project, each turned when it is first needed.

    `joined` gives the name of a source that holds a model's rows with the columns of a filter.
    """

    def __init__(
        self,
        manifest: Mapping[str, Any],
        models: Mapping[str, Model],
        joined: Callable[[Model, Filter], str],
        imported: Imported,
    ) -> None:
        self.originals = {metric["name"]: metric for metric in manifest["metrics"]}
        self.models = models
        self.joined = joined
        self.imported = imported
        self.documents: dict[str, Document] = {}
        self.refused: dict[str, str] = {}
        self._taken = {*self.originals}
        self._helpers: dict[str, str] = {}

    def turn_all(self) -> None:
        """Turn every metric that is not private; private ones only where another needs them."""
        for name, original in self.originals.items():
            if original["type_params"].get("is_private"):
                continue
            try:
                self.need(name)
            except RefusedError as refusal:
                self.imported.refuse(name, str(refusal))

    def need(self, name: str) -> Document:
        """Return a metric here. Raises RefusedError where it cannot be said."""
        if name in self.documents:
            return self.documents[name]
        if name in self.refused:
            raise RefusedError(self.refused[name])
        original = self.originals.get(name)
        if original is None:
            raise RefusedError(f"stands on {name}, which the manifest does not have")
        try:
            document = self._turn(original)
        except RefusedError as refusal:
            self.refused[name] = str(refusal)
            raise
        definition = _meta_of(original).get("definition")
        if isinstance(definition, dict):
            self.documents[name] = self._exported(name, definition, document)
        else:
            self.documents[name] = document | _own_keys(original)
        self.imported.keep(name, self._kept_as(original))
        default = original.get("time_granularity")
        if default:
            self.imported.change(name, f"by {default} there where no grain is said, by week here")
        return self.documents[name]

    def _exported(self, name: str, definition: Document, native: Document) -> Document:
        """Return the definition that was exported, unless dbt's form of it is another one now."""
        sources = self.imported.sources
        forms = []
        for document in (definition, native):
            documents = {**self.documents, name: document}
            try:
                forms.append(form_of(name, documents, sources))
            except (RefusedError, KeyError):
                forms.append({})
        if forms[0] and forms[0] == forms[1]:
            return definition
        return merged(name, definition, native, self.imported)

    def _kept_as(self, original: Mapping[str, Any]) -> str:
        kind = original["type"]
        aggregation = original["type_params"].get("metric_aggregation_params")
        return (
            f"{kind} metric of {aggregation['semantic_model']}" if aggregation else f"{kind} metric"
        )

    def _turn(self, original: Mapping[str, Any]) -> Document:
        turns = {
            "simple": self._simple,
            "ratio": self._ratio,
            "derived": self._derived,
            "cumulative": self._cumulative,
            "conversion": self._conversion,
        }
        if original["type"] not in turns:
            raise RefusedError(f"its type {original['type']} is not known here")
        return turns[original["type"]](original)

    # --- simple ----------------------------------------------------------------------------------

    def _simple(self, original: Mapping[str, Any]) -> Document:
        return self._of_rows(original["name"], original, templates_of(original.get("filter")))

    def _of_rows(self, name: str, original: Mapping[str, Any], templates: list[str]) -> Document:
        """Return a simple metric from a measure, or from the aggregation that a metric holds."""
        parameters = original["type_params"]
        given = parameters.get("measure")
        if given:
            model, measure = self._measure(given["name"])
            wanted = [*templates_of(given.get("filter")), *templates]
            return self._aggregated(name, model, measure, wanted, given)
        held = parameters.get("metric_aggregation_params")
        if not held:
            raise RefusedError("it names neither a measure nor an aggregation")
        measure = {**held, "name": name, "expr": parameters.get("expr")}
        return self._aggregated(
            name, self._model(held["semantic_model"]), measure, templates, parameters
        )

    def _measure(self, name: str) -> tuple[Model, Mapping[str, Any]]:
        for model in self.models.values():
            if name in model.measures:
                return model, model.measures[name]
        raise RefusedError(f"its measure {name} is in no semantic model")

    def _model(self, name: str) -> Model:
        if name not in self.models:
            raise RefusedError(f"its semantic model {name} was refused")
        return self.models[name]

    def _aggregated(
        self,
        name: str,
        model: Model,
        measure: Mapping[str, Any],
        templates: list[str],
        filling: Mapping[str, Any],
    ) -> Document:
        if model.name not in self.imported.sources:
            raise RefusedError(f"its semantic model {model.name} was refused")
        time_name = measure.get("agg_time_dimension") or model.written["defaults_time"]
        dimension = model.dimensions.get(time_name or "")
        time = model.column(dimension) if dimension else None
        if time is None:
            raise RefusedError(f"its time {time_name} is no plain column of {model.name}")
        turned = measure_of(name, model, measure, self.imported)
        condition = read_filter(templates, model, self.models, time)
        conditions = [turned.pop("filter", None), condition.sql]
        written = [text for text in conditions if text]
        if written:
            turned["filter"] = " and ".join(f"({text})" for text in written)
            if len(written) == 1:
                turned["filter"] = written[0]
        source = model.name
        if condition.joins:
            source = self.joined(model, condition)
        turned = {"source": source, **turned}
        if time != self.imported.sources[source].get("time"):
            turned["time"] = time
        check_filling(name, turned, filling, self.imported)
        document: Document = {"type": "simple", "measure": turned}
        granularity = ((dimension or {}).get("type_params") or {}).get("time_granularity", "day")
        if granularity in GRAINS and granularity != "day":
            document["grains"] = list(GRAINS[GRAINS.index(granularity) :])
        columns = []
        for other in model.dimensions.values():
            column = model.column(other)
            if other.get("type") == "categorical" and column:
                columns.append(column)
        if columns:
            document["by"] = columns
        return document

    # --- inputs ----------------------------------------------------------------------------------

    def _input(self, owner: str, role: str, given: Input, more: list[str]) -> str:
        """Return the metric that an input is: itself, or a new one that also has its filter."""
        name: str = given["name"]
        templates = [*templates_of(given.get("filter")), *more]
        if not templates:
            self.need(name)
            return name
        original = self.originals.get(name)
        if original is None or original["type"] != "simple":
            raise RefusedError(f"filters {name}, which is no simple metric")
        wanted = [*templates_of(original.get("filter")), *templates]
        document = self._of_rows(name, original, wanted)
        return self._helper(given.get("alias") or f"{owner}_{role}", document)

    def _measured(self, owner: str, role: str, given: Input, more: list[str]) -> str:
        """Return the metric of a measure that an input names, made where there is none."""
        stand_in = {"name": owner, "type_params": {"measure": given}}
        document = self._of_rows(f"{owner}_{role}", stand_in, more)
        for name, known in self.documents.items():
            if known.get("measure") == document["measure"]:
                return name
        return self._helper(f"{owner}_{role}", document)

    def _helper(self, wanted: str, document: Document) -> str:
        digest = repr(sorted(document["measure"].items()))
        if digest in self._helpers:
            return self._helpers[digest]
        name = free_name(wanted, self._taken)
        self._taken.add(name)
        self._helpers[digest] = name
        self.documents[name] = document
        self.imported.keep(name, "made, because here a filtered input is a metric of its own")
        return name

    def _either(
        self, owner: str, role: str, metric: Input | None, measure: Input | None, more: list[str]
    ) -> str:
        if metric:
            return self._input(owner, role, metric, more)
        if measure:
            return self._measured(owner, role, measure, more)
        raise RefusedError(f"it names no {role}")

    # --- ratio and derived -----------------------------------------------------------------------

    def _ratio(self, original: Mapping[str, Any]) -> Document:
        name, parameters = original["name"], original["type_params"]
        shared = templates_of(original.get("filter"))
        document: Document = {"type": "ratio"}
        offsets: list[Duration] = []
        for role in ("numerator", "denominator"):
            given = parameters.get(role)
            if not given:
                raise RefusedError(f"it names no {role}")
            part = self._input(name, role, given, shared)
            offset = _offset(given)
            document[role] = part
            if offset is not None:
                document[role] = {"metric": part, "offset": str(offset)}
                offsets.append(offset)
        return document | self._whole_grains(name, offsets)

    def _derived(self, original: Mapping[str, Any]) -> Document:
        name, parameters = original["name"], original["type_params"]
        shared = templates_of(original.get("filter"))
        names: dict[str, str] = {}
        parts: Document = {}
        offsets: list[Duration] = []
        if not parameters.get("expr"):
            raise RefusedError("it has no formula")
        for given in parameters.get("metrics") or []:
            called = given.get("alias") or given["name"]
            metric = self._input(name, called, {**given, "alias": None}, shared)
            offset = _offset(given)
            if offset is None:
                names[called] = metric
                continue
            part = called
            if part in self._taken:
                part = free_name(f"{called}_before", {*self._taken, *parts})
            names[called] = part
            parts[part] = {"metric": metric, "offset": str(offset)}
            offsets.append(offset)
        document: Document = {"type": "derived", "expr": formula(parameters["expr"], names)}
        if parts:
            document["parts"] = parts
        return document | self._whole_grains(name, offsets)

    def _whole_grains(self, name: str, offsets: Iterable[Duration]) -> Document:
        """Return the grains at which every offset is a whole number of periods."""
        given = list(offsets)
        if not given:
            return {}
        grains = []
        for grain in GRAINS:
            if all(offset.is_whole(grain) for offset in given):
                grains.append(grain)
        if not grains:
            raise RefusedError(f"{given[0]} before is no whole number of periods at any grain")
        if len(grains) < len(GRAINS):
            lost = [grain for grain in GRAINS if grain not in grains]
            self.imported.change(
                name,
                f"{given[0]} before is whole by {', '.join(grains)}; there it can also be asked by "
                f"{', '.join(lost)}, where a value stands only if that very day has one",
            )
        return {"grains": grains}

    # --- windows ---------------------------------------------------------------------------------

    def _cumulative(self, original: Mapping[str, Any]) -> Document:
        name, parameters = original["name"], original["type_params"]
        window_of = parameters.get("cumulative_type_params") or {}
        window = window_of.get("window") or parameters.get("window")
        to_date = window_of.get("grain_to_date") or parameters.get("grain_to_date")
        shared = templates_of(original.get("filter"))
        if to_date:
            column = {"month": "mtd", "quarter": "qtd", "year": "ytd"}.get(to_date)
            hint = f"is column {column} of its metric" if column else f"runs from each {to_date}"
            raise RefusedError(f"{hint}, not a metric of its own")
        if not window:
            raise RefusedError("no window: all time; give one (window: 12 months) or leave it")
        base = self._either(
            name, "rows", window_of.get("metric"), parameters.get("measure"), shared
        )
        if self.documents[base]["type"] != "simple":
            raise RefusedError(f"runs over {base}, which is no simple metric")
        if self.documents[base]["measure"].get("at"):
            raise RefusedError(f"runs over {base}, a stock")
        duration = _duration(window)
        if window_of.get("period_agg", "first") != "last":
            agg = window_of.get("period_agg") or "first"
            self.imported.change(
                name,
                f"by week and longer, there the {agg} of the days' windows in the period "
                "(period_agg), here the window that ends with the period; by day equal",
            )
        if duration.unit not in DAYS:
            self.imported.change(
                name,
                f"a window of {duration} starts one to three days earlier there where the month "
                "it ends in is shorter than the one it starts in",
            )
        return {"type": "cumulative", "metric": base, "window": str(duration)}

    def _conversion(self, original: Mapping[str, Any]) -> Document:
        name, parameters = original["name"], original["type_params"]
        given = parameters.get("conversion_type_params")
        if not given:
            raise RefusedError("it says no base and no conversion")
        if given.get("calculation", "conversion_rate") != "conversion_rate":
            raise RefusedError("counts conversions; only the share is known here")
        if given.get("constant_properties"):
            raise RefusedError("holds a property constant between both events")
        window = given.get("window")
        if not window or window["granularity"] not in DAYS:
            raise RefusedError("its window is no number of days or weeks")
        shared = templates_of(original.get("filter"))
        base = self._either(
            name, "base", given.get("base_metric"), given.get("base_measure"), shared
        )
        after = self._either(
            name, "conversion", given.get("conversion_metric"), given.get("conversion_measure"), []
        )
        columns = {self._entity_column(metric, given["entity"]) for metric in (base, after)}
        if len(columns) != 1:
            raise RefusedError(f"entity {given['entity']} is another column on either side")
        days = window["count"] * DAYS[window["granularity"]] - 1
        self.imported.change(
            name,
            "there conversions by rows of the base, which may pass 1; here the share of "
            f"{given['entity']}s with the base that converted; the days of the window are equal "
            f"(there its last day is left out, so {days} days here)",
        )
        return {
            "type": "conversion",
            "base_metric": base,
            "conversion_metric": after,
            "entity": columns.pop(),
            "window": f"{days}d",
            "unit": "percent",
        }

    def _entity_column(self, metric: str, entity: str) -> str:
        document = self.documents[metric]
        if document["type"] != "simple":
            raise RefusedError(f"converts {metric}, which is no simple metric")
        model = self.models.get(document["measure"]["source"])
        if model is None or entity not in model.entities:
            raise RefusedError(f"{metric} has no entity {entity}")
        column = model.column(model.entities[entity])
        if column is None:
            raise RefusedError(f"entity {entity} is computed, not a column")
        return column


def formula(text: str, names: Mapping[str, str]) -> str:
    """Return a formula in our arithmetic, with the names that its inputs have here.

    `x / nullif(y, 0)` is `x / y`, because a division by zero is missing here.

    >>> formula("revenue / nullif(jobs, 0)", {"revenue": "revenue", "jobs": "jobs_2"})
    'revenue / jobs_2'
    """
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except sqlglot.ParseError as error:
        raise RefusedError(f"its formula cannot be read: {text}") from error
    return _formula(tree, names, text)


def _formula(node: Any, names: Mapping[str, str], text: str) -> str:
    operators: dict[Any, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
    if type(node) in operators:
        left, right = node.this, node.expression
        is_guarded = isinstance(node, exp.Div) and isinstance(right, exp.Nullif)
        if is_guarded and right.expression.sql() == "0":
            right = right.this
        written = [_formula(part, names, text) for part in (left, right)]
        return f"{written[0]} {operators[type(node)]} {written[1]}"
    if isinstance(node, exp.Paren):
        return f"({_formula(node.this, names, text)})"
    if isinstance(node, exp.Neg):
        return f"-{_formula(node.this, names, text)}"
    if isinstance(node, exp.Literal) and not node.is_string:
        return str(node.this)
    if isinstance(node, exp.Column) and not node.table:
        if node.name not in names:
            raise RefusedError(f"its formula names {node.name}, which is none of its inputs")
        return names[node.name]
    raise RefusedError(f"its formula is more than + - * / and parentheses: {text}")


def _own_keys(original: Mapping[str, Any]) -> Document:
    """Return label, question, and every key of ours that travels in `config.meta.dataops_nb`."""
    keys: Document = {}
    if original.get("label"):
        keys["label"] = original["label"]
    description = " ".join((original.get("description") or "").split())
    if description.endswith("?"):
        keys["question"] = description
    return keys | _meta_of(original)


def _meta_of(original: Mapping[str, Any]) -> Document:
    """Return what of ours travels with a metric."""
    meta = ((original.get("config") or {}).get("meta") or {}).get(META)
    return dict(meta) if isinstance(meta, dict) else {}


def _offset(given: Input) -> Duration | None:
    if given.get("offset_to_grain"):
        grain = given["offset_to_grain"]
        raise RefusedError(f"stands on {given['name']} at the start of the {grain}")
    window = given.get("offset_window")
    return _duration(window) if window else None


def _duration(window: Mapping[str, Any]) -> Duration:
    unit = str(window["granularity"]).removesuffix("s")
    if unit not in GRAINS:
        raise RefusedError(f"its window is in {unit}s, which are not here")
    return Duration.model_validate({"count": int(window["count"]), "unit": unit})
