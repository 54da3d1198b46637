"""`dataops-nb new department NAME`: a department's definitions and notebook."""

from __future__ import annotations

import sys
from argparse import Namespace

from dataops_nb import workbench
from dataops_nb.cli import folder, output


def run_department(args: Namespace) -> int:
    """Write both files, print where they are, and say what makes a report of them."""
    bench = folder.find(args)
    definitions, notebook = workbench.new_department(bench, args.name)
    if args.json:
        output.document({"department": args.name, "definitions": str(definitions), "notebook": str(notebook)})
    else:
        output.write(f"{definitions}\n{notebook}")
    if not args.quiet:
        report = (
            f"{args.name.replace('_', '-')}: {{notebook: {notebook.name}, parameters: {{department: {args.name}}}}}"
        )
        print(f"Its report is a line in params/reports.yaml, under  reports:\n    {report}", file=sys.stderr)
    return 0
