"""What one file gives to its callers, cut out of its bytes by the name that is asked for."""

from __future__ import annotations

import ast
import bisect
import re
from collections.abc import Sequence
from functools import lru_cache

from pitfall_lint.semantic.reading import Reading
from pitfall_lint.semantic.words import occurrences

_CLASS = re.compile(rb"class[ \t]+(\w+)")
_SLASHED = re.compile(rb"^(\w+)[ \t]*(?::[^=\n]*)?=[ \t(]*[a-zA-Z]{0,2}[\"']+(?:/|\w+://)", re.MULTILINE)


def slashed_variables(data: bytes) -> frozenset[str]:
    """Return the variables of a module that are given a text that begins as an absolute path or an address does."""
    return frozenset(name.decode("utf-8", "replace") for name in _SLASHED.findall(data))


class Texts:
    """The question for one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._bodies: dict[str, list[Reading | None]] = {}

    def bodies_of(self, name: str) -> Sequence[Reading | None]:
        """Return the functions of a name; None for one that cannot be read on its own."""
        found = self._bodies.get(name)
        if found is None:
            found = self._bodies[name] = [
                self._body(start) for start, _ in occurrences(self.data, name.encode()) if _is_defined(self.data, start)
            ]
        return found

    def _body(self, name: int) -> Reading | None:
        start = self.data.rfind(b"\n", 0, name) + 1
        indent = len(self.data[start:name]) - len(self.data[start:name].lstrip(b" \t"))
        end = re.compile(rb"^[ \t]{0,%d}[^ \t\r\n#)\]}]" % indent, re.M).search(self.data, name)
        text = self.data[start : end.start() if end else len(self.data)]
        try:
            tree = ast.parse(b"if 1:\n" + text if indent else text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        node = tree.body[0]
        function = node.body[0] if isinstance(node, ast.If) else node
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return None
        reading = Reading(function)
        if indent:
            reading.owner = owner_at(self.data, start)
        return reading


def _is_defined(data: bytes, start: int) -> bool:
    """Tell whether a function's name stands at an offset."""
    return data[max(start - 4, 0) : start] == b"def " and data[data.rfind(b"\n", 0, start) + 1 : start - 4].strip() in (
        b"",
        b"async",
    )


def class_at(data: bytes, offset: int) -> str:
    """Return the name of the module's class that begins last before a method; "" when there is none."""
    match = _CLASS.match(data, _class_start(data, offset))
    return match[1].decode("utf-8", "replace") if match is not None else ""


def owner_at(data: bytes, offset: int) -> str:
    """Return the name of the module's class around a method; "" where another class may stand between them."""
    between = data[_class_start(data, offset) : offset]
    return "" if re.search(rb"\n[ \t]+class ", between) is not None else class_at(data, offset)


def _class_start(data: bytes, offset: int) -> int:
    starts = _classes(data)
    index = bisect.bisect_left(starts, offset) - 1
    return starts[index] if index >= 0 else 0


@lru_cache(maxsize=32)
def _classes(data: bytes) -> list[int]:
    """Return where the classes of a module begin."""
    return [match.start() + 1 for match in re.finditer(rb"\nclass ", data)]
