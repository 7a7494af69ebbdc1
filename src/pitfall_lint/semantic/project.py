"""Facts of other modules, followed by import: which file a dotted name means, read only when asked.

Nothing is imported or executed, and nothing outside the project's roots is read.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from pitfall_lint.semantic.shelf import Shelf
from pitfall_lint.semantic.spans import Binding, imports
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


_KEPT = 30_000
"""Lines of drafted definitions that are kept from one linted file to the next."""


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
        self._before: dict[str, File] = {}
        """What was forgotten because of an edit: definitions that are the same need not be parsed again."""
        self.shelf = Shelf()
        self.lines_held = 0
        """How many lines of which there are trees now."""
        self._exists: dict[str, bool] = {}
        self._packages: dict[str, tuple[tuple[str, ...], str]] = {}
        """By folder: where absolute imports start, nearest first, and the dotted name of the folder."""
        self._imported: dict[str, tuple[str, ...]] = {}
        self._bindings: dict[str, dict[str, list[Binding]]] = {}
        self._resolved: dict[tuple[tuple[str, ...], str], tuple[str, tuple[str, ...]] | None] = {}
        """By the folders that imports start from, and the name."""

    def file(self, source: Source, lines: Iterable[int] | None = None, make: type[File] | None = None) -> File:
        """Return the File of a source that is linted; `lines` (0-based) limit what its checks look at.

        `make` is the class to use, for who wants to listen to the questions.
        """
        from pitfall_lint.semantic.file import File

        if self.lines_held > _KEPT:
            for known in self._files.values():
                if known is not None:
                    known.release()  # so that little is left to collect
            self.shelf.trim()
            self._files.clear()  # all at once: what is left must not speak of definitions that are made anew
            # Trees, files and definitions hold each other; where nobody collects on the way they are young.
            gc.collect(2 if gc.isenabled() else 0)
            self.lines_held = 0
        path = os.path.abspath(source.path)
        file = (make or File)(source, self, path, lines)
        before = self._files.get(path) or self._before.pop(path, None)
        if before is not None:
            file.kept, file.is_edited = before.read, True
        self._files[path] = file
        return file

    def open(self, path: str) -> File | None:
        """Return the File of an absolute path, read now if need be; None when it can't be used."""
        if path in self._files:
            return self._files[path]
        from pitfall_lint.semantic.file import File

        outline = self.shelf.outline(path)
        data = self.read(path) if outline is None else outline.source.data
        file: File | None = None
        if data is not None and len(data) <= _LIMIT:
            known = outline.source if outline is not None else None
            source = known or Source(os.path.relpath(path) if self.root else path, data)
            try:
                source.decoded()
                file = File(source, self, path, None)
                file.is_looked_at = False
            except SourceError:
                file = None
        self._files[path] = file
        return file

    def opened(self, path: str) -> File | None:
        """Return the File of an absolute path if it was opened before."""
        return self._files.get(path)

    def forget(self, path: str) -> None:
        """Drop what is known of one file, after an edit."""
        self._imported.pop(os.path.abspath(path), None)
        self._bindings.pop(os.path.abspath(path), None)
        path = os.path.abspath(path)
        self.shelf = Shelf()
        if (file := self._files.pop(path, None)) is not None:
            self._before[path] = file
        self._exists.clear()
        self._resolved.clear()

    def missing(self) -> Iterable[str]:
        """Return the paths at which modules were looked for, and are not."""
        absent = [path for path, found in self._exists.items() if not found]
        return [*absent, *(f"{path}.py" for path in absent if not path.endswith(".py"))]

    def module_name(self, path: str) -> str:
        """Return the dotted name by which other modules import a file."""
        folder, name = os.path.split(path)
        stem = name.rpartition(".")[0] or name
        parts = [] if stem == "__init__" else [stem]
        package = self._package(folder)[1]
        return ".".join([package, *parts] if package else parts)

    def _package(self, folder: str) -> tuple[tuple[str, ...], str]:
        """Return the folders that absolute imports start from, and the folder's own dotted name.

        A folder without `__init__.py` is such a start, and part of the package around it if there is one.
        """
        if folder not in self._packages:
            top, starts, names = folder, [], list[str]()
            while os.path.dirname(top) != top:
                if not self._has_init(top):
                    starts.append(top)
                    above = os.path.dirname(top)
                    if not self._has_init(above) and not self._has_init(os.path.dirname(above)):
                        break
                top, last = os.path.split(top)
                names.append(last)
            self._packages[folder] = tuple(starts) or (top,), ".".join(reversed(names))
        return self._packages[folder]

    def _has_init(self, folder: str) -> bool:
        return self._is_file(os.path.join(folder, "__init__.py"))

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

    def imported_by(self, source: Source, depth: int = 1) -> tuple[str, ...]:
        """Return the paths of the project's modules that a file's imports name, `depth` imports far."""
        path = os.path.abspath(source.path)
        found = dict.fromkeys(self._imports_of(path, source.data))
        for _ in range(depth - 1):
            for known in list(found):
                data = self.read(known) if known not in self._imported else b""
                found.update(dict.fromkeys(self._imports_of(known, data or b"")))
        found.pop(path, None)
        return tuple(found)

    def rest(self) -> None:
        """Let go of what can be found out again, and is seldom asked for when files are woken."""
        self._bindings.clear()

    def know_imports(self, path: str, files: tuple[str, ...]) -> None:
        """Take somebody's word for which files one imports."""
        self._imported.setdefault(path, files)

    def _imports_of(self, path: str, data: bytes) -> tuple[str, ...]:
        if path not in self._imported:
            found = {
                file: None
                for bindings in self.bindings_of(path, data).values()
                for binding in bindings
                for file in self.module_paths(binding.full, path)
            }
            self._imported[path] = tuple(found)
        return self._imported[path]

    def bindings_of(self, path: str, data: bytes) -> dict[str, list[Binding]]:
        """Return what the imports of a file bind, wherever they stand in it; kept until the file is forgotten."""
        found = self._bindings.get(path)
        if found is None:
            found = self._bindings[path] = imports(data)
        return found

    def module_paths(self, full: str, path: str) -> tuple[str, ...]:
        """Return the file of the longest part of an imported name (with its dots) that is a module of the project."""
        found = self.resolved(full, path)
        return (found[0],) if found is not None else ()

    def resolved(self, full: str, path: str) -> tuple[str, tuple[str, ...]] | None:
        """Return that file, and what is left of the name."""
        folder = os.path.dirname(path)
        starts = (folder,) if full.startswith(".") else self._package(folder)[0]
        key = (starts, full)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(full, starts)
        return self._resolved[key]

    def _resolve(self, full: str, starts: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """Return what a name leads to that is imported in a folder (relative), or from some (absolute)."""
        names = full.lstrip(".")
        level = len(full) - len(names)
        tops: Iterable[str] = self._search(starts)
        if level:
            folder = starts[0]
            for _ in range(level - 1):
                folder = os.path.dirname(folder)
            tops = (folder,)
        parts = names.split(".") if names else []
        for top in tops:
            if parts and not level and not self._is_top(top, parts[0]):
                continue
            for length in range(len(parts), -1 if level else 0, -1):
                stem = "/".join((top, *parts[:length])) if os.sep == "/" else os.path.join(top, *parts[:length])
                if length > 1 and not self._is_folder(os.path.dirname(stem)):
                    continue
                for file in (f"{stem}.py", os.path.join(stem, "__init__.py")):
                    if self._is_file(file):
                        return file, tuple(parts[length:])
        return None

    def origins(self, full: str, path: str, depth: int = 4) -> Iterator[tuple[str, str]]:
        """Yield the modules that an imported name leads to, one handing it on from the next, and its name there."""
        found = self.resolved(full, path)
        if found is None or not depth:
            return
        module, rest = found
        yield module, full.rpartition(".")[2]
        if len(rest) == 1 and module != path:
            known = self._bindings.get(module)
            bound = known if known is not None else self.bindings_of(module, self.read(module) or b"")
            for binding in bound.get(rest[0], ()):
                yield from self.origins(binding.full, module, depth - 1)

    def is_own(self, full: str, path: str) -> bool:
        """Tell whether a name that a file imports may be the project's: relative, or below one of its roots."""
        if full.startswith("."):
            return True
        top = full.partition(".")[0]
        return any(self._is_top(root, top) for root in self._search(self._package(os.path.dirname(path))[0]))

    def _search(self, starts: tuple[str, ...]) -> tuple[str, ...]:
        roots = [*starts]
        if self.root is not None:
            roots += [self.root, os.path.join(self.root, "src")]
        return tuple(dict.fromkeys([*roots, *self.source_roots]))

    def is_namespace(self, name: str, asking: File) -> bool:
        """Tell whether a dotted name is a folder of the project without `__init__.py`."""
        relative = name.replace(".", os.sep)
        return any(os.path.isdir(os.path.join(root, relative)) for root in self._roots(asking))

    def _roots(self, asking: File) -> tuple[str, ...]:
        return self._search(self._package(os.path.dirname(asking.path))[0])

    def _is_top(self, root: str, name: str) -> bool:
        """Tell whether a root holds a module or folder of this name at all: most imports name libraries."""
        path = os.path.join(root, name)
        found = self._exists.get(path)
        if found is None:
            found = self._exists[path] = os.path.isdir(path) or os.path.isfile(f"{path}.py")
        return found

    def _is_folder(self, path: str) -> bool:
        found = self._exists.get(path)
        if found is None:
            found = self._exists[path] = os.path.isdir(path)
        return found

    def _is_file(self, path: str) -> bool:
        found = self._exists.get(path)
        if found is None:
            found = self._exists[path] = os.path.isfile(path)
        return found
