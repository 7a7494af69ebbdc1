"""A parcel: some files and what has to be known to look at them, and nothing to run; opened on any machine.

Whoever opens one needs this program, and neither the linted tree nor its settings.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import pickle
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pitfall_lint import __version__, catalog, config, libraries, timing, versions
from pitfall_lint.compiled import load_catalog
from pitfall_lint.linter import Job, Linter, awake_of
from pitfall_lint.report import FileReport, Task
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source
from pitfall_lint.workers import Unfit

_ONE = threading.Lock()
"""An executor's worker may have threads; looking at files is no faster with two of them, and there is one clock."""


@dataclass(frozen=True)
class Parcel:
    """Some files of one project with what has to be known for them: plain data, a megabyte at most."""

    version: str
    run: str
    """What all parcels of one run have in common: what one of them brought need not be read again for the next."""
    settings: config.Settings
    task: Task
    timed: bool
    jobs: tuple[Job, ...]
    """What to look at, by absolute path: nobody knows what the folder is where a parcel is opened."""
    texts: bytes
    """The bytes of these files and of modules that they import, by absolute path; packed."""
    exist: bytes
    """The absolute paths of all of the project's files; packed."""
    rows: bytes
    """The library rows; packed."""
    versions: dict[str, versions.Versions] = field(repr=False)
    """What the project says about versions, by folder."""


@dataclass(frozen=True)
class Opened:
    """What came of a parcel."""

    reports: dict[int, FileReport]
    lacking: dict[int, frozenset[str]]
    """Files whose text was missing, by the number of the file that was looked at."""
    figures: timing.Figures | None


def packed(value: object) -> bytes:
    """Return plain data small enough to travel."""
    return zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), 1)


def open_parcel(parcel: Parcel) -> Opened:
    """Look at the files of a parcel: what an executor's worker does. Raises Unfit."""
    if parcel.version != __version__:
        raise Unfit(f"a worker runs pitfall-lint {__version__}, and this is {parcel.version}")
    with _ONE:
        before, clock = timing.CLOCK, None
        if parcel.timed:
            clock = timing.start()
            timing.listen()
            timing.listen_closely()
            clock.become("rest")
        try:
            reports, lacking = _look(parcel)
            return Opened(reports, lacking, clock.take() if clock is not None else None)
        finally:
            timing.CLOCK = before


def _look(parcel: Parcel) -> tuple[dict[int, FileReport], dict[int, frozenset[str]]]:
    texts: dict[str, bytes] = _unpacked(parcel.texts)
    project = _project(parcel, texts)
    linter = Linter(_rules(), _Fixed(parcel.settings), parcel.task)
    linter.adopt(parcel.settings, project)
    reports: dict[int, FileReport] = {}
    lacking: dict[int, frozenset[str]] = {}
    for job in parcel.jobs:
        index, path, _ = job
        project.lacking.clear()
        awake = awake_of(job, _rules())
        reports[index] = renamed(linter.check(Source(path, texts[path]), path, awake, syntax=False), os.path.abspath)
        lacking[index] = frozenset(project.lacking)
    return reports, lacking


def renamed(report: FileReport, name: Callable[[str], str], others: Callable[[str], str] | None = None) -> FileReport:
    """Return a report with other names for its file, and for those that explain it."""
    old, new, others = report.path, name(report.path), others or name

    def related(path: str) -> str:
        return new if path == old else others(path)

    return dataclasses.replace(
        report,
        path=new,
        findings=[
            dataclasses.replace(
                finding,
                path=new,
                related=tuple(dataclasses.replace(place, path=related(place.path)) for place in finding.related),
            )
            for finding in report.findings
        ],
        source=Source(new, report.source.data) if report.source is not None else None,
        notes=tuple(note.replace(old, new) for note in report.notes),
        errors=tuple(error.replace(old, new) for error in report.errors),
    )


_LAST: dict[tuple[str, config.Settings], _Sent] = {}
"""The project of the last parcel: the next one of the same run goes on with what was parsed."""


def _project(parcel: Parcel, texts: dict[str, bytes]) -> _Sent:
    key = (parcel.run, parcel.settings)
    project = _LAST.get(key)
    if project is None:
        _LAST.clear()
        project = _LAST[key] = _Sent(parcel)
    project.take(parcel, texts)
    return project


class _Fixed(config.Resolver):
    """Answers with the settings that came along."""

    def __init__(self, settings: config.Settings) -> None:
        self._settings = settings

    def for_file(self, path: str) -> config.Settings:
        return self._settings

    def for_folder(self, folder: str) -> config.Settings:
        return self._settings


class _Sent(Project):
    """A project of which only what came in a parcel is there, and the disk is never asked."""

    def __init__(self, parcel: Parcel) -> None:
        def allows(distribution: str, specifier: str, path: str) -> bool | None:
            found = self._versions.get(os.path.dirname(path))
            return found.within(distribution, specifier) if found is not None else None

        settings = parcel.settings
        super().__init__(_restored(parcel.rows), settings.root, settings.src, self._text, allows)
        self._texts: dict[str, bytes] = {}
        self._versions: dict[str, versions.Versions] = {}
        self._known: frozenset[str] = frozenset()
        self._folders: frozenset[str] = frozenset()
        self.lacking: set[str] = set()

    def take(self, parcel: Parcel, texts: dict[str, bytes]) -> None:
        """Know what another parcel of the same run brought, too."""
        for path in texts.keys() - self._texts.keys():
            self.forget(path)  # somebody may have asked for it in vain
        self._texts.update(texts)
        self._versions.update(parcel.versions)
        self._known, self._folders = _existing(parcel.exist)
        self._packages.clear()

    def _text(self, path: str) -> bytes | None:
        data = self._texts.get(path)
        if data is None and path in self._known:
            self.lacking.add(path)
        return data

    def is_namespace(self, name: str, asking: Any) -> bool:
        relative = name.replace(".", os.sep)
        return any(os.path.join(root, relative) in self._folders for root in self._roots(asking))

    def _is_top(self, root: str, name: str) -> bool:
        path = os.path.join(root, name)
        return path in self._folders or f"{path}.py" in self._known

    def _is_file(self, path: str) -> bool:
        return path in self._known


def _unpacked(data: bytes) -> Any:
    return pickle.loads(zlib.decompress(data))  # from whoever handed us this function to call: it is not more power


@functools.lru_cache(maxsize=1)
def _rules() -> catalog.Catalog:
    return load_catalog()


@functools.lru_cache(maxsize=4)
def _restored(rows: bytes) -> libraries.Libraries:
    return libraries.restored(_unpacked(rows))


@functools.lru_cache(maxsize=4)
def _existing(data: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Return the files that exist, and the folders around them."""
    files = frozenset(_unpacked(data))
    folders: set[str] = set()
    for path in files:
        folder = os.path.dirname(path)
        while folder not in folders:
            folders.add(folder)
            folder = os.path.dirname(folder)
    return files, frozenset(folders)
