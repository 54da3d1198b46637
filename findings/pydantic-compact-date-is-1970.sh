#!/usr/bin/env bash
# pydantic: a datetime field reads the compact ISO date "20260105" as seconds since 1970, and a year as half an hour.
#
# One would guess: "20260105" is the basic form of ISO 8601, which Python's own datetime.fromisoformat reads, so it
#   gives 5 January 2026, or else an error.
# What happens: text of digits only is a Unix time. A datetime field gives 23 August 1970, 11:48:25 UTC, and "2026" gives
#   1 January 1970, 00:33:46 UTC, without a word; a date field refuses both, with a message about "zero time". YAML's
#   unquoted 20260105 and 2026 are integers and end in the same way.
# Why it matters here: "as of", "since" and fiscal anchors come from YAML, a command line or a CSV. Fields for them must be
#   dates, or read digits themselves before pydantic does.
# Seen with: pydantic 2.14.4 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check pydantic==2.14.4
cat > "$dir/see.py" <<'P'
from datetime import date, datetime

from pydantic import TypeAdapter, ValidationError

for text in ("2026-01-05", "20260105", "202601", "2026", 20260105):
    for kind in (datetime, date):
        try:
            got = TypeAdapter(kind).validate_python(text)
        except ValidationError as e:
            got = e.errors()[0]["type"]
        print(kind.__name__, repr(text), got)
print("Python", datetime.fromisoformat("20260105"))
P
"$dir/v/bin/python" "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
datetime '2026-01-05' 2026-01-05 00:00:00
date '2026-01-05' 2026-01-05
datetime '20260105' 1970-08-23 11:48:25+00:00
date '20260105' date_from_datetime_inexact
datetime '202601' 1970-01-03 08:16:41+00:00
date '202601' date_from_datetime_inexact
datetime '2026' 1970-01-01 00:33:46+00:00
date '2026' date_from_datetime_inexact
datetime 20260105 1970-08-23 11:48:25+00:00
date 20260105 date_from_datetime_inexact
Python 2026-01-05 00:00:00
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
