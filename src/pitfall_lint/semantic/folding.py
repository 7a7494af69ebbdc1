"""Constants: what an expression always evaluates to, as far as names, strings and arithmetic on them go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from pitfall_lint.semantic import query
from pitfall_lint.semantic.values import NOT_CONSTANT, Const

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_LONGEST = 10_000


def folded(file: File, node: cst.CSTNode) -> Any:
    """Return the constant that an expression always has, or NOT_CONSTANT."""
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString, cst.Integer, cst.Float)):
        value = getattr(node, "evaluated_value", None)
        if value is not None:
            return value
        return _concatenated(file, node) if isinstance(node, cst.ConcatenatedString) else NOT_CONSTANT
    if isinstance(node, cst.FormattedString):
        return _formatted(file, node)
    if isinstance(node, cst.BinaryOperation):
        return _operation(file, node)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        operand = folded(file, node.expression)
        return -operand if isinstance(operand, (int, float)) else NOT_CONSTANT
    if isinstance(node, cst.Call):
        return _format_call(file, node)
    if isinstance(node, (cst.Name, cst.Attribute)):
        return _name(file, node)
    return NOT_CONSTANT


def _name(file: File, node: cst.Name | cst.Attribute) -> Any:
    values = query.values_of(file, node)
    if len(values) == 1 and isinstance(values[0], Const):
        return values[0].value
    return NOT_CONSTANT


def _concatenated(file: File, node: cst.ConcatenatedString) -> Any:
    left, right = folded(file, node.left), folded(file, node.right)
    return left + right if isinstance(left, str) and isinstance(right, str) else NOT_CONSTANT


def _formatted(file: File, node: cst.FormattedString) -> Any:
    parts: list[str] = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            parts.append(part.value.replace("{{", "{").replace("}}", "}"))
            continue
        assert isinstance(part, cst.FormattedStringExpression)
        if part.format_spec or part.conversion:
            return NOT_CONSTANT
        value = folded(file, part.expression)
        if not isinstance(value, (str, int)):
            return NOT_CONSTANT
        parts.append(str(value))
    return "".join(parts)


def _operation(file: File, node: cst.BinaryOperation) -> Any:
    left = folded(file, node.left)
    if isinstance(node.operator, cst.Modulo) and isinstance(left, str):
        right = (
            tuple(folded(file, element.value) for element in node.right.elements)
            if isinstance(node.right, cst.Tuple)
            else (folded(file, node.right),)
        )
        if any(value is NOT_CONSTANT for value in right):
            return NOT_CONSTANT
        try:
            result = left % right
        except (TypeError, ValueError):
            return NOT_CONSTANT
        return result if len(result) < _LONGEST else NOT_CONSTANT
    right_value = folded(file, node.right)
    if isinstance(left, str) and isinstance(right_value, str) and isinstance(node.operator, cst.Add):
        return left + right_value if len(left) + len(right_value) < _LONGEST else NOT_CONSTANT
    if type(left) is int and type(right_value) is int:
        if isinstance(node.operator, cst.Add):
            return left + right_value
        if isinstance(node.operator, cst.Subtract):
            return left - right_value
        if isinstance(node.operator, cst.Multiply):
            return left * right_value
    return NOT_CONSTANT


def _format_call(file: File, node: cst.Call) -> Any:
    if not isinstance(node.func, cst.Attribute) or any(arg.star for arg in node.args):
        return NOT_CONSTANT
    method = node.func.attr.value
    if method not in {
        "format",
        "strip",
        "rstrip",
        "lstrip",
        "lower",
        "upper",
        "removeprefix",
        "removesuffix",
    }:
        return NOT_CONSTANT
    text = folded(file, node.func.value)
    if not isinstance(text, str):
        return NOT_CONSTANT
    positional = [folded(file, arg.value) for arg in node.args if arg.keyword is None]
    named = {arg.keyword.value: folded(file, arg.value) for arg in node.args if arg.keyword is not None}
    if any(value is NOT_CONSTANT for value in (*positional, *named.values())):
        return NOT_CONSTANT
    if method == "format" and not all(isinstance(v, (str, int)) for v in (*positional, *named.values())):
        return NOT_CONSTANT
    try:
        result = getattr(text, method)(*positional, **named)
    except (TypeError, ValueError, LookupError, AttributeError):
        return NOT_CONSTANT
    return result if len(result) < _LONGEST else NOT_CONSTANT
