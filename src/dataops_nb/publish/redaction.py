"""What a page must not tell: where the files lie on this machine, and the secrets that a source needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from dataops_nb.errors import ReportError


def without_paths(notebook: NotebookNode, places: Mapping[str, Path]) -> NotebookNode:
    """The notebook with the folders of this machine replaced by their names in `places`, the longest path first."""
    redacted: NotebookNode = nbformat.from_dict(_walked(notebook, _names(places)))  # type: ignore[no-untyped-call]
    return redacted


def text(said: str, places: Mapping[str, Path]) -> str:
    """A message with the folders of this machine replaced by their names."""
    return _replaced(said, _names(places))


def _names(places: Mapping[str, Path]) -> dict[str, str]:
    names = {str(path.resolve()): name for name, path in places.items() if len(path.resolve().parts) > 1}
    return dict(sorted(names.items(), key=lambda item: len(item[0]), reverse=True))


def _replaced(said: str, names: Mapping[str, str]) -> str:
    for path, name in names.items():
        said = said.replace(path, name)
    return said


def _walked(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _replaced(value, names)
    if isinstance(value, list):
        return [_walked(inner, names) for inner in value]
    if isinstance(value, dict):
        return {key: inner if key == "image/png" else _walked(inner, names) for key, inner in value.items()}
    return value


def refuse_secrets(files: Mapping[str, bytes], secrets: Iterable[str]) -> None:
    """ReportError where a secret stands in a file that would be published; the secret itself is not repeated."""
    for name, content in files.items():
        if any(secret.encode() in content for secret in secrets if len(secret) >= 6):
            raise ReportError(f"{name} would show a secret of a source; the report is not published")
