"""Keep out of pages and logs where the files lie on this machine, and the secrets of sources."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import markupsafe

from dataops_nb.errors import ReportError

if TYPE_CHECKING:
    from nbformat import NotebookNode

SHORTEST = 6  # characters; shorter secrets stand in any text by chance
BLANK = "***"


def without_paths(notebook: NotebookNode, places: Mapping[str, Path]) -> NotebookNode:
    """Return the notebook with the folders of this machine replaced by their names in `places`.

    Pictures stay as they are.
    """
    from nbformat import from_dict  # noqa: PLC0415  slow to import; tidying up needs only the rest

    names_by_path = _names_by_path(places)
    written = [json.dumps(path, ensure_ascii=False)[1:-1] for path in names_by_path]

    def cleaned(part: Any) -> Any:
        text = json.dumps(part, ensure_ascii=False, default=str)
        if any(path in text for path in written):
            return from_dict(_rename_in(part, names_by_path))  # type: ignore[no-untyped-call]
        return part

    redacted = type(notebook)({**notebook, "metadata": cleaned(notebook.metadata)})
    redacted["cells"] = [cleaned(cell) for cell in notebook.cells]
    return redacted


def rename_paths(message: str, places: Mapping[str, Path]) -> str:
    """Return a message with the folders of this machine replaced by their names in `places`."""
    return _rename(message, _names_by_path(places))


def _names_by_path(places: Mapping[str, Path]) -> dict[str, str]:
    """Return the name of each path, the longest path first."""
    names_by_path = {}
    for name, place in places.items():
        path = place.resolve()
        if len(path.parts) > 1:  # the root stands in every path
            names_by_path[str(path)] = name
    return dict(sorted(names_by_path.items(), key=lambda item: len(item[0]), reverse=True))


def _rename(text: str, names_by_path: Mapping[str, str]) -> str:
    for path, name in names_by_path.items():
        text = text.replace(path, name)
    return text


def _rename_in(value: Any, names_by_path: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _rename(value, names_by_path)
    if isinstance(value, list):
        return [_rename_in(item, names_by_path) for item in value]
    if isinstance(value, dict):
        renamed = {}
        for key, item in value.items():
            renamed[key] = item
            if key != "image/png":
                renamed[key] = _rename_in(item, names_by_path)
        return renamed
    return value


def refuse_secrets(files: Mapping[str, bytes], secrets: Iterable[str]) -> None:
    """Raise ReportError where a secret stands in a file that would be published.

    The message does not repeat the secret.
    """
    forms = _forms(secrets)
    for name, content in files.items():
        if any(form.encode() in content for form in forms):
            raise ReportError(f"not published: {name} contains a secret of a source")


def without_secrets(message: str, secrets: Iterable[str]) -> str:
    """Return a message with the secrets in it blanked out."""
    for form in _forms(secrets):
        message = message.replace(form, BLANK)
    return message


def clean_folder(folder: Path, secrets: Iterable[str]) -> None:
    """Blank secrets out of the log, the job and the executed notebook of a failed report."""
    forms = _forms(secrets)
    if not forms:
        return
    for path in folder.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        cleaned = content
        for form in forms:
            cleaned = cleaned.replace(form.encode(), BLANK.encode())
        if cleaned != content:
            path.write_bytes(cleaned)


def _forms(secrets: Iterable[str]) -> list[str]:
    """Return secrets as they are, and as HTML, JSON, Python and addresses write them.

    The longest come first, so that no part of one is left.
    """
    forms = set[str]()
    for secret in secrets:
        if len(secret) < SHORTEST:
            continue
        forms |= {
            secret,
            html.escape(secret),
            str(markupsafe.escape(secret)),  # as the templates write it
            html.escape(secret, quote=False),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
            quote(secret),
            quote(secret, safe=""),
        }
    return sorted(forms, key=len, reverse=True)
