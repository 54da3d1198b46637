"""The types of what is agreed: a metric's kind, measure and targets, lights and their keys.

The departments' files and the lights of company.yaml are read as these; their docstrings explain
a key in an editor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag
from pydantic.json_schema import SkipJsonSchema

from dataops_nb.terms import (
    GRAINS,
    Agg,
    Better,
    Duration,
    Grain,
    Model,
    Month,
    Name,
    Number,
    Role,
    Text,
    Tolerance,
)


class Listed(Model):
    """A dimension whose members are listed in another source: `{column: agent, values: \
staff.agent}`."""

    column: Name = Field(description="The column to split by.")
    values: Name | None = Field(
        None, description="source.column that lists members, also those without rows."
    )


def _split_form(value: Any) -> str:
    if isinstance(value, dict | Listed):
        return "<Listed>"
    return "<list>" if isinstance(value, list) else "<str>"


# a union's tag says which form is meant, so that a mistake is judged by that form alone
Split = Annotated[
    Annotated[Name, Tag("<str>")]
    | Annotated[list[Name], Tag("<list>")]
    | Annotated[Listed, Tag("<Listed>")],
    Discriminator(_split_form),
]


class Target(Model):
    """A dated target: a value, or a band `low`..`high` for `better: inside`."""

    from_: dt.date | None = Field(default=None, alias="from", description="The first day it holds.")
    per: Grain | None = Field(
        None, description="The period a flow's value is for; other grains are scaled by days."
    )
    grain: Grain | None = Field(
        None, description="The grain a rate's or a stock's value is for; others have no target."
    )
    by: Literal["days", "working_days"] = Field(
        "days", description="What scales it to other grains."
    )
    value: Number | None = Field(None, description="The target: 12, 3%, 2d.")
    low: Number | None = Field(None, description="The band's lower end, for better: inside.")
    high: Number | None = Field(None, description="The band's upper end, for better: inside.")
    season: dict[Month, Number] = Field(
        {}, description="A factor for some months: {december: 0.8}."
    )
    shape: Literal["last_year"] | None = Field(
        None, description="last_year: spread over the year as last year went."
    )


class SourceTarget(Model):
    """Targets that stand in a source."""

    source: Name = Field(description="The source that holds the targets.")
    column: Name = Field(description="Its column with the target.")
    per: Grain | None = Field(None, description="The period the target is for.")
    grain: Grain | None = Field(
        None, description="The grain a rate's or a stock's targets are for; others have none."
    )
    match: dict[Name, Name] = Field(
        {}, description="Dimension of the metric: column of the source."
    )


class OwnTarget(Model):
    """The target that stands in the metric's own rows: the latest row's of a period. Tables of \
indicators have it."""

    column: Name = Field(description="The column with the target.")


def _is_end(target: Target | SourceTarget | OwnTarget) -> bool:
    """Whether a target has no value, and so only ends the one before it."""
    return isinstance(target, Target) and target.value is None and target.low is None


def targets_at(dated: Iterable[Target], grain: Grain) -> list[Target]:
    """Return the dated targets that hold at a grain, each until the next one, oldest first.

    A target without `grain` holds at every grain, until any later one begins. One for another grain
    is none here; it ends what held at every grain, because the company has agreed anew since then.
    Of targets that begin on one day the one for this very grain holds, and none ends another.
    """

    def begins(target: Target) -> tuple[dt.date, bool, bool]:
        return target.from_ or dt.date.min, not _is_end(target), target.grain == grain

    held: list[Target] = []
    for target in sorted(dated, key=begins):
        if target.grain in (None, grain):
            held.append(target)
        elif held and held[-1].grain is None and begins(held[-1])[0] < begins(target)[0]:
            held.append(Target(from_=target.from_))
    return held


def _target_form(value: Any) -> str:
    """Which target is meant; no file can say the one of a metric's own rows."""
    if isinstance(value, OwnTarget):
        return "<OwnTarget>"
    from_source = isinstance(value, dict) and ("source" in value or "column" in value)
    return "<SourceTarget>" if from_source or isinstance(value, SourceTarget) else "<Target>"


AnyTarget = Annotated[
    Annotated[Target, Tag("<Target>")]
    | Annotated[SourceTarget, Tag("<SourceTarget>")]
    | SkipJsonSchema[Annotated[OwnTarget, Tag("<OwnTarget>")]],
    Discriminator(_target_form),
]


class Light(Model):
    """One colour: from which attainment on it holds, what it means, what is done, and how soon."""

    at_least: Number | None = Field(
        None, description="The attainment from which on the colour holds; 1 is on target."
    )
    means: Name = Field(description="What the colour says, in one sentence.")
    do: Name = Field(description="What is done about it, in one sentence.")
    act_within: Duration | None = Field(None, description="How soon it is done: 5d.")


