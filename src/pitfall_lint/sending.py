"""Closer looks by somebody else's processes: files are sent in parcels to whatever executor is handed over.

What a parcel did not hold is asked for and sent, so that the findings are those of one process.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from pathlib import Path

from pitfall_lint import __version__, libraries, run, timing, versions
from pitfall_lint.linter import Answer, Job, Linter
from pitfall_lint.parcel import Opened, Parcel, open_parcel, packed, renamed
from pitfall_lint.report import FileReport
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source
from pitfall_lint.workers import Crash, Unfit, Workers, can_fork

_AT_ONCE = 64
"""Parcels that wait at the executor: enough for many machines, and little to hold in memory."""
_LINES = 1500
"""Lines that LibCST reads for one parcel, about."""
_BESIDE = 1_000_000
"""Bytes of imported modules that travel with a parcel unasked."""
_ROUNDS = 4
"""How often a file is sent again with what was missing; after that it is linted here."""


def lint_with(
    executor: Executor, paths: Sequence[str], linter: Linter, jobs: Sequence[Job], said: dict[int, FileReport]
) -> timing.Figures:
    """Have files looked at by an executor; the reports go to `said`. Raises Unfit."""
    figures = timing.Figures()
    packer = _Packer(paths, linter)
    alone: list[Job] = []
    waiting = packer.batches(jobs)
    wanted: dict[int, set[str]] = {}
    for _ in range(_ROUNDS):
        again: list[list[Job]] = []
        parcels = (packer.pack(batch, wanted) for batch in waiting)
        for number, opened in _answers(executor, parcels):
            batch = waiting[number]
            if isinstance(opened, Crash):
                if len(batch) > 1:
                    again += [[job] for job in batch]
                else:  # it killed more than one worker already, or there is none left
                    alone += batch
                continue
            if opened.figures is not None:
                figures.add(opened.figures)
            late = []
            for job in batch:
                lacking = {*opened.lacking.get(job[0], ()), *packer.overlooked(opened.reports[job[0]])}
                if lacking - wanted.get(job[0], set()):
                    wanted.setdefault(job[0], set()).update(lacking)
                    late.append(job)
                else:
                    said[job[0]] = linter.hidden(renamed(opened.reports[job[0]], run.shown_path, os.path.relpath))
            if late:
                again.append(late)
        waiting = again
        if not waiting:
            break
    alone += [job for batch in waiting for job in batch]
    if alone:
        work: Callable[[list[Job]], Answer] = linter.check_batch
        with Workers(1, functools.partial(run.get_ready, False), work, spawn=not can_fork()) as workers:
            figures.add(run.share([[job] for job in alone], linter, workers, said, helps=False))
    return figures


def _answers(executor: Executor, parcels: Iterator[Parcel]) -> Iterator[tuple[int, Opened | Crash]]:
    """Yield what comes of parcels, as it comes; they are packed as they are needed."""
    running: dict[Future[Opened], int] = {}
    numbered = enumerate(parcels)
    is_broken = False
    try:
        while True:
            while len(running) < _AT_ONCE and not is_broken and (next_ := next(numbered, None)) is not None:
                try:
                    running[executor.submit(open_parcel, next_[1])] = next_[0]
                except RuntimeError as error:  # it was shut down, or all its workers died
                    is_broken = True
                    yield next_[0], Crash(str(error))
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number = running.pop(future)
                failure = future.exception()
                if isinstance(failure, Unfit):
                    raise failure
                if isinstance(failure, ImportError):
                    raise Unfit(f"its workers cannot import pitfall-lint: {failure}")
                yield number, future.result() if failure is None else Crash(f"{type(failure).__name__}: {failure}")
    finally:
        for future in running:
            future.cancel()
    if is_broken:
        for number, _ in numbered:
            yield number, Crash("the executor is broken")


class _Packer:
    """Makes parcels: reads what files import, and knows what exists."""

    def __init__(self, paths: Sequence[str], linter: Linter) -> None:
        self.linter = linter
        self.known: dict[str, None] = dict.fromkeys(map(os.path.abspath, paths))
        self._folders: set[str] = set()
        self._rows: dict[int, bytes] = {}
        self.run = os.urandom(8).hex()
        for path in list(self.known):
            self._know(path)

    def _know(self, path: str) -> None:
        """Know that a file exists, and which folders around it are packages."""
        self.known[path] = None
        folder = os.path.dirname(path)
        while folder not in self._folders:
            self._folders.add(folder)
            init = os.path.join(folder, "__init__.py")
            if os.path.isfile(init):
                self.known[init] = None
            folder = os.path.dirname(folder)

    def batches(self, jobs: Sequence[Job]) -> list[list[Job]]:
        """Put jobs together that share their settings and take about as long."""
        found: dict[int, list[list[Job]]] = {}
        sizes: dict[int, int] = {}
        for job in jobs:
            key = id(self.linter.settings(job[1]))
            if key not in found or sizes[key] > _LINES:
                found.setdefault(key, []).append([])
                sizes[key] = 0
            found[key][-1].append(job)
            sizes[key] += run.weight(job)
        return [batch for batches in found.values() for batch in batches]

    def pack(self, batch: list[Job], wanted: dict[int, set[str]]) -> Parcel:
        """Return a parcel with the files, what they import as far as it is small, and what is known to be wanted."""
        settings = self.linter.settings(batch[0][1])
        project = self.linter.project(settings)
        texts: dict[str, bytes] = {}
        for job in batch:
            for path in (os.path.abspath(job[1]), *sorted(wanted.get(job[0], ()))):
                self._take(path, project, texts)
        size, level = 0, list(texts)
        while level and size < _BESIDE:
            following = []
            for path in level:
                for other in project.imported_by(Source(path, texts[path])):
                    if other not in texts and size < _BESIDE:
                        size += len(self._take(other, project, texts))
                        following.append(other)
            level = [path for path in following if path in texts]
        root = Path(settings.root) if settings.file else None
        folders = dict.fromkeys(map(os.path.dirname, texts))
        return Parcel(
            __version__,
            self.run,
            settings,
            self.linter.task,
            timing.CLOCK is not None,
            tuple((index, os.path.abspath(path), rules) for index, path, rules in batch),
            packed(texts),
            self._existing(),
            self._packed_rows(project.libraries),
            {folder: versions.project_versions(Path(folder), settings.versions, root) for folder in folders},
        )

    def _take(self, path: str, project: Project, texts: dict[str, bytes]) -> bytes:
        data = project.read(path)
        if data is None:
            return b""
        texts[path] = data
        self._know(path)
        return data

    def overlooked(self, report: FileReport) -> Iterator[str]:
        """Yield what exists, though the one who made a report could not know it."""
        for path in report.used:
            if path.endswith(".py"):
                if path not in self.known and os.path.isfile(path):
                    yield path
            elif path not in self._folders and os.path.isdir(path):
                for top, _, names in os.walk(path):
                    for name in names:
                        if name.endswith(".py"):
                            self._know(os.path.join(top, name))
                yield path

    def _existing(self) -> bytes:
        return _packed_paths(tuple(self.known))

    def _packed_rows(self, rows: libraries.Libraries) -> bytes:
        if id(rows) not in self._rows:
            self._rows[id(rows)] = packed(libraries.plain(rows))
        return self._rows[id(rows)]


@functools.lru_cache(maxsize=4)
def _packed_paths(paths: tuple[str, ...]) -> bytes:
    return packed(paths)
