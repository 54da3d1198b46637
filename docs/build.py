"""Build the documentation site: the pages of docs/, what the code says, and the gallery.

    python docs/build.py [--without-gallery]

Everything is staged in build/docs and built by zensical into build/site, where every local link of
every page is then followed. The reference of the command comes from the parser, that of the files
from their schemas, that of the helper package from its docstrings, and the gallery is the sample
company's report as `dataops-nb refresh` publishes it. None of them is kept under git.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dataops_nb.cli import arguments

ROOT = Path(__file__).parents[1]
STAGE, SITE = ROOT / "build" / "docs", ROOT / "build" / "site"
# The helper package, in the order in which a reader meets it.
HELPERS = (
    "alignment", "periods", "limits", "pacing", "status", "drivers", "links", "reconciliation",
    "board", "story", "charts", "tables", "controls", "workbench",
)  # fmt: skip
TOP_PAGES = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")
ALTITUDES = (("index.html", "Summary"), ("manager.html", "Manager"), ("analyst.html", "Analyst"))


def main() -> int:
    """Stage, build, check; return 0 where no warning and no broken link is left."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--without-gallery", action="store_true", help="skip the sample's pages")
    wanted = options.parse_args()
    stage(gallery=not wanted.without_gallery)
    build()
    broken = sorted(broken_links(SITE))
    for page, target in broken:
        print(f"{page}: no {target}", file=sys.stderr)
    return 1 if broken else 0


