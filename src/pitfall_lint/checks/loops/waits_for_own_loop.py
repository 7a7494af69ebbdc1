"""Waiting on the loop's own thread for what only that loop can do never ends."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix, Related
from pitfall_lint.libraries.loops import LoopWait, RunsLoop
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.guards import knows_loops, on_loop
from pitfall_lint.semantic.loops import asked_by, is_made_here, waits_on
from pitfall_lint.semantic.threads import ways


def check(file: File) -> Iterator[Finding]:
    """Report blocking waits for a coroutine that was handed to the loop of the thread that waits."""
    for call, row in file.calls_to(LoopWait):
        loop = call.where(row.loop)
        if loop is None or call.function is None or is_made_here(file, loop):
            continue
        for waiting in waits_on(call, row):
            found = reason(call, loop)
            if found is None:
                continue
            message, related, strict = found
            fix = await_it(file, call, row, waiting)
            yield file.finding(waiting, message, related=related, strict=strict, fix=fix)


def reason(call: Call, loop: cst.BaseExpression) -> tuple[str, tuple[Related, ...], bool] | None:
    """Return what to say of a wait: (message, related places, strict); None when all may be well."""
    function = call.function
    assert function is not None
    owners = asked_by(call.file, loop)
    name = call.file.text(loop)
    if owners and all(owner is function for owner in owners):
        may_run_elsewhere = not function.is_async and runs_forever(call)
        return f"waits for {name}, the loop of this very thread: it never returns", (), may_run_elsewhere
    if owners and all(owner is not None and owner.is_async for owner in owners) and not knows_loops(function):
        if function.is_async:
            return f"waits in a coroutine for {name}, the loop that runs it: it never returns", (), False
        if (way := on_loop(call)) is not None:
            return (
                f"waits for {name}, and is reached from a coroutine on that loop: it never returns",
                way.related,
                False,
            )
    if knows_loops(function):
        return None
    if function.is_async:
        return f"blocks the loop of this coroutine; if that is {name}, it never returns", (), True
    known = ways(function)
    if not owners and not any(way.runs_on == "thread" for way in known) and function.name != "<lambda>":
        return (
            f"never returns when this runs on the thread of {name}; nothing here asks for the thread",
            (),
            True,
        )
    return None


def runs_forever(call: Call) -> bool:
    """Tell whether the file speaks of a loop that runs for good, perhaps this one, on another thread."""
    rows = call.file.libraries.rows(RunsLoop)
    words = {row.call.rpartition(".")[2] for row in rows if not row.coroutine and not row.new_loop}
    return any(word.encode() in call.file.source.data for word in words)


def await_it(file: File, call: Call, row: LoopWait, waiting: cst.Call) -> Fix | None:
    """Return the fix: the coroutine is awaited, where that is possible."""
    coroutine = call.where(row.coroutine)
    inside = isinstance(waiting.func, cst.Attribute) and waiting.func.value is call.node
    if not call.in_async_function or coroutine is None or not inside:
        return None
    return file.replace(waiting, f"await {file.code(coroutine)}", "Await the coroutine")
