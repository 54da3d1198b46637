"""Who is talked about: a company's metrics, its people, events and words, its calendar and money.

`Company` is all that is needed to align, judge and explain; what is read from files stands in
`definitions`, whose `Definitions` is a `Company` with sources, reports and mail. `meant` finds the
metric that somebody names in a meeting. `Memory` is the door of earlier reports.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Self

from pydantic import Discriminator, Field, Tag

from dataops_nb import lineage
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.metrics import AnyMetric, Lights, Metric
from dataops_nb.periods.fiscal import CalendarModel, Holiday
from dataops_nb.terms import Duration, Model, Name, Role

if TYPE_CHECKING:
    import pandas as pd


ALIKE = 0.75
MARGIN = 0.08
SHOWN = 5


class FromColumn(Model):
    """What each row of a source says in one of its columns."""

    column: Name = Field(description="The source's column.")


Told = Annotated[
    Annotated[Name, Tag("<str>")] | Annotated[FromColumn, Tag("<FromColumn>")],
    Discriminator(
        lambda value: "<FromColumn>" if isinstance(value, dict | FromColumn) else "<str>"
    ),
]
ToldMetrics = Annotated[
    Annotated[list[Name], Tag("<list>")] | Annotated[FromColumn, Tag("<FromColumn>")],
    Discriminator(
        lambda value: "<FromColumn>" if isinstance(value, dict | FromColumn) else "<list>"
    ),
]


class Event(Model):
    """Something that happened on a day: a release, a campaign, an outage, a price change."""

    date: dt.date = Field(description="The day it happened.")
    title: Name = Field(description="What happened; any text.")
    kind: Name = Field(
        description="What sort of thing it is: release, campaign, outage, price change."
    )
    metrics: list[Name] = Field([], description="The metrics it may have moved.")


class SourceEvents(Model):
    """Events that stand in a source, one a row."""

    source: Name = Field(description="The source that holds them.")
    date: Name | None = Field(
        None, description="Its column with the day; the source's time where left out."
    )
    title: Name = Field(description="Its column with what happened.")
    kind: Told = Field(
        description="What sort of thing they are; {column: kind} where each row says so."
    )
    metrics: ToldMetrics = Field(
        [], description="The metrics they may have moved; {column: about} where each row says so."
    )


def _event_form(value: Any) -> str:
    from_source = isinstance(value, dict) and "source" in value
    return "<SourceEvents>" if from_source or isinstance(value, SourceEvents) else "<Event>"


AnyEvent = Annotated[
    Annotated[Event, Tag("<Event>")] | Annotated[SourceEvents, Tag("<SourceEvents>")],
    Discriminator(_event_form),
]


class Rates(Model):
    """Where exchange rates come from."""

    source: Name = Field(description="The source that holds the rates.")
    time: Name = Field(description="Its column with the day.")
    from_: Name = Field(alias="from", description="Its column with the currency that is converted.")
    to: Name = Field(description="The currency it is converted to.")
    rate: Name = Field(description="Its column with the rate.")
    fill: Literal["previous"] | None = Field(
        None, description="previous: a day without a rate takes the last one."
    )
    max_gap: Duration | None = Field(None, description="How old that last rate may be.")


class Item(Model):
    """One thing to solve."""

    id: Name = Field(description="Its short name; no two may share it.")
    title: Name = Field(description="What is to be solved; any text.")
    metric: Name | None = Field(None, description="The metric it would move.")
    raised_by: Name | None = Field(None, description="Who raised it.")
    raised_on: dt.date | None = Field(None, description="When it was raised.")
    effort: Duration | None = Field(None, description="How long it would take: 5d.")
    asked: int = Field(0, description="How often somebody has asked for it.")
    due: dt.date | None = Field(None, description="When it must be done.")
    owner: Name | None = Field(None, description="Who works on it.")
    state: Literal["open", "doing", "done", "dropped"] = Field(
        "open", description="Where it stands."
    )


class Department(Model):
    """A department and its metrics."""

    department: Name = Field(description="The department's name.")
    owner: Name | None = Field(None, description="Who answers for its metrics.")
    metrics: dict[Name, Metric] = Field({}, description="The metrics by id.")


class Origin(Protocol):
    """What is said of a source of data.

    The system it comes from, its time column, how old its last row may be.
    """

    @property
    def system(self) -> str:
        """The system, as people call it: `CRM`."""

    @property
    def owner(self) -> str | None:
        """Who answers for the data."""

    @property
    def path(self) -> str | None:
        """The file, or files, it is exported to; None for a database and a query."""

    @property
    def time(self) -> str | None:
        """The time column of its measures, unless they name another."""

    @property
    def fresh_within(self) -> Duration | None:
        """How old its last row may be."""


class Company(Model):
    """A company: departments, metrics, calendar, currency, locale, lights, events and words."""

    name: Name = Field("", description="What it is called.")
    currency: Name = Field("USD", description="The currency all amounts are shown in.")
    locale: Name = Field("en_US", description="How numbers, money and days are written.")
    timezone: Name = Field("UTC", description="The time zone that days are cut in.")
    calendar: CalendarModel = Field(CalendarModel(), description="How weeks and years are cut.")
    holidays: list[Holiday] = Field([], description="Days on which nobody works.")
    north_star: list[Name] = Field([], description="The few metrics everyone looks at.")
    named_lights: dict[Name, Lights] = Field({}, description="Named agreements on colours.")
    rates: Rates | None = Field(None, description="Where exchange rates come from.")
    departments: Mapping[str, Department] = Field({}, description="The departments by id.")
    events: list[AnyEvent] = Field([], description="What happened on a day.")
    solve_next: list[Item] = Field([], description="Things to solve.")
    glossary: dict[str, str] = Field({}, description="Words, and what they mean here.")

    def __repr__(self) -> str:
        counts = []
        for number, word in ((len(self.departments), "department"), (len(self.metrics), "metric")):
            counts.append(f"{number} {word}" if number == 1 else f"{number} {word}s")
        whose = f"{type(self).__name__} of {self.name}" if self.name else type(self).__name__
        return f"<{whose}: {', '.join(counts)}>"

    @cached_property
    def metrics(self) -> dict[str, AnyMetric]:
        """Every metric by id, in the order of the departments."""
        listed: dict[str, AnyMetric] = {}
        for department in self.departments.values():
            listed.update(department.metrics)
        return listed

    @cached_property
    def owners(self) -> dict[str, str]:
        """The id of the department that owns each metric."""
        owners: dict[str, str] = {}
        for department_id, department in self.departments.items():
            for metric in department.metrics:
                owners.setdefault(metric, department_id)
        return owners

    @property
    def origins(self) -> Mapping[str, Origin]:
        """The sources of its data by name; none for a company whose data are handed in."""
        return {}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with these fields replaced; it lists its metrics anew."""
        copied = super().model_copy(update=update, deep=deep)
        for listed in ("metrics", "owners"):
            copied.__dict__.pop(listed, None)
        return copied

    def department_of(self, metric: str) -> str:
        """The id of the department that owns a metric."""
        return self.owners[metric]

    def label(self, metric: str) -> str:
        """A metric's label, or its id in words."""
        return self.metrics[metric].label or metric.replace("_", " ").capitalize()

    def role(self, metric: str) -> Role:
        """A metric's role: what it says, or outcome where it is a North Star, else input."""
        default: Role = "outcome" if metric in self.north_star else "input"
        return self.metrics[metric].role or default

    def lights(self, metric: str) -> Lights | None:
        """The lights a metric is judged by, or None where nothing is agreed."""
        agreed = self.metrics[metric].lights
        return self.named_lights[agreed] if isinstance(agreed, str) else agreed

    def parts(self, metric: str) -> list[str]:
        """The metrics that a metric stands on directly. Raises UsageError where it is unknown."""
        if metric not in self.metrics:
            raise UsageError(f"no metric {metric!r}{did_you_mean(metric, self.metrics)}")
        return lineage.metric_parts(self.metrics[metric])

    def upstream(self, metrics: Iterable[str]) -> list[str]:
        """These metrics and every one they need, each once, parts before what stands on them.

        Raises UsageError where one is unknown.
        """
        return lineage.upstream(metrics, self.parts)

    def below(self, metric: str) -> list[tuple[str, Literal["part", "moves"]]]:
        """What stands directly below a metric in the tree.

        Its parts, then what is declared to move it.
        """
        return lineage.below(self.metrics, metric)

    def adds_up(self, metric: str) -> bool:
        """Whether a metric grows day by day to its period's total."""
        return lineage.adds_up(self.metrics, metric)


