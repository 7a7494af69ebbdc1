"""What one mention of a task, or of a container of tasks, does with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Future
from pitfall_lint.semantic.clauses import logs
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.mentioning import is_reference, references
from pitfall_lint.semantic.values import FunctionValue, Partial
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

GROWS = frozenset({"add", "append", "appendleft", "put_nowait"})
SHRINKS = frozenset({"discard", "remove", "clear"})
_TESTS = (cst.If, cst.While, cst.IfExp, cst.UnaryOperation, cst.BooleanOperation, cst.Comparison, cst.Assert)


@dataclass(frozen=True, eq=False)
class Fate:
    """How the exception of a task is lost."""

    how: str
    """dropped, unread, kept, callback, cancelled or scheduled."""
    where: str = ""
    """The name, attribute or container that holds it."""
    node: cst.CSTNode | None = None
    """The place that decides: the callback, the cancel."""
    perhaps: bool = False
    """A public name holds it: other modules may read it all the same."""
    holds: bool = False
    """A strong reference outlives the function: an attribute, a module's variable or container."""


class Uses:
    """Judges mentions; where a value goes on from there, `climb` and `name` follow it."""

    def __init__(self, file: File, returned_is_lost: bool, ignoring: cst.CSTNode | None = None) -> None:
        self.file = file
        self.ignoring = ignoring
        self.returned_is_lost = returned_is_lost
        rows = file.libraries.rows(Future)
        self.ignores = frozenset(name for row in rows for name in (*row.ignores, row.cancel, row.cancelled))
        self.callbacks = frozenset(row.callback for row in rows)
        self.cancels = frozenset(row.cancel for row in rows)
        self.seen: set[tuple[str, object]] = set()

    def climb(self, node: cst.CSTNode) -> Fate | None:
        """Follow a value to where its expression ends up."""
        raise NotImplementedError

    def name(self, name: str, at: cst.CSTNode, binding: cst.CSTNode, *, contained: bool = False) -> Fate | None:
        """Look at every use of a name that holds the task."""
        raise NotImplementedError

    def used(self, reference: cst.CSTNode) -> Fate | None:
        """Tell what one mention of the task does with it: None when it may read the exception."""
        file = self.file
        outer = file.parent(reference)
        if isinstance(outer, cst.Attribute) and outer.value is reference:
            call = file.parent(outer)
            called = isinstance(call, cst.Call) and call.func is outer
            name = outer.attr.value
            if called and name in self.callbacks:
                assert isinstance(call, cst.Call)
                return self.callback(call)
            if name in self.ignores:
                return Fate("cancelled", file.text(reference), outer) if name in self.cancels else Fate("unread")
            return None
        if isinstance(outer, _TESTS):
            if isinstance(outer, cst.BooleanOperation):
                return self.climb(outer) or (Fate("unread") if self.is_test(outer) else None)
            if isinstance(outer, cst.IfExp) and outer.test is not reference:
                return self.climb(outer)
            return Fate("unread")
        if isinstance(outer, cst.ComparisonTarget):
            return Fate("unread")
        if isinstance(outer, (cst.Del, cst.FormattedStringExpression)):
            return Fate("unread")
        if isinstance(outer, cst.Arg) and isinstance(call := file.parent(outer), cst.Call):
            name = file.qualified_name(call.func) or ""
            if logs(file, call) or name in {
                "builtins.print",
                "builtins.isinstance",
                "builtins.id",
                "builtins.repr",
            }:
                return Fate("unread")
            if isinstance(call.func, cst.Attribute) and call.func.attr.value in SHRINKS:
                return Fate("unread")
        return self.climb(reference)

    def is_test(self, node: cst.CSTNode) -> bool:
        """Tell whether only the truth of an expression matters."""
        outer = self.file.parent(node)
        if isinstance(outer, cst.BooleanOperation):
            return self.is_test(outer)
        return isinstance(outer, (cst.If, cst.While, cst.UnaryOperation, cst.Assert)) or (
            isinstance(outer, cst.IfExp) and outer.test is node
        )

    def element_use(self, reference: cst.CSTNode, name: str) -> Fate | None:
        """Tell what one mention of the container does with its elements."""
        file = self.file
        kept = Fate("kept", name)
        outer = file.parent(reference)
        if isinstance(outer, cst.Attribute) and outer.value is reference:
            method = outer.attr.value
            call = file.parent(outer)
            if method in GROWS | SHRINKS | {"extend", "update"}:
                return kept
            if method in {"values", "items", "copy"} and isinstance(call, cst.Call):
                return self.iterated(call, kept, pairs=method == "items")
            if method in {"pop", "popitem", "get", "setdefault"} and isinstance(call, cst.Call):
                if method == "pop" and isinstance(file.parent(call), cst.Expr):
                    return kept
                if method == "get":
                    return self.found(call, kept)
                if method == "pop":
                    return self.found(call, kept)
            return None
        if isinstance(outer, cst.Subscript) and outer.value is reference:
            above = file.parent(outer)
            if isinstance(above, (cst.AssignTarget, cst.Del)):
                return kept
            if isinstance(above, cst.Attribute):
                return self.used(outer)
            return self.found(outer, kept)
        if isinstance(outer, cst.Arg) and file.parent(outer) is self.ignoring:
            return kept
        if isinstance(outer, cst.Arg) and isinstance(call := file.parent(outer), cst.Call) and outer.star == "":
            if isinstance(call.func, cst.Name) and call.func.value in {"len", "bool", "any", "print"}:
                return kept
            if isinstance(call.func, cst.Name) and call.func.value in {"list", "set", "tuple"}:
                return self.iterated(call, kept)
            return None
        if isinstance(outer, (cst.If, cst.While, cst.UnaryOperation, cst.Del)):
            return kept
        if isinstance(outer, cst.ComparisonTarget):
            return kept
        return self.iterated(reference, kept)

    def found(self, node: cst.CSTNode, kept: Fate) -> Fate | None:
        """Follow one element that is taken out of the container."""
        outer = self.file.parent(node)
        if isinstance(outer, cst.Assign) and len(outer.targets) == 1:
            target = outer.targets[0].target
            if isinstance(target, cst.Name):
                return self.name(target.value, outer, target) and kept
            return None
        if isinstance(outer, cst.NamedExpr) and isinstance(outer.target, cst.Name):
            return self.name(outer.target.value, outer, outer.target) and kept
        if isinstance(outer, cst.Attribute):
            return self.used(node)
        return None

    def iterated(self, node: cst.CSTNode, kept: Fate, *, pairs: bool = False) -> Fate | None:
        """Look at the loop variable of a loop over the container."""
        outer = self.file.parent(node)
        if isinstance(outer, cst.For) and outer.iter is node and outer.asynchronous is None:
            target: cst.CSTNode = outer.target
            if pairs:
                if not isinstance(target, cst.Tuple) or len(target.elements) != 2:
                    return None
                target = target.elements[1].value
            if not isinstance(target, cst.Name):
                return None
            fates = [self.used(r) for r in references(self.file, outer.body, target.value)]
            return None if None in fates else next((f for f in fates if f and f.how == "cancelled"), kept)
        return None

    # Callbacks

    def callback(self, call: cst.Call) -> Fate | None:
        """Look at a done-callback: None when it may read the exception."""
        if not call.args:
            return None
        given = call.args[0].value
        blind = Fate("callback", self.file.text(given), given)
        if isinstance(given, cst.Lambda):
            return None if self.lambda_reads(given) else blind
        if isinstance(given, cst.Attribute) and given.attr.value in SHRINKS:
            return blind
        values = self.file.values_of(given)
        functions = []
        for value in values:
            shift = 0
            if isinstance(value, Partial) and len(value.of) == 1:
                shift = len(value.call.args) - 1 if value.call is not None else 0
                value = value.of[0]
            if not isinstance(value, FunctionValue):
                return None
            functions.append((value.function, shift))
        if not functions or any(self.reads(function, shift) for function, shift in functions):
            return None
        return blind

    def lambda_reads(self, node: cst.Lambda) -> bool:
        """Tell whether a lambda may look at the exception of its task."""
        params = node.params.params
        if not params:
            return True
        name = params[0].name.value
        mentions = [n for n in all_nodes(node.body) if isinstance(n, cst.Name) and n.value == name]
        return any(self.used(n) is None for n in mentions if is_reference(self.file, n))

    def reads(self, function: Function, shift: int = 0) -> bool:
        """Tell whether a done-callback may look at the exception of its task; `shift` arguments come before it."""
        memo, key = function.file.memo, ("reads task", function, shift)
        if key not in memo:
            memo[key] = False  # what a callback that registers itself adds
            memo[key] = self._reads(function, shift)
        return bool(memo[key])

    def _reads(self, function: Function, shift: int) -> bool:
        params = function.params
        skip = shift + (1 if function.is_method else 0)
        if len(params) <= skip or params[skip].kind != "positional":
            return bool(params) and params[-1].kind in {"args", "kwargs"} and len(params) <= skip + 1
        there = type(self)(function.file, False)
        mentions = references(function.file, function.node.body, params[skip].name)
        return any(there.used(node) is None for node in mentions)
