"""Recall: sources that are as they were are not read again; what a run before found out about them is taken over.

A source is asleep while all that is asked of it is known from before, and awake - really loaded, with all around it - from
the first question that is new. Nothing that has a fault is ever kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from dataops_nb.sources.evidence import Notice, Raw
from dataops_nb.sources.files import find_files
from dataops_nb.sources.identity import Identity
from dataops_nb.sources.keeping import Kept
from dataops_nb.sources.states import State, around, digest, digest_frames, find_state, is_steady, software

if TYPE_CHECKING:
    from dataops_nb.sources.loading import Loaded, Shelf


class Recall:
    """What is known from runs before about the sources of one shelf."""

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self._shelf = shelf
        self._kept = Kept(folder)
        self._states: dict[str, State | None] = {}
        self._known: dict[str, Identity] | None = None
        self._awake: set[str] = set()
        self._asleep: dict[str, dict[str, Any]] = {}
        self._zone = digest("zone", software(), duckdb.__version__, shelf.zone, shelf.as_of.isoformat())
        shelf.steps.usable = self._kept.text(self._zone)

    def close(self) -> None:
        """Let go of the memory."""
        self._kept.close()

    def is_embedded(self, name: str) -> bool | None:
        """Whether a source that is asleep stands in the embedded DuckDB; None for one that is awake."""
        return self._asleep[name]["embedded"] if name in self._asleep else None

    def load(self, loaded: Loaded) -> bool:
        """Fill in a source as it was found before; False where it must be read."""
        name = loaded.name
        state = None if name in self._awake else self._state(name)
        known = self._kept.text(digest("source", state.key)) if state else None
        if known is None:
            self.wake([name])
            return False
        self._asleep[name] = known
        loaded.typed = Raw("", "", known["columns"], rows=known["rows"])
        loaded.notices = [Notice(*each) for each in known["notices"]]
        loaded.files = find_files(self._shelf.sources[name].path or "", self._shelf.data, self._shelf.as_of).files
        loaded.place, loaded.referenced = known["place"], True
        return True

    def keep(self, loaded: Loaded, *, embedded: bool) -> None:
        """Keep what loading a source has found out."""
        state = self._sound(loaded.name)
        if state is None or loaded.typed is None:
            return
        notices = [[each.source, each.text, each.count] for each in loaded.notices]
        known = {"columns": loaded.typed.columns, "rows": loaded.typed.rows, "notices": notices}
        self._kept.put_text(digest("source", state.key), known | {"place": loaded.place, "embedded": embedded})

    def wake(self, names: Iterable[str]) -> None:
        """See to it that these sources, and all around them, are really loaded when they are next looked at."""
        for name in names:
            for each in around(self._shelf, name):
                self._awake.add(each)
                if self._asleep.pop(each, None) is not None:
                    self._shelf.loaded.pop(each, None)

    def fact(self, name: str, what: str, find: Callable[[], Any]) -> Any:
        """Something about a source, in JSON's terms: as it was found before, or as `find` says."""
        state = self._state(name)
        key = digest("fact", state.key, what) if state else ""
        known = self._kept.text(key) if state else None
        if known is not None:
            return known[0]
        self._shelf.rouse(name)
        found = find()
        if self._sound(name) is not None:
            self._kept.put_text(key, [found])
        return found

    def frame(self, names: Iterable[str], written: str, frames: dict[str, pd.DataFrame]) -> pd.DataFrame | None:
        """The result of a query over these sources and frames, where it is known."""
        key = self._key(names, written, frames)
        return self._kept.frame(key) if key else None

    def put_frame(
        self, names: Iterable[str], written: str, frames: dict[str, pd.DataFrame], result: pd.DataFrame
    ) -> None:
        """Keep the result of a query, where all that it was made from is sound."""
        listed = list(names)
        key = self._key(listed, written, frames)
        if key and all(self._sound(name) is not None for name in listed):
            self._kept.put_frame(key, result)
            if self._shelf.steps.usable is not None:
                self._kept.put_text(self._zone, self._shelf.steps.usable)

    def _key(self, names: Iterable[str], written: str, frames: dict[str, pd.DataFrame]) -> str:
        states = [self._state(name) for name in sorted(set(names))]
        if not states or not is_steady(written) or any(state is None for state in states):
            return ""
        return digest("query", written, digest_frames(frames), *(state.key for state in states if state))

    def _state(self, name: str) -> State | None:
        if name not in self._states:
            if self._known is None:
                self._known = self._kept.identities()
            self._states[name] = find_state(self._shelf, self._kept, name, self._known)
        return self._states[name]

    def _sound(self, name: str) -> State | None:
        """The state of a source without faults, its own or around it, whose files are still what they were; else None."""
        state = self._state(name)
        loaded = [self._shelf.loaded.get(each) for each in around(self._shelf, name)]
        if state is None or any(one is not None and one.faults for one in loaded) or not state.still_holds():
            return None
        return state