class Memory:
    """What earlier reports said, and what people answered; as it stands it remembers nothing.

    `history.Folder` reads it from an output folder, `workbench.memory` adds trials of pitches and
    what-ifs.
    """

    def published(self) -> pd.DataFrame:
        """Every value as it was last published for its metric, segment, grain, period and as-of.

        Columns `metric segment grain period as_of value complete n definition report run
        published_at`.
        """
        texts = ["definition", "report", "run", "published_at"]
        kinds = {"as_of": "datetime64[s]", "value": float, "complete": bool, "n": int}
        return _nothing(["metric", "segment", "grain", "period", *kinds, *texts], kinds)

    def newest(self, before: dt.date | None = None, *, complete: bool = False) -> pd.DataFrame:
        """Each value as it was last published, one row a metric, segment, grain and period.

        Columns as in `published`. The last is that of the latest as-of; with `before` it is earlier
        than that day, with `complete` only what was published as complete counts.
        """
        values = self.published()
        if before is not None:
            values = values[values["as_of"].dt.date < before]
        if complete:
            values = values[values["complete"].astype(bool)]
        values = values.sort_values("as_of", kind="stable")
        place = ["metric", "segment", "grain", "period"]
        return values.drop_duplicates(place, keep="last").sort_index(ignore_index=True)

    def told_metrics(self, as_of: dt.date) -> frozenset[str]:
        """The metrics that were published for this day or an earlier one."""
        values = self.published()
        return frozenset(values.loc[values["as_of"].dt.date <= as_of, "metric"])

    def lights(self) -> pd.DataFrame:
        """Every light as it was last published for its metric, grain, period and as-of.

        Columns `metric grain period as_of light reason on_pace attainment landing p_hit report
        run`.
        """
        kinds = {"as_of": "datetime64[s]", "on_pace": bool}
        kinds |= dict.fromkeys(["attainment", "landing", "p_hit"], float)
        columns = ["metric", "grain", "period", "as_of", "light", "reason", "on_pace",
                   "attainment", "landing", "p_hit", "report", "run"]  # fmt: skip
        return _nothing(columns, kinds)

    def broken(self) -> list[str]:
        """What is wrong with lines of its files, which are left out: file, line and rule."""
        return []

    def notes(self, as_of: dt.date) -> pd.DataFrame:
        """Every note up to a day, oldest first; `open` where no answer to its metric has followed.

        Columns `noted_at as_of metric grain period light who kind text open`.
        """
        columns = ["noted_at", "as_of", "metric", "grain", "period", "light", "who", "kind", "text"]
        return _nothing([*columns, "open"], {"open": bool})

    def carried(self, as_of: dt.date) -> pd.DataFrame:
        """`id title metric kind since reports last`.

        What was listed to be solved before a day, and how often.
        """
        columns = ["id", "title", "metric", "kind", "since", "reports", "last"]
        return _nothing(columns, {"reports": int, "last": bool})

    def communications(self, metrics: Iterable[str], as_of: dt.date) -> pd.DataFrame:
        """`metric published report sent answers answered`.

        When each metric was last told, sent and answered.
        """
        import pandas as pd  # noqa: PLC0415  not to be waited for where nothing is counted

        columns = ["metric", "published", "report", "sent", "answers", "answered"]
        rows = [[metric, None, None, None, 0, None] for metric in metrics]
        return pd.DataFrame(rows, columns=columns, dtype=object)

    def latest(self) -> dict[str, Any]:
        """What the last refresh left to be shown: `run as_of finished reports`.

        Empty where there was none.
        """
        return {}

    def trial(self, metric: str) -> Trial | None:
        """The last trial of a metric's pitches; None where there was none."""
        return None

    def agreement(self) -> pd.DataFrame:
        """`by group readers alike kappa`.

        How many of the readers' lights are ours, over all trials.
        """
        columns = ["by", "group", "readers", "alike", "kappa"]
        return _nothing(columns, {"readers": int, "alike": float, "kappa": float})

    @property
    def whatifs(self) -> WhatIfs:
        """The what-ifs that are kept; none."""
        return WhatIfs()


