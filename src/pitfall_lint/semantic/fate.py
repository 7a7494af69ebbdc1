"""What becomes of a task value: somebody may read its exception, or nobody can."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Future
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.handling import logs
from pitfall_lint.semantic.handover import argument_for, scheduled
from pitfall_lint.semantic.scopes import Binding
from pitfall_lint.semantic.values import FunctionValue, Partial
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_GROWS = frozenset({"add", "append", "appendleft", "put_nowait"})
_SHRINKS = frozenset({"discard", "remove", "clear"})
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
    holds: bool = False
    """A strong reference outlives the function: an attribute, a module's variable or container."""


def fate_of(
    file: File, node: cst.CSTNode, *, returned_is_lost: bool = False, ignoring: cst.CSTNode | None = None
) -> Fate | None:
    """Return how the exception of the task that an expression gives is lost; None when somebody may read it.

    `ignoring` is a call that takes the task and does not read it.
    """
    return _Tracker(file, returned_is_lost, ignoring).climb(node)


def name_fate(file: File, name: cst.Name, ignoring: cst.CSTNode, *, contained: bool) -> Fate | None:
    """Return how the exception of a task (or of the tasks in a container) of a local name is lost."""
    return _Tracker(file, False, ignoring).name(name.value, name, name, contained=contained)


