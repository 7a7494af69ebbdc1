"""Last time's answers, in the user's own cache folder: plain data, signed with a key that no repository has.

What a clean repeated run imports is this module and what the interpreter brings along, nothing else.
"""

from __future__ import annotations

import marshal
import os
import sys
import time

from pitfall_lint import __version__

TYPE_CHECKING = False  # `typing` costs 8 ms, and a repeated run needs none of it
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TextIO

try:
    from _blake2 import blake2b as blake2b
except ImportError:  # a Python without its own blake2
    from hashlib import blake2b as blake2b

Signature = tuple[int, int, int]
"""When a file's bytes and its entry last changed, and its size."""

_LARGEST = 256 * 1024 * 1024
"""Bytes that the folder may hold; beyond them the oldest answers go."""
_GRAIN = 10_000_000
"""Nanoseconds that two changes may lie apart and carry the same time."""
_REPEATABLE = (
    *("--select", "--ignore", "--extend-select", "--extend-ignore", "--per-file-ignores"),
    *("--extend-per-file-ignores", "--fixable", "--unfixable", "--ignore-noqa", "--exclude", "--extend-exclude"),
    *("--force-exclude", "--no-force-exclude", "--respect-gitignore", "--no-respect-gitignore", "--no-fix"),
    *("--unsafe-fixes", "--no-unsafe-fixes", "--output-format", "--color", "--exit-zero", "-e", "--quiet", "-q"),
    *("--silent", "-s", "--config", "--isolated", "--jobs", "-j", "--statistics", "--executor"),
)
"""The options of runs that do nothing but look at files, so that they can be answered from the cache."""
_TERMINAL = ("CI", "FORCE_HYPERLINK", "TERM_PROGRAM", "VTE_VERSION", "WT_SESSION", "KITTY_WINDOW_ID", "DOMTERM")
_ENVIRONMENT = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "COLORTERM", "COLUMNS", "LINES")


def folder() -> str:
    """Return the user's cache folder for this tool, whether it exists or not."""
    if wanted := os.environ.get("PITFALL_LINT_CACHE_DIR"):
        return wanted
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "pitfall-lint")


def signature(path: str) -> Signature | None:
    """Return what changes when a file or folder changes; None when there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size


def digest(*parts: object) -> str:
    """Return a short name for plain data."""
    return blake2b(repr(parts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


class Store:
    """One folder of answers. Whatever goes wrong with it, the run goes on without."""

    def __init__(self, where: str | None = None) -> None:
        self.where = where or folder()
        self._key: bytes | None = None

    def key(self, create: bool = False) -> bytes:
        """Return the secret that answers are signed with; nothing when there is none yet."""
        if self._key is None:
            path = os.path.join(folder(), "key")
            try:
                with open(path, "rb") as stream:
                    self._key = stream.read(64)
            except OSError:
                if not create:
                    return b""
                self._key = os.urandom(32)
                try:
                    os.makedirs(folder(), 0o700, exist_ok=True)
                    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                        stream.write(self._key)
                except FileExistsError:
                    self._key = None
                    return self.key()
                except OSError:
                    self._key = None
                    return b""
        return self._key

    def read(self, name: str) -> Any:
        """Return what was stored under a name; None when there is nothing, or it is not what was written."""
        try:
            with open(os.path.join(self.where, name), "rb") as stream:
                data = stream.read()
            key = self.key()
            if len(key) < 32 or data[:32] != blake2b(data[32:], digest_size=32, key=key).digest():
                return None
            return marshal.loads(data[32:])
        except (OSError, ValueError, EOFError, TypeError):
            return None

    def write(self, name: str, value: Any) -> None:
        """Store plain data under a name; other processes see the old or the new answer, never a part of one."""
        try:
            data = marshal.dumps(value)
        except ValueError:
            return
        key = self.key(create=True)
        if len(key) >= 32:
            self.write_bytes(name, blake2b(data, digest_size=32, key=key).digest() + data)

    def write_bytes(self, name: str, data: bytes) -> bool:
        """Store bytes, which carry a mark of their own, under a name; tell whether they are there."""
        temporary = os.path.join(self.where, f"{name}.{os.getpid()}.tmp")
        try:
            if len(self.key(create=True)) < 32:
                return False
            if not os.path.isdir(self.where):
                os.makedirs(self.where, 0o700, exist_ok=True)
            self._mark()
            with open(temporary, "wb") as stream:
                stream.write(data)
            os.replace(temporary, os.path.join(self.where, name))
            self._shrink()
            return True
        except (OSError, ValueError):
            self.remove(temporary)
            return False

    def remove(self, name: str) -> None:
        """Forget what is stored under a name, if there is anything."""
        try:  # noqa: SIM105 (contextlib would be imported for it)
            os.unlink(os.path.join(self.where, name))
        except OSError:
            pass

    def _mark(self) -> None:
        tag = os.path.join(self.where, "CACHEDIR.TAG")
        if not os.path.exists(tag):
            with open(tag, "w", encoding="ascii") as stream:
                stream.write("Signature: 8a477f597d28d172789f06886806bc55\n")
            with open(os.path.join(self.where, ".gitignore"), "w", encoding="ascii") as stream:
                stream.write("*\n")

    def _shrink(self) -> None:
        entries = [(e.stat().st_mtime_ns, e.stat().st_size, e.path) for e in os.scandir(self.where) if e.is_file()]
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= _LARGEST:
                break
            if not path.endswith(("key", "TAG", ".gitignore")):
                os.unlink(path)
                total -= size


def tool() -> tuple[object, ...]:
    """Return what makes this tool the same as last time, besides the files of `own_files`."""
    return (__version__, sys.version, os.path.dirname(__file__), sys.flags.optimize)


def run_name(arguments: Iterable[str], out: TextIO | None, errors: TextIO | None) -> str | None:
    """Return the name of a run's answer; None for runs that may not be answered from the cache."""
    arguments = list(arguments)
    if os.environ.get("PITFALL_LINT_NO_CACHE") or out is None or errors is None:
        return None
    for argument in arguments:
        if argument.startswith("-") and argument.partition("=")[0] not in _REPEATABLE and argument[:2] != "-j":
            return None
    environment = [(name, os.environ.get(name)) for name in (*_ENVIRONMENT, *_TERMINAL)]
    environment += sorted((k, v) for k, v in os.environ.items() if k.startswith("PITFALL_LINT_"))
    terminals = [_width(stream) for stream in (out, errors)]
    try:
        folder = os.getcwd()
    except OSError:  # it was deleted
        return None
    return "run-" + digest(tool(), folder, arguments, environment, terminals, out.encoding)


