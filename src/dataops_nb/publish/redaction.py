"""What a page must not tell: where the files lie on this machine, and the secrets that a source needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from dataops_nb.errors import ReportError


def without_paths(notebook: NotebookNode, places: Mapping[str, Path]) -> NotebookNode:
    """The notebook with the folders of this machine replaced by their names in `places`, the longest path first."""
    raw = json.dumps(notebook, ensure_ascii=False)
    paths = {str(path.resolve()): name for name, path in places.items() if len(path.resolve().parts) > 1}
    for path in sorted(paths, key=len, reverse=True):
        raw = raw.replace(json.dumps(path, ensure_ascii=False)[1:-1], paths[path])
    redacted: NotebookNode = nbformat.from_dict(json.loads(raw))  # type: ignore[no-untyped-call]
    return redacted


def refuse_secrets(files: Mapping[str, bytes], secrets: Iterable[str]) -> None:
    """ReportError where a secret stands in a file that would be published; the secret itself is not repeated."""
    for name, content in files.items():
        if any(secret.encode() in content for secret in secrets if len(secret) >= 6):
            raise ReportError(f"{name} would show a secret of a source; the report is not published")
