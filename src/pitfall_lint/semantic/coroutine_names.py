"""The names of coroutine functions, and whose methods they are, told in bytes."""

from __future__ import annotations

import bisect
import re

from pitfall_lint.semantic.lineage import classes_of

COROUTINE = re.compile(rb"async def[ \t]+(\w+)")
_CLASS = re.compile(rb"class[ \t]+(\w+)")


def coroutines_of(data: bytes) -> dict[str, frozenset[str]]:
    """Return the names of a file's coroutine functions, with the classes whose methods they are, "" for none.

    A class that inherits in the same file has the methods of its bases, too.
    """
    found: dict[str, frozenset[str]] = {}
    classes = [(m.start(), m[1]) for m in _CLASS.finditer(data) if data[m.start() - 1 : m.start()] in (b"\n", b"")]
    for match in COROUTINE.finditer(data):
        line = data.rfind(b"\n", 0, match.start()) + 1
        if b"asynccontextmanager" in data[data.rfind(b"\n", 0, max(line - 1, 0)) + 1 : line]:
            continue
        name = match[1].decode("utf-8", "replace")
        owners = {""}
        if data[match.start() - 1 : match.start()] in (b" ", b"\t"):
            index = bisect.bisect_left(classes, (match.start(), b"")) - 1
            if index >= 0:
                owners = {classes[index][1].decode("utf-8", "replace")}
                if data[match.start() - 5 : match.start()] != b"\n    ":
                    owners.add("")  # deeper than a method of that class
        found[name] = found.get(name, frozenset()) | owners
    bases = classes_of(data) if found else {}
    above = {heir: _above(heir, bases) for heir in bases}
    return {
        name: owners | {heir for heir, higher in above.items() if not owners.isdisjoint(higher)}
        for name, owners in found.items()
    }


def _above(heir: str, bases: dict[str, set[str]]) -> set[str]:
    """Return the names of the classes that a class inherits from, as far as the file shows them."""
    found: set[str] = set()
    pending = [heir]
    while pending:
        new = bases.get(pending.pop(), set()) - found
        found |= new
        pending += new
    return found
