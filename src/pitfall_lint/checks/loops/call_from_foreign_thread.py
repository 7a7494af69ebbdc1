"""A loop and its objects belong to one thread; another one may only knock, with a `_threadsafe` call."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import LoopOnly, LoopWait
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.elsewhere import handed_elsewhere
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.guards import foreign_way, has_no_loop
from pitfall_lint.semantic.loops import asked_by, loop_in_reach, only_rows
from pitfall_lint.semantic.threads import is_callback, loop_ways


def check(file: File) -> Iterator[Finding]:
    """Report calls of a loop, and of its queues, events and futures, on another thread."""
    for call in file.calls():
        for row in only_rows(call):
            way = foreign_way(call)
            if way is None:
                if row.receiver_is_loop and file.strict_too and may_come_from_anywhere(call):
                    message = f"{call.text} in a callback: if that comes on another thread, {row.effect}"
                    yield file.finding(call.node, message, strict=True, fix=knock(file, call, row))
                break
            if is_asked_for_here(call, row):
                break  # a thread without a loop is told so there
            message = f"{call.text} is called on {way.where}, not on the loop's: {row.effect}"
            yield file.finding(call.node, message, related=way.related, fix=knock(file, call, row))
            break
    for found in handed_elsewhere(file, LoopOnly, is_only_for_loop, has_no_loop):
        row = only_rows(found.call)[0]
        message = f"{file.text(found.given)} runs on {found.thread} and comes to {found.call.text}: {row.effect}"
        yield file.finding(found.given, message, related=found.related)


def is_asked_for_here(call: Call, row: LoopOnly) -> bool:
    """Tell whether the loop of a call is asked for on the very thread that the call is made on."""
    if not row.receiver_is_loop or call.receiver is None:
        return False
    asked = asked_by(call.file, call.receiver)
    return bool(asked) and all(function is call.function for function in asked)


def may_come_from_anywhere(call: Call) -> bool:
    """Tell whether a call on a kept loop stands in a plain function that is given to others as a callback."""
    function = call.function
    if function is None or function.is_async or call.receiver is None or not has_no_loop(function):
        return False
    if isinstance(call.receiver, cst.Call) or any(True for _ in loop_ways(function)):
        return False
    return is_callback(function) or answers_a_library(function)


def answers_a_library(function: Function) -> bool:
    """Tell whether a method is one that a library's class announces things by: `on_…` below a base of a library."""
    bases = function.class_.mro() if function.class_ is not None and function.name.startswith("on_") else []
    return any(isinstance(base, str) and "." in base for base in bases)


def is_only_for_loop(call: Call) -> bool:
    """Tell whether a call belongs to the loop's thread."""
    return bool(only_rows(call))


def knock(file: File, call: Call, row: LoopOnly) -> Fix | None:
    """Return the fix: the same by `run_coroutine_threadsafe` or `call_soon_threadsafe`."""
    if call.receiver is None and not row.loop:
        return None
    if row.via == "coroutine" and isinstance(file.parent(call.node), cst.Arg):
        return None  # a task is wanted there, and this would give a future of another kind
    receiver = file.code(call.receiver) if call.receiver is not None else ""
    given = call.where(row.loop) if row.loop else None
    loop = file.code(given) if given is not None else receiver if row.receiver_is_loop else loop_in_reach(call)
    if loop is None:
        return None
    if row.via == "coroutine":
        waits = file.libraries.rows(LoopWait)
        coroutine = call.arg(0)
        if coroutine is None or not waits:
            return None
        module, _, leaf = waits[0].call.rpartition(".")
        name, imports = file.edit_import(module)
        new = f"{name}.{leaf}({file.code(coroutine)}, {loop})"
        return file.edits("Hand it to the loop's thread", file.edit_replace(call.node, new), imports)
    args = [file.code(arg).strip().rstrip(",") for arg in call.node.args]
    if row.call.endswith(".call_soon"):
        new = f"{loop}.call_soon_threadsafe({', '.join(args)})"
    else:
        if any(arg.keyword is not None for arg in call.node.args):
            return None
        new = f"{loop}.call_soon_threadsafe({', '.join([file.code(call.node.func), *args])})"
    return file.edits("Hand it to the loop's thread", file.edit_replace(call.node, new))
