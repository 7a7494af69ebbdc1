"""To whom edits matter: what files tell of names is compared, and followed to who uses these names.

A file has to be looked at again where something that it names may now be something else. What goes by a module's
own names reaches who imports the module, what goes by attributes and methods reaches everybody.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from pitfall_lint.semantic.coroutine_names import coroutines_of
from pitfall_lint.semantic.lineage import methods_of
from pitfall_lint.semantic.tellings import STAR, Tellings, differing, tellings
from pitfall_lint.semantic.words import words_of

EVERYBODY = ""
"""In the place of a name: whoever imports the module."""
_FEW = 24
"""Names up to which it is faster to look for each of them than to take a text apart into words; and files up to which
it is no matter that they only name a method."""


class Everything(Exception):
    """An edit may matter to all files, or to most of them."""


class Echo:
    """The files that edits matter to, and the names of which something else is told by then."""

    def __init__(
        self,
        files: Iterable[str],
        importers: Callable[[str], Iterable[str]],
        read: Callable[[str], bytes],
        *,
        by_name_alone: Callable[[], bool] = lambda: False,
    ) -> None:
        """`files` and all paths are absolute.

        `by_name_alone` tells whether a coroutine function's name matters on any object.
        """
        self._by_name_alone = by_name_alone
        self._files = tuple(files)
        self._importers = importers
        self._read = read
        self._own: dict[str, set[str]] = {}
        self._shared: set[str] = set()
        self._told: dict[str, Tellings] = {}
        self.reached: set[str] = set()

    def edited(self, path: str, before: bytes | None, now: bytes | None) -> tuple[set[str], set[str]]:
        """Return the names of which an edit tells something else: the module's own, and those of everybody.

        None stands for a file that is not there. Raises Everything.
        """
        if before is None or now is None:
            if os.path.basename(path) == "__init__.py":
                raise Everything
        old = _told(before or b"")
        new = _told(now or b"")
        own, shared = differing(old.own, new.own), differing(old.shared, new.shared)
        if STAR in own:
            raise Everything
        methods: dict[str, set[str]] = {}
        for name in [name for name in shared if old.tells_by_methods(name) and new.tells_by_methods(name)]:
            shared.discard(name)
            methods.setdefault(name, set()).update(old.methods.get(name, ()), new.methods.get(name, ()))
        was, is_ = coroutines_of(before or b""), coroutines_of(now or b"")
        for name in was.keys() | is_.keys():
            for owner in was.get(name, frozenset()) ^ is_.get(name, frozenset()):
                if owner:
                    methods.setdefault(name, set()).add(owner)
                else:
                    own.add(name)
                    shared |= {name} if self._by_name_alone() else set()
        for name, owners in methods.items():
            if self._by_name_alone() or self._are_few_namers(name):
                shared.add(name)
            else:
                own |= owners  # it matters to whom objects of its classes may come
        lost = {name for _, name in methods_of(before or b"")} - {name for _, name in methods_of(now or b"")}
        shared |= {name for name in lost if not name.startswith("__")}  # what is called by syntax, its class tells
        if before is None or now is None:  # who imports it finds, or misses, a module
            shared.add(os.path.splitext(os.path.basename(path))[0])
        self._told[path] = new
        return own, shared

    def spread(self, own: Mapping[str, set[str]], shared: set[str]) -> set[str]:
        """Return the files to which it matters that something else is told of names, by modules and everywhere.

        What they tell by means of these names is something else, too. Raises Everything.
        """
        found: set[str] = set()
        while True:
            own = {path: new for path, names in own.items() if (new := names - self._own.get(path, set()))}
            shared = shared - self._shared
            if not own and not shared:
                return found
            self._shared |= shared
            for path, names in own.items():
                self._own.setdefault(path, set()).update(names)
            asked = dict.fromkeys(self._namers(shared))
            asked.update(dict.fromkeys(p for path, names in own.items() for p in self.users(path, names)))
            found.update(asked)
            self.reached.update(asked)
            if len(self.reached) > max(200, len(self._files) // 2):
                raise Everything
            own, shared = self._following(asked)

    def users(self, path: str, names: set[str]) -> Iterable[str]:
        """Return the module itself and the files that import it, if they name one of some names."""
        for other in (path, *self._importers(path)):
            if EVERYBODY in names or _names_one(self._read(other), names):
                yield other

    def _are_few_namers(self, name: str) -> bool:
        return sum(1 for _ in islice(self._namers({name}), _FEW)) < _FEW

    def _namers(self, names: set[str]) -> Iterable[str]:
        return (path for path in self._files if _names_one(self._read(path), names)) if names else ()

    def _following(self, paths: Iterable[str]) -> tuple[dict[str, set[str]], set[str]]:
        """Return the names of which files tell something by means of names that matter."""
        own: dict[str, set[str]] = {}
        shared: set[str] = set()
        importing: dict[str, set[str]] = {}
        for module, names in self._own.items():
            for other in (module, *self._importers(module)):
                importing.setdefault(other, set()).update(names)
        for path in paths:
            names = self._shared | importing.get(path, set())
            told = self._told.get(path)
            if told is None:
                told = self._told[path] = _told(self._read(path))
            mine = {name for name, (_, mentioned) in told.own.items() if not mentioned.isdisjoint(names)}
            if STAR in told.own:
                mine |= importing.get(path, set())
            own[path] = mine
            shared.update(name for name, (_, mentioned) in told.shared.items() if not mentioned.isdisjoint(names))
        return own, shared


def _told(data: bytes) -> Tellings:
    told = tellings(data)
    if told is None:
        raise Everything
    return told


def _names_one(data: bytes, names: set[str]) -> bool:
    wanted = {name.encode() for name in names}
    if len(wanted) <= _FEW and not any(name in data for name in wanted):
        return False
    return not wanted.isdisjoint(words_of(data))
