"""The workbench that a command's global options name."""

from __future__ import annotations

from argparse import Namespace

from dataops_nb import workbench
from dataops_nb.definitions import Definitions
from dataops_nb.errors import UsageError


def find(args: Namespace) -> workbench.Workbench:
    """The workbench of -w, --data and --out; raises UsageError where there is none, DefinitionsError for its files."""
    return workbench.open(args.workbench, data=args.data, out=args.out, whatif=getattr(args, "whatif", None))


def require_order(args: Namespace) -> None:
    """UsageError where `--from` is after `--to`."""
    if args.start and args.end and args.start > args.end:
        raise UsageError(f"--from {args.start} is after --to {args.end}")


def definitions(args: Namespace) -> Definitions:
    """The company's definitions; the data are opened only where `metrics_from` makes metrics of their rows."""
    bench = find(args)
    declared = bench.definitions
    if not any(department.metrics_from for department in declared.departments.values()):
        return declared
    from dataops_nb import sources  # noqa: PLC0415  pandas and duckdb are not needed for what the files say

    workbench.ensure_data(bench)
    with sources.open(declared, bench.data, workbench.as_of(bench, None), keep=bench.cache) as catalog:
        return catalog.definitions
