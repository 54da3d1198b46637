"""The table of sentences, row by row: each wording that it asks for is ours, or docs/reading-aloud.md says why not."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT.parent / "shared" / "reference" / "voice.md"
SPOKEN = (Path(__file__).with_name("sentences.txt"), ROOT / "docs" / "reading-aloud.md")
SLOT = "\0"
LEAST = 4  # letters: less is no wording
AGREEING = {"are": "is", "were": "was", "have": "has", "stays": "stay", "turns": "turn"}


def plain(text: str) -> str:
    """Text in small letters on one line, its quotes straight, with a mark for each slot."""
    text = re.sub(r"\{[^{}]*\}|[\[\]`\\]", lambda slot: SLOT if "{" in slot[0] else "", text)
    text = " ".join(text.replace("“", '"').replace("”", '"').replace("…", SLOT).lower().split())
    return re.sub(r"\w+", lambda word: AGREEING.get(word[0], word[0]), text)


def asked() -> Iterator[tuple[str, str]]:
    """Yield where a wording stands, and the wording; not what is as it was, and no remarks."""
    table = TABLE.read_text("utf-8").split("## 2. ")[1].split("## 3. ")[0]
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if len(cells) == 3 and cells[0] != "where":
            for told in cells[2].split("‖"):
                wording = re.sub(r"\*\(.*?\)\*", "", told).strip()
                if wording != "=":
                    yield cells[0], wording


def pieces(wording: str) -> list[str]:
    """The fixed pieces of a wording, between its slots and its points."""
    found = re.split(r"\0|[.,;:()?\"=*]", plain(wording))
    return [piece.strip() for piece in found if len(piece.strip()) >= LEAST]


def strings() -> Iterator[str]:
    """Yield every text of the package, of its pages' templates and of its notebooks."""
    for path in (ROOT / "src").rglob("*.*"):
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    parts = (
                        part.value if isinstance(part, ast.Constant) else SLOT
                        for part in node.values
                    )
                    yield "".join(map(str, parts))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
        elif path.suffix in {".js", ".j2", ".html"}:
            yield (
                re.sub(r"\{%|%\}", " ", path.read_text("utf-8"))
                .replace("{{", "{")
                .replace("}}", "}")
            )
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        yield from (
            "".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]
        )
    for path in (ROOT / "params").rglob("*.yaml"):
        yield path.read_text("utf-8")


@pytest.mark.skipif(not TABLE.exists(), reason="the table of sentences is not on this machine")
def test_every_wording_that_was_asked_for_is_ours_or_has_its_reason():
    texts = [*strings(), *(path.read_text("utf-8") for path in SPOKEN)]
    ours = "\n".join(map(plain, texts))
    missing = []
    for where, wording in asked():
        lacking = [piece for piece in pieces(wording) if piece not in ours]
        if lacking:
            missing.append(f"{where}: {lacking} of {wording}")
    assert missing == []
