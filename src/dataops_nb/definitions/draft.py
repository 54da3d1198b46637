"""The files while they are being checked: what could be read of them, where each value stands, what is wrong so far."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.reading import Node
from dataops_nb.definitions.validation import follow
from dataops_nb.errors import Mistake, did_you_mean

Steps = tuple[str | int, ...]


@dataclass
class File:
    """One file: its name for people, its tree, and for a department the tree of its defaults.

    `declared` are the names that stand in each of its sections, also where what they name is faulty.
    """

    name: str
    root: Node
    defaults: Node = field(default_factory=lambda: Node({}))
    declared: dict[str, dict[str, Node]] = field(default_factory=dict)
    readable: bool = True

    def declare(self) -> None:
        """Remember the names in every section as it stands now."""
        for section, node in self.root.value.items() if isinstance(self.root.value, dict) else ():
            if isinstance(node.value, dict):
                self.declared[section] = {**node.value, **self.declared.get(section, {})}


@dataclass
class Draft:
    """Definitions under check: `unread` is the text of files that could not be read, where any name may stand."""

    definitions: Definitions
    company: File
    departments: dict[str, File]
    others: dict[str, File]
    notebooks: Path | None
    unread: str = ""
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def sources(self) -> dict[str, Node]:
        """The declared sources by name."""
        return self.company.declared.get("sources", {})

    @property
    def metrics(self) -> dict[str, Node]:
        """The declared metrics by id."""
        sections = [file.declared.get("metrics", {}) for file in self.departments.values()]
        return {id_: node for section in sections for id_, node in section.items()}

    def say(self, file: File, path: Steps, message: str) -> None:
        """Note a mistake at a path of a file, or at what stands nearest above it; silent where the path is invented."""
        self.say_at(file, file.root, path, message)

    def say_at(self, file: File, root: Node, path: Steps, message: str) -> None:
        """Note a mistake at a path below a node; see `say`."""
        trail = follow(root, path)
        below = path[len(trail.steps) :]
        if trail.invented or (below and str(below[0]) in trail.end.lost):
            return
        key = trail.end.child_key(below[0]) if below else trail.end.key
        self.mistakes.append(Mistake(file.name, trail.end.line, key, message))

    def say_unknown(self, file: File, path: Steps, what: str, name: str, known: Collection[str]) -> None:
        """Note a name that nothing has; silent where it may stand in a file that could not be read."""
        if name not in known and not re.search(rf"\b{re.escape(name)}\b", self.unread):
            self.say(file, path, f"unknown {what} {name!r}{did_you_mean(name, known)}")

    def say_unknown_source(self, file: File, path: Steps, name: str) -> None:
        """Note a source that company.yaml does not declare; silent where its sources are not known."""
        section = self.company.root.step("sources")
        if self.company.readable and section is not None and not section.stand_in:
            self.say_unknown(file, path, "source", name, self.sources)

    def say_unknown_metric(self, file: File, path: Steps, name: str) -> None:
        """Note a metric that no department declares; one that only a table's rows can make is told apart."""
        made = (table.prefix for each in self.definitions.departments.values() for table in each.metrics_from)
        if name not in self.metrics and any(prefix and name.startswith(prefix) for prefix in made):
            self.say(
                file, path, f"{name!r} is made by metrics_from; only a metric declared under metrics: may be named"
            )
        else:
            self.say_unknown(file, path, "metric", name, self.metrics)
