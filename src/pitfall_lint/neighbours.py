"""What was learnt of the modules around files that were named one by one: the next such file is told faster.

What a module passes on is believed as long as no file changed that was read in the run that found it out, and none
came that had been looked for. The named files themselves change; what was read of them is not kept.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping

from pitfall_lint.cache import Signature, Store, digest, is_settled, signature, tool
from pitfall_lint.linter import Linter
from pitfall_lint.semantic.project import read_bytes
from pitfall_lint.semantic.wants import PlainWant, Want, plain_want, want_of

Found = tuple[dict[str, "Signature | None"], dict[str, dict[str, tuple[PlainWant, ...]]]]
"""Of one run: the files that were read or looked for, and what modules passed on."""
_RUNS = 32
"""Runs that are kept."""


class Neighbours:
    """What earlier runs with the same settings learnt. `inputs` are files on which everything depends."""

    def __init__(self, conditions: object, inputs: Iterable[str]) -> None:
        self._name = "around-" + digest(tool(), repr(conditions))
        self._inputs = inputs
        self._runs: list[Found] | None = None
        self._state = ""
        self._valid: dict[int, bool] = {}
        self._signatures: dict[str, Signature | None] = {}
        self._started = time.time_ns()
        self._read: dict[str, Signature | None] = {}

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a module, and note that it was read."""
        if path not in self._read:
            self._read[path] = signature(path)
        return read_bytes(path)

    def passed_on(self, path: str) -> dict[str, tuple[Want, ...]] | None:
        """Return what a module passes on; None when that is not known."""
        for number, (files, passed) in enumerate(self._known()):
            if path in passed and self._holds(number, files):
                return {name: tuple(map(want_of, wants)) for name, wants in passed[path].items()}
        return None

    def keep(self, linter: Linter, files: Iterable[str]) -> None:
        """Take down what this run learnt, unless it read the named files as modules."""
        passed = linter.passings()
        if not passed or not self._read.keys().isdisjoint(map(os.path.abspath, files)):
            return
        if not all(is_settled(was, self._started) for was in self._read.values()):
            return
        looked_for: dict[str, Signature | None] = dict.fromkeys(linter.looked_for_in_vain())
        plain = {
            path: {name: tuple(map(plain_want, wants)) for name, wants in names.items()}
            for path, names in passed.items()
        }
        runs = [run for number, run in enumerate(self._known()) if self._valid.get(number, True)]
        Store().write(self._name, (self._state, [({**looked_for, **self._read}, plain), *runs[: _RUNS - 1]]))

    def _known(self) -> list[Found]:
        if self._runs is None:
            self._state = digest(sorted((path, signature(path)) for path in set(self._inputs)))
            found = Store().read(self._name)
            valid = isinstance(found, tuple) and len(found) == 2 and found[0] == self._state
            self._runs = found[1] if valid else []
        return self._runs

    def _holds(self, number: int, files: Mapping[str, Signature | None]) -> bool:
        if number not in self._valid:
            self._valid[number] = all(self._now(path) == was for path, was in files.items())
        return self._valid[number]

    def _now(self, path: str) -> Signature | None:
        if path not in self._signatures:
            self._signatures[path] = signature(path)
        return self._signatures[path]
