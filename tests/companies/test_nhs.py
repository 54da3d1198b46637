"""Every English A&E organisation against the 95 % standard: what varies, what its process can do, and no verdict too early."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from dataops_nb import alignment, definitions, limits, sources, status
from dataops_nb.status.attainment import COLOURS
from tests.companies.test_real_companies import HEALTH

pytestmark = pytest.mark.long

COMPANY = (
    HEALTH.replace("four_hours:", "standard:")
    + """\
  standards: {system: NHS, query: "select distinct org_code, date '2016-04-01' as since, 0.95 as share from trusts", time: since}
"""
)
DEPARTMENT = """
department: A&E
defaults: {source: trusts, lights: standard, by: [org_code]}
metrics:
  attendances: {type: simple, measure: {agg: sum, expr: attendances}}
  seen: {type: simple, measure: {agg: sum, expr: attendances - breaches}}
  performance: {type: ratio, numerator: seen, denominator: attendances, unit: percent, policy: capability, limits: {chart: xmr},
                targets: [{source: standards, column: share, match: {org_code: org_code}}]}
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory, request):
    from tests.conftest import SHARED

    if not (SHARED / "nhs_ae").exists():
        pytest.skip("the real data set nhs_ae is not on this machine")
    params = tmp_path_factory.mktemp("nhs")
    (params / "departments").mkdir()
    (params / "company.yaml").write_text(COMPANY)
    (params / "departments" / "emergency.yaml").write_text(DEPARTMENT)
    with sources.open(definitions.load(params), SHARED / "nhs_ae", dt.date(2019, 3, 31)) as catalog:
        table = alignment.values(catalog, "performance", grain="month", by=("org_code",))
        table = limits.add_limits(alignment.add_targets(table, catalog), catalog.company)
        raw = pd.read_csv(SHARED / "nhs_ae" / "ae_attendances.csv", parse_dates=["period"])
        return status.judge(table, catalog.company), raw


def test_every_organisation_has_the_standard_and_its_own_limits(judged):
    table, raw = judged
    assert table["segment"].nunique() == raw["org_code"].nunique()
    assert (table["target"] == 0.95).all()
    known = table[table["value"].notna()]
    monthly = raw.groupby(["org_code", "period"])[["attendances", "breaches"]].sum()
    performance = (1 - monthly["breaches"] / monthly["attendances"]).dropna()
    assert len(known) == len(performance)
    for code, values in performance.groupby("org_code"):
        usual = limits.xmr(values.tolist())
        ours = known[known["segment"] == f"org_code={code}"].iloc[0]
        assert ours["center"] == pytest.approx(usual.center, abs=1e-12)
        if len(values) > 1:
            assert ours["lower"] == pytest.approx(usual.lower, abs=1e-12)


def test_no_organisation_of_fewer_than_twelve_months_gets_a_verdict(judged):
    table, _ = judged
    months = table.groupby("segment")["value"].count()
    short = table[table["segment"].isin(months[months < 12].index)]
    assert len(short)
    assert set(short["limits_reason"]) == {"too short"}
    assert short["signal"].isna().all()
    assert short["variation"].isna().all()
    assert (short["light"] == "unknown").all()
    assert set(short.loc[short["value"].notna(), "reason"]) == {"too short"}


def test_every_other_organisation_has_variation_and_assurance_and_their_colour(judged):
    table, _ = judged
    table = table[table["value"].notna()]
    trusted = table[table["limits_reason"].isna()]
    assert trusted["segment"].nunique() > 50
    assert set(trusted["variation"]) == {
        "common cause",
        "special-cause improvement",
        "special-cause concern",
    }
    assured = np.select(
        [trusted["lower"] >= 0.95, trusted["upper"] < 0.95],
        ["consistent pass", "consistent fail"],
        "inconsistent",
    )
    assert set(assured) == {"consistent pass", "consistent fail", "inconsistent"}
    colours = [COLOURS[pair] for pair in zip(assured, trusted["variation"], strict=True)]
    assert trusted["light"].tolist() == colours
    rest = table[table["limits_reason"].notna()]
    assert (rest["light"] == "unknown").all()
