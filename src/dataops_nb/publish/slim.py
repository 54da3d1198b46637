"""Slimming: the same picture in fewer bytes. What Vega writes for each mark is said once, and what nobody sees is left out.

Charts are two thirds of a page. Coordinates keep a tenth of a pixel; runs of points on one level become their ends; attributes
that all marks of a group share stand on the group; what is neither filled nor stroked is gone. Definitions are not touched.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping

SVG = "{http://www.w3.org/2000/svg}"
PASSED_ON = {
    "fill": "black", "stroke": "none", "stroke-width": "1", "stroke-dasharray": "none", "font-size": "",
    "font-weight": "normal", "font-family": "", "text-anchor": "start",
}  # fmt: skip
NOT_PASSED_ON = {"opacity": "1", "x2": "0", "y2": "0", "transform": "translate(0,0)"}
KEPT = frozenset({f"{SVG}{name}" for name in ("defs", "clipPath", "linearGradient", "radialGradient", "mask")})
SHAPES = frozenset({f"{SVG}{name}" for name in ("path", "line", "rect", "circle")})
CIRCLE = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0Z?")
MOVED = re.compile(r"translate\((-?[\d.]+),(-?[\d.]+)\)")
Point = tuple[float, float]


def slim(root: ET.Element) -> None:
    """Make a drawing smaller, in place."""
    _shorten(root)
    _share(root)
    _trim(root, PASSED_ON)


def _shorten(element: ET.Element) -> None:
    """Rounded numbers, lines without their needless points, circles as circles."""
    for each in list(element):
        if each.tag not in KEPT:
            _shorten(each)
    found = element.attrib
    if circle := CIRCLE.fullmatch(found.get("d", "")):
        moved = MOVED.fullmatch(found.pop("transform", "translate(0,0)"))
        del found["d"]
        element.tag = f"{SVG}circle"
        element.attrib |= {"cx": moved[1], "cy": moved[2], "r": circle[1]} if moved else {"r": circle[1]}
    for name in ("d", "transform", "cx", "cy", "r", "x", "y", "x2", "y2", "width", "height"):
        if name in found:
            found[name] = re.sub(r"-?\d+\.\d+", lambda number: _round(float(number[0])), found[name])
    if re.fullmatch(r"[ML][-\d.,ML]*", found.get("d", "")):
        found["d"] = "".join(_line(piece) for piece in found["d"].split("M") if piece)


def _round(number: float) -> str:
    return (
        f"{number:.1f}".removesuffix(".0").replace("-0", "0", 1)
        if abs(number) < 0.05
        else f"{number:.1f}".removesuffix(".0")
    )


def _line(piece: str) -> str:
    """One unbroken line, without the points between two others on one level."""
    points = [(float(x), float(y)) for x, y in (point.split(",") for point in piece.split("L"))]
    kept: list[Point] = []
    for point in points:
        while len(kept) > 1 and _between(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return "M" + "L".join(f"{_round(x)},{_round(y)}" for x, y in kept)


def _between(one: Point, middle: Point, other: Point) -> bool:
    """Whether a point lies on the level or upright line from one point to another."""
    for along, across in ((0, 1), (1, 0)):
        low, high = sorted((one[along], other[along]))
        if one[across] == middle[across] == other[across] and low <= middle[along] <= high:
            return True
    return False


def _share(element: ET.Element) -> None:
    """What all parts of a group say of themselves is said by the group; deepest groups first."""
    if element.tag in KEPT:
        return
    for each in element:
        _share(each)
    if element.tag == f"{SVG}g" and len(element) > 1:
        for name in PASSED_ON.keys() - element.attrib.keys():
            said = {each.get(name) for each in element}
            if len(said) == 1 and (value := said.pop()) is not None:
                element.set(name, value)
                for each in element:
                    del each.attrib[name]


def _trim(element: ET.Element, above: Mapping[str, str]) -> None:
    """Without what is said above already, what is so anyhow, and what is not seen; groups that say nothing are opened."""
    for name, usual in NOT_PASSED_ON.items():
        if element.get(name) == usual:
            del element.attrib[name]
    said = {name: element.get(name, value) for name, value in above.items()}
    for name, value in above.items():
        if element.get(name) == value:
            del element.attrib[name]
    for each in list(element):
        if each.tag in KEPT:
            continue
        _trim(each, said)
        unseen = each.tag in SHAPES and each.get("fill", said["fill"]) == each.get("stroke", said["stroke"]) == "none"
        unseen = (
            unseen or each.get("display") == "none" or each.get("opacity") == "0"
        )  # as labels that would touch others
        if unseen or (each.tag == f"{SVG}g" and not len(each)):
            element.remove(each)
        elif each.tag == f"{SVG}g" and not each.attrib:
            place = list(element).index(each)
            element.remove(each)
            for i, inner in enumerate(list(each)):
                element.insert(place + i, inner)
