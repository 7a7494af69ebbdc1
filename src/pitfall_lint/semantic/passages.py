"""Where the nodes of `ast` stand in their text, and what stands there."""

from __future__ import annotations

import re
from typing import Any

from pitfall_lint.semantic.locating import Range

Place = tuple[int, int, int, int]
"""First line and column, last line and column: lines 1-based, columns in bytes."""
_LINES = re.compile(r"\r\n|\r|\n")


class Undraftable(Exception):
    """The text holds what only LibCST reads, or what `ast` does not tell apart."""


class Passages:
    """Finds text by the places that `ast` tells."""

    def __init__(self, text: str) -> None:
        self._ascii = text.isascii()
        self._ends = _LINES.findall(text) if "\r" in text else ()
        lines = _LINES.split(text) if "\r" in text else text.split("\n")
        self._lines: list[Any] = lines if self._ascii else [line.encode() for line in lines]

    def range_of(self, place: Place) -> Range:
        """Return a place with columns in characters."""
        first, start, last, end = place
        if not self._ascii:
            start, end = len(self._lines[first - 1][:start].decode()), len(self._lines[last - 1][:end].decode())
        return Range((first, start), (last, end))

    def between(self, first: int, start: int, last: int, end: int) -> str:
        """Return the text from one place to another."""
        if first == last:
            return self._str(self._lines[first - 1][start:end])
        pieces = [self._lines[first - 1][start:], *self._lines[first : last - 1], self._lines[last - 1][:end]]
        ends = [*self._ends[first - 1 : last - 1], ""] if self._ends else [*["\n"] * (last - first), ""]
        return "".join(self._str(piece) + end for piece, end in zip(pieces, ends, strict=True))

    def begins_line(self, node: Any) -> bool:
        """Tell whether a statement is the first of its line. Raises Undraftable where a backslash hides that."""
        if self._lines[node.lineno - 1][: node.col_offset].strip():
            return False
        if node.lineno > 1 and self._lines[node.lineno - 2].endswith("\\" if self._ascii else b"\\"):
            raise Undraftable
        return True

    def starts_with(self, node: Any, word: str) -> bool:
        """Tell whether the text of a node begins so."""
        line = self._lines[node.lineno - 1]
        return bool(line.startswith(word if self._ascii else word.encode(), node.col_offset))

    def _str(self, part: Any) -> str:
        return part if isinstance(part, str) else part.decode()


def place_of(node: Any) -> Place:
    """Return where a node of `ast` stands."""
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
