"""More than one process: workers that are forked where the system can, spawned elsewhere, and fed through pipes."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import struct
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import queue
    import subprocess

J = TypeVar("J")
R = TypeVar("R")
_HEAD = struct.Struct("!Q")
_READY = "ready"
"""What a worker says first. One that ends before is nobody's fault."""
_ENDED = object()
_NEW = 20
"""How many workers may take the place of those that died."""


class Crash(RuntimeError):
    """A worker died; the message says what it died of."""


class Unfit(RuntimeError):
    """An executor cannot look at files; the message says why."""


def can_fork() -> bool:
    """Tell whether workers can be forked here: elsewhere, and on a system whose libraries forbid it, they cannot."""
    return hasattr(os, "fork") and os.name == "posix" and sys.platform != "darwin"


class _Forked:
    """A copy of this process."""

    def __init__(self, prepare: Callable[[], None], work: Callable[[Any], Any], others: Iterable[_Forked]) -> None:
        self.pending: list[int] = []
        self.is_ready = False
        jobs_read, self.jobs = os.pipe()
        self.results, results_write = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(jobs_read)
            os.close(results_write)
            return
        code = 1
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            for end in (self.jobs, self.results, *(end for other in others for end in (other.jobs, other.results))):
                os.close(end)  # an open end would keep its reader waiting for ever
            _serve(jobs_read, results_write, prepare, work)
            code = 0
        except BaseException:
            code = 1
        finally:
            os._exit(code)  # nothing of the parent's is flushed or cleaned up twice

    def send(self, job: Any) -> None:
        _send(self.jobs, job)

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)

    def bury(self) -> str:
        """Wait for its end and tell what it died of."""
        for end in (self.jobs, self.results):
            with contextlib.suppress(OSError):
                os.close(end)
        try:
            _, status = os.waitpid(self.pid, 0)
        except OSError:
            return "the worker process ended"
        return _epitaph(os.waitstatus_to_exitcode(status))


_CODE = "import sys; sys.path[:] = {path!r}; from pitfall_lint import workers; workers.serve()"


class _Spawned:
    """A new interpreter, which must not find anything to import in the folder that is linted."""

    def __init__(self, prepare: Callable[[], None], work: Callable[[Any], Any], answers: Any) -> None:
        import subprocess
        import threading

        self.pending: list[int] = []
        self.is_ready = False
        own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        here = os.getcwd()
        path = [own, *(entry for entry in sys.path if entry and os.path.abspath(entry) not in (own, here))]
        # -I: neither the current folder nor PYTHONPATH adds to that
        command = [sys.executable, "-I", "-c", _CODE.format(path=path)]
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._jobs, self._results = self.process.stdin.fileno(), self.process.stdout.fileno()
        threading.Thread(target=self._listen, args=(answers,), daemon=True).start()
        with contextlib.suppress(OSError):
            self.send((prepare, work))

    def send(self, job: Any) -> None:
        _send(self._jobs, job)

    def _listen(self, answers: Any) -> None:
        while True:
            try:
                answer = _receive(self._results)
            except (EOFError, OSError, ValueError):
                answers.put((self, _ENDED))
                return
            answers.put((self, answer))

    def kill(self) -> None:
        self.process.kill()

    def bury(self) -> str:
        """Wait for its end and tell what it died of."""
        code = self.process.wait()
        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        return _epitaph(code)


