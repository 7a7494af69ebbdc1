"""Where definitions stand, found in bytes: nothing here builds a tree of the whole file.

A slice is a definition's own lines behind `if 1:` headers, one for each level of indentation, so that
columns stay true and only a line map is needed to come back to the file.
"""

from __future__ import annotations

import ast
import bisect
import re
import textwrap
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, repeat

from pitfall_lint.semantic.binding_lines import lines_binding, may_bind
from pitfall_lint.semantic.import_lines import Imported as Imported
from pitfall_lint.semantic.import_lines import imported_in
from pitfall_lint.source import Source

_FIRST_DEFINITION = re.compile(rb"([ \t\f]*)(async[ \t]+def|def|class)[ \t]+(\w+)")
_DEFINITION = re.compile(rb"\n" + _FIRST_DEFINITION.pattern)
"""Patterns that begin with a newline are looked for from line to line; `^` is tried at every byte."""
_STRING_OR_COMMENT = re.compile(
    rb'#[^\r\n]*|"""(?:[^\\"]|\\.|"(?!""))*+"""|\'\'\'(?:[^\\\']|\\.|\'(?!\'\'))*+\'\'\''
    rb'|"(?:[^"\\\r\n]|\\.)*+"|\'(?:[^\'\\\r\n]|\\.)*+\''
    if hasattr(re, "NOFLAG")  # possessive quantifiers came with 3.11
    else rb'#[^\r\n]*|"""(?:[^\\"]|\\.|"(?!""))*"""|\'\'\'(?:[^\\\']|\\.|\'(?!\'\'))*\'\'\''
    rb'|"(?:[^"\\\r\n]|\\.)*"|\'(?:[^\'\\\r\n]|\\.)*\'',
    re.DOTALL,
)
_GIVEN = re.compile(r"^[ \t]*(\w+)[^=\n]*=([^=\n]*)", re.MULTILINE)
_WORD = re.compile(r"\w+")
_GLOBAL = re.compile(rb"\n[ \t]*global[ \t]+([^\r\n#;]+)")
_STARTS = (b"def ", b"async def ", b"class ", b"@")
"""What begins a definition even when a bracket above was never closed: half-typed code."""


@dataclass(eq=False, slots=True)
class Block:
    """A `def` or `class` with its decorators; lines are 0-based, `end` is one past the last."""

    name: str
    is_class: bool
    is_async: bool
    indent: bytes
    first: int
    header: int
    end: int
    parent: Block | None = None
    children: list[Block] = field(default_factory=list)

    @property
    def in_function(self) -> bool:
        """Tell whether a function encloses this definition."""
        return self.parent is not None and (not self.parent.is_class or self.parent.in_function)


@dataclass(frozen=True, eq=False)
class Slice:
    """A piece of a file that parses on its own; `lines[i]` is the 0-based file line of its line i, or -1."""

    text: str
    lines: Sequence[int]
    headers: int = 0


