"""What a source stands on: a query over other sources reads those, and whatever they stand on themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dataops_nb.definitions.checks.expressions import read_query
from dataops_nb.definitions.models import Source


def sources_behind(sources: Mapping[str, Source], named: Iterable[str]) -> list[str]:
    """The named sources with all that their queries read, each once."""
    folded = {name.casefold(): name for name in sources}
    found: dict[str, None] = {}
    waiting = list(named)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = None
        query = sources[name].query
        tables = read_query(query)[0] if query and not sources[name].url else []
        waiting += [folded[table.casefold()] for table in tables if table.casefold() in folded]
    return list(found)