def _width(stream: TextIO) -> object:
    try:
        return os.get_terminal_size(stream.fileno()) if stream.isatty() else None
    except (OSError, ValueError):
        return None


def replay(name: str, judge: Callable[[str], Callable[[str], bool]] | None = None) -> tuple[str, str, int] | None:
    """Return a run's output, its complaints and its exit code, if nothing that they depended on has changed.

    `judge` returns, for the name of what was kept of the files, what tells whether one that was touched is the same.
    """
    found = Store().read(name)
    if not isinstance(found, tuple) or len(found) != 5:
        return None
    inputs, out, errors, code, texts = found
    stat = os.stat
    is_same: Callable[[str], bool] | None = None
    try:
        for path, was in inputs.items():
            if was is None:
                if signature(path) is not None:
                    return None
                continue
            now = stat(path)
            if now.st_mtime_ns != was[0] or now.st_ctime_ns != was[1] or now.st_size != was[2]:
                is_same = is_same or (judge(texts) if texts and judge is not None else None)
                if is_same is None or not is_same(path):
                    return None
    except (OSError, ValueError, AttributeError):
        return None
    return out, errors, code


class Recorder:
    """Takes down what a run prints and what it depended on, so that the same run can be answered next time."""

    def __init__(self, name: str, arguments: Iterable[str] = ()) -> None:
        self.name = name
        self.arguments = list(arguments)
        self.started = time.time_ns()
        self.inputs: dict[str, Signature | None] | None = None
        """What the run depended on; None as long as nobody says that the run can be repeated."""
        self.texts = ""
        """The name of what was kept of the files in which nothing was found."""
        self.glance: Callable[[str], None] | None = None
        """Keeps, once it is known what a clean run prints, what a glance at other files has to know."""

    def depends_on(self, paths: Iterable[str], known: Mapping[str, Signature | None] | None = None) -> None:
        """Say that the run can be repeated, and what its output depends on; `known` saves looking again."""
        inputs = {} if self.inputs is None else self.inputs
        for path in paths:
            if path not in inputs:
                inputs[path] = known[path] if known and path in known else signature(path)
        self.inputs = inputs

    def finish(self, out: str, errors: str, code: int) -> None:
        """Store the answer, unless something changed while it was made, or so shortly before that nobody can tell."""
        if self.inputs is None or code not in (0, 1):
            return
        if all(is_settled(was, self.started) for was in self.inputs.values()):
            Store().write(self.name, (self.inputs, out, errors, code, self.texts))


def is_settled(was: Signature | None, started: int) -> bool:
    """Tell whether a file changed so long before a moment that a later change would show."""
    if was is None:
        return True
    latest = max(was[0], was[1])
    grain = 2_000_000_000 if was[0] % 1_000_000_000 == 0 else _GRAIN
    return latest < started - grain or was[0] == 0


RECORDER: Recorder | None = None
"""The recorder of this process's run, if it is one that can be answered from the cache."""


class Tee:
    """A text stream that passes everything on and keeps a copy."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.parts: list[str] = []

    def write(self, text: str) -> int:
        """Write and keep."""
        written = self._stream.write(text)  # first: somebody may only try whether it takes bytes
        self.parts.append(text)
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        """Write and keep several pieces."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # bytes go past the copy: such a run is not repeated
            global RECORDER
            RECORDER = None
        return getattr(self._stream, name)