class Outline:
    """The definitions of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._class_slices: dict[Block, Slice | None] = {}
        self._headers: dict[Block, Slice | None] = {}
        self._given: dict[frozenset[str], frozenset[str]] = {}

    @cached_property
    def _in_string(self) -> list[tuple[int, int]]:
        """The spans of lines that begin inside a string of several lines: (first, last)."""
        data = self.source.data
        if b'"""' not in data and b"'''" not in data:
            return []
        spans = []
        for match in _STRING_OR_COMMENT.finditer(data):
            if data[match.start()] != 35 and b"\n" in match.group():
                spans.append((self.line_of(match.start()) + 1, self.line_of(match.end() - 1)))
        return spans

    def line_of(self, offset: int) -> int:
        """Return the 0-based line of a byte offset."""
        return bisect.bisect_right(self.source.line_starts, offset) - 1

    def begins_in_string(self, line: int) -> bool:
        """Tell whether a 0-based line begins inside a string of several lines."""
        index = bisect.bisect_right(self._in_string, (line, 1 << 60)) - 1
        return index >= 0 and self._in_string[index][0] <= line <= self._in_string[index][1]

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All definitions in textual order."""
        blocks: list[Block] = []
        open_: list[Block] = []
        for match in self._definitions():
            header = self.line_of(match.start(2))
            if self.begins_in_string(header):
                continue
            indent = match.group(1)
            floor = 0
            while open_ and open_[-1].end <= header:
                floor = max(floor, open_.pop().end)
            floor = max(floor, open_[-1].header + 1) if open_ else floor
            block = Block(
                name=match.group(3).decode("utf-8", "replace"),
                is_class=match.group(2) == b"class",
                is_async=match.group(2).startswith(b"async"),
                indent=indent,
                first=self._first_line(header, indent, floor),
                header=header,
                end=self._end(header, len(indent)),
                parent=open_[-1] if open_ else None,
            )
            if block.parent:
                block.parent.children.append(block)
            blocks.append(block)
            open_.append(block)
        return tuple(blocks)

    def _definitions(self) -> Iterator[re.Match[bytes]]:
        data, start = self.source.data, len(self.source.bom)
        if (first := _FIRST_DEFINITION.match(data, start)) is not None:
            yield first
        yield from _DEFINITION.finditer(data, start)

    def _first_line(self, header: int, indent: bytes, floor: int) -> int:
        """Return the line of the first decorator, or of the `def`; what stands above `floor` belongs to others."""
        first, line = header, header - 1
        while line >= floor and header - line < 200:
            text = self.source.between(line, line + 1)
            stripped = text.strip()
            if text.startswith(indent + b"@") and not self.begins_in_string(line):
                first = line
            elif stripped and not stripped.startswith(b"#") and not self.begins_in_string(line):
                depth = len(text) - len(text.lstrip())
                if depth < len(indent) or (depth == len(indent) and stripped[:1] not in b")]}"):
                    break
            line -= 1
        return first

    def _end(self, header: int, indent: int) -> int:
        """Return the line after the last: the next statement not indented deeper ends a definition."""
        data, start, last = self.source.data, self.source.line_start(header), header
        end = self.source.line_count
        for match in _shallow(indent, b"\r" in data).finditer(data, max(self.source.line_start(header + 1) - 1, 0)):
            line = self.line_of(match.end())
            before = data[max(match.start() - 2, 0) : match.start()]
            if before.endswith(b"\\") or before == b"\\\r" or self.begins_in_string(line):
                last = line
            elif data[match.end()] != 35:  # a comment may stand anywhere
                if data.startswith(_STARTS, match.end()) or _is_balanced(data[start : match.start() + 1]):
                    end = line
                    break
                last = line
        end -= 1
        while end > last and not self._is_deeper(end, indent):
            end -= 1
        return end + 1

    def _is_deeper(self, line: int, indent: int) -> bool:
        """Tell whether a line has something that is indented deeper."""
        text = self.source.between(line, line + 1)
        rest = text.lstrip(b" \t\f")
        return bool(rest) and rest[0] not in b"\r\n" and len(text) - len(rest) > indent

    @cached_property
    def functions(self) -> tuple[Block, ...]:
        """The outermost functions: those of the module and of classes, not those inside functions."""
        return tuple(b for b in self.blocks if not b.is_class and not b.in_function)

    @cached_property
    def classes(self) -> tuple[Block, ...]:
        """The classes that stand in no function."""
        return tuple(b for b in self.blocks if b.is_class and not b.in_function)

    def function_at(self, line: int) -> Block | None:
        """Return the outermost function that holds a 0-based line."""
        index = bisect.bisect_right(self._function_starts, line) - 1
        if index >= 0 and line < self.functions[index].end:
            return self.functions[index]
        return None

    @cached_property
    def _function_starts(self) -> list[int]:
        return [b.first for b in self.functions]

    def slice(self, block: Block) -> Slice:
        """Return a definition as a slice."""
        headers = _headers(block.indent)
        newline = self.source.newline
        text = "".join(f"{header}if 1:{newline}" for header in headers)
        body = self.source.between(block.first, block.end).decode(self.source.encoding)
        return Slice(text + body, _numbers(len(headers), range(block.first, block.end)), len(headers))

    @cached_property
    def skeleton(self) -> Slice:
        """The file without its functions: what runs at import. Each function leaves a `pass`."""
        pieces: list[bytes] = []
        numbers: list[int] = []
        line, end = 0, self.source.line_count
        pass_line = b"pass" + self.source.newline.encode()
        for block in self.functions:
            if block.first < line:
                continue
            pieces.append(self.source.between(line, block.first))
            numbers.extend(range(line, block.first))
            pieces.append(block.indent + pass_line)
            numbers.append(block.header)
            line = block.end
        pieces.append(self.source.between(line, end))
        numbers.extend(range(line, end))
        return Slice(b"".join(pieces).decode(self.source.encoding), _numbers(0, numbers))

    @cached_property
    def imports(self) -> dict[str, tuple[Imported, ...]]:
        """The names that import statements outside of functions bind; `*` for star imports."""
        found: dict[str, list[Imported]] = {}
        for imported in imported_in(self.skeleton.text.encode()):
            found.setdefault(imported.name, []).append(imported)
        return {name: tuple(bindings) for name, bindings in found.items()}

    def has_word(self, word: str) -> bool:
        """Tell whether a word stands in what runs at import."""
        text, start = self.skeleton.text, -1
        while (start := text.find(word, start + 1)) >= 0:
            if not _continues(text[start - 1 : start]) and not _continues(text[start + len(word) :][:1]):
                return True
        return False

    def given_for(self, words: frozenset[str]) -> frozenset[str]:
        """Return the names that what runs at import gives something to with one of these words to its right."""
        if words not in self._given:
            pairs = _GIVEN.findall(self.skeleton.text)
            self._given[words] = frozenset(name for name, right in pairs if not words.isdisjoint(_WORD.findall(right)))
        return self._given[words]

    @cached_property
    def globals(self) -> dict[str, tuple[Block, ...]]:
        """The outermost functions that declare a name `global`."""
        found: dict[str, list[Block]] = {}
        for match in _GLOBAL.finditer(self.source.data):
            block = self.function_at(self.line_of(match.start(1)))
            for name in match.group(1).decode("utf-8", "replace").split(","):
                if block is not None and block not in found.setdefault(name.strip(), []):
                    found[name.strip()].append(block)
        return {name: tuple(blocks) for name, blocks in found.items()}

    def statements_binding(self, name: str) -> tuple[Slice, ...] | None:
        """Return the statements of the module that may give a name a value; None where they cannot be told."""
        if not may_bind(self.skeleton.text, name):
            return ()
        found = self._binding_statements
        return None if found is None else tuple(found.get(name, ()))

    @cached_property
    def _binding_statements(self) -> dict[str, list[Slice]] | None:
        skeleton = self.skeleton
        lines = skeleton.text.splitlines(keepends=True)
        found = lines_binding(skeleton.text)
        if found is None or len(lines) != len(skeleton.lines):
            return None  # the latter: lines that only Python sees as one
        slices: dict[tuple[int, int], Slice] = {}
        for first, last in dict.fromkeys(place for places in found.values() for place in places):
            slices[first, last] = Slice("".join(lines[first:last]), skeleton.lines[first:last])
        return {name: [slices[place] for place in places] for name, places in found.items()}

    def class_slice(self, block: Block) -> Slice | None:
        """Return a class of the module without its methods; None where that cannot be cut out."""
        if block not in self._class_slices:
            self._class_slices[block] = self._cut_class(block)
        return self._class_slices[block]

    def _cut_class(self, block: Block) -> Slice | None:
        skeleton = self.skeleton
        lines = skeleton.text.splitlines(keepends=True)
        if block.parent is not None or len(lines) != len(skeleton.lines):
            return None
        inside = [index for index, line in enumerate(skeleton.lines) if block.first <= line < block.end]
        if not inside:
            return None
        return Slice("".join(lines[inside[0] : inside[-1] + 1]), skeleton.lines[inside[0] : inside[-1] + 1])

    def class_binds(self, block: Block, name: str) -> bool:
        """Tell whether the body of a class may give a name a value outside of its definitions."""
        if not self.has_word(name):
            return False
        pattern = re.compile(rb"[ \t]+(?:.*[,\s(])?%s\b[^\n=]*[:=]" % re.escape(name.encode()))
        line = block.header
        for child in [*block.children, None]:
            end = child.first if child is not None else block.end
            if any(pattern.match(text) for text in self.source.between(line, end).splitlines(keepends=True)):
                return True
            line = max(line, child.end if child is not None else end)
        return False

    def header(self, block: Block) -> Slice | None:
        """Return a definition with its decorators and an empty body; None where that is not easily told."""
        if block not in self._headers:
            self._headers[block] = self._cut_header(block)
        return self._headers[block]

    def _cut_header(self, block: Block) -> Slice | None:
        if block.is_class and block.parent is not None:
            return None
        source, headers = self.source, _headers(block.indent)
        for end in range(block.header + 1, min(block.header + 40, block.end) + 1):
            plain = _STRING_OR_COMMENT.sub(b"", source.between(block.header, end)).rstrip()
            if plain.endswith(b":") and _open_brackets(plain) == 0:
                if b"#" in source.between(end - 1, end):
                    return None
                newline = source.newline
                code = source.between(block.first, end).decode(source.encoding).rstrip("\r\n")
                above = "".join(f"{header}if 1:{newline}" for header in headers)
                numbers = _numbers(len(headers), range(block.first, end))
                return Slice(f"{above}{code} pass{newline}", numbers, len(headers))
        return None


def _numbers(headers: int, lines: Iterable[int]) -> Sequence[int]:
    """Return the numbers of a slice's lines, in little room."""
    return array("i", chain(repeat(-1, headers), lines))


