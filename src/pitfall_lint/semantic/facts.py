"""What a statement holds that can matter to a variable: names it binds or tests, calls, and ways out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import libcst as cst

from pitfall_lint.semantic.walk import children, own_nodes


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
    """Return the facts of a statement or block, looked up or found out now; those of the statements in it are kept."""
    found = known.get(node)
    if found is None:
        chain = [node]
        while isinstance(chain[-1], cst.If) and isinstance(chain[-1].orelse, cst.If):
            chain.append(chain[-1].orelse)
        for part in reversed(chain):  # the last `elif` first: not one inside the other
            if part not in known:
                known[part] = _Gatherer(known).facts(part)
        found = known[node]
    return found


class _Gatherer:
    """Puts the facts of a statement together from its own expressions and the facts of the statements in it."""

    def __init__(self, known: dict[cst.CSTNode, Facts]) -> None:
        self.known = known
        self.targets: set[str] = set()
        self.tested: set[str] = set()
        self.leaves = False
        self.calls: list[cst.Call] = []

    def facts(self, root: cst.CSTNode) -> Facts:
        stack = [root]
        while stack:
            node = stack.pop()
            kind = type(node)
            if node is not root and kind in _STATEMENTS:
                self._add(facts_of(node, self.known))
                continue
            gather = _GATHER.get(kind)
            if gather is not None:
                gather(self, node)
            if kind in _NESTED and node is not root:
                stack.extend(reversed(getattr(node, "decorators", ())))
            else:
                stack.extend(reversed(children(node)))
        return Facts(frozenset(self.targets), frozenset(self.tested), self.leaves, tuple(self.calls))

    def _add(self, part: Facts) -> None:
        self.targets |= part.targets
        self.tested |= part.tested
        self.leaves = self.leaves or part.leaves
        self.calls += part.calls

    def leave(self, node: cst.CSTNode) -> None:
        self.leaves = True

    def define(self, node: cst.FunctionDef | cst.ClassDef) -> None:
        self.targets.add(node.name.value)

    def assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self.targets |= _names(target.target)

    def bind(self, node: cst.AnnAssign | cst.AugAssign | cst.For | cst.NamedExpr) -> None:
        self.targets |= _names(node.target)

    def enter(self, node: cst.WithItem) -> None:
        if node.asname is not None:
            self.targets |= _names(node.asname.name)

    def test(self, node: cst.If | cst.While | cst.IfExp) -> None:
        self.tested |= _names(node.test)

    def try_left(self, node: cst.BooleanOperation) -> None:
        self.tested |= _names(node.left)

    def call(self, node: cst.Call) -> None:
        if type(node.func) is cst.Attribute:
            self.calls.append(node)


def _names(node: cst.CSTNode) -> set[str]:
    return {inner.value for inner in own_nodes(node) if type(inner) is cst.Name}


_STATEMENTS = frozenset(
    [cst.SimpleStatementLine, cst.If, cst.For, cst.While, cst.Try, cst.TryStar, cst.With, cst.Match]
)
_NESTED = frozenset([cst.FunctionDef, cst.ClassDef, cst.Lambda])
_GATHER: dict[type[cst.CSTNode], Callable[[_Gatherer, Any], None]] = {
    **dict.fromkeys([cst.Return, cst.Raise, cst.Continue, cst.Break], _Gatherer.leave),
    **dict.fromkeys([cst.FunctionDef, cst.ClassDef], _Gatherer.define),
    **dict.fromkeys([cst.AnnAssign, cst.AugAssign, cst.NamedExpr], _Gatherer.bind),
    **dict.fromkeys([cst.If, cst.While, cst.IfExp], _Gatherer.test),
    cst.Assign: _Gatherer.assign,
    cst.For: _Gatherer.bind,
    cst.WithItem: _Gatherer.enter,
    cst.BooleanOperation: _Gatherer.try_left,
    cst.Call: _Gatherer.call,
}
