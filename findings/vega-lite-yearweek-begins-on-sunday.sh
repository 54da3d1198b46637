#!/usr/bin/env bash
# Vega-Lite (altair, vl-convert): the time unit "yearweek" begins on Sunday and is labelled like an ISO week.
#
# One would guess: a chart of "yearweek(d)" shows the weeks of date_trunc('week', d) and of pandas, and "2026 W01" on its
#   axis is ISO's 2026-W01.
# What happens: weeks begin on Sunday and are counted from the year's first Sunday, so Sunday 28 December 2025 shares a
#   bar with Monday 29, and "2025 W52" holds the days that ISO puts into 2025-W52 and 2026-W01. ISO's 2026-W01 is split
#   over two bars; 2026-W53 is shown as "2026 W52". There is no unit for Monday weeks.
# Why it matters here: a chart that aggregates days itself disagrees with the table under it, by a day in each week and
#   by one in the label. Weeks have to be computed before the chart and shown as names.
# Seen with: altair 6.3.0, vl-convert-python 1.9.0.post1 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check altair==6.3.0 vl-convert-python==1.9.0.post1
cat > "$dir/see.py" <<'P'
import re
from datetime import date

import altair as alt
import vl_convert

DAYS = [date(2025, 12, 28), date(2025, 12, 29), date(2026, 1, 3), date(2026, 1, 4), date(2026, 1, 5), date(2026, 12, 31)]
for day in DAYS:
    data = alt.Data(values=[{"d": f"{day}T00:00:00"}])
    chart = alt.Chart(data).mark_bar().encode(x=alt.X("yearweek(d):O", title=""), y=alt.Y("count():Q", axis=None))
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    print(f"{day:%a %d %b %Y}  ISO {day:%G-W%V}  Vega-Lite", *re.findall(r">(\d{4} W\d\d)</text>", svg))
P
"$dir/v/bin/python" "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
Sun 28 Dec 2025  ISO 2025-W52  Vega-Lite 2025 W52
Mon 29 Dec 2025  ISO 2026-W01  Vega-Lite 2025 W52
Sat 03 Jan 2026  ISO 2026-W01  Vega-Lite 2025 W52
Sun 04 Jan 2026  ISO 2026-W01  Vega-Lite 2026 W01
Mon 05 Jan 2026  ISO 2026-W02  Vega-Lite 2026 W01
Thu 31 Dec 2026  ISO 2026-W53  Vega-Lite 2026 W52
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
