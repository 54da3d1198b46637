#!/usr/bin/env bash
# statsmodels: ccf() gives "correlations" far beyond 1, and lag k of ccf(x, y) is x after y.
#
# One would guess: a cross-correlation lies between -1 and 1, and ccf(cause, effect)[3] says how the effect follows the
#   cause after three periods.
# What happens: each sum of n - k products is divided by n - k, but by the deviations of all n values. So ten points that
#   rise steadily, against themselves, come down to -2.45 at the last lag. And the first argument is the one that is
#   later: a series that follows another after three periods has its peak where it stands first.
# Why it matters here: which input leads a North Star, and by how many weeks, is read off exactly these numbers. By the
#   other order the link is missed, or found backwards; and short series have their "strongest" correlation at the longest lag.
# Seen with: statsmodels 0.15.0, numpy 2.4.6 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6
cat > "$dir/see.py" <<'P'
import numpy as np
from statsmodels.tsa.stattools import ccf

rising = np.arange(10.0)
print("ten rising points with themselves:", [round(float(r), 2) for r in ccf(rising, rising)])
print("the same, adjusted=False:", [round(float(r), 2) for r in ccf(rising, rising, adjusted=False)])
# A cause that beats seven times, and an effect three weeks later.
cause = np.zeros(130)
cause[[5, 21, 40, 58, 73, 95, 110]] = 1.0
effect = np.roll(cause, 3)
for name, pair in (("ccf(cause, effect)", (cause, effect)), ("ccf(effect, cause)", (effect, cause))):
    print(name, "at lag 3:", round(float(ccf(*pair)[3]), 2))
P
"$dir/v/bin/python" -W ignore "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
ten rising points with themselves: [1.0, 0.78, 0.52, 0.21, -0.13, -0.52, -0.94, -1.4, -1.91, -2.45]
the same, adjusted=False: [1.0, 0.7, 0.41, 0.15, -0.08, -0.26, -0.38, -0.42, -0.38, -0.25]
ccf(cause, effect) at lag 3: -0.06
ccf(effect, cause) at lag 3: 1.02
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
