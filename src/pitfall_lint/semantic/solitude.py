"""Coroutines that are alone on their loop: what only a runner of a new loop runs, and what its start and end are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from keyword import iskeyword
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.loops import RunsLoop
from pitfall_lint.libraries.tasks import Spawn, Waiter
from pitfall_lint.semantic.audience import is_test
from pitfall_lint.semantic.calls import param_of, uses
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.lifetimes import runs_of
from pitfall_lint.semantic.loops import is_made_here
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_DEPTH = 4
_MANY = 60
"""Functions behind a run of which nobody looks at more."""


def is_alone(function: Function) -> bool:
    """Tell whether a coroutine function is only run as a program of its own, with nothing beside it; a test is."""
    file = function.file
    if is_test(file):
        return True  # a test's runner gives it a loop, and waits
    roots = _roots(function, _DEPTH)
    if not roots:
        return False
    words = file.libraries.leaves(Spawn) | file.libraries.leaves(Waiter)
    spoken = {word.decode() for word in re.findall(rb"[A-Za-z_]\w*", file.source.data) if word.isascii()}
    if roots == {function} and not any(word in spoken and not iskeyword(word) for word in words):
        return True
    if any(each.class_ is not None and not each.name.startswith("_") for each in (function, *roots)):
        return False  # others may await a public method
    behind = list(_behind(roots))
    return len(behind) < _MANY and not any(_starts_more(each) for each in behind)


def _roots(function: Function, depth: int) -> set[Function]:
    """Return the coroutine functions by which new loops come to this one, awaited all the way; () if others may."""
    if _is_only_run(function):
        return {function}
    found: set[Function] = set()
    for use in uses(function) if depth else ():
        outer = function.file.parent(use)
        call = function.file.call(outer) if isinstance(outer, cst.Call) and outer.func is use else None
        if call is None or not call.is_awaited or call.function is None or not call.function.is_async:
            return set()
        further = _roots(call.function, depth - 1) if call.function is not function else set()
        if not further:
            return set()
        found |= further
    return found


def _behind(roots: set[Function]) -> Iterator[Function]:
    """Yield what runs come to, as far as that can be told, up to a number."""
    pending, seen = list(roots), set(roots)
    while pending and len(seen) < _MANY:
        function = pending.pop()
        for node in all_nodes(function.node.body):
            target = function.file.call(node).target if isinstance(node, cst.Call) else None
            if isinstance(target, Function) and target not in seen:
                seen.add(target)
                pending.append(target)
    yield from seen


def _starts_more(function: Function) -> bool:
    """Tell whether a function may have something run beside it; what it awaits and nobody knows may."""
    file = function.file
    calls = [file.call(node) for node in all_nodes(function.node.body) if isinstance(node, cst.Call)]
    if any(call.is_awaited and call.target is None and call.name is None for call in calls):
        return True
    return function.may_use(file.libraries.leaves(Spawn) | file.libraries.leaves(Waiter)) and any(
        file.rows_of_call(call, Spawn)
        or call.method in {row.call.rpartition(".")[2] for row in file.libraries.rows(Spawn)}
        or any(not row.single for row in file.rows_of_call(call, Waiter))
        for call in calls
    )


def is_last(call: Call) -> bool:
    """Tell whether a call belongs to the end of a coroutine that only runners of new loops run: nothing is awaited
    behind it any more."""
    function, file = call.function, call.file
    if function is None or not function.is_async or not _is_only_run(function):
        return False
    if file.enclosing(call.node, cst.Finally) is None or file.enclosing(call.node, cst.For, cst.While) is not None:
        return False
    around = [outer for outer in file.ancestors(call.node) if getattr(outer, "asynchronous", None) is not None]
    start = file.span(call.node).start
    waits = [node for node in function.nodes(cst.Await, cst.For, cst.With) if file.span(node).start > start]
    later = [node for node in waits if isinstance(node, cst.Await) or getattr(node, "asynchronous", None) is not None]
    return not later and all(outer is function.node for outer in around)


def _is_only_run(function: Function) -> bool:
    """Tell whether nothing but runners of new loops uses a coroutine function."""
    own = [run for run in runs_of(function.file) if run.coroutine is function]
    kept = [use for use in uses(function) if not _is_run_on_new_loop(function.file, use)]
    if len(kept) < len(uses(function)) and not kept:
        return True
    return bool(own or _is_run_by_decorator(function)) and len(uses(function)) <= len(own)


def _is_run_on_new_loop(file: File, use: cst.CSTNode) -> bool:
    """Tell whether a use of a coroutine function is `loop.run_until_complete(f())`, on a loop that is made for it, or
    `run(f())` with a function of the project that does so."""
    made = file.parent(use)
    arg = file.parent(made) if isinstance(made, cst.Call) and made.func is use else None
    outer = file.parent(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(outer, cst.Call):
        return False
    call = file.call(outer)
    runs = any(row.coroutine and not row.new_loop for row in file.rows_of_call(call, RunsLoop))
    if runs and call.receiver is not None and is_made_here(file, call.receiver):
        return True
    target = call.target
    param = param_of(target, call, made) if isinstance(target, Function) and isinstance(made, cst.Call) else None
    return param is not None and isinstance(target, Function) and _runs_on_new_loop(target, param.name)


def _runs_on_new_loop(function: Function, name: str) -> bool:
    """Tell whether a plain function runs the coroutine that it is given by a name on a new loop."""
    for call in () if function.is_async else function.calls():
        for row in function.file.rows_of_call(call, RunsLoop):
            given = call.where(row.coroutine) if row.coroutine and row.new_loop else None
            if isinstance(given, cst.Name) and given.value == name:
                return True
    return False


def is_first(call: Call) -> bool:
    """Tell whether a call comes before a coroutine, which only runners of new loops run, first gives up the loop."""
    function, file = call.function, call.file
    if function is None or not function.is_async or not _is_only_run(function):
        return False
    if file.enclosing(call.node, cst.For, cst.While, cst.ListComp, cst.GeneratorExp) is not None:
        return False
    start = file.span(call.node).start
    before = [
        node for node in function.nodes(cst.Await, cst.For, cst.With, cst.CompFor) if file.span(node).start < start
    ]
    if any(isinstance(node, cst.Await) or getattr(node, "asynchronous", None) is not None for node in before):
        return False
    started = [other for other in function.calls() if file.span(other.node).start < start]
    return not any(file.rows_of_call(other, Spawn) or file.rows_of_call(other, Waiter) for other in started)


def _is_run_by_decorator(function: Function) -> bool:
    """Tell whether a decorator of the project makes a plain function of it that runs it on a new loop."""
    for expression in function.decorators:
        decorator = function.file.definition(expression)
        if not isinstance(decorator, Function) or not decorator.params:
            continue
        for node in all_nodes(decorator.node.body):
            call = decorator.file.call(node) if isinstance(node, cst.Call) else None
            for row in decorator.file.rows_of_call(call, RunsLoop) if call is not None else ():
                given = call.where(row.coroutine) if call is not None and row.coroutine else None
                if isinstance(given, cst.Call) and decorator.file.text(given.func) == decorator.params[0].name:
                    return True
    return False
