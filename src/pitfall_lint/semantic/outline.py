"""Where definitions stand, found in bytes: nothing here builds a tree of the whole file.

A slice is a definition's own lines behind `if 1:` headers, one for each level of indentation, so that
columns stay true and only a line map is needed to come back to the file.
"""

from __future__ import annotations

import ast
import bisect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from pitfall_lint.semantic.binding_lines import lines_binding, may_bind
from pitfall_lint.source import Source

_DEFINITION = re.compile(rb"^([ \t\f]*)(async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
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
_GLOBAL = re.compile(rb"^[ \t]*global[ \t]+([^\r\n#;]+)", re.MULTILINE)
_STARTS = (b"def ", b"async def ", b"class ", b"@")
"""What begins a definition even when a bracket above was never closed: half-typed code."""
_IMPORT = re.compile(
    rb"^[ \t]*((?:from[ \t]+[.\w \t]+?[ \t]+import\b[ \t]*(?:\([^)]*\)|[^\r\n;\\]*(?:\\\r?\n[^\r\n;\\]*)*)"
    rb"|import[ \t]+[^\r\n;\\]*(?:\\\r?\n[^\r\n;\\]*)*))",
    re.MULTILINE,
)


@dataclass(eq=False)
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


_BLANK = 1 << 30
"""Stands for the depth of a line without anything."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A piece of a file that parses on its own; `lines[i]` is the 0-based file line of its line i, or -1."""

    text: str
    lines: tuple[int, ...]
    headers: int = 0


@dataclass(frozen=True)
class Imported:
    """One name that an import statement binds."""

    name: str
    module: str
    attribute: str | None
    level: int
    """How many dots the import began with."""


class Outline:
    """The definitions of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source

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
        for match in _DEFINITION.finditer(self.source.data, len(self.source.bom)):
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

    def _first_line(self, header: int, indent: bytes, floor: int) -> int:
        """Return the line of the first decorator, or of the `def`; what stands above `floor` belongs to others."""
        first, line, lines = header, header - 1, self.source.lines
        while line >= floor and header - line < 200:
            text = lines[line]
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
        lines, depths, last, line = self.source.lines, self._depths, header, header + 1
        while line < len(lines):
            if depths[line] <= indent:
                text = lines[line]
                if self.begins_in_string(line) or lines[line - 1].endswith((b"\\\n", b"\\\r\n")):
                    last = line
                elif text.lstrip()[0] != 35:  # a comment may stand anywhere
                    if text.lstrip().startswith(_STARTS) or self._balanced(header, line):
                        break
                    last = line
            line += 1
        line -= 1
        while line > last and not indent < depths[line] < _BLANK:
            line -= 1
        return line + 1

    @cached_property
    def _depths(self) -> list[int]:
        """How deep each line is indented."""
        rests = [(line, line.lstrip(b" \t\f")) for line in self.source.lines]
        return [len(line) - len(rest) if rest and rest[0] not in b"\r\n" else _BLANK for line, rest in rests]

    def _balanced(self, first: int, end: int) -> bool:
        """Tell whether the lines from `first` up to `end` close every bracket that they open."""
        text = b"".join(self.source.lines[first:end])
        if _open_brackets(text) == 0:
            return True
        return _open_brackets(_STRING_OR_COMMENT.sub(b"", text)) <= 0

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
        body = b"".join(self.source.lines[block.first : block.end]).decode(self.source.encoding)
        return Slice(text + body, (*([-1] * len(headers)), *range(block.first, block.end)), len(headers))

    @cached_property
    def skeleton(self) -> Slice:
        """The file without its functions: what runs at import. Each function leaves a `pass`."""
        pieces: list[bytes] = []
        numbers: list[int] = []
        lines, line = self.source.lines, 0
        pass_line = b"pass" + self.source.newline.encode()
        for block in self.functions:
            if block.first < line:
                continue
            pieces.extend(lines[line : block.first])
            numbers.extend(range(line, block.first))
            pieces.append(block.indent + pass_line)
            numbers.append(block.header)
            line = block.end
        pieces.extend(lines[line:])
        numbers.extend(range(line, len(lines)))
        return Slice(b"".join(pieces).decode(self.source.encoding), tuple(numbers))

    @cached_property
    def imports(self) -> dict[str, tuple[Imported, ...]]:
        """The names that import statements outside of functions bind; `*` for star imports."""
        found: dict[str, list[Imported]] = {}
        for imported in _imports(self.skeleton.text.encode()):
            found.setdefault(imported.name, []).append(imported)
        return {name: tuple(bindings) for name, bindings in found.items()}

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of what runs at import."""
        return frozenset(re.findall(r"\w+", self.skeleton.text))

    @cached_property
    def given_words(self) -> dict[str, set[str]]:
        """The words to the right of what runs at import gives to names, with these names."""
        found: dict[str, set[str]] = {}
        for name, right in _GIVEN.findall(self.skeleton.text):
            for word in set(_WORD.findall(right)):
                found.setdefault(word, set()).add(name)
        return found

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
        if name not in self.words:
            return False
        pattern = re.compile(rb"[ \t]+(?:.*[,\s(])?%s\b[^\n=]*[:=]" % re.escape(name.encode()))
        lines, line = self.source.lines, block.header
        for child in [*block.children, None]:
            end = child.first if child is not None else block.end
            if any(pattern.match(text) for text in lines[line:end]):
                return True
            line = max(line, child.end if child is not None else end)
        return False

    def header(self, block: Block) -> Slice | None:
        """Return a definition with its decorators and an empty body; None where that is not easily told."""
        if block.is_class and block.parent is not None:
            return None
        lines, headers = self.source.lines, _headers(block.indent)
        for end in range(block.header + 1, min(block.header + 40, block.end) + 1):
            plain = _STRING_OR_COMMENT.sub(b"", b"".join(lines[block.header : end])).rstrip()
            if plain.endswith(b":") and _open_brackets(plain) == 0:
                if b"#" in lines[end - 1]:
                    return None
                newline = self.source.newline
                code = b"".join(lines[block.first : end]).decode(self.source.encoding).rstrip("\r\n")
                above = "".join(f"{header}if 1:{newline}" for header in headers)
                numbers = (*([-1] * len(headers)), *range(block.first, end))
                return Slice(f"{above}{code} pass{newline}", numbers, len(headers))
        return None


def normal_form(code: str) -> str:
    """Return code in a form that formatting does not change; without spaces where it is a fragment."""
    text = textwrap.dedent(code).strip()
    for attempt in (text, f"{text} pass" if text.endswith(":") else f"{text}: pass"):
        try:
            return ast.unparse(ast.parse(attempt))
        except (SyntaxError, ValueError, RecursionError):
            continue
    return "".join(text.split()).replace("'", '"').replace(",)", ")")


def _open_brackets(text: bytes) -> int:
    return sum(map(text.count, (b"(", b"[", b"{"))) - sum(map(text.count, (b")", b"]", b"}")))


def _headers(indent: bytes) -> list[str]:
    text = indent.decode("ascii", "replace")
    if not text:
        return []
    unit = 1 if "\t" in text else 4 if len(text) % 4 == 0 else 2 if len(text) % 2 == 0 else len(text)
    return [text[:width] for width in range(0, len(text), unit)]


def _imports(data: bytes) -> Iterator[Imported]:
    for match in _IMPORT.finditer(data):
        try:
            statements = ast.parse(match.group(1)).body
        except (SyntaxError, ValueError):  # prose in a docstring that looks like an import
            continue
        for statement in statements:
            if isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    yield Imported(alias.asname or alias.name, statement.module or "", alias.name, statement.level)
            elif isinstance(statement, ast.Import):
                for alias in statement.names:
                    if alias.asname:
                        yield Imported(alias.asname, alias.name, None, 0)
                    else:
                        yield Imported(alias.name.partition(".")[0], alias.name.partition(".")[0], None, 0)