class Lights(Model):
    """A company's agreement on green, yellow (may be left out) and red."""

    green: Light = Field(description="At or above its threshold.")
    yellow: Light | None = Field(
        None, description="Below green, at or above its own threshold; may be left out."
    )
    red: Light = Field(description="Everything below; it has no threshold.")
    policy: Literal["target", "capability"] = Field(
        "target", description="Judge against the target, or its own past."
    )


NamedLights = Annotated[
    Annotated[Name, Tag("<str>")] | Annotated[Lights, Tag("<Lights>")],
    Discriminator(lambda value: "<Lights>" if isinstance(value, dict | Lights) else "<str>"),
]


class Offset(Model):
    """A metric of an earlier period: `{metric: active_customers, offset: 1 period}`."""

    metric: Name = Field(description="The metric.")
    offset: Duration = Field(description="How much earlier: 1 period.")


Part = Annotated[
    Annotated[Name, Tag("<str>")] | Annotated[Offset, Tag("<Offset>")],
    Discriminator(lambda value: "<Offset>" if isinstance(value, dict | Offset) else "<str>"),
]


class Because(Model):
    """A dated decision about limits, with its reason."""

    from_: dt.date = Field(alias="from", description="The first day it holds.")
    to: dt.date | None = Field(None, description="The last day it holds.")
    because: Name = Field(description="The reason, for readers.")


class LeftOut(Model):
    """Days on which a metric is known to have been wrong or special, with the reason."""

    from_: dt.date = Field(alias="from", description="The first day.")
    to: dt.date | None = Field(None, description="The last day; left out: the first one alone.")
    because: Name = Field(description="The reason, for readers.")


class Limits(Model):
    """How process limits are computed."""

    chart: Literal["auto", "xmr", "log", "p", "laney", "u", "c"] = Field(
        "auto",
        description="The chart whose limits are drawn; auto: the one that fits the kind of number.",
    )
    rules: Literal["wheeler", "nhs", "anhoej"] = Field(
        "wheeler", description="What is a signal: Wheeler's rules, the NHS's, or Anhøj's runs."
    )
    leave_out: list[LeftOut] = Field(
        [], description="Days that limits are not computed from, each with a reason."
    )
    range: Literal["mean", "median"] = Field(
        "mean", description="Limits from the mean or the median moving range."
    )
    screen: bool = Field(
        False, description="true: leave out extreme points when limits are computed."
    )
    rebase: list[Because] = Field(
        [], description="Days on which limits start anew, each with a reason."
    )
    lock: Because | None = Field(
        None, description="Compute limits from these days only, with a reason."
    )
    trend: bool = Field(
        False,
        description="true: limits follow the straight line of a metric that grows or shrinks.",
    )
    season: bool = Field(
        False, description="true: limits follow what comes back every year; it takes two years."
    )


class Accept(Model):
    """A known light that somebody answers for until a date."""

    light: Literal["red", "yellow", "unreconciled"] = Field(
        description="The light that is accepted."
    )
    owner: Name = Field(description="Who owns it.")
    until: dt.date = Field(description="The last day it is accepted.")
    because: Name = Field(description="The reason, for readers.")


class Moves(Model):
    """A declared link: this metric moves another one, after a while."""

    metric: Name = Field(description="The metric that is moved.")
    after: Duration | None = Field(None, description="How long it takes: 2w.")
    effect: Literal["same", "opposite"] = Field("same", description="Whether both go the same way.")
    useful: Number | None = Field(
        None,
        gt=0,
        lt=1,
        description="The smallest effect worth having, as a partial correlation; "
        ".4 where left out.",
    )
    because: Name | None = Field(None, description="Why it should, for readers.")


class Sides(Model):
    """One column's name on either side of a reconciliation."""

    left: Name = Field(description="The column in this metric's source.")
    right: Name = Field(description="The column in the other metric's source.")


class Reconcile(Model):
    """The same metric in another system."""

    with_: Name = Field(alias="with", description="The metric of the other system.")
    key: Sides = Field(description="The columns that match rows of both.")
    amount: Sides | None = Field(None, description="The columns whose amounts must agree.")
    tolerance: Tolerance = Field(
        Tolerance(value=0.0),
        description="The difference that is allowed: 2% of both systems' mean, or an amount: 50.",
    )


class Choice(Model):
    """The pitch that readers understood best, with the day and the evidence."""

    use: Name = Field(description="The name of the pitch.")
    on: dt.date = Field(description="The day it was chosen.")
    because: Name = Field(description="The evidence, for readers.")


