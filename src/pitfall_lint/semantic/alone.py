"""Names that stand alone, without a dot: what may give one a value, and where one may be a method."""

from __future__ import annotations

import re

from pitfall_lint.semantic.spans import Spans
from pitfall_lint.semantic.words import Places, binds_at, occurrences

_BODY = re.compile(rb":[ \t]*(?:#[^\n]*)?\r?\n")


class Alone:
    """The question of one file."""

    def __init__(self, data: bytes, spans: Spans, places: Places) -> None:
        self._data = data
        self._places = places
        self._spans = spans
        self._bound: dict[str, bool] = {}
        self._taken: dict[str, bool] = {}

    def is_bound(self, word: str) -> bool:
        """Tell whether something in this file may bind a name, so that a method can go by its bare name."""
        found = self._bound.get(word)
        if found is None:
            found = self._bound[word] = any(binds_at(self._data, start, end) for start, end in self._places.of(word))
        return found

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


def in_import(data: bytes, position: int) -> bool:
    """Tell whether a place stands in a module-level import of one line."""
    start = data.rfind(b"\n", 0, position) + 1
    start = max(start, data.rfind(b"\r", start, position) + 1)  # not from the beginning of the file each time
    return data.startswith((b"from ", b"import "), start) and b";" not in data[start:position]
