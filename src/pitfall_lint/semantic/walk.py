"""The LibCST visitor of a slice: parents, scopes, bindings and nodes by kind, in one pass.

It never rebuilds a node (LibCST's own `visit` does, which costs forty times as much).
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from functools import cached_property
from operator import attrgetter
from typing import Any

import libcst as cst

from pitfall_lint.semantic.locating import Range, ranges_of
from pitfall_lint.semantic.outline import Slice
from pitfall_lint.semantic.scopes import BINDERS, Binding, Scope, parameters

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
        "lines_after_decorators",
        "trailing_whitespace",
        "lbrackets",
        "relative",
        "from_",
        "lines_between",
        "star",
    }
)
_ORDER = {
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
}
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp)
_OPENS_SCOPE = (cst.FunctionDef, cst.Lambda, cst.ClassDef, *_COMPREHENSIONS)


class Tree:
    """One parsed slice with everything the questions need. Raises libcst.ParserSyntaxError."""

    def __init__(self, slice_: Slice) -> None:
        self.slice = slice_
        self.module = cst.parse_module(slice_.text)
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.by_kind: dict[type[cst.CSTNode], list[cst.CSTNode]] = {}
        self.order: dict[cst.CSTNode, int] = {}
        self.root = Scope("module", self.module)
        self.scopes: dict[cst.CSTNode, Scope] = {self.module: self.root}
        """The scope that a node opens."""
        self.scope_of: dict[cst.CSTNode, Scope] = {}
        """The scope that a node stands in."""
        self._walk()

    def _walk(self) -> None:
        stack: list[tuple[cst.CSTNode, Scope]] = [(self.module, self.root)]
        parents, order, by_kind, scope_of = self.parents, self.order, self.by_kind, self.scope_of
        while stack:
            node, scope = stack.pop()
            kind = type(node)
            order[node] = len(order)
            scope_of[node] = scope
            by_kind.setdefault(kind, []).append(node)
            if (bind := BINDERS.get(kind)) is not None:
                bind(node, scope)
            children = _children(node)
            inner: Scope | None = None
            if kind in _SCOPED:
                inner = self._open(node, scope)
            for child in reversed(children):
                parents[child] = node
                stack.append((child, scope if inner is None or not _inside(node, child) else inner))

    def _open(self, node: cst.CSTNode, scope: Scope) -> Scope:
        if isinstance(node, cst.ClassDef):
            kind = "class"
        else:
            kind = "function" if isinstance(node, (cst.FunctionDef, cst.Lambda)) else "comprehension"
        opened = self.scopes[node] = Scope(kind, node, scope)
        if isinstance(node, (cst.FunctionDef, cst.Lambda)):
            for param in parameters(node.params):
                opened.bind(
                    Binding(
                        param.name.value,
                        "param",
                        param,
                        param.default,
                        param.annotation.annotation if param.annotation else None,
                    )
                )
        if isinstance(node, cst.FunctionDef) and ("global " in self.slice.text or "nonlocal " in self.slice.text):
            for statement in _declarations(node.body):
                how = "global" if isinstance(statement, cst.Global) else "nonlocal"
                for item in statement.names:
                    opened.declared[item.name.value] = how
        return opened

    def moved(self, slice_: Slice) -> Tree:
        """Return this tree for a slice with the same text that stands on other lines by now."""
        twin = copy.copy(self)
        twin.slice = slice_
        return twin

    @cached_property
    def ranges(self) -> dict[cst.CSTNode, Range]:
        """Where every node stands in the slice."""
        return ranges_of(self.module)


_GETTERS: dict[type[cst.CSTNode], tuple[Callable[[Any], Any], ...]] = {}


def _getters(kind: type[cst.CSTNode]) -> tuple[Callable[[Any], Any], ...]:
    names = _ORDER.get(kind) or tuple(
        f.name for f in dataclasses.fields(kind) if not f.name.startswith("whitespace") and f.name not in _SKIPPED
    )
    found = _GETTERS[kind] = tuple(attrgetter(name) for name in names)
    return found


def _subclasses(kind: type[cst.CSTNode]) -> Iterator[type[cst.CSTNode]]:
    yield kind
    for heir in kind.__subclasses__():
        yield from _subclasses(heir)


_NODES = frozenset(_subclasses(cst.CSTNode))  # type: ignore[type-abstract]
"""All kinds of nodes: asking a set is faster than asking abstract base classes."""


def _children(node: cst.CSTNode) -> list[cst.CSTNode]:
    kind = type(node)
    children: list[cst.CSTNode] = []
    for get in _GETTERS.get(kind) or _getters(kind):
        value = get(node)
        if type(value) in _NODES:
            children.append(value)
        elif type(value) is tuple or type(value) is list:
            children.extend([item for item in value if type(item) in _NODES])
    return children


_DEFINITIONS = frozenset({cst.FunctionDef, cst.Lambda, cst.ClassDef})
_SCOPED = frozenset(_OPENS_SCOPE)


def _inside(node: cst.CSTNode, child: cst.CSTNode) -> bool:
    """Tell whether a child is evaluated in the scope that its parent opens."""
    if isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
        return child is node.body
    return True


def _declarations(body: cst.CSTNode) -> Iterator[cst.Global | cst.Nonlocal]:
    for node in own_nodes(body):
        if isinstance(node, (cst.Global, cst.Nonlocal)):
            yield node


def own_nodes(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield `root` and what is below it in textual order, without going into nested functions and classes."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if type(node) in _DEFINITIONS and node is not root:
            continue
        stack.extend(reversed(_children(node)))


def all_nodes(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield `root` and everything below it in textual order, whitespace aside."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(_children(node)))
