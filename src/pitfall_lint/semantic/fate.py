"""What becomes of a task value: somebody may read its exception, or nobody can."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.handover import argument_for, scheduled
from pitfall_lint.semantic.harmless import is_stub
from pitfall_lint.semantic.mentioning import (
    attribute_references,
    is_fresh,
    is_fresh_value,
    module_references,
    quoted,
    references,
)
from pitfall_lint.semantic.using import GROWS, Fate, Uses

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File


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


def shaded(name: str, fate: Fate | None) -> Fate | None:
    """Return a fate as unsure when the name that holds the task is public."""
    return fate if fate is None or name.startswith("_") else replace(fate, perhaps=True)


class _Tracker(Uses):
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
        if isinstance(outer, cst.Element) and isinstance(display := self.file.parent(outer), (cst.List, cst.Set)):
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
        if isinstance(func, cst.Attribute) and func.attr.value in GROWS and len(call.args) == 1:
            return self.container(func.value, call)
        target = self.file.definition(func)
        if isinstance(target, Function) and target.class_ is not None and is_stub(target):
            return None  # there to be overridden
        if isinstance(target, Function) and not target.is_generator and ("param", target) not in self.seen:
            return self.handed_to(self.file.call(call), target, arg)
        return None

    def handed_to(self, call: Call, target: Function, arg: cst.Arg) -> Fate | None:
        """Follow a task into a function of the project that keeps it."""
        for param in target.params:
            if param.kind in {"positional", "keyword"} and argument_for(call, target, param.name) is arg.value:
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

    def name(self, name: str, at: cst.CSTNode, binding: cst.CSTNode, *, contained: bool = False) -> Fate | None:
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
        return self.words(name, references(self.file, function.node, name), contained, function)

    def enclosing_name(self, name: str, function: Function, contained: bool) -> Fate | None:
        outer = function.parent
        while outer is not None:
            bindings = self.file.scope_of(outer.node.body).bindings.get(name)
            if bindings is not None:
                if contained and not all(is_fresh(binding) for binding in bindings):
                    return None
                return self.words(name, references(self.file, outer.node, name), contained, outer)
            outer = outer.parent
        found = self.file.lookup(name, function.node)
        return self.module_variable(name, contained) if found is not None and found.scope == "module" else None

    def module_variable(self, name: str, contained: bool) -> Fate | None:
        """Look at a module variable; a public one may be read by other modules."""
        file = self.file
        if name in file.outline.imports or quoted(self.file, name):
            return None
        if contained and not all(is_fresh(binding) for binding in file.skeleton.root.bindings.get(name, ())):
            return None
        return shaded(name, self.words(name, module_references(self.file, name), contained))

    def attribute(self, target: cst.Attribute, *, contained: bool) -> Fate | None:
        """Look at an attribute; a public one may be read by other modules."""
        name = target.attr.value
        class_ = self.file.class_of(target)
        if class_ is None or not isinstance(target.value, cst.Name):
            return None
        if quoted(self.file, name) or class_.method(name) is not None:
            return None
        if contained and not self.is_own_container(class_, name):
            return None
        for base in class_.mro():
            if isinstance(base, Class) and base.file is not self.file:
                inherited = _Tracker(base.file, False)
                for node in attribute_references(inherited.file, name):
                    use = inherited.element_use(node, name) if contained else inherited.used(node)
                    if use is None:
                        return None
        where = f"{target.value.value}.{name}"
        return shaded(name, self.words(where, attribute_references(self.file, name), contained))

    def is_own_container(self, class_: Class, name: str) -> bool:
        """Tell whether the class itself makes the container, each time anew."""
        assigned = [
            entry for base in class_.mro() if isinstance(base, Class) for entry in base.attribute_assignments(name)
        ]
        values = [value for _, _, value in assigned if value is not None]
        return bool(values) and all(is_fresh_value(value) for value in values)

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
            worst = replace(worst, holds=worst.holds or fate.holds, perhaps=worst.perhaps or fate.perhaps)
        return worst

    def is_weak(self, name: str) -> bool:
        """Tell whether the container of this name (`self._tasks`) holds its elements weakly."""
        leaf = re.escape(name.rpartition(".")[2].encode())
        made = rb"(?<!\w)" + leaf + rb"\s*(?::[^=\n]+)?=\s*(?:[\w.]+\.)?Weak\w+\("
        return re.search(made, self.file.source.data) is not None


def reads_loop_variable(file: File, loop: cst.For) -> bool:
    """Tell whether a loop may ask its variable, a task, for the exception."""
    if not isinstance(loop.target, cst.Name):
        return True
    tracker = _Tracker(file, False)
    return any(tracker.used(node) is None for node in references(tracker.file, loop.body, loop.target.value))


def mentions(file: File, name: cst.Name) -> int:
    """Return how often a local name is read in the function around it."""
    function = file.function_of(name)
    tracker = _Tracker(file, False)
    return sum(1 for _ in references(tracker.file, function.node.body, name.value)) if function is not None else 0


__all__ = ["Fate", "fate_of", "mentions", "name_fate", "reads_loop_variable"]
