"""Several changes of the same lines as edits that don't get in each other's way: lines put in, moved, replaced."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Edit, Span

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


class Rewriting:
    """Changes of one function that are made together; `edits()` gives them in the end."""

    def __init__(self, file: File, near: cst.CSTNode) -> None:
        self._file = file
        tree = file.tree_of(near)
        self.unit = tree.indent if tree is not None else "    "
        self._headers: dict[int, list[str]] = {}
        self._before: dict[int, list[str]] = {}
        self._moved: dict[int, int] = {}
        self._replaced: list[Edit] = []

    def lines_of(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return the first and last 0-based line of a node, without the comments above it."""
        span, position = self._file.span(node), self._file.source.position
        return position(span.start)[0] - 1, position(max(span.start, span.end - 1))[0] - 1

    def insert(self, before: cst.CSTNode, lines: list[str]) -> None:
        """Put lines before a statement; they move along with it."""
        self._before.setdefault(self.lines_of(before)[0], []).extend(lines)

    def head(self, before: cst.CSTNode, line: str) -> None:
        """Put a line before a statement, where the statement stands now."""
        at = self.lines_of(before)[0]
        self.head_line(at, [f"{self.indentation(at)}{line}"])

    def head_line(self, at: int, lines: list[str]) -> None:
        """Put lines, indented already, before a 0-based line."""
        self._headers.setdefault(at, []).extend(lines)

    def move(self, first: int, last: int, levels: int) -> None:
        """Move lines by levels of indentation."""
        for line in range(first, last + 1):
            self._moved[line] = self._moved.get(line, 0) + levels

    def replace(self, place: cst.CSTNode | Span, new: str) -> None:
        """Put other source in the place of a node or span."""
        span = place if isinstance(place, Span) else self._file.span(place)
        self._replaced.append(Edit(span, self._newlines(new)))

    def indentation(self, line: int) -> str:
        """Return the white space that a line begins with now."""
        raw = self._file.source.lines[line].decode(self._file.source.encoding, "replace")
        return raw[: len(raw) - len(raw.lstrip())]

    def edits(self) -> tuple[Edit, ...]:
        """Return all changes; lines that begin inside a string, or inside what is replaced, are not moved."""
        source = self._file.source
        found = list(self._replaced)
        for line in sorted({*self._headers, *self._before, *self._moved}):
            start, levels = source.line_starts[line], self._moved.get(line, 0)
            own = self.indentation(line)
            text = "".join(self._line("", new) for new in self._headers.get(line, ()))
            moved = own + self.unit * levels if levels >= 0 else own[: len(own) + levels * len(self.unit)]
            text += "".join(self._line(moved, new) for new in self._before.get(line, ()))
            inside = any(edit.span.start < start < edit.span.end for edit in self._replaced)
            if inside or not source.lines[line].strip() or self._file.outline.begins_in_string(line):
                levels = 0
            width = len(self.unit) * -levels if levels < 0 else 0
            if text or levels:
                found.append(Edit(Span(start, start + width), text + self.unit * max(levels, 0)))
        return tuple(sorted(found))

    def _line(self, indentation: str, new: str) -> str:
        return self._newlines(f"{indentation}{new}\n" if new else "\n")

    def _newlines(self, text: str) -> str:
        return re.sub(r"\r\n|\r|\n", self._file.source.newline, text)
