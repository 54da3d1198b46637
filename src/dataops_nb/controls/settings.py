"""Settings: what somebody looks at, against what, and what they suppose was agreed otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dataops_nb.controls.supposed import Difference, trimmed
from dataops_nb.definitions import Definitions

PREVIOUS, LAST_YEAR = "previous", "same_last_year"


@dataclass(frozen=True)
class Settings:
    """The metric and period that are shown, and what they are compared with.

    `against` is `previous`, `same_last_year` or the id of a period; `segment` is empty for the total, else `dim=value`;
    `changes` are the differences supposed, by metric; `rows` are the periods picked for the table (none: the latest).
    """

    metric: str
    period: str
    against: str = PREVIOUS
    segment: str = ""
    changes: Mapping[str, Difference] = field(default_factory=dict)
    rows: tuple[str, ...] = ()

    def supposing(self, definitions: Definitions, **said: object) -> Settings:
        """The same, where this is agreed differently about the metric shown; what the company says anyway is no difference."""
        change = replace(self.changes.get(self.metric, Difference()), **said)  # type: ignore[arg-type]
        change = trimmed(definitions, self.metric, change)
        others = {name: each for name, each in self.changes.items() if name != self.metric}
        return replace(self, changes={**others, self.metric: change} if change else others)
