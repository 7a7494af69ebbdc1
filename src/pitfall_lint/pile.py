"""Many pieces of plain data in few files of the cache: each is read alone, when it is asked for, and only if needed.

Files are written once and never changed; what is new goes into a new one, and when there are many of them, or much
of what they hold is no longer wanted, all is put together again.
"""

from __future__ import annotations

import marshal
import os

from pitfall_lint.cache import Store, blake2b

TYPE_CHECKING = False  # as in cache
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

Reference = tuple[str, int, int]
"""The file that a piece is in, where it begins, and how long it is."""
_MARK = 16
_FILES = 8
"""Files from which on they are put together."""


class Pile:
    """The pieces of one record, by name."""

    def __init__(self, name: str, known: Mapping[str, Reference] | None = None) -> None:
        """`known` is what `write` returned last time."""
        self._store = Store()
        self._name = name
        self._known: dict[str, Reference] = dict(known or {})
        self._fresh: dict[str, bytes] = {}
        self._open: dict[str, int] = {}

    def read(self, name: str) -> Any:
        """Return a piece; None when there is none, or it is not what was written."""
        data = self._fresh.get(name)
        if data is None and name in self._known:
            data = self._raw(name)
            if not self._store.key() or data[:_MARK] != self._mark(name, data[_MARK:]):
                return None
            data = data[_MARK:]
        try:
            return marshal.loads(data) if data else None
        except (ValueError, EOFError, TypeError):
            return None

    def put(self, name: str, value: Any) -> None:
        """Take a piece in the place of the one that has its name."""
        self._fresh[name] = marshal.dumps(value)

    def keep_only(self, names: set[str]) -> None:
        """Forget all other pieces."""
        for known in (self._known, self._fresh):
            for name in known.keys() - names:
                del known[name]

    def write(self) -> dict[str, Reference]:
        """Write what is new; return where everything is."""
        for name in self._fresh:
            self._known.pop(name, None)
        files = dict.fromkeys(file for file, _, _ in self._known.values())
        kept = sum(size for _, _, size in self._known.values())
        held = sum(self._size(file) for file in files)
        data: dict[str, bytes] = {}
        if len(files) >= _FILES or held > 2 * kept + 1_000_000:
            data = {name: piece for name in self._known if (piece := self._raw(name))}
            self._known.clear()
        data.update((name, self._mark(name, piece) + piece) for name, piece in self._fresh.items())
        if data:
            file = f"pile-{self._name}-{os.urandom(6).hex()}"
            if not self._store.write_bytes(file, b"".join(data.values())):
                data.clear()
            offset = 0
            for name, piece in data.items():
                self._known[name] = (file, offset, len(piece))
                offset += len(piece)
        self._fresh.clear()
        self.close()
        for file in files.keys() - {file for file, _, _ in self._known.values()}:
            self._store.remove(file)
        return self._known

    def close(self) -> None:
        """Let go of the files."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def _raw(self, name: str) -> bytes:
        file, offset, size = self._known[name]
        try:
            if file not in self._open:
                self._open[file] = os.open(
                    os.path.join(self._store.where, file), os.O_RDONLY | getattr(os, "O_BINARY", 0)
                )
            os.lseek(self._open[file], offset, os.SEEK_SET)
            return os.read(self._open[file], size)
        except OSError:
            return b""

    def _mark(self, name: str, data: bytes) -> bytes:
        key = self._store.key(create=True)
        return blake2b(name.encode("utf-8", "surrogateescape") + b"\0" + data, digest_size=_MARK, key=key).digest()

    def _size(self, file: str) -> int:
        try:
            return os.stat(os.path.join(self._store.where, file)).st_size
        except OSError:
            return 0
