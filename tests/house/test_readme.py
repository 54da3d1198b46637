"""The README is followed to the letter: the tutorial's files are written, its commands run, its page is there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
TUTORIAL = README.split("## From your own csv to a first report")[1].split("\n## ")[0]
FILE = re.compile(r"`([\w./-]+\.(?:csv|yaml))`[^`]*?```(?:csv|yaml)\n(.*?)```", re.DOTALL)
STEP = re.compile(r"```console\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    here = tmp_path_factory.mktemp("newcomer")
    said = []
    for block in re.split(r"(?=\*\*\d\. )", TUTORIAL):
        for name, text in FILE.findall(block):
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_text(text)
        for line in "".join(STEP.findall(block)).splitlines():
            command = line.removeprefix("$ ")
            if command.startswith("cd "):
                here = here / command[3:]
            else:
                said.append(run(command, here))
    return here, said


def run(command, here):
    if command.startswith("rm "):
        command = f"sh -c {shlex.quote(command)}"
    words = shlex.split(command)
    if words[0] == "dataops-nb":
        words = [sys.executable, "-m", "dataops_nb", *words[1:]]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")
    }
    done = subprocess.run(
        words, cwd=here, env=environment, capture_output=True, text=True, check=False, timeout=170
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return command, done.stdout


def test_the_tutorial_writes_one_csv_and_one_yaml_file():
    assert [name for name, _ in FILE.findall(TUTORIAL)] == [
        "orders.csv",
        "params/departments/first.yaml",
    ]


@pytest.mark.faults  # runs refreshes
def test_every_command_of_the_tutorial_works_and_the_first_report_is_where_it_says(followed):
    here, _ = followed
    promised = re.search(r"first report is `([^`]+)`", TUTORIAL)[1]
    page = (here / promised).read_text()
    assert "Revenue was €320.50 in week 46" in page
    assert 'data-light="green"' in page


@pytest.mark.faults  # runs refreshes
def test_the_tutorials_values_are_those_of_its_rows(followed):
    said = next(text for command, text in followed[1] if "metric values" in command)
    assert re.search(r"channel=web\D+230\.5", said) or "230.50" in said


def test_every_file_the_readme_links_to_exists():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_target_of_make_that_the_readme_names_is_offered():
    offered = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\$ make (\w+)", README)) <= offered
