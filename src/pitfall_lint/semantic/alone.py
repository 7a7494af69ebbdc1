"""Names that stand alone, without a dot: what may give one a value, and where one may be a method."""

from __future__ import annotations

import bisect
import re

from pitfall_lint.semantic.spans import Spans
from pitfall_lint.semantic.words import Places, binds_at, occurrences

_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t][^\n(]*import[ \t]*\([^)]*\)|(?:from|import)[ \t][^\n]*)", re.MULTILINE)
_BINDS = (b"def ", b"class ", b" as ", b"for ", b"global ", b"nonlocal ", b"del ")
_SIGNATURE = 3000
"""Bytes of the longest head of a function, about."""
_BODY = re.compile(rb":[ \t]*(?:#[^\n]*)?\r?\n")


class Alone:
    """The question of one file."""

    def __init__(self, data: bytes, spans: Spans, places: Places) -> None:
        self._data = data
        self._places = places
        self._spans = spans
        self._bound: dict[str, bool] = {}
        self._taken: dict[str, bool] = {}
        self._given: dict[str, bool] = {}
        self._imports: list[tuple[int, int]] | None = None

    def is_bound(self, word: str) -> bool:
        """Tell whether something in this file may bind a name, so that a method can go by its bare name."""
        found = self._bound.get(word)
        if found is None:
            found = self._bound[word] = any(binds_at(self._data, start, end) for start, end in self._places.of(word))
        return found

    def is_given(self, word: str) -> bool:
        """Tell whether something else than an import may give a name a value in this file, as a parameter, too."""
        found = self._given.get(word)
        if found is None:
            found = self._given[word] = b"import *" in self._data or any(
                not self._is_in_import(start) and _may_be_given(self._data, start, end)
                for start, end in self._places.of(word)
            )
        return found

    def is_plain_function(self, word: str) -> bool:
        """Tell whether plain functions of this file, and nothing else, surely go by a name."""
        defined = False
        for start, end in self._places.of(word):
            before = self._data[max(start - 12, 0) : start].split()
            if before[-1:] == [b"def"]:
                if before[-2:-1] == [b"async"]:
                    return False
                defined = True
            elif self._is_in_import(start) or _may_be_given(self._data, start, end):
                return False
        return defined

    def _is_in_import(self, offset: int) -> bool:
        if self._imports is None:
            self._imports = [match.span() for match in _IMPORT.finditer(self._data)]
        index = bisect.bisect_right(self._imports, (offset, len(self._data))) - 1
        return index >= 0 and offset < self._imports[index][1]

    def is_taken(self, word: str) -> bool:
        """Tell whether a method is taken from its object somewhere, without being called there: `get = client.get`."""
        found = self._taken.get(word)
        if found is None:
            data, name = self._data, word.encode()
            found = self._taken[word] = any(
                data[a - 1 : a] in (b".", b'"', b"'")
                and data[b : b + 1] != b"("
                and any(binds_at(data, *bare) for bare in occurrences(data, name, max(a - 400, 0), a))
                for a, b in self._places.of(word)
            )
        return found

    def may_be_method(self, word: str, offset: int) -> bool:
        """Tell whether a method may go by its bare name: outside of functions' bodies, or where it was taken."""
        if not self.is_bound(word):
            return False
        place = None if self.is_taken(word) else self._spans.at(offset)
        return place is None or not place.is_function or _BODY.search(self._data, place.start, offset) is None


def _may_be_given(data: bytes, start: int, end: int) -> bool:
    """Tell whether a name may get a value between two offsets: by a statement, a loop, or from who calls."""
    if data[start - 1 : start] == b".":
        return False
    if data[max(start - 9, 0) : start].endswith(_BINDS) or data[start - 1 : start] == b"*":
        return True
    following = data[end : end + 80].lstrip(b" \t")
    sign = following[:1]
    if sign in (b"=", b":"):
        return following[1:2] != b"=" or sign == b":"
    if sign not in (b",", b")", b"]", b"i", b"\r", b"\n", b""):
        return False
    rest = data[end : end + 200].partition(b"\n")[0]
    return b"=" in rest or b" in " in rest or _is_parameter(data, start)


def _is_parameter(data: bytes, start: int) -> bool:
    """Tell whether an offset may stand in the head of a function."""
    head = data.rfind(b"def ", max(start - _SIGNATURE, 0), start)
    if head >= 0 and data.count(b"(", head, start) > data.count(b")", head, start):
        return True
    line = data.rfind(b"\n", 0, start) + 1
    small = data.rfind(b"lambda", line, start)
    return small >= 0 and b":" not in data[small:start]


def in_import(data: bytes, position: int) -> bool:
    """Tell whether a place stands in a module-level import of one line."""
    start = data.rfind(b"\n", 0, position) + 1
    start = max(start, data.rfind(b"\r", start, position) + 1)  # not from the beginning of the file each time
    return data.startswith((b"from ", b"import "), start) and b";" not in data[start:position]
