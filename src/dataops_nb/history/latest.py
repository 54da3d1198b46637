"""What is shown now: `latest.json` in the output folder, as the last refresh left it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dataops_nb.errors import PublishError


def latest(out: Path | None) -> dict[str, Any]:
    """The content of latest.json: `run as_of finished reports`; empty where nothing was refreshed yet.

    Raises PublishError where it cannot be read.
    """
    path = out / "latest.json" if out else None
    if path is None or not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PublishError(f"latest.json cannot be read: {error}; the next refresh writes it anew") from error
    return found if isinstance(found, dict) else {}
