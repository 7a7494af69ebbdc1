"""More than one process: forked workers that are fed through pipes, where the system can fork."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")
_HEAD = struct.Struct("!Q")


class Crash(RuntimeError):
    """A worker died; the message says what it died of."""


def can_fork() -> bool:
    """Tell whether workers can be forked here."""
    return hasattr(os, "fork") and os.name == "posix"


@dataclass(eq=False)
class _Worker:
    pid: int
    jobs: int
    results: int
    pending: list[int] = field(default_factory=list)
    """The numbers of the jobs that it has been given and not answered, in order."""


class Workers(Generic[J, R]):
    """Processes that do jobs while this one goes on. They start at once, so that they can get ready meanwhile.

    `prepare` runs first in each of them; then `work` is called with each job. Results come back pickled: they
    are our own processes' words.
    """

    def __init__(self, count: int, prepare: Callable[[], None], work: Callable[[J], R]) -> None:
        self._workers: list[_Worker] = []
        for _ in range(count):
            self._start(prepare, work)

    def _start(self, prepare: Callable[[], None], work: Callable[[J], R]) -> None:
        jobs_read, jobs_write = os.pipe()
        results_read, results_write = os.pipe()
        pid = os.fork()
        if pid:
            os.close(jobs_read)
            os.close(results_write)
            self._workers.append(_Worker(pid, jobs_write, results_read))
            return
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.close(jobs_write)
            os.close(results_read)
            for other in self._workers:  # an open end would keep its reader waiting for ever
                os.close(other.jobs)
                os.close(other.results)
            _serve(jobs_read, results_write, prepare, work)
            code = 0
        except BaseException:
            code = 1
        finally:
            os._exit(code)  # nothing of the parent's is flushed or cleaned up twice

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._workers)

    def run(self, jobs: Sequence[J], own: Callable[[J], R] | None = None) -> Iterator[tuple[int, R | Crash]]:
        """Yield (number of the job, result) as they come. With `own` this process does jobs, too.

        A job whose worker dies gives a Crash; its other jobs are done by somebody else.
        """
        waiting = list(range(len(jobs) - 1, -1, -1))
        alive = list(self._workers)
        while waiting or any(worker.pending for worker in alive):
            for worker in alive:
                # One job in hand and one in the pipe: nobody waits for the next.
                while waiting and len(worker.pending) < 2:
                    number = waiting.pop()
                    worker.pending.append(number)
                    with contextlib.suppress(BrokenPipeError):
                        _send(worker.jobs, jobs[number])
            if own is not None and waiting:
                number = waiting.pop(0)
                yield number, own(jobs[number])
                timeout: float | None = 0
            else:
                timeout = None
            busy = [worker for worker in alive if worker.pending]
            if not busy:
                if not alive and own is None and waiting:
                    raise Crash("all workers died")
                continue
            ready, _, _ = select.select([worker.results for worker in busy], [], [], timeout)
            for worker in [worker for worker in busy if worker.results in ready]:
                try:
                    result = _receive(worker.results)
                except EOFError:
                    alive.remove(worker)
                    number = worker.pending.pop(0)
                    waiting.extend(reversed(worker.pending))
                    worker.pending.clear()
                    yield number, Crash(_epitaph(worker.pid))
                    self._forget(worker)
                    continue
                yield worker.pending.pop(0), result

    def close(self) -> None:
        """End the workers, whatever they are doing: they hold nothing that could be lost."""
        for worker in list(self._workers):
            with contextlib.suppress(OSError):
                os.kill(worker.pid, signal.SIGKILL)
            self._forget(worker)
            with contextlib.suppress(OSError):
                os.waitpid(worker.pid, 0)

    def _forget(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        for end in (worker.jobs, worker.results):
            with contextlib.suppress(OSError):
                os.close(end)

    def __enter__(self) -> Workers[J, R]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _serve(jobs: int, results: int, prepare: Callable[[], None], work: Callable[[J], R]) -> None:
    prepare()
    while True:
        try:
            job = _receive(jobs)
        except EOFError:
            return
        _send(results, work(job))


def _send(end: int, value: Any) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    view = memoryview(_HEAD.pack(len(data)) + data)
    while view:
        view = view[os.write(end, view) :]


def _receive(end: int) -> Any:
    size = _HEAD.unpack(_read(end, _HEAD.size))[0]
    return pickle.loads(_read(end, size))


def _read(end: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(end, min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _epitaph(pid: int) -> str:
    """Return what a dead worker died of."""
    try:
        _, status = os.waitpid(pid, 0)
    except OSError:
        return "the worker process ended"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(ValueError):
            return f"the worker process died of {signal.Signals(number).name}"
        return f"the worker process died of signal {number}"
    return f"the worker process ended with code {os.WEXITSTATUS(status)}"
