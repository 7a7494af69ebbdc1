"""Prefixes and base addresses that users choose, and what the project itself says of the slash at their end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic import callers, calls, shapes, strings
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.shapes import Hole, Shape, Shapes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_STRIPPING = ("rstrip", "strip", "removesuffix")


def open_end(shape: Shape) -> Hole | None:
    """Return the hole that a text is nothing but, or that an address ends with, if its end is not known."""
    last = shape.parts[-1] if shape.parts and (len(shape.parts) == 1 or shapes.is_url(shape)) else None
    return last if isinstance(last, Hole) and last.trailing is None and not last.guarded else None


def is_named(hole: Hole) -> bool:
    """Tell whether a value's own name says that it is an address or a prefix of one."""
    return _ADDRESS.search(hole.name.lower()) is not None


def is_called_address(file: File, node: cst.BaseExpression) -> bool:
    """Tell whether the name or the keyword that a text is given to says that it is an address."""
    outer = file.parent(node)
    target: cst.CSTNode | None = None
    if isinstance(outer, cst.Assign):
        target = outer.targets[0].target
    elif isinstance(outer, cst.AnnAssign):
        target = outer.target
    elif isinstance(outer, cst.Arg):
        target = outer.keyword
    if isinstance(target, cst.Attribute):
        target = target.attr
    return isinstance(target, cst.Name) and _CALLED.search(target.value.lower()) is not None


def is_path_name(hole: Hole) -> bool:
    """Tell whether a value's own name says that it is a path or a route."""
    return _PATH.search(hole.name.lower()) is not None


_ADDRESS = re.compile(r"url|uri|endpoint|root_path|base_path|prefix|http|api_base|server_address")
_CALLED = re.compile(r"(^|_)(url|uri|endpoint)s?($|_)")
_PATH = re.compile(r"path|route|rule|endpoint|uri")


def stripped_elsewhere(file: File, hole: Hole) -> tuple[File, cst.Call] | None:
    """Return a place of the file that takes the slash off the same value."""
    return _stripped(file).get(hole.key) if hole.key is not None else None


def is_asked_before(file: File, node: cst.CSTNode, left: cst.CSTNode) -> bool:
    """Tell whether a condition around a join, or of its value, asks what it begins with for a slash at its end."""
    asks = re.compile(rf"(?<![\w.]){re.escape(file.wording(left))}\.endswith\(")
    for outer in file.ancestors(node):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return False
        if isinstance(outer, (cst.If, cst.IfExp)) and asks.search(_asked(file, outer.test)):
            return True
    return False


def _asked(file: File, test: cst.BaseExpression) -> str:
    """Return the code of a condition that asks for an end; "" for others."""
    key = ("asks for an end", test)
    if key not in file.memo:
        file.memo[key] = file.wording(test) if b"endswith" in file.source.data else ""
    code: str = file.memo[key]
    return code


def tried_both_ways(file: File, node: cst.CSTNode, left: cst.CSTNode) -> bool:
    """Tell whether a list of candidates holds the same join with the slash taken off as well."""
    around = file.enclosing(node, cst.List, cst.Tuple, cst.Set)
    if not isinstance(around, (cst.List, cst.Tuple, cst.Set)):
        return False
    prefix, joined = file.wording(left), file.wording(node)
    stripped = re.compile(rf"{re.escape(prefix)}\.(?:{'|'.join(_STRIPPING)})\(['\"]/['\"]\)")
    others = [file.wording(element.value) for element in around.elements if element.value is not node]
    return any(stripped.search(other) and stripped.sub(lambda _: prefix, other) == joined for other in others)


def _stripped(file: File) -> dict[object, tuple[File, cst.Call]]:
    key = "stripped prefixes"
    if key not in file.memo:
        found: dict[object, tuple[File, cst.Call]] = {}
        for method in _STRIPPING:
            for mention in calls.mentions(file, method):
                outer = file.parent(mention)
                if not isinstance(outer, cst.Call) or outer.func is not mention or len(outer.args) != 1:
                    continue
                if not isinstance(mention, cst.Attribute) or file.folded(outer.args[0].value) != "/":
                    continue
                texts = strings.shapes_of(file, mention.value)
                for shape in (*texts, *(given for _, given in callers.given_to(texts[:1]))):
                    if shape.parts and isinstance(shape.parts[-1], Hole) and shape.parts[-1].key is not None:
                        found.setdefault(shape.parts[-1].key, (file, outer))
        file.memo[key] = found
    known: dict[object, tuple[File, cst.Call]] = file.memo[key]
    return known


def documented_with_slash(hole: Hole) -> str:
    """Return the example with a slash at its end by which a docstring describes a parameter; empty without one."""
    return _example(hole, r"(https?://[^\s`'\"<>]+/)(?=[`'\"\s).,]|$)")


def rooted_example(found: Shapes) -> Shape | None:
    """Return the path with a slash at its start by which a docstring describes what may be a parameter's value."""
    for shape in found:
        if shape.hole is not None and shape.hole.leading is None:
            if example := _example(shape.hole, r"[`'\"](/[\w{][^\s`'\"<>]*)[`'\"]"):
                return shapes.literal(example)
    return None


def _example(hole: Hole, pattern: str) -> str:
    """Return what the lines of docstrings that begin with a parameter's name show of a form; empty without that."""
    if hole.source != "parameter" or not isinstance(hole.key, tuple) or not isinstance(hole.key[0], Function):
        return ""
    function, name = hole.key
    texts = [_docstring(function.node)]
    if function.class_ is not None:
        texts.append(_docstring(function.class_.node))
    for text in texts:
        match = re.search(rf"(?m)^[ \t:*`\-\w]*?\b{re.escape(name)}\b[^\n]*?{pattern}", text)
        if match:
            return match.group(1)
    return ""


def _docstring(node: cst.CSTNode) -> str:
    if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
        return node.get_docstring() or ""
    return ""


def default_with_slash(file: File, shape: Shape) -> str:
    """Return the default with a slash at its end of the call that reads a setting; empty without one."""
    origin = shape.origin[1] if shape.origin is not None else None
    owner = shape.origin[0] if shape.origin is not None else file
    if not isinstance(origin, cst.Call):
        return ""
    given = owner.call(origin).keyword("default")
    if given is None and len(origin.args) >= 2 and origin.args[-1].keyword is None:
        given = origin.args[-1].value
    text = owner.folded(given) if given is not None else None
    return text if isinstance(text, str) and text.startswith("/") and text.endswith("/") else ""
