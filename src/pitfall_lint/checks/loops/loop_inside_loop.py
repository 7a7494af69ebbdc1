"""A thread runs one event loop at a time: starting another inside a coroutine raises."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import NeedsLoop, RunsLoop
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.calls import leads_to, runs
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.guards import is_guarded, knows_loops, may_leave_before, on_loop, stands_in_a_test
from pitfall_lint.semantic.threads import entries, ways
from pitfall_lint.semantic.values import Instance


def check(file: File) -> Iterator[Finding]:
    """Report runners of event loops in coroutines, and in functions that coroutines call."""
    for call, row in file.calls_to(RunsLoop):
        if row.patched_by and row.patched_by.encode() in file.source.data:
            continue
        if call.in_async_function:
            if not is_guarded(file, call.node, ("RuntimeError",)):
                message = f"{call.text} in a coroutine raises {row.raises}"
                yield file.finding(call.node, message, fix=await_it(file, call, row))
        elif runs_the_running(call):
            if not is_guarded(file, call.node, ("RuntimeError",)):
                yield file.finding(
                    call.node, f"{call.text} always raises RuntimeError: This event loop is already running"
                )
        elif call.function is not None and (way := on_loop(call)) is not None:
            message = f"{call.text} is reached from a coroutine, where it raises {row.raises}"
            yield file.finding(call.node, message, related=way.related)
        elif row.coroutine and file.strict_too and may_be_in_a_loop(call):
            message = f"{call.text} in a function that asks for no running loop: from a coroutine, {row.raises}"
            yield file.finding(call.node, message, strict=True)
    yield from elsewhere(file)


def elsewhere(file: File) -> Iterator[Finding]:
    """Report calls of coroutines that lead to the runner of a loop in another module."""
    for function in file.functions():
        for call in function.calls() if function.is_async else ():
            target = runs(call)
            if target is None or is_guarded(file, call.node, ("RuntimeError",)):
                continue
            chain = leads_to(target, RunsLoop, runs_unguarded, lambda passed: not knows_loops(passed))
            if chain and chain[-1].file is not file and not any(map(may_leave_before, chain)):
                row = file.rows_of_call(chain[-1], RunsLoop)[0]
                message = f"{call.text} in a coroutine leads to {chain[-1].text}: {row.raises}"
                related = [step.file.related(step.node, f"by {step.text} here") for step in chain]
                yield file.finding(call.node, message, related=related)


def runs_unguarded(call: Call) -> bool:
    """Tell whether a call runs a loop, and nothing in its function asks for a running one or catches."""
    rows = call.file.rows_of_call(call, RunsLoop)
    if not rows or call.function is None or any(way.runs_on == "thread" for way in entries(call.function)):
        return False
    if rows[0].patched_by and rows[0].patched_by.encode() in call.file.source.data:
        return False
    return not is_guarded(call.file, call.node, ("RuntimeError",)) and not knows_loops(call.function)


def may_be_in_a_loop(call: Call) -> bool:
    """Tell whether a runner stands where a coroutine may come to call it: no main, no thread's target."""
    function = call.function
    if function is None or not runs_unguarded(call) or stands_in_a_test(call):
        return False
    if function.name in {"main", "<lambda>"} or any(way.runs_on == "thread" for way in ways(function)):
        return False
    return b"__main__" not in call.file.source.data


def runs_the_running(call: Call) -> bool:
    """Tell whether the loop that is run is the one that was asked for as the running one."""
    if call.receiver is None or (call.function is not None and knows_loops(call.function)):
        return False
    values = call.file.values_of(call.receiver)
    return bool(values) and all(
        isinstance(value, Instance)
        and value.file is not None
        and value.origin is not None
        and value.file.function_of(value.origin) is call.function  # later it may have stopped
        and (name := value.file.qualified_name(getattr(value.origin, "func", call.node))) is not None
        and (row := call.file.libraries.find(NeedsLoop, name)) is not None
        and row.loop == "running"
        for value in values
    )


def await_it(file: File, call: Call, row: RunsLoop) -> Fix | None:
    """Return the fix: the coroutine that was to be run is awaited instead."""
    if call.has_star:
        return None
    if row.coroutine and (coroutine := call.where(row.coroutine)) is not None:
        return file.replace(
            call.node,
            f"(await {file.code(coroutine)})" if needs_parentheses(file, call) else f"await {file.code(coroutine)}",
            "Await the coroutine",
        )
    if row.instead:
        module = row.call.rpartition(".")[0]
        name, imports = file.edit_import(module)
        inside = ", ".join(file.code(arg).rstrip(", ") for arg in call.node.args)
        new = "await " + row.instead.format(module=name, args=inside)
        return file.edits("Serve on the loop that is running", file.edit_replace(call.node, new), imports)
    return None


def needs_parentheses(file: File, call: Call) -> bool:
    """Tell whether something binds to the call's result more tightly than `await` does."""
    outer = file.parent(call.node)
    if isinstance(outer, cst.Attribute):
        return outer.value is call.node
    return isinstance(outer, cst.Subscript) or (isinstance(outer, cst.Call) and outer.func is call.node)
