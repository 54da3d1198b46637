"""Check what no single value can tell: whether names exist and parts fit together.

Of company.yaml the calendar, the rates, the North Star, the lights and the sources; of reports.yaml
the notebooks, the folders and the departments; of events.yaml and solve_next.yaml the names and
ids. The checks of metrics and of tables of indicators are started here too.
"""

from __future__ import annotations

import codecs
import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from babel.localedata import locale_identifiers

from dataops_nb.company import SourceEvents
from dataops_nb.definitions.draft import Draft, Fault, Steps
from dataops_nb.definitions.expressions import fault_of_query
from dataops_nb.definitions.indicators import check_indicators
from dataops_nb.definitions.metric_checks import check_metrics, stays_in_database
from dataops_nb.definitions.models import Column, CompanyFile, Definitions, Mail, Report, Source
from dataops_nb.definitions.sql import read_query
from dataops_nb.definitions.value_checks import (
    fault_of_identifier,
    fault_of_name,
    faults_of_lights,
)
from dataops_nb.errors import did_you_mean
from dataops_nb.lineage import find_cycles
from dataops_nb.periods.fiscal import CalendarModel, YearEnd
from dataops_nb.steady import fault_of_run

# Keys that only files need.
_TABLE_KEYS = ("header", "names", "footer")
_FILE_KEYS = (
    "encoding",
    "date_format",
    "decimal",
    "thousands",
    "delimiter",
    "widths",
    "records",
    "na",
    *_TABLE_KEYS,
)
_GROUPS = (",", ".", " ", "'", "\u2019", "\u00a0", "\u202f")
_WORKBOOKS = (".xlsx", ".xlsm", ".ods", ".xls", ".xlsb")
_PACKED = (".gz", ".zst")
_JSON = (".json", ".jsonl", ".ndjson", "")
_TABLES = (".csv", ".tsv", ".txt", ".zip", *_WORKBOOKS)
_USUAL_ENCODINGS = ["utf-8", "utf-16", "cp1252", "latin-1", "iso-8859-1"]
# Folders of an output folder that hold no report.
TAKEN = {"runs", "history", "cache", "notices", "ask", "messages", "latest", "index", "whatif"}
LONGEST_ID = 100  # letters; folders are named after reports and suites


def check(draft: Draft) -> None:
    """Add to `draft.mistakes` everything in which the files contradict themselves or each other."""
    check_company(draft)
    check_sources(draft)
    check_metrics(draft)
    check_indicators(draft)
    check_reports(draft)
    check_records(draft)


def check_company(draft: Draft) -> None:
    """Report what is wrong in company.yaml, but for its sources."""
    definitions, file = draft.definitions, draft.company
    draft.report_all(file, ("calendar",), _faults_of_calendar(definitions.calendar))
    draft.report_all(file, ("rates",), _faults_of_rates(definitions))
    draft.report_all(file, ("locale",), _faults_of_locale(definitions.locale))
    if definitions.rates is not None:
        draft.report_unknown_source(file, ("rates", "source"), definitions.rates.source)
    check_timezone(draft, ("timezone",), definitions.timezone)
    draft.report_all(file, ("site_url",), _faults_of_address(definitions.site_url))

    for index, metric_id in enumerate(definitions.north_star):
        place = ("north_star", index)
        draft.report_unknown_metric(file, place, metric_id)
        if metric_id in definitions.north_star[:index]:
            draft.report(file, place, f"{metric_id!r} stands here twice")
    for name, lights in definitions.named_lights.items():
        draft.report_all(file, ("lights", name), faults_of_lights(lights))


def _faults_of_address(address: str | None) -> Iterator[Fault]:
    if address is None:
        return
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in address:
        yield (), f"{address!r} is no address; write https://reports.example.com"
    elif parts.username or parts.query or parts.fragment:
        yield (), "is the start of every link; leave out user, password, ? and #"


def check_timezone(draft: Draft, path: Steps, zone: str | None) -> None:
    """Report a time zone that does not exist; None is UTC."""
    if not zone:
        return
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        near = did_you_mean(zone, available_timezones())
        draft.report(draft.company, path, f"unknown time zone {zone!r}{near}")


