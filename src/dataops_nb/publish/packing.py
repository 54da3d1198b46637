"""Packing: all published pages in one zip, to be unpacked and read anywhere; the same pages give the same bytes."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from dataops_nb.errors import PublishError
from dataops_nb.publish import folder, public

# what would be, answers, questions to readers: none is linked from the front page
ELSEWHERE = frozenset({"whatif", "ask", "messages"})
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE = 0o644 << 16
UNIX = 3


@dataclass(frozen=True)
class Packed:
    """A zip that was written: where, how many files it holds, and its size in bytes."""

    file: Path
    files: int
    bytes: int


def pack(out: Path, target: Path) -> Packed:
    """Write the front page and every published report under `out` to `target` in one step.

    PublishError where nothing has been published, or the file cannot be written.
    """
    root = out.resolve()
    if not (root / "index.html").is_file():
        raise PublishError(f"there are no pages in {out.name}/ yet: run  dataops-nb refresh  first")
    names = [file.relative_to(root) for file in public.files(root) if file.suffix != ".zip"]
    names = [name for name in names if name.parts[0] not in ELSEWHERE]
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name.as_posix(), EPOCH)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, UNIX, READABLE
            archive.writestr(entry, (root / name).read_bytes(), compresslevel=9)
    content = written.getvalue()
    if not target.parent.is_dir():
        raise PublishError(f"{target} cannot be written: there is no folder {target.parent}")
    folder.replace(target, content, target.parent)
    return Packed(target, len(names), len(content))
