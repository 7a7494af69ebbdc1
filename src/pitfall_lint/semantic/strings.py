"""The shapes that an expression's text may have: names, attributes, joins, string methods, settings and calls.

`shapes_of` answers for any expression; `pieces_of` tells from which parts a joined text is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.paths import Join, Setting, Text
from pitfall_lint.semantic import conditions, names, shapes, variables
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.names import dotted
from pitfall_lint.semantic.pieces import Piece, pieces
from pitfall_lint.semantic.shapes import UNKNOWN, Shape, Shapes, hole, literal

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

Frame = Mapping[tuple[Function, str], Shapes]
_NO_FRAME: Frame = {}
_DEPTH = 25
_CALL_DEPTH = 3
_BARE_METHODS = frozenset({"lower", "upper", "title", "capitalize", "casefold"})


@dataclass
class _Effort:
    depth: int = 0
    calls: int = 0
    cuts: int = 0


_effort = _Effort()


def cuts() -> int:
    """Return how often an answer was cut short so far: what was found meanwhile need not hold for good."""
    return _effort.cuts


def shapes_of(file: File, node: cst.BaseExpression, frame: Frame = _NO_FRAME) -> Shapes:
    """Return the alternatives of an expression's text; never empty.

    `frame` gives parameters of functions the shapes of one call's arguments.
    """
    memo = file.memo.setdefault("strings", {})
    if not frame and node in memo:
        found: Shapes = memo[node]
        return found
    busy: set[cst.CSTNode] = file.memo.setdefault("strings busy", set())
    if _effort.depth > _DEPTH or node in busy:
        _effort.cuts += 1
        return (unknown(file, node),)
    cuts = _effort.cuts
    _effort.depth += 1
    busy.add(node)
    try:
        handler = _HANDLERS.get(type(node))
        result = handler(file, node, frame) if handler is not None else ()
    finally:
        _effort.depth -= 1
        busy.discard(node)
    result = _placed(file, node, shapes.merged(result) or (unknown(file, node),))
    if not frame and (cuts == _effort.cuts or _effort.depth == 0):
        memo[node] = result
    return result


def unknown(file: File, node: cst.CSTNode, **known: object) -> Shape:
    """Return the shape of an expression of which nothing is known but its source."""
    name = file.text(node)
    known.setdefault("key", _identity(file, node))
    return hole(name if len(name) <= 40 else name[:39] + "…", **known)


def _identity(file: File, node: cst.CSTNode) -> object:
    """Return what two reads of the same variable have in common; None for what is no variable."""
    text = dotted(node)
    if text is None:
        return None
    root = text.partition(".")[0]
    found = names.lookup(file, root, node)
    function = file.function_of(node)
    if found is None or found.scope not in {"function", "class"} or function is None:
        return (file.path, "", text)
    if root == function.self_name and function.class_ is not None:
        return (file.path, function.class_.qualified_name, text)
    return (file.path, function.qualified_name, text)


def _placed(file: File, node: cst.CSTNode, found: Shapes) -> Shapes:
    return tuple(s if s.origin is not None else replace(s, origin=(file, node)) for s in found)


def pieces_of(file: File, node: cst.BaseExpression, frame: Frame = _NO_FRAME) -> tuple[Piece, ...] | None:
    """Return the parts that an expression joins as they stand, or None when it joins nothing."""
    return pieces(file, node, lambda part: shapes_of(file, part, frame))


def _joined(file: File, node: cst.BaseExpression, frame: Frame) -> Shapes:
    found = pieces_of(file, node, frame)
    return shapes.concatenated(*(piece.shapes for piece in found)) if found is not None else ()


def _constant(file: File, node: cst.SimpleString, frame: Frame) -> Shapes:
    value = node.evaluated_value
    return (literal(value),) if isinstance(value, str) else ()


def _number(file: File, node: cst.Integer, frame: Frame) -> Shapes:
    return (literal(str(node.evaluated_value)),)


def _variable(file: File, node: cst.Name | cst.Attribute, frame: Frame) -> Shapes:
    if isinstance(node, cst.Attribute):
        row = _text_row(file, node)
        if row is not None:
            return (_by_row(file, node, row, UNKNOWN),)
    return variables.shapes_of_variable(file, node, frame)


def _text_row(file: File, node: cst.BaseExpression) -> Text | None:
    leaf = node.attr.value if isinstance(node, cst.Attribute) else node.value if isinstance(node, cst.Name) else ""
    if leaf not in file.libraries.leaves(Text):
        return None
    name = file.qualified_name(node)
    return file.libraries.find(Text, name) if name is not None else None


def _by_row(file: File, node: cst.BaseExpression, row: Text, given: Shapes) -> Shape:
    if row.value:
        return literal(row.value)
    found = unknown(file, node, leading=row.leading, trailing=row.trailing, may_be_empty=row.may_be_empty)
    if row.url:
        rest = replace(found.parts[0], leading=False, may_be_empty=False)  # type: ignore[type-var]
        return shapes.joined(("http://", rest))
    return found


def _conditional(file: File, node: cst.IfExp, frame: Frame) -> Shapes:
    if isinstance(node.test, (cst.Name, cst.Attribute)):
        told = shapes_of(file, node.test, frame)
        if all(s.text for s in told):
            return shapes_of(file, node.body, frame)
        if all(s.text == "" for s in told):
            return shapes_of(file, node.orelse, frame)
    return (*shapes_of(file, node.body, frame), *shapes_of(file, node.orelse, frame))


def _boolean(file: File, node: cst.BooleanOperation, frame: Frame) -> Shapes:
    left, right = shapes_of(file, node.left, frame), shapes_of(file, node.right, frame)
    return (
        *(conditions.when_true(left) if isinstance(node.operator, cst.Or) else conditions.when_false(left)),
        *right,
    )


def _walrus(file: File, node: cst.NamedExpr, frame: Frame) -> Shapes:
    return shapes_of(file, node.value, frame)


def _subscript(file: File, node: cst.Subscript, frame: Frame) -> Shapes:
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return _sliced(file, node, frame)
    if "environ" in file.wording(node.value) and file.qualified_name(node.value) in _ENVIRONMENTS:
        key = shapes_of(file, node.slice[0].slice.value, frame)[0].text
        return (_outside(file, node, key, "environment"),)
    return ()


_ENVIRONMENTS = ("os.environ",)


def _sliced(file: File, node: cst.Subscript, frame: Frame) -> Shapes:
    """Return what `x[1:]`, `x[:-1]` and the like leave of constants."""
    inner = node.slice[0].slice if len(node.slice) == 1 else None
    if not isinstance(inner, cst.Slice) or inner.step is not None:
        return ()
    bounds = [file.folded(b) if b is not None else None for b in (inner.lower, inner.upper)]
    if not all(b is None or type(b) is int for b in bounds):
        return ()
    texts = [s.text for s in shapes_of(file, node.value, frame)]
    if None in texts:
        return (unknown(file, node, guarded=True),) if bounds in ([1, None], [None, -1]) else ()
    return tuple(literal(t[slice(*bounds)]) for t in texts if t is not None)


def _outside(file: File, node: cst.CSTNode, key: str | None, source: str) -> Shape:
    return hole(key or file.text(node), source=source, key=key)


# Calls


def _call(file: File, node: cst.Call, frame: Frame) -> Shapes:
    method = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
    if isinstance(node.func, cst.Attribute) and (of_string := _STRING_METHODS.get(method)) is not None:
        found = of_string(file, node, node.func.value, frame)
        if found is not None:
            return found
    if method in _BARE_METHODS and isinstance(node.func, cst.Attribute) and not node.args:
        return tuple(shapes.mapped(s, method) for s in shapes_of(file, node.func.value, frame))
    call = file.call(node)
    name = call.name
    if name is not None:
        if (setting := file.libraries.find(Setting, name)) is not None:
            return _setting(file, node, setting, frame)
        if (row := file.libraries.find(Text, name)) is not None:
            if row.same_as:
                given = call.receiver if row.same_as == "receiver" else call.where(row.same_as)
                return shapes_of(file, given, frame) if given is not None else ()
            return (_by_row(file, node, row, UNKNOWN),)
        if (join := file.libraries.find(Join, name)) is not None:
            return _join(file, node, join, frame)
    target = call.target
    if isinstance(target, Function):
        return _returned(file, node, target, frame)
    return ()


def _setting(file: File, node: cst.Call, row: Setting, frame: Frame) -> Shapes:
    call = file.call(node)
    key_node, default = call.where(row.key), call.where(row.default)
    key = shapes_of(file, key_node, frame)[0].text if key_node is not None else None
    read = _outside(file, node, key, row.source)
    if default is None or (isinstance(default, cst.Name) and default.value == "None"):
        return (read,)
    return (*conditions.when_true((read,)), *shapes_of(file, default, frame))


def _join(file: File, node: cst.Call, row: Join, frame: Frame) -> Shapes:
    call = file.call(node)
    if call.has_star or not node.args:
        return ()
    owner = call.receiver if row.base == "receiver" else None
    given = [shapes_of(file, part, frame) for part in (*((owner,) if owner is not None else ()), *_values(node))]
    if row.style == "file":
        last = given[0]
        for part in given[1:]:
            last = part if all(s.starts for s in part) else shapes.concatenated(_ended(last), part)
        return last
    if row.style != "reference":
        return ()
    base, parts = owner or call.where(row.base), call.where(row.parts)
    if base is not None and parts is not None:
        from urllib.parse import urljoin

        lefts, rights = shapes_of(file, base, frame), shapes_of(file, parts, frame)
        texts = [(left.text, right.text) for left in lefts for right in rights]
        if all(left is not None and right is not None for left, right in texts):
            return tuple(literal(urljoin(left or "", right or "")) for left, right in texts)
        if all(s.starts for s in rights) and all(shapes.url_path(s) is None and shapes.is_url(s) for s in lefts):
            return shapes.concatenated(lefts, rights)
    return ()


def _values(node: cst.Call) -> Iterator[cst.BaseExpression]:
    for arg in node.args:
        yield arg.value


def _ended(found: Shapes) -> Shapes:
    return tuple(s if s.ends or s.is_empty else shapes.joined((*s.parts, "/"), s.origin) for s in found)


def _returned(file: File, node: cst.Call, function: Function, frame: Frame) -> Shapes:
    """Return what a function of the project returns for these arguments."""
    if _effort.calls >= _CALL_DEPTH or function.is_generator:
        return ()
    inner = dict(frame)
    inner.update(variables.arguments(file, node, function, lambda part: shapes_of(file, part, frame)))
    _effort.calls += 1
    try:
        found: list[Shape] = []
        for returned in function.returns()[: shapes.WIDTH]:
            if not (isinstance(returned, cst.Name) and returned.value == "None"):
                found.extend(shapes_of(function.file, returned, inner))
    finally:
        _effort.calls -= 1
    if function.file is not file:
        file.used.add(function.file.path)
    return tuple(found)


# String methods


def _strip(side: Callable[[Shape, str], Shape]) -> Callable[..., Shapes | None]:
    def handle(file: File, node: cst.Call, receiver: cst.BaseExpression, frame: Frame) -> Shapes | None:
        given = shapes_of(file, receiver, frame)
        if not node.args:
            return tuple(shapes.mapped(s, "strip") if s.text is not None else s for s in given)
        characters = [s.text for s in shapes_of(file, node.args[0].value, frame)]
        if len(characters) != 1 or characters[0] is None:
            return ()
        return tuple(side(s, characters[0]) for s in given)

    return handle


def _replace(file: File, node: cst.Call, receiver: cst.BaseExpression, frame: Frame) -> Shapes | None:
    if not 2 <= len(node.args) <= 3 or any(arg.star or arg.keyword for arg in node.args):
        return None
    old, new = ([s.text for s in shapes_of(file, arg.value, frame)] for arg in node.args[:2])
    if len(old) != 1 or len(new) != 1 or old[0] is None or new[0] is None:
        return ()
    count = file.folded(node.args[2].value) if len(node.args) == 3 else -1
    count = count if type(count) is int else -1
    return tuple(shapes.replaced(s, old[0], new[0], count) for s in shapes_of(file, receiver, frame))


def _pieced(file: File, node: cst.Call, receiver: cst.BaseExpression, frame: Frame) -> Shapes | None:
    found = pieces_of(file, node, frame)
    return shapes.concatenated(*(piece.shapes for piece in found)) if found is not None else None


_STRING_METHODS: dict[str, Callable[..., Shapes | None]] = {
    "strip": _strip(shapes.stripped),
    "lstrip": _strip(shapes.left_stripped),
    "rstrip": _strip(shapes.right_stripped),
    "removeprefix": _strip(shapes.without_prefix),
    "removesuffix": _strip(shapes.without_suffix),
    "replace": _replace,
    "format": _pieced,
    "join": _pieced,
}
_HANDLERS: dict[type[cst.CSTNode], Callable[..., Shapes]] = {
    cst.SimpleString: _constant,
    cst.ConcatenatedString: _joined,
    cst.FormattedString: _joined,
    cst.BinaryOperation: _joined,
    cst.Integer: _number,
    cst.Name: _variable,
    cst.Attribute: _variable,
    cst.IfExp: _conditional,
    cst.BooleanOperation: _boolean,
    cst.NamedExpr: _walrus,
    cst.Subscript: _subscript,
    cst.Call: _call,
}

__all__ = ["Frame", "Piece", "pieces_of", "shapes_of", "unknown"]