def _faults_of_locale(locale: str) -> Iterator[Fault]:
    """Yield a locale whose way of writing numbers is not known."""
    if locale == CompanyFile.model_fields["locale"].default:
        return
    known = locale_identifiers()
    if locale not in known:
        yield (), f"unknown locale {locale!r}{did_you_mean(locale, known)}"


def _faults_of_calendar(calendar: CalendarModel) -> Iterator[Fault]:
    pattern, ends = calendar.year.pattern, calendar.year.ends
    place = ("year", "ends")
    if pattern and ends:
        yield from _faults_of_pattern(calendar, ends)
    elif pattern:
        example = "saturday nearest january 31"
        yield place, f"a pattern needs the day the year ends on: {example}"
    elif ends:
        yield place, "needs a pattern: 4-4-5, 4-5-4 or 5-4-4"
    if calendar.week_one not in {None, "iso"} and calendar.first_weekday == "monday":
        advice = "leave it out, or say another week_starts"
        yield ("week_one",), f"weeks that start on Monday are ISO weeks; {advice}"


def _faults_of_pattern(calendar: CalendarModel, ends: YearEnd) -> Iterator[Fault]:
    """Yield where the calendar contradicts the day that a year of whole weeks ends on.

    Weeks and the year start on the day after it.
    """
    first = calendar.first_weekday
    if "week_starts" in calendar.model_fields_set and calendar.week_starts != first:
        rule = f"a year that ends on a {ends.weekday} has weeks that start on {first}"
        yield ("week_starts",), f"{rule}; write {first} or leave it out"
    if "starts" in calendar.year.model_fields_set and calendar.year.starts != ends.next_month:
        rule = f"a year that ends on the {ends} starts on the day after"
        yield ("year", "starts"), f"{rule}, about {ends.next_month}; leave it out"


def _faults_of_rates(definitions: Definitions) -> Iterator[Fault]:
    rates = definitions.rates
    if rates is None:
        return
    if rates.to != definitions.currency:
        rule = f"the company's amounts are shown in {definitions.currency}"
        yield ("to",), f"{rule}; say the same currency in both places"
    if rates.max_gap is not None and rates.fill is None:
        rule = "without fill: previous a rate holds on its own day only"
        yield ("max_gap",), f"{rule}; say fill, or leave max_gap out"


def check_sources(draft: Draft) -> None:
    """Report what is wrong with the sources of company.yaml."""
    _check_source_names(draft)
    for name, source in draft.definitions.sources.items():
        here: Steps = ("sources", name)
        check_timezone(draft, (*here, "timezone"), source.timezone)
        draft.report_all(draft.company, here, _faults_of_place(source))
        draft.report_all(draft.company, here, _faults_of_rows(source))
        draft.report_all(draft.company, here, _faults_of_layout(source))
        draft.report_all(draft.company, here, _faults_of_encoding(source.encoding))
        for column, agreed in source.columns.items():
            _check_column(draft, (*here, "columns", column), agreed)
    _check_queries(draft)


def _check_source_names(draft: Draft) -> None:
    first_names: dict[str, str] = {}
    for name in draft.sources:
        here = ("sources", name)
        fault = fault_of_name(name, "source")
        if fault:
            draft.report(draft.company, here, fault)
        # SQL does not tell capitals apart.
        folded = name.casefold()
        if folded in first_names:
            message = f"differs from {first_names[folded]!r} in capitals only"
            draft.report(draft.company, here, message)
        first_names.setdefault(folded, name)


def _faults_of_place(source: Source) -> Iterator[Fault]:
    """Yield keys about where rows are that are missing, contradict each other or do not fit."""
    if source.url:
        yield from _faults_of_database(source)
    else:
        yield from _faults_outside_databases(source)
    if source.sheet:
        path = source.path or ""
        if not path.lower().endswith(_WORKBOOKS):
            yield ("sheet",), "a sheet needs a path to a workbook: xlsx, xlsm, ods, xls or xlsb"


def _faults_of_database(source: Source) -> Iterator[Fault]:
    if source.path:
        yield ("path",), "a source has a path or a url, not both"
    if bool(source.table) == bool(source.query):
        yield ("url",), "a url needs either table or query"
    for key in _FILE_KEYS:
        if getattr(source, key) not in (None, ".", [], 0):
            rule = "is about files; a database has values of its own"
            yield (key,), f"{rule}, or a query: that makes them"


