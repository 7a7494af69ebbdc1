"""What a run found in each file and learnt of it: the next one looks only at what changed, and at whom that matters to.

A file is looked at again when its text changed, when something that it names may be something else now (echoing),
when a module passes on something else to it, or when a file changed that was read to judge it.
"""

from __future__ import annotations

import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from pitfall_lint import run, touched
from pitfall_lint.cache import Signature, Store, digest, is_settled, signature, tool
from pitfall_lint.echoing import Echo, Everything
from pitfall_lint.linter import told_of
from pitfall_lint.pile import Pile
from pitfall_lint.plain import plain_findings, report_of
from pitfall_lint.run import FileReport, Linter, shown_path
from pitfall_lint.semantic.wants import Want, plain_want, want_of
from pitfall_lint.touched import is_same_code


class Row(NamedTuple):
    """What is known of one file at once; the rest lies in the pile, and all paths are absolute."""

    hash: bytes
    signature: Signature | None
    """None if a later change might not show in it: then the file is read."""
    imports: tuple[str, ...]
    used: tuple[str, ...]
    """The other files that its report depends on."""
    speaks: bool
    """Whether there is something to tell."""
    points: tuple[str, ...]
    """The other files to places in which that points."""
    failed: bool


_ABSENT, _FOLDER = b"-", b"/"
_ALL = "*"
"""The name of the piece that tells of all files' coroutine functions and classes."""
_ROUNDS = 8
_MOST = 50
"""Changed files, beside a fifth of all, from which on it is no more work to look at everything."""


