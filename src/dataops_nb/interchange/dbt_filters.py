"""Read the filters of a dbt project: Jinja around SQL, whose names are dimensions, not columns.

`{{ Dimension('job__state') }} = 'void'` becomes `(state) = 'void'` where the dimension belongs to
the measure's own model. One of a model behind an entity becomes the column of a joined source;
`Filter.joins` says which. Nothing is run: a template is read as a call of one of four names with
texts as arguments, and anything else is refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TEMPLATE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
GRAINS = ("day", "week", "month", "quarter", "year")
CALLS = ("Dimension", "TimeDimension", "Entity", "Metric")
METRIC_TIME = "metric_time"


class RefusedError(Exception):
    """What cannot be said here, and why."""


@dataclass(frozen=True)
class Model:
    """A semantic model: its entities, dimensions and measures by name, as the manifest has them."""

    name: str
    entities: Mapping[str, dict[str, Any]]
    dimensions: Mapping[str, dict[str, Any]]
    measures: Mapping[str, dict[str, Any]]
    primary: str
    written: Mapping[str, Any]

    def expression(self, element: Mapping[str, Any]) -> str:
        """Return the SQL of an entity or a dimension: the column of its name where none is said."""
        return str(element.get("expr") or element["name"])

    def column(self, element: Mapping[str, Any]) -> str | None:
        """Return the column that an element is; None where it is computed."""
        expression = self.expression(element)
        return expression if PLAIN.fullmatch(expression) else None


@dataclass(frozen=True)
class Join:
    """A dimension of the model behind an entity of the measure's model."""

    entity: str
    model: str
    dimension: str

    @property
    def column(self) -> str:
        """The name of its column in the joined source, as dbt has it."""
        return f"{self.entity}__{self.dimension}"


@dataclass
class Filter:
    """A condition in SQL, and what must be joined for it."""

    conditions: list[str] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)

    @property
    def sql(self) -> str | None:
        """All conditions in one; None without any."""
        if len(self.conditions) < 2:
            return self.conditions[0] if self.conditions else None
        return " and ".join(f"({condition})" for condition in self.conditions)


def templates_of(filters: Any) -> list[str]:
    """Return the templates of a filter as the manifest has it; a list means that all hold."""
    if not filters:
        return []
    return [item["where_sql_template"] for item in filters.get("where_filters", [])]


def read_filter(
    templates: Iterable[str], model: Model, models: Mapping[str, Model], time: str
) -> Filter:
    """Return the condition of templates over the rows of a model.

    `time` is the column that `metric_time` means. Raises RefusedError for what cannot be said.
    """
    reader = _Reader(model, models, time)
    for template in dict.fromkeys(templates):
        text = " ".join(template.split())
        if "{%" in text or "{#" in text:
            raise RefusedError(f"its filter is a program in Jinja: {text}")
        reader.filter.conditions.append(TEMPLATE.sub(reader.replace, text))
    return reader.filter


class _Reader:
    def __init__(self, model: Model, models: Mapping[str, Model], time: str) -> None:
        self.model = model
        self.models = models
        self.time = time
        self.filter = Filter()

    def replace(self, match: re.Match[str]) -> str:
        name, arguments, grain = _parse(match[1])
        if name == "Metric":
            raise RefusedError(
                f"filters by metric {arguments[0]}; write a source query that holds it"
            )
        if name == "Entity":
            return f"({self._entity(arguments[0])})"
        if name == "TimeDimension" and len(arguments) > 1:
            grain = arguments[1]
        expression = self._dimension(arguments[0], name)
        *_, last = arguments[0].split("__")
        if name == "TimeDimension" and last in GRAINS and len(arguments[0].split("__")) > 2:
            grain = last
        if grain is None:
            return f"({expression})"
        if grain not in GRAINS:
            raise RefusedError(f"filters by {grain}, a grain that is not here")
        if grain == "day":
            return f"cast({expression} as date)"
        return f"cast(date_trunc('{grain}', {expression}) as date)"

    def _entity(self, name: str) -> str:
        if name not in self.model.entities:
            raise RefusedError(f"filters by entity {name}, which {self.model.name} does not have")
        return self.model.expression(self.model.entities[name])

    def _dimension(self, name: str, kind: str) -> str:
        if name == METRIC_TIME:
            return self.time
        parts = name.split("__")
        if kind == "TimeDimension" and len(parts) > 2 and parts[-1] in GRAINS:
            parts.pop()
        if len(parts) == 1:
            raise RefusedError(f"filters by {name!r}, which names no entity")
        if len(parts) > 2:
            raise RefusedError(f"filters by {name}, two joins away; join it in a source query")
        entity, dimension = parts
        own = self.model
        if entity == own.primary and dimension in own.dimensions:
            return own.expression(own.dimensions[dimension])
        return self._joined(entity, dimension)

    def _joined(self, entity: str, dimension: str) -> str:
        if entity not in self.model.entities:
            raise RefusedError(f"filters by {entity}__{dimension}, and {entity} is no entity of it")
        for other in self.models.values():
            known = other.entities.get(entity, {})
            is_one = known.get("type") in ("primary", "unique") or other.primary == entity
            if other is not self.model and is_one and dimension in other.dimensions:
                join = Join(entity, other.name, dimension)
                if join not in self.filter.joins:
                    self.filter.joins.append(join)
                return join.column
        raise RefusedError(f"filters by {entity}__{dimension}, which no model behind it has")


def _parse(text: str) -> tuple[str, list[str], str | None]:
    """Return the call in a template: its name, its texts, and the grain that follows it."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise RefusedError(f"its filter is a program in Jinja: {text.strip()}") from None
    grain = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr != "grain" or len(node.args) != 1:
            raise RefusedError(f"its filter calls {node.func.attr}: {text.strip()}")
        grain = _constant(node.args[0], text)
        node = node.func.value
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise RefusedError(f"its filter is a program in Jinja: {text.strip()}")
    if node.func.id not in CALLS or not node.args:
        raise RefusedError(f"its filter calls {node.func.id}: {text.strip()}")
    path = _entity_path(node, text)
    arguments = [_constant(argument, text) for argument in node.args if not _is_list(argument)]
    if path and node.func.id != "Metric":
        arguments[0] = "__".join([*path, arguments[0]])
    return node.func.id, arguments, grain


def _is_list(node: ast.expr) -> bool:
    return isinstance(node, ast.List)


def _entity_path(node: ast.Call, text: str) -> list[str]:
    """Return the entities on the way to an element's own; the last one leads to its model."""
    for keyword in node.keywords:
        if keyword.arg == "entity_path" and isinstance(keyword.value, ast.List):
            return [_constant(item, text) for item in keyword.value.elts]
        if keyword.arg not in ("entity_path", "group_by", "time_granularity_name"):
            raise RefusedError(f"its filter says {keyword.arg}: {text.strip()}")
    return []


def _constant(node: ast.expr, text: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.lower()
    raise RefusedError(f"its filter is a program in Jinja: {text.strip()}")
