"""The parts of which a joined text is made: `+`, f-strings, `%`, `.format` and `.join` with a constant separator."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.shapes import UNKNOWN, Shapes, literal

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

Evaluate = Callable[[cst.BaseExpression], Shapes]
_PERCENT = re.compile(r"%(?:\((?P<name>\w+)\))?[-#0 +]*[\d*]*(?:\.[\d*]+)?(?P<kind>[a-zA-Z%])")


@dataclass(frozen=True)
class Piece:
    """One part of a joined text. `node` holds it; `literal` tells that it is text of the template itself."""

    node: cst.CSTNode
    shapes: Shapes
    literal: bool = False


def pieces(file: File, node: cst.BaseExpression, evaluate: Evaluate) -> tuple[Piece, ...] | None:
    """Return the parts of an expression that joins text as it stands; None when it does not."""
    if isinstance(node, cst.FormattedString):
        return tuple(_formatted(node, evaluate))
    if isinstance(node, cst.ConcatenatedString):
        return tuple(part for side in (node.left, node.right) for part in _parts(file, side, evaluate))
    if isinstance(node, cst.BinaryOperation):
        if isinstance(node.operator, cst.Add):
            return tuple(part for side in (node.left, node.right) for part in _parts(file, side, evaluate))
        if isinstance(node.operator, cst.Modulo):
            return _percent(node, evaluate)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value == "format":
            return _format(node, node.func.value, evaluate)
        if node.func.attr.value == "join" and len(node.args) == 1:
            return _join(node, node.func.value, evaluate)
    return None


def _parts(file: File, node: cst.BaseExpression, evaluate: Evaluate) -> tuple[Piece, ...]:
    if isinstance(node, (cst.FormattedString, cst.ConcatenatedString, cst.BinaryOperation)):
        inner = pieces(file, node, evaluate)
        if inner is not None:
            return inner
    return (Piece(node, evaluate(node), isinstance(node, cst.SimpleString)),)


def _formatted(node: cst.FormattedString, evaluate: Evaluate) -> Iterator[Piece]:
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            yield Piece(part, (literal(part.value.replace("{{", "{").replace("}}", "}")),), True)
        elif isinstance(part, cst.FormattedStringExpression):
            plain = not part.format_spec and (part.conversion is None or part.conversion == "s") and part.equal is None
            yield Piece(part.expression, evaluate(part.expression) if plain else UNKNOWN)


def _template(node: cst.BaseExpression, evaluate: Evaluate) -> str | None:
    found = evaluate(node)
    return found[0].text if len(found) == 1 else None


def _percent(node: cst.BinaryOperation, evaluate: Evaluate) -> tuple[Piece, ...] | None:
    template = _template(node.left, evaluate)
    if template is None or not isinstance(
        node.left, (cst.SimpleString, cst.ConcatenatedString, cst.Name, cst.Attribute)
    ):
        return None
    positional: list[cst.BaseExpression] = []
    named: dict[str, cst.BaseExpression] = {}
    if isinstance(node.right, cst.Tuple):
        if any(isinstance(element, cst.StarredElement) for element in node.right.elements):
            return None
        positional = [element.value for element in node.right.elements]
    elif isinstance(node.right, cst.Dict):
        for entry in node.right.elements:
            if isinstance(entry, cst.DictElement) and isinstance(entry.key, cst.SimpleString):
                named[str(entry.key.evaluated_value)] = entry.value
    else:
        positional = [node.right]
    found: list[Piece] = []
    end = index = 0
    for match in _PERCENT.finditer(template):
        found.append(Piece(node.left, (literal(template[end : match.start()]),), True))
        end = match.end()
        if match["kind"] == "%":
            found.append(Piece(node.left, (literal("%"),), True))
            continue
        given = named.get(match["name"]) if match["name"] else positional[index] if index < len(positional) else None
        index += not match["name"]
        if given is None:
            return None
        found.append(Piece(given, evaluate(given) if match["kind"] == "s" else UNKNOWN))
    found.append(Piece(node.left, (literal(template[end:]),), True))
    return tuple(piece for piece in found if piece.shapes != (literal(""),))


def _format(node: cst.Call, receiver: cst.BaseExpression, evaluate: Evaluate) -> tuple[Piece, ...] | None:
    template = _template(receiver, evaluate)
    if template is None or any(arg.star for arg in node.args):
        return None
    positional = [arg.value for arg in node.args if arg.keyword is None]
    named = {arg.keyword.value: arg.value for arg in node.args if arg.keyword is not None}
    found: list[Piece] = []
    index = 0
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError:
        return None
    for text, field, specification, conversion in fields:
        if text:
            found.append(Piece(receiver, (literal(text),), True))
        if field is None:
            continue
        if field == "" or field.isdecimal():
            number = int(field) if field else index
            index += 1
            given = positional[number] if number < len(positional) else None
        else:
            given = named.get(field)
        if given is None and not field.isidentifier() and field and not field.isdecimal():
            found.append(Piece(node, UNKNOWN))  # an attribute or item of an argument
            continue
        if given is None:
            return None
        plain = not specification and conversion in (None, "s")
        found.append(Piece(given, evaluate(given) if plain else UNKNOWN))
    return tuple(found)


def _join(node: cst.Call, receiver: cst.BaseExpression, evaluate: Evaluate) -> tuple[Piece, ...] | None:
    items = node.args[0].value
    if not isinstance(items, (cst.List, cst.Tuple)) or not isinstance(receiver, (cst.SimpleString, cst.Name)):
        return None
    if any(isinstance(element, cst.StarredElement) for element in items.elements):
        return None
    found: list[Piece] = []
    for element in items.elements:
        if found:
            found.append(Piece(receiver, evaluate(receiver), True))
        found.append(Piece(element.value, evaluate(element.value)))
    return tuple(found)