class MetricBase(Model):
    """What every metric may say, whatever its type."""

    label: Name | None = Field(None, description="Its name for readers; any text.")
    question: Name | None = Field(None, description="The question it answers.")
    role: Role | None = Field(
        None, description="input, outcome or guardrail; outcome where it is in north_star."
    )
    better: Better = Field(
        "up",
        description="The good direction; inside: within a band. Of targets up where left out.",
    )
    unit: Text = Field(
        "", description="Free text; percent: values are fractions, targets are written 3%."
    )
    grains: Annotated[list[Grain], Field(min_length=1)] = Field(
        list(GRAINS), description="Where it makes sense."
    )
    by: list[Split] = Field(
        [], description="Columns to split by, each by itself; a nested list crosses them."
    )
    targets: list[AnyTarget] = Field(
        [], description="Dated targets; each holds until the next one."
    )
    lights: NamedLights | None = Field(
        None, description="The lights it is judged by: a named set, or written out."
    )
    policy: Literal["target", "capability"] | None = Field(
        None, description="Overrides the policy of its lights."
    )
    limits: Limits = Field(Limits(), description="How its process limits are computed.")
    accept: list[Accept] = Field([], description="Lights that somebody answers for until a date.")
    moves: list[Moves] = Field([], description="The metrics it is meant to move.")
    worth: Name | None = Field(
        None,
        description="What one more of it is worth in a year, in the company's currency: 12 * arpa.",
    )
    reconcile: list[Reconcile] = Field([], description="The same metric in other systems.")
    pitch: dict[Name, Name] = Field(
        {}, description="Sentences to try on readers; facts as {metric.field}."
    )
    pitch_choice: Choice | None = Field(
        None, description="Which of them is shown, since when and why."
    )

    @property
    def has_direction(self) -> bool:
        """Whether anybody said which way is good: by `better`, or by a target that is to be met.

        The `up` that stands where nobody said anything says nothing.
        """
        if "better" in self.model_fields_set:
            return True
        # a target without a value only ends the one before it
        return any(not _is_end(target) for target in self.targets)


class Open(Model):
    """Rows are spans: open from the day in `from` until the day before the one in `to`; an empty \
`to` is still open."""

    from_: Name = Field(alias="from", description="The column with a span's first day.")
    to: Name = Field(description="The column with the day after its last; empty is still open.")


class Measure(Model):
    """What is aggregated of which rows."""

    source: Name = Field(description="The source of the rows.")
    agg: Agg = Field(description="How rows become one value; count counts rows, or non-empty expr.")
    expr: Name | None = Field(
        None, description="""The column or SQL expression; quote odd names: '"404s"'."""
    )
    q: Number | None = Field(
        None, gt=0, lt=1, description="Of agg: percentile, the share of values below: 0.9."
    )
    filter: Name | None = Field(
        None, description="SQL condition of the rows that count; unknown drops the row."
    )
    exclude: Name | None = Field(
        None, description="SQL condition of the rows that do not; unknown keeps the row."
    )
    time: Name | None = Field(None, description="The time column; the source's where left out.")
    currency: Name | None = Field(None, description="The column with the currency of the amount.")
    at: Literal["end"] | None = Field(
        None, description="end: a stock, the value on the period's last day with rows."
    )
    open: Open | None = Field(
        None, description="Rows are spans that count while open; at: end, on the last day."
    )


class Simple(MetricBase):
    """One aggregation over rows."""

    type: Literal["simple"] = Field(description="One aggregation over rows.")
    measure: Measure = Field(description="The aggregation, and the rows it is of.")


class Ratio(MetricBase):
    """Two metrics, each aggregated first, then divided."""

    type: Literal["ratio"] = Field(description="Two metrics, each aggregated first, then divided.")
    numerator: Part = Field(
        description="The metric above, or {metric, offset} for an earlier period."
    )
    denominator: Part = Field(
        description="The metric below, or {metric, offset} for an earlier period."
    )


class Cumulative(MetricBase):
    """A metric over a window that ends on the period's last day."""

    type: Literal["cumulative"] = Field(
        description="A metric over a window that ends on the period's last day."
    )
    metric: Name = Field(description="The metric whose rows the window holds.")
    window: Duration = Field(description="The length of the window: 12 months.")


class Derived(MetricBase):
    """Arithmetic on metrics of one period, or of earlier ones."""

    type: Literal["derived"] = Field(description="Arithmetic on metrics of one period.")
    expr: Name = Field(
        description="+ - * / and parentheses over metrics: revenue / active_customers."
    )
    parts: dict[Name, Offset] = Field(
        {}, description="Names in expr for metrics of earlier periods: before: {metric, offset}."
    )


class Conversion(MetricBase):
    """Of the entities with the base event, the share that converts within the window."""

    type: Literal["conversion"] = Field(
        description="The share of entities that converts within a window."
    )
    base_metric: Name = Field(description="The metric that counts the base event.")
    conversion_metric: Name = Field(description="The metric that counts the conversion.")
    entity: Name = Field(description="The column both have, that says who converts.")
    window: Duration = Field(description="How long a conversion may take; its last day counts.")


AnyMetric = Simple | Ratio | Cumulative | Derived | Conversion
Metric = Annotated[Simple | Ratio | Cumulative | Derived | Conversion, Field(discriminator="type")]


def split_columns(metric: MetricBase) -> list[str]:
    """List the columns that a metric can be split by, once each."""
    columns: list[str] = []
    for split in metric.by:
        if isinstance(split, Listed):
            columns.append(split.column)
        elif isinstance(split, str):
            columns.append(split)
        else:
            columns += split
    return list(dict.fromkeys(columns))
