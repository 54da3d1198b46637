"""`dataops-nb check`: definitions, sources, contracts and freshness, every fault at once."""

from __future__ import annotations

from argparse import Namespace

from dataops_nb import sources, workbench
from dataops_nb.cli import folder, output
