#!/usr/bin/env bash
# papermill: a cell tagged raises-exception lets the next cells run, and fails the run after all, in the last such cell's name.
#
# One would guess: the tag says that the error is expected, as nbclient and nbconvert read it: the run is good. Or, if an error
#   counts after all, the first one is told.
# What happens: all cells run and the notebook is written; then papermill raises PapermillExecutionError for an error output that
#   it finds, and of several it names the last. Executed by nbclient, the same notebook is good.
# Why it matters here: reports tag a cell that may fail so that the page can say so. Under papermill the report is failed all the
#   same, and where two cells raised, the message leads to the second, whose error may only follow from the first.
# Seen with: papermill 2.7.0, nbclient 0.11.0, ipykernel 7.4.0 on Python 3.11.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check papermill==2.7.0 nbclient==0.11.0 ipykernel==7.4.0
cat > "$dir/run.py" <<'P'
import sys

import nbclient
import nbformat.v4 as v4
import papermill
from nbformat import read, write

place = sys.argv[1]
spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
tagged = {"tags": ["raises-exception"]}
cells = [
    v4.new_code_cell("share = won / asked", metadata=tagged),
    v4.new_code_cell("print('between')"),
    v4.new_code_cell("print(share)", metadata=tagged),
    v4.new_code_cell("print('the end')"),
]
write(v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), place)
nbclient.NotebookClient(read(place, 4)).execute()
print("nbclient: good")
try:
    papermill.execute_notebook(place, place + ".out", progress_bar=False)
    print("papermill: good")
except papermill.PapermillExecutionError as error:
    print(f"papermill: cell {error.cell_index + 1}, {error.ename}: {error.evalue}")
last = read(place + ".out", 4).cells[-1].outputs
print("last cell:", last[0].text.strip() if last else "did not run")
P
"$dir/v/bin/python" -W ignore "$dir/run.py" "$dir/in.ipynb" > "$dir/seen" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
cat "$dir/seen"
cat > "$dir/expected" <<'E'
nbclient: good
papermill: cell 3, NameError: name 'share' is not defined
last cell: the end
E
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
