"""Answer what an assistant asks of a workbench: seven tools, and one form of answer.

Each tool reads and none writes: no file is made, no SQL is taken, no path is opened that the
company's definitions do not name. An answer is `rows` as the command's `--json` gives them, at most
200; the day they are as of, the day the data reach to, the product's own sentences, and the sources
behind them. A name that is wrong is an error with the nearest right one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from dataops_nb import alignment, board, cli, drivers, links, plain, sources, story, workbench
from dataops_nb.alignment.comparisons import with_digits
from dataops_nb.alignment.measures import declared_splits, sources_of
from dataops_nb.board import Board
from dataops_nb.cli import ask, comparisons, explain, metric, options
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import DataError, UsageError, did_you_mean
from dataops_nb.periods import calendar
from dataops_nb.sources.catalog import Catalog
from dataops_nb.terms import Grain
from dataops_nb.workbench import Workbench

MOST_ROWS = 200
MOST_SENTENCES = 200
MOST_FAULTS = 20
# What an open company remembers grows with what it is asked, so it is opened anew now and then.
MOST_QUESTIONS = 200
MOST_DAYS = 3
# A database tells nobody that it has changed.
DATABASE_SECONDS = 60.0

Arguments = Mapping[str, Any]


class Tool:
    """One question that may be asked: its name, its help, its arguments, and who answers."""

    def __init__(
        self,
        name: str,
        text: str,
        answer: Callable[[Desk, Arguments], Answer],
        arguments: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.text = text
        self.answer = answer
        self.arguments = tuple(arguments)


@dataclass(frozen=True)
class Answer:
    """What a tool found: rows, sentences, and what they stand on."""

    catalog: Catalog
    rows: Sequence[Mapping[str, Any]]
    sentences: Sequence[str]
    metrics: Sequence[str]
    data_to: dt.date | None


class Desk:
    """Keep a workbench open between questions, as long as none of its files has changed.

    `find` opens the workbench. All questions must come from one thread.
    """

    def __init__(self, find: Callable[[], Workbench]) -> None:
        self._find = find
        self._bench: Workbench | None = None
        self._stamp: list[tuple[str, int, int]] = []
        self._opened_at = 0.0
        self._questions = 0
        self._catalogs: dict[dt.date, Catalog] = {}
        self._boards: dict[tuple[Any, ...], Board] = {}

    @property
    def bench(self) -> Workbench:
        """The workbench as its files are now."""
        bench = self._bench
        if bench is not None and not self._is_current(bench):
            self.close()
            bench = None
        if bench is None:
            bench = self._bench = self._find()
            self._stamp = _stamp(bench)
            self._opened_at = time.monotonic()
        return bench

    def catalog(self, as_of: dt.date | None) -> Catalog:
        """Return the rows of the workbench as of a day; None is the workbench's own day."""
        bench = self.bench
        day = workbench.as_of(bench, as_of)
        if day not in self._catalogs:
            workbench.ensure_data(bench)
            if len(self._catalogs) >= MOST_DAYS:
                self._forget()
            self._catalogs[day] = sources.open(bench.definitions, bench.data, day)
            # the sample may have been written just now, and is no change
            self._stamp = _stamp(bench)
        return self._catalogs[day]

    def board(
        self, as_of: dt.date | None, grain: Grain, metrics: Iterable[str] | None = None
    ) -> Board:
        """Return the board of these metrics, or of the company."""
        catalog = self.catalog(as_of)
        names = tuple(board.wanted(catalog.company, None, metrics))
        key = (catalog.as_of, grain, names)
        if key not in self._boards:
            self._boards[key] = board.measure(catalog, names, grain=grain, memory=self.bench.memory)
        return self._boards[key]

    def answer(self, name: str, arguments: Arguments) -> dict[str, Any]:
        """Return a tool's answer as plain values.

        Raises UsageError for a tool, an argument or a name that is unknown, DataError where data
        must not be used.
        """
        tool = TOOLS.get(name)
        if tool is None:
            near = did_you_mean(name, TOOLS) or f"; there are {', '.join(TOOLS)}"
            raise UsageError(f"unknown tool {name!r}{near}")
        for argument in arguments:
            if argument not in tool.arguments:
                raise UsageError(_unknown_argument(tool, argument))
        if "metric" in tool.arguments and not arguments.get("metric"):
            raise UsageError(f"{name} needs a metric; list_metrics names them all")
        self._questions += 1
        if self._questions > MOST_QUESTIONS:
            self.close()
        return _as_document(tool.answer(self, arguments))

    def close(self) -> None:
        """Close what is open; the next question opens it again."""
        self._forget()
        self._bench = None
        self._questions = 0

    def _forget(self) -> None:
        self._boards.clear()
        for catalog in self._catalogs.values():
            catalog.close()
        self._catalogs.clear()

    def _is_current(self, bench: Workbench) -> bool:
        if self._stamp != _stamp(bench):
            return False
        is_recent = time.monotonic() - self._opened_at < DATABASE_SECONDS
        if is_recent or not self._catalogs:
            return True
        return not any(source.url for source in bench.definitions.sources.values())