def _continues(text: str) -> bool:
    return text == "_" or text.isalnum()


def normal_form(code: str) -> str:
    """Return code in a form that formatting does not change; without spaces where it is a fragment."""
    text = textwrap.dedent(code).strip()
    for attempt in (text, f"{text} pass" if text.endswith(":") else f"{text}: pass"):
        try:
            return ast.unparse(ast.parse(attempt))
        except (SyntaxError, ValueError, RecursionError):
            continue
    return "".join(text.split()).replace("'", '"').replace(",)", ")")


@lru_cache(maxsize=64)
def _shallow(indent: int, has_returns: bool) -> re.Pattern[bytes]:
    """Return what finds the lines that are indented so deep at most, and not empty."""
    return re.compile(rb"%s[ \t\f]{0,%d}(?=[^ \t\f\r\n])" % (rb"[\r\n]" if has_returns else rb"\n", indent))


def _is_balanced(text: bytes) -> bool:
    """Tell whether a text closes every bracket that it opens."""
    return _open_brackets(text) == 0 or _open_brackets(_STRING_OR_COMMENT.sub(b"", text)) <= 0


def _open_brackets(text: bytes) -> int:
    return sum(map(text.count, (b"(", b"[", b"{"))) - sum(map(text.count, (b")", b"]", b"}")))


def _headers(indent: bytes) -> list[str]:
    text = indent.decode("ascii", "replace")
    if not text:
        return []
    unit = 1 if "\t" in text else 4 if len(text) % 4 == 0 else 2 if len(text) % 2 == 0 else len(text)
    return [text[:width] for width in range(0, len(text), unit)]
