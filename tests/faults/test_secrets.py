"""Secrets and parameters as people get them wrong: nothing runs that was not declared, and no artefact holds a secret."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataops_nb.definitions import nodes
from tests.reports.test_parameters import BOMB
from tests.reports.test_refresh import make, weekly, write_notebook

pytestmark = pytest.mark.faults
SECRET = 'pa55w0rd<&>"x'
URL = "postgresql://me:pa55w0rd%3C%26%3E%22x@db.example.com/crm"
COMPANY = """
company: Lumen
sources:
  deals: {system: CRM, path: deals.csv, time: day}
  crm: {system: CRM, url: env:WAREHOUSE, table: crm.deals, time: day}
"""
IN_PS = """
import os, pathlib
told = [p.read_bytes() for p in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
inside = os.environ["WAREHOUSE"].split(":")[2].split("@")[0].encode()
assert len(inside) > 8 and not [c for c in told if inside in c], "a secret is in ps"
assert "MY_TOKEN" not in os.environ, "an inherited variable is seen"
assert os.environ["WAREHOUSE"].startswith("postgresql://me"), "the named one is not"
"""
FAILS = "import os\nraise RuntimeError('could not connect to ' + os.environ['WAREHOUSE'])"
SHOWS = "import os, urllib.parse\nprint(urllib.parse.unquote(os.environ['WAREHOUSE'].split(':')[2].split('@')[0]))"
PARAMETER = 'as_of: str = ""\ngrain: str = "week"\nword: str = "here"\ndb_password: str = ""'


@pytest.fixture
def wb(tmp_path, monkeypatch):
    monkeypatch.setenv("WAREHOUSE", URL)
    monkeypatch.setenv("MY_TOKEN", "inherited-token-9")
    monkeypatch.setenv("DB_PASSWORD", "by-parameter-77")
    made = make(
        tmp_path,
        weekly("good", "fails", "shows", "given"),
        good=[IN_PS],
        fails=[FAILS],
        shows=[SHOWS],
    )
    (tmp_path / "params" / "company.yaml").write_text(COMPANY)
    write_notebook(
        tmp_path / "notebooks" / "given.ipynb",
        "import os\nassert len(os.environ[db_password.removeprefix('env:')]) == 15",
        declared=PARAMETER,
    )
    return made


def command(wb, *words: str) -> subprocess.CompletedProcess[str]:
    where = ["-w", str(wb.root), "--data", str(wb.data), "--out", str(wb.out)]
    asked = [sys.executable, "-m", "dataops_nb", *where, *words]
    return subprocess.run(asked, check=False, capture_output=True, text=True, timeout=300)


def holding(root: Path, *needles: str) -> list[str]:
    files = [path for path in root.rglob("*") if path.is_file()]
    assert files
    return [
        path.name
        for path in files
        if any(needle.encode() in path.read_bytes() for needle in needles)
    ]


def test_no_artefact_and_no_process_list_holds_a_secret(wb):
    said = command(
        wb, "refresh", "--as-of", "2026-11-22", "-p", "db_password=env:DB_PASSWORD", "--json"
    )
    states = {
        one["report"]: (one["state"], one["error"]) for one in json.loads(said.stdout)["reports"]
    }
    assert states["good"] == ("ok", None)
    assert states["given"] == ("ok", None)
    assert states["fails"] == ("failed", "cell 3: RuntimeError: could not connect to ***")
    assert states["shows"][0] == "failed"
    assert "contains a secret" in states["shows"][1]
    assert said.returncode == 1
    needles = ["pa55w0rd", "inherited-token-9", "by-parameter-77"]
    assert holding(wb.out, *needles) == []
    assert [needle for needle in needles if needle in said.stdout + said.stderr] == []
    assert "env:DB_PASSWORD" in (wb.out / "given" / "2026-W47" / "index.html").read_text()


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["-p", "wrod=x"], "did you mean 'word'"),
        (["-p", "x=1;print(1)#=1"], "there is no parameter 'x'"),
        (["-p", "x;print(1)#=1"], "write NAME=VALUE"),
        (["-p", "db_password=hunter22"], "is called like a secret; name the variable"),
        (["-p", "as_of=2026-01-01"], "is set with --as-of"),
    ],
)
def test_what_was_not_declared_never_runs(wb, words, near):
    said = command(wb, "refresh", "--as-of", "2026-11-22", *words)
    assert (said.returncode, near in said.stderr, said.stdout) == (2, True, "")
    assert not wb.out.exists()


def test_a_path_in_a_value_stays_a_value(wb):
    said = command(
        wb, "refresh", "--report", "good", "--as-of", "2026-11-22", "-p", "word=../escaped"
    )
    assert said.returncode == 0
    assert list(wb.root.rglob("*escaped*")) == []
    assert "../escaped" in (wb.out / "good" / "2026-W47" / "index.html").read_text()


def test_a_password_that_stands_in_the_file_is_looked_for_as_well(wb):
    url = "postgresql://me:plain-pa55%21word@db.example.com/crm?sslkey=other-5ecret"
    (wb.root / "params" / "company.yaml").write_text(COMPANY.replace("env:WAREHOUSE", f'"{url}"'))
    shows = "print('plain-pa55' + '!word')"
    write_notebook(wb.root / "notebooks" / "shows.ipynb", shows)
    write_notebook(
        wb.root / "notebooks" / "fails.ipynb", f"raise RuntimeError('no ' + {url!r} + ' here')"
    )
    said = command(
        wb, "refresh", "--report", "shows", "--report", "fails", "--as-of", "2026-11-22", "--json"
    )
    states = {
        one["report"]: (one["state"], one["error"]) for one in json.loads(said.stdout)["reports"]
    }
    assert states["shows"][0] == "failed"
    assert "contains a secret" in states["shows"][1]
    assert states["fails"] == ("failed", "cell 3: RuntimeError: no *** here")
    assert holding(wb.out, "plain-pa55%21word", "plain-pa55!word", "other-5ecret") == []


def quickest(text: str) -> float:
    """Milliseconds to read a file, the best of five."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        nodes.parse(text, "reports.yaml")
        took.append(time.perf_counter() - began)
    return 1000 * min(took)


def test_dangerous_yaml_costs_no_more_to_refuse_than_plain_yaml_to_read(capsys):
    """Followed, nine aliases of nine aliases of ... would be 430 million words."""
    plain = quickest("".join(f"key{n}: [x, x, x, x, x, x, x, x, x]\n" for n in range(9)))
    bomb, tag = quickest(BOMB), quickest("a: 1\nb: !!python/object/apply:os.system ['true']\n")
    with capsys.disabled():
        print(
            f"\n{len(BOMB)} bytes of aliases refused in {bomb:.1f} ms, a tag in {tag:.1f} ms; plain {plain:.1f} ms"
        )
    assert max(bomb, tag) < 10 * plain
