"""What the places of a file say, by the stdlib's `ast`: each is read once, when somebody asks."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from pitfall_lint.semantic.outline import Outline
from pitfall_lint.semantic.reading import Reading
from pitfall_lint.semantic.spans import Place
from pitfall_lint.semantic.texts import owner_at
from pitfall_lint.source import Source


class Excerpts:
    """The places of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines_read = 0
        self._readings: dict[Place, list[Reading] | None] = {}

    @cached_property
    def outline(self) -> Outline:
        """The definitions of the file."""
        return Outline(self.source)

    def of(self, place: Place) -> list[Reading] | None:
        """Return what a place says, the module without its functions in pieces, each statement for itself.

        None where it does not parse.
        """
        if place not in self._readings:
            try:
                self._readings[place] = self._read(place)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._readings[place] = None
        return self._readings[place]

    def _read(self, place: Place) -> list[Reading]:
        if place.start < 0:
            text = self.outline.skeleton.text
        else:
            body = self.source.data[place.start : place.end].decode(self.source.encoding)
            text = f"if 1:\n{body}" if place.indent else body
        self.lines_read += text.count("\n")
        tree = ast.parse(text)
        pieces = [tree] if place.start >= 0 else [ast.Module([statement], []) for statement in tree.body]
        found = [Reading(piece) for piece in pieces]
        if place.indent and len(found) == 1:
            found[0].owner = owner_at(self.source.data, place.start)
        return found

    def read_so_far(self, place: Place) -> Sequence[Reading]:
        """Return what a place says, if it was read."""
        return self._readings.get(place) or ()

    def outlined(self, offset: int) -> Place:
        """Return the place of an offset by the full outline: slower, and right about strings."""
        block = self.outline.function_at(self.outline.line_of(offset))
        if block is None:
            return Place(-1, -1, 0, False)
        return Place(*self.source.span_of(block.first, block.end), len(block.indent), True)

    def parsing(self, hits: Mapping[Place, Iterable[tuple[int, str]]]) -> dict[Place, tuple[int, set[str]]]:
        """Return the places of words, each with its first offset and all words; outlined where one does not parse."""
        found: dict[Place, tuple[int, set[str]]] = {}
        for place, words in hits.items():
            # Perhaps a string looked like code, or it is the `else` of something.
            apart = not place.is_function and place.start >= 0 and self.of(place) is None
            for offset, word in words:
                found.setdefault(self.outlined(offset) if apart else place, (offset, set()))[1].add(word)
        return found
