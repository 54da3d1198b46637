"""Hold the files while they are checked: what could be read, and what is wrong so far."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dataops_nb.definitions.mistakes import follow
from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.nodes import Node
from dataops_nb.errors import Mistake, did_you_mean

# The keys and list positions that lead from the top of a file to a value.
Steps = tuple[str | int, ...]
# What is wrong, and at which path of the file or section under check.
Fault = tuple[Steps, str]


@dataclass
class File:
    """One file: its name, its tree, and for a department the tree of its defaults.

    `declared` holds the names of each section, also those whose values are faulty.
    """

    name: str
    root: Node
    defaults: Node = field(default_factory=lambda: Node({}))
    declared: dict[str, dict[str, Node]] = field(default_factory=dict)
    readable: bool = True

    def declare(self) -> None:
        """Add the names in every section of the tree, as it is now, to `declared`."""
        sections = self.root.value
        if not isinstance(sections, dict):
            return
        for section, node in sections.items():
            if isinstance(node.value, dict):
                earlier = self.declared.get(section, {})
                self.declared[section] = {**node.value, **earlier}


@dataclass
class Draft:
    """Definitions under check, with the files they were read from and the mistakes found so far.

    `unread` is the text of the files that could not be read: any name may be declared there.
    """

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
        metrics: dict[str, Node] = {}
        for file in self.departments.values():
            metrics.update(file.declared.get("metrics", {}))
        return metrics

    def report(self, file: File, path: Steps, message: str) -> None:
        """Add a mistake at a path of a file, or at the nearest place above the path that exists.

        Nothing is added where the path leads through a stand-in: its mistake is known already.
        """
        trail = follow(file.root, path)
        place = trail.end
        missing = path[len(trail.steps) :]
        if trail.invented:
            return
        key = place.key
        if missing:
            if str(missing[0]) in place.lost:
                return
            key = place.child_key(missing[0])
        self.mistakes.append(Mistake(file.name, place.line, key, message))

    def report_all(self, file: File, path: Steps, faults: Iterable[Fault]) -> None:
        """Add a mistake for each fault; their paths start at `path`."""
        for below, message in faults:
            self.report(file, (*path, *below), message)

    def report_unknown(
        self, file: File, path: Steps, kind: str, name: str, known: Collection[str]
    ) -> None:
        """Report a name that is not declared, unless an unreadable file may declare it."""
        if name in known:
            return
        if re.search(rf"\b{re.escape(name)}\b", self.unread):
            return
        message = f"no {kind} {name!r}{did_you_mean(name, known)}"
        self.report(file, path, message)

    def report_unknown_source(self, file: File, path: Steps, name: str) -> None:
        """Report a source that company.yaml does not declare, where its sources could be read."""
        section = self.company.root.step("sources")
        if not self.company.readable or section is None or section.stand_in:
            return
        self.report_unknown(file, path, "source", name, self.sources)

    def report_unknown_metric(self, file: File, path: Steps, name: str) -> None:
        """Report a metric that no department declares, or that only `metrics_from` makes."""
        if name in self.metrics:
            return
        if self._is_made_by_table(name):
            message = (
                f"{name!r} is made by metrics_from; "
                "only a metric declared under metrics: may be named"
            )
            self.report(file, path, message)
            return
        self.report_unknown(file, path, "metric", name, self.metrics)

    def _is_made_by_table(self, name: str) -> bool:
        """Tell whether the name starts with the prefix of a table of indicators."""
        for department in self.definitions.departments.values():
            for table in department.metrics_from:
                if table.prefix and name.startswith(table.prefix):
                    return True
        return False