class _Tracker:
    def __init__(self, file: File, returned_is_lost: bool, ignoring: cst.CSTNode | None = None) -> None:
        self.file = file
        self.ignoring = ignoring
        self.returned_is_lost = returned_is_lost
        rows = file.libraries.rows(Future)
        self.ignores = frozenset(name for row in rows for name in (*row.ignores, row.cancel, row.cancelled))
        self.callbacks = frozenset(row.callback for row in rows)
        self.cancels = frozenset(row.cancel for row in rows)
        self.seen: set[tuple[str, object]] = set()

    # Upwards from the value

    def climb(self, node: cst.CSTNode) -> Fate | None:
        """Follow a value to where its expression ends up."""
        outer = self.file.parent(node)
        if isinstance(outer, cst.Expr):
            return Fate("dropped")
        if isinstance(outer, (cst.IfExp, cst.BooleanOperation)):
            return self.climb(outer) if getattr(outer, "test", None) is not node else Fate("unread")
        if isinstance(outer, cst.NamedExpr):
            return self.both(self.stored(outer.target, outer), self.climb(outer) or Fate("unread"))
        if isinstance(outer, cst.Assign):
            fates = [self.stored(target.target, outer) for target in outer.targets]
            return None if None in fates else fates[-1]
        if isinstance(outer, cst.AnnAssign):
            return self.stored(outer.target, outer)
        if isinstance(outer, cst.Attribute):
            return self.used(node)
        if isinstance(outer, cst.Return):
            return Fate("returned") if self.returned_is_lost else None
        if isinstance(outer, cst.Lambda):
            return self.lambda_result(outer)
        if isinstance(outer, cst.Arg):
            return self.argument(outer)
        if isinstance(outer, cst.Element) and isinstance(
            display := self.file.parent(outer), (cst.List, cst.Set)
        ):
            return self.gathered(display)
        if isinstance(outer, cst.DictElement) and outer.value is node:
            display = self.file.parent(outer)
            return self.gathered(display) if isinstance(display, cst.Dict) else None
        if isinstance(outer, (cst.ListComp, cst.SetComp)) and outer.elt is node:
            return self.gathered(outer)
        if isinstance(outer, cst.DictComp) and outer.value is node:
            return self.gathered(outer)
        return None

    @staticmethod
    def both(first: Fate | None, second: Fate | None) -> Fate | None:
        return first if first is not None and second is not None else None

    def gathered(self, display: cst.CSTNode) -> Fate | None:
        """Follow a list, set or dict that holds the value."""
        outer = self.file.parent(display)
        if isinstance(outer, cst.Expr):
            return Fate("dropped")
        if isinstance(outer, (cst.Assign, cst.AnnAssign)):
            targets = [t.target for t in outer.targets] if isinstance(outer, cst.Assign) else [outer.target]
            if len(targets) == 1:
                return self.container(targets[0], outer)
        if isinstance(outer, cst.Arg) and isinstance(call := self.file.parent(outer), cst.Call):
            if call is self.ignoring:
                return Fate("waited")
            if isinstance(call.func, cst.Attribute) and call.func.attr.value in {"extend", "update"}:
                return self.container(call.func.value, call)
        return None

    def lambda_result(self, node: cst.Lambda) -> Fate | None:
        """A lambda's result is dropped when the lambda is handed to something that drops it."""
        outer = self.file.parent(node)
        call = self.file.parent(outer) if isinstance(outer, cst.Arg) else None
        if isinstance(call, cst.Call) and self.drops_result(call, node):
            return Fate("scheduled", self.file.text(call.func), call)
        return None

    def drops_result(self, call: cst.Call, function: cst.CSTNode) -> bool:
        found = scheduled(self.file.call(call))
        return found is not None and found[1] is function

    def argument(self, arg: cst.Arg) -> Fate | None:
        call = self.file.parent(arg)
        if not isinstance(call, cst.Call):
            return None
        if call is self.ignoring:
            return Fate("waited")
        func = call.func
        if isinstance(func, cst.Attribute) and func.attr.value in _GROWS and len(call.args) == 1:
            return self.container(func.value, call)
        target = self.file.definition(func)
        if isinstance(target, Function) and not target.is_generator and ("param", target) not in self.seen:
            return self.handed_to(self.file.call(call), target, arg)
        return None

    def handed_to(self, call: Call, target: Function, arg: cst.Arg) -> Fate | None:
        """Follow a task into a function of the project that keeps it."""
        for param in target.params:
            if (
                param.kind in {"positional", "keyword"}
                and argument_for(call, target, param.name) is arg.value
            ):
                inner = _Tracker(target.file, True)
                inner.seen = self.seen | {("param", target)}
                fate = inner.name(param.name, target.node, param.node)
                if fate is None:
                    return None
                returned = any(isinstance(r, cst.Name) and r.value == param.name for r in target.returns())
                if returned:  # the caller has it still
                    return self.both(self.climb(call.node), fate)
                return fate
        return None

    # Names, attributes and containers that hold it

    def stored(self, target: cst.CSTNode, statement: cst.CSTNode) -> Fate | None:
        if isinstance(target, cst.Name):
            if target.value == "_":
                return Fate("dropped")
            return self.name(target.value, statement, target)
        if isinstance(target, cst.Attribute):
            return self.attribute(target, contained=False)
        if isinstance(target, cst.Subscript):
            return self.container(target.value, statement)
        return None

    def name(
        self, name: str, at: cst.CSTNode, binding: cst.CSTNode, *, contained: bool = False
    ) -> Fate | None:
        """Look at every use of a local or module name."""
        if isinstance(at, (cst.FunctionDef, cst.Lambda)):
            function: Function | None = self.file.function(at)
        else:
            function = self.file.function_of(at)
        if function is None:
            return self.module_variable(name, contained)
        scope = self.file.scope_of(binding)
        while scope.kind == "comprehension" and scope.parent is not None and name not in scope.bindings:
            scope = scope.parent
        if isinstance(binding, cst.Param):
            scope = self.file.scope_of(function.node.body)
        if scope.declared.get(name) is not None or (contained and name not in scope.bindings):
            return self.enclosing_name(name, function, contained)
        if contained and not all(is_fresh(binding) for binding in scope.bindings.get(name, ())):
            return None
        return self.words(name, self.references(function.node, name), contained, function)

    def enclosing_name(self, name: str, function: Function, contained: bool) -> Fate | None:
        outer = function.parent
        while outer is not None:
            bindings = self.file.scope_of(outer.node.body).bindings.get(name)
            if bindings is not None:
                if contained and not all(is_fresh(binding) for binding in bindings):
                    return None
                return self.words(name, self.references(outer.node, name), contained, outer)
            outer = outer.parent
        found = self.file.lookup(name, function.node)
        return (
            self.module_variable(name, contained) if found is not None and found.scope == "module" else None
        )

    def module_variable(self, name: str, contained: bool) -> Fate | None:
        """Look at a private module variable; others may be read by other modules."""
        file = self.file
        if not name.startswith("_") or name in file.outline.imports or self.quoted(name):
            return None
        if contained and not all(is_fresh(binding) for binding in file.skeleton.root.bindings.get(name, ())):
            return None
        return self.words(name, self.module_references(name), contained)

    def references(self, root: cst.CSTNode, name: str) -> Iterator[cst.CSTNode]:
        for node in all_nodes(root):
            if isinstance(node, cst.Name) and node.value == name and self.is_reference(node):
                yield node

    def is_reference(self, node: cst.Name) -> bool:
        outer = self.file.parent(node)
        if isinstance(outer, cst.Attribute):
            return outer.value is node
        if isinstance(outer, cst.Arg):
            return outer.keyword is not node
        return not isinstance(
            outer,
            (
                cst.AssignTarget,
                cst.Param,
                cst.FunctionDef,
                cst.ClassDef,
                cst.NameItem,
                cst.AsName,
                cst.ImportAlias,
            ),
        ) and not (isinstance(outer, (cst.AnnAssign, cst.NamedExpr, cst.AugAssign)) and outer.target is node)

    def trees_with(self, word: str) -> Iterator[cst.CSTNode]:
        """Yield the roots of the definitions of this file that hold a word."""
        file = self.file
        blocks = {}
        for match in re.finditer(rb"(?<!\w)" + re.escape(word.encode()) + rb"(?!\w)", file.source.data):
            line = file.source.position(match.start())[0] - 1
            blocks[file.outline.function_at(line)] = True
        for block in blocks:
            tree = file.tree(block)
            if tree is not None:
                yield tree.module

    def module_references(self, name: str) -> Iterator[cst.CSTNode]:
        for root in self.trees_with(name):
            for node in self.references(root, name):
                found = self.file.lookup(name, node)
                if found is not None and found.scope == "module":
                    yield node

    def attribute(self, target: cst.Attribute, *, contained: bool) -> Fate | None:
        """Look at a private attribute; public ones may be read by other modules."""
        name = target.attr.value
        class_ = self.file.class_of(target)
        if not name.startswith("_") or class_ is None or not isinstance(target.value, cst.Name):
            return None
        if self.quoted(name) or class_.method(name) is not None:
            return None
        if contained and not self.is_own_container(class_, name):
            return None
        return self.words(f"{target.value.value}.{name}", self.attribute_references(name), contained)

    def is_own_container(self, class_: Class, name: str) -> bool:
        """Tell whether the class itself makes the container, each time anew."""
        assigned = [
            entry
            for base in class_.mro()
            if isinstance(base, Class)
            for entry in base.attribute_assignments(name)
        ]
        values = [value for _, _, value in assigned if value is not None]
        return bool(values) and all(is_fresh_value(value) for value in values)

    def quoted(self, name: str) -> bool:
        """Tell whether the name stands in quotes: getattr may read it."""
        return re.search(rb"[\"']" + re.escape(name.encode()) + rb"[\"']", self.file.source.data) is not None

    def attribute_references(self, name: str) -> Iterator[cst.CSTNode]:
        for root in self.trees_with(name):
            for node in all_nodes(root):
                if isinstance(node, cst.Attribute) and node.attr.value == name:
                    outer = self.file.parent(node)
                    stored = isinstance(outer, cst.AssignTarget) or (
                        isinstance(outer, (cst.AnnAssign, cst.AugAssign)) and outer.target is node
                    )
                    if not stored:
                        yield node

    def container(self, node: cst.CSTNode, at: cst.CSTNode) -> Fate | None:
        """Look at every use of a container that holds the task."""
        if isinstance(node, cst.Name):
            return self.name(node.value, at, node, contained=True)
        if isinstance(node, cst.Attribute):
            return self.attribute(node, contained=True)
        return None

    # Uses

    def words(
        self, name: str, references: Iterator[cst.CSTNode], contained: bool, function: Function | None = None
    ) -> Fate | None:
        key = (name, (contained, function))
        if key in self.seen:
            return Fate("kept" if contained else "unread", name)
        self.seen.add(key)
        weak = contained and function is None and self.is_weak(name)
        worst = Fate("kept" if contained else "unread", name, holds=function is None and not weak)
        for reference in references:
            fate = self.element_use(reference, name) if contained else self.used(reference)
            if fate is None:
                return None
            if worst.how in {"unread", "kept"} and fate.how not in {"unread", "dropped"}:
                worst = replace(fate, holds=fate.holds or worst.holds)
            worst = replace(worst, holds=True) if fate.holds else worst
        return worst

    def is_weak(self, name: str) -> bool:
        """Tell whether the container of this name (`self._tasks`) holds its elements weakly."""
        leaf = re.escape(name.rpartition(".")[2].encode())
        made = rb"(?<!\w)" + leaf + rb"\s*(?::[^=\n]+)?=\s*(?:[\w.]+\.)?Weak\w+\("
        return re.search(made, self.file.source.data) is not None

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
                return (
                    Fate("cancelled", file.text(reference), outer) if name in self.cancels else Fate("unread")
                )
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
            if isinstance(call.func, cst.Attribute) and call.func.attr.value in _SHRINKS:
                return Fate("unread")
        return self.climb(reference)

    def is_test(self, node: cst.CSTNode) -> bool:
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
            if method in _GROWS | _SHRINKS | {"extend", "update"}:
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
        if (
            isinstance(outer, cst.Arg)
            and isinstance(call := file.parent(outer), cst.Call)
            and outer.star == ""
        ):
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
            fates = [self.used(r) for r in self.references(outer.body, target.value)]
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
        if isinstance(given, cst.Attribute) and given.attr.value in _SHRINKS:
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
        if not functions or any(reads_task(function, shift) for function, shift in functions):
            return None
        return blind

    def lambda_reads(self, node: cst.Lambda) -> bool:
        params = node.params.params
        if not params:
            return True
        name = params[0].name.value
        mentions = [n for n in all_nodes(node.body) if isinstance(n, cst.Name) and n.value == name]
        return any(self.used(n) is None for n in mentions if self.is_reference(n))


