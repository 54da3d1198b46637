"""`dataops-nb zip [FILE]`: all published pages in one file."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext

from dataops_nb.cli import folder, output
from dataops_nb.publish import packing
from dataops_nb.refresh import lock


def run(args: Namespace) -> int:
    """Pack the pages while nobody publishes, and print where the file is."""
    out = folder.find(args).out
    target = args.file or out / "site.zip"
    with lock.publishing(out / "runs") if (out / "runs").is_dir() else nullcontext():
        packed = packing.pack(out, target)
    if args.json:
        output.document({"file": packed.file, "files": packed.files, "bytes": packed.bytes})
    else:
        output.write(f"{packed.file}\n{packed.files} files, {packed.bytes / 1000:,.0f} kB")
    return 0