class Trial(Protocol):
    """A trial of a metric's pitches: who was invited to which of them, and what they understood."""

    @property
    def metric(self) -> str:
        """The metric."""

    @property
    def evidence(self) -> str:
        """The result in one line."""

    @property
    def shares(self) -> pd.DataFrame:
        """One row a pitch: `readers right colour direction action understood`."""

    @property
    def counts(self) -> list[tuple[str, int, int]]:
        """Each pitch with how many readers were invited to it, and how many have answered."""

    @property
    def questions(self) -> Mapping[str, tuple[str, Mapping[str, str]]]:
        """Each question by name.

        Its title, and its choices as they are kept and as they are shown.
        """

    @property
    def free_question(self) -> str:
        """The question that is answered in one's own words."""

    def next_reader(self) -> str | None:
        """The first invited reader who has not answered yet; None when everybody has."""

    def pitch(self, reader: str) -> str:
        """What this reader is given to read."""

    def record(self, reader: str, given: Mapping[str, str]) -> None:
        """Keep a reader's answer. Raises UsageError where it does not fit the questions."""


class WhatIfs:
    """What-ifs by name, each a company's agreements with some of them changed.

    As it stands there are none.
    """

    def names(self) -> list[str]:
        """The names of those that are kept."""
        return []

    def save(self, name: str, changes: Mapping[str, Any], *, overwrite: bool = False) -> Path:
        """Keep what is supposed under a name. Raises UsageError where it cannot be kept."""
        raise UsageError("what-ifs are kept in a workbench; these data are about none")

    def load(self, name: str) -> tuple[dict[str, Any], list[str]]:
        """What is supposed under a name, and what it changes besides."""
        raise UsageError(f"there is no what-if {name!r}")

    def company(self, name: str) -> Company:
        """The company under a what-if; empty: as it is agreed."""
        raise UsageError(f"there is no what-if {name!r}")

    def rows(self, name: str, as_of: dt.date) -> Any:
        """The company's rows (`alignment.rows.Rows`) under a what-if, read anew."""
        raise UsageError(f"there is no what-if {name!r}")

    def diff(self, company: Company, changes: Mapping[str, Any], name: str = "") -> str:
        """How what is supposed differs from what is agreed, as the lines of a file.

        Empty where nothing does.
        """
        return ""


