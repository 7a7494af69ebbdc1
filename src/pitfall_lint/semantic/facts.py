"""What a statement holds that can matter to a variable: names it binds or tests, calls, and ways out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from pitfall_lint.semantic.walk import own_nodes


@dataclass(frozen=True)
class Facts:
    """What a statement holds that can matter to a variable."""

    targets: frozenset[str]
    """Names that are bound, and attributes that are assigned."""
    tested: frozenset[str]
    """Names and attributes in conditions."""
    leaves: bool
    calls: tuple[cst.Call, ...]
    """Calls of methods."""


def facts_of(node: cst.CSTNode, known: dict[cst.CSTNode, Facts]) -> Facts:
    """Return the facts of a statement or block, looked up or found out now."""
    found = known.get(node)
    if found is None:
        targets: set[str] = set()
        tested: set[str] = set()
        method_calls: list[cst.Call] = []
        leaves = False
        for inner in _with_decorators(node):
            if isinstance(inner, _LEAVING):
                leaves = True
            elif isinstance(inner, (cst.FunctionDef, cst.ClassDef)):
                targets.add(inner.name.value)
            elif isinstance(inner, _BINDING):
                targets.update(n.value for n in _targets(inner) if isinstance(n, cst.Name))
            elif isinstance(inner, (cst.If, cst.While, cst.IfExp)):
                tested.update(n.value for n in own_nodes(inner.test) if isinstance(n, cst.Name))
            elif isinstance(inner, cst.BooleanOperation):
                tested.update(n.value for n in own_nodes(inner.left) if isinstance(n, cst.Name))
            elif isinstance(inner, cst.Call) and isinstance(inner.func, cst.Attribute):
                method_calls.append(inner)
        found = known[node] = Facts(frozenset(targets), frozenset(tested), leaves, tuple(method_calls))
    return found


def _with_decorators(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for inner in own_nodes(node):
        yield inner
        if inner is not node and isinstance(inner, (cst.FunctionDef, cst.ClassDef)):
            for decorator in inner.decorators:
                yield from own_nodes(decorator)


_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)
_BINDING = (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.For, cst.NamedExpr, cst.WithItem)


def _targets(node: cst.CSTNode) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    if isinstance(node, cst.Assign):
        found = [target.target for target in node.targets]
    elif isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.For, cst.NamedExpr)):
        found = [node.target]
    elif isinstance(node, cst.WithItem) and node.asname is not None:
        found = [node.asname.name]
    return [inner for target in found for inner in own_nodes(target)]
