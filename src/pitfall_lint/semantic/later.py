"""Whether a function may return what is read later than it is made, told by the stdlib's `ast` and names alone."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection

from pitfall_lint.semantic.reading import Reading
from pitfall_lint.semantic.receivers import PLAIN_METHODS

_EAGER = frozenset(dir(builtins)) - {"map", "filter", "iter", "enumerate", "zip", "reversed"}


def may_be_later(reading: Reading, lazy: Collection[str], is_foreign: Callable[[str], bool]) -> bool:
    """Tell whether some value that is returned may be lazy.

    `lazy` are leaf names of library calls that give lazy things; `is_foreign` tells which names come by an import
    from outside of the project: what else such a name gives is read already.
    """
    pending = [value for value in reading.returns if value is not None]
    seen: set[str] = set()
    while pending:
        node = pending.pop()
        awaited = isinstance(node, ast.Await)
        node = node.value if isinstance(node, ast.Await) else node
        if isinstance(node, ast.GeneratorExp):
            return True
        if isinstance(node, ast.IfExp):
            pending += [node.body, node.orelse]
        elif isinstance(node, ast.BoolOp):
            pending += node.values
        elif isinstance(node, ast.Tuple):
            pending += node.elts
        elif isinstance(node, ast.Name) and node.id in reading.entered:
            return True  # the very thing that is closed
        elif isinstance(node, ast.Name) and node.id not in seen:
            seen.add(node.id)
            pending.extend(reading.values.get(node.id, ()))
        elif isinstance(node, ast.Call):
            if _may_give(node.func, lazy, is_foreign) or (not awaited and _is_asked(node.func, reading)):
                return True
    return False


def _is_asked(func: ast.expr, reading: Reading) -> bool:
    """Tell whether a method of what a `with` gave is called: its coroutine may be what is returned."""
    return isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in reading.entered


def _may_give(func: ast.expr, lazy: Collection[str], is_foreign: Callable[[str], bool]) -> bool:
    if isinstance(func, ast.Name):
        return func.id in lazy or not (func.id in _EAGER or is_foreign(func.id))
    if isinstance(func, ast.Attribute):
        if func.attr in lazy:
            return True
        root: ast.expr = func.value
        while isinstance(root, (ast.Attribute, ast.Call)):
            root = root.value if isinstance(root, ast.Attribute) else root.func
        return func.attr not in PLAIN_METHODS and not (isinstance(root, ast.Name) and is_foreign(root.id))
    return True
