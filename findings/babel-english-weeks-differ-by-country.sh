#!/usr/bin/env bash
# babel: the same Monday-to-Sunday week has another number in Australia than in Britain, all through some years.
#
# One would guess: "w" and "Y" give the ISO week wherever weeks begin on Monday, and differ only where they begin on
#   Sunday; a locale of English with Monday weeks is as good as another.
# What happens: CLDR has two facts a territory, the first day and how many days of the new year the first week needs.
#   Britain needs 4 (ISO); Australia begins on Monday too, but 1 January is enough. So en_AU agrees with ISO for all of
#   2026 until 27 December and is one week ahead of ISO for all of 2027. The United States begin on Sunday and need 1.
# Why it matters here: a week's label in a report must come from the calendar of the data, never from the reader's
#   locale; a test that checks a year like 2026 cannot see the difference.
# Seen with: babel 2.19.0 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check babel==2.19.0
cat > "$dir/see.py" <<'P'
from datetime import date, timedelta

from babel import Locale
from babel.dates import format_date

for name in ("en_GB", "de_DE", "en_AU", "en_US"):
    locale = Locale.parse(name)
    print(name, f"first day {locale.first_week_day}, first week needs {locale.min_week_days};", end=" ")
    for year in (2026, 2027):
        days = [date(year, 1, 1) + timedelta(i) for i in range(365)]
        iso = [f"{d.isocalendar().year}-W{d.isocalendar().week:02d}" for d in days]
        other = sum(format_date(d, "YYYY-'W'ww", locale=locale) != i for d, i in zip(days, iso))
        print(f"{year}: {other} of 365 days not in their ISO week", end="; " if year == 2026 else "\n")
for name in ("en_GB", "en_AU", "en_US"):
    print(name, [format_date(date(y, 7, 1), "YYYY-'W'ww", locale=name) for y in (2026, 2027)], "1 July")
P
"$dir/v/bin/python" "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
en_GB first day 0, first week needs 4; 2026: 0 of 365 days not in their ISO week; 2027: 0 of 365 days not in their ISO week
de_DE first day 0, first week needs 4; 2026: 0 of 365 days not in their ISO week; 2027: 0 of 365 days not in their ISO week
en_AU first day 0, first week needs 1; 2026: 4 of 365 days not in their ISO week; 2027: 365 of 365 days not in their ISO week
en_US first day 6, first week needs 1; 2026: 56 of 365 days not in their ISO week; 2027: 365 of 365 days not in their ISO week
en_GB ['2026-W27', '2027-W26'] 1 July
en_AU ['2026-W27', '2027-W27'] 1 July
en_US ['2026-W27', '2027-W27'] 1 July
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
