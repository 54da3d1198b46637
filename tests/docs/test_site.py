"""The documentation: what it tells to type can be typed, and what the code offers stands in it."""

from __future__ import annotations

import importlib
import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from dataops_nb.cli import arguments

ROOT = Path(__file__).parents[2]
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def script(name: str):
    """Load one of the scripts of docs/, which are no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


site = script("build")


def typed(path: Path) -> list[str]:
    """The command lines of dataops-nb that a page tells to type."""
    return re.findall(r"^\$ dataops-nb (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    "path", [path for path in TEXTS if typed(path)], ids=lambda path: path.stem
)
def test_every_command_that_a_page_tells_to_type_is_one(path):
    for line in typed(path):
        assert arguments.parse(shlex.split(line.split("  #")[0])).run, line


def test_every_verb_and_option_stands_in_the_generated_reference():
    text = site.commands()
    for name, verb in site.verbs(arguments.build()):
        assert f"\n## {name}\n" in text
        for action in verb._actions:
            assert all(option in text for option in action.option_strings)


def test_every_key_of_every_schema_stands_in_the_generated_reference():
    text = site.files()
    assert {"## company.yaml", "## departments/NAME.yaml"} <= set(text.splitlines())
    assert "| `north_star` | The few metrics everyone looks at. |" in text


@pytest.mark.parametrize("name", site.HELPERS)
def test_every_public_name_of_a_helper_stands_on_its_page(name):
    page = site.helper(name)
    assert all(
        f'"{public}"' in page for public in importlib.import_module(f"dataops_nb.{name}").__all__
    )


def test_every_page_of_the_menu_is_there():
    menu = (ROOT / "docs" / "zensical.toml").read_text(encoding="utf-8")
    made = {"tutorial.md", "reference/commands.md", "reference/files.md", "gallery/index.md"}
    made |= {*site.TOP_PAGES, *(f"api/{name}.md" for name in site.HELPERS)}
    for name in re.findall(r'"([\w./-]+\.md)"', menu):
        assert name in made or (ROOT / "docs" / name).is_file(), name


def test_a_link_out_of_the_site_is_only_named():
    text = "[one](docs/glossary.md) [two](src/x.py) [three](ARCHITECTURE.md) [four](https://example.com)"
    assert (
        site.inside(text)
        == "[one](glossary.md) two [three](ARCHITECTURE.md) [four](https://example.com)"
    )


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#x">b</a><a href="b.html#y">b</a><img src="c.png">'
    )
    (tmp_path / "b.html").write_text('<p id="x">here</p>')
    assert sorted(site.broken_links(tmp_path)) == [("a.html", "b.html#y"), ("a.html", "c.png")]
