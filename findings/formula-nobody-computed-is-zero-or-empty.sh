#!/usr/bin/env bash
# Workbooks: one and the same formula that no program has computed yet reads as 0 from an xlsx and as empty from an xls.
#
# One would guess: a reader says of a cell with a formula and no result that it has none, whatever the kind of workbook;
#   at least both kinds give the same.
# What happens: XlsxWriter stores 0 with every formula and asks for a calculation on loading; xlwt stores an empty text.
#   python-calamine, which reads both, gives 0 and '' and knows of no formula; through pandas they are 0 and NaN. So the
#   sum of a column is too small in both, and in one of them nothing is missing either.
# Why it matters here: exports made by programs are never opened before they are read. A target of 0 turns every light
#   green, a missing one makes it unknown. Such a cell has to be a fault where it can be told (xlsx, ods).
# Seen with: python-calamine 0.9.1, XlsxWriter 3.3.1, xlwt 1.3.0, pandas 3.1.1 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check python-calamine==0.9.1 xlsxwriter==3.3.1 xlwt==1.3.0 pandas==3.1.1
cat > "$dir/see.py" <<'P'
import sys

import pandas as pd
import xlsxwriter
import xlwt
from python_calamine import CalamineWorkbook

new, old = (f"{sys.argv[1]}/deals.{kind}" for kind in ("xlsx", "xls"))
with xlsxwriter.Workbook(new) as book:
    sheet = book.add_worksheet("deals")
    sheet.write(0, 0, "amount")
    sheet.write(1, 0, 200)
    sheet.write_formula(2, 0, "=A2*3")
book = xlwt.Workbook()
sheet = book.add_sheet("deals")
sheet.write(0, 0, "amount")
sheet.write(1, 0, 200)
sheet.write(2, 0, xlwt.Formula("A2*3"))
book.save(old)
for path in (new, old):
    cells = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    column = pd.read_excel(path, engine="calamine")["amount"]
    print(path.rpartition(".")[2].ljust(4), cells, "sum", float(column.sum()), "missing", int(column.isna().sum()))
P
"$dir/v/bin/python" -W ignore "$dir/see.py" "$dir" > "$dir/seen"
cat > "$dir/expected" <<'E'
xlsx [['amount'], [200.0], [0.0]] sum 200.0 missing 0
xls  [['amount'], [200], ['']] sum 200.0 missing 1
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
