#!/usr/bin/env bash
# papermill: a module that registers an engine and imports papermill.engines.Engine can be imported only after
# papermill itself was.
#
# One would guess: a module with "from papermill.engines import Engine" can be imported from anywhere; it only needs
#   papermill, and the base class of every engine stands there.
# What happens: papermill.engines loads all entry points of "papermill.engine" at its own import. When the engine's
#   module is imported first, papermill asks for it again in the middle of that, finds it half done, and the import
#   ends in an AttributeError that names the engine's class. With "import papermill" before it, all is well.
# Why it matters here: an engine's tests, a type checker's plug-in or a command of its own import its module first. The
#   class has to stand in a module of its own that imports no more than it must, and users import papermill before it.
# Seen with: papermill 2.7.0 on Python 3.11, and a package of eight lines made here.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --disable-pip-version-check papermill==2.7.0
site=$("$dir/v/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir "$site/weekly_engine-1.0.dist-info"
printf 'Metadata-Version: 2.1\nName: weekly-engine\nVersion: 1.0\n' > "$site/weekly_engine-1.0.dist-info/METADATA"
printf '[papermill.engine]\nweekly = weekly_engine:Weekly\n' > "$site/weekly_engine-1.0.dist-info/entry_points.txt"
cat > "$site/weekly_engine.py" <<'P'
from papermill.engines import Engine


class Weekly(Engine):
    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        pass
P
cat > "$dir/see.py" <<'P'
import subprocess
import sys

for program in ("import weekly_engine", "import papermill, weekly_engine"):
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True)
    last = ran.stderr.strip().splitlines()[-1] if ran.returncode else "works"
    print(program, "->", last.split(":")[0])
P
"$dir/v/bin/python" "$dir/see.py" > "$dir/seen"
cat > "$dir/expected" <<'E'
import weekly_engine -> AttributeError
import papermill, weekly_engine -> works
E
cat "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the finding no longer holds as written" >&2; exit 1; }
