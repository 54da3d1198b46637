"""Decide what a notebook sees of the environment, and find the secrets that no page may show.

A source or a parameter names a secret as `env:NAME`. The notebook gets that variable and no other
one of the user's. Its value is looked for in everything that would be published.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.passwords import passwords_in
from dataops_nb.reports.parameters import VARIABLE
from dataops_nb.workbench import Workbench

DELIVERY = ("DATAOPS_SMTP_URL", "DATAOPS_SLACK_WEBHOOK")
PATTERNS = (
    # the user and the system
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP",
    r"SYSTEMROOT|WINDIR|APPDATA|LOCALAPPDATA|USERPROFILE",
    # Python and Jupyter
    r"PYTHON\w*|VIRTUAL_ENV|CONDA_\w+|LD_LIBRARY_PATH|XDG_\w+|JUPYTER_\w+|IPYTHONDIR|MPL\w*",
    # libraries
    r"SSL_CERT_\w+|OMP_\w+|OPENBLAS_\w+|MKL_\w+",
    r"JAVA_HOME|SPARK_\w+|PYSPARK_\w+|HADOOP_\w+|COVERAGE_\w+",
    # our own, but those that mails and messages are sent with
    rf"(?!{'|'.join(DELIVERY)})DATAOPS_\w+",
)
PASSED = re.compile("|".join(PATTERNS))


def of(definitions: Definitions, *values: Any, **ours: str) -> dict[str, str]:
    """Return what a notebook sees of the environment.

    That is what Python needs, what a source or one of `values` names, and `ours`.
    """
    named = {}
    for name in _names(definitions, values):
        if name in os.environ:
            named[name] = os.environ[name]
    return passed() | named | ours


def passed() -> dict[str, str]:
    """Return what every notebook sees of the environment, whatever the company."""
    kept = {name: value for name, value in os.environ.items() if PASSED.fullmatch(name)}
    return kept | {"DATAOPS_NB_REFRESH": "1", "PYTHONHASHSEED": "0"}


def places(wb: Workbench) -> dict[str, str]:
    """Return the variables by which a notebook finds its workbench."""
    return {
        "DATAOPS_WORKBENCH": str(wb.root.resolve()),
        "DATAOPS_DATA": str(wb.data.resolve()),
        "DATAOPS_OUT": str(wb.out.resolve()),
        "DATAOPS_WHATIF": wb.whatif,
    }


def secrets(definitions: Definitions, *values: Any) -> list[str]:
    """Return what must not be published.

    Values that are named as `env:NAME`, those that mails and messages are sent with, urls in the
    definitions that hold a password, and the passwords in all of these by themselves.
    """
    secret_values = []
    for name in dict.fromkeys([*_names(definitions, values), *DELIVERY]):
        if os.environ.get(name):
            secret_values.append(os.environ[name])
    for url in _urls(definitions):
        if passwords_in(url):
            secret_values.append(url)
    passwords = []
    for value in secret_values:
        passwords += passwords_in(value)
    return list(dict.fromkeys([*secret_values, *passwords]))


def _names(definitions: Definitions, values: Iterable[Any]) -> list[str]:
    """Return the variables that sources and `values` name as `env:NAME`."""
    names = set()
    for value in [*_urls(definitions), *values]:
        match = VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if match:
            names.add(match[1])
    return sorted(names)


def _urls(definitions: Definitions) -> list[str]:
    return [source.url or "" for source in definitions.company.sources.values()]
