"""From a place in a file to the outermost function around it, in bytes: much faster than an outline, and unsure.

A span may be too large or too small when strings of several lines look like code. Whoever reads one has to
take a span that does not parse as a hint, no more.
"""

from __future__ import annotations

import ast
import bisect
import re
from dataclasses import dataclass
from functools import lru_cache

from pitfall_lint.source import Source

_DEFINITION = re.compile(rb"^([ \t\f]*)(async[ \t]+def|def|class)[ \t]+\w", re.MULTILINE)
_TOP = re.compile(rb"\n(?:async def|def|class) ")
_OUTER_LINE = re.compile(rb"\n(?=[^ \t\f\r\n#)\]}])")


@dataclass(frozen=True, slots=True)
class Place:
    """A range of bytes that should parse on its own: a function or a statement, `indent` deep."""

    start: int
    end: int
    indent: int
    is_function: bool


class Spans:
    """The places of one file."""

    def __init__(self, source: Source) -> None:
        self.data = source.data
        self._start = len(source.bom)
        self._outer_lines: dict[int, list[int]] = {}
        """By indentation: where the lines begin that are no deeper."""
        self._found: list[Place] = []
        """In the order of their starts, as they do not overlap."""
        self._starts: list[int] = []
        self._inner: dict[int, list[tuple[int, int, bool]]] = {}
        """What is defined in the classes of the module: (start, indent, is a function)."""
        tops = [match.span() for match in _TOP.finditer(self.data)]
        self._top_starts = [start for start, _ in tops]
        self._top_ends = [end for _, end in tops]

    def at(self, offset: int) -> Place | None:
        """Return the outermost function, or the statement outside of functions, that holds an offset."""
        index = bisect.bisect_right(self._starts, offset) - 1
        if index >= 0 and offset < self._found[index].end:
            return self._found[index]
        found = self._find(offset)
        if found is not None:
            index = bisect.bisect_left(self._starts, found.start)
            if index == len(self._starts) or self._starts[index] != found.start:
                self._starts.insert(index, found.start)
                self._found.insert(index, found)
        return found

    def _find(self, offset: int) -> Place | None:
        data = self.data
        index = bisect.bisect_right(self._top_ends, offset) - 1
        start = self._top_starts[index] + 1 if index >= 0 else 0
        if start == 0 and not data.startswith((b"def ", b"async def ", b"class "), self._start):
            return self._statement(offset)
        start = max(start, self._start)
        end = self._end(start, 0)
        if offset >= end:
            return self._statement(offset)
        if not data.startswith(b"class ", start):
            return Place(start, end, 0, True)
        inner = self._inner.get(start)
        if inner is None:
            inner = self._inner[start] = [
                (match.start(), len(match.group(1)), match.group(2) != b"class")
                for match in _DEFINITION.finditer(data, start + 1, end)
            ]
        open_: list[tuple[int, int, bool]] = []
        last = bisect.bisect_left(inner, (offset, 0, False))
        depth = 1 << 30
        for definition in reversed(inner[:last]):
            if definition[1] < depth:
                depth = definition[1]
                open_.append(definition)
        for begin, indent, is_function in reversed(open_):
            if is_function:
                stop = self._end(begin, indent)
                return Place(begin, stop, indent, True) if offset < stop else None
        return None

    def _statement(self, offset: int) -> Place | None:
        """Return the statement of the module around an offset, with all that is indented below it."""
        data = self.data
        line = data.rfind(b"\n", 0, offset) + 1
        while line > self._start and data[line : line + 1] in b" \t\f\r\n#)]}":
            line = data.rfind(b"\n", 0, line - 1) + 1
        line = max(line, self._start)
        if data[line : line + 1] in (b'"', b"'") and self._top_starts and line > self._top_starts[0]:
            return None  # the end of a text in a function or class above: what follows it would be read as a text
        end = self._end(line, 0)
        if data[line : line + 1] == b"@":  # a decorator: what it decorates belongs to it
            while data[end : end + 1] == b"@":
                end = self._end(end, 0)
            if data.startswith(b"class ", end):
                return None  # its methods are places of their own
            return Place(line, self._end(end, 0), 0, True)
        is_function = data.startswith((b"def ", b"async def "), line)  # the offset may be its very first word
        return Place(line, end, 0, is_function)

    def _end(self, start: int, indent: int) -> int:
        """Return where the first line begins that is no deeper than the one at `start`."""
        lines = self._outer_lines.get(indent)
        if lines is None:
            lines = self._outer_lines[indent] = [match.end() for match in _outer(indent).finditer(self.data)]
        position = self.data.find(b"\n", start)
        index = bisect.bisect_right(lines, position) if position >= 0 else len(lines)
        return lines[index] if index < len(lines) else len(self.data)


