"""The company's files under params/: read strictly, checked against each other, every mistake reported at once."""

from __future__ import annotations

from dataops_nb.definitions.asking import meant
from dataops_nb.definitions.behind import sources_behind
from dataops_nb.definitions.indicators import Indicator, expand, indicator, metric_id, told_apart
from dataops_nb.definitions.lineage import adds_up, below, metric_parts, names_in, upstream
from dataops_nb.definitions.loading import data_folder, load, survey
from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.plurals import agreeing
from dataops_nb.definitions.schema import write_schema

__all__ = [
    "Definitions",
    "Indicator",
    "adds_up",
    "agreeing",
    "below",
    "data_folder",
    "expand",
    "indicator",
    "load",
    "meant",
    "metric_id",
    "metric_parts",
    "names_in",
    "sources_behind",
    "survey",
    "told_apart",
    "upstream",
    "write_schema",
]
