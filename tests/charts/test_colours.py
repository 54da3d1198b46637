"""The agreed colours: every text can be read, and the lights are told apart by people who do not see red and green.

Contrast is that of WCAG 2.2. Colour blindness is simulated by Machado, Oliveira and Fernandes (2009), "A Physiologically-based
Model for Simulation of Color Vision Deficiency", severity 1.0. The agreed distance of 22 is that of CIE 1976 (CIELAB); by CIEDE2000,
checked against Sharma, Wu and Dalal (2005), "The CIEDE2000 Color-Difference Formula", table 1, the same colours are 17 apart.
"""

from __future__ import annotations

import math
import re
from itertools import combinations

import pytest

from dataops_nb.charts import look
from dataops_nb.reports.pages import figures, markup

BLIND = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
TEXTS = {"ink": ("page", "soft", "warn"), "muted": ("page", "soft"), "link": ("page", "soft")}


def linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    return sum(
        weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True)
    )


def seen(colour: str, matrix) -> tuple[float, float, float]:
    """What somebody with that eye sees of a colour, in CIELAB (D65)."""
    rgb = linear(colour)
    r, g, b = (
        min(1.0, max(0.0, sum(m * part for m, part in zip(row, rgb, strict=True))))
        for row in matrix
    )
    xyz = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b, 0.2126729 * r + 0.7151522 * g + 0.0721750 * b,
           0.0193339 * r + 0.1191920 * g + 0.9503041 * b)  # fmt: skip
    x, y, z = (
        _root(value / white) for value, white in zip(xyz, (0.95047, 1.0, 1.08883), strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(share: float) -> float:
    return share ** (1 / 3) if share > (6 / 29) ** 3 else share / (3 * (6 / 29) ** 2) + 4 / 29


def ciede2000(one, other) -> float:
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean**7 / (mean**7 + 25**7)))
    c1, c2 = math.hypot(a1 * (1 + g), b1), math.hypot(a2 * (1 + g), b2)
    h1, h2 = (math.degrees(math.atan2(b, a * (1 + g))) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dh = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn) / 2)
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    t = (1 - 0.17 * math.cos(math.radians(hm - 30)) + 0.24 * math.cos(math.radians(2 * hm))
         + 0.32 * math.cos(math.radians(3 * hm + 6)) - 0.20 * math.cos(math.radians(4 * hm - 63)))  # fmt: skip
    sl = 1 + 0.015 * (lm - 50) ** 2 / math.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rt = (-math.sin(math.radians(60 * math.exp(-(((hm - 275) / 25) ** 2))))
          * 2 * math.sqrt(cm**7 / (cm**7 + 25**7)))  # fmt: skip
    dl, dc = l2 - l1, c2 - c1
    return math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * dc / sc * dh / sh)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_of_two_colours_is_the_published_one(one, other, apart):
    assert ciede2000(one, other) == pytest.approx(apart, abs=1e-4)


def themes() -> dict[str, dict[str, str]]:
    """The named colours of the style sheet, light and dark."""
    light, dark = re.findall(r":root \{(.*?)\}", markup.css(), re.DOTALL)[:2]
    named = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", light))
    return {"light": named, "dark": named | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", dark))}


def chips() -> dict[str, tuple[str, str]]:
    """Fill and text of each light's chip."""
    found = re.findall(
        r"\.nb-chip\[data-light=(\w+)\] \{ background: (#\w{6}); color: (#\w{6}); \}", markup.css()
    )
    return {name: (fill, text) for name, fill, text in found}


def test_the_lights_are_the_agreed_ones_on_pages_and_in_charts():
    fills = {name: fill for name, (fill, _) in chips().items()}
    assert fills == {"green": "#00805e", "yellow": "#f0b429", "red": "#b3261e"}
    assert fills == {name: look.LIGHTS[name] for name in fills}
    assert set(fills.values()) < set(figures.PALETTE)


@pytest.mark.parametrize("name", ["green", "yellow", "red"])
def test_the_word_on_a_chip_can_be_read(name):
    assert contrast(*chips()[name]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"), [(text, ground) for text, grounds in TEXTS.items() for ground in grounds]
)
def test_text_can_be_read_on_its_background(theme, text, ground):
    named = themes()[theme]
    assert contrast(named[text], named[ground]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_rings_that_mean_something_can_be_seen(theme):
    named = themes()[theme]
    assert min(contrast(named[name], named["page"]) for name in ("accent", "link", "muted")) >= 3
    assert min(contrast(named[name], named["soft"]) for name in ("accent", "link")) >= 3


@pytest.mark.parametrize("eye", BLIND)
@pytest.mark.parametrize("pair", list(combinations(("green", "yellow", "red"), 2)))
def test_two_lights_are_told_apart_by_every_eye(eye, pair):
    one, other = (seen(chips()[name][0], BLIND[eye]) for name in pair)
    assert math.dist(one, other) >= 22
    assert ciede2000(one, other) >= 17


def test_yellow_is_a_fill_and_never_text_on_white():
    assert contrast("#f0b429", "#ffffff") < 3
    rules = re.findall(r"[^{}]*\{[^{}]*[^-]color: (?:#f0b429|var\(--yellow\))", markup.css())
    assert rules == []
