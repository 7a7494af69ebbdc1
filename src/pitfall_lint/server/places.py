"""Between byte offsets and the protocol's positions, in the units that the client counts in."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from lsprotocol import types

from pitfall_lint.finding import Edit, Span
from pitfall_lint.server.documents import Cell
from pitfall_lint.source import Source

_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


class Places:
    """The places of one text; for a notebook those of its cells."""

    def __init__(self, source: Source, uri: str, units: str, cells: tuple[Cell, ...] = ()) -> None:
        self.source = source
        self.uri = uri
        self.cells = cells
        self.units = units
        self._codec, self._width = _UNITS.get(units, _UNITS["utf-16"])

    def _count(self, text: str) -> int:
        return len(text) if text.isascii() else len(text.encode(self._codec, "surrogatepass")) // self._width

    def position(self, offset: int) -> tuple[str, types.Position]:
        """Return the document and position of a byte offset."""
        source = self.source
        offset = min(offset, len(source.data))
        line = max(bisect.bisect_right(source.line_starts, offset) - 1, 0)
        before = source.data[source.line_starts[line] : offset]
        if before.endswith((b"\n", b"\r")):  # behind the last line's end
            line, before = line + 1, b""
        character = self._count(before.decode(source.shown_encoding, "replace"))
        cell = self._cell_at(line)
        if cell is None:
            return self.uri, types.Position(line, character)
        return cell.uri, types.Position(line - cell.first, character)

    def range(self, span: Span) -> tuple[str, types.Range]:
        """Return the document and range of a span; it ends with its cell."""
        uri, start = self.position(span.start)
        other, end = self.position(span.end)
        if other != uri:
            end = types.Position(start.line + 1, 0)
        return uri, types.Range(start, end)

    def offset(self, uri: str, position: types.Position) -> int:
        """Return the byte offset of a position in a document of this text."""
        source = self.source
        line = position.line + next((cell.first for cell in self.cells if cell.uri == uri), 0)
        if line >= len(source.lines):
            return len(source.data)
        text = source.lines[line].rstrip(b"\r\n").decode(source.shown_encoding, "replace")
        raw = text.encode(self._codec, "surrogatepass")[: position.character * self._width]
        head = raw.decode(self._codec, "ignore")
        return source.line_starts[line] + len(head.encode(source.shown_encoding, "replace"))

    def text_edits(self, edits: Iterable[Edit]) -> dict[str, list[types.TextEdit]]:
        """Return edits as the protocol's, by document."""
        found: dict[str, list[types.TextEdit]] = {}
        for edit in edits:
            uri, place = self.range(edit.span)
            found.setdefault(uri, []).append(types.TextEdit(place, edit.text))
        return found

    def _cell_at(self, line: int) -> Cell | None:
        for cell in self.cells:
            if cell.first <= line < cell.end:
                return cell
        return self.cells[-1] if self.cells else None