def _faults_outside_databases(source: Source) -> Iterator[Fault]:
    if source.path and source.query:
        yield ("query",), "a source has path or query, not both"
    elif not source.path and not source.query:
        yield ("path",), "a source needs one of path, query or url"
    if source.table:
        yield ("table",), "a table needs a url; a sheet of a workbook stands under sheet"
    if source.watermark:
        rule = "files tell by themselves whether they changed"
        yield ("watermark",), f"a watermark needs a url; {rule}"


def _faults_of_rows(source: Source) -> Iterator[Fault]:
    if source.latest and not source.key:
        yield ("latest",), "says which of the rows with one key counts; say the key too"
    if source.latest and source.duplicates:
        yield ("duplicates",), "contradicts latest; keep one of the two"
    start, end = source.covers.from_, source.covers.to
    if start and end and end != "as_of" and end < start:
        yield ("covers", "to"), f"ends before it starts on {start}"
    fewest, most = source.rows.min, source.rows.max
    if fewest is not None and most is not None and fewest > most:
        yield ("rows", "min"), f"{fewest} is above max {most}"


def _faults_of_layout(source: Source) -> Iterator[Fault]:
    """Yield what cannot be about the signs and lines of a file."""
    if not source.url:
        for key in _TABLE_KEYS:
            ending = _inner_ending(source.path or "")
            is_table = source.path and (ending in _TABLES or not ending or "*" in ending)
            if getattr(source, key) not in (None, 0) and not is_table:
                yield (key,), "is about the lines of a csv, tsv or xlsx file"
    before: dict[str, str] = {}
    for name in source.names or []:
        if name.casefold() in before:
            yield (
                ("names",),
                f"{name!r} appears twice, capitals aside; each column has its own name",
            )
        before[name.casefold()] = name
    if source.header != "none" and source.header is not None and source.header < 1:
        yield (
            ("header",),
            f"{source.header} is no line; the first is 1, and none says there is none",
        )
    if source.thousands is not None and source.thousands not in _GROUPS:
        rule = f"{source.thousands!r} groups no digits"
        yield ("thousands",), f"{rule}; write a comma, a dot, a blank or an apostrophe in quotes"
    if source.thousands == source.decimal:
        rule = f"{source.thousands!r} is the decimal sign as well"
        yield ("thousands",), f'{rule}; say decimal: "," where a dot groups the digits'
    if source.delimiter is not None:
        yield from _faults_of_delimiter(source.delimiter)
    if source.records is not None and _inner_ending(source.path or "") not in _JSON:
        yield ("records",), "is about the lists of a json file"
    if source.widths is not None and source.delimiter is not None:
        yield ("widths",), "cuts lines where no delimiter does; declare one of the two"


def _inner_ending(path: str) -> str:
    """Return the ending of a path in lower case; of a packed file that of what it packs."""
    pure = PurePosixPath(path.lower())
    return PurePosixPath(pure.stem).suffix if pure.suffix in _PACKED else pure.suffix


def _faults_of_delimiter(delimiter: str) -> Iterator[Fault]:
    rule = ""
    if len(delimiter) > 1:
        rule = "must be one character"
    elif delimiter in '"\r\n\0' or delimiter.isalnum():
        rule = "cannot separate cells"
    if rule:
        yield ("delimiter",), f'{delimiter!r} {rule}; "," ";" "|" and "\\t" are usual'


def _faults_of_encoding(encoding: str | None) -> Iterator[Fault]:
    if not encoding:
        return
    try:
        codecs.lookup(encoding)
    except LookupError:
        near = did_you_mean(encoding, _USUAL_ENCODINGS)
        advice = near or "; cp1252 and utf-16 are usual"
        yield ("encoding",), f"unknown encoding {encoding!r}{advice}"


def _check_column(draft: Draft, here: Steps, agreed: Column) -> None:
    """Report what is wrong with the agreements about one column."""
    draft.report_all(draft.company, here, _faults_of_column(agreed))
    if not agreed.references:
        return
    place = (*here, "references")
    source_name, dot, _ = agreed.references.partition(".")
    if dot:
        draft.report_unknown_source(draft.company, place, source_name)
    else:
        advice = "write accounts.account_id"
        message = f"{agreed.references!r} is not source.column; {advice}"
        draft.report(draft.company, place, message)


