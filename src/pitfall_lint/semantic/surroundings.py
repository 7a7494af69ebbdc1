"""What is told of other modules by their bytes: their words, coroutine functions, classes, and what they give."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pitfall_lint.libraries import Libraries, Type
from pitfall_lint.semantic.asking import Asking
from pitfall_lint.semantic.coroutine_names import coroutines_of
from pitfall_lint.semantic.lineage import Kin, Lineage
from pitfall_lint.semantic.receivers import Receivers, is_near
from pitfall_lint.semantic.wants import giving
from pitfall_lint.source import Source

if TYPE_CHECKING:
    from pitfall_lint.semantic.project import Project

_KEPT = 150
"""Files of which it is kept what was read to tell their receivers."""


class Surroundings:
    """The modules of projects, as far as one set of words goes."""

    def __init__(
        self,
        libraries: Libraries,
        find: Callable[[bytes], set[str]],
        files: Sequence[tuple[str, Kin]] | None = None,
        texts: Mapping[str, bytes] | None = None,
    ) -> None:
        """`find` returns the words of interest in a text.

        `files` say of all files, by path, what classes they hold; `texts` are the bytes of some, not to be read again.
        """
        self.libraries = libraries
        self._texts = dict(texts or {})
        self._paths = [path for path, _ in files or ()]
        self._near: dict[Project, Nearness] = {}
        self.find = find
        self.is_complete = files is not None
        types = (name for row in libraries.rows(Type) for name in row.names)
        self.lineage = Lineage(files or (), {name.rpartition(".")[2] for name in types})
        self._asking = Asking()
        self._named: dict[str, frozenset[str]] = {}
        self._owners: dict[str, dict[str, frozenset[str]]] = {}
        self._receivers: dict[str, Receivers] = {}

    def rest(self) -> None:
        """Let go of what can be found out again."""
        for known in (self._texts, self._near, self._named, self._owners, self._receivers):
            known.clear()
        self._asking = Asking()

    def forget(self, path: str) -> None:
        """Drop what is known of one file, after an edit; what others lead to may have come from it."""
        self._named.pop(path, None)
        self._texts.pop(path, None)
        self._owners.pop(path, None)
        self._near.clear()
        self._receivers.clear()
        self._asking = Asking()

    def text(self, path: str, project: Project) -> bytes:
        """Return the bytes of a module; nothing when it cannot be read."""
        known = self._texts.get(path)
        return known if known is not None else project.read(path) or b""

    def named_in(self, path: str, project: Project) -> frozenset[str]:
        """Return the words of interest in a module."""
        found = self._named.get(path)
        if found is None:
            found = self._named[path] = frozenset(self.find(self.text(path, project)))
        return found

    def words_in(self, path: str, data: bytes) -> frozenset[str]:
        """Return the words of interest in a text, which is that of a file, perhaps as it is known."""
        if path not in self._texts or self._texts[path] is not data:
            return frozenset(self.find(data))
        if path not in self._named:
            self._named[path] = frozenset(self.find(data))
        return self._named[path]

    def near(self, roots: frozenset[str], project: Project) -> Collection[str] | None:
        """Return the files that name one of some things, or import what does; None when not all files are known."""
        if not self.is_complete:
            return None
        if project not in self._near:
            named = {path: self.named_in(path, project) for path in self._paths}
            imported = {path: project.imported_by(Source(path, self.text(path, project))) for path in self._paths}
            self._near[project] = Nearness(named, imported)
        return self._near[project].of(roots)

    def names(self, path: str, roots: frozenset[str], project: Project) -> bool:
        """Tell whether a module names one of some things."""
        if is_near(roots, self.named_in(path, project)):
            return True
        if self.is_complete:  # all classes that matter are among the words that are looked for
            return False
        classes = [root.encode() for root in roots if "." not in root]
        return bool(classes) and any(name in self.text(path, project) for name in classes)

    def owners_in(self, path: str, project: Project) -> dict[str, frozenset[str]]:
        """Return the coroutine functions of a module, with the classes whose methods they are."""
        if path not in self._owners:
            self._owners[path] = coroutines_of(self.text(path, project))
        return self._owners[path]

    def receivers(self, source: Source, found: frozenset[str], reach: Reach, project: Project) -> Receivers:
        """Return what tells the receivers of one file, whose words of interest are known.

        Not to be asked in the middle of a question: others, which hold what they read, are let go of.
        """
        while len(self._receivers) > _KEPT:
            del self._receivers[next(iter(self._receivers))]
        return self._made(source, found, reach, project)

    def _made(self, source: Source, found: frozenset[str], reach: Reach, project: Project) -> Receivers:
        path = os.path.abspath(source.path)
        bound = project.bindings_of(path, source.data)

        def elsewhere(full: str) -> tuple[Receivers, tuple[str, ...]] | None:
            there = project.resolved(full, path)
            return (self._receivers_of(there[0], project), there[1]) if there is not None else None

        return Receivers(
            *(source.data, found, lambda name: bound.get(name, ()), reach, giving(self.libraries)),
            *(elsewhere, self.lineage, lambda path: self._receivers_of(path, project), self._asking),
            *(path, lambda roots: self.near(roots, project)),
        )

    def _receivers_of(self, path: str, project: Project) -> Receivers:
        known = self._receivers.pop(path, None)
        if known is None:
            source = Source(path, self.text(path, project))
            found = self.named_in(path, project)
            known = self._made(source, found, Reach(self, source, project), project)
        self._receivers[path] = known  # as the last one
        return known


class Nearness:
    """Which files name some things, or import what does."""

    def __init__(self, named: Mapping[str, Iterable[str]], imported: Mapping[str, Iterable[str]]) -> None:
        self._naming: dict[str, set[str]] = {}
        self._importers: dict[str, list[str]] = {}
        self._answers: dict[frozenset[str], frozenset[str]] = {}
        for path, words in named.items():
            for word in words:
                self._naming.setdefault(word, set()).add(path)
        for path, modules in imported.items():
            for module in modules:
                self._importers.setdefault(module, []).append(path)

    def of(self, roots: frozenset[str]) -> frozenset[str]:
        """Return those files."""
        found = self._answers.get(roots)
        if found is None:
            none: set[str] = set()
            naming: set[str] = set()
            for package, _, leaf in (root.rpartition(".") for root in roots):
                here = self._naming.get(leaf, none)
                naming |= here & self._naming.get(package, none) if package else here
            importers = (path for module in naming for path in self._importers.get(module, ()))
            found = self._answers[roots] = frozenset(naming.union(importers))
        return found


class Reach:
    """Tells for one file where its imports lead."""

    def __init__(self, around: Surroundings, source: Source, project: Project) -> None:
        self._around = around
        self._source = source
        self._path = os.path.abspath(source.path)
        self._project = project
        self._answers: dict[tuple[str, frozenset[str]], bool] = {}

    def __call__(self, full: str, roots: frozenset[str]) -> bool:
        """Tell whether the modules that a name is imported from (all imports for "") name one of the packages."""
        key = (full, roots)
        if key not in self._answers:
            self._answers[key] = self._ask(full, roots)
        return self._answers[key]

    def _ask(self, full: str, roots: frozenset[str]) -> bool:
        project, path = self._project, self._path
        paths = project.module_paths(full, path) if full else project.imported_by(self._source)
        return any(self._around.names(module, roots, project) for module in paths)

    def is_own(self, full: str) -> bool:
        """Tell whether an imported name may be the project's."""
        return self._project.is_own(full, self._path)

    def may_await(self, full: str, classes: frozenset[str]) -> bool:
        """Tell whether an imported name may be a coroutine function, or a method of one of some classes."""
        found = self._project.resolved(full, self._path)
        if found is None or len(found[1]) != 1:
            return found is None or bool(classes) or not found[1]  # an object's attribute is a method
        path, (name,) = found
        data = self._around.text(path, self._project)
        bound = self._project.bindings_of(path, data)
        assigned = rb"^[ \t]*%s\b[^=\n(]*=" % re.escape(name.encode())
        if name in bound or "*" in bound or re.search(assigned, data, re.MULTILINE):
            return True
        return not classes and "" in self._around.owners_in(path, self._project).get(name, ())
