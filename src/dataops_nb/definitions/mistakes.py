"""Validate a tree against its model: every mistake of a file at once, in plain words.

The validator stops looking inside what it cannot place. So each mistake is reported and then
mended in the tree (the nearest name, or the faulty part left out), until the rest can be read.
The mended model never becomes definitions: it only lets the cross-checks go on, so that a person
sees all mistakes at once. Each message names the nearest right word.
"""

from __future__ import annotations

import datetime as dt
import types
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dataops_nb.definitions.nodes import Node, as_date
from dataops_nb.errors import Mistake, did_you_mean, nearest

METRIC_TYPES = ("simple", "ratio", "cumulative", "derived", "conversion")
# A key that only metrics of one type have.
_TYPE_BY_KEY = {
    "measure": "simple",
    "numerator": "ratio",
    "window": "cumulative",
    "expr": "derived",
}
_MOST_ROUNDS = 60
# Put in the place of a missing value, one after the other: a text, then a mapping.
_STAND_INS: tuple[Any, ...] = ("stand-in", {})
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}
# What the validator expected, by the type of its error.
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "date_type": "a date like 2026-01-31",
    "list_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}
# Keys that people bring from other tools, and what they are called here.
_CALLED = {
    "base": "base_metric",
    "base_measure": "base_metric",
    "conversion": "conversion_metric",
    "conversion_measure": "conversion_metric",
    "months": "season",
    "seasonality": "season",
    "quantile": "q",
    "percentile": "q",
    "where": "filter",
    "sql": "expr",
    "column": "expr",
    "field": "expr",
    "aggregation": "agg",
    "date": "time",
    "timestamp": "time",
    "dimensions": "by",
    "group_by": "by",
    "goal": "targets",
    "direction": "better",
    "name": "label",
    "title": "label",
    "description": "question",
}
# Words that people bring from other tools, and what is written here instead.
_MEANT = {
    "last": "at: end, beside the agg of that day's rows",
    "latest": "at: end, beside the agg of that day's rows",
    "last_value": "at: end, beside the agg of that day's rows",
    "avg": "average",
    "mean": "average",
    "total": "sum",
    "distinct": "count_distinct",
    "unique": "count_distinct",
    "nunique": "count_distinct",
    "quantile": "percentile, with q",
    **{f"p{share}": f"percentile, with q: 0.{share}" for share in (50, 75, 90, 95, 99)},
    **{
        agg: f"simple, with measure: {{agg: {agg}}}"
        for agg in ("count", "sum", "average", "median")
    },
    "rolling": "cumulative",
    "trailing": "cumulative",
    "formula": "derived",
    "expression": "derived",
    "rate": "ratio",
    "funnel": "conversion",
    "higher": "up",
    "lower": "down",
    "increase": "up",
    "decrease": "down",
}
# Where an error holds the allowed words, by the type of the error.
_CHOICES = {"literal_error": "expected", "union_tag_invalid": "expected_tags"}


def validate(kind: Any, root: Node, file: str) -> tuple[Any | None, list[Mistake]]:
    """Return the model of type `kind` that `root` describes, and every mistake in it.

    `root` is mended in place where it holds mistakes. The model is None where not even a mended
    one can be made.
    """
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    adapter = _ADAPTERS[kind]
    mender = _Mender(kind, root, file)
    for _ in range(_MOST_ROUNDS):
        try:
            model = adapter.validate_python(root.plain(), by_alias=True, by_name=False)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            if mender.respell(errors):
                continue
            if not mender.mend(errors):
                break
        else:
            return model, mender.mistakes
    mistakes = mender.mistakes or [Mistake(file, root.line, root.key, "cannot be read")]
    return None, mistakes


@dataclass(frozen=True)
class _Trail:
    """A walk down a tree: the nodes on the way, and the steps that led to them."""

    nodes: list[Node]
    steps: list[str | int]

    @property
    def end(self) -> Node:
        return self.nodes[-1]

    @property
    def invented(self) -> bool:
        return any(node.stand_in for node in self.nodes)