def _faults_of_bounds(least: float | dt.date, most: float | dt.date) -> Iterator[Fault]:
    if isinstance(least, dt.date) and isinstance(most, dt.date):
        if least > most:
            yield ("min",), f"{least} is after max {most}"
    elif isinstance(least, dt.date) or isinstance(most, dt.date):
        yield ("min",), "min and max are a day and a number; write both alike"
    elif least > most:
        yield ("min",), f"{least:g} is above max {most:g}"


def _faults_of_column(agreed: Column) -> Iterator[Fault]:
    least, most = agreed.min, agreed.max
    if least is not None and most is not None:
        yield from _faults_of_bounds(least, most)
    share = agreed.nulls
    if share is not None and not 0 <= share <= 1:
        advice = "write the highest share of empty cells like 5%"
        yield ("nulls",), f"{share:g} is no share; {advice}"
    elif share and agreed.required:
        yield ("nulls",), "contradicts required, which allows no empty cell"


def _check_queries(draft: Draft) -> None:
    """Report queries that are no SELECT, read unknown sources, or read themselves."""
    known = {name.casefold(): name for name in draft.sources}
    reads: dict[str, list[str]] = {}
    for name, source in draft.definitions.sources.items():
        if source.url:
            _check_database_sql(draft, name, source)
        if source.query is None or source.url:
            continue
        place: Steps = ("sources", name, "query")
        tables, fault = read_query(source.query)
        if fault:
            draft.report(draft.company, place, fault)
        reads[name] = []
        for table in tables:
            if table.casefold() in known:
                reads[name].append(known[table.casefold()])
            else:
                draft.report_unknown(draft.company, place, "source", table, draft.sources)

    cycles = list(find_cycles(reads))
    for cycle in cycles:
        place = ("sources", cycle[0], "query")
        draft.report(draft.company, place, f"reads itself: {' -> '.join(cycle)}")
    for name in () if cycles else reads:
        query = draft.definitions.sources[name].query
        if query and stays_in_database(draft, name):
            fault = fault_of_query(query)
            if fault:
                draft.report(draft.company, ("sources", name, "query"), fault)


def _check_database_sql(draft: Draft, name: str, source: Source) -> None:
    """Report what a database would answer otherwise on each run; its SQL is its own."""
    for key in ("query", "watermark"):
        fault = fault_of_run(getattr(source, key) or "")
        if fault:
            draft.report(draft.company, ("sources", name, key), fault)


def check_reports(draft: Draft) -> None:
    """Report what is wrong in reports.yaml; ids of reports are unique over all suites."""
    file = draft.others["reports"]
    first_suites: dict[str, str] = {}
    for suite_name, suite in draft.definitions.suites.items():
        fault = fault_of_name(suite_name, "suite") or _fault_of_length(suite_name, "suite")
        if fault:
            draft.report(file, (suite_name,), fault)
        if suite.mail is not None:
            draft.report_all(file, (suite_name, "mail"), _faults_of_mail(suite.mail, suite.reports))
        for report_id, report in suite.reports.items():
            here: Steps = (suite_name, "reports", report_id)
            _check_report_id(draft, here, report_id, report)
            _check_report(draft, here, report)

            for folder in _folders_of(report_id, report, draft.departments):
                # On some systems folders that differ in capitals only are one folder.
                folded = folder.casefold()
                if folded in first_suites:
                    first = f"the first is in {first_suites[folded]!r}"
                    message = f"the report {folder!r} is declared a second time; {first}"
                    draft.report(file, here, message)
                first_suites.setdefault(folded, suite_name)


def _folders_of(report_id: str, report: Report, departments: Iterable[str]) -> list[str]:
    """Return the folders of a report: its own, or one for each department."""
    if report.each is None:
        return [report_id]
    return [f"{report_id}-{department}" for department in departments]


def _check_report_id(draft: Draft, here: Steps, report_id: str, report: Report) -> None:
    fault = fault_of_name(report_id, "report")
    if report_id.casefold() in TAKEN:
        rule = "is a name that the tool keeps for itself"
        fault = f"{report_id!r} {rule}; choose another report name"
    for folder in _folders_of(report_id, report, draft.departments):
        fault = fault or _fault_of_length(folder, "report")
    if fault:
        draft.report(draft.others["reports"], here, fault)


