"""Define the commands for other tools: definitions they read, and answers they ask for.

Apart from `arguments`, which holds the commands for people and schedulers.
"""

from __future__ import annotations

from pathlib import Path

from dataops_nb.cli.options import Verbs, add_flag

EXPORTS = ("ossie", "odcs", "dbt")


def add_init(verbs: Verbs) -> None:
    """Add `init`, whose files may be data or another tool's definitions."""
    init = verbs.add(
        "init",
        "start:run_init",
        "create a workbench: the sample, or one from your files",
    )
    init.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        help="a new or empty folder",
    )
    init.add_argument(
        "--from",
        dest="files",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="your files or folders; definitions are drafted from them; or dbt's "
        "semantic_manifest.json, an Ossie model or a data contract, with its data files",
    )


def add_outside(verbs: Verbs) -> None:
    """Add `export` and `mcp`."""
    export = verbs.add(
        "export",
        "export:run_export",
        "print the definitions for another tool: an Ossie model, data contracts, dbt's YAML",
    )
    export.add_argument(
        "--format",
        required=True,
        choices=EXPORTS,
        metavar="FORMAT",
        help=", ".join(EXPORTS),
    )
    export.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="ID",
        help="only this one and what it stands on; may be repeated",
    )
    export.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="NAME",
        help="only this one; may be repeated",
    )
    mcp = verbs.add(
        "mcp",
        "mcp:run_mcp",
        "answer an assistant's questions over the Model Context Protocol, read-only",
    )
    add_flag(mcp, "--print-config", "print what a host's settings need to start it")
