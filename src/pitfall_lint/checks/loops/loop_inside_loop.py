"""A thread runs one event loop at a time: starting another inside a coroutine raises."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import NeedsLoop, RunsLoop
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.guards import is_guarded, knows_loops, on_loop
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


def runs_the_running(call: Call) -> bool:
    """Tell whether the loop that is run is the one that was asked for as the running one."""
    if call.receiver is None or (call.function is not None and knows_loops(call.function)):
        return False
    values = call.file.values_of(call.receiver)
    return bool(values) and all(
        isinstance(value, Instance)
        and value.file is not None
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
            f"(await {file.code(coroutine)})"
            if needs_parentheses(file, call)
            else f"await {file.code(coroutine)}",
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