def follow(root: Node, loc: Sequence[str | int]) -> _Trail:
    """Walk a path down the tree; parts without a node, like the tags of unions, are skipped."""
    trail = _Trail([root], [])
    for part in loc:
        below = trail.end.step(part)
        if below is not None:
            trail.nodes.append(below)
            trail.steps.append(part)
    return trail


@dataclass
class _Mender:
    """Report the validator's errors about one file, and repair the tree for the next round.

    `attempts` counts the stand-ins tried for a missing key of a node.
    """

    kind: Any
    root: Node
    file: str
    mistakes: list[Mistake] = field(default_factory=list)
    attempts: Counter[tuple[Node, str]] = field(default_factory=Counter)

    def trail(self, error: ErrorDetails) -> _Trail:
        """Return the walk to an error."""
        loc = error["loc"]
        if loc[:1] == ("metrics",):
            # In a department a metric's id is followed by its type, which is no key.
            loc = (*loc[:2], *loc[3:])
        return follow(self.root, loc)

    def respell(self, errors: list[ErrorDetails]) -> bool:
        """Read 2024 as text where text is meant, and "2026-01-31" as a day where a day is.

        These are no mistakes to report. Return whether a value has changed.
        """
        changed = False
        for error in errors:
            node = self.trail(error).end
            if error["type"] == "string_type" and isinstance(node.value, int | float | dt.date):
                node.value = node.written
                changed = True
            elif error["type"] == "date_type" and isinstance(node.value, str):
                day = as_date(node.value)
                if day is not None:
                    node.value = day
                    changed = True
        return changed

    def mend(self, errors: list[ErrorDetails]) -> bool:
        """Report the errors and repair the tree; return False where something is past repair."""
        trails: dict[Node, _Trail] = {}
        errors_by_node: dict[Node, list[ErrorDetails]] = defaultdict(list)
        for error in errors:
            trail = self.trail(error)
            trails.setdefault(trail.end, trail)
            errors_by_node[trail.end].append(error)
        outcomes = [
            self.mend_node(trails[node], node_errors)
            for node, node_errors in errors_by_node.items()
        ]
        return all(outcomes)

    def mend_node(self, trail: _Trail, errors: list[ErrorDetails]) -> bool:
        """Report the most telling errors about one node, and repair it."""
        missing = [error for error in errors if error["type"] == "missing"]
        if missing:
            outcomes = [self.supply(trail, error) for error in missing]
            return all(outcomes)
        for error in errors:
            if error["type"].startswith("union_tag"):
                return self.choose_type(trail, error)
        for error in errors:
            if error["type"] == "extra_forbidden":
                return self.rename(trail, error)
        return self.replace(trail, errors)

    def report(self, trail: _Trail, message: str, below: str = "") -> None:
        """Add a mistake at the end of a trail, or at the missing key `below` it."""
        if trail.invented:
            return
        key = trail.end.key
        if below:
            key = trail.end.child_key(below)
        self.mistakes.append(Mistake(self.file, trail.end.line, key, message))

    def supply(self, trail: _Trail, error: ErrorDetails) -> bool:
        """Put a stand-in in the place of a missing key; after the last one drop the node."""
        place, name = trail.end, str(error["loc"][-1])
        if name in place.value:
            return True
        attempt = self.attempts[place, name]
        self.attempts[place, name] += 1
        if attempt == 0 and name not in place.lost:
            known = known_keys(self.kind, error["loc"][:-1])
            unknown = [key for key in place.value if key not in known]
            # A misspelt key is reported as an unknown one, not as a missing one too.
            if not any(nearest(key, [name]) or _CALLED.get(key) == name for key in unknown):
                self.report(trail, f"missing key {name!r}", below=name)
        if attempt >= len(_STAND_INS):
            return self.drop(trail)
        value = _STAND_INS[attempt]
        if value == {}:
            value = {}  # a mapping of its own: its keys are supplied in the next rounds
        key = place.child_key(name)
        place.value[name] = Node(value, place.line, key, stand_in=True)
        return True

    def choose_type(self, trail: _Trail, error: ErrorDetails) -> bool:
        """Give a metric a type that exists: the nearest one, or the one its other keys suggest."""
        metric = trail.end
        type_node = metric.step("type")
        if type_node is None:
            if self.respell_type(metric):
                return True
            message = f"missing key 'type'; expected {join_words(METRIC_TYPES)}"
            self.report(trail, message, below="type")
            type_node = Node(None, metric.line, metric.child_key("type"))
        else:
            self.report(follow(metric, ["type"]), describe([error], type_node))

        guess = nearest(type_node.written, METRIC_TYPES) or _type_by_keys(metric)
        metric.value["type"] = Node(guess, type_node.line, type_node.key, guess)
        if not guess:
            return self.drop(trail)
        return True

    def respell_type(self, metric: Node) -> bool:
        """Report a misspelt key `type` and mend it; return False where there is none."""
        for key in metric.value:
            if nearest(key, ["type"]):
                node = metric.value.pop(key)
                metric.value["type"] = node
                message = unknown_key_message(key, ["type"])
                self.mistakes.append(Mistake(self.file, node.line, node.key, message))
                return True
        return False

    def rename(self, trail: _Trail, error: ErrorDetails) -> bool:
        """Report an unknown key; rename it to the nearest one that is free, else leave it out."""
        name = str(error["loc"][-1])
        known = known_keys(self.kind, error["loc"][:-1])
        self.report(trail, unknown_key_message(name, known))
        parent = trail.nodes[-2]
        node = parent.value.pop(name)
        called = _CALLED.get(name, "")
        right = called if called in known else nearest(name, known)
        if not right:
            return True
        if right not in parent.value or parent.value[right].stand_in:
            parent.value[right] = node
        return True

    def replace(self, trail: _Trail, errors: list[ErrorDetails]) -> bool:
        """Report a wrong value; replace it with the nearest allowed word, else leave it out."""
        node = trail.end
        if errors[0]["type"] == "too_short" and node.lost:
            return self.drop(trail)  # its only entries were wrong, which is said already
        self.report(trail, describe(errors, node))
        if is_about_key(errors[0]) or node.stand_in:
            return self.drop(trail)
        right = nearest(node.written, allowed_words(errors[0]))
        if not right:
            return self.drop(trail)
        node.value = node.written = right
        return True

    def drop(self, trail: _Trail) -> bool:
        """Leave a node out; return False where it is the whole file."""
        if len(trail.nodes) == 1:
            return False
        parent, step = trail.nodes[-2], trail.steps[-1]
        if isinstance(parent.value, list):
            parent.value[:] = [node for node in parent.value if node is not trail.end]
            parent.lost.add(str(step))
        else:
            parent.value.pop(step, None)
            parent.lost.add(str(step))
        return True


