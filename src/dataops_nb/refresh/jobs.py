"""A job: one notebook to execute with its parameters in a private folder, and the files that its process leaves there."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, eq=False)
class Job:
    """One notebook to execute with its parameters, in a private folder, with an environment."""

    notebook: Path
    parameters: Mapping[str, Any]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def executed(self) -> Path:
        """Where papermill writes; private until it is judged."""
        return self.folder / "executed.ipynb"

    @property
    def result(self) -> Path:
        """Where the process says how it went."""
        return self.folder / "result.json"

    @property
    def cell(self) -> Path:
        """Where the process says which cell runs."""
        return self.folder / "cell.txt"

    @property
    def log(self) -> Path:
        """Everything the process and its kernel printed, tracebacks too."""
        return self.folder / "log.txt"

    def note(self, error: BaseException) -> None:
        """Keep the traceback of what went wrong after the notebook ran."""
        with self.log.open("a", encoding="utf-8") as log:
            log.writelines(traceback.format_exception(error))
