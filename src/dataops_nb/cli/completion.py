"""Complete commands, options and names at the Tab key of bash, zsh and fish, through argcomplete.

A shell starts the command anew at each Tab. The names of metrics, departments, reports and suites
are read straight from the files in params/, without their checks: that is quick, and it works while
a file is being written.
"""

from __future__ import annotations

import argparse
import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import argcomplete
import yaml
from argcomplete.completers import FilesCompleter
from argcomplete.shell_integration import shellcode

from dataops_nb import cli

PROGRAM = "dataops-nb"
Names = dict[str, str]
Completer = Callable[..., Names]


def run_completion(args: Namespace) -> int:
    """Print the lines that make a shell complete this command."""
    text: str = shellcode([PROGRAM], shell=args.shell)
    if args.json:
        cli.document({"shell": args.shell, "script": text})
    else:
        cli.write(text.strip("\n"))
    return 0


def answer(parser: argparse.ArgumentParser) -> None:
    """Tell the shell that asks what may stand at its cursor, and end this process."""
    for action in _arguments(parser):
        vars(action)["completer"] = _completer(action)
    argcomplete.autocomplete(parser, always_complete_options=False)


def _arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments and options of a parser and of all commands below it."""
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for command in action.choices.values():
                yield from _arguments(command)
        elif action.choices is None:
            yield action


def _completer(action: argparse.Action) -> Any:
    if action.type is Path:
        return FilesCompleter()
    by_name: dict[str, Completer] = {
        "metric": metrics,
        "metrics": metrics,
        "report": reports,
        "suite": suites,
        "parameters": parameters,
        "whatif": whatifs,
    }
    if action.dest == "name" and action.metavar == "NAME" and not action.option_strings:
        return departments
    return by_name.get(action.dest, _nothing)


def _nothing(**_: Any) -> Names:
    return {}


def metrics(parsed_args: Namespace, **_: Any) -> Names:
    """Return the ids of the metrics that departments define, each with its label."""
    names = {}
    for file in _department_files(parsed_args):
        content = _read(file)
        defined = content.get("metrics")
        if not isinstance(defined, dict):
            continue
        for name, metric in defined.items():
            label = metric.get("label") if isinstance(metric, dict) else None
            names[str(name)] = str(label or content.get("department") or "")
    return names


def departments(parsed_args: Namespace, **_: Any) -> Names:
    """Return the ids of the departments, each with its name."""
    names = {}
    for file in _department_files(parsed_args):
        names[file.stem] = str(_read(file).get("department") or "")
    return names


def suites(parsed_args: Namespace, **_: Any) -> Names:
    """Return the suites of reports.yaml, each with how often it is due."""
    content = _read(_params(parsed_args) / "reports.yaml")
    names = {}
    for name, suite in content.items():
        cadence = suite.get("cadence") if isinstance(suite, dict) else None
        names[str(name)] = f"each {cadence}" if cadence else ""
    return names


def reports(parsed_args: Namespace, **_: Any) -> Names:
    """Return the reports of all suites, or of the one that was written; each with its notebook."""
    names = {}
    chosen = getattr(parsed_args, "suite", None)
    for suite, content in _read(_params(parsed_args) / "reports.yaml").items():
        listed = content.get("reports") if isinstance(content, dict) else None
        if not isinstance(listed, dict) or chosen not in {None, suite}:
            continue
        for name, report in listed.items():
            content_of = report if isinstance(report, dict) else {}
            notebook = str(content_of.get("notebook") or "")
            names[str(name)] = notebook
            if content_of.get("each") == "department":
                for file in _department_files(parsed_args):
                    names[f"{name}-{file.stem}"] = notebook
    return names


def parameters(parsed_args: Namespace, **_: Any) -> Names:
    """Return the one parameter whose values are names: department=NAME."""
    return {f"department={name}": text for name, text in departments(parsed_args).items()}


def whatifs(parsed_args: Namespace, **_: Any) -> Names:
    """Return the names of the files in params/whatif."""
    return {file.stem: "" for file in sorted((_params(parsed_args) / "whatif").glob("*.yaml"))}


def _params(parsed_args: Namespace) -> Path:
    """Return params/ of -w, of DATAOPS_WORKBENCH, or of the nearest folder from here upwards."""
    named = getattr(parsed_args, "workbench", None) or os.environ.get("DATAOPS_WORKBENCH")
    if named:
        return Path(named).expanduser() / "params"
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "params" / "company.yaml").is_file():
            return folder / "params"
    return here / "params"


def _department_files(parsed_args: Namespace) -> list[Path]:
    return sorted((_params(parsed_args) / "departments").glob("*.yaml"))


def _read(file: Path) -> dict[str, Any]:
    """Return what a file says; nothing where it is not there or no YAML at the moment."""
    try:
        content = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    except (OSError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}
