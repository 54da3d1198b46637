"""`dataops-nb check`: definitions, sources, contracts and freshness; every mistake and every fault at once."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from dataops_nb import definitions as company_files
from dataops_nb import workbench
from dataops_nb.cli import folder, output
from dataops_nb.definitions import Definitions, passwords
from dataops_nb.errors import DataError, DefinitionsError, Fault, Mistake
from dataops_nb.workbench import Workbench

if TYPE_CHECKING:
    from dataops_nb.admission import Crowd
    from dataops_nb.sources import Catalog, Notice


@dataclass(frozen=True)
class Findings:
    """What is wrong with the files, what is wrong with the data, and what is only worth knowing."""

    mistakes: Sequence[Mistake]
    faults: Sequence[Fault]
    notices: Sequence[Mistake | Notice | Crowd]

    @property
    def exit_code(self) -> int:
        """2 for mistakes, 3 for faults, 2 for both, else 0."""
        return DefinitionsError.exit_code if self.mistakes else DataError.exit_code if self.faults else 0

    @property
    def summary(self) -> str:
        """How many of each: `2 mistakes in the definitions, 1 fault in the data`."""
        wrong = [(self.mistakes, "mistake", "the definitions"), (self.faults, "fault", "the data")]
        return ", ".join(f"{_count(len(found), word)} in {where}" for found, word, where in wrong if found)


def run(args: Namespace) -> int:
    """Print everything that is wrong on stdout, and how many there are on stderr."""
    bench = folder.find(args)
    notebooks = bench.notebooks if bench.notebooks.is_dir() else None
    readable, mistakes = company_files.survey(bench.params, notebooks=notebooks)
    looked = bench.data.is_dir() or not mistakes
    faults, notices, known, pitches = look(bench, readable, sound=not mistakes) if looked else ([], [], readable, [])
    found = Findings([*mistakes, *pitches], faults, [*passwords.noted(bench.params), *notices])
    counts = {"metrics": len(known.metrics), "sources": len(readable.company.sources)}
    if args.json:
        lists = {name: [asdict(item) for item in getattr(found, name)] for name in ("mistakes", "faults", "notices")}
        output.document({"ok": found.exit_code == 0, **counts, **lists})
    else:
        _print(found, counts)
    if found.exit_code:
        print(f"dataops-nb: {found.summary}", file=sys.stderr)
    return found.exit_code


def look(
    bench: Workbench, readable: Definitions, *, sound: bool
) -> tuple[list[Fault], list[Notice | Crowd], Definitions, list[Mistake]]:
    """Every fault of every source, what is worth knowing about their rows and freshness, the metrics they make, and, where
    the definitions are sound and the data without faults, what keeps a pitch from being shown."""
    from dataops_nb import admission, sources  # noqa: PLC0415  pandas and duckdb are not needed to list mistakes
    from dataops_nb.cli import pitches  # noqa: PLC0415  as above

    workbench.ensure_data(bench)
    with sources.open(readable, bench.data, workbench.as_of(bench, None)) as catalog:
        faults = catalog.check()
        try:
            known = catalog.definitions
        except DataError:  # a table of indicators cannot be read, and is among the faults
            known = readable
        said = pitches.mistakes(bench.params, catalog) if sound and not faults else []
        return faults, [*catalog.notices(), *stale(catalog), *admission.crowded(readable)], known, said


def stale(catalog: Catalog) -> Iterator[Notice]:
    """One notice for each readable source whose last row is older than it may be."""
    from dataops_nb.sources import Notice  # noqa: PLC0415  as above

    for name, source in catalog.declared.company.sources.items():
        try:
            found = catalog.coverage(name)
        except DataError:  # it cannot be read, and is among the faults
            continue
        if found.stale and found.last_row:
            days = (catalog.as_of - found.last_row).days
            text = f"days since its last row on {found.last_row}; it is fresh within {source.fresh_within}"
            yield Notice(name, text, days)


def _print(found: Findings, counts: dict[str, int]) -> None:
    lines = [*map(str, found.mistakes), *map(str, found.faults)]
    lines += [f"note: {note}" for note in found.notices]
    if not found.exit_code:
        lines.append("ok: " + ", ".join(_count(count, name.removesuffix("s")) for name, count in counts.items()))
    output.write("\n".join(lines))


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
