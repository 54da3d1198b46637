"""Two widgets that ipywidgets does not have as we need them: a slider that can be named, and HTML that is read out."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

_HERE = Path(__file__).parent


class Slider(anywidget.AnyWidget):
    """A number from `low` on, shown times `scale` (100 for percent) with its `unit`; `off`: it cannot be moved."""

    _esm = (_HERE / "slider.js").read_text(encoding="utf-8")
    label = traitlets.Unicode("").tag(sync=True)
    hint = traitlets.Unicode("").tag(sync=True)
    unit = traitlets.Unicode("").tag(sync=True)
    value = traitlets.Float(0.0).tag(sync=True)
    low = traitlets.Float(0.0).tag(sync=True)
    high = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.01).tag(sync=True)
    scale = traitlets.Float(1.0).tag(sync=True)
    off = traitlets.Bool(False).tag(sync=True)


class Pane(anywidget.AnyWidget):
    """HTML in a region with a name; `live`: what is new in it is read out; `hosts`: it looks after the panel around it."""

    _esm = (_HERE / "pane.js").read_text(encoding="utf-8")
    _css = (_HERE / "panel.css").read_text(encoding="utf-8")
    html = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("").tag(sync=True)
    live = traitlets.Bool(False).tag(sync=True)
    hosts = traitlets.Bool(False).tag(sync=True)
