"""Walks over LibCST's nodes: what stands below a node, in textual order, without what only says how it is written.

It never rebuilds a node (LibCST's own `visit` does, which costs forty times as much).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import libcst as cst

from pitfall_lint.semantic.below import kinds_of

_SKIPPED = frozenset(
    {
        "lpar",
        "rpar",
        "comma",
        "semicolon",
        "newline",
        "equal",
        "dot",
        "colon",
        "lbracket",
        "rbracket",
        "lbrace",
        "rbrace",
        "operator",
        "indent",
        "header",
        "footer",
        "leading_lines",
        "leading_whitespace",
        "lines_after_decorators",
        "trailing_whitespace",
        "lbrackets",
        "relative",
        "from_",
        "lines_between",
        "star",
        "encoding",
        "default_indent",
        "default_newline",
        "has_trailing_newline",
        "first_colon",
        "second_colon",
    }
)
_ORDER: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.FunctionDef: ("decorators", "params", "returns", "body"),
    cst.ClassDef: ("decorators", "bases", "keywords", "body"),
    cst.For: ("iter", "target", "body", "orelse"),
    cst.CompFor: ("iter", "target", "ifs", "inner_for_in"),
    cst.ListComp: ("for_in", "elt"),
    cst.SetComp: ("for_in", "elt"),
    cst.GeneratorExp: ("for_in", "elt"),
    cst.DictComp: ("for_in", "key", "value"),
    cst.Assign: ("value", "targets"),
    cst.With: ("items", "body"),
    **dict.fromkeys((cst.Name, cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary), ()),
}

_GETTERS: dict[type[cst.CSTNode], tuple[Callable[[Any], Any], ...]] = {}


def _getters(kind: type[cst.CSTNode]) -> tuple[Callable[[Any], Any], ...]:
    found = _GETTERS[kind] = tuple(attrgetter(name) for name in fields_of(kind))
    return found


def fields_of(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """Return the fields of a kind of nodes in which others may stand, in the order in which they are walked."""
    ordered = _ORDER.get(kind)
    if ordered is not None:
        return ordered
    return tuple(
        f.name for f in dataclasses.fields(kind) if not f.name.startswith("whitespace") and f.name not in _SKIPPED
    )


_NODES = frozenset(kinds_of(cst.CSTNode))  # type: ignore[type-abstract]
"""All kinds of nodes: asking a set is faster than asking abstract base classes."""


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Return the nodes right below a node."""
    kind = type(node)
    found: list[cst.CSTNode] = []
    getters = _GETTERS.get(kind)
    for get in getters if getters is not None else _getters(kind):
        value = get(node)
        if value is None:
            continue
        of_kind = type(value)
        if of_kind is list or of_kind is tuple:
            found += value
        elif of_kind in _NODES:
            found.append(value)
    return found


_DEFINITIONS = frozenset({cst.FunctionDef, cst.Lambda, cst.ClassDef})


def own_nodes(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield `root` and what is below it in textual order, without going into nested functions and classes."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if type(node) in _DEFINITIONS and node is not root:
            continue
        stack.extend(reversed(children(node)))


def all_nodes(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield `root` and everything below it in textual order, whitespace aside."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def spelled(node: cst.CSTNode, operators: Mapping[cst.CSTNode, type[cst.CSTNode]] = MappingProxyType({})) -> str:
    """Return a text that is the same for nodes that say the same, `a.b.c` for dotted names.

    `operators` says which nodes are to be taken as if they had another operator.
    """
    if isinstance(node, (cst.Name, cst.SimpleString, cst.Integer, cst.Float, cst.Imaginary)):
        return node.value
    if isinstance(node, cst.Attribute):
        return f"{spelled(node.value, operators)}.{node.attr.value}"
    parts = [type(getattr(node, name)).__name__ for name in ("lower", "upper", "step") if isinstance(node, cst.Slice)]
    parts += [str(node.star)] if isinstance(node, cst.Arg) else []
    if hasattr(node, "operator"):
        parts.append(operators.get(node, type(node.operator)).__name__)
    return f"{type(node).__name__}({','.join([*parts, *(spelled(child, operators) for child in children(node))])})"
