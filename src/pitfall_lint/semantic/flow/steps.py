"""Steps and edges: what a control-flow graph is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from pitfall_lint.semantic.walk import own_nodes

NEXT, TRUE, FALSE, RAISE, CANCEL = "next", "true", "false", "raise", "cancel"


@dataclass(eq=False)
class Step:
    """One thing that runs as a whole.

    Kinds: entry, statement, test, enter, leave, evaluate, iterate, loop, case, except, dispatch, return,
    raise, assert, and the exits end, return-exit, raise-exit, cancel-exit.
    A node inside `finally`, and every with-exit, has one step for each reason to get there.
    """

    kind: str
    node: cst.CSTNode | None
    edges: list[Edge] = field(default_factory=list)
    number: int = 0
    value: cst.BaseExpression | None = None
    """For an assignment of `a or b` or `a if c else b`: the branch that this step takes."""
    stands_in: bool = False
    """For the test of `a or Ctor()`: `a` is an object or None, so that what is false is None."""

    def __repr__(self) -> str:
        return f"<{self.kind} {type(self.node).__name__}>"

    @property
    def exit(self) -> str | None:
        """The kind of exit that this step is: end, return, raise, cancel; None if it is none."""
        return {"end": "end", "return-exit": "return", "raise-exit": "raise", "cancel-exit": "cancel"}.get(self.kind)

    def nodes(self) -> Iterator[cst.CSTNode]:
        """Yield the nodes that are evaluated in this step, bodies of nested functions left out."""
        for part in self.parts():
            yield from own_nodes(part)

    def parts(self) -> Iterator[cst.CSTNode]:
        """Yield the outermost nodes that are evaluated in this step."""
        node = self.node
        if node is None or self.kind in ("leave", "dispatch", "loop"):
            return
        if self.value is not None:
            yield self.value
            yield from (target for target, _ in assignments(self))
        elif isinstance(node, (cst.For, cst.CompFor)):
            yield node.target
        elif isinstance(node, cst.FunctionDef):
            yield from node.decorators
            yield node.params
        elif isinstance(node, (cst.ExceptHandler, cst.ExceptStarHandler)):
            if node.type is not None:
                yield node.type
            if node.name is not None:
                yield node.name
        elif isinstance(node, cst.MatchCase):
            yield node.pattern
        else:
            yield node


@dataclass(frozen=True, eq=False)
class Edge:
    """A way from one step to the next. Kinds: next, true, false, raise (an error), cancel (BaseException)."""

    target: Step
    kind: str = NEXT

    @property
    def raised(self) -> bool:
        """Tell whether the step was left by an exception."""
        return self.kind in (RAISE, CANCEL)


_CANCELS = frozenset([cst.Await, cst.Yield])
_RAISES = frozenset(
    [cst.Call, cst.Await, cst.Yield, cst.Subscript, cst.BinaryOperation, cst.Import, cst.ImportFrom, cst.Assert]
)


def risks(node: cst.CSTNode) -> tuple[bool, bool]:
    """Return whether evaluating a node may well raise an error, and whether it may be cancelled there."""
    error = cancel = False
    root = (cst.FunctionDef, cst.Lambda)
    if isinstance(node, root):
        return isinstance(node, cst.FunctionDef) and bool(node.decorators), False
    evaluated: list[cst.CSTNode] = [node]
    if isinstance(node, cst.AnnAssign):  # the annotation of a local variable is not evaluated
        evaluated = [node.target] if node.value is None else [node.target, node.value]
    for inner in (each for part in evaluated for each in own_nodes(part)):
        kind = type(inner)
        error = error or kind in _RAISES
        cancel = cancel or kind in _CANCELS
        if kind is cst.CompFor:
            error = True
            cancel = cancel or getattr(inner, "asynchronous", None) is not None
    return error, cancel


def makes_an_object(node: cst.BaseExpression) -> bool:
    """Tell, by its name, whether an expression calls a class: `Ctor()`, `module.Ctor()`."""
    func = node.func if isinstance(node, cst.Call) else None
    name = func.attr if isinstance(func, cst.Attribute) else func
    return isinstance(name, cst.Name) and name.value.lstrip("_")[:1].isupper()


def assignments(step: Step) -> Iterator[tuple[cst.CSTNode, cst.BaseExpression | None]]:
    """Yield the (target, value) pairs of a step; the value is None when it says nothing."""
    node = step.node
    if node is None or step.kind in ("leave", "dispatch", "loop", "raise"):
        return
    if isinstance(node, cst.Assign):
        for target in node.targets:
            yield target.target, step.value or node.value
    elif isinstance(node, cst.AnnAssign) and node.value is not None:
        yield node.target, step.value or node.value
    elif isinstance(node, (cst.AugAssign, cst.Del, cst.For)):
        yield node.target, None
    elif isinstance(node, cst.WithItem) and node.asname is not None:
        yield node.asname.name, None
    elif isinstance(node, (cst.ExceptHandler, cst.ExceptStarHandler)) and node.name is not None:
        yield node.name.name, None
    elif isinstance(node, (cst.FunctionDef, cst.ClassDef)):
        yield node.name, None
    elif isinstance(node, cst.MatchCase):
        for inner in own_nodes(node.pattern):
            if isinstance(inner, (cst.MatchAs, cst.MatchStar)) and inner.name is not None:
                yield inner.name, None
    if step.kind != "test" and not isinstance(node, (cst.For, cst.ExceptHandler, cst.MatchCase, cst.FunctionDef)):
        for inner in own_nodes(step.value or node):
            if type(inner) is cst.NamedExpr:
                yield inner.target, inner.value
