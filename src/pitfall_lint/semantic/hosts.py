"""Where a URL points to: strings with unknown parts, and the hosts that are this very machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.proxies import EnvironmentUse
from pitfall_lint.semantic.definitions import Class
from pitfall_lint.semantic.outline import Block, Imported

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

UNKNOWN_PART = "\0"
"""Stands for a part of a string that nobody can tell."""
_DEPTH = 12
_WIDTH = 8
_LOCAL = re.compile(
    r"(?i)(?:https?|wss?)://(?:[^/@\0]*@)?"
    r"(?P<host>localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\])(?=[:/?#\0]|$)"
)
_SAME = frozenset({"rstrip", "strip", "lstrip", "lower", "removesuffix"})
"""String methods that leave the host as it is."""


@dataclass(frozen=True)
class How:
    """How far strings are followed, and whether defaults count: of parameters, fields and the environment."""

    depth: int = _DEPTH
    defaults: bool = False

    @property
    def bindings(self) -> tuple[str, ...]:
        """The kinds of bindings that give a name its value."""
        return ("assign", "walrus", "param") if self.defaults else ("assign", "walrus")

    @property
    def deeper(self) -> How:
        """One step further."""
        return How(self.depth - 1, self.defaults)


DEFAULTS = How(defaults=True)


def local_host(file: File, url: cst.BaseExpression, how: How = How()) -> str | None:
    """Return the host when a URL surely points to this machine (DEFAULTS: unless told otherwise)."""
    found = shapes(file, url, how)
    hosts = [match["host"] if (match := _LOCAL.match(shape)) else None for shape in found]
    return hosts[0] if hosts and None not in hosts else None


def shapes(file: File, node: cst.BaseExpression, how: How = How()) -> tuple[str, ...]:
    """Return the strings that an expression may be, UNKNOWN_PART in them; `()` when nothing is known."""
    if how.depth <= 0:
        return ()
    if isinstance(node, (cst.SimpleString, cst.Integer)):
        return _constant(file, node)
    found: tuple[str, ...] = ()
    if isinstance(node, cst.FormattedString):
        found = _formatted(file, node, how)
    elif isinstance(node, cst.ConcatenatedString) or (
        isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add)
    ):
        found = _joined([_some(file, node.left, how), _some(file, node.right, how)])
    elif isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
        found = _percent(file, node, how)
    elif isinstance(node, cst.IfExp):
        sides = [shapes(file, side, how.deeper) for side in (node.body, node.orelse)]
        found = sides[0] + sides[1] if all(sides) else ()
    elif isinstance(node, cst.BooleanOperation) and how.defaults and isinstance(node.operator, cst.Or):
        found = shapes(file, node.right, how.deeper)
    elif isinstance(node, cst.Call):
        found = _called(file, node, how)
    elif isinstance(node, cst.Name):
        found = _name(file, node, how)
    elif isinstance(node, cst.Attribute):
        found = _attribute(file, node, how)
    return tuple(dict.fromkeys(found))[:_WIDTH] if len(found) <= _WIDTH * _WIDTH else ()


def _constant(file: File, node: cst.BaseExpression) -> tuple[str, ...]:
    value = file.folded(node)
    return (str(value),) if isinstance(value, (str, int)) and not isinstance(value, bool) else ()


def _some(file: File, node: cst.BaseExpression, how: How) -> tuple[str, ...]:
    return shapes(file, node, how.deeper) or (UNKNOWN_PART,)


def _joined(parts: list[tuple[str, ...]]) -> tuple[str, ...]:
    whole: tuple[str, ...] = ("",)
    for part in parts:
        whole = tuple(left + right for left in whole for right in part)
        if len(whole) > _WIDTH:
            return ()
    return whole if any(text.strip(UNKNOWN_PART) for text in whole) else ()


def _formatted(file: File, node: cst.FormattedString, how: How) -> tuple[str, ...]:
    parts: list[tuple[str, ...]] = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            parts.append((part.value.replace("{{", "{").replace("}}", "}"),))
        elif isinstance(part, cst.FormattedStringExpression):
            plain = part.format_spec is None and part.conversion is None
            parts.append(_some(file, part.expression, how) if plain else (UNKNOWN_PART,))
    return _joined(parts)


def _percent(file: File, node: cst.BinaryOperation, how: How) -> tuple[str, ...]:
    template = file.folded(node.left)
    if not isinstance(template, str) or isinstance(node.right, cst.Dict):
        return ()
    values = [e.value for e in node.right.elements] if isinstance(node.right, cst.Tuple) else [node.right]
    pieces = re.split(r"%[-+ #0]*[\d.]*[sdr]", template.replace("%%", "%"))
    if len(pieces) != len(values) + 1:
        return ()
    return _interleaved(pieces, [_some(file, value, how) for value in values])


def _interleaved(pieces: list[str], values: list[tuple[str, ...]]) -> tuple[str, ...]:
    parts: list[tuple[str, ...]] = [(pieces[0],)]
    for value, piece in zip(values, pieces[1:], strict=True):
        parts += [value, (piece,)]
    return _joined(parts)


def _called(file: File, node: cst.Call, how: How) -> tuple[str, ...]:
    name = file.call(node).name if how.defaults else None
    row = file.libraries.find(EnvironmentUse, name) if name is not None else None
    if row is not None and row.does == "read" and (value := file.call(node).where(row.value)) is not None:
        return shapes(file, value, how.deeper)
    if not isinstance(node.func, cst.Attribute):
        if isinstance(node.func, cst.Name) and node.func.value == "str" and len(node.args) == 1:
            return shapes(file, node.args[0].value, how.deeper)
        return ()
    method, owner = node.func.attr.value, node.func.value
    if method in _SAME:
        return tuple(text.rstrip("/") if "strip" in method else text for text in shapes(file, owner, how.deeper))
    if method == "format":
        return _format(file, node, owner, how)
    if method == "join" and len(node.args) == 1 and isinstance(node.args[0].value, (cst.List, cst.Tuple)):
        glue = file.folded(owner)
        elements = node.args[0].value.elements
        if isinstance(glue, str) and elements:
            return _interleaved(["", *[glue] * (len(elements) - 1), ""], [_some(file, e.value, how) for e in elements])
    return ()


def _format(file: File, node: cst.Call, owner: cst.BaseExpression, how: How) -> tuple[str, ...]:
    template = file.folded(owner)
    if not isinstance(template, str) or any(arg.star for arg in node.args):
        return ()
    positional = [arg.value for arg in node.args if arg.keyword is None]
    named = {arg.keyword.value: arg.value for arg in node.args if arg.keyword is not None}
    pieces = re.split(r"\{([^{}]*)\}", template)
    values: list[tuple[str, ...]] = []
    for number, field in enumerate(pieces[1::2]):
        name = field.partition(":")[0]
        index = number if not name else int(name) if name.isdigit() else -1
        value = named.get(name) if index < 0 else positional[index] if index < len(positional) else None
        values.append(_some(file, value, how) if value is not None and ":" not in field else (UNKNOWN_PART,))
    return _interleaved(pieces[0::2], values)


def _name(file: File, node: cst.Name, how: How) -> tuple[str, ...]:
    found = file.lookup(node.value, node)
    if found is None or not found.bindings:
        return ()
    result: list[str] = []
    for binding in found.bindings:
        if isinstance(binding, Imported):
            part = _constant(file, node)
        elif isinstance(binding, Block) or binding.value is None or binding.kind not in how.bindings:
            part = ()
        else:
            part = shapes(file, binding.value, how.deeper)
        if not part and not how.defaults:
            return ()
        result += part
    return tuple(result)


def _attribute(file: File, node: cst.Attribute, how: How) -> tuple[str, ...]:
    owner: object = None
    if isinstance(node.value, cst.Name) and (function := file.function_of(node)) is not None:
        if function.self_name == node.value.value:
            owner = function.class_
    if owner is None:
        owner = file.type_of(node.value)
    if not isinstance(owner, Class):
        return _constant(file, node)
    result: list[str] = []
    for class_ in owner.mro():
        if isinstance(class_, str):
            continue
        for method, target, value in class_.attribute_assignments(node.attr.value):
            is_known = value is not None and (method is not None or how.defaults or not _is_field(class_, target))
            part = shapes(class_.file, value, how.deeper) if value is not None and is_known else ()
            if not part and not how.defaults:
                return ()
            result += part
    return tuple(result)


def _is_field(class_: Class, target: cst.CSTNode) -> bool:
    """Tell whether a value in a class body may be only the default of a field that the constructor takes."""
    annotated = isinstance(class_.file.statement_of(target), cst.AnnAssign)
    return annotated and bool(class_.node.bases or class_.node.decorators)
