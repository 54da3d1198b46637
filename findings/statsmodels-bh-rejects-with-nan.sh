#!/usr/bin/env bash
# statsmodels: multipletests(method="fdr_bh") with one NaN says "reject" and gives no corrected p-value for any test.
#
# One would guess: a NaN (a metric without enough data) is left out, or spreads to the whole answer, or raises as in
#   scipy.stats.false_discovery_control. Both parts of the answer say the same: reject where corrected p <= alpha.
# What happens: every corrected p-value is NaN, but the reject flags are still computed, and with the NaN counted as one
#   more test. So the two parts contradict each other, and the flags are not those of the metrics that have a p-value.
#   With "bonferroni" the corrected values survive.
# Why it matters here: a board of metrics always has one that is too young to judge. Missing p-values have to be taken
#   out before the correction and their lights stay grey.
# Seen with: statsmodels 0.15.0, scipy 1.17.1, numpy 2.4.6 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6
cat > "$dir/see.py" <<'P'
import math

from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

WITH = [0.01, 0.02, 0.045, math.nan]
WITHOUT = WITH[:3]


def say(method, ps):
    reject, corrected, *_ = multipletests(ps, alpha=0.05, method=method)
    print(f"{method:10}", f"{len(ps)} tests", reject.tolist(), [round(float(c), 4) for c in corrected])


say("fdr_bh", WITHOUT)
say("fdr_bh", WITH)
say("bonferroni", WITH)
try:
    print(false_discovery_control(WITH))
except ValueError as e:
    print("scipy:", e)
P
"$dir/v/bin/python" -W ignore "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
fdr_bh     3 tests [True, True, True] [0.03, 0.03, 0.045]
fdr_bh     4 tests [True, True, False, False] [nan, nan, nan, nan]
bonferroni 4 tests [True, False, False, False] [0.04, 0.08, 0.18, nan]
scipy: `ps` must include only numbers between 0 and 1.
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
