"""How long the panel takes to answer on the sample, by department and by kind of change.

`python benchmarks/exploring.py [DEPARTMENT...]`. Every change is one that a person makes: a slider moved, a list changed, a
segment chosen. The time is the kernel's, from the change to everything that is sent to the browser, as the clock has it and as
processor time (on a machine that does other things too they differ); the queries that were run meanwhile are counted, and must
be none. A million additions before and after tell how fast the machine is just now: neighbours slow processor time as well.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dataops_nb import board, workbench
from dataops_nb.controls.panel import Panel
from dataops_nb.sources.catalog import Catalog
from dataops_nb.workbench import Workbench

Change = tuple[str, Callable[[], None]]
Took = tuple[float, float]


def main(departments: list[str]) -> None:
    """Print median, 95th percentile and worst of each department's changes, of each kind of change, and of all of them."""
    here = workbench.open(Path(__file__).parents[1])
    kinds: dict[str, list[Took]] = defaultdict(list)
    queries: list[int] = []
    paces = [_pace()]
    for department in departments or [
        name for name, d in here.definitions.departments.items() if d.metrics
    ]:
        (clock, busy), panel = _opened(here, department)
        plain, Catalog._run = Catalog._run, _counted(Catalog._run, queries)  # type: ignore[method-assign]
        times = [(kind, _timed(change)) for kind, change in _changes(panel)]
        Catalog._run = plain  # type: ignore[method-assign]
        for kind, took in times:
            kinds[kind].append(took)
        opened = f"opens in {clock / 1000:4.1f} s ({busy / 1000:.1f} s processor)"
        print(f"{department:18} {opened}; {_summary([took for _, took in times])}")
    paces.append(_pace())
    for kind, told in kinds.items():
        print(f"{kind:18} {_summary(told)}")
    print(
        f"{'all':18} {_summary([each for told in kinds.values() for each in told])}; {len(queries)} queries"
    )
    print(
        f"{'this machine':18} adds a million numbers in {paces[0]:.0f} ms before, {paces[1]:.0f} ms after"
    )


def _pace() -> float:
    return min(_timed(lambda: sum(range(1_000_000)))[1] for _ in range(5))


def _opened(here: Workbench, department: str) -> tuple[Took, Panel]:
    """The panel of a department that was measured before, as by the cell above it, and how long it took to open."""
    measured, panels = board.read(here, department=department), []  # type: ignore[var-annotated]
    return _timed(lambda: panels.append(Panel(measured, here))), panels[0]


def _changes(panel: Panel) -> Iterator[Change]:
    knobs, periods = panel.choices, list(panel.material.periods)
    for metric in panel.material.board.metrics:
        yield "metric", _set(knobs.metric, metric)
        for factor in (0.8, 1.2, 1.5):
            yield (
                "target",
                _set(knobs.targets[0], knobs.targets[0].value * factor + knobs.targets[0].step),
            )
        yield "green", _set(knobs.green, 0.95)
        yield "yellow", _set(knobs.yellow, 0.7)
        yield "policy", _set(knobs.policy, "capability")
        yield "period", _set(knobs.period, periods[-9])
        yield "period", _set(knobs.period, periods[-2])
        yield "against", _set(knobs.against, "same_last_year")
        yield "against", _set(knobs.against, periods[-40])
        for _, segment in list(knobs.segment.options)[1:3]:
            yield "segment", _set(knobs.segment, segment)
        yield "segment", _set(knobs.segment, "")
        yield "rows", _set(panel.listed, tuple(panel.listed.options[2:6]))


def _set(knob: Any, value: Any) -> Callable[[], None]:
    return lambda: setattr(knob, "value", value)


def _timed(change: Callable[[], None]) -> Took:
    clock, busy = time.perf_counter(), time.process_time()
    change()
    return (time.perf_counter() - clock) * 1000, (time.process_time() - busy) * 1000


def _counted(run: Any, queries: list[int]) -> Any:
    def counted(*arguments: Any, **options: Any) -> Any:
        queries.append(1)
        return run(*arguments, **options)

    return counted


def _summary(times: list[Took]) -> str:
    said = [f"{len(times)} changes"]
    for name, each in zip(("clock", "processor"), zip(*times, strict=True), strict=True):
        ordered = sorted(each)
        late = ordered[int(len(ordered) * 0.95)]
        said.append(
            f"{name} median {statistics.median(each):.0f}, 95 % {late:.0f}, worst {ordered[-1]:.0f} ms"
        )
    return "; ".join(said)


if __name__ == "__main__":
    main(sys.argv[1:])
