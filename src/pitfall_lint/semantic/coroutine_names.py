"""The names of coroutine functions, and whose methods they are, told in bytes."""

from __future__ import annotations

import re

COROUTINE = re.compile(rb"async def[ \t]+(\w+)")
_CLASS = re.compile(rb"class[ \t]+(\w+)")


def coroutines_of(data: bytes) -> dict[str, frozenset[str]]:
    """Return the names of a file's coroutine functions, with the classes whose methods they are, "" for none."""
    found: dict[str, frozenset[str]] = {}
    for match in COROUTINE.finditer(data):
        name = match[1].decode("utf-8", "replace")
        owners = {""}
        if data[match.start() - 1 : match.start()] in (b" ", b"\t"):
            start = data.rfind(b"\nclass ", 0, match.start()) + 1
            if class_ := _CLASS.match(data, start):
                owners = {class_[1].decode("utf-8", "replace")}
                if data[match.start() - 5 : match.start()] != b"\n    ":
                    owners.add("")  # deeper than a method of that class
        found[name] = found.get(name, frozenset()) | owners
    return found