def _fault_of_length(name: str, kind: str) -> str:
    """Say that a name is too long for a folder; return "" where it is not."""
    if len(name) <= LONGEST_ID:
        return ""
    start = f"{name[:20]}..."
    return f"{start!r} has {len(name)} letters; the name of a {kind} has at most {LONGEST_ID}"


def _check_report(draft: Draft, here: Steps, report: Report) -> None:
    file = draft.others["reports"]
    fault = _fault_of_notebook(draft, report.notebook)
    if fault:
        draft.report(file, (*here, "notebook"), fault)
    for name, value in report.parameters.items():
        place = (*here, "parameters", name)
        fault = fault_of_identifier(name, "parameter")
        if fault:
            draft.report(file, place, fault)
        if name != "department":
            continue
        if report.each == "department":
            draft.report(file, place, "contradicts each: department; keep one of the two")
        draft.report_unknown(file, place, "department", str(value), draft.departments)


def _fault_of_notebook(draft: Draft, notebook: str) -> str:
    """Say why a notebook cannot be found in notebooks/; return "" where it can."""
    path = PurePosixPath(notebook)
    if path.is_absolute() or ".." in path.parts or "\\" in notebook:
        return f"{notebook!r} must stand in notebooks/"
    folder = draft.notebooks
    if folder is None or (folder / notebook).is_file():
        return ""
    known = [file.relative_to(folder).as_posix() for file in folder.glob("*.ipynb")]
    return f"no notebook {notebook!r} in {folder.name}/{did_you_mean(notebook, known)}"


def _faults_of_mail(mail: Mail, reports: Collection[str]) -> Iterator[Fault]:
    for key, addresses in (("success", mail.success), ("failure", mail.failure)):
        for index, address in enumerate(addresses):
            if not _is_address(address):
                message = f"{address!r} is no mail address; write name@example.com"
                yield (key, index), message
    for address, chosen in mail.digest.items():
        if not _is_address(address):
            yield ("digest", address), f"{address!r} is no mail address; write name@example.com"
        for index, report in enumerate(chosen):
            # a report for each department has its department's id at its end
            if not any(report == known or report.startswith(f"{known}-") for known in reports):
                near = did_you_mean(report, reports)
                yield ("digest", address, index), f"there is no report {report!r} here{near}"


def _is_address(text: str) -> bool:
    if text.count("@") != 1:
        return False
    return not any(sign.isspace() or sign in ",;<>" for sign in text)


def check_records(draft: Draft) -> None:
    """Report what is wrong in events.yaml and solve_next.yaml."""
    _check_events(draft)
    _check_items(draft)


def _check_events(draft: Draft) -> None:
    file = draft.others["events"]
    for index, event in enumerate(draft.definitions.events):
        if isinstance(event, SourceEvents):
            _check_event_source(draft, index, event)
        if isinstance(event.metrics, list):
            for position, metric_id in enumerate(event.metrics):
                place = (index, "metrics", position)
                draft.report_unknown_metric(file, place, metric_id)


def _check_event_source(draft: Draft, index: int, event: SourceEvents) -> None:
    file = draft.others["events"]
    draft.report_unknown_source(file, (index, "source"), event.source)
    source = draft.definitions.sources.get(event.source)
    if source is None or source.time is not None or event.date is not None:
        return
    message = f"source {event.source!r} has no time; say which column is the day"
    draft.report(file, (index, "date"), message)


def _check_items(draft: Draft) -> None:
    file = draft.others["solve_next"]
    first_lines: dict[str, int] = {}
    for index, item in enumerate(draft.definitions.solve_next):
        if item.metric is not None:
            draft.report_unknown_metric(file, (index, "metric"), item.metric)
        if item.id in first_lines:
            first = f"the first is on line {first_lines[item.id]}"
            message = f"{item.id!r} is the id of two things; {first}"
            draft.report(file, (index, "id"), message)
            continue
        node = file.root.step(index)
        first_lines[item.id] = 1
        if node is not None:
            first_lines[item.id] = node.line