def _nothing(columns: list[str], kinds: Mapping[str, Any]) -> pd.DataFrame:
    """A frame of these columns without rows; those that `kinds` does not name hold objects."""
    import pandas as pd  # noqa: PLC0415  not to be waited for where nothing is counted

    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, object)) for name in columns})


def meant(company: Company, said: str) -> str:
    """The id of the metric that `said` means.

    Raises UsageError with the near ones where none or several may be meant.
    """
    if said in company.metrics:
        return said
    words = _words_of(said)
    exact = [
        id_
        for id_ in company.metrics
        if words and words in (_words_of(id_), _words_of(company.label(id_)))
    ]
    if len(exact) == 1:
        return exact[0]
    within = [id_ for id_ in company.metrics if words and _within(words, id_, company.label(id_))]
    if not exact and len(within) == 1:
        return within[0]
    near = exact or within or _near_names(company, words)
    if len(near) == 1:
        return near[0]
    listed = ", ".join(f"{id_} ({company.label(id_)})" for id_ in near[:SHOWN])
    what = f"{said!r} could be {listed}" if near else f"no metric {said!r}"
    raise UsageError(f"{what}: see dataops-nb metric list")


def _within(words: tuple[str, ...], *names: str) -> bool:
    """Whether one of the names holds all the words.

    Words of an id and of a label do not add up to a name.
    """
    return any(set(words) <= set(_words_of(name)) for name in names)


def _near_names(company: Company, words: tuple[str, ...]) -> list[str]:
    """The metrics whose id or label is spelt alike, the nearest first.

    Only one where it is clearly the nearest.
    """
    scores = {
        id_: max(_alike(words, _words_of(name)) for name in (id_, company.label(id_)))
        for id_ in company.metrics
    }
    best = sorted(
        (id_ for id_, score in scores.items() if score >= ALIKE), key=lambda id_: -scores[id_]
    )
    clear = len(best) > 1 and scores[best[0]] - scores[best[1]] >= MARGIN
    return best[:1] if clear else best


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    return SequenceMatcher(None, " ".join(one), " ".join(other)).ratio()


def _words_of(text: str) -> tuple[str, ...]:
    """The words of a name in small letters, each without the s of its plural."""
    return tuple(
        re.sub(r"(?<=\w{3})(?<!s)s$", "", word) for word in re.findall(r"[^\W_]+", text.casefold())
    )
