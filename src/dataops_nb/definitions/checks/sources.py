"""The sources of company.yaml: where their rows are, what tells them apart, and what their queries read."""

from __future__ import annotations

import codecs

from dataops_nb.definitions.checks.company import check_timezone
from dataops_nb.definitions.checks.expressions import read_query
from dataops_nb.definitions.checks.names import fault_of_name
from dataops_nb.definitions.draft import Draft, Steps
from dataops_nb.definitions.lineage import find_cycles
from dataops_nb.definitions.models import Source
from dataops_nb.errors import did_you_mean

_OF_FILES = ("encoding", "date_format", "decimal", "delimiter", "na")


def check_sources(draft: Draft) -> None:
    """Every source has one place and usable names; queries read known sources, and none reads itself."""
    _check_names(draft)
    for name, source in draft.definitions.company.sources.items():
        check_timezone(draft, ("sources", name, "timezone"), source.timezone)
        for path, message in [*_faults_of_place(source), *_faults_of_rows(source), *_faults_of_columns(source)]:
            draft.say(draft.company, ("sources", name, *path), message)
        for column, agreed in source.columns.items():
            if agreed.references and "." in agreed.references:
                path = ("sources", name, "columns", column, "references")
                draft.say_unknown_source(draft.company, path, agreed.references.split(".")[0])
    _check_queries(draft)


def _check_names(draft: Draft) -> None:
    seen: dict[str, str] = {}
    for name in draft.sources:
        if fault := fault_of_name(name, "source"):
            draft.say(draft.company, ("sources", name), fault)
        if name.casefold() in seen:
            draft.say(draft.company, ("sources", name), f"differs from {seen[name.casefold()]!r} in capitals only")
        seen.setdefault(name.casefold(), name)


def _faults_of_place(source: Source) -> list[tuple[Steps, str]]:
    faults: list[tuple[Steps, str]] = []
    given = [key for key in ("path", "query", "url") if getattr(source, key)]
    if source.url:
        if source.path:
            faults.append((("path",), "a source has a path or a url, not both"))
        if bool(source.table) == bool(source.query):
            faults.append((("url",), "a url needs either table or query"))
    elif not given:
        faults.append((("path",), "a source needs one of path, query or url"))
    elif len(given) > 1:
        faults.append((("query",), f"a source has {' or '.join(given)}, not both"))
    if source.table and not source.url:
        faults.append((("table",), "a table needs a url; a sheet of a workbook stands under sheet"))
    if source.watermark and not source.url:
        faults.append((("watermark",), "a watermark needs a url; files tell by themselves whether they changed"))
    if source.url:
        said = [key for key in _OF_FILES if getattr(source, key) not in (None, ".", [])]
        faults += [
            ((key,), "is about files; a database has values of its own, or a query: that makes them") for key in said
        ]
    if source.sheet and not (source.path or "").lower().endswith((".xlsx", ".xlsm")):
        faults.append((("sheet",), "a sheet needs a path to an xlsx file"))
    return faults


def _faults_of_rows(source: Source) -> list[tuple[Steps, str]]:
    faults: list[tuple[Steps, str]] = []
    if source.latest and not source.key:
        faults.append((("latest",), "says which of the rows with one key counts; say the key too"))
    if source.latest and source.duplicates:
        faults.append((("duplicates",), "contradicts latest; keep one of the two"))
    start, end = source.covers.from_, source.covers.to
    if start and end and end != "as_of" and end < start:
        faults.append((("covers", "to"), f"ends before it starts on {start}"))
    if source.rows.min is not None and source.rows.max is not None and source.rows.min > source.rows.max:
        faults.append((("rows", "min"), f"{source.rows.min} is above max {source.rows.max}"))
    if source.encoding:
        try:
            codecs.lookup(source.encoding)
        except LookupError:
            near = did_you_mean(source.encoding, ["utf-8", "utf-16", "cp1252", "latin-1", "iso-8859-1"])
            faults.append(
                (("encoding",), f"unknown encoding {source.encoding!r}{near or '; cp1252 and utf-16 are usual'}")
            )
    return faults


def _faults_of_columns(source: Source) -> list[tuple[Steps, str]]:
    faults: list[tuple[Steps, str]] = []
    for column, agreed in source.columns.items():
        if agreed.min is not None and agreed.max is not None and agreed.min > agreed.max:
            faults.append((("columns", column, "min"), f"{agreed.min:g} is above max {agreed.max:g}"))
        if agreed.nulls is not None and not 0 <= agreed.nulls <= 1:
            message = f"{agreed.nulls:g} is no share; write the highest share of empty cells like 5%"
            faults.append((("columns", column, "nulls"), message))
        elif agreed.nulls and agreed.required:
            faults.append((("columns", column, "nulls"), "contradicts required, which allows no empty cell"))
        if agreed.references and "." not in agreed.references:
            message = f"{agreed.references!r} is not source.column; write accounts.account_id"
            faults.append((("columns", column, "references"), message))
    return faults


def _check_queries(draft: Draft) -> None:
    known = {name.casefold(): name for name in draft.sources}
    reads: dict[str, list[str]] = {}
    for name, source in draft.definitions.company.sources.items():
        if source.query is None or source.url:
            continue
        path: Steps = ("sources", name, "query")
        tables, fault = read_query(source.query)
        if fault:
            draft.say(draft.company, path, fault)
        for table in tables:
            if table.casefold() not in known:
                draft.say_unknown(draft.company, path, "source", table, draft.sources)
        reads[name] = [known[table.casefold()] for table in tables if table.casefold() in known]
    for cycle in find_cycles(reads):
        draft.say(draft.company, ("sources", cycle[0], "query"), f"reads itself: {' -> '.join(cycle)}")
