"""What a run found in each file, and the bytes that it depended on: the next run looks only at what changed."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from pitfall_lint import run
from pitfall_lint.cache import Signature, Store, digest, is_settled, signature, tool
from pitfall_lint.linter import Known
from pitfall_lint.run import FileReport, Linter, shown_path
from pitfall_lint.semantic.coroutine_names import coroutines_of
from pitfall_lint.semantic.lineage import Kin, kin_of
from pitfall_lint.source import Source

Owners = dict[str, tuple[str, ...]]
"""Coroutine functions, with the classes whose methods they are."""
Told = tuple[Owners, Kin]
"""What all files have to know of one: its coroutine functions and its classes."""
Entry = tuple[bytes, Told, dict[str, bytes], tuple[str, ...], str, bytes, "Signature | None"]
"""Of one file: its bytes (hashed), what all files have to know of it, the other files that its report depends on
(hashed), the files it imports, what it tells those who import it (hashed), its report, and its signature if a later
change
would show in it: then it need not be read."""

_ABSENT, _FOLDER = b"-", b"/"


class Memory:
    """The files of one way to run. `conditions` is plain data; `inputs` are files on which everything depends."""

    def __init__(self, conditions: object, inputs: Iterable[str], files: Iterable[str]) -> None:
        self._name = "files-" + digest(tool(), repr(conditions))
        self._state = digest(sorted((path, signature(path)) for path in set(inputs)), sorted(files))
        found = Store().read(self._name)
        valid = isinstance(found, tuple) and len(found) == 2 and found[0] == self._state
        self._entries: dict[str, Entry] = found[1] if valid else {}
        self._hashes: dict[str, bytes] = {}
        self._told: dict[str, Told] = {}
        self._signatures: dict[str, Signature | None] = {}

    def recall(self, paths: Iterable[str], linter: Linter) -> dict[int, FileReport]:
        """Return what is known of files, by their place in the run: where nothing changed that mattered."""
        paths = list(paths)
        changed = []
        for path in paths:
            entry = self._entries.get(path)
            if entry is not None and entry[6] is not None and entry[6] == signature(path):
                self._hashes[path] = self._hashes[os.path.abspath(path)] = entry[0]  # others name it by that
                self._told[path], self._signatures[path] = entry[1], entry[6]
                continue
            data = self._read(path)
            if entry is not None and entry[0] == self._hashes[path]:
                self._told[path] = entry[1]
                continue
            self._told[path] = (_owners(data), kin_of(data))
            changed.append(path)
            if entry is None or _matters(entry[1], self._told[path], len(paths)):
                self._entries = {}  # coroutine functions or classes came or went: any file may use one
        if not self._entries:
            return {}
        if len(paths) >= run.MANY:  # what files tell is to be told as it was: by who knows all coroutine functions
            linter.learn([(0, path, Source(path, b"")) for path in changed], self.told())
        stale = self._stale(changed, linter)
        known = {}
        for index, path in enumerate(paths):
            entry = self._entries.get(path)
            if entry is None or path in stale or any(self._hash(other) != was for other, was in entry[2].items()):
                continue
            known[index] = self._report(path, entry[5])
        return known

    def told(self) -> Known:
        """Return the coroutine functions and classes of all files that were recalled or looked for."""
        names: dict[str, set[str]] = {}
        for owners, _ in self._told.values():
            for name, classes in owners.items():
                names.setdefault(name, set()).update(classes)
        kin = [(os.path.abspath(path), kin) for path, (_, kin) in self._told.items()]
        return {name: frozenset(classes) for name, classes in names.items()}, kin

    def _stale(self, changed: list[str], linter: Linter) -> set[str]:
        """Return the files that changed, and those that import one which tells them something else now."""
        importers: dict[str, list[str]] = {}
        for path, entry in self._entries.items():
            for other in entry[3]:
                importers.setdefault(other, []).append(path)
        stale = set(changed)
        while changed:
            path = changed.pop()
            if linter.facts(path) != self._entries[path][4]:
                new = [other for other in importers.get(os.path.abspath(path), ()) if other not in stale]
                stale.update(new)
                changed.extend(new)
        return stale

    def keep(
        self, paths: Iterable[str], linter: Linter, reports: Mapping[int, FileReport], known: Iterable[int]
    ) -> None:
        """Store what was found; files that failed are looked at again next time."""
        paths, old = list(paths), set(known)
        inside = {os.path.abspath(path) for path in paths}
        entries: dict[str, Entry] = {}
        for index, path in enumerate(paths):
            if index in old:
                entries[path] = (*self._entries[path][:6], self._signatures.get(path))
                continue
            report = reports.get(index)
            if report is not None and (report.failure or report.errors or report.notes):
                continue
            imports = linter.imports_of(path)
            others = {other for other in imports if other not in inside} | (
                report.used if report is not None else set()
            )
            others.discard(os.path.abspath(path))
            kept = {other: self._hash(other) for other in others}
            facts = linter.facts(path)
            was = self._signatures.get(path)
            entries[path] = (self._hash(path), self._told[path], kept, imports, facts, _packed(report), was)
        Store().write(self._name, (self._state, entries))

    def _read(self, path: str) -> bytes:
        was = signature(path)
        self._signatures[path] = was if is_settled(was, time.time_ns()) else None
        try:
            with open(path, "rb") as stream:
                data = stream.read()
        except OSError:
            data = b""
        self._hashes[path] = self._hashes[os.path.abspath(path)] = blake2b(data, digest_size=12).digest()
        return data

    def _hash(self, path: str) -> bytes:
        found = self._hashes.get(path)
        if found is None:
            if os.path.isfile(path):
                self._read(path)
                return self._hashes[path]
            found = self._hashes[path] = _FOLDER if os.path.isdir(path) else _ABSENT
        return found

    def _report(self, path: str, packed: bytes) -> FileReport:
        if not packed:
            return FileReport(shown_path(path))
        report = pickle.loads(packed)  # signed with the user's own key, see cache.Store
        assert isinstance(report, FileReport)
        return report


def _packed(report: FileReport | None) -> bytes:
    return (
        pickle.dumps(report, pickle.HIGHEST_PROTOCOL) if report is not None and (report.speaks or report.used) else b""
    )


def _matters(before: Told, now: Told, files: int) -> bool:
    """Tell whether what all files have to know of one has changed; classes are asked for where files are many."""
    return before != now if files >= run.MANY else before[0] != now[0]


def _owners(data: bytes) -> Owners:
    if b"async" not in data:
        return {}
    return {name: tuple(sorted(classes)) for name, classes in coroutines_of(data).items()}
