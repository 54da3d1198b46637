"""Make the exports of Lumen Supply, the company to try the workbench on.

A judgement can only be tested where the truth is known. These exports of five systems look like
real ones: ids, names in any case, empty optional fields, a CRM with stamps in UTC, product codes
with leading zeros, quoted commas. And this is true:

1. Qualified meetings move new customers three weeks later.
2. Booked meetings are qualified ones, and unqualified ones that vary more and lead nowhere. In the
   last 20 weeks a third more are booked while the qualified ones stay flat: a rocking chair.
3. One release, on a Tuesday in the 14th week before the end, makes many more customers sad (a score
   of 1 or 2), and sad customers leave six weeks later. Of all shortfalls this one costs the most
   money.
4. Shipped features move nothing.
5. The loudest requests (in params/solve_next.yaml) are about features, so they are worth little.
6. Won deals in the CRM and first invoices in billing disagree on known deals: `Manifest.planted`
   lists them by kind.
7. The export of product use ends six days before the others.
8. Repeat orders miss their target in the last complete week by noise alone. Sign-ups are above
   their target and have been falling for 40 weeks.
9. Releases and diary tell what happened when: the release of 3, a bonus for booked meetings in the
   week in which 2 begins to rise, and campaigns, an outage and a price list that change nothing.
10. There is a yearly season, a dip from 24 December to 1 January, a gentle growth; weekends are
    quiet.

The same seed, end and number of weeks give the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dataops_nb.errors import UsageError
from dataops_nb.workbench.sample import billing, exports, rhythm
from dataops_nb.workbench.sample.rhythm import Grid

FILES: tuple[str, ...] = (
    "deals.parquet",
    "meetings.csv",
    "invoices.csv",
    "subscriptions.parquet",
    "tickets.csv",
    "features.csv",
    "releases.csv",
    "diary.csv",
    "usage.parquet",
    "signups.parquet",
)
MANIFEST = "sample.json"
SHORTEST = 52
DATES = {"start_date", "end_date", "customer_since", "usage_date"}


@dataclass(frozen=True)
class Manifest:
    """What was made: first and last day, seed, complete weeks, day of the release, planted deals.

    `planted` lists deal ids by kind: `only_in_crm`, `only_in_billing`, `amount_differs`,
    `other_period` (billed 35 days late) and `billed_twice` (under two invoice numbers).
    """

    start: date
    end: date
    seed: int
    weeks: int
    release: date
    planted: dict[str, tuple[str, ...]] = field(default_factory=dict)


def write(folder: Path, *, seed: int = 20, end: date | None = None, weeks: int = 130) -> Manifest:
    """Write the exports (`FILES`) and their manifest into `folder`; make the folder if needed.

    They hold `weeks` complete weeks up to the last Sunday on or before `end`, and the days from
    there to `end`; by default `end` is the last Sunday before today. Raises UsageError for fewer
    than 52 weeks.
    """
    if weeks < SHORTEST:
        raise UsageError(
            f"the sample company needs at least {SHORTEST} weeks to tell its stories, not {weeks}"
        )
    grid = Grid(end or _last_sunday(), weeks)
    frames, planted = _exports(grid, seed)
    folder.mkdir(parents=True, exist_ok=True)
    manifest_path = folder / MANIFEST
    # A sample is whole only with its manifest, so that goes first and comes back last.
    manifest_path.unlink(missing_ok=True)
    for name in FILES:
        _save(frames[name], folder / name)
    made = Manifest(
        start=grid.start,
        end=grid.end,
        seed=seed,
        weeks=weeks,
        release=exports.release_day(grid),
        planted=planted,
    )
    text = json.dumps(asdict(made), default=str, indent=2)
    manifest_path.write_text(text + "\n", encoding="utf-8")
    return made


def manifest(folder: Path) -> Manifest | None:
    """Return the manifest of the sample in `folder`; None without a whole sample."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    for key in ("start", "end", "release"):
        stored[key] = date.fromisoformat(stored[key])
    for kind, ids in stored["planted"].items():
        stored["planted"][kind] = tuple(ids)
    return Manifest(**stored)


def _last_sunday() -> date:
    today = date.today()
    return today - timedelta(days=today.isoweekday())


def _exports(grid: Grid, seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, tuple[str, ...]]]:
    counts = rhythm.draw(grid, seed)
    meetings = exports.meetings(grid, counts, seed, accounts_from=billing.FOUNDERS)
    deals = exports.deals(grid, counts, meetings, seed)
    rng = np.random.default_rng([seed, 14])
    account_names = rhythm.accounts(rng, billing.FOUNDERS + len(meetings))
    lives = billing.live(grid, counts, deals, seed, accounts=len(account_names))
    spans = billing.subscriptions(grid, lives, seed)
    planted = billing.plant(grid, deals, seed)
    in_crm = deals[~deals["deal_id"].isin(planted["only_in_billing"])]
    frames = {
        "deals.parquet": exports.deals_export(grid, in_crm, account_names, seed),
        "meetings.csv": exports.meetings_export(grid, meetings, account_names, seed),
        "invoices.csv": billing.invoices_export(
            grid, lives, deals, spans, planted=planted, account_names=account_names, seed=seed
        ),
        "subscriptions.parquet": spans,
        "tickets.csv": exports.tickets_export(grid, counts, lives, account_names, seed),
        "features.csv": exports.features_export(grid, counts, seed),
        "releases.csv": exports.releases_export(grid),
        "diary.csv": exports.diary_export(grid),
        "usage.parquet": exports.usage_export(grid, seed),
        "signups.parquet": exports.signups_export(grid, counts, seed),
    }
    return frames, planted


def _save(frame: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
        return
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    for position, name in enumerate(table.column_names):
        if name in DATES:
            dates = table.column(name).cast(pa.date32())
            table = table.set_column(position, name, dates)
    pq.write_table(table, path)