def refusal(error: Exception) -> str:
    """Return what an error says, short enough for a conversation."""
    lines = str(error).splitlines()
    if not isinstance(error, DataError) or len(lines) <= MOST_FAULTS + 1:
        return "\n".join(lines)
    rest = len(lines) - MOST_FAULTS - 1
    return "\n".join([*lines[: MOST_FAULTS + 1], f"  and {rest} more; dataops-nb check lists all"])


def _unknown_argument(tool: Tool, argument: str) -> str:
    if not tool.arguments:
        return f"{tool.name} takes no argument, so not {argument!r}"
    near = did_you_mean(argument, tool.arguments)
    return f"{tool.name} takes no {argument!r}{near}; it takes {', '.join(tool.arguments)}"


def _stamp(bench: Workbench) -> list[tuple[str, int, int]]:
    """Return path, time and size of the files that answers come from."""
    stamps: list[tuple[str, int, int]] = []
    for folder in (bench.params, bench.data, bench.out / "history"):
        stamps += _files(folder)
    return sorted(stamps)


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            try:
                state = os.stat(path)
            except OSError:
                continue
            yield path, state.st_mtime_ns, state.st_size


# --- arguments -----------------------------------------------------------------------------------


def _text(arguments: Arguments, name: str) -> str | None:
    value = arguments.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise UsageError(f"{name} is a text, not {value!r}")
    return value


def _day(arguments: Arguments, name: str) -> dt.date | None:
    text = _text(arguments, name)
    if text is None:
        return None
    try:
        return options.day(text)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"{name}: {error}") from None


def _grain(arguments: Arguments, definitions: Definitions, name: str | None = None) -> Grain:
    """Return the grain that is asked for; else week, or the metric's first one without weeks."""
    text = _text(arguments, "grain")
    if text is None:
        return "week" if name is None else cli.usual_grain(definitions.metrics[name].grains)
    board.check_grain(text)
    grain = cast("Grain", text)
    if name is not None and grain not in definitions.metrics[name].grains:
        known = ", ".join(definitions.metrics[name].grains)
        raise UsageError(f"{name} has no {grain} values; choose {known}")
    return grain


def _metric(arguments: Arguments, definitions: Definitions) -> str:
    name = _text(arguments, "metric") or ""
    metric.require(definitions, name)
    return name


def _by(arguments: Arguments, declared: list[tuple[str, ...]]) -> tuple[str, ...]:
    value = arguments.get("by")
    if not value:
        return ()
    columns = [value] if isinstance(value, str) else value
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise UsageError(f"by is a dimension or a list of them, not {value!r}")
    known: list[str] = []
    for names in declared:
        known += [name for name in names if name not in known]
    for name in metric.split(columns, declared):
        if name not in known:
            near = did_you_mean(name, known) or f"; there are {', '.join(known) or 'none'}"
            raise UsageError(f"unknown dimension {name!r}{near}")
    return metric.split(columns, declared)


def _called(arguments: Arguments, definitions: Definitions) -> str:
    """Return the metric of that id or label; an assistant has both, so nothing is guessed."""
    name = _text(arguments, "metric") or ""
    for known in definitions.metrics:
        if name.casefold() == definitions.label(known).casefold():
            return known
    metric.require(definitions, name)
    return name


