"""Facts of other modules, followed by import: which file a dotted name means, read only when asked.

Nothing is imported or executed, and nothing outside the project's roots is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pitfall_lint.source import Source, SourceError

if TYPE_CHECKING:
    from pitfall_lint.libraries import Libraries
    from pitfall_lint.semantic.file import File

_LIMIT = 2_000_000
"""Bytes of a module beyond which it is not followed."""


def read_bytes(path: str) -> bytes | None:
    """Return a file's bytes, or None when it can't be read or is no regular file."""
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return None


class Project:
    """The modules that belong together. `root` is the folder that no import leads out of.

    `read` answers a path's bytes and lets an editor put unsaved text in the place of files.
    `source_roots` are further folders, absolute, that imports start from.
    """

    def __init__(
        self,
        libraries: Libraries,
        root: str | None = None,
        source_roots: Iterable[str] = (),
        read: Callable[[str], bytes | None] = read_bytes,
        allows: Callable[[str, str, str], bool | None] | None = None,
    ) -> None:
        self.libraries = libraries
        self.root = os.path.abspath(root) if root else None
        self.source_roots = tuple(source_roots)
        self.read = read
        self.allows = allows
        """Answers (distribution, specifier, asking file): do the project's versions lie inside?"""
        self._files: dict[str, File | None] = {}
        self._exists: dict[str, bool] = {}
        self._packages: dict[str, tuple[str, str]] = {}

    def file(
        self, source: Source, lines: Iterable[int] | None = None, make: type[File] | None = None
    ) -> File:
        """Return the File of a source that is linted; `lines` (0-based) limit what its checks look at.

        `make` is the class to use, for who wants to listen to the questions.
        """
        from pitfall_lint.semantic.file import File

        path = os.path.abspath(source.path)
        file = (make or File)(source, self, path, lines)
        self._files[path] = file
        return file

    def open(self, path: str) -> File | None:
        """Return the File of an absolute path, read now if need be; None when it can't be used."""
        if path in self._files:
            return self._files[path]
        from pitfall_lint.semantic.file import File

        data = self.read(path)
        file: File | None = None
        if data is not None and len(data) <= _LIMIT:
            source = Source(os.path.relpath(path) if self.root else path, data)
            try:
                source.decoded()
                file = File(source, self, path, None)
            except SourceError:
                file = None
        self._files[path] = file
        return file

    def opened(self, path: str) -> File | None:
        """Return the File of an absolute path if it was opened before."""
        return self._files.get(path)

    def forget(self, path: str) -> None:
        """Drop what is known of one file, after an edit."""
        self._files.pop(os.path.abspath(path), None)
        self._exists.clear()

    def package(self, path: str) -> tuple[str, str]:
        """Return the folder that imports of a file start from, and the file's own dotted name."""
        folder, name = os.path.split(path)
        stem = name.rpartition(".")[0] or name
        parts = [] if stem == "__init__" else [stem]
        if folder in self._packages:
            root, package = self._packages[folder]
        else:
            root, names = folder, []
            while self._is_file(os.path.join(root, "__init__.py")) and os.path.dirname(root) != root:
                root, last = os.path.split(root)
                names.append(last)
            package = ".".join(reversed(names))
            self._packages[folder] = (root, package)
        return root, ".".join([package, *parts] if package else parts)

    def module(self, name: str, asking: File) -> File | None:
        """Return the project's module of a dotted name, and note that `asking` depends on the answer."""
        if not name:
            return None
        relative = name.replace(".", os.sep)
        top = name.partition(".")[0]
        for root in self._roots(asking):
            if not self._is_top(root, top):
                asking.used.add(os.path.join(root, top))
                continue
            for candidate in (f"{relative}.py", os.path.join(relative, "__init__.py")):
                path = os.path.join(root, candidate)
                asking.used.add(path)
                if self._is_file(path):
                    return self.open(path)
        return None

    def is_namespace(self, name: str, asking: File) -> bool:
        """Tell whether a dotted name is a folder of the project without `__init__.py`."""
        relative = name.replace(".", os.sep)
        return any(os.path.isdir(os.path.join(root, relative)) for root in self._roots(asking))

    def _roots(self, asking: File) -> list[str]:
        roots = [self.package(asking.path)[0]]
        if self.root is not None:
            roots += [self.root, os.path.join(self.root, "src")]
        roots += self.source_roots
        return list(dict.fromkeys(roots))

    def _is_top(self, root: str, name: str) -> bool:
        """Tell whether a root holds a module or folder of this name at all: most imports name libraries."""
        path = os.path.join(root, name)
        found = self._exists.get(path)
        if found is None:
            found = self._exists[path] = os.path.isdir(path) or os.path.isfile(f"{path}.py")
        return found

    def _is_file(self, path: str) -> bool:
        found = self._exists.get(path)
        if found is None:
            found = self._exists[path] = os.path.isfile(path)
        return found
