"""Lints, and mends, many files: in this process, in several, or in whatever executor is handed over."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from pitfall_lint import timing
from pitfall_lint.grading import graded as graded
from pitfall_lint.linter import Answer, Job, job_of, lines_of
from pitfall_lint.linter import Linter as Linter
from pitfall_lint.linter import read as read
from pitfall_lint.linter import shown_path as shown_path
from pitfall_lint.opening import open_project as open_project
from pitfall_lint.report import FileReport as FileReport
from pitfall_lint.report import Report as Report
from pitfall_lint.report import Task as Task
from pitfall_lint.source import Source, SourceError
from pitfall_lint.workers import Crash, Workers, can_fork
from pitfall_lint.workers import Unfit as Unfit

if TYPE_CHECKING:  # it is imported by whoever has one
    from concurrent.futures import Executor


class Remembers(Protocol):
    """What knows the findings of an earlier run."""

    def recall(self, paths: Sequence[str], linter: Linter) -> dict[int, FileReport]:
        """Return what is known of files, by their place in the run."""

    @property
    def woken(self) -> Mapping[str, Mapping[str, tuple[int, ...]]]:
        """The lines that each rule has to look at, by absolute path, as far as it is known."""

    def keep(
        self, paths: Sequence[str], linter: Linter, reports: Mapping[int, FileReport], known: Iterable[int]
    ) -> None:
        """Take down what was found; `known` are the places of what was recalled."""


MANY = 200
"""Files from which on syntax errors are looked for only in what the rules look at, and a second process pays."""
_BATCH = 1500
"""Lines that LibCST reads for one job of a worker, about."""
_SPAWNED = 6000
"""Lines for LibCST from which on new interpreters pay: each of them takes as long to start as 3,000 lines."""


def lint_paths(
    paths: Iterable[str],
    linter: Linter,
    progress: Callable[[int], None] = lambda done: None,
    *,
    jobs: int = 1,
    memory: Remembers | None = None,
    executor: Executor | None = None,
) -> Report:
    """Lint files; `progress` hears how many are done. The report's order is that of the paths.

    `jobs` is how many processes may work; 0 decides by the machine. Mending is done in this one. `memory` knows
    what an earlier run found. An `executor` gets all closer looks as parcels, which hold what they need
    to know. Raises Unfit when it cannot look at files.
    """
    paths = list(paths)
    said: dict[int, FileReport] = {}
    figures = timing.Figures()
    if memory is not None and not linter.mends:
        with timing.stage("cache"):
            said = memory.recall(paths, linter)
    known = frozenset(said)
    woken = memory.woken if memory is not None else {}
    if len(known) < len(paths):
        if linter.mends or (len(paths) < MANY and executor is None):
            for index, path in enumerate(paths):
                if index not in known:
                    lines = woken.get(os.path.abspath(path))
                    said[index] = linter.check_file(path, linter.awake(lines) if lines is not None else None)
                progress(index + 1)
        else:
            figures = _lint_many(paths, linter, said, progress, jobs or _processors(), executor, woken)
        if memory is not None and not linter.mends:
            with timing.stage("cache"):
                memory.keep(paths, linter, said, known)
    files = [said[index] for index in sorted(said) if said[index].speaks]
    return Report(files, len(paths), {path for file in said.values() for path in file.used}, figures=figures)


def _lint_many(
    paths: Sequence[str],
    linter: Linter,
    said: dict[int, FileReport],
    progress: Callable[[int], None],
    jobs: int,
    executor: Executor | None,
    woken: Mapping[str, Mapping[str, tuple[int, ...]]] = MappingProxyType({}),
) -> timing.Figures:
    """Lint what has not been said yet, in several processes; the reports go to `said`.

    Where something has been said, the linter knows what all files have to know of each other. `woken` tells for some
    files what is to be looked at.
    """
    work: Callable[[list[Job]], Answer] = linter.check_batch
    ready = partial(get_ready, timing.CLOCK is not None)
    few = len(paths) - len(said) < MANY  # then a process more is a waste
    forked = min(jobs, 8) - 1 if can_fork() and executor is None and not few else 0
    with Workers(forked, ready, work) as workers:
        surveyed = _survey(paths, linter, said, progress, woken)
        if executor is not None:
            from pitfall_lint import sending

            return sending.lint_with(executor, paths, linter, surveyed, said)
        batches = _batches(surveyed)
        linter.rest()
        gc.collect()  # what was read for the survey; from now on only what is young is looked at
        size = sum(size for _, size in batches)
        with _collecting_nothing():
            if jobs > 1 and size > _SPAWNED and not can_fork():
                with Workers(min(jobs, 8) - 1, ready, work, spawn=True) as spawned:
                    return share([batch for batch, _ in batches], linter, spawned, said)
            # A second process pays for its own import of LibCST only when there is enough to do.
            return share([batch for batch, _ in batches], linter, workers, said, helps=size > 2 * _BATCH)


@contextlib.contextmanager
def _collecting_nothing() -> Iterator[None]:
    """Leave it to the project to collect what it lets go of: all at once, and while it is young."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def share(
    batches: Sequence[list[Job]],
    linter: Linter,
    workers: Workers[list[Job], Answer],
    said: dict[int, FileReport],
    *,
    helps: bool = True,
) -> timing.Figures:
    """Have batches done by workers; the reports go to `said`. A file that kills its worker is told, and no other."""
    figures = timing.Figures()
    again: list[list[Job]] = []
    for number, answer in workers.run(batches, linter.check_batch, helps=helps):
        if not isinstance(answer, Crash):
            said.update(answer[0])
            if answer[1] is not None:
                figures.add(answer[1])
        elif len(batches[number]) > 1:
            again += [[job] for job in batches[number]]
        else:
            index, path, _ = batches[number][0]
            said[index] = FileReport(shown_path(path), failure=str(answer))
    if again:
        figures.add(share(again, linter, workers, said, helps=False))
    return figures


