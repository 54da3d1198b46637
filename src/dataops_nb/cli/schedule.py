"""`dataops-nb schedule SUITE --format F`: files for a scheduler that is there already."""

from __future__ import annotations

from argparse import Namespace

from dataops_nb.cli import folder, output
from dataops_nb.refresh import schedules


def run(args: Namespace) -> int:
    """Print the files; where there are several, each under its name."""
    files = schedules.write(folder.find(args), args.suite, args.format)
    if args.json:
        said = [{"name": name, "content": content} for name, content in files.items()]
        output.document({"suite": args.suite, "format": args.format, "files": said})
        return 0
    for number, content in enumerate(files.values()):
        output.write(("\n" if number else "") + content.rstrip("\n"))
    return 0
