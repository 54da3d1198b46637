"""Draw the charts of a notebook as SVG, with their words.

A chart leaves the kernel as Vega-Lite and becomes a picture here. It draws without JavaScript and
without a network, and follows the reader's light or dark page. A chart of one view is drawn a
second time for a phone, so that its words stay readable there. Nothing in it can link, load or run.

Charts are two thirds of a page, so each picture is made smaller: coordinates keep a tenth of a
pixel, runs of points on one level become their ends, attributes that all marks of a group share
stand on the group, and what is not seen is left out. Definitions are not touched.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import vl_convert
from markupsafe import Markup

from dataops_nb import plain
from dataops_nb.errors import ReportError
from dataops_nb.reports.pages import markup
from dataops_nb.sources.cache import Store
from dataops_nb.sources.fingerprints import FULL_LENGTH

MIME = "application/vnd.vegalite.v6+json"
WIDE, NARROW = 720, 340
CONFIG = {"font": "system-ui, sans-serif", "background": "transparent"}
NAMELESS = "\ufffe"  # stands in no drawing, because none can hold it
FORBIDDEN = frozenset({"href", "url", "image"})
ROWS = frozenset({"datasets", "values"})
VIEWS = frozenset({"concat", "hconcat", "vconcat", "facet", "repeat"})
SVG = "http://www.w3.org/2000/svg"
UNDRAWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
PALETTE = {
    "#1f5fa8": "var(--accent)",
    "#00805e": "var(--green)",
    "#f0b429": "var(--yellow)",
    "#b3261e": "var(--red)",
}
LINKING = frozenset({"a", "image", "script", "foreignObject"})
DROPPED = frozenset({"role", "class", "version", "pointer-events", "font-family"})
PASSED_ON = {
    "fill": "black", "stroke": "none", "stroke-width": "1", "stroke-dasharray": "none",
    "font-size": "", "font-weight": "normal", "font-family": "", "text-anchor": "start",
}  # fmt: skip
OWN = {"opacity": "1", "x2": "0", "y2": "0", "transform": "translate(0,0)"}
DEFINITIONS = frozenset(
    f"{{{SVG}}}{name}" for name in ("defs", "clipPath", "linearGradient", "radialGradient", "mask")
)
SHAPES = frozenset(f"{{{SVG}}}{name}" for name in ("path", "line", "rect", "circle"))
GROUP = f"{{{SVG}}}g"
COORDINATES = ("d", "transform", "cx", "cy", "r", "x", "y", "x2", "y2", "width", "height")
GREYS = {"black": 0, "white": 255, "gray": 128, "grey": 128, "lightgray": 211, "lightgrey": 211}
CIRCLE = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0Z?")
MOVED = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
Point = tuple[float, float]


class Drawing(NamedTuple):
    """A chart as SVG, and the class that says on which screens it is shown."""

    look: str
    svg: Markup


def figure(spec: Mapping[str, Any], name: str, kept: Path | None = None) -> Markup:
    """Draw a chart as a <figure>; `name` makes its ids unique in the page.

    `kept` is the folder of what is kept between runs: what was drawn before lies there. Raises
    ReportError where the chart links or loads anything, or cannot be drawn.
    """
    spec = _drawable(spec)
    _refuse_links(spec)
    bare = _titled({key: value for key, value in spec.items() if key not in {"title", "usermeta"}})
    title, subtitle, lines = _titles(spec.get("title"))
    description = str(spec.get("description") or title or "Chart")
    return markup.fill(
        "figure.html.j2",
        title=title,
        subtitle=subtitle,
        drawings=_drawings(bare, name, description, kept),
        description=description,
        legend=lines,
    )


def _refuse_links(value: Any) -> None:
    if isinstance(value, Mapping):
        is_image = value.get("type") == "image" and "encoding" not in value
        if is_image or value.get("mark") == "image":
            raise ReportError("a chart on a page may not contain images")
        for key, inner in value.items():
            if key in FORBIDDEN:
                raise ReportError(
                    f"a chart has the field {key!r}; a chart on a page may not contain links"
                )
            if key not in ROWS:
                _refuse_links(inner)
    elif isinstance(value, list):
        for inner in value:
            _refuse_links(inner)


def _drawable(value: Any) -> Any:
    """Put a mark in place of characters that no picture can hold.

    They would end the process that draws.
    """
    if isinstance(value, str):
        return UNDRAWABLE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {_drawable(key): _drawable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_drawable(inner) for inner in value]
    return value


def _titled(value: Any) -> Any:
    """Put each title on one line.

    Vega puts an axis's title into an expression, which a line break would end.
    """
    if isinstance(value, list):
        return [_titled(inner) for inner in value]
    if not isinstance(value, Mapping):
        return value
    titled = {}
    for key, inner in value.items():
        if key == "title" and isinstance(inner, str):
            titled[key] = " ".join(inner.split())
        elif key in ROWS:
            titled[key] = inner
        else:
            titled[key] = _titled(inner)
    return titled


def _titles(title: Any) -> tuple[str, str, list[str]]:
    """Return what a chart is called, what stands below that, and the lines of its legend.

    A subtitle of several lines is a legend.
    """
    if not isinstance(title, Mapping):
        return _joined(title), "", []
    name, below = _joined(title.get("text")), title.get("subtitle")
    if isinstance(below, list):
        return name, "", [str(line) for line in below]
    return name, _joined(below), []


def _joined(words: Any) -> str:
    if isinstance(words, list):
        return " ".join(map(str, words))
    return str(words or "")


def _drawings(
    spec: Mapping[str, Any], name: str, description: str, kept: Path | None
) -> list[Drawing]:
    """Draw a chart of several views once, to be scrolled; any other for a desk and for a phone."""
    if VIEWS & set(spec):
        return [Drawing("nb-scroll", _picture(spec, f"{name}w", description, kept))]
    drawings = []
    for width, look in ((WIDE, "nb-wide"), (NARROW, "nb-narrow")):
        fitted = {**spec, "width": width, "autosize": {"type": "fit", "contains": "padding"}}
        drawings.append(Drawing(look, _picture(fitted, name + look[3], description, kept)))
    return drawings


def _picture(spec: Mapping[str, Any], name: str, description: str, kept: Path | None) -> Markup:
    svg = _dressed(json.dumps(spec, sort_keys=True), description, kept)
    # written by ElementTree, without links and scripts
    return Markup(svg.replace(NAMELESS, name))  # noqa: S704


@cache
def _engine() -> str:
    return version("vl-convert-python")


def _draw(spec: str, kept: Path | None) -> str:
    """Return a Vega-Lite spec as SVG: as it was drawn before, or drawn now and kept."""
    key = plain.digest([_engine(), CONFIG, spec], FULL_LENGTH)
    with closing(Store(kept)) as store:
        with suppress(zlib.error, UnicodeDecodeError):
            return zlib.decompress(store.get(key) or b"").decode()
        try:
            svg = str(vl_convert.vegalite_to_svg(spec, config=CONFIG, allowed_base_urls=[]))
        except ValueError as error:
            raise ReportError(f"chart failed: {str(error).splitlines()[0]}") from error
        store.put(key, zlib.compress(svg.encode()))
    return svg


@lru_cache(maxsize=64)
def _dressed(spec: str, description: str, kept: Path | None) -> str:
    """Draw with a text alternative, ids to be named, and colours that follow the page.

    The three pages of a report share one drawing.
    """
    svg = _draw(spec, kept)
    ET.register_namespace("", SVG)
    root = ET.fromstring(svg)  # noqa: S314  # our own renderer wrote it, a moment ago
    new_ids: dict[str, str] = {}
    for element in root.iter():
        if "id" in element.attrib:
            new_ids[element.attrib["id"]] = f"{NAMELESS}-{len(new_ids)}"
    for element in root.iter():
        if element.tag.removeprefix(f"{{{SVG}}}") in LINKING:
            raise ReportError("a chart on a page may not contain links or images")
        element.attrib = dict(_attributes(element.attrib, new_ids))
    slim(root)
    width = root.attrib.pop("width", str(WIDE))
    root.attrib.pop("height", None)
    root.attrib |= {
        "role": "img",
        "aria-label": description,
        "style": f"max-width:{float(width):.0f}px",
    }
    return ET.tostring(root, encoding="unicode").replace("\n", " ").replace(" />", "/>")


def _attributes(
    attributes: Mapping[str, str], new_ids: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for key, value in attributes.items():
        if key in DROPPED or key.startswith("aria-"):
            continue
        if key == "id":
            yield key, new_ids[value]
        elif key in {"fill", "stroke", "stop-color"}:
            yield key, _colour(_with_new_ids(value, new_ids))
        else:
            yield key, _with_new_ids(value, new_ids)


def _with_new_ids(value: str, new_ids: Mapping[str, str]) -> str:
    def reference(match: re.Match[str]) -> str:
        return f"url(#{new_ids.get(match[1], match[1])})"

    return re.sub(r"url\([\"']?#([^)\"']+)[\"']?\)", reference, value)


@lru_cache(maxsize=256)
def _colour(value: str) -> str:
    """Choose a colour of the page: white is the page itself, greys and dark tones are its ink."""
    colour = value.strip().lower()
    if colour in PALETTE:
        return PALETTE[colour]
    grey = _grey(colour)
    if grey is None:
        return value
    for brighter_than, name in ((249, "page"), (190, "rule"), (70, "muted")):
        if grey > brighter_than:
            return f"var(--{name})"
    return "var(--ink)"


def _grey(colour: str) -> int | None:
    """Return the brightness (0 to 255) of a grey or dark colour; None of any other."""
    if colour in GREYS:
        return GREYS[colour]
    parts = _rgb(colour)
    if not parts:
        return None
    brightness = sum(parts) // 3
    is_grey = max(parts) - min(parts) <= 24
    is_dark = brightness < 75 and max(parts) < 110
    return brightness if is_grey or is_dark else None


def _rgb(colour: str) -> list[int]:
    """Return red, green and blue of `#1f5fa8`, `#fff` or `rgb(1, 2, 3)`; nothing of others."""
    written = re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", colour)
    if written:
        digits = written[1]
        if len(digits) == 3:
            digits = "".join(digit * 2 for digit in digits)
        return [int(digits[place : place + 2], 16) for place in (0, 2, 4)]
    numbers = re.fullmatch(r"rgb\((\d+), ?(\d+), ?(\d+)\)", colour)
    return [int(number) for number in numbers.groups()] if numbers else []


def slim(root: ET.Element) -> None:
    """Make a drawing smaller, in place."""
    _shorten(root)
    _share(root)
    _trim(root, PASSED_ON)


def _shorten(element: ET.Element) -> None:
    """Round numbers, leave out needless points of lines, and write circles as circles."""
    for child in list(element):
        if child.tag not in DEFINITIONS:
            _shorten(child)
    attributes = element.attrib
    circle = CIRCLE.fullmatch(attributes.get("d", ""))
    if circle:
        moved = MOVED.fullmatch(attributes.pop("transform", "translate(0,0)"))
        del attributes["d"]
        element.tag = f"{{{SVG}}}circle"
        if moved:
            attributes |= {"cx": moved[1], "cy": moved[2]}
        attributes["r"] = circle[1]
    for name in COORDINATES:
        if name in attributes:
            attributes[name] = re.sub(r"-?\d+\.\d+", _rounded, attributes[name])
    path = attributes.get("d", "")
    if re.fullmatch(r"[ML][-\d.,ML]*", path):
        attributes["d"] = "".join(_line(piece) for piece in path.split("M") if piece)


def _rounded(match: re.Match[str]) -> str:
    return _round(float(match[0]))


def _round(number: float) -> str:
    rounded = f"{number:.1f}".removesuffix(".0")
    return "0" if rounded == "-0" else rounded


def _line(piece: str) -> str:
    """Write one unbroken line, without the points between two others on one level."""
    kept: list[Point] = []
    for coordinates in piece.split("L"):
        x, y = coordinates.split(",")
        point = (float(x), float(y))
        while len(kept) > 1 and _between(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return "M" + "L".join(f"{_round(x)},{_round(y)}" for x, y in kept)


def _between(one: Point, middle: Point, other: Point) -> bool:
    """Tell whether a point lies on the level or upright line from one point to another."""
    for along, across in ((0, 1), (1, 0)):
        low, high = sorted((one[along], other[along]))
        if one[across] == middle[across] == other[across] and low <= middle[along] <= high:
            return True
    return False


def _share(element: ET.Element) -> None:
    """Put attributes that all parts of a group share on the group; the deepest groups first."""
    if element.tag in DEFINITIONS:
        return
    for child in element:
        _share(child)
    if element.tag != GROUP or len(element) < 2:
        return
    for name in PASSED_ON:
        values = {child.get(name) for child in element}
        shared = next(iter(values))
        if name not in element.attrib and len(values) == 1 and shared is not None:
            element.set(name, shared)
            for child in element:
                del child.attrib[name]


def _trim(element: ET.Element, inherited: Mapping[str, str]) -> None:
    """Remove attributes that are inherited or default, and what is invisible.

    Groups left without attributes are unwrapped.
    """
    for name, default in OWN.items():
        if element.get(name) == default:
            del element.attrib[name]
    in_force = {name: element.get(name, value) for name, value in inherited.items()}
    for name, value in inherited.items():
        if element.get(name) == value:
            del element.attrib[name]
    for child in list(element):
        if child.tag in DEFINITIONS:
            continue
        _trim(child, in_force)
        is_group = child.tag == GROUP
        if _is_unseen(child, in_force) or (is_group and len(child) == 0):
            element.remove(child)
        elif is_group and not child.attrib:
            _unwrap(element, child)


def _is_unseen(element: ET.Element, inherited: Mapping[str, str]) -> bool:
    # Vega hides labels that would touch others by their opacity
    if element.get("display") == "none" or element.get("opacity") == "0":
        return True
    fill = element.get("fill", inherited["fill"])
    stroke = element.get("stroke", inherited["stroke"])
    return element.tag in SHAPES and fill == stroke == "none"


def _unwrap(parent: ET.Element, group: ET.Element) -> None:
    place = list(parent).index(group)
    parent.remove(group)
    for offset, child in enumerate(list(group)):
        parent.insert(place + offset, child)
