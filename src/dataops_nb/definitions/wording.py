"""The validator's findings in plain words, with the nearest right name."""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from dataops_nb.definitions.reading import Node
from dataops_nb.errors import did_you_mean

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
_CHOICES = {"literal_error": "expected", "union_tag_invalid": "expected_tags"}


def describe(errors: Sequence[ErrorDetails], node: Node) -> str:
    """One sentence for everything the validator holds against one value."""
    if len(errors) == 1 and errors[0]["type"] not in {*_EXPECTED, *_CHOICES}:
        return _sentence(errors[0])
    choices = [choice for error in errors for choice in allowed(error)]
    expected = [_EXPECTED[error["type"]] for error in errors if error["type"] in _EXPECTED]
    wanted = join(dict.fromkeys([*expected, *choices]))
    key_is_wrong = errors[0]["loc"][-1:] == ("[key]",)
    found = str(errors[0]["loc"][-2]) if key_is_wrong else node.written
    if node.value is None and not key_is_wrong:
        return f"is empty; expected {wanted}"
    shown = repr(found) if found or not isinstance(node.value, dict | list) else _container(node)
    if choices and not expected and len(choices) == 1:
        return f"{shown} can only be {wanted}"
    if choices and not expected:
        return f"{shown} is not one of {wanted}{did_you_mean(found, choices)}"
    return f"{shown} is not {wanted}{did_you_mean(found, choices)}"


def allowed(error: ErrorDetails) -> list[str]:
    """The words that a choice allows."""
    key = _CHOICES.get(error["type"])
    return [] if key is None else str(error["ctx"][key]).replace("'", "").replace(" or ", ", ").split(", ")


def join(words: Iterable[str]) -> str:
    """`a, b or c`."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} or {last}" if first else last


def unknown_key(name: str, known: Sequence[str]) -> str:
    """What to say about a key that does not exist, given those that do."""
    near = did_you_mean(name, known)
    return f"unknown key {name!r}" + (near or f"; known here: {', '.join(known)}")


def known_keys(root: Any, loc: Sequence[str | int]) -> list[str]:
    """The keys that the types under `root` allow at an error's location, in the order of the documentation."""
    found = _flatten(root)
    for part in loc:
        found = _descend(found, part)
    return list(dict.fromkeys(key for kind in found for key in keys_of(kind)))


def keys_of(kind: Any) -> dict[str, Any]:
    """A model's keys as they are written in a file, with the type of each; none for anything else."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}


def _flatten(kind: Any) -> list[Any]:
    """The members of a type: unions and annotations opened."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _flatten(get_args(kind)[0])
    if origin in {Union, types.UnionType}:
        return [member for option in get_args(kind) for member in _flatten(option)]
    return [kind]


def _descend(kinds: list[Any], part: str | int) -> list[Any]:
    """The types behind a key or an index; a union's tag only narrows the types."""
    below: list[Any] = []
    for kind in kinds:
        if part in keys_of(kind):
            below += _flatten(keys_of(kind)[str(part)])
        elif get_origin(kind) is dict and part != "[key]":
            below += _flatten(get_args(kind)[1])
        elif get_origin(kind) is list and isinstance(part, int):
            below += _flatten(get_args(kind)[0])
    return below or [kind for kind in kinds if part in _tags(kind)] or kinds


def _tags(kind: Any) -> list[str]:
    """What a union calls this member: `<Name>`, or the value of its `type`."""
    type_ = keys_of(kind).get("type")
    literals = [str(value) for value in get_args(type_)] if get_origin(type_) is Literal else []
    return [f"<{getattr(kind, '__name__', kind)}>", *literals]


def _container(node: Node) -> str:
    return "a list" if isinstance(node.value, list) else "a mapping"


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
