"""Figures: a chart leaves the kernel as Vega-Lite and becomes a picture here, with its text alternative.

The picture is SVG made by us: it draws without JavaScript and without a network, follows the reader's light or dark
page, and a chart of one view is drawn a second time for a phone, so that its words stay readable there. Nothing in it
can link, load or run.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import vl_convert

from dataops_nb.errors import ReportError
from dataops_nb.publish.markup import text
from dataops_nb.publish.slim import slim

MIME = "application/vnd.vegalite.v6+json"
WIDE, NARROW = 720, 340
FONT = "system-ui, sans-serif"
FORBIDDEN = frozenset({"href", "url", "image"})
ROWS = frozenset({"datasets", "values"})
VIEWS = frozenset({"concat", "hconcat", "vconcat", "facet", "repeat"})
SVG = "http://www.w3.org/2000/svg"
UNDRAWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
PALETTE = {"#1f5fa8": "var(--accent)", "#00805e": "var(--green)", "#f0b429": "var(--yellow)", "#b3261e": "var(--red)"}


def figure(spec: Mapping[str, Any], name: str) -> str:
    """A chart as a <figure>; `name` makes its ids unique in the page. ReportError where the chart links or loads."""
    spec = _drawable(spec)
    _refuse_links(spec)
    bare = _titled({key: value for key, value in spec.items() if key not in {"title", "usermeta"}})
    title, subtitle, lines = _titles(spec.get("title"))
    description = str(spec.get("description") or title or "Chart")
    pictures = "".join(_pictures(bare, name, description))
    second = f"<br><small>{text(subtitle)}</small>" if subtitle else ""
    caption = f"<figcaption><strong>{text(title)}</strong>{second}</figcaption>" if title else ""
    legend = "".join(f"<li>{text(line)}</li>" for line in lines)
    below = f'<ul class="nb-legend">{legend}</ul>' if lines else ""
    return f'<figure class="nb-figure">{caption}{pictures}{below}</figure>'


def _refuse_links(value: Any) -> None:
    if isinstance(value, Mapping):
        if value.get("mark") == "image" or (value.get("type") == "image" and "encoding" not in value):
            raise ReportError("a chart draws images; a page shows only what it draws itself")
        for key, inner in value.items():
            if key in FORBIDDEN:
                raise ReportError(f"a chart has the field {key!r}; a chart on a page neither links nor loads anything")
            if key not in ROWS:
                _refuse_links(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_links(inner)


def _drawable(value: Any) -> Any:
    """The same chart with a mark in place of characters that no picture can hold: they would end the process that draws."""
    if isinstance(value, str):
        return UNDRAWABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {_drawable(key): _drawable(inner) for key, inner in value.items()}
    return [_drawable(inner) for inner in value] if isinstance(value, list) else value


def _titled(value: Any) -> Any:
    """The same chart with each title on one line: Vega puts an axis's into an expression, which a line break would end."""
    if isinstance(value, Mapping):
        return {
            key: " ".join(inner.split())
            if key == "title" and isinstance(inner, str)
            else inner
            if key in ROWS
            else _titled(inner)
            for key, inner in value.items()
        }
    return [_titled(inner) for inner in value] if isinstance(value, list) else value


def _titles(title: Any) -> tuple[str, str, list[str]]:
    """What a chart is called, what stands below that, and the lines of a legend: a subtitle of several lines is one."""
    if not isinstance(title, Mapping):
        return _joined(title), "", []
    below = title.get("subtitle")
    return _joined(title.get("text")), "" if isinstance(below, list) else _joined(below), _lines(below)


def _lines(below: Any) -> list[str]:
    return [str(line) for line in below] if isinstance(below, list) else []


def _joined(words: Any) -> str:
    return " ".join(str(word) for word in words) if isinstance(words, list) else str(words or "")