def stage(*, gallery: bool) -> None:
    """Write all pages of the site as Markdown, and the gallery's as they are published."""
    shutil.rmtree(STAGE, ignore_errors=True)
    shutil.copytree(
        ROOT / "docs", STAGE / "docs", ignore=shutil.ignore_patterns("*.py", "*.toml", "__*")
    )
    pages = STAGE / "docs"
    for name in TOP_PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        (pages / name).write_text(inside(text), encoding="utf-8")
    (pages / "tutorial.md").write_text(tutorial(), encoding="utf-8")
    (pages / "reference" / "commands.md").write_text(commands(), encoding="utf-8")
    (pages / "reference" / "files.md").write_text(files(), encoding="utf-8")
    (pages / "api").mkdir(exist_ok=True)
    for name in HELPERS:
        (pages / "api" / f"{name}.md").write_text(helper(name), encoding="utf-8")
    (pages / "gallery").mkdir(exist_ok=True)
    lines = ["# Gallery", "", "Built without the sample's pages."]
    if gallery:
        lines = publish(pages / "gallery")
    (pages / "gallery" / "index.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.copy(ROOT / "docs" / "zensical.toml", STAGE / "zensical.toml")


def inside(text: str) -> str:
    """Return a page of the checkout's root with links that hold in the site.

    What lies in docs/ is beside it there; what lies elsewhere is only named.
    """
    text = text.replace("](docs/", "](")

    def named(match: re.Match[str]) -> str:
        words, target = match[1], match[2]
        if urlsplit(target).scheme or target.startswith("#") or (ROOT / "docs" / target).exists():
            return match[0]
        if target.split("#")[0] in TOP_PAGES:
            return match[0]
        return words

    return re.sub(r"\[([^\]]*)\]\(([^)\s]+)\)", named, text)


def tutorial() -> str:
    """Return the README's way from a csv to a first report, as a page of its own."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    start = readme.index("## From your own csv to a first report")
    end = readme.index("\n## ", start + 1)
    return inside("#" + readme[start:end].removeprefix("##")) + "\n"


# --- What the code says ---------------------------------------------------------------------------


def commands() -> str:
    """Return every verb with its arguments, options and help, from the parser itself."""
    lines = ["# Every command and option", "", "Generated from the parser. What the answers mean: "]
    lines[-1] += "[the command](command.md)."
    parser = arguments.build()
    lines += ["", "## Options of every command", "", *_options(parser, skip=())]
    shared = set(_flags(parser))
    always = re.compile(r" \[(-h|-w DIR|--data DIR|--out DIR|--json|--quiet|--no-cache)\]")
    for name, verb in verbs(parser):
        lines += ["", f"## {name}", "", f"{verb.description}", "", "```text"]
        usage = " ".join(verb.format_usage().split()).removeprefix("usage: ")
        lines += [always.sub("", usage), "```", ""]
        lines += _options(verb, skip=shared)
    return "\n".join(lines) + "\n"


def verbs(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the name and the parser of every command that runs something."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        for name, verb in action.choices.items():
            below = list(verbs(verb, f"{prefix}{name} "))
            yield from below
            if not below:
                yield f"{prefix}{name}", verb


def _flags(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings


def _options(parser: argparse.ArgumentParser, skip: Any) -> list[str]:
    """Return a table of a parser's arguments and options, but for those in `skip`."""
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        if action.option_strings and set(action.option_strings) <= set(skip):
            continue
        name = ", ".join(action.option_strings)
        value = action.metavar or ""
        if action.nargs != 0 and value:
            name = f"{name} {value}".strip()
        text = (action.help or "").replace("|", "\\|")
        rows.append(f"| `{name}` | {text} |")
    if not rows:
        return []
    return ["| option | meaning |", "|---|---|", *rows]


def files() -> str:
    """Return every key of the files in params/, from the schemas that editors read."""
    lines = [
        "# Every key of the files",
        "",
        "Generated from the schemas in `params/.schema/`. What",
    ]
    lines[-1] += " the keys mean together: [the company's files](definitions.md)."
    for path in sorted((ROOT / "params" / ".schema").glob("*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        name = path.name.removesuffix(".schema.json")
        title = "departments/NAME.yaml" if name == "department" else f"{name}.yaml"
        lines += ["", f"## {title}", "", schema.get("description", "")]
        lines += _keys(schema)
        for part, definition in schema.get("$defs", {}).items():
            if definition.get("properties"):
                lines += ["", f"### {part} ({title})", "", definition.get("description", "")]
                lines += _keys(definition)
    return "\n".join(lines) + "\n"


def _keys(schema: Mapping[str, Any]) -> list[str]:
    rows = []
    for key, value in schema.get("properties", {}).items():
        text = " ".join(value.get("description", "").split()).replace("|", "\\|")
        usual = value.get("default")
        shown = ""
        if usual not in (None, [], {}) and not isinstance(usual, dict | list):
            shown = f"`{json.dumps(usual)}`"
        rows.append(f"| `{key}` | {text} | {shown} |")
    if not rows:
        return []
    return ["", "| key | meaning | default |", "|---|---|---|", *rows]


def helper(name: str) -> str:
    """Return the page of one module of the helper package: its text, then every public name."""
    module = importlib.import_module(f"dataops_nb.{name}")
    members = json.dumps(list(module.__all__))
    return f"# {name}\n\n::: dataops_nb.{name}\n    options:\n      members: {members}\n"


# --- The gallery ----------------------------------------------------------------------------------


def publish(folder: Path) -> list[str]:
    """Refresh the sample company into a folder; return the lines of the page that lists them."""
    bench, packed = STAGE / "sample", STAGE / "site.zip"
    shutil.rmtree(bench, ignore_errors=True)
    here = ["-w", str(bench)]
    for words in (["init", str(bench)], [*here, "refresh"], [*here, "zip", str(packed)]):
        command = [sys.executable, "-m", "dataops_nb", *words, "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    published = folder / "published"
    shutil.unpack_archive(packed, published)
    shutil.rmtree(bench)
    lines = [
        "# Gallery",
        "",
        "What a refresh of the sample company publishes, as it is: pages that",
    ]
    lines += ["ask for nothing from anywhere.", "", "- [Front page](published/index.html)"]
    for report in sorted(published.glob("*/*/index.html")):
        below = report.parent.relative_to(published)
        title = below.parts[0].replace("-", " ").capitalize()
        links = []
        for file, altitude in ALTITUDES:
            if (report.parent / file).is_file():
                links.append(f"[{altitude}](published/{below.as_posix()}/{file})")
        lines.append(f"- {title}: {', '.join(links)}")
    return lines


# --- The site -------------------------------------------------------------------------------------


def build() -> None:
    """Run zensical over what was staged; a warning is an error."""
    shutil.rmtree(SITE, ignore_errors=True)
    zensical = Path(sys.executable).with_name("zensical")
    subprocess.run([zensical, "build", "--strict", "--clean"], cwd=STAGE, check=True)
    shutil.move(STAGE / "site", SITE)


class Links(HTMLParser):
    """The targets and the anchors of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag points at, and what others may point at in it."""
        for name, value in attrs:
            if value and name in ("href", "src"):
                self.targets.add(value)
            elif value and name in ("id", "name"):
                self.anchors.add(value)


def broken_links(site: Path) -> Iterator[tuple[str, str]]:
    """Yield each page with a local link that leads nowhere, or with one that leaves the site."""
    pages: dict[Path, Links] = {}
    for path in site.rglob("*.html"):
        page = Links()
        page.feed(path.read_text(encoding="utf-8"))
        pages[path.resolve()] = page
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            other = path
            if parts.path:
                other = (path.parent / unquote(parts.path)).resolve()
            if other.is_dir():
                other /= "index.html"
            anchor = unquote(parts.fragment)
            missing = not other.exists()
            if not missing and anchor and other in pages:
                missing = anchor not in pages[other].anchors
            if missing:
                yield path.relative_to(site.resolve()).as_posix(), target


if __name__ == "__main__":
    sys.exit(main())
