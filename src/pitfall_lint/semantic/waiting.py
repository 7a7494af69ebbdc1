"""Calls that take several tasks: a `gather` that nobody awaits, a `wait` whose tasks nobody asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Waiter
from pitfall_lint.semantic import handling
from pitfall_lint.semantic.fate import Fate, fate_of, name_fate, reads_loop_variable
from pitfall_lint.semantic.handling import Escape
from pitfall_lint.semantic.handover import leaf
from pitfall_lint.semantic.misusing import misuse_of
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
    unknown: bool = False
    """Nothing that is waited for can be followed."""


def in_shutdown(call: Call) -> bool:
    """Tell whether a call stands in code that closes things, where errors of the closers are often left out."""
    function = call.function
    while function is not None:
        if _ENDS.search(function.name):
            return True
        function = function.parent
    return False


_ENDS = re.compile(
    r"(?:^|_)(?:close|stop|shutdown|cleanup|teardown|terminate|exit|aexit|del|disconnect|cancel|kill)(?:_|$)"
)


def lost_waits(file: File) -> Iterator[LostWait]:
    """Yield the waiting calls of the looked-at definitions after which an exception is lost."""
    for call, row in file.calls_to(Waiter):
        if row.detaches:
            found = _detached(call, row)
        else:
            found = None if row.raises else _ignored(call, row)
        if found is not None:
            yield found


def _detached(call: Call, row: Waiter) -> LostWait | None:
    """`gather(…)` without await: the future that it gives is lost."""
    file = call.file
    given = [arg.value for arg in call.node.args if arg.keyword is None]
    if call.is_awaited or not given:
        return None
    if row.returns_exceptions and call.keyword(row.returns_exceptions) is not None:
        return None
    if leaf(call.node.func) == "shield" and any(isinstance(value, (cst.Name, cst.Attribute)) for value in given):
        return None  # the shielded task has a name of its own, by which it may be read
    misuse = misuse_of(call)
    if misuse is not None and (misuse.how in {"iterated", "unpacked"} or misuse.detail == "[…]"):
        return LostWait(call, row, Fate("used"))
    if not any(_escape(file, value) for value in given):
        return None
    fate = fate_of(file, call.node)
    return LostWait(call, row, fate) if fate is not None else None


def _escape(file: File, value: cst.BaseExpression) -> Escape | None:
    """Return where an exception leaves a task, a coroutine, or those that a comprehension makes."""
    if isinstance(value, (cst.ListComp, cst.SetComp, cst.GeneratorExp)):
        value = value.elt
    if isinstance(value, cst.Call) and (task := started_by(file.call(value))) is not None:
        return task.escape()
    return handling.coroutine_escape(file, value)


def _ignored(call: Call, row: Waiter) -> LostWait | None:
    """`await wait(tasks)` without a look at the tasks or at what it gives."""
    file = call.file
    given = call.arg(0, "fs")
    if given is None or not _result_ignored(call, row):
        return None
    if isinstance(given, cst.Call) and leaf(given.func) in {"list", "set", "tuple"} and len(given.args) == 1:
        given = given.args[0].value
    fate: Fate | None = Fate("waited")
    escapes: list[Escape | None] = []
    if isinstance(given, cst.Name):
        fate = name_fate(file, given, call.node, contained=True)
        escapes = _escapes_around(file, given)
    elif isinstance(given, (cst.ListComp, cst.SetComp)) and isinstance(given.elt, cst.Call):
        task = started_by(file.call(given.elt))
        escapes = [task.escape()] if task is not None else []
    elif isinstance(given, (cst.List, cst.Set, cst.Tuple)):
        for element in given.elements:
            value = element.value
            if isinstance(value, cst.Name):
                fate = fate and name_fate(file, value, call.node, contained=False)
                escapes += [task.escape() for made in _made(file, value) if (task := started_by(made)) is not None]
            elif isinstance(value, cst.Call) and (task := started_by(file.call(value))) is not None:
                escapes.append(task.escape())
            else:
                return None
    raised = [escape for escape in escapes if escape is not None]
    if fate is None or not raised:
        return None
    return LostWait(call, row, fate, all(escape.unknown or escape.expected for escape in raised))


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
    target: cst.BaseExpression = outer.targets[0].target
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


def _escapes_around(file: File, name: cst.Name) -> list[Escape | None]:
    """Return where exceptions leave what the function around a local container starts."""
    function = file.function_of(name)
    if function is None:
        return []
    calls = [file.call(node) for node in all_nodes(function.node.body) if isinstance(node, cst.Call)]
    return [task.escape() for call in calls if (task := started_by(call)) is not None]
