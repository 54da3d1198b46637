"""Scripts that take a while to put together, kept in the user's own cache folder.

Never beside a workbench's results: what is kept here runs in JupyterLab, and others may be able to write there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def kept(made_of: str, make: Callable[[], str]) -> str:
    """The script that `make` puts together of what `made_of` names; made once, for as long as that is the same.

    A folder that cannot be read or written, and DATAOPS_NO_CACHE, is a script that is put together each time.
    """
    if os.environ.get("DATAOPS_NO_CACHE"):
        return make()
    file = _folder() / f"{hashlib.sha256(made_of.encode()).hexdigest()[:32]}.js"
    with suppress(OSError, UnicodeError):
        return file.read_text(encoding="utf-8")
    script = make()
    with suppress(OSError, UnicodeError):
        _write(file, script)
    return script


def _folder() -> Path:
    said = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return Path(said or os.path.expanduser("~/.cache")) / "dataops-nb"


def _write(file: Path, script: str) -> None:
    """Put the file in place in one step, so that nobody reads half of it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staged = file.with_name(f".{os.getpid()}-{file.name}")
    try:
        staged.write_text(script, encoding="utf-8")
        os.replace(staged, file)
    finally:
        staged.unlink(missing_ok=True)
