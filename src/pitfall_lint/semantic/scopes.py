"""Names and the places that bind them, scope by scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import libcst as cst


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


def parameters(params: cst.Parameters) -> Iterator[cst.Param]:
    """Yield the parameters of a function in order, `*args` and `**kwargs` too."""
    yield from params.posonly_params
    yield from params.params
    if isinstance(params.star_arg, cst.Param):
        yield params.star_arg
    yield from params.kwonly_params
    if params.star_kwarg is not None:
        yield params.star_kwarg


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


BINDERS: dict[type[cst.CSTNode], Callable[[Any, Scope], None]] = {
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
