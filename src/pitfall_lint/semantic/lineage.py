"""Which classes of a project may inherit from which, told in bytes and by their names alone."""

from __future__ import annotations

import builtins
import collections.abc
import enum
import re
import typing
from collections.abc import Collection, Iterable, Iterator

# Each begins with what is searched for much faster than what begins a line.
_CLASS = re.compile(rb"class[ \t]+(\w+)[ \t]*(?:\[[^\]]*\][ \t]*)?(?:\(([^()]*(?:\([^()]*\)[^()]*)*)\)[ \t]*)?:")
_DEFINITIONS = re.compile(rb"def[ \t]+(\w+)"), re.compile(rb"class[ \t]+(\w+)")
_GIVEN = rb"(\w+)[ \t]*(?::(?!=)[^\r\n]|=(?!=)|,[^=\r\n(]*=(?!=)|[ \t]in\b)"
_ATTRIBUTES = re.compile(rb"self\." + _GIVEN), re.compile(rb"\n[ \t]+" + _GIVEN)
_WORD = re.compile(rb"[A-Za-z_]\w*")
_NOT_BASES = re.compile(rb"#[^\n]*|\w+\s*=(?!=)[^,]*|\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\]|\w+\s*\.(?=\s*\w)")
"""Comments, keywords, what a generic base holds, and the modules before a name."""
_BUILTINS = frozenset(dir(builtins)).union(
    *(typing.__all__, collections.__all__, collections.abc.__all__, enum.__all__, ("ABC", "ABCMeta"))
)


Kin = tuple[dict[str, tuple[str, ...]], tuple[tuple[str, str], ...], tuple[str, ...]]
"""Of one file, as plain data: its classes with the names among their bases, its methods as (class, name), and the
attributes to which it may give a value."""


def kin_of(data: bytes) -> Kin:
    """Return what a file says of classes."""
    if b"class " not in data:
        return {}, (), ()
    classes = {name: tuple(sorted(bases)) for name, bases in classes_of(data).items()}
    attributes = {name.decode("utf-8", "replace") for pattern in _ATTRIBUTES for name in pattern.findall(data)}
    return classes, tuple(methods_of(data)), tuple(sorted(attributes))


class Lineage:
    """The classes of many files."""

    def __init__(self, files: Iterable[tuple[str, Kin]], foreign: Collection[str]) -> None:
        """`files` are paths and what they say of classes; `foreign` names of classes that are not the project's."""
        self._bases: dict[str, set[str]] = {}
        self._owners: dict[str, set[str]] = {}
        self._places: dict[str, dict[str, None]] = {}
        self._assigned: dict[str, dict[str, None]] = {}
        self._foreign = _BUILTINS | frozenset(foreign)
        self._answers: dict[tuple[str, frozenset[str]], bool | None] = {}
        for path, (classes, methods, attributes) in files:
            for name, bases in classes.items():
                self._bases.setdefault(name, set()).update(bases)
            for class_, method in methods:
                self._owners.setdefault(method, set()).add(class_)
                self._places.setdefault(method, {})[path] = None
            for name in attributes:
                self._assigned.setdefault(name, {})[path] = None

    def owners(self, method: str) -> frozenset[str] | None:
        """Return the classes that define a method of this name; None when not all classes are known."""
        return frozenset(self._owners.get(method, ())) if self._owners else None

    def is_method(self, name: str) -> bool:
        """Tell whether some class may have a method of a name."""
        owners = self.owners(name)
        return owners is None or bool(owners)

    def places(self, method: str) -> Iterable[str]:
        """Return the paths of the files that define a method of this name."""
        return self._places.get(method, ())

    def assigned(self, attribute: str) -> Iterable[str] | None:
        """Return the paths of the files that may give an attribute of this name; None when not all are known."""
        return (*self._assigned.get(attribute, ()), *self.places(attribute)) if self._owners else None

    def may_be(self, name: str, others: frozenset[str]) -> bool | None:
        """Tell whether a class of this name is one of some others, or may inherit from one; None when unknown."""
        key = (name, others)
        if key not in self._answers:
            self._answers[key] = self._ask(name, others)
        return self._answers[key]

    def _ask(self, name: str, others: frozenset[str]) -> bool | None:
        seen, pending, known = {name}, [name], True
        while pending:
            current = pending.pop()
            if current in others:
                return True
            bases = self._bases.get(current)
            if bases is None:
                known = known and current in self._foreign
                continue
            pending.extend(bases - seen)
            seen |= bases
        return False if known else None


def classes_of(data: bytes) -> dict[str, set[str]]:
    """Return the classes of a file, with all names that stand among their bases."""
    found: dict[str, set[str]] = {}
    for match in _CLASS.finditer(data):
        if _before(data, match.start()).strip():
            continue
        words = _WORD.findall(_NOT_BASES.sub(b"", match[2])) if match[2] else ()
        bases = found.setdefault(match[1].decode("utf-8", "replace"), set())
        bases.update(word.decode("utf-8", "replace") for word in words)
    return found


def methods_of(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the methods of a file, each as (class, name)."""
    open_: list[tuple[int, str]] = []
    methods, classes = ([(match.start(), match[1]) for match in pattern.finditer(data)] for pattern in _DEFINITIONS)
    starts = {start for start, _ in classes}
    for start, word in sorted(methods + classes):
        before = _before(data, start)
        if before.strip() not in (b"", b"async"):
            continue
        indent = len(before) - len(before.lstrip())
        while open_ and open_[-1][0] >= indent:
            open_.pop()
        name = word.decode("utf-8", "replace")
        if start in starts:
            open_.append((indent, name))
        elif open_:
            yield open_[-1][1], name


def _before(data: bytes, start: int) -> bytes:
    """Return what stands in a line before an offset."""
    return data[data.rfind(b"\n", 0, start) + 1 : start]
