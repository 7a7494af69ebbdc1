"""The LibCST visitor of a slice: parents, scopes, bindings and nodes by kind, in one pass.

It never rebuilds a node (LibCST's own `visit` does, which costs forty times as much).
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any

import libcst as cst
from libcst._nodes.internal import CodegenState

from pitfall_lint.semantic.outline import Slice

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


@dataclass(frozen=True, eq=False)
class Binding:
    """One place that gives a name its value."""

    name: str
    kind: str
    """assign, unpack, augmented, annotation, param, import, function, class, for, with, except …"""
    node: cst.CSTNode
    value: cst.BaseExpression | None = None
    annotation: cst.BaseExpression | None = None
    path: tuple[int, ...] = ()
    """For unpack: the way through the tuples."""


@dataclass(eq=False)
class Scope:
    """The names that one function, class, comprehension or module binds."""

    kind: str
    node: cst.CSTNode
    parent: Scope | None = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    """Names declared `global` or `nonlocal`."""

    def bind(self, binding: Binding) -> None:
        """Add a binding, to the scope that a `global`/`nonlocal` declaration means."""
        scope: Scope = self
        if (declared := self.declared.get(binding.name)) is not None:
            while scope.parent is not None and (declared == "global" or scope is self):
                scope = scope.parent
        while scope.kind == "comprehension" and scope.parent is not None and binding.kind == "walrus":
            scope = scope.parent
        scope.bindings.setdefault(binding.name, []).append(binding)


@dataclass(frozen=True)
class Range:
    """Where a node stands in its slice: lines 1-based, columns 0-based in characters."""

    start: tuple[int, int]
    end: tuple[int, int]


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
            if (bind := _BINDERS.get(kind)) is not None:
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
        if isinstance(node, cst.FunctionDef):
            for statement in _declarations(node.body):
                how = "global" if isinstance(statement, cst.Global) else "nonlocal"
                for item in statement.names:
                    opened.declared[item.name.value] = how
        return opened

    @cached_property
    def ranges(self) -> dict[cst.CSTNode, Range]:
        """Where every node stands in the slice."""
        state = _Locator(
            default_indent=self.module.default_indent, default_newline=self.module.default_newline
        )
        self.module._codegen(state)
        return state.ranges


class _Locator(CodegenState):
    """Records positions while LibCST writes the code, without the copy its PositionProvider makes."""

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent=default_indent, default_newline=default_newline)
        self.line = 1
        self.column = 0
        self.ranges: dict[cst.CSTNode, Range] = {}
        self._starts: list[tuple[int, int]] = []
        self._marks: list[dict[cst.CSTNode, tuple[tuple[int, int], tuple[int, int]]]] = []

    def add_token(self, value: str) -> None:
        super().add_token(value)
        self._advance(value)

    def add_indent_tokens(self) -> None:
        super().add_indent_tokens()
        for token in self.indent_tokens:
            self._advance(token)

    def _advance(self, value: str) -> None:
        if "\n" in value or "\r" in value:
            lines = value.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self.line += len(lines) - 1
            self.column = len(lines[-1])
        else:
            self.column += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append((self.line, self.column))

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self._starts.pop()
        if node not in self.ranges:
            self.ranges[node] = Range(start, (self.line, self.column))

    @contextlib.contextmanager
    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Iterator[None]:
        start = (self.line, self.column)
        yield
        end = (self.line, self.column)
        if start_node is not None and start_node in self.ranges:
            start = self.ranges[start_node].start
        if end_node is not None and end_node in self.ranges:
            end = self.ranges[end_node].end
        self.ranges[node] = Range(start, end)


def parameters(params: cst.Parameters) -> Iterator[cst.Param]:
    """Yield the parameters of a function in order, `*args` and `**kwargs` too."""
    yield from params.posonly_params
    yield from params.params
    if isinstance(params.star_arg, cst.Param):
        yield params.star_arg
    yield from params.kwonly_params
    if params.star_kwarg is not None:
        yield params.star_kwarg


_GETTERS: dict[type[cst.CSTNode], tuple[Callable[[Any], Any], ...]] = {}


def _getters(kind: type[cst.CSTNode]) -> tuple[Callable[[Any], Any], ...]:
    names = _ORDER.get(kind) or tuple(
        f.name
        for f in dataclasses.fields(kind)
        if not f.name.startswith("whitespace") and f.name not in _SKIPPED
    )
    found = _GETTERS[kind] = tuple(attrgetter(name) for name in names)
    return found


def _children(node: cst.CSTNode) -> list[cst.CSTNode]:
    kind = type(node)
    children: list[cst.CSTNode] = []
    for get in _GETTERS.get(kind) or _getters(kind):
        value = get(node)
        if isinstance(value, cst.CSTNode):
            children.append(value)
        elif isinstance(value, (tuple, list)):
            children.extend(item for item in value if isinstance(item, cst.CSTNode))
    return children


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
        if node is not root and isinstance(node, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            continue
        stack.extend(reversed(_children(node)))


def all_nodes(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield `root` and everything below it in textual order, whitespace aside."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(_children(node)))


def _bind_target(
    scope: Scope,
    target: cst.CSTNode,
    kind: str,
    node: cst.CSTNode,
    value: cst.BaseExpression | None,
    path: tuple[int, ...] = (),
) -> None:
    if isinstance(target, cst.Name):
        kind = "unpack" if path and kind == "assign" else kind
        scope.bind(Binding(target.value, kind, node, value, path=path))
    elif isinstance(target, (cst.Tuple, cst.List)):
        for index, element in enumerate(target.elements):
            _bind_target(scope, element.value, kind, node, value, (*path, index))
    elif isinstance(target, cst.StarredElement):
        _bind_target(scope, target.value, kind, node, None, path)


def _bind_assign(node: cst.Assign, scope: Scope) -> None:
    for target in node.targets:
        _bind_target(scope, target.target, "assign", node, node.value)


def _bind_annotated(node: cst.AnnAssign, scope: Scope) -> None:
    if isinstance(node.target, cst.Name):
        kind = "assign" if node.value is not None else "annotation"
        scope.bind(Binding(node.target.value, kind, node, node.value, node.annotation.annotation))


def _bind_augmented(node: cst.AugAssign, scope: Scope) -> None:
    _bind_target(scope, node.target, "augmented", node, node.value)


def _bind_walrus(node: cst.NamedExpr, scope: Scope) -> None:
    while scope.kind == "comprehension" and scope.parent is not None:
        scope = scope.parent
    _bind_target(scope, node.target, "assign", node, node.value)


def _bind_for(node: cst.For | cst.CompFor, scope: Scope) -> None:
    _bind_target(scope, node.target, "for", node, node.iter)


def _bind_with(node: cst.WithItem, scope: Scope) -> None:
    if node.asname is not None:
        _bind_target(scope, node.asname.name, "with", node, node.item)


def _bind_except(node: cst.ExceptHandler | cst.ExceptStarHandler, scope: Scope) -> None:
    if node.name is not None:
        _bind_target(scope, node.name.name, "except", node, node.type)


def _bind_definition(node: cst.FunctionDef | cst.ClassDef, scope: Scope) -> None:
    scope.bind(Binding(node.name.value, "class" if isinstance(node, cst.ClassDef) else "function", node))


def _bind_import(node: cst.Import | cst.ImportFrom, scope: Scope) -> None:
    if isinstance(node.names, cst.ImportStar):
        scope.bind(Binding("*", "import", node))
        return
    for alias in node.names:
        if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
            scope.bind(Binding(alias.asname.name.value, "import", node, alias.name))
        elif isinstance(node, cst.ImportFrom):
            scope.bind(Binding(alias.evaluated_name, "import", node, alias.name))
        else:  # `import a.b` binds `a`
            first: cst.BaseExpression = alias.name
            while isinstance(first, cst.Attribute):
                first = first.value
            if isinstance(first, cst.Name):
                scope.bind(Binding(first.value, "import", node, first))


def _bind_delete(node: cst.Del, scope: Scope) -> None:
    _bind_target(scope, node.target, "delete", node, None)


def _bind_match(node: cst.MatchAs | cst.MatchStar, scope: Scope) -> None:
    if node.name is not None:
        scope.bind(Binding(node.name.value, "match", node))


_BINDERS: dict[type[cst.CSTNode], Callable[[Any, Scope], None]] = {
    cst.Assign: _bind_assign,
    cst.AnnAssign: _bind_annotated,
    cst.AugAssign: _bind_augmented,
    cst.NamedExpr: _bind_walrus,
    cst.For: _bind_for,
    cst.CompFor: _bind_for,
    cst.WithItem: _bind_with,
    cst.ExceptHandler: _bind_except,
    cst.ExceptStarHandler: _bind_except,
    cst.FunctionDef: _bind_definition,
    cst.ClassDef: _bind_definition,
    cst.Import: _bind_import,
    cst.ImportFrom: _bind_import,
    cst.Del: _bind_delete,
    cst.MatchAs: _bind_match,
    cst.MatchStar: _bind_match,
}
