"""Whole words in bytes: which stand in a text, and where one stands."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

_LETTERS = frozenset(b for b in range(256) if (chr(b).isalnum() and b < 128) or b == 95 or b >= 128)
_DOTTED = bytes(code for code in _LETTERS if code < 128) + b"."
_NO_START = frozenset(b"\"')]}") | frozenset(range(128, 256))
_TABLE = bytes(code if code in _LETTERS else 32 for code in range(256))
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_MANY = 1000
"""Words that are looked for one by one."""


def words_of(data: bytes) -> list[bytes]:
    """Return the words of a text, as often as they stand there."""
    return data.translate(_TABLE).split()


def continues(data: bytes, index: int) -> bool:
    """Tell whether there is a byte that belongs to a word."""
    return 0 <= index < len(data) and data[index] in _LETTERS


def occurrences(data: bytes, word: bytes, first: int = 0, last: int = sys.maxsize) -> Iterator[tuple[int, int]]:
    """Yield the offsets at which a word begins and ends."""
    start = data.find(word, first, last)
    while start >= 0:
        end = start + len(word)
        if not continues(data, start - 1) and not continues(data, end):
            yield start, end
        start = data.find(word, end, last)


class Places:
    """Where words stand in one text; who asks for very many of them gets an index of all."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._asked = 0
        self._index: dict[bytes, list[tuple[int, int]]] | None = None

    def of(self, word: str) -> Iterable[tuple[int, int]]:
        """Return the offsets at which a word begins and ends."""
        self._asked += 1
        if self._asked < _MANY:
            return occurrences(self._data, word.encode())
        if self._index is None:
            self._index = {}
            for match in _WORD.finditer(self._data):
                self._index.setdefault(match[0], []).append(match.span())
        return self._index.get(word.encode(), ())


def binds_at(data: bytes, start: int, end: int) -> bool:
    """Tell whether the name between two offsets may be given a value there, or is what is defined there."""
    if data[max(start - 6, 0) : start].endswith((b"def ", b"class ", b" as ", b"for ")):
        return True
    rest = data[end : end + 80].lstrip(b" \t")
    if rest[:1] in (b",", b":", b")", b"]"):
        return b"=" in rest.partition(b"\n")[0] or (rest[:1] != b":" and b" in " in rest.partition(b"\n")[0])
    return rest[:1] == b"=" and rest[1:2] != b"="


def receiver_at(data: bytes, dot: int) -> tuple[str, ...]:
    """Return the names of the dotted name that ends before a dot; nothing when more than names stands there."""
    before = data[max(dot - 120, 0) : dot]
    rest = before.rstrip(_DOTTED)
    text = before[len(rest) :]
    if not text or not rest or rest[-1] in _NO_START or (not text[:1].isalpha() and text[:1] != b"_"):
        return ()
    return tuple(text.decode().split("."))