class Memory:
    """The files of one way to run. `conditions` is plain data; `inputs` are files on which everything depends."""

    def __init__(self, conditions: object, inputs: Iterable[str], files: Iterable[str]) -> None:
        self._name = "files-" + digest(tool(), repr(conditions))
        self.texts = f"texts-{self._name}"
        """The name of what is kept of the files in which nothing was found."""
        self._state = digest(sorted((path, signature(path)) for path in set(inputs)))
        self._files = dict.fromkeys(map(os.path.abspath, files))
        found = Store().read(self._name)
        valid = isinstance(found, tuple) and len(found) == 4 and found[0] == self._state
        rows, outside, where = found[1:] if valid else ({}, {}, {})
        self._rows: dict[str, Row] = {path: Row(*row) for path, row in rows.items()}
        self._outside: dict[str, tuple[bytes, bool]] = outside
        """What was read, or looked for, beside these files: hashed, and whether what it tells may matter to all."""
        self._pile = Pile(self._name, where)
        self._hashes: dict[str, bytes] = {}
        self._signatures: dict[str, Signature | None] = {}
        self._same: set[str] = set()
        """Files that changed in nothing but layout and comments."""
        self._again: set[str] = set()
        """Files of which it was asked again what wakes in them, and what they pass on."""
        self._stale: set[str] = set()
        self._has_taught = False
        self.woken: dict[str, Mapping[str, tuple[int, ...]]] = {}
        """The lines that each rule has to look at, of files that are looked at again only because others changed."""

    def recall(self, paths: Iterable[str], linter: Linter) -> dict[int, FileReport]:
        """Return what is known of files, by their place in the run: where nothing changed that mattered."""
        changed = [path for path in self._files if self._has_changed(path)]
        gone = self._rows.keys() - self._files.keys()
        if not self._rows or len(changed) + len(gone) > _MOST + len(self._files) // 5:
            self._rows = {}
            return {}
        try:
            return self._recall(paths, changed, gone, linter)
        except Everything:
            self._rows, self._stale, self._again, self.woken = {}, set(), set(), {}
            self._has_taught = False
            linter.believe(lambda path: None)
            return {}

    def _recall(
        self, paths: Iterable[str], changed: Sequence[str], gone: Iterable[str], linter: Linter
    ) -> dict[int, FileReport]:
        self._look_around(changed, gone, linter)
        known = {}
        for index, path in enumerate(map(os.path.abspath, paths)):
            if path not in self._stale and (report := self._report(path)) is not None:
                known[index] = report
        self.woken = {path: lines for path in self._stale - self._again if (lines := self._survey(path)[3]) is not None}
        if len(known) + len(self.woken) < len(self._files):
            self._teach(linter, changed)
        return known

    def _look_around(self, changed: Sequence[str], gone: Iterable[str], linter: Linter) -> None:
        """Find out which files have to be looked at again. Raises Everything."""
        moved = {path for path, (was, _) in self._outside.items() if self._hash(path) != was}
        if any(self._outside[path][1] for path in moved):
            raise Everything
        folders = {os.path.dirname(path): path for path in self._files}  # in each, the same settings hold
        alone = lru_cache(lambda: any(map(linter.asks_by_name_alone, folders.values())))
        echo = Echo(self._files, self._importers(changed, linter), _text, by_name_alone=alone)
        own: dict[str, set[str]] = {}
        shared: set[str] = set()
        for path in (*changed, *gone):
            before = self._text_before(path) if path in self._rows else None
            now = _text(path) if path in self._files else None
            if before is not None and now is not None and is_same_code(before, now):
                self._same.add(path)
            else:
                own[path], new = echo.edited(path, before, now)
                shared |= new
                moved.add(path)
                if before is None or now is None:
                    moved.add(path.removesuffix(".py"))  # what imports of it are asked for first
        quiet = {path for path in self._same if not self._rows[path].speaks and not self._rows[path].failed}
        again = (set(changed) - quiet) | echo.spread(own, shared)
        again |= {path for path, row in self._rows.items() if row.failed and path in self._files}
        for path, row in self._rows.items():
            if not moved.isdisjoint(row.used) or not self._same.isdisjoint(row.points):
                self._stale.add(path)
        self._stale |= again & {*moved, *self._same}
        self._again = again
        if again:
            self._teach(linter, changed)
            self._ask_again(echo, linter)

    def _ask_again(self, echo: Echo, linter: Linter) -> None:
        """Find out what files pass on now, and which of them, and of those that use it, are to be looked at."""
        pending, rounds = sorted(self._again), Counter[str]()
        while pending:
            path = pending.pop()
            rounds[path] += 1
            before = self._survey(path)[2] if path in self._rows else {}
            try:
                tells = linter.tells(path)
            except Exception as error:  # whoever looks at the file will tell
                raise Everything from error
            names = {name for name in tells.keys() | before.keys() if tells.get(name) != before.get(name)}
            for user in echo.users(path, names) if names else ():
                if user != path and rounds[user] < _ROUNDS:
                    linter.pass_anew(user)
                    self._again.add(user)
                    pending.append(user)
        for path in self._again:
            row = self._rows.get(path)
            if row is None or row.failed or linter.wake_lines(path) != self._survey(path)[3]:
                self._stale.add(path)

    def _teach(self, linter: Linter, changed: Iterable[str]) -> None:
        """Let the linter know what all files have to know of each other."""
        if self._has_taught:
            return
        self._has_taught = True
        linter.believe(lambda path: None if path in self._again else self._passed_before(path))
        if len(self._files) < run.MANY:
            return
        told = self._pile.read(_ALL)
        if not isinstance(told, dict):
            raise Everything
        fresh = {path: told_of(_text(path)) for path in changed}
        if self._rows.keys() == self._files.keys():  # else an import may lead elsewhere now
            linter.know_imports({path: row.imports for path, row in self._rows.items() if path not in fresh})
        linter.take(path_and_told for path_and_told in {**told, **fresh}.items() if path_and_told[0] in self._files)

    def keep(
        self, paths: Iterable[str], linter: Linter, reports: Mapping[int, FileReport], known: Iterable[int]
    ) -> None:
        """Store what was found; files that failed are looked at again next time."""
        old = set(known)
        rows: dict[str, Row] = {}
        names: dict[str, str] = {}
        for index, path in enumerate(map(os.path.abspath, paths)):
            report = reports.get(index) or FileReport(path)
            failed = bool(report.failure or report.errors or report.notes)
            is_fresh = path not in self._rows or path in self._again
            if is_fresh:
                self._pile.put(path, self._surveyed(path, linter, failed))
            elif path in self._same:
                self._pile.put(path, (*self._text_now(path), *self._survey(path)[1:3], None))
            imports = linter.imports_of(path) if is_fresh else self._rows[path].imports
            imports = tuple(names.setdefault(other, other) for other in imports)
            if index in old:
                row = self._rows[path]
                rows[path] = Row(self._hash(path), self._signatures.get(path), imports, *row[3:])
                continue
            if report.findings and not failed:
                self._pile.put(f"{path}:", plain_findings(report))
            rows[path] = Row(
                self._hash(path),
                self._signatures.get(path),
                imports,
                tuple(names.setdefault(other, other) for other in sorted(report.used) if other != path),
                bool(report.findings),
                tuple({os.path.abspath(r.path) for found in report.findings for r in found.related} - {path}),
                failed,
            )
        if linter.told:
            self._pile.put(_ALL, {path: told for path, told in linter.told.items() if path in rows})
        outside = self._look_outside(rows, linter)
        self._pile.keep_only({_ALL, *rows, *(f"{path}:" for path, row in rows.items() if row.speaks)})
        where = self._pile.write()
        pointed = {path for row in rows.values() for path in row.points}
        quiet = {path for path, row in rows.items() if not row.speaks and not row.failed} - pointed
        touched.keep(self.texts, {path: where[path] for path in quiet if path in where})
        Store().write(self._name, (self._state, {p: tuple(row) for p, row in rows.items()}, outside, where))

    def _look_outside(self, rows: Mapping[str, Row], linter: Linter) -> dict[str, tuple[bytes, bool]]:
        """Return, hashed, what files depend on beside each other."""
        found = {path: (self._hash(path), False) for row in rows.values() for path in row.used if path not in rows}
        pending = list({path for row in rows.values() for path in row.imports if path not in rows})
        while pending:
            path = pending.pop()
            if not found.get(path, (b"", False))[1]:
                found[path] = self._hash(path), True
                pending += [other for other in linter.imports_of(path) if other not in rows]
        return found

    def _surveyed(self, path: str, linter: Linter, failed: bool) -> tuple[Any, ...]:
        """Return the piece of a file: its text, what it passes on, what it tells, and what wakes in it."""
        if failed:
            return (*self._text_now(path), {}, {}, None)
        passed = {name: tuple(map(plain_want, wants)) for name, wants in linter.passed_on(path).items()}
        return (*self._text_now(path), passed, linter.tells(path), linter.wake_lines(path))

    def _survey(self, path: str) -> tuple[Any, ...]:
        found = self._pile.read(path)
        if not isinstance(found, tuple):
            raise Everything
        return found

    def _text_now(self, path: str) -> tuple[bytes | None]:
        """Return a file's text, packed; None when it is no longer the one that was looked at."""
        data = _text(path)
        return (zlib.compress(data, 1) if _hash_of(data) == self._hash(path) else None,)

    def _text_before(self, path: str) -> bytes:
        packed = self._survey(path)[0]
        if packed is None:
            raise Everything
        return zlib.decompress(packed)

    def _passed_before(self, path: str) -> dict[str, tuple[Want, ...]] | None:
        piece = self._pile.read(path) if path in self._rows else None
        return {name: tuple(map(want_of, wants)) for name, wants in piece[1].items()} if piece is not None else None

    def _importers(self, changed: Iterable[str], linter: Linter) -> Callable[[str], Iterable[str]]:
        found: dict[str, list[str]] = {}

        def importers(path: str) -> Iterable[str]:
            if not found:
                now = {path: linter.imports_of(path) for path in changed}
                for importer in self._files:
                    row = self._rows.get(importer)
                    for other in now.get(importer, row.imports if row is not None else ()):
                        found.setdefault(other, []).append(importer)
            return found.get(path, ())

        return importers

    def _has_changed(self, path: str) -> bool:
        row = self._rows.get(path)
        if row is not None and row.signature is not None and row.signature == signature(path):
            self._hashes[path], self._signatures[path] = row.hash, row.signature
            return False
        return self._hash(path) != row.hash if row is not None else True

    def _hash(self, path: str) -> bytes:
        found = self._hashes.get(path)
        if found is None:
            was = signature(path)
            self._signatures[path] = was if is_settled(was, time.time_ns()) else None
            if os.path.isfile(path):
                found = _hash_of(_text(path))
            else:
                found = _FOLDER if os.path.isdir(path) else _ABSENT
            self._hashes[path] = found
        return found

    def _report(self, path: str) -> FileReport | None:
        row = self._rows.get(path)
        if row is None or not row.speaks:
            return FileReport(shown_path(path), used=frozenset(row.used)) if row is not None else None
        findings = self._pile.read(f"{path}:")
        return report_of(shown_path(path), findings, _text(path), frozenset(row.used)) if findings else None


def _hash_of(data: bytes) -> bytes:
    return blake2b(data, digest_size=12).digest()


def _text(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""
