#!/usr/bin/env bash
# openpyxl: a day whose number format begins with a condition, `[=0]"-";yyyy-mm-dd`, is read as a number.
#
# One would guess: a cell that Excel shows as 2026-11-02 comes back as a datetime, and a cell shown as "-" does not.
# What happens: only the part before the first semicolon decides whether a format is one of days. `[=0]"-"` is none, so the
#   day is 46328. Where the zero has the third part, `yyyy-mm-dd;;"-"`, the cell that shows "-" is midnight, a time.
# Why it matters here: accountants hide empty days with such formats. A column of serial numbers is no time, and a midnight
#   among days is a text.
# Seen with: openpyxl 3.1.5 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check openpyxl==3.1.5
cat > "$dir/see.py" <<'P'
import sys

from openpyxl import Workbook, load_workbook

for format_ in ("yyyy-mm-dd", '[=0]"-";yyyy-mm-dd', 'yyyy-mm-dd;;"-"'):
    book = Workbook()
    for row, serial in enumerate((46328, 0), 1):
        cell = book.active.cell(row, 1, serial)
        cell.number_format = format_
    book.save(sys.argv[1])
    values = [row[0] for row in load_workbook(sys.argv[1]).active.iter_rows(values_only=True)]
    print(format_, *(f"{type(value).__name__} {value}" for value in values), sep=" | ")
P
"$dir/v/bin/python" "$dir/see.py" "$dir/a.xlsx" > "$dir/seen"
cat > "$dir/expected" <<'E'
yyyy-mm-dd | datetime 2026-11-02 00:00:00 | time 00:00:00
[=0]"-";yyyy-mm-dd | int 46328 | int 0
yyyy-mm-dd;;"-" | datetime 2026-11-02 00:00:00 | time 00:00:00
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