def reads_loop_variable(file: File, loop: cst.For) -> bool:
    """Tell whether a loop may ask its variable, a task, for the exception."""
    if not isinstance(loop.target, cst.Name):
        return True
    tracker = _Tracker(file, False)
    return any(tracker.used(node) is None for node in tracker.references(loop.body, loop.target.value))


_MAKERS = frozenset(
    {
        "set",
        "list",
        "dict",
        "deque",
        "defaultdict",
        "OrderedDict",
        "WeakSet",
        "WeakValueDictionary",
        "field",
        "Field",
    }
)


def is_fresh(binding: Binding) -> bool:
    """Tell whether a binding gives a name a container of its own."""
    if binding.kind in {"annotation", "augmented", "delete"}:
        return True
    return binding.kind == "assign" and binding.value is not None and is_fresh_value(binding.value)


def is_fresh_value(value: cst.BaseExpression) -> bool:
    """Tell whether an expression makes a container."""
    if isinstance(value, cst.Call):
        func = value.func.value if isinstance(value.func, cst.Subscript) else value.func
        leaf = (
            func.attr.value
            if isinstance(func, cst.Attribute)
            else func.value
            if isinstance(func, cst.Name)
            else ""
        )
        return leaf in _MAKERS
    return isinstance(value, (cst.List, cst.Set, cst.Dict, cst.ListComp, cst.SetComp, cst.DictComp)) or (
        isinstance(value, cst.Name) and value.value == "None"
    )


def mentions(file: File, name: cst.Name) -> int:
    """Return how often a local name is read in the function around it."""
    function = file.function_of(name)
    tracker = _Tracker(file, False)
    return sum(1 for _ in tracker.references(function.node.body, name.value)) if function is not None else 0


def reads_task(function: Function, shift: int = 0) -> bool:
    """Tell whether a done-callback may look at the exception of its task."""
    params = function.params
    skip = shift + (1 if function.is_method else 0)
    if len(params) <= skip or params[skip].kind not in {"positional"}:
        return bool(params) and params[-1].kind in {"args", "kwargs"} and len(params) <= skip + 1
    name = params[skip].name
    tracker = _Tracker(function.file, False)
    for node in all_nodes(function.node.body):
        if isinstance(node, cst.Name) and node.value == name and tracker.is_reference(node):
            if tracker.used(node) is None:
                return True
    return False


__all__ = ["Fate", "fate_of", "mentions", "name_fate", "reads_loop_variable", "reads_task"]
