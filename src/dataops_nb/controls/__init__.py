"""Controls: a board to play with. What if the target were another one, and what did an earlier period look like?

`explore` shows a panel in JupyterLab. Where nobody can turn a knob - while a report is refreshed, under papermill, in a
script - it is a table of the same settings. The panel answers from the metric table, judged again in memory; no data are read.
"""

from __future__ import annotations

from dataops_nb.controls.answers import Answer, answer
from dataops_nb.controls.comparing import side_by_side
from dataops_nb.controls.material import Material
from dataops_nb.controls.readers import readers
from dataops_nb.controls.settings import Settings
from dataops_nb.controls.showing import explore
from dataops_nb.controls.supposed import Difference, differences, laid
from dataops_nb.controls.whatifs import diff, load, names, overlay, save

__all__ = [
    "Answer",
    "Difference",
    "Material",
    "Settings",
    "answer",
    "diff",
    "differences",
    "explore",
    "laid",
    "load",
    "names",
    "overlay",
    "readers",
    "save",
    "side_by_side",
]
