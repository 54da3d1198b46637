"""Run `dataops-nb export`: print the definitions in another tool's format.

The document goes to stdout, and what has no right form in it is listed on stderr. No data are read.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace

from dataops_nb import cli, interchange


def run_export(args: Namespace) -> int:
    """Print the document, as YAML or with --json as JSON."""
    bench = cli.find(args)
    exported = interchange.export(
        bench.definitions, args.format, metrics=args.metric, sources=args.source
    )
    if args.json:
        cli.write(json.dumps(exported.document, indent=2, ensure_ascii=False))
    else:
        cli.write(exported.text.rstrip("\n"))
    if not args.quiet:
        for line in exported.left_out:
            print(f"left out: {line}", file=sys.stderr)
    return 0
