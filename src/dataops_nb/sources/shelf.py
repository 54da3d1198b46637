"""The sources loaded so far, and where a query over them runs.

What is wrong is collected and never stops the others; a source that cannot be read has no relation.
A source whose fingerprint is known from an earlier run is not read: that run's findings about it
are reused, until a query comes up that no run has answered before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlglot
from sqlglot import exp

from dataops_nb import plain
from dataops_nb.definitions.models import Definitions, Source
from dataops_nb.errors import DataError, Fault, UsageError, did_you_mean
from dataops_nb.lineage import upstream
from dataops_nb.sources.cache import Cache
from dataops_nb.sources.days import Steps
from dataops_nb.sources.engines import Engine
from dataops_nb.sources.engines.crossing import Asking, Published, complete, run
from dataops_nb.sources.engines.databases import Engines, find_base
from dataops_nb.sources.evidence import Check, Connection, Notice, Raw, first_row, quote, say_error
from dataops_nb.sources.files import SNAPSHOT, allow_folders, find_files
from dataops_nb.sources.fingerprints import (
    FULL_LENGTH,
    Origins,
    SourceFingerprint,
    of_code,
    of_source,
)
from dataops_nb.sources.fingerprints import sources_around as around
from dataops_nb.sources.matches import folders_of
from dataops_nb.sources.moments import check_moments
from dataops_nb.sources.needs import collect_needs
from dataops_nb.sources.queries import find_origin, parse_queries
from dataops_nb.sources.references import check_rates, check_references
from dataops_nb.sources.source import Loaded, SourceReader
from dataops_nb.steady import bind

if TYPE_CHECKING:
    from dataops_nb.alignment.rows import Usage


Frames = Mapping[str, pd.DataFrame]


class Shelf:
    """The sources of a company in one DuckDB in memory, as of one day.

    In the folder `keep` results and findings are kept between runs. `usage` notes every source that
    is loaded.
    """

    def __init__(
        self,
        definitions: Definitions,
        data: Path,
        as_of: dt.date,
        keep: Path | None = None,
        usage: Usage | None = None,
    ) -> None:
        self.as_of = as_of
        self.zone = definitions.company.timezone
        self.sources = definitions.company.sources
        self.rates = definitions.company.rates
        self.data = data.absolute()
        self.loaded: dict[str, Loaded] = {}
        self._earlier: dict[str, Loaded] = {}  # under the definitions before these
        self.published: dict[str, Published] = {}
        self._usage = usage
        self.touched: set[str] = set()  # sources that were asked, also from what is kept
        self.is_steady = True  # no query says something else on each run
        self._parse(definitions)
        self._open_engines()
        self.steps = Steps(lambda: self.con, self.zone, as_of)
        self.cache = Cache(keep) if keep else None
        self.cache_folder = keep
        self._fingerprints: dict[str, SourceFingerprint | None] = {}
        self._recalled: dict[str, dict[str, Any]] = {}
        self._to_read: set[str] = set()
        self._zones: dict[tuple[str, str], str] = {}
        self._steps_kept = False
        if self.cache:
            self._prepare_cache(self.cache)

    def _parse(self, definitions: Definitions) -> None:
        written = {}
        for name, source in self.sources.items():
            if source.query and not source.url:
                written[name] = bind(source.query, self.as_of, "duckdb")
        self.queries = parse_queries(written, self.sources)
        self.needs = collect_needs(definitions, self.queries)

    def redeclare(self, definitions: Definitions) -> None:
        """Take other definitions; a file that they read as before is not read again.

        Only for sources in files whose findings are not kept between runs.
        """
        assert self.cache is None and not self.published  # noqa: S101, PT018
        before, needs = self.sources, self.needs
        self.sources = definitions.company.sources
        self.rates = definitions.company.rates
        self._parse(definitions)
        self._zones.clear()
        before_now = self._earlier | self.loaded
        self.loaded, self._earlier = {}, {}
        for name, loaded in before_now.items():
            source = self.sources.get(name)
            if source is None or not _reads_alike(before[name], source):
                continue
            refers = any(column.references for column in source.columns.values())
            same = before[name].time == source.time and needs[name] == self.needs[name]
            if same and loaded.referenced and not refers and name not in self.queries:
                self.loaded[name] = loaded
            else:
                self._earlier[name] = loaded

    def _open_engines(self) -> None:
        paths = [source.path for source in self.sources.values() if source.path]
        urls = {name: source.url for name, source in self.sources.items() if source.url}
        self.engines = Engines(urls, self.data, allow_folders(paths, self.data), self.zone)
        self.engine: Engine = self.engines.embedded

    @property
    def con(self) -> Any:
        """The embedded DuckDB."""
        return self.engines.embedded.con

    def _prepare_cache(self, cache: Cache) -> None:
        self._origins = Origins(
            sources=self.sources,
            needs=self.needs,
            reads={name: query.sources for name, query in self.queries.items()},
            rates=self.rates,
            data=self.data,
            as_of=self.as_of,
            zone=self.zone,
            watermark=self.watermark,
            store=cache.store,
        )
        self._steps_key = ("steps", of_code(), self.zone, self.as_of.isoformat())
        self.steps.usable = cache.value(*self._steps_key)
        self._steps_kept = self.steps.usable is not None

    def close(self) -> None:
        """Free the memory and the temporary files, leave the databases."""
        if self.cache:
            self.cache.close()
        self.engines.close()

    # --- loading ---------------------------------------------------------------------------------

    def load(self, name: str) -> Loaded:
        """Load a source once: read, type, check and publish it; then check what it refers to."""
        self.touched.add(name)
        if name not in self.loaded:
            if self._usage is not None:
                self._usage.sources.add(name)
            loaded = Loaded(name)
            if not self._recall(loaded):
                SourceReader(self, loaded).read(self._earlier.pop(name, None))
            self.loaded[name] = loaded
        loaded = self.loaded[name]
        if not loaded.referenced:
            loaded.referenced = True
            check_references(self, loaded)
            check_rates(self, loaded)
            check_moments(self, loaded)
            self._keep_findings(loaded)
        return loaded

    def load_all(self, wanted: Iterable[str]) -> None:
        """Load sources and what they read; DataError where one cannot be read at all."""
        all_loaded = [self.load(name) for name in self.closure(wanted)]
        if any(loaded.typed is None for loaded in all_loaded):
            faults = []
            for loaded in all_loaded:
                faults += loaded.faults
            raise DataError(faults)

    def read_now(self, name: str) -> None:
        """Load a source, and read it even where it was only recalled from an earlier run."""
        self.forget([name])
        self.load_all([name])

    def typed(self, name: str) -> Raw:
        """Return the typed relation of a source; DataError where it cannot be read."""
        self.load_all([name])
        typed = self.loaded[name].typed
        assert typed is not None  # noqa: S101  -- load_all raises where it is
        return typed

    def decode(self, name: str) -> list[Fault]:
        """Read every used value of a source whose files are read in place, and of those it reads.

        The fault of a damaged file is added to its source's own.
        """
        faults = []
        for one in self.closure([name]):
            faults += SourceReader(self, self.load(one)).decode()
        return faults

    def break_rules(self, name: str, checks: Sequence[Check]) -> None:
        """Add the rows that break rules known only after loading to a source's faults."""
        SourceReader(self, self.load(name)).break_rules(checks)

    def closure(self, wanted: Iterable[str]) -> list[str]:
        """List sources with everything their queries read, upstream first."""
        return upstream(wanted, self._read_by)

    def _read_by(self, name: str) -> Iterable[str]:
        """List the sources that a source's query reads."""
        if name not in self.sources:
            raise UsageError(f"no source {name!r}{did_you_mean(name, self.sources)}")
        return self.queries[name].sources if name in self.queries else ()

    def relations(self) -> dict[str, Raw]:
        """Return the typed relation of every loaded source that can be read."""
        relations = {}
        for name, loaded in self.loaded.items():
            if loaded.typed is not None:
                relations[name] = loaded.typed
        return relations

    # --- asking ----------------------------------------------------------------------------------

    def engine_of(self, name: str) -> Engine:
        """Return the engine in which a loaded source stands."""
        return self.published[name].engine if name in self.published else self.engine

    def is_embedded(self, name: str) -> bool:
        """Whether a loaded source stands in the embedded DuckDB."""
        if name in self._recalled:
            return bool(self._recalled[name]["embedded"])
        return self.engine_of(name) is self.engine

    def connection(self, name: str) -> Connection:
        """Return what runs SQL in DuckDB's words where a source stands."""
        return Asking(self.query) if name in self.published else self.con

    def query(self, query: exp.Expr, written: str = "", **frames: pd.DataFrame) -> pd.DataFrame:
        """Return the result of a query over loaded sources, each part run where its sources stand.

        `written` is the query in DuckDB's words; `frames` are tables that it names beside sources.
        """
        assert isinstance(query, exp.Query)  # noqa: S101  -- what else names a source
        if written and not self.published:
            return self.engine.fetch(written, **frames)
        engines = {"": self.engine}
        for name in self.loaded:
            engines[name] = self.engine_of(name)
        for source in self.published.values():
            engines[source.name] = engines[source.root] = source.engine
        types = {name: raw.columns for name, raw in self.relations().items()}
        return run(query, engines, self.published, types, **frames)

    def zone_of(self, name: str, column: str) -> str:
        """Return the time zone of a column's stamps without an offset.

        A column that a query passes on unchanged keeps the zone of the source it comes from.
        """
        if not self.zones_behind(name):
            return self.sources[name].timezone or self.zone
        # Asked while the source is being read, so it can be no fact that is kept of one that was.
        key = name, column
        if key not in self._zones:
            self._zones[key] = self._passed_on(name, column) or self.zone
        return self._zones[key]

    def zones_behind(self, name: str) -> list[str]:
        """Return the zones, other than the company's, of the sources behind a query.

        None of a query that says its own.
        """
        if self.sources[name].timezone or name not in self.queries:
            return []
        behind = upstream([name], self._reads)
        zones = [self.sources[other].timezone for other in behind]
        return [zone for zone in dict.fromkeys(zones) if zone and zone != self.zone]

    def _reads(self, name: str) -> Sequence[str]:
        """Return the sources whose stamps a query passes on; none where it says their zone."""
        if name not in self.queries or self.sources[name].timezone:
            return ()
        return self.queries[name].sources

    def _passed_on(self, name: str, column: str) -> str | None:
        """Return the zone of a query's column; None where the query computes it."""
        self.load_all([other for other in upstream([name], self._reads) if other != name])
        origin = self._origin(name, column)
        if origin is None:
            return None
        return self.sources[origin[0]].timezone or self.zone

    def _origin(self, name: str, column: str) -> tuple[str, str] | None:
        columns = {other: list(raw.columns) for other, raw in self.relations().items()}
        return find_origin(self.queries, name, column, columns)

    def joined_from(self, name: str, column: str) -> tuple[str, str] | None:
        """Return the source and column whose rows a query joins to others, and passes on.

        None where the column is computed, or the query stacks rows or makes some of its own.
        """
        if name not in self.queries or not self.queries[name].only_joins:
            return None
        self.load_all(list(self.queries[name].sources))
        return self._origin(name, column)

    def count(self, name: str, condition: str = "") -> int:
        """Count the rows of a published source, or those for which a condition holds."""
        where = f" where {condition}" if condition else ""
        query = f"select count(*) from {quote(name)}{where}"
        row = first_row(self.connection(name), query) or (0,)
        return int(row[0])

    def rows_after(self, name: str) -> tuple[int, int, str] | None:
        """Return how many rows of a source are not known by as-of, of how many, by which column."""
        typed, loaded, source = self.typed(name), self.loaded[name], self.sources[name]
        if not loaded.known:
            return None
        query = f"select count(*) from ({typed.scan}) where not {loaded.known}"
        row = first_row(self.connection(name), query)
        count = int(row[0]) if row else 0
        return (count, typed.rows, source.exists_from or source.time or "") if count else None

    def watermark(self, name: str) -> str | None:
        """Return the value of a source's `watermark:` now; None where none is declared.

        The source need not be loaded. Raises DataError where it is no SQL or the
        database cannot be asked.
        """
        source = self.sources[name]
        if not source.url or not source.watermark:
            return None
        engine = self.engines.engine(name)
        base = find_base(name, source, engine, self.as_of, self.engines.catalog(name))
        published = Published(name, engine, base)
        try:
            mark_sql = bind(source.watermark, self.as_of, engine.dialect)
            written = sqlglot.parse_one(mark_sql, read=engine.dialect)
        except sqlglot.errors.SqlglotError as error:
            raise DataError([Fault(name, f"is no SQL: {say_error(error)}")]) from error
        mark = exp.alias_(exp.cast(written, "text"), "mark")
        query = exp.select(mark).from_(quote(published.root))
        value = engine.fetch(complete(query, {name: published})).iloc[0, 0]
        return None if value is None else str(value)

    def origins_of(self, names: Iterable[str]) -> list[Path] | None:
        """Return the files behind these sources and all that were asked, and the folders in which
        others may appear.

        None where there is more behind them than files, or one has a fault.
        """
        wanted = {*names, *self.touched, *self.loaded}
        if not self.is_steady or self.cache is None:
            return None
        # The sample says in such a file which day it ends on.
        origins = dict.fromkeys([self.data, *sorted(self.data.glob("*.json"))])
        for name in sorted(wanted):
            fingerprint = self._fingerprint(name)
            if fingerprint is None or not self._is_sound(name):
                return None
            for other in around(name, self._origins):
                source = self.sources[other]
                if source.url:
                    return None
                pattern = (source.path or "").replace(SNAPSHOT, "*")
                origins |= dict.fromkeys(folders_of(pattern, self.data))
            origins |= dict.fromkeys(path for path, _ in fingerprint.files)
        return list(origins)

    # --- findings of earlier runs ----------------------------------------------------------------

    def fact(self, name: str, what: str, find: Callable[[], Any]) -> Any:
        """Return a fact about a source that JSON can hold: the one kept, or what `find` returns.

        `what` is the key of the fact among those of the source.
        """
        if self.cache is None:
            return find()
        fingerprint = self._fingerprint(name)
        if fingerprint is not None:
            kept = self.cache.value("fact", fingerprint.key, what)
            if kept is not None:
                return kept[0]
        self.read_now(name)
        fact = find()
        if fingerprint is not None and self._is_sound(name):
            self.cache.keep_value([fact], "fact", fingerprint.key, what)
        return fact

    def kept_result(self, names: Iterable[str], query: str, frames: Frames) -> pd.DataFrame | None:
        """Return the result of a query over these sources and frames, where a run has kept it."""
        if self.cache is None:
            return None
        return self.cache.frame(query, frames, self._fingerprints_of(names))

    def keep_result(
        self, names: Iterable[str], query: str, frames: Frames, result: pd.DataFrame
    ) -> None:
        """Keep the result of a query, where all the sources it was made from are sound."""
        wanted = set(names)
        if self.cache is None or not all(self._is_sound(name) for name in wanted):
            return
        self.cache.keep_frame(result, query, frames, self._fingerprints_of(wanted))
        if self.steps.usable is not None and not self._steps_kept:
            self._steps_kept = True
            self.cache.keep_value(self.steps.usable, *self._steps_key)

    def kept_value(self, key: Sequence[str]) -> Any:
        """Return the plain value that a run has kept under a key; None where there is none."""
        return self.cache.value(*key) if self.cache else None

    def keep_value(self, value: Any, key: Sequence[str]) -> None:
        """Keep a value that JSON can hold."""
        if self.cache is not None:
            self.cache.keep_value(value, *key)

    def kept_bytes(self, names: Iterable[str], key: Sequence[str]) -> bytes | None:
        """Return what a run has kept under a key, where these sources are as they were then."""
        marks = self._marks(names)
        if self.cache is None or marks is None:
            return None
        return self.cache.store.get(plain.digest([*key, marks], FULL_LENGTH))

    def keep_bytes(self, names: Iterable[str], key: Sequence[str], content: bytes) -> bool:
        """Keep bytes made from these sources; False where one has a fault or no fingerprint."""
        wanted = list(names)
        marks = self._marks(wanted)
        if self.cache is None or marks is None:
            return False
        if not all(self._is_sound(name) for name in wanted):
            return False
        self.cache.store.put(plain.digest([*key, marks], FULL_LENGTH), content)
        return True

    def _marks(self, names: Iterable[str]) -> list[str] | None:
        """Return the key of each source's fingerprint; None where one has none, or no cache is."""
        if self.cache is None:
            return None
        marks: list[str] = []
        for fingerprint in self._fingerprints_of(names):
            if fingerprint is None:
                return None
            marks.append(fingerprint.key)
        return marks

    def forget(self, names: Iterable[str]) -> None:
        """Read these sources, and all around them, anew when they are next loaded."""
        if self.cache is None:
            return
        for name in names:
            for other in around(name, self._origins):
                self._to_read.add(other)
                if self._recalled.pop(other, None) is not None:
                    self.loaded.pop(other, None)

    def _recall(self, loaded: Loaded) -> bool:
        """Fill in a source as an earlier run found it; False where it must be read."""
        if self.cache is None:
            return False
        name = loaded.name
        fingerprint = None if name in self._to_read else self._fingerprint(name)
        kept = self.cache.value("source", fingerprint.key) if fingerprint else None
        if kept is None:
            self.forget([name])
            return False
        self._recalled[name] = kept
        loaded.typed = Raw("", "", kept["columns"], rows=kept["rows"])
        loaded.notices = [Notice(*notice) for notice in kept["notices"]]
        loaded.files = find_files(self.sources[name].path or "", self.data, self.as_of).files
        loaded.place = kept["place"]
        loaded.referenced = True
        return True

    def _keep_findings(self, loaded: Loaded) -> None:
        """Keep the findings from loading a source."""
        if self.cache is None or loaded.typed is None or not self._is_sound(loaded.name):
            return
        fingerprint = self._fingerprint(loaded.name)
        assert fingerprint is not None  # noqa: S101  -- what is sound has one
        notices = [[notice.source, notice.text, notice.count] for notice in loaded.notices]
        findings = {
            "columns": loaded.typed.columns,
            "rows": loaded.typed.rows,
            "notices": notices,
            "place": loaded.place,
            "embedded": self.engine_of(loaded.name) is self.engine,
        }
        self.cache.keep_value(findings, "source", fingerprint.key)

    def _fingerprint(self, name: str) -> SourceFingerprint | None:
        if name not in self._fingerprints:
            self._fingerprints[name] = of_source(name, self._origins)
        return self._fingerprints[name]

    def _fingerprints_of(self, names: Iterable[str]) -> list[SourceFingerprint | None]:
        return [self._fingerprint(name) for name in sorted(set(names))]

    def _is_sound(self, name: str) -> bool:
        """Whether a source and all around it have no fault, and their files are still the same."""
        fingerprint = self._fingerprint(name)
        if fingerprint is None:
            return False
        for other in around(name, self._origins):
            if other in self.loaded and self.loaded[other].faults:
                return False
        return fingerprint.still_holds()


def _reads_alike(source: Source, other: Source) -> bool:
    """Whether two declarations read the same rows, whatever their time is."""
    return source.model_dump(exclude={"time"}) == other.model_dump(exclude={"time"})
