"""Joins of addresses: where one part ends and the next begins, and whether the slash between them is right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.paths import RoutePath, UrlUse
from pitfall_lint.semantic import shapes, strings
from pitfall_lint.semantic.pieces import Piece
from pitfall_lint.semantic.shapes import Shape, Shapes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_SPACE = re.compile(r"[\s<>]|\\\\[nrt]")
_JOINING = (cst.FormattedString, cst.BinaryOperation, cst.ConcatenatedString, cst.Call)


@dataclass(frozen=True)
class Seam:
    """The place between two parts of a joined text: what stands before it, the part before it, the part behind."""

    before: Shapes
    left: Piece
    right: Piece


@dataclass(frozen=True)
class Joined:
    """An outermost expression that joins text as it stands."""

    node: cst.BaseExpression
    pieces: tuple[Piece, ...]
    shapes: Shapes

    def text_behind(self, seam: Seam) -> str:
        """Return what follows the two parts of a seam, for messages."""
        rest = self.pieces[self.pieces.index(seam.right) + 1 :]
        return "".join(piece.shapes[0].pretty for piece in rest)

    def text_with(self, part: Piece, text: Shape) -> str:
        """Return the whole text with another one in the place of a part, for messages."""
        return "".join(text.pretty if piece is part else piece.shapes[0].pretty for piece in self.pieces)

    def seams(self) -> Iterator[Seam]:
        """Yield the places between its parts."""
        before: Shapes = (Shape(),)
        for left, right in zip(self.pieces, self.pieces[1:], strict=False):
            before = shapes.concatenated(before, left.shapes)
            yield Seam(before, left, right)


def joined_in(file: File) -> Iterator[Joined]:
    """Yield the outermost joins that may be addresses, in what is being looked at."""
    memo: dict[cst.CSTNode, Joined | None] = file.memo.setdefault("joins", {})
    for node in file.nodes(*_JOINING):
        if node not in memo:
            memo[node] = _joined(file, node)
        found = memo[node]
        if found is not None:
            yield found


def _joined(file: File, node: cst.CSTNode) -> Joined | None:
    outer = file.parent(node)
    if isinstance(outer, cst.ConcatenatedString) or (
        isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.Add)
    ):
        return None
    assert isinstance(node, cst.BaseExpression)
    texts = list(_texts(node))
    if not texts or any(_SPACE.search(text) for text in texts):
        return None
    if not any("/" in text for text in texts) and not isinstance(node, (cst.BinaryOperation, cst.FormattedString)):
        return None
    pieces = strings.pieces_of(file, node)
    if pieces is None or len(pieces) < 2:
        return None
    return Joined(node, pieces, shapes.concatenated(*(piece.shapes for piece in pieces)))


def _texts(node: cst.CSTNode) -> Iterator[str]:
    """Yield the literal texts of a join, as they are written; "" for its other parts, nothing if it is no join."""
    if isinstance(node, cst.FormattedString):
        for part in node.parts:
            yield part.value if isinstance(part, cst.FormattedStringText) else ""
    elif isinstance(node, cst.SimpleString):
        yield node.raw_value
    elif isinstance(node, cst.ConcatenatedString):
        yield from _texts(node.left)
        yield from _texts(node.right)
    elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        for side in (node.left, node.right):
            yield from (
                _texts(side)
                if isinstance(side, _JOINING[:3])
                else [side.raw_value]
                if isinstance(side, cst.SimpleString)
                else [""]
            )
    elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
        yield from _texts(node.left)
    elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value in {"format", "join"}:
            yield from _texts(node.func.value)


def is_address(file: File, joined: Joined) -> bool:
    """Tell whether a joined text is surely a web address or a part of one: by its scheme, or by who takes it."""
    if any(shapes.is_url(shape) for shape in joined.shapes):
        return True
    return is_sent(file, joined.node)


def is_collapsed(file: File, node: cst.BaseExpression) -> bool:
    """Tell whether a joined text goes right into what makes one slash of several, by itself or by its local name."""
    outer = file.parent(node)
    if isinstance(outer, cst.Assign):
        target, function = outer.targets[0].target, file.function_of(outer)
        if not isinstance(target, cst.Name) or function is None:
            return False
        uses = (n for n in function.nodes(cst.Name) if isinstance(n, cst.Name) and n.value == target.value)
        return any(_collapses(file, use) for use in uses if use is not target)
    while isinstance(outer, cst.BinaryOperation):
        node, outer = outer, file.parent(outer)
    return _collapses(file, node)


def _collapses(file: File, node: cst.BaseExpression) -> bool:
    outer = file.parent(node)
    if isinstance(outer, cst.Attribute) and outer.attr.value == "replace" and outer.value is node:
        call = file.parent(outer)
        return isinstance(call, cst.Call) and bool(call.args) and file.folded(call.args[0].value) == "//"
    call = file.parent(outer) if isinstance(outer, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return False
    name = file.qualified_name(call.func) or ""
    if name.endswith("path.normpath"):
        return True
    pattern = file.folded(call.args[0].value) if name == "re.sub" else None
    return isinstance(pattern, str) and any(text in pattern for text in ("//", "/+", "/{2"))


def is_sent(file: File, node: cst.BaseExpression) -> bool:
    """Tell whether an expression goes right into a request, a redirect or a route."""
    outer = file.parent(node)
    if isinstance(outer, (cst.Assign, cst.AnnAssign)):
        return _is_sent_later(file, outer)
    call_node = file.parent(outer) if isinstance(outer, cst.Arg) else None
    if not isinstance(call_node, cst.Call):
        return False
    call = file.call(call_node)
    if call.name is None:
        return False
    libraries = file.libraries
    places = [use.url for use in libraries.find_all(UrlUse, call.name)]
    places += [route.path for route in libraries.find_all(RoutePath, call.name)]
    return any(call.where(place) is node for place in places)


def _is_sent_later(file: File, assignment: cst.Assign | cst.AnnAssign) -> bool:
    """Tell whether the local name that is assigned goes into a request in the same function."""
    target = assignment.target if isinstance(assignment, cst.AnnAssign) else assignment.targets[0].target
    function = file.function_of(assignment)
    if not isinstance(target, cst.Name) or function is None:
        return False
    for call in function.calls():
        for arg in call.node.args:
            if isinstance(arg.value, cst.Name) and arg.value.value == target.value and is_sent(file, arg.value):
                return True
    return False


def starts_query(shape: Shape) -> bool:
    """Tell whether what stands before a seam already is beyond the path: behind "?" or "#"."""
    return any("?" in part or "#" in part for part in shape.parts if isinstance(part, str))


def is_scheme_end(shape: Shape) -> bool:
    """Tell whether a text ends where an address's host, or a file's path, begins: "scheme://", "sqlite:///"."""
    return shape.tail.rstrip("/").endswith(":") or shape.tail.endswith("//")
