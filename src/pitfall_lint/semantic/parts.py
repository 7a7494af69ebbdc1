"""What an expression is made of, or takes its items from, told by its form alone."""

from __future__ import annotations

import ast

_NOTHING = (ast.Constant, ast.JoinedStr, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Lambda)
ITEM_METHODS = frozenset({"copy", "get", "items", "pop", "popitem", "popleft", "setdefault", "values"})
"""Methods of containers that give what they hold."""
TAKING = frozenset({"dict", "enumerate", "filter", "iter", "list", "max", "min", "next", "reversed", "set", "sorted"})
TAKING |= {"tuple", "zip"}
"""Functions that give what they are given, or its items."""


def parts_of(node: ast.expr) -> list[ast.expr] | None:
    """Return the expressions of which one gives what a node gives, or an item of it; None where that has to be told."""
    if isinstance(node, (ast.Await, ast.NamedExpr, ast.Starred, ast.Subscript, ast.DictComp)):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, (ast.BoolOp, ast.Dict)):
        return list(node.values)
    if isinstance(node, (ast.List, ast.Set, ast.Tuple)):
        return node.elts
    if isinstance(node, (ast.GeneratorExp, ast.ListComp, ast.SetComp)):
        return [node.elt]
    return [] if isinstance(node, _NOTHING) else None
