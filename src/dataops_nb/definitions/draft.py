"""The files while they are being checked: what could be read of them, where each value stands, what is wrong so far."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.reading import Node
from dataops_nb.definitions.validation import follow
from dataops_nb.errors import Mistake, did_you_mean

Path_ = tuple[str | int, ...]


@dataclass
class File:
    """One file: its name for people, its tree, and for a department the tree of its defaults."""

    name: str
    root: Node
    defaults: Node = field(default_factory=lambda: Node({}))


@dataclass
class Draft:
    """Definitions under check. `declared` are the names that files give, also where what they name is faulty."""

    definitions: Definitions
    company: File
    departments: dict[str, File]
    others: dict[str, File]
    notebooks: Path | None
    unread: str = ""
    mistakes: list[Mistake] = field(default_factory=list)

    def say(self, file: File, path: Path_, message: str) -> None:
        """Note a mistake at a path of a file, or at what stands nearest above it; silent where the path is invented."""
        trail = follow(file.root, path)
        if not trail.invented:
            key = trail.end.key
            if len(trail.steps) < len(path):
                key = trail.end.child_key(path[len(trail.steps)])
            self.mistakes.append(Mistake(file.name, trail.end.line, key, message))

    def say_unknown(self, file: File, path: Path_, what: str, name: str, known: Collection[str]) -> None:
        """Note a name that nothing has; silent where it may stand in a file that could not be read."""
        if name not in known and name not in self.unread:
            self.say(file, path, f"unknown {what} {name!r}{did_you_mean(name, known)}")

    def names(self, *path: str) -> list[str]:
        """The keys of a mapping in company.yaml."""
        node = follow(self.company.root, path).end
        return list(node.value) if isinstance(node.value, dict) else []