def _type_by_keys(metric: Node) -> str:
    """Return the type that a metric's keys suggest, or ""."""
    for key, metric_type in _TYPE_BY_KEY.items():
        if key in metric.value:
            return metric_type
    return ""


def describe(errors: Sequence[ErrorDetails], node: Node) -> str:
    """Write one sentence for all errors about one value."""
    first = errors[0]
    if len(errors) == 1 and first["type"] not in {*_EXPECTED, *_CHOICES}:
        return _sentence(first)

    choices: list[str] = []
    expected: list[str] = []
    for error in errors:
        choices += allowed_words(error)
        if error["type"] in _EXPECTED:
            expected.append(_EXPECTED[error["type"]])
    wanted = join_words(dict.fromkeys([*expected, *choices]))

    written = node.written
    if is_about_key(first):
        written = str(first["loc"][-2])
    elif node.value is None:
        return f"is empty; expected {wanted}"
    shown = repr(written)
    if not written and isinstance(node.value, list):
        shown = "a list"
    elif not written and isinstance(node.value, dict):
        shown = "a mapping"

    near = did_you_mean(written, choices)
    if written in _MEANT and any(_MEANT[written].startswith(word) for word in ("at:", *choices)):
        near = f"; write {_MEANT[written]}"
    if expected or not choices:
        return f"{shown} is not {wanted}{near}"
    if len(choices) == 1:
        return f"{shown} can only be {wanted}"
    return f"{shown} is not one of {wanted}{near}"


