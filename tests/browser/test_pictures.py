"""The README's pictures are those of the product as it is; `make pictures` takes them anew."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from tests.browser.conftest import CHROMIUM
from tests.browser.labs import RUN

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WRITE = "DATAOPS_PICTURES"
LARGEST = 200_000
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
LAB = {"width": 1280, "height": 1400}
SHOWN = 660  # of the panel, from its top
# Mean difference of two pictures, both drawn 64 x 48 large: letters may lie a little elsewhere.
DIFFERENCE = """async ([before, now]) => {
  const pixels = async (data) => {
    const image = new Image();
    image.src = "data:image/png;base64," + data;
    await image.decode();
    const canvas = new OffscreenCanvas(64, 48), pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0, 64, 48);
    return pen.getImageData(0, 0, 64, 48).data;
  };
  const [a, b] = [await pixels(before), await pixels(now)];
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length / 255;
}"""
TOLERANCE = 0.04
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="Chromium is not on this machine"),
]


def held(browser, name: str, taken: bytes) -> None:
    """Compare a picture with the one that is kept, or keep it where that is asked for."""
    path = FOLDER / f"{name}.png"
    if os.environ.get(WRITE):
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(taken)
    assert path.stat().st_size <= LARGEST
    page = browser.new_page()
    both = [base64.b64encode(data).decode() for data in (path.read_bytes(), taken)]
    difference = page.evaluate(DIFFERENCE, both)
    page.close()
    assert difference <= TOLERANCE, f"{name} has changed ({difference:.3f}): make pictures"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "page", "viewport"),
    [
        ("front", "index.html", DESK),
        ("summary", "customer-service/2026-W47/index.html", PHONE),
    ],
)
def test_the_picture_of_a_page_is_current(sample_out, browser, visit, scheme, name, page, viewport):
    # A desk is drawn smaller, as it is shown.
    scale = 0.7 if viewport == DESK else 1
    tab = visit(
        sample_out / page, viewport=viewport, color_scheme=scheme, device_scale_factor=scale
    )
    held(browser, f"{name}-{scheme}", tab.screenshot())


def test_the_picture_of_the_panel_is_current(lab, browser):
    page = browser.new_page(viewport=LAB)
    lab.open(page, "20_sdr.ipynb")
    page.evaluate(RUN, 3)
    page.wait_for_selector(".nb-explore .vega-embed svg", timeout=90_000)
    page.locator(".nb-explore").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = page.locator(".nb-explore").bounding_box()
    taken = page.screenshot(clip=box | {"height": min(SHOWN, box["height"])})
    page.close()
    held(browser, "panel", taken)
