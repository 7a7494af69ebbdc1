"""What a file gives to a name or an attribute, wherever in it: of its bytes, only the statements that do so are read.

What a function gives to a name is among it, so that a no for the file is a no for each of its functions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator

from pitfall_lint.semantic.below import all_below
from pitfall_lint.semantic.reading import Reading
from pitfall_lint.semantic.words import continues, occurrences

UNKNOWN: ast.expr = ast.Yield()
"""Stands for what cannot be told."""
_MOST = 60
"""Lines of one statement."""
_QUOTED = re.compile(rb"[\"'#]")
_OPENS = re.compile(rb"[(\[{]")
_CLOSES = re.compile(rb"[)\]}]")
_TARGETS = re.compile(rb"[\w.\s,*()]*[)\]][ \t]*(?:=(?!=)|in\b)")
_AROUND = (
    *((b"", b""), (b"", b" pass"), (b"def f(", b"\n): pass"), (b"f(", b"\n)")),
    *((b"[0 ", b"\n]"), (b"[0 for _ in _ ", b"\n]"), (b"(_ ", b"\n)")),
)
"""What makes a statement of a line: of the head of a block, of parameters, arguments, parts of an expression."""
_HARD = -1
"""Stands for a place that is hard to read."""

Given = tuple[list[ast.expr], list[ast.expr]]
"""Values and annotations."""


class Anywhere(Reading):
    """What all of a file says of its names; `imported` tells which of them imports bind."""

    def __init__(self, data: bytes, imported: Callable[[str], bool]) -> None:
        super().__init__()
        self._data = data
        self._imported = imported
        self._names: dict[str, Given] = {}
        self._attributes: dict[str, Given] = {}
        self._globals: dict[str, Given] = {}
        self._trees: dict[int, ast.AST | None] = {}
        self._readings: dict[int, Reading] = {}

    def given_to(self, name: str) -> list[ast.expr] | None:
        """Return what a name is given; None when nothing but an import gives it anything."""
        values, notes = self._of_name(name)
        if self._imported(name):
            return [*values, UNKNOWN] if values or notes else None
        return values if values or notes or not self._imported("*") else None

    def notes_of(self, name: str) -> list[ast.expr]:
        """Return the annotations of a name."""
        return self._of_name(name)[1]

    def is_local(self, name: str) -> bool:
        """Tell whether a name is given something otherwise than by an import."""
        return self._of_name(name) != ([], [])

    def of_module(self, name: str) -> Given:
        """Return what statements at the very left give to a name, with its annotations."""
        found = self._globals.get(name)
        if found is None:
            lines = (line for line in self._lines(name.encode(), False) if line >= 0)
            outer = [line for line in lines if self._data[line : line + 1] not in b" \t"]
            found = self._globals[name] = self._given_in(outer, name)
        return found

    def of_attribute(self, name: str) -> Given:
        """Return what is given to attributes of a name, on objects and in the bodies of classes."""
        found = self._attributes.get(name)
        if found is None:
            inner = [line for line in self._lines(name.encode(), False) if line == _HARD or self._is_in_class(line)]
            values, notes = self._given_in(inner, name)
            for line in self._lines(name.encode(), True):
                tree = self._tree(line)
                for is_note, value in _stored(tree, name) if tree is not None else [(False, UNKNOWN)]:
                    (notes if is_note else values).append(value)
            found = self._attributes[name] = values, notes
        return found

    def _of_name(self, name: str) -> Given:
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = self._given_in(self._lines(name.encode(), False), name)
        return found

    def _given_in(self, lines: Iterable[int], name: str) -> Given:
        values: list[ast.expr] = []
        notes: list[ast.expr] = []
        for line in lines:
            tree = self._tree(line)
            if tree is None:
                values.append(UNKNOWN)
                continue
            reading = self._readings.get(line)
            if reading is None:
                reading = self._readings[line] = Reading(tree)
            values += reading.values.get(name, ())
            notes += reading.params.get(name, ())
        return values, notes

    def _lines(self, name: bytes, is_attribute: bool) -> list[int]:
        """Return where the lines begin that may bind a name, or an attribute."""
        data = self._data
        found: dict[int, None] = {}
        for start, end in occurrences(data, name):
            if (data[start - 1 : start] == b".") is not is_attribute:
                continue
            line = data.rfind(b"\n", 0, start) + 1
            before = data[max(start - 6, 0) : start]
            if before.endswith((b"def ", b"class ")):
                found[_HARD] = None
                continue
            after = end
            while data[after : after + 1] in (b" ", b"\t"):
                after += 1
            sign = data[after : after + 1]
            if sign in (b"=", b":") and not data[line:start].strip() and _goes_on(data, line):
                if _is_parameter(data, line):
                    found[line] = None
                continue
            if sign == b"=":
                if data[after + 1 : after + 2] != b"=":
                    found[line] = None
            elif sign == b":" or b" as " in data[line:start]:
                found[line] = None
            elif sign == b"i" and data[after : after + 2] == b"in" and not continues(data, after + 2):
                if b"for" in data[line:start]:
                    found[line] = None
            elif sign and sign in b",)]\r\n":
                rest = data[after : after + 200].partition(b"\n")[0]
                if b"=" in rest or b" in " in rest:
                    found[line] = None
                elif not data[line:start].strip(b" \t(*[.selfc") and _TARGETS.match(data, after):
                    found[_HARD] = None
        return list(found)

    def _is_in_class(self, line: int) -> bool:
        """Tell whether a line stands in the body of a class itself."""
        data = self._data
        depth = _indent(data, line)
        while depth and line > 0:
            line = data.rfind(b"\n", 0, line - 1) + 1
            if data[line : line + 1] not in b"#\r\n)]}" and (indent := _indent(data, line)) < depth:
                text = data[line + indent : line + indent + 6]
                if text.strip() and text[:1] not in b"#)]}":
                    return text == b"class " or (text[:4] in (b"if T", b"else", b"try:") and self._is_in_class(line))
        return False

    def _tree(self, line: int) -> ast.AST | None:
        """Return the statement that begins in a line; None when that is hard to tell."""
        if line == _HARD:
            return None
        if line not in self._trees:
            self._trees[line] = self._parse(line)
        return self._trees[line]

    def _parse(self, start: int) -> ast.AST | None:
        data = self._data
        end = _line_end(data, start)
        depth = _depth(data[start:end])
        for _ in range(_MOST):
            if depth <= 0 or end >= len(data):
                break
            following = _line_end(data, end + 1)
            depth += _depth(data[end:following])
            end = following
        text = data[start:end].strip()
        text = text[6:] if text.startswith(b"async ") else text[2:] if text.startswith(b"elif ") else text
        if text.startswith(b"except"):
            return ast.Module([], [])
        is_head = text.endswith(b":")
        hopeless = _depth(text) != 0 and _QUOTED.search(text) is None  # a part of something larger
        for before, after in () if hopeless else _AROUND:
            if is_head is not after.endswith(b" pass") and not before:
                continue  # only the head of a block goes on, and it does
            try:
                return ast.parse(before + text.rstrip(b",") + after)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
        return None if b"=" in text or b" as " in text else ast.Module([], [])  # prose


def _stored(tree: ast.AST, name: str) -> Iterator[tuple[bool, ast.expr]]:
    """Yield the annotations (True) and values (False) that a statement gives to an attribute."""
    for node in all_below(tree):
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)):
            pairs = [(node.target, node.value)] if node.value is not None else []
            if isinstance(node, ast.AnnAssign) and getattr(node.target, "attr", "") == name:
                yield True, node.annotation
        elif isinstance(node, ast.withitem):
            pairs = [(node.optional_vars, node.context_expr)] if node.optional_vars is not None else []
        elif isinstance(node, (ast.For, ast.comprehension)):
            pairs = [(node.target, node.iter)]
        else:
            continue
        for target, value in pairs:
            for part in all_below(target):
                if getattr(part, "attr", "") == name and isinstance(getattr(part, "ctx", None), ast.Store):
                    yield False, value if part is target else UNKNOWN


def _goes_on(data: bytes, line: int) -> bool:
    """Tell whether a line goes on with what the line before has begun."""
    return data[max(line - 200, 0) : line].rstrip()[-1:] in (b",", b"(", b"[", b"{") and b"#" not in _before(data, line)


def _is_parameter(data: bytes, line: int) -> bool:
    """Tell whether a line that goes on stands between the parentheses of a `def`."""
    depth = _indent(data, line)
    while line > 0:
        line = data.rfind(b"\n", 0, line - 1) + 1
        text = data[line : line + 120]
        if text.strip() and _indent(data, line) < depth:
            return text.lstrip().startswith((b"def ", b"async def ")) or b"lambda" in text
    return True


def _before(data: bytes, line: int) -> bytes:
    return data[data.rfind(b"\n", 0, max(line - 1, 0)) + 1 : line]


def _indent(data: bytes, line: int) -> int:
    text = data[line : line + 120]
    return len(text) - len(text.lstrip(b" \t"))


def _line_end(data: bytes, start: int) -> int:
    end = data.find(b"\n", start)
    return end if end >= 0 else len(data)


def _depth(text: bytes) -> int:
    return len(_OPENS.findall(text)) - len(_CLOSES.findall(text))
