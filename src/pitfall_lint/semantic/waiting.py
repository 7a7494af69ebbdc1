"""Calls that take several tasks: a `gather` that nobody awaits, a `wait` whose tasks nobody asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Waiter
from pitfall_lint.semantic import handling
from pitfall_lint.semantic.fate import Fate, fate_of, name_fate, reads_loop_variable
from pitfall_lint.semantic.handover import leaf
from pitfall_lint.semantic.tasks import started_by
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class LostWait:
    """A call that takes tasks, and after which nobody can see what they raised."""

    call: Call
    row: Waiter
    fate: Fate


def lost_waits(file: File) -> Iterator[LostWait]:
    """Yield the waiting calls of the looked-at definitions after which an exception is lost."""
    for call, row in file.calls_to(Waiter):
        fate = _detached(call, row) if row.detaches else _ignored(call, row) if not row.raises else None
        if fate is not None:
            yield LostWait(call, row, fate)


def _detached(call: Call, row: Waiter) -> Fate | None:
    """`gather(…)` without await: the future that it gives is lost."""
    file = call.file
    if call.is_awaited or not call.node.args:
        return None
    if row.returns_exceptions and call.keyword(row.returns_exceptions) is not None:
        return None
    given = [arg.value for arg in call.node.args if arg.keyword is None]
    if not any(arg.star for arg in call.node.args) and all(_harmless(file, value) for value in given):
        return None
    if leaf(call.node.func) == "shield" and any(_is_held(file, value) for value in given):
        return None
    return fate_of(file, call.node)


def _is_held(file: File, value: cst.BaseExpression) -> bool:
    """Tell whether a shielded task has a name of its own, by which it may be read."""
    return isinstance(value, (cst.Name, cst.Attribute))


def _harmless(file: File, value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.Call) and (started := started_by(file.call(value))) is not None:
        return started.escape() is None
    return handling.coroutine_escape(file, value) is None


def _ignored(call: Call, row: Waiter) -> Fate | None:
    """`await wait(tasks)` without a look at the tasks or at what it gives."""
    file = call.file
    given = call.arg(0, "fs")
    if given is None or not _result_ignored(call, row):
        return None
    if isinstance(given, cst.Call) and leaf(given.func) in {"list", "set", "tuple"} and len(given.args) == 1:
        given = given.args[0].value
    if isinstance(given, cst.Name):
        fate = name_fate(file, given, call.node, contained=True)
        return fate if fate is not None and _any_can_raise(file, given) else None
    if isinstance(given, (cst.List, cst.Set, cst.Tuple)):
        found: Fate | None = None
        for element in given.elements:
            value = element.value
            if isinstance(value, cst.Name):
                fate = name_fate(file, value, call.node, contained=False)
                started = [s for s in map(started_by, _made(file, value)) if s is not None]
                raises = bool(started) and any(s.escape() is not None for s in started)
            elif isinstance(value, cst.Call) and (task := started_by(file.call(value))) is not None:
                fate, raises = Fate("waited"), task.escape() is not None
            else:
                return None
            if fate is None:
                return None
            found = (found or fate) if raises else found
        return found
    if isinstance(given, (cst.ListComp, cst.SetComp)) and isinstance(given.elt, cst.Call):
        task = started_by(file.call(given.elt))
        return Fate("waited") if task is not None and task.escape() is not None else None
    return None


def _result_ignored(call: Call, row: Waiter) -> bool:
    file = call.file
    outer = file.parent(call.node)
    if row.iterated:
        return isinstance(outer, cst.For) and outer.iter is call.node and not reads_loop_variable(file, outer)
    if isinstance(outer, cst.Await):
        outer = file.parent(outer)
    if isinstance(outer, cst.Expr):
        return True
    if not isinstance(outer, cst.Assign) or len(outer.targets) != 1 or call.function is None:
        return False
    target = outer.targets[0].target
    if isinstance(target, cst.Tuple) and target.elements:
        target = target.elements[0].value  # the done ones
    if not isinstance(target, cst.Name):
        return False
    names = [n for n in all_nodes(call.function.node.body) if isinstance(n, cst.Name) and n.value == target.value]
    return len(names) == 1 and "." not in target.value


def _made(file: File, name: cst.Name) -> list[Call]:
    found = file.lookup(name.value, name)
    values = [getattr(binding, "value", None) for binding in found.bindings] if found is not None else []
    return [file.call(value) for value in values if isinstance(value, cst.Call)]


def _any_can_raise(file: File, name: cst.Name) -> bool:
    """Tell whether a task that goes into a local container can raise."""
    function = file.function_of(name)
    if function is None:
        return False
    found = False
    for node in all_nodes(function.node.body):
        if isinstance(node, cst.Call) and (task := started_by(file.call(node))) is not None:
            found = found or task.escape() is not None
    return found