# --- answers -------------------------------------------------------------------------------------


def _list_metrics(desk: Desk, _: Arguments) -> Answer:
    catalog = desk.catalog(None)
    definitions = catalog.company
    rows = [metric.listed_metric(definitions, name) for name in definitions.metrics]
    count = f"{definitions.name} has {len(rows)} metrics"
    sentences = [f"{count} in {len(definitions.departments)} departments."]
    stars = [f"{definitions.label(name)} ({name})" for name in definitions.north_star]
    if stars:
        sentences.append(f"Its North Star: {', '.join(stars)}.")
    reaches = []
    for name in sources_of(definitions, definitions.metrics):
        if not catalog.faulty(name):
            reaches.append(catalog.coverage(name).last_row)
    return Answer(catalog, rows, sentences, list(definitions.metrics), _earliest(reaches))


def _status(desk: Desk, arguments: Arguments) -> Answer:
    as_of = _day(arguments, "as_of")
    grain = _grain(arguments, desk.catalog(as_of).company)
    company = desk.board(as_of, grain)
    sentences = [*_warnings(company), *_texts(story.lines(company))]
    if len(company.findings):
        sentences += _texts(story.findings(company))
    sentences += _texts(story.reactions(company))
    shown = with_digits(company.current, company.rows)
    return _of_board(company, plain.rows(shown), sentences)


def _values(desk: Desk, arguments: Arguments) -> Answer:
    as_of = _day(arguments, "as_of")
    catalog = desk.catalog(as_of)
    definitions = catalog.company
    name = _metric(arguments, definitions)
    grain = _grain(arguments, definitions, name)
    start, end = _day(arguments, "from"), _day(arguments, "to")
    if start and end and start > end:
        raise UsageError(f"from {start} is after to {end}")
    by = _by(arguments, declared_splits(definitions, name))
    frame = alignment.values(catalog, name, grain=grain, start=start, end=end, by=by)
    frame = with_digits(frame, catalog)
    rows = plain.rows(frame[list(metric.VALUE_COLUMNS)])
    company = desk.board(as_of, grain, [name])
    sentences = [*_warnings(company), *_texts(story.headline(company))]
    unit = definitions.metrics[name].unit
    if unit:
        sentences.append(f"The unit is {unit}; the grain is {grain}.")
    return _of_board(company, rows, sentences)


def _explain(desk: Desk, arguments: Arguments) -> Answer:
    as_of = _day(arguments, "as_of")
    catalog = desk.catalog(as_of)
    definitions = catalog.company
    name = _metric(arguments, definitions)
    grain = _grain(arguments, definitions, name)
    by = _by(arguments, drivers.splits(definitions, name))
    period = calendar(definitions.calendar).last_complete(grain, catalog.as_of)
    against = drivers.comparison_named(catalog, period, _text(arguments, "against") or "previous")
    parts = drivers.of_company(catalog, name, period, against, by)
    company = desk.board(as_of, grain, [name])
    sentences = [*_warnings(company), *_texts(story.headline(company))]
    sentences += _texts(story.explained(company, name, by, against=against))
    return _of_board(company, plain.rows(parts[list(explain.PART_HEADERS)]), sentences)


def _links(desk: Desk, arguments: Arguments) -> Answer:
    as_of = _day(arguments, "as_of")
    grain = _grain(arguments, desk.catalog(as_of).company)
    company = desk.board(as_of, grain)
    rows = []
    for row in plain.rows(links.of_company(company.rows, grain)):
        rows.append({name: row[name] for name in comparisons.LINK_COLUMNS})
    return _of_board(company, rows, [*_warnings(company), *_texts(story.links(company))])


def _solve(desk: Desk, arguments: Arguments) -> Answer:
    company = desk.board(_day(arguments, "as_of"), "week")
    sentences = [*_warnings(company), *_texts(story.solving(company))]
    return _of_board(company, plain.rows(company.priorities), sentences)