def is_about_key(error: ErrorDetails) -> bool:
    """Tell whether an error is about the key of a mapping, not about its value."""
    return error["loc"][-1:] == ("[key]",)


def allowed_words(error: ErrorDetails) -> list[str]:
    """List the words that a choice allows; none for other errors."""
    key = _CHOICES.get(error["type"])
    if key is None:
        return []
    words = str(error["ctx"][key]).replace("'", "")
    return words.replace(" or ", ", ").split(", ")


def join_words(words: Iterable[str]) -> str:
    """Join words as `a, b or c`."""
    *first, last = list(words) or [""]
    if not first:
        return last
    return f"{', '.join(first)} or {last}"


def unknown_key_message(name: str, known: Sequence[str]) -> str:
    """Write that a key does not exist, with the nearest known key or else all of them."""
    advice = did_you_mean(name, known) or f"; known here: {', '.join(known)}"
    if _CALLED.get(name) in known:
        advice = f"; did you mean {_CALLED[name]!r}?"
    return f"unknown key {name!r}{advice}"


def known_keys(root: Any, loc: Sequence[str | int]) -> list[str]:
    """List the keys that the types under `root` allow at an error's location, in their order."""
    kinds = _members(root)
    for part in loc:
        kinds = _kinds_below(kinds, part)
    # A dictionary as an ordered set.
    keys: dict[str, None] = {}
    for kind in kinds:
        keys.update(dict.fromkeys(_keys_of(kind)))
    return list(keys)


def _keys_of(kind: Any) -> dict[str, Any]:
    """Return a model's keys as written in a file, with their types; none for other types."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    keys: dict[str, Any] = {}
    for name, model_field in kind.model_fields.items():
        keys[model_field.alias or name] = model_field.annotation
    return keys


def _members(kind: Any) -> list[Any]:
    """List the members of a union, without annotations; any other type is its own member."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _members(get_args(kind)[0])
    if origin not in {Union, types.UnionType}:
        return [kind]
    members: list[Any] = []
    for option in get_args(kind):
        members += _members(option)
    return members


def _kinds_below(kinds: list[Any], part: str | int) -> list[Any]:
    """List the types behind a key or an index; a union's tag only selects among `kinds`."""
    below: list[Any] = []
    for kind in kinds:
        keys = _keys_of(kind)
        origin = get_origin(kind)
        if part in keys:
            below += _members(keys[str(part)])
        elif origin is dict and part != "[key]":
            below += _members(get_args(kind)[1])
        elif origin is list and isinstance(part, int):
            below += _members(get_args(kind)[0])
    tagged = [kind for kind in kinds if part in _tags(kind)]
    return below or tagged or kinds


def _tags(kind: Any) -> list[str]:
    """List what a union may call this member: `<Name>`, or the value of its `type`."""
    tags = [f"<{getattr(kind, '__name__', kind)}>"]
    type_key = _keys_of(kind).get("type")
    if get_origin(type_key) is Literal:
        tags += [str(value) for value in get_args(type_key)]
    return tags


def _sentence(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "string_too_short":
            return "is empty; expected text"
        case "too_short":
            return "is empty; expected at least one entry"
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "finite_number":
            return "must be a finite number"
        case "value_error":
            return str(context["error"])
        case _:
            return error["msg"].replace("Input should be", "must be")