class Workers(Generic[J, R]):
    """Processes that do jobs while this one goes on. They start at once, so that they can get ready meanwhile.

    `prepare` runs first in each of them; then `work` is called with each job. Results come back pickled: they
    are our own processes' words. Spawned workers get both functions pickled, too.
    """

    def __init__(self, count: int, prepare: Callable[[], None], work: Callable[[J], R], *, spawn: bool = False) -> None:
        self._prepare, self._work, self._spawns = prepare, work, spawn
        self._answers: queue.SimpleQueue[tuple[_Spawned, Any]]
        self._workers: list[Any] = []
        self._new = _NEW
        self._crashed = False
        if spawn:
            import queue

            self._answers = queue.SimpleQueue()
        try:
            for _ in range(count):
                self._start()
        except BaseException:  # Ctrl-C does not wait until somebody can clean up
            self.close()
            raise

    def _start(self) -> None:
        worker: _Forked | _Spawned
        if self._spawns:
            worker = _Spawned(self._prepare, self._work, self._answers)
        else:
            worker = _Forked(self._prepare, self._work, self._workers)
        self._workers.append(worker)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._workers)

    def run(self, jobs: Sequence[J], own: Callable[[J], R], *, helps: bool = True) -> Iterator[tuple[int, R | Crash]]:
        """Yield (number of the job, result) as they come. `own` does jobs in this process, if it helps.

        A job whose worker dies gives a Crash; its other jobs are done by somebody else, and a new worker takes its
        place. Where no worker comes to life this process does everything.
        """
        waiting = deque(range(len(jobs)))
        while waiting or any(worker.pending for worker in self._workers):
            for worker in self._workers:
                # One job in hand and one in the pipe: nobody waits for the next.
                while waiting and len(worker.pending) < 2:
                    worker.pending.append(waiting.popleft())
                    with contextlib.suppress(OSError):  # it died: that shows below
                        worker.send(jobs[worker.pending[-1]])
            timeout: float | None = 0
            if waiting and not self._workers and self._crashed:
                yield waiting.pop(), Crash("too many workers died")
            elif waiting and (helps or not self._workers):
                number = waiting.pop()
                yield number, own(jobs[number])
            else:
                timeout = None
            for worker, answer in self._heard(timeout):
                if answer is _ENDED:
                    yield from self._replaced(worker, waiting)
                elif not worker.is_ready:
                    worker.is_ready = True
                else:
                    yield worker.pending.pop(0), answer

    def _heard(self, timeout: float | None) -> Iterator[tuple[Any, Any]]:
        """Yield what workers say; without a timeout at least one word, if somebody is at work."""
        if self._spawns:
            wait = timeout is None and any(worker.pending for worker in self._workers)
            while wait or not self._answers.empty():
                worker, answer = self._answers.get()
                if worker in self._workers:
                    yield worker, answer
                    wait = False
            return
        busy = {worker.results: worker for worker in self._workers if worker.pending}
        for end in select.select(list(busy), [], [], timeout)[0] if busy else ():
            try:
                answer = _receive(end)
            except EOFError:
                answer = _ENDED
            yield busy[end], answer

    def _replaced(self, worker: Any, waiting: deque[int]) -> Iterator[tuple[int, Crash]]:
        """Bury a worker, give its jobs back, and start a new one."""
        self._workers.remove(worker)
        epitaph = worker.bury()
        if worker.is_ready and worker.pending:
            yield worker.pending.pop(0), Crash(epitaph)
            self._crashed = True
            self._new -= 1
            if self._new >= 0:
                self._start()
        waiting.extendleft(reversed(worker.pending))

    def close(self) -> None:
        """End the workers, whatever they are doing: they hold nothing that could be lost."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.bury()

    def __enter__(self) -> Workers[J, R]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve() -> None:
    """Be a spawned worker: what is printed goes nowhere, since standard output is where results go."""
    jobs, results = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "win32":
        import msvcrt

        for end in (jobs, results):
            msvcrt.setmode(end, os.O_BINARY)
    with contextlib.suppress(EOFError, BrokenPipeError):
        _serve(jobs, results, *_receive(jobs))


def _serve(jobs: int, results: int, prepare: Callable[[], None], work: Callable[[J], R]) -> None:
    prepare()
    _send(results, _READY)
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


def _epitaph(code: int) -> str:
    """Return what a dead worker died of."""
    if code >= 0:
        return f"the worker process ended with code {code}"
    with contextlib.suppress(ValueError):
        return f"the worker process died of {signal.Signals(-code).name}"
    return f"the worker process died of signal {-code}"
