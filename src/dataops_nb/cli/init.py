"""`dataops-nb init DIR`: a new workbench."""

from __future__ import annotations

import sys
from argparse import Namespace

from dataops_nb import workbench
from dataops_nb.cli import output


def run(args: Namespace) -> int:
    """Make the workbench and print where it is."""
    made = workbench.init(args.folder)
    if args.json:
        output.document({"workbench": str(made)})
    else:
        output.write(str(made))
    if not args.quiet:
        print(f"Next: dataops-nb -w {args.folder} check", file=sys.stderr)
    return 0
