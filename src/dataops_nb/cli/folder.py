"""The workbench that a command's global options name."""

from __future__ import annotations

from argparse import Namespace

from dataops_nb import workbench


def find(args: Namespace) -> workbench.Workbench:
    """The workbench of -w, --data and --out; raises UsageError where there is none, DefinitionsError for its files."""
    return workbench.open(args.workbench, data=args.data, out=args.out)
