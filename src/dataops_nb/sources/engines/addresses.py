"""The address behind a source's `url:`: read from the environment where it says so, and shown without its secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dataops_nb.definitions import passwords
from dataops_nb.definitions.passwords import ENV
from dataops_nb.errors import DataError, Fault, did_you_mean

HIDDEN = "***"


@dataclass(frozen=True)
class Address:
    """A url that was resolved: its scheme, what follows the colon, and how it may be shown."""

    url: str
    data: Path

    @property
    def scheme(self) -> str:
        """What stands before the colon, in lower case: `postgresql+psycopg`, `sqlite`, `duckdb`, `spark`."""
        return self.url.partition(":")[0].lower()

    @property
    def rest(self) -> str:
        """What follows the colon."""
        return self.url.partition(":")[2]

    @property
    def shown(self) -> str:
        """The url as it may stand in a message or on a page."""
        return redact(self.url)

    @property
    def path(self) -> Path:
        """The file behind `sqlite:shop.db`, or `sqlite:///shop.db`; relative ones start at the data folder."""
        named = self.rest.partition("?")[0]
        named = named.removeprefix("///") if named.startswith("///") else named.removeprefix("//")
        return self.data / named

    @property
    def secrets(self) -> list[str]:
        """What no message may hold: the url itself, and the passwords in it, also as they are written without escapes."""
        found = passwords.inside(self.url)
        return [self.url, *found] if found else []

    def say(self, message: str) -> str:
        """A message without the secrets of this address, however a driver worded it."""
        for secret in self.secrets:
            message = message.replace(secret, self.shown if secret == self.url else HIDDEN)
        return redact(message)


def fault_of_file(path: Path) -> str:
    """Why no database can be in a file; empty where one can."""
    if not path.is_file():
        others = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        return "is a folder" if path.is_dir() else f"does not exist{did_you_mean(path.name, others)}"
    return "" if path.stat().st_size else "is empty (0 bytes)"


def redact(text: str) -> str:
    """A text in which every password of a url, and every parameter that looks like a secret, is hidden."""
    return passwords.PARAMETER.sub(rf"\1{HIDDEN}", passwords.BEFORE_HOST.sub(rf"\1:{HIDDEN}@", text))


def resolve(source: str, declared: str, data: Path, known: Mapping[str, str] | None = None) -> Address:
    """The address that a source declares; `env:NAME` is read from the environment. Raises DataError where it is not set."""
    if not declared.startswith(ENV):
        return Address(declared, data)
    name = declared.removeprefix(ENV).strip()
    value = (os.environ if known is None else known).get(name, "").strip()
    if not value:
        raise DataError([Fault(source, f"url: {declared}: the environment variable {name} is not set")])
    return Address(value, data)
