"""Which names speak of this very machine, told in bytes: those that lines with its address give a value to."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from pitfall_lint.semantic.joints import given_by, lines_with
from pitfall_lint.semantic.reading import Reading

_ADDRESS = re.compile(r"localhost|127\.\d|0\.0\.0\.0|::1", re.IGNORECASE)
_IN_BYTES = re.compile(rb"localhost|127\.\d|0\.0\.0\.0|::1", re.IGNORECASE)


_ROUNDS = 3
_WORD = re.compile(rb"[A-Za-z_]\w*")
_HEADER = re.compile(rb"def[ \t]+(\w+)")
_TARGET = re.compile(rb"(\w+)[ \t]*(?::[^=\n]+)?=(?!=)")
_DEFINED = re.compile(rb"\b(?:def|class)[ \t]+(\w+)")
_CALLED = re.compile(rb"(\w+)\(")
_OUTER_LINE = re.compile(rb"^[^\s#)\]}][^\n]*", re.MULTILINE)


def names_of_this_machine(data: bytes) -> frozenset[str]:
    """Return the names that a file gives an address of this machine."""
    if b"localhost" not in data and b"127." not in data and b"0.0.0" not in data and b"::1" not in data:
        return frozenset()
    given, called = given_by(data, _IN_BYTES)
    defined = set(_DEFINED.findall(data))
    telling = given | (called & defined)  # what another module's function is given, that module cannot know
    for _ in range(_ROUNDS):
        new = set(_given_from(data, telling, defined)) - telling
        if not new:
            break
        telling |= new
    return frozenset(name.decode("utf-8", "replace") for name in telling)


def visible_names(data: bytes) -> frozenset[str]:
    """Return those of such names that other modules may use: of the module, of classes, and of attributes."""
    found = names_of_this_machine(data)
    if not found:
        return found
    seen = set(_DEFINED.findall(data))
    seen.update(re.findall(rb"\.(\w+)[ \t]*(?::[^=\n]+)?=(?!=)", data))
    in_class = False
    end = 0
    for match in _OUTER_LINE.finditer(data):
        if in_class:
            seen.update(re.findall(rb"^[ \t]+(\w+)[ \t]*[:=]", data[end : match.start()], re.MULTILINE))
        in_class, end = match[0].startswith((b"class ", b"if ", b"else", b"try", b"with", b"for ")), match.end()
        seen.update(_TARGET.findall(match[0]))
    if in_class:
        seen.update(re.findall(rb"^[ \t]+(\w+)[ \t]*[:=]", data[end:], re.MULTILINE))
    return found & {name.decode("utf-8", "replace") for name in seen}


def _given_from(data: bytes, telling: set[bytes], defined: set[bytes]) -> Iterator[bytes]:
    """Yield the names that lines with one of some names give a value to, and the functions that hold such lines."""
    headers = [match.span(1) for match in _HEADER.finditer(data) if _begins(data, match.start())]
    for start, line in lines_with(data, telling):
        if not telling.isdisjoint(_WORD.findall(line)):
            targets = _TARGET.findall(line)
            callees = _CALLED.findall(line)
            if callees and not any(name in defined or name[:1].isupper() for name in callees):
                targets = targets[:1] if _TARGET.match(line.lstrip()) else []  # others are arguments of a stranger's
            yield from targets
            index = bisect.bisect_left(headers, (start + len(line), 0)) - 1
            if index >= 0:
                yield data[slice(*headers[index])]


def _begins(data: bytes, start: int) -> bool:
    """Tell whether a `def` begins its line."""
    return data[data.rfind(b"\n", 0, start) + 1 : start].strip() in (b"", b"async")


class LocalNames:
    """The question of one file; `others` are such names of what it imports."""

    def __init__(self, data: bytes | None = None, others: Iterable[frozenset[str]] = ()) -> None:
        self._data = data
        self._others = others
        self._answers: dict[Reading, bool] = {}

    def speaks_in(self, reading: Reading) -> bool:
        """Tell whether a definition may speak of this machine."""
        found = self._answers.get(reading)
        if found is None:
            found = self._answers[reading] = self._data is None or self._ask(reading)
        return found

    def speaks_in_words(self, text: bytes, words: frozenset[bytes]) -> bool:
        """Tell the same of a definition that was not read yet, by its text and the words of it."""
        if self._data is None or _IN_BYTES.search(text) is not None:
            return True
        return not self._words.isdisjoint(words)

    @cached_property
    def _words(self) -> frozenset[bytes]:
        return frozenset(name.encode() for name in self._names)

    @cached_property
    def _names(self) -> frozenset[str]:
        return names_of_this_machine(self._data or b"").union(*self._others)

    def _ask(self, reading: Reading) -> bool:
        if any(_ADDRESS.search(text) for text, _ in reading.texts):
            return True
        named = reading.named | reading.defined
        return not self._names.isdisjoint(named)
