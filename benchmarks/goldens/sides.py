"""The two sides of a comparison: a commit, or a checkout as it stands, copied into a folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GIT = shutil.which("git") or "git"


def git(*words: str, folder: Path = ROOT) -> str:
    """What git answers; ends the program where it refuses."""
    done = subprocess.run([GIT, *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def commit(side: str) -> str:
    """The hash of a side that is a commit; empty for a folder."""
    return "" if Path(side).is_dir() else git("rev-parse", f"{side}^{{commit}}")


def copy_source(side: str, target: Path) -> None:
    """Copy a commit, or the files of a checkout that git does not ignore, into a new folder."""
    target.mkdir(parents=True)
    sha = commit(side)
    if sha:
        packed = target.with_suffix(".tar")
        git("archive", "--output", str(packed), sha)
        shutil.unpack_archive(packed, target)
    else:
        folder = Path(side).resolve()
        names = git("ls-files", "-z", "-co", "--exclude-standard", folder=folder).split("\0")
        for name in names:
            if name and (folder / name).is_file():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(folder / name, target / name)
    declare(target)


def declare(source: Path) -> None:
    """Declare the side's own entry points beside its source, where they precede installed ones."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = source / "src" / "dataops_nb-0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: dataops-nb\nVersion: 0\n")
    lines = []
    for group, entries in project.get("entry-points", {}).items():
        lines.append(f"[{group}]")
        lines += [f"{name} = {target}" for name, target in entries.items()]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")
