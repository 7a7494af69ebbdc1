"""What leaves a piece of code: values that are returned, kept on an object, or given to a name of the module.

Told by the stdlib's `ast`, and too often rather than too seldom: what stands in the value that a returned name is
given counts, and so does what is told to something that is returned or kept.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from pitfall_lint.semantic.below import all_below, nodes_below

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = (*_FUNCTIONS, ast.ClassDef, ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)


class Outflow:
    """The question for one piece, whose tree is walked once."""

    def __init__(self, tree: ast.AST) -> None:
        self._statements: list[_Statement] = []
        self._returned: set[str] = set()
        self.how: dict[ast.AST, frozenset[str]] = {}
        """Of each name and attribute that leaves by its statement: "returned", "kept"."""
        self.given: dict[ast.AST, frozenset[str]] = {}
        """Of each of them outside of functions: the names that its statement assigns."""
        self._collect(tree, False)
        self._settle()

    def _collect(self, tree: ast.AST, in_function: bool) -> None:
        for node in _children(tree):
            if isinstance(node, _FUNCTIONS):
                self._collect(node, True)
                self._add([*node.decorator_list, node.args])
            elif isinstance(node, (ast.With, ast.AsyncWith)):
                for item in node.items:
                    self._give([item.optional_vars] if item.optional_vars is not None else [], item.context_expr)
                self._collect(node, in_function)
            elif isinstance(node, (ast.For, ast.AsyncFor)):
                self._give([node.target], node.iter)
                self._collect(node, in_function)
            elif isinstance(node, (ast.If, ast.While)):
                self._give([], node.test)
                self._collect(node, in_function)
            elif isinstance(node, _BLOCKS):
                heads = self._add(list(_heads(node)))
                if isinstance(node, ast.ClassDef) and not in_function:  # who makes an heir makes one of the base
                    heads.assigned, heads.whole = {node.name}, [part for base in node.bases for part in _wholes(base)]
                self._collect(node, in_function)
            elif isinstance(node, (ast.match_case, ast.ExceptHandler)):
                self._collect(node, in_function)
            elif isinstance(node, ast.Match):
                self._add([node.subject])
                self._collect(node, in_function)
            elif isinstance(node, ast.Assign):
                self._give(node.targets, node.value).assign(node, in_function)
            elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
                self._give([node.target], node.value).assign(node, in_function)
            elif isinstance(node, ast.Expr):
                self._tell(node.value)
            elif isinstance(node, ast.stmt):
                self._add([node], isinstance(node, ast.Return))

    def _give(self, targets: Collection[ast.expr], value: ast.expr | None) -> _Statement:
        """Take down that some targets get what an expression gives; without any, its value goes nowhere."""
        found = self._add([value] if value is not None else [])
        found.takers = set()
        found.keeps = False
        for target in targets:
            for part in all_below(target):
                if isinstance(part, ast.Name):
                    found.takers.add(part.id)
                    found.keeps = found.keeps or (part.id in _SELF and part is not target)
        return found

    def _tell(self, node: ast.expr) -> None:
        """Take down a call whose outcome is not used: what it is given may end up in whatever it names."""
        while isinstance(node, ast.Await):
            node = node.value
        found = self._add([node])
        called: ast.AST | None = node.func if isinstance(node, ast.Call) else None
        while isinstance(called, (ast.Attribute, ast.Name)):
            found.values = [value for value in found.values if value is not called]
            called = called.value if isinstance(called, ast.Attribute) else None

    def _add(self, roots: list[ast.AST], returns: bool = False) -> _Statement:
        found = _Statement(returns=returns)
        receivers: set[ast.AST] = set()
        for root in roots:
            stack: list[Any] = [root]
            while stack:  # outer nodes come before inner ones
                part = stack.pop()
                kind = type(part)
                if kind is ast.Name:
                    found.takers.add(part.id)
                    if part not in receivers:
                        found.values.append(part)
                    continue
                if kind is ast.Constant:
                    continue
                if kind is ast.Attribute:
                    receivers.add(part.value)
                    if part not in receivers:
                        found.values.append(part)
                    found.keeps = found.keeps or (type(part.value) is ast.Name and part.value.id in _SELF)
                    stack.append(part.value)
                    continue
                if kind is ast.Lambda or kind is ast.Yield or kind is ast.YieldFrom:
                    found.returns = True
                elif kind is ast.NamedExpr:
                    self._give([part.target], part.value)
                stack += nodes_below(part)
        self._statements.append(found)
        return found

    def _settle(self) -> None:
        for statement in self._statements:
            if statement.returns:
                self._returned |= statement.plain()
        before = -1
        while before != len(self._returned):
            before = len(self._returned)
            for statement in self._statements:
                if not self._returned.isdisjoint(statement.takers):
                    self._returned |= statement.plain()
        for statement in self._statements:
            how = {"kept"} if statement.keeps else set()
            if statement.returns or not self._returned.isdisjoint(statement.takers):
                how.add("returned")
            if how:
                told = frozenset(how)
                for node in statement.values:
                    self.how[node] = self.how.get(node, frozenset()) | told
            for whole in statement.whole:
                self.how[whole] = self.how.get(whole, frozenset()) | {"returned"}
                self.given[whole] = frozenset(statement.assigned)


@dataclass(slots=True)
class _Statement:
    """What stands in one statement, or in the head of one."""

    returns: bool
    keeps: bool = False
    """Whether an attribute of `self` may take something."""
    takers: set[str] = field(default_factory=set)
    """The names that may take something."""
    values: list[ast.Name | ast.Attribute] = field(default_factory=list)
    """Names and attributes that are not only asked for an attribute of theirs."""
    assigned: set[str] = field(default_factory=set)
    """The names that an assignment outside of functions gives a value to."""
    whole: list[ast.AST] = field(default_factory=list)
    """The names and attributes that are, or are called for, that value."""

    def assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, in_function: bool) -> None:
        """Take down what an assignment outside of functions gives to which names."""
        if in_function or isinstance(node, ast.AugAssign):
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = (part for target in targets for part in all_below(target) if isinstance(part, ast.Name))
        self.assigned = {name.id for name in names if isinstance(name.ctx, ast.Store)}
        self.whole = list(_wholes(node.value))

    def plain(self) -> set[str]:
        """Return the names among its values."""
        return {node.id for node in self.values if isinstance(node, ast.Name)} - _SELF


_SELF = {"self", "cls"}


def _wholes(node: ast.AST | None) -> Iterator[ast.AST]:
    """Yield the names and attributes that an expression is, or calls, or holds in a display."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        yield node
    elif isinstance(node, ast.Call):
        yield from _wholes(node.func)
    elif isinstance(node, (ast.Await, ast.Starred, ast.NamedExpr)):
        yield from _wholes(node.value)
    elif isinstance(node, (ast.IfExp, ast.BoolOp)):
        for value in [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values:
            yield from _wholes(value)
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for value in node.elts:
            yield from _wholes(value)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _wholes(value)


def _children(tree: ast.AST) -> Iterator[ast.AST]:
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        found = getattr(tree, name, None)
        if isinstance(found, list):
            yield from found


def _heads(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the expressions of a compound statement that stand before its body."""
    for name in ("test", "target", "iter", "items", "decorator_list", "bases", "keywords"):
        found = getattr(node, name, None)
        if isinstance(found, list):
            yield from found
        elif found is not None:
            yield found
