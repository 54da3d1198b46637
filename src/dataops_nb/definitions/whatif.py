"""A what-if: a file that holds only what would be different, laid over the company's files before they are checked.

Its keys are those of company.yaml, and beside them `departments:` (each in the form of its own file), `metrics:` (by id,
whoever owns them) and the other files by name (`events:`, `reports:` ...). Mappings merge, lists and values replace. A
mistake in it is reported in its own file and line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from dataops_nb.definitions.reading import Node
from dataops_nb.errors import Mistake, did_you_mean


@dataclass
class Overlay:
    """The parts of a what-if by the file they belong to, and which keys of which files it has changed so far."""

    file: str = ""
    company: Node = field(default_factory=lambda: Node({}))
    departments: dict[str, Node] = field(default_factory=dict)
    metrics: dict[str, Node] = field(default_factory=dict)
    others: dict[str, Node] = field(default_factory=dict)
    changed: set[tuple[str, str]] = field(default_factory=set)

    def lay_department(self, name: str, root: Node, file: str) -> None:
        """Lay what is said of a department, and of the metrics it owns, over its file."""
        if (said := self.departments.pop(name, None)) is not None:
            self._lay(root, said, file, "")
        owned = root.step("metrics")
        for id_ in [id_ for id_ in self.metrics if owned is not None and owned.step(id_) is not None]:
            self._lay(root, Node({"metrics": Node({id_: self.metrics.pop(id_)})}), file, "")

    def lay_company(self, root: Node, file: str) -> None:
        """Lay what is said of the company over company.yaml."""
        self._lay(root, self.company, file, "")

    def lay_other(self, name: str, root: Node, file: str) -> None:
        """Lay what is said of one of the other files over it."""
        if name in self.others:
            self._lay(root, self.others[name], file, "")

    def strangers(self, departments: Collection[str], metrics: Iterable[str]) -> list[Mistake]:
        """What belongs to no department."""
        known = list(metrics)
        wrong = [
            Mistake(self.file, node.line, node.key, f"unknown department {name!r}{did_you_mean(name, departments)}")
            for name, node in self.departments.items()
        ]
        return wrong + [
            Mistake(self.file, node.line, node.key, f"unknown metric {id_!r}{did_you_mean(id_, known)}")
            for id_, node in self.metrics.items()
        ]

    def placed(self, mistake: Mistake) -> Mistake:
        """A mistake under the name of the file it really stands in."""
        parts = mistake.key.replace("[", ".[").split(".")
        keys = {".".join(parts[: i + 1]).replace(".[", "[") for i in range(len(parts))}
        if not any((mistake.file, key) in self.changed for key in keys):
            return mistake
        return Mistake(self.file, mistake.line, mistake.key, mistake.message)

    def _lay(self, base: Node, over: Node, file: str, key: str) -> None:
        if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
            base.value, base.line, base.written = _keyed(over, key).value, over.line, over.written
            self.changed.add((file, key))
            return
        for name, node in over.value.items():
            below = base.child_key(name)
            if name in base.value:
                self._lay(base.value[name], node, file, below)
            else:
                base.value[name] = _keyed(node, below)
                self.changed.add((file, below))


def split(root: Node, file: str, others: Collection[str]) -> Overlay:
    """The parts of a what-if's file; `others` are the names of the company's other files."""
    said = dict(root.value) if isinstance(root.value, dict) else {}
    whole = said.get("company")
    company = said.pop("company").value if whole is not None and isinstance(whole.value, dict) else {}
    departments, metrics = (said.pop(name, Node({})) for name in ("departments", "metrics"))
    parts = {name: said.pop(name) for name in list(said) if name in others}
    return Overlay(file, Node({**said, **company}), _entries(departments), _entries(metrics), parts)


def _entries(node: Node) -> dict[str, Node]:
    return dict(node.value) if isinstance(node.value, dict) else {}


def _keyed(node: Node, key: str) -> Node:
    """A copy of a tree whose keys start at another place."""
    copy = Node(node.value, node.line, key, node.written)
    if isinstance(node.value, dict):
        copy.value = {name: _keyed(child, copy.child_key(name)) for name, child in node.value.items()}
    elif isinstance(node.value, list):
        copy.value = [_keyed(child, copy.child_key(index)) for index, child in enumerate(node.value)]
    return copy
