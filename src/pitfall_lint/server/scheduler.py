"""When what is analysed: off the message loop, on one thread; what an edit overtakes is stopped."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from pitfall_lint.server.documents import Snapshot
from pitfall_lint.server.session import Analysis, Session

log = logging.getLogger(__name__)
DELAY = 0.002
"""Seconds in which further edits are waited for."""
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
    edits: dict[str, int] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    on_dependents: Callable[[], None] = lambda: None
    """Told when findings of other documents than the edited one may have changed."""
    _running: dict[str, _Running] = field(default_factory=dict)
    _dirty: set[str] = field(default_factory=set)
    _loops: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _worker: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="pitfall-lint")
    )

    def key(self, uri: str) -> tuple[int, int]:
        """Return what changes whenever the findings of a document may change."""
        return self.edits.get(uri, 0), self.epochs.get(uri, 0)

    def edited(self, uri: str, path: str, *, lint: bool = True) -> None:
        """Note that a document has another text; what depends on it is looked at again, too."""
        self.edits[uri] = self.edits.get(uri, 0) + 1
        self.touched([path], but=uri)
        if lint:
            self.schedule(uri)

    def touched(self, paths: Iterable[str], but: str = "") -> None:
        """Note that files changed; open documents that depend on them are analysed again."""
        names = set(paths)
        self.session.changed.extend(names)
        stems = {os.path.splitext(path)[0] for path in names} | {os.path.dirname(path) for path in names}
        dependents = [
            uri
            for uri, analysis in self.results.items()
            if uri != but and not (names | stems).isdisjoint(analysis.used)
        ]
        self.invalidate(dependents)

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
        self.results.pop(uri, None)
        if (running := self._running.pop(uri, None)) is not None:
            running.stop.set()
        self.session.close(uri)
        self.touched([path], but=uri)
        self.edits[uri] = self.edits.get(uri, 0) + 1  # whatever still runs is of no interest

    def schedule(self, uri: str) -> None:
        """See to it that the findings of a document are published once they are known."""
        self._dirty.add(uri)
        if uri not in self._loops:
            loop = self._loops[uri] = asyncio.ensure_future(self._keep_up(uri))
            loop.add_done_callback(lambda done: self._ended(uri, done))

    def _ended(self, uri: str, done: asyncio.Task[None]) -> None:
        self._loops.pop(uri, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("analysing %s failed", uri, exc_info=error)

    async def _keep_up(self, uri: str) -> None:
        while uri in self._dirty:
            self._dirty.discard(uri)
            await asyncio.sleep(DELAY)
            analysis = await self.analysis(uri)
            if analysis is not None and analysis.snapshot.key == self.key(uri):
                self.publish(uri, analysis)
                if analysis.is_quick and await self._settled(uri, analysis):
                    self.publish(uri, self.results[uri])

    async def _settled(self, uri: str, quick: Analysis) -> bool:
        """Ask everything again once typing pauses; tell whether that made a difference."""
        key = quick.snapshot.key
        for _ in range(int(PAUSE / 0.05)):
            await asyncio.sleep(0.05)
            if uri in self._dirty or self.key(uri) != key:
                return False
        analysis = await self.run(lambda: self.session.analyse(quick.snapshot, full=True))
        if analysis is None or self.key(uri) != key:
            return False
        self.results[uri] = analysis
        return analysis.findings != quick.findings

    async def analysis(self, uri: str) -> Analysis | None:
        """Return the analysis of a document as it is now; None when it is closed or fails."""
        while True:
            key = self.key(uri)
            known = self.results.get(uri)
            if known is not None and known.snapshot.key == key:
                return known
            running = self._running.get(uri)
            if running is None or running.key != key:
                if running is not None:
                    running.stop.set()
                snapshot = self.snapshot_of(uri)
                if snapshot is None:
                    return None
                running = self._start(uri, snapshot)
            analysis = await asyncio.shield(running.future)
            if self._running.get(uri) is running:
                del self._running[uri]
                if analysis is not None and running.key == self.key(uri):
                    self.results[uri] = analysis
            if running.key == self.key(uri):
                return analysis

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
        for running in self._running.values():
            running.stop.set()
        self._worker.shutdown(wait=False, cancel_futures=True)