_PLAIN_IMPORT = re.compile(
    rb"from[ \t]+(?P<module>\.*[A-Za-z_][\w.]*|\.+)[ \t]+import[ \t]*"
    rb"(?:\((?P<inner>[\w\s,]+)\)|(?<=[ \t])(?P<names>\w+(?:[ \t,]+\w+)*))[ \t]*(?:#[^\r\n]*)?[\r\n]*"
)
_NAME_AS = re.compile(r"\s*([^\W\d]\w*)(?:\s+as\s+([^\W\d]\w*))?\s*")


@lru_cache(maxsize=64)
def _outer(indent: int) -> re.Pattern[bytes]:
    return re.compile(rb"\n(?=[ \t\f]{0,%d}[^ \t\f\r\n#)\]}])" % indent) if indent else _OUTER_LINE


@dataclass(frozen=True, slots=True)
class Binding:
    """What one import binds a name to; `surely` when the import stands at the very left."""

    full: str
    surely: bool


def imports(data: bytes) -> dict[str, list[Binding]]:
    """Return the names that import statements anywhere in a file bind; prose that looks like one adds too much."""
    found: dict[str, list[Binding]] = {}
    position = data.find(b"import")
    last = -1
    while position >= 0:
        start = data.rfind(b"\n", 0, position) + 1
        if start > last:
            end = data.find(b"\n", position)
            end = len(data) if end < 0 else end
            line = data[start:end]
            text = line.lstrip(b" \t\f\xef\xbb\xbf")
            if text.startswith((b"from ", b"import ", b"from\t", b"import\t")):
                if b"(" in text and b")" not in text:
                    close = data.find(b")", end)
                    end = close + 1 if close >= 0 else end
                while data[start:end].rstrip(b"\r").endswith(b"\\") and end < len(data):
                    following = data.find(b"\n", end + 1)
                    end = following if following >= 0 else len(data)
                last = end
                surely = len(text) == len(line) or start == 0
                for name, full in _bound(data[start:end].lstrip(b" \t\f\xef\xbb\xbf")):
                    found.setdefault(name, []).append(Binding(full, surely))
        position = data.find(b"import", max(position + 6, last))
    return found


def _bound(text: bytes) -> list[tuple[str, str]]:
    plain = _PLAIN_IMPORT.fullmatch(text)
    if plain is not None:
        names = plain["inner"] or plain["names"]
        whole = plain["module"].decode()
        before = whole if whole.endswith(".") else f"{whole}."
        pairs = [_NAME_AS.fullmatch(name) for name in names.decode().rstrip(", \t\r\n").split(",")]
        if all(pairs):
            return [(pair[2] or pair[1], before + pair[1]) for pair in pairs if pair]
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError):
        return []
    return [pair for statement in statements for pair in bound_by(statement)]


def bound_by(node: ast.AST) -> list[tuple[str, str]]:
    """Return the names that an import statement binds, with the qualified names they stand for."""
    if isinstance(node, ast.Import):
        return [
            (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2 for alias in node.names
        ]
    if isinstance(node, ast.ImportFrom):
        before = "." * node.level + (f"{node.module}." if node.module else "")
        return [(alias.asname or alias.name, before + alias.name) for alias in node.names]
    return []
