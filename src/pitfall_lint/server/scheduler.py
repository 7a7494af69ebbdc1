"""When what is analysed: off the message loop, on one thread; what an edit overtakes is stopped."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from pitfall_lint.server.analysis import Analysis
from pitfall_lint.server.documents import Snapshot
from pitfall_lint.server.session import Session

log = logging.getLogger(__name__)
PAUSE = 0.4
"""Seconds without an edit after which everything is asked again."""


@dataclass
class _Running:
    key: tuple[int, int]
    stop: Event
    future: asyncio.Future[Analysis | None]


@dataclass
class Scheduler:
    """Knows which analysis of each document is current. All methods are for the message loop's thread."""

    session: Session
    snapshot_of: Callable[[str], Snapshot | None]
    publish: Callable[[str, Analysis], None]
    results: dict[str, Analysis] = field(default_factory=dict)
    shown: dict[str, Analysis] = field(default_factory=dict)
    """What was published last, or would have been if the client did not pull."""
    edits: dict[str, int] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    on_dependents: Callable[[], None] = lambda: None
    """Told when findings of other documents than the edited one may have changed."""
    _running: dict[str, _Running] = field(default_factory=dict)
    _dirty: set[str] = field(default_factory=set)
    _loops: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _pauses: dict[str, asyncio.TimerHandle] = field(default_factory=dict)
    _settling: dict[str, Event] = field(default_factory=dict)
    _concerned: set[str] = field(default_factory=set)
    _later: asyncio.TimerHandle | None = None
    _is_down: bool = False
    _worker: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="pitfall-lint")
    )

    def key(self, uri: str) -> tuple[int, int]:
        """Return what changes whenever the findings of a document may change."""
        return self.edits.get(uri, 0), self.epochs.get(uri, 0)

    def edited(self, uri: str, path: str, *, lint: bool = True, urgent: bool = True) -> None:
        """Note that a document has another text; what depends on it is looked at again once typing pauses."""
        self.edits[uri] = self.edits.get(uri, 0) + 1
        if urgent:
            self._make_way(uri)
        concerned = self._dependents([path], uri)
        for each in concerned:
            self.epochs[each] = self.epochs.get(each, 0) + 1
        self._concerned.update(concerned)
        if self._concerned:
            if self._later is not None:
                self._later.cancel()
            self._later = asyncio.get_running_loop().call_later(PAUSE, self._look_at_concerned)
        if lint:
            self.schedule(uri)

    def _make_way(self, uri: str) -> None:
        """Stop long work on other documents: it begins again behind that on the edited one."""
        for other, running in self._running.items():
            if other != uri:
                running.stop.set()
        for other, stop in self._settling.items():
            if other != uri:
                stop.set()

    def _look_at_concerned(self) -> None:
        self._later = None
        concerned, self._concerned = self._concerned, set()
        for uri in concerned:
            if uri in self.results:
                self.schedule(uri)
        if concerned:
            self.on_dependents()

    def _dependents(self, paths: Iterable[str], but: str = "") -> list[str]:
        names = set(paths)
        self.session.changed.update(names)
        stems = {os.path.splitext(path)[0] for path in names} | {os.path.dirname(path) for path in names}
        return [
            uri
            for uri, analysis in self.results.items()
            if uri != but and not (names | stems).isdisjoint(analysis.used)
        ]

    def touched(self, paths: Iterable[str], but: str = "") -> None:
        """Note that files changed; open documents that depend on them are analysed again."""
        self.invalidate(self._dependents(paths, but))

    def invalidate(self, uris: Iterable[str]) -> None:
        """Analyse documents again although their own text is the same."""
        concerned = list(uris)
        for uri in concerned:
            self.epochs[uri] = self.epochs.get(uri, 0) + 1
            self.schedule(uri)
        if concerned:
            self.on_dependents()

    def closed(self, uri: str, path: str) -> None:
        """Forget a document."""
        self._dirty.discard(uri)
        self._unsettle(uri)
        self.results.pop(uri, None)
        self.shown.pop(uri, None)
        if (running := self._running.pop(uri, None)) is not None:
            running.stop.set()
        self.session.close(uri)
        self.touched([path], but=uri)
        self.edits[uri] = self.edits.get(uri, 0) + 1  # whatever still runs is of no interest

    def schedule(self, uri: str) -> None:
        """See to it that the findings of a document are published once they are known.

        The first edit is looked at right away; those that come meanwhile are taken together.
        """
        self._dirty.add(uri)
        self._unsettle(uri)
        if uri not in self._loops:
            self._begin(uri, self._keep_up(uri))

    def _begin(self, uri: str, work: Coroutine[None, None, None]) -> None:
        task = self._loops[uri] = asyncio.ensure_future(work)
        task.add_done_callback(lambda done: self._ended(uri, done))

    def _ended(self, uri: str, done: asyncio.Task[None]) -> None:
        self._loops.pop(uri, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("analysing %s failed", uri, exc_info=error)
        if uri in self._dirty and not self._is_down:
            self.schedule(uri)

    async def _keep_up(self, uri: str) -> None:
        while uri in self._dirty:
            self._dirty.discard(uri)
            analysis = await self.analysis(uri)
            if analysis is None or analysis.snapshot.key != self.key(uri):
                continue
            self._show(uri, analysis)
            if analysis.is_quick and uri not in self._dirty:
                self._wait(uri, analysis)

    def _show(self, uri: str, analysis: Analysis) -> None:
        self.shown[uri] = analysis
        self.publish(uri, analysis)

    def _unsettle(self, uri: str) -> None:
        """Typing goes on: what was to be asked in its pause can wait."""
        if (timer := self._pauses.pop(uri, None)) is not None:
            timer.cancel()
        if (stop := self._settling.pop(uri, None)) is not None:
            stop.set()

    def _pause(self, uri: str, quick: Analysis) -> None:
        self._pauses.pop(uri, None)
        if uri not in self._loops and self.key(uri) == quick.snapshot.key:
            self._begin(uri, self._settle(uri, quick))

    async def _settle(self, uri: str, quick: Analysis) -> None:
        """Ask everything again, and publish it if that makes a difference."""
        stop = self._settling[uri] = Event()
        analysis = await self.run(lambda: self.session.analyse(quick.snapshot, stop, full=True))
        if self._settling.get(uri) is stop:
            del self._settling[uri]
        if self.key(uri) != quick.snapshot.key or self._is_down:
            return
        if analysis is not None:
            self.results[uri] = analysis
            if analysis.findings != quick.findings:
                self._show(uri, analysis)
                self.on_dependents()
        elif stop.is_set() and uri not in self._dirty:  # it made way for another document
            self._wait(uri, quick)

    def _wait(self, uri: str, quick: Analysis) -> None:
        self._pauses[uri] = asyncio.get_running_loop().call_later(PAUSE, self._pause, uri, quick)

    async def analysis(self, uri: str) -> Analysis | None:
        """Return the analysis of a document as it is now; None when it is closed or fails."""
        while not self._is_down:
            key = self.key(uri)
            known = self.results.get(uri)
            if known is not None and known.snapshot.key == key:
                return known
            running = self._running.get(uri)
            if running is not None and running.key != key and self.session.has_base(uri):
                running.stop.set()  # without a base it goes on: else nothing would ever be known while somebody types
                running = None
            if running is None:
                snapshot = self.snapshot_of(uri)
                if snapshot is None:
                    return None
                running = self._start(uri, snapshot)
            analysis = await asyncio.shield(running.future)
            if self._running.get(uri) is running:
                del self._running[uri]
                if analysis is not None and running.key == self.key(uri):
                    self.results[uri] = analysis
            if running.key == self.key(uri) and (analysis is not None or not running.stop.is_set()):
                return analysis
        return None

    def _start(self, uri: str, snapshot: Snapshot) -> _Running:
        stop = Event()
        future = asyncio.ensure_future(self.run(lambda: self.session.analyse(snapshot, stop)))
        running = self._running[uri] = _Running(snapshot.key, stop, future)
        return running

    def run(self, work: Callable[[], Analysis | None]) -> Awaitable[Analysis | None]:
        """Do work on the analysing thread; what it raises is logged and answered with None."""

        def guarded() -> Analysis | None:
            try:
                return work()
            except Exception:  # the server goes on whatever one document does to it
                log.exception("analysis failed")
                return None

        return asyncio.get_running_loop().run_in_executor(self._worker, guarded)

    def call(self, work: Callable[[], object]) -> Awaitable[object]:
        """Do other work that needs the session on the analysing thread."""
        return asyncio.get_running_loop().run_in_executor(self._worker, work)

    def shutdown(self) -> None:
        """Stop working."""
        self._is_down = True
        if self._later is not None:
            self._later.cancel()
        for stop in (*self._settling.values(), *(running.stop for running in self._running.values())):
            stop.set()
        for timer in self._pauses.values():
            timer.cancel()
        self._worker.shutdown(wait=False, cancel_futures=True)