def _ask(desk: Desk, arguments: Arguments) -> Answer:
    as_of = _day(arguments, "as_of")
    definitions = desk.catalog(as_of).company
    name = _called(arguments, definitions)
    grain = cli.usual_grain(definitions.metrics[name].grains)
    company = desk.board(as_of, grain, [name])
    sections = ask.answer_sections(company)
    row = ask.answer_document(company, sections)
    sentences = _warnings(company)
    for texts in row["says"].values():
        sentences += texts
    return _of_board(company, [row], sentences)


def _of_board(
    company: Board, rows: Sequence[Mapping[str, Any]], sentences: Sequence[str]
) -> Answer:
    catalog: Any = company.rows
    days = []
    for row in plain.rows(company.current[["data_to"]]):
        if row["data_to"]:
            days.append(dt.date.fromisoformat(row["data_to"]))
    return Answer(catalog, rows, sentences, company.metrics, _earliest(days))


def _earliest(days: Iterable[dt.date | None]) -> dt.date | None:
    """Return the day up to which all reach."""
    return min((day for day in days if day is not None), default=None)


def _texts(sentences: Any) -> list[str]:
    return [sentence.text for sentence in sentences.sentences]


def _warnings(company: Board) -> list[str]:
    """Say which sources are faulty or overdue, and which metrics are unknown, and why."""
    return [sentence.text for sentence in story.warnings(company)]


def _as_document(answer: Answer) -> dict[str, Any]:
    """Return an answer as plain values, with at most so many rows and sentences."""
    total = len(answer.rows)
    as_of = answer.catalog.as_of
    reach = f"data to {answer.data_to}" if answer.data_to else "no data"
    sentences = [f"As of {as_of}, {reach}.", *answer.sentences]
    if total > MOST_ROWS:
        narrower = "ask for a later from, a coarser grain, or less of it to see the others"
        sentences.insert(
            1, f"There are {total} rows, and these are the first {MOST_ROWS}; {narrower}."
        )
    document = {
        "rows": list(answer.rows[:MOST_ROWS]),
        "as_of": as_of,
        "data_to": answer.data_to,
        "sentences": list(dict.fromkeys(sentences))[:MOST_SENTENCES],
        "sources": _source_rows(answer),
        "truncated": total > MOST_ROWS,
    }
    plain_document: dict[str, Any] = plain.value(document)
    return plain_document


def _source_rows(answer: Answer) -> list[dict[str, Any]]:
    """Return the sources behind an answer, each with whether it may be relied on."""
    catalog = answer.catalog
    names = sources_of(catalog.company, answer.metrics)
    if not names:
        return []
    rows = []
    for row in plain.rows(catalog.provenance(*names)):
        state = "fresh"
        if catalog.faulty(row["source"]):
            state = "fault"
        elif catalog.coverage(row["source"]).stale:
            state = "stale"
        rows.append({**row, "state": state})
    return rows[:MOST_ROWS]


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "list_metrics",
            "Every metric the company has: id, label, department, type, grains, unit and role. "
            "The other tools take the id.",
            _list_metrics,
        ),
        Tool(
            "status",
            "The lights of the last complete period, green, yellow, red or unknown with its "
            "reason, and what they do not say.",
            _status,
            ("as_of", "grain"),
        ),
        Tool(
            "values",
            "One metric period by period, or with `by` one row for each segment and period. A "
            "missing value is null, never 0; `complete` is false for a period that is not over.",
            _values,
            ("metric", "as_of", "grain", "from", "to", "by"),
        ),
        Tool(
            "explain",
            "What moved one metric in its last complete period, part by part; the parts add up "
            "to the change.",
            _explain,
            ("metric", "as_of", "grain", "against", "by"),
        ),
        Tool(
            "links",
            "Which inputs move the North Star, which do not, and which the data cannot tell.",
            _links,
            ("as_of", "grain"),
        ),
        Tool(
            "solve",
            "What to solve next: urgent and important, with what each costs.",
            _solve,
            ("as_of",),
        ),
        Tool(
            "ask",
            "Everything that is right to say when somebody asks about one number: where it "
            "stands, why, what it is worth, what is done, and the queries behind it.",
            _ask,
            ("metric", "as_of"),
        ),
    )
}
