"""What stands below a node of the stdlib's `ast`: twice as fast as its own walk, which asks every field."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_NO_NODES = frozenset(
    {"id", "attr", "arg", "name", "asname", "module", "level", "kind", "ctx", "op", "ops", "type_comment", "conversion"}
    | {"is_async", "simple", "rest", "cls", "kwd_attrs", "type_ignores", "tag"}
)


def kinds_of(base: type[T]) -> Iterator[type[T]]:
    """Yield a class of nodes and all classes that inherit from it."""
    yield base
    for heir in base.__subclasses__():
        yield from kinds_of(heir)


_FIELDS = {
    kind: tuple(name for name in kind._fields if name not in _NO_NODES or (kind, name) == (ast.MatchClass, "cls"))
    for kind in kinds_of(ast.AST)
    if kind not in (ast.Constant, ast.MatchSingleton, ast.Global, ast.Nonlocal)
}


def nodes_below(node: Any) -> list[Any]:
    """Return the nodes right below a node, but for contexts, operators and what a plain value is."""
    found: list[Any] = []
    for name in _FIELDS.get(type(node), ()):
        value = getattr(node, name, None)
        if type(value) is list:
            found += value
        elif value is not None:
            found.append(value)
    return [one for one in found if one is not None] if None in found else found


def all_below(node: ast.AST) -> Iterator[Any]:
    """Yield a node and everything below it, outer nodes first."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack += nodes_below(current)
