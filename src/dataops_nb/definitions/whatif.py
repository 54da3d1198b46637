"""Lay a what-if, a file that holds only differences, over the company's files before the checks.

Its keys are those of company.yaml, and beside them `departments:` (each in the form of its own
file), `metrics:` (by id, in any department) and the other files by name (`events:`, `reports:`
...). Mappings merge, lists and values replace. A mistake in it is reported in its own file and
line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from dataops_nb.definitions.nodes import Node
from dataops_nb.errors import Mistake, did_you_mean


@dataclass
class Overlay:
    """The parts of a what-if by the file they belong to.

    `changed` holds the file and the key of every value that has been replaced or added so far.
    """

    file: str = ""
    company: Node = field(default_factory=lambda: Node({}))
    departments: dict[str, Node] = field(default_factory=dict)
    metrics: dict[str, Node] = field(default_factory=dict)
    others: dict[str, Node] = field(default_factory=dict)
    changed: set[tuple[str, str]] = field(default_factory=set)

    def lay_company(self, root: Node, file: str) -> None:
        """Lay the differences about the company over company.yaml."""
        self._lay(root, self.company, file, "")

    def lay_department(self, name: str, root: Node, file: str) -> None:
        """Lay the differences about a department, and about its metrics, over its file."""
        department = self.departments.pop(name, None)
        if department is not None:
            self._lay(root, department, file, "")
        own_metrics = root.step("metrics")
        if own_metrics is None:
            return
        for metric_id in list(self.metrics):
            if own_metrics.step(metric_id) is not None:
                metric = self.metrics.pop(metric_id)
                over = Node({"metrics": Node({metric_id: metric})})
                self._lay(root, over, file, "")

    def lay_other(self, name: str, root: Node, file: str) -> None:
        """Lay the differences about one of the other files over it."""
        if name in self.others:
            self._lay(root, self.others[name], file, "")

    def unplaced(self, departments: Collection[str], metrics: Iterable[str]) -> list[Mistake]:
        """Return a mistake for each department and metric that the company does not have."""
        mistakes: list[Mistake] = []
        for name, node in self.departments.items():
            message = f"no department {name!r}{did_you_mean(name, departments)}"
            mistakes.append(Mistake(self.file, node.line, node.key, message))
        known = list(metrics)
        for metric_id, node in self.metrics.items():
            message = f"no metric {metric_id!r}{did_you_mean(metric_id, known)}"
            mistakes.append(Mistake(self.file, node.line, node.key, message))
        return mistakes

    def placed(self, mistake: Mistake) -> Mistake:
        """Return a mistake under the name of the file that its value really comes from."""
        parts = mistake.key.replace("[", ".[").split(".")
        for end in range(1, len(parts) + 1):
            key = ".".join(parts[:end]).replace(".[", "[")
            if (mistake.file, key) in self.changed:
                return Mistake(self.file, mistake.line, mistake.key, mistake.message)
        return mistake

    def _lay(self, base: Node, over: Node, file: str, key: str) -> None:
        if not isinstance(base.value, dict) or not isinstance(over.value, dict):
            base.value = _with_key(over, key).value
            base.line, base.written = over.line, over.written
            self.changed.add((file, key))
            return
        for name, node in over.value.items():
            below = base.child_key(name)
            if name in base.value:
                self._lay(base.value[name], node, file, below)
            else:
                base.value[name] = _with_key(node, below)
                self.changed.add((file, below))


def split(root: Node, file: str, others: Collection[str]) -> Overlay:
    """Return the parts of a what-if's file; `others` are the names of the company's other files."""
    entries = _entries(root)
    departments = entries.pop("departments", Node({}))
    metrics = entries.pop("metrics", Node({}))
    parts: dict[str, Node] = {}
    for name in list(entries):
        if name in others:
            parts[name] = entries.pop(name)
    # The company's keys stand at the top; a mapping `company:` around them is read as well.
    company = entries.get("company")
    if company is not None and isinstance(company.value, dict):
        del entries["company"]
        entries.update(company.value)
    return Overlay(file, Node(entries), _entries(departments), _entries(metrics), parts)


def _entries(node: Node) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        return {}
    return dict(node.value)


def _with_key(node: Node, key: str) -> Node:
    """Copy a tree to another place: the keys in it start with `key`."""
    copy = Node(node.value, node.line, key, node.written)
    if isinstance(node.value, dict):
        copy.value = {}
        for name, child in node.value.items():
            copy.value[name] = _with_key(child, copy.child_key(name))
    elif isinstance(node.value, list):
        copy.value = []
        for index, child in enumerate(node.value):
            copy.value.append(_with_key(child, copy.child_key(index)))
    return copy
