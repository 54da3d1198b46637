"""What a page must not tell: where the files lie on this machine, and the secrets that a source needs."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dataops_nb.errors import ReportError

if TYPE_CHECKING:  # see facts
    from nbformat import NotebookNode


SHORTEST = 6
BLANK = "***"


def without_paths(notebook: NotebookNode, places: Mapping[str, Path]) -> NotebookNode:
    """The notebook with the folders of this machine replaced by their names in `places`, the longest path first."""
    from nbformat import from_dict  # noqa: PLC0415  see facts

    redacted: NotebookNode = from_dict(_walked(notebook, _names(places)))  # type: ignore[no-untyped-call]
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
    forms = [form for secret in secrets for form in _forms(secret)]
    for name, content in files.items():
        if any(form.encode() in content for form in forms):
            raise ReportError(f"{name} would show a secret of a source; the report is not published")


def without_secrets(said: str, secrets: Iterable[str]) -> str:
    """A message with the secrets in it blanked out."""
    for form in sorted((form for secret in secrets for form in _forms(secret)), key=len, reverse=True):
        said = said.replace(form, BLANK)
    return said


def clean_folder(folder: Path, secrets: Iterable[str]) -> None:
    """Blank the secrets out of what a failed report leaves behind: its log, its executed notebook, its job."""
    forms = sorted({form.encode() for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
    for path in (path for path in folder.rglob("*") if forms and path.is_file() and not path.is_symlink()):
        content = path.read_bytes()
        cleaned = content
        for form in forms:
            cleaned = cleaned.replace(form, BLANK.encode())
        if cleaned != content:
            path.write_bytes(cleaned)


def _forms(secret: str) -> set[str]:
    """A secret as it is, and as HTML, JSON, Python and an address write it. Shorter ones stand in any text by chance."""
    if len(secret) < SHORTEST:
        return set()
    quoted = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {
        secret,
        html.escape(secret),
        html.escape(secret, quote=False),
        quote(secret),
        quote(secret, safe=""),
        *quoted,
    }
