"""What a notebook sees of the environment, and what must never be seen of it: secrets stand only in variables.

A source or a parameter names a secret as `env:NAME`. The notebook gets that variable and no other of the user's; its
value is looked for in everything that would be published.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from dataops_nb.definitions import passwords
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import UsageError

OURS = "SMTP_URL", "SLACK_WEBHOOK"
DELIVERY = tuple(f"DATAOPS_{name}" for name in OURS)
PASSED = re.compile(
    r"(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|APPDATA|LOCALAPPDATA|USERPROFILE|"
    r"PYTHON\w*|VIRTUAL_ENV|CONDA_\w+|LD_LIBRARY_PATH|XDG_\w+|JUPYTER_\w+|IPYTHONDIR|MPL\w*|SSL_CERT_\w+|"
    r"OMP_\w+|OPENBLAS_\w+|MKL_\w+|JAVA_HOME|SPARK_\w+|PYSPARK_\w+|HADOOP_\w+|COVERAGE_\w+|"
    rf"(?!{'|'.join(DELIVERY)})DATAOPS_\w+)"
)
_NAMED = re.compile(r"env:([A-Za-z_]\w*)")
_SECRET = re.compile(r"passw|passphrase|secret|token|api_?key|credential|private_?key", re.IGNORECASE)


def environment(definitions: Definitions, *values: Any, **ours: str) -> dict[str, str]:
    """What a notebook sees of the environment: what Python needs, ours, and what a source or one of `values` names."""
    named = {name: os.environ[name] for name in _names(definitions, values) if name in os.environ}
    return passed() | named | ours


def passed() -> dict[str, str]:
    """What every notebook sees of the environment, whatever the company."""
    kept = {name: value for name, value in os.environ.items() if PASSED.fullmatch(name)}
    return kept | {"DATAOPS_NB_REFRESH": "1", "PYTHONHASHSEED": "0"}


def secrets(definitions: Definitions, *values: Any) -> list[str]:
    """What must not be published: values that are named as `env:NAME`, and a password in them by itself.

    Also those that our own delivery of mail and messages needs, and the passwords of urls that stand in the file.
    """
    names = [*_names(definitions, values), *DELIVERY]
    found = [os.environ[name] for name in dict.fromkeys(names) if os.environ.get(name)]
    written = [
        url for source in definitions.company.sources.values() if (url := source.url or "") and passwords.inside(url)
    ]
    inside = [hit for value in [*found, *written] for hit in passwords.inside(value)]
    return list(dict.fromkeys([*found, *written, *inside]))


def refuse_plain_secrets(parameters: Mapping[str, Any], where: str) -> None:
    """UsageError where a parameter that is called like a secret holds one, instead of naming it."""
    for name, value in parameters.items():
        if _SECRET.search(name) and isinstance(value, str) and value and not _NAMED.fullmatch(value):
            hint = "name the variable that holds it, as in env:DB_PASSWORD"
            raise UsageError(f"{where}: parameter {name!r} is called like a secret; {hint}")


def _names(definitions: Definitions, values: Iterable[Any]) -> list[str]:
    said = [*(source.url or "" for source in definitions.company.sources.values()), *values]
    return sorted({hit[1] for value in said if isinstance(value, str) and (hit := _NAMED.fullmatch(value))})