def _survey(
    paths: Sequence[str],
    linter: Linter,
    said: dict[int, FileReport],
    progress: Callable[[int], None],
    woken: Mapping[str, Mapping[str, tuple[int, ...]]],
) -> list[Job]:
    """Return what needs a closer look, with how many lines that is; what can be told at once goes to `said`."""
    sources: list[tuple[int, str, Source]] = []
    recalled = frozenset(said)
    with timing.stage("read"):
        for index, path in enumerate(paths):
            if index in recalled:
                continue
            try:
                source = Source(shown_path(path), read(path))
            except OSError as error:
                said[index] = FileReport(shown_path(path), failure=str(error.strerror or error))
                continue
            try:
                source.decoded()
            except SourceError:
                if index not in said:
                    said[index] = linter.check(source, path)
                continue
            sources.append((index, path, source))
    found: list[Job] = []
    with timing.stage("screen"):
        if not recalled:
            linter.learn(sources)
        waiting = {os.path.abspath(path): (index, path, source) for index, path, source in sources}
        done, order = 0, [*waiting]
        sources.clear()
        order.reverse()
        while order:
            if (next_ := waiting.pop(order.pop(), None)) is None:
                continue
            index, path, source = next_  # what is known of its lines goes with it
            done += 1
            if index in said:
                continue
            lines = woken.get(os.path.abspath(path))
            job = job_of(index, path, linter.wake(source, path)) if lines is None else (index, path, lines)
            if job[2]:
                found.append(job)
            progress(done)
            order += linter.begun(path)  # modules that this one imports: they are half known now
    return sorted(found, key=lambda job: job[0])


def _batches(jobs: Iterable[Job]) -> list[tuple[list[Job], int]]:
    """Put jobs together that take about as long."""
    batches: list[tuple[list[Job], int]] = []
    for job in jobs:
        size = weight(job)
        if not batches or batches[-1][1] > _BATCH:
            batches.append(([], 0))
        batches[-1] = ([*batches[-1][0], job], batches[-1][1] + size)
    return batches


def weight(job: Job) -> int:
    """Return about how many lines LibCST reads for a job."""
    lines = lines_of(job)
    return 60 * len(lines) if lines is not None else 500


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def get_ready(timed: bool) -> None:
    """Import what every closer look needs, while somebody else looks for the files that need one."""
    gc.disable()
    if timed:
        clock = timing.start()
        timing.listen()
        timing.listen_closely()
        clock.become("rest")
    import pitfall_lint.semantic.file  # noqa: F401
