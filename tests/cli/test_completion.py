"""Completion: bash, zsh and fish are asked what they offer at the cursor, and names come from the files."""

import os
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from dataops_nb.cli import completion, main

FILES = {
    "params/company.yaml": "company: Acme\n",
    "params/departments/sales.yaml": (
        "department: Sales\nmetrics:\n  churn_rate: {label: Churn rate}\n  churned: {}\n  wins: {}\n"
    ),
    "params/departments/support.yaml": "department: Support\nmetrics:\n  tickets: {type: simple}\n",
    "params/reports.yaml": (
        "weekly: {cadence: week, reports: {front: {notebook: a.ipynb}}}\n"
        "monthly: {reports: {team: {notebook: b.ipynb, each: department}}}\n"
    ),
    "params/whatif/lower.yaml": "{}\n",
}
BASH = """
eval "$(dataops-nb completion bash)"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
COMP_TYPE=9; COMP_KEY=9
_python_argcomplete dataops-nb
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
autoload -U compinit; compinit -u -D
eval "$(dataops-nb completion zsh)"
compadd() { print -rl -- "${@[@]}" >> answers }
_describe() { print -rl -- "${(@P)2}" >> answers }
words=("$@"); CURRENT=$#; BUFFER="$*"; CURSOR=$#BUFFER; service=dataops-nb
_python_argcomplete dataops-nb
cat answers
"""


@pytest.fixture
def bench(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(bench, kind, **chosen):
    return list(getattr(completion, kind)(parsed_args=Namespace(workbench=bench, **chosen)))


def shell(bench, *command):
    """Run a shell with our command on its path, and return the words it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")}
    done = subprocess.run(
        command,
        cwd=bench,
        env={**kept, "PATH": path, "HOME": str(bench)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [line.split("\t")[0].split(":")[0].strip() for line in done.stdout.splitlines()]


def bash(bench, *words):
    return shell(bench, "bash", "--norc", "-c", BASH, "bash", *words)


# --- names ------------------------------------------------------------------------------------------


def test_metrics_come_from_all_departments_with_their_labels(bench):
    offered = completion.metrics(parsed_args=Namespace(workbench=bench))
    assert offered == {
        "churn_rate": "Churn rate",
        "churned": "Sales",
        "wins": "Sales",
        "tickets": "Support",
    }


def test_a_report_of_each_department_has_one_name_a_department(bench):
    assert names(bench, "reports") == ["front", "team", "team-sales", "team-support"]


def test_reports_are_those_of_the_suite_that_was_written(bench):
    assert names(bench, "reports", suite="weekly") == ["front"]


@pytest.mark.parametrize(
    ("kind", "offered"),
    [
        ("departments", ["sales", "support"]),
        ("suites", ["weekly", "monthly"]),
        ("parameters", ["department=sales", "department=support"]),
        ("whatifs", ["lower"]),
    ],
)
def test_other_names_come_from_their_files(kind, offered, bench):
    assert names(bench, kind) == offered


def test_a_file_that_is_being_written_takes_only_its_own_names_away(bench):
    (bench / "params" / "departments" / "sales.yaml").write_text("metrics: {half")
    (bench / "params" / "reports.yaml").write_text("weekly: [a]\nmonthly:\n")
    assert (names(bench, "metrics"), names(bench, "reports")) == (["tickets"], [])


def test_the_workbench_is_found_from_a_folder_inside_it(bench, monkeypatch):
    monkeypatch.delenv("DATAOPS_WORKBENCH", raising=False)
    monkeypatch.chdir(bench / "params" / "departments")
    assert list(completion.suites(parsed_args=Namespace())) == ["weekly", "monthly"]


def test_outside_a_workbench_there_are_no_names_and_no_error(tmp_path):
    assert names(tmp_path, "metrics") == names(tmp_path, "reports") == []


# --- shells -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["metric", "show", "chu"], ["churn_rate", "churned"]),
        (["refresh", "--report", "team-"], ["team-sales", "team-support"]),
        (["new", "department", "su"], ["support"]),
        (["rec"], ["reconcile"]),
        (["status", "--gr"], ["--grain"]),
        (["status", "--grain", "we"], ["week"]),
        (["event", "2026-11-11", "Sale", "--metric", "ti"], ["tickets"]),
    ],
)
def test_bash_offers_what_may_stand_there(words, offered, bench):
    assert bash(bench, "dataops-nb", *words) == offered


def test_bash_offers_the_names_of_the_workbench_that_was_named(bench, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert bash(elsewhere, "dataops-nb", "-w", str(bench), "ask", "ti") == ["tickets"]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_offers_the_same(bench):
    asked = 'dataops-nb completion fish | source; complete -C "dataops-nb metric show chu"'
    assert set(shell(bench, "fish", "--no-config", "-c", asked)) == {"churn_rate", "churned"}


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_offers_the_same(bench):
    offered = shell(bench, "zsh", "-f", "-c", ZSH, "zsh", "dataops-nb", "metric", "show", "chu")
    assert [word for word in offered if word.startswith("chu")] == ["churn_rate", "churned"]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_lines_for_a_shell_are_printed(name, capsys):
    assert main(["completion", name]) == 0
    assert "dataops-nb" in capsys.readouterr().out
