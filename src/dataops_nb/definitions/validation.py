"""A tree of nodes against its model: every mistake of one file in one go.

The validator stops looking inside what it cannot place. So each mistake is reported and then mended in a copy of the
tree (the nearest name, or the faulty part left out), until the rest can be read. The mended model is never handed to
a caller as definitions: it only lets the cross-checks go on, so that a person sees all mistakes at once.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from dataops_nb.definitions import wording
from dataops_nb.definitions.reading import Node, as_date
from dataops_nb.errors import Mistake, nearest

_ROUNDS = 60
_STAND_INS: tuple[Any, ...] = ("stand-in", {})
METRIC_TYPES = ("simple", "ratio", "cumulative", "derived", "conversion")
_TYPE_BY_KEY = {"measure": "simple", "numerator": "ratio", "window": "cumulative", "expr": "derived"}
_adapters: dict[Any, TypeAdapter[Any]] = {}


def validate(kind: Any, root: Node, file: str) -> tuple[Any | None, list[Mistake]]:
    """The model that `root` describes, and every mistake in it.

    `root` is mended in place where it holds mistakes; None where not even a mended model can be made.
    """
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    mender = _Mender(kind, root, file)
    for _ in range(_ROUNDS):
        try:
            model = _adapters[kind].validate_python(root.plain(), by_alias=True, by_name=False)
        except ValidationError as error:
            errors = error.errors(include_url=False)
            if not mender.respell(errors) and not mender.mend(errors):
                break
        else:
            return model, mender.mistakes
    return None, mender.mistakes or [Mistake(file, root.line, root.key, "cannot be read")]


@dataclass(frozen=True)
class _Trail:
    """Where an error's location leads: the nodes on the way, the steps taken, and what could not be stepped into."""

    nodes: list[Node]
    steps: list[str | int]

    @property
    def end(self) -> Node:
        return self.nodes[-1]

    @property
    def invented(self) -> bool:
        return any(node.stand_in for node in self.nodes)


def follow(root: Node, loc: Sequence[str | int]) -> _Trail:
    """Walk a path down the tree; what is not there, as the tags of unions are not, is stepped over."""
    trail = _Trail([root], [])
    for part in loc:
        below = trail.end.step(part)
        if below is not None:
            trail.nodes.append(below)
            trail.steps.append(part)
    return trail


