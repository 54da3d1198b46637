"""Process limits: how much a metric moves by itself, so that nobody explains a week that is like every other.

Individual values and moving ranges (XmR) by Wheeler, with the NHS variant of the rules, runs by Anhøj, and a guard:
where a series remembers its last value, its limits prove nothing and no verdict is given. Limits of a metric that grows or
has seasons can follow the line that is regular in it.
"""

from __future__ import annotations

from dataops_nb.limits.memory import autocorrelation, remembers
from dataops_nb.limits.regular import TWO_YEARS, year_end
from dataops_nb.limits.runs import Runs, binomial_quantile, runs
from dataops_nb.limits.signals import FALSE_ALARM, NHS, WHEELER, Rules, signals
from dataops_nb.limits.table import SHORTEST, add_limits
from dataops_nb.limits.xmr import ProcessLimits, deviations, sigma, xmr

__all__ = [
    "FALSE_ALARM",
    "NHS",
    "SHORTEST",
    "TWO_YEARS",
    "WHEELER",
    "ProcessLimits",
    "Rules",
    "Runs",
    "add_limits",
    "autocorrelation",
    "binomial_quantile",
    "deviations",
    "remembers",
    "runs",
    "sigma",
    "signals",
    "xmr",
    "year_end",
]