def _pictures(spec: Mapping[str, Any], name: str, description: str) -> Iterator[str]:
    if VIEWS & set(spec):
        yield f'<div class="nb-scroll nb-chart" tabindex="0" role="region" aria-label="{text(description)}">'
        yield _picture(spec, f"{name}w", description) + "</div>"
        return
    for width, kind in ((WIDE, "nb-wide"), (NARROW, "nb-narrow")):
        fitted = {**spec, "width": width, "autosize": {"type": "fit", "contains": "padding"}}
        yield f'<div class="nb-chart {kind}">{_picture(fitted, name + kind[3], description)}</div>'


def _picture(spec: Mapping[str, Any], name: str, description: str) -> str:
    return _dressed(_draw(json.dumps(spec, sort_keys=True)), name, description)


@lru_cache(maxsize=64)
def _draw(spec: str) -> str:
    """The SVG of a Vega-Lite spec; the three pages of a report share one drawing."""
    try:
        config = {"font": FONT, "background": "transparent"}
        return str(vl_convert.vegalite_to_svg(spec, config=config, allowed_base_urls=[]))
    except ValueError as error:
        raise ReportError(f"a chart cannot be drawn: {str(error).splitlines()[0]}") from error


def _dressed(svg: str, name: str, description: str) -> str:
    """The same picture with a text alternative, ids of its own, and colours that follow the page."""
    ET.register_namespace("", SVG)
    root = ET.fromstring(svg)  # noqa: S314  # our own renderer wrote it, a moment ago
    ids = {old: f"{name}-{i}" for i, old in enumerate(e.attrib["id"] for e in root.iter() if "id" in e.attrib)}
    for element in root.iter():
        if element.tag.removeprefix(f"{{{SVG}}}") in {"a", "image", "script", "foreignObject"}:
            raise ReportError("a chart holds a link or an image; a chart on a page neither links nor loads anything")
        element.attrib = dict(_attributes(element.attrib, ids))
    slim(root)
    size = root.attrib.pop("width", str(WIDE))
    root.attrib.pop("height", None)
    root.attrib |= {"role": "img", "aria-label": description, "style": f"max-width:{float(size):.0f}px"}
    return ET.tostring(root, encoding="unicode").replace("\n", " ").replace(" />", "/>")


def _attributes(attributes: Mapping[str, str], ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in attributes.items():
        if key.startswith("aria-") or key in {"role", "class", "version", "pointer-events", "font-family"}:
            continue
        if key == "id":
            yield key, ids[value]
        elif key in {"fill", "stroke", "stop-color"}:
            yield key, _colour(_renamed(value, ids))
        else:
            yield key, _renamed(value, ids)


def _renamed(value: str, ids: Mapping[str, str]) -> str:
    return re.sub(r"url\([\"']?#([^)\"']+)[\"']?\)", lambda hit: f"url(#{ids.get(hit[1], hit[1])})", value)


def _colour(value: str) -> str:
    """White is the page, greys and dark tones are its ink, the lights and the accent are its own; others stay."""
    said = value.strip().lower()
    if said in PALETTE:
        return PALETTE[said]
    grey = _grey(said)
    if grey is None:
        return value
    if grey >= 250:
        return "var(--page)"
    return "var(--rule)" if grey > 190 else "var(--muted)" if grey > 70 else "var(--ink)"


def _grey(colour: str) -> int | None:
    named = {"black": 0, "white": 255, "gray": 128, "grey": 128, "lightgray": 211, "lightgrey": 211}
    if colour in named:
        return named[colour]
    hit = re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", colour)
    if hit:
        digits = hit[1] if len(hit[1]) == 6 else "".join(c * 2 for c in hit[1])
        parts = [int(digits[i : i + 2], 16) for i in (0, 2, 4)]
    else:
        numbers = re.fullmatch(r"rgb\((\d+), ?(\d+), ?(\d+)\)", colour)
        if not numbers:
            return None
        parts = [int(n) for n in numbers.groups()]
    brightness = sum(parts) // 3
    return brightness if max(parts) - min(parts) <= 24 or (brightness < 75 and max(parts) < 110) else None