@dataclass
class _Mender:
    kind: Any
    root: Node
    file: str
    mistakes: list[Mistake] = field(default_factory=list)
    attempts: Counter[tuple[Node, str]] = field(default_factory=Counter)

    def trail(self, error: ErrorDetails) -> _Trail:
        """Where an error stands; in a department, what follows a metric's id is its type, not a key."""
        loc = error["loc"]
        return follow(self.root, (*loc[:2], *loc[3:]) if loc[:1] == ("metrics",) else loc)

    def respell(self, errors: list[ErrorDetails]) -> bool:
        """Read 2024 as text where text is meant, and "2026-01-31" as a day where a day is; no mistake to report."""
        changed = False
        for error in errors:
            node = self.trail(error).end
            if error["type"] == "string_type" and isinstance(node.value, int | float | dt.date):
                node.value = node.written
                changed = True
            elif error["type"] == "date_type" and isinstance(node.value, str) and (day := as_date(node.value)):
                node.value = day
                changed = True
        return changed

    def mend(self, errors: list[ErrorDetails]) -> bool:
        """Report the errors and repair the tree; False where nothing is left to repair."""
        groups: dict[Node, list[tuple[ErrorDetails, _Trail]]] = defaultdict(list)
        for error in errors:
            trail = self.trail(error)
            groups[trail.end].append((error, trail))
        outcomes = [self.mend_node(found) for found in groups.values()]
        return all(outcomes)

    def mend_node(self, found: list[tuple[ErrorDetails, _Trail]]) -> bool:
        trail = found[0][1]
        missing = [error for error, _ in found if error["type"] == "missing"]
        tags = [error for error, _ in found if error["type"].startswith("union_tag")]
        unknown = [error for error, _ in found if error["type"] == "extra_forbidden"]
        if missing:
            outcomes = [self.supply(trail, error) for error in missing]
            return all(outcomes)
        if tags:
            return self.choose_type(trail, tags[0])
        if unknown:
            return self.rename(trail, unknown[0])
        return self.replace(trail, [error for error, _ in found])

    def say(self, trail: _Trail, message: str, below: str = "") -> None:
        if not trail.invented:
            key = trail.end.child_key(below) if below else trail.end.key
            self.mistakes.append(Mistake(self.file, trail.end.line, key, message))

    def supply(self, trail: _Trail, error: ErrorDetails) -> bool:
        """A required key is missing: put something in its place, or leave out what lacks it."""
        place, name = trail.end, str(error["loc"][-1])
        if name in place.value:
            return True
        known = wording.known_keys(self.kind, error["loc"][:-1])
        misspelt = any(nearest(other, [name]) for other in place.value if other not in known)
        attempt = self.attempts[place, name]
        self.attempts[place, name] += 1
        if attempt == 0 and not misspelt and name not in place.lost:
            self.say(trail, f"missing key {name!r}", below=name)
        if attempt >= len(_STAND_INS):
            return self.drop(trail)
        value = _STAND_INS[attempt]
        place.value[name] = Node({} if value == {} else value, place.line, place.child_key(name), stand_in=True)
        return True

    def choose_type(self, trail: _Trail, error: ErrorDetails) -> bool:
        """A metric without a type, or with one that does not exist: take the one that its other keys speak for."""
        metric = trail.end
        said = metric.step("type")
        if said is None:
            almost = next((key for key in metric.value if nearest(key, ["type"])), None)
            if almost is not None:
                metric.value["type"] = node = metric.value.pop(almost)
                self.mistakes.append(Mistake(self.file, node.line, node.key, wording.unknown_key(almost, ["type"])))
                return True
            self.say(trail, f"missing key 'type'; expected {wording.join(METRIC_TYPES)}", below="type")
            said = Node(None, metric.line, metric.child_key("type"))
        else:
            self.say(follow(metric, ["type"]), wording.describe([error], said))
        by_key = (type_ for key, type_ in _TYPE_BY_KEY.items() if key in metric.value)
        guess = nearest(said.written, METRIC_TYPES) or next(by_key, "")
        metric.value["type"] = Node(guess, said.line, said.key, guess)
        return True if guess else self.drop(trail)

    def rename(self, trail: _Trail, error: ErrorDetails) -> bool:
        """An unknown key: take it for the nearest one that is not there yet, else leave it out."""
        name = str(error["loc"][-1])
        known = wording.known_keys(self.kind, error["loc"][:-1])
        self.say(trail, wording.unknown_key(name, known))
        parent = trail.nodes[-2]
        node = parent.value.pop(name)
        right = nearest(name, known)
        if right and (right not in parent.value or parent.value[right].stand_in):
            parent.value[right] = node
        return True

    def replace(self, trail: _Trail, errors: list[ErrorDetails]) -> bool:
        """A wrong value: take the nearest allowed word, else leave it out."""
        node = trail.end
        self.say(trail, wording.describe(errors, node))
        right = nearest(node.written, wording.allowed(errors[0])) if errors[0]["loc"][-1:] != ("[key]",) else ""
        if right and not node.stand_in:
            node.value = node.written = right
            return True
        return self.drop(trail)

    def drop(self, trail: _Trail) -> bool:
        """Leave a node out; False where it is the whole file."""
        if len(trail.nodes) == 1:
            return False
        parent, step = trail.nodes[-2], trail.steps[-1]
        if isinstance(parent.value, list):
            parent.value[:] = [node for node in parent.value if node is not trail.end]
        else:
            parent.value.pop(step, None)
            parent.lost.add(str(step))
        return True
