"""A blocking call in a coroutine, most of all behind a harmless name, stops everything else on the loop."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import Blocking, ThreadEntry
from pitfall_lint.semantic.blocking import wait_of
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.solitude import is_alone, is_first, is_last


def check(file: File) -> Iterator[Finding]:
    """Report calls in coroutines that block, themselves (strict) or through the functions that they call."""
    for function in file.functions():
        if not function.is_async:
            continue
        for call in function.calls():
            wait, strict = wait_of(call), False
            if wait is None and file.strict_too:
                wait, strict = wait_of(call, strict=True, depth=1), True
            if wait is None:
                continue
            strict = strict or len(wait.calls) == 1 or _is_harmless(function, call)
            if strict and not file.strict_too:
                continue
            if len(wait.calls) == 1:
                message = f"{call.text} {wait.row.waits}; the event loop does nothing else meanwhile"
            else:
                message = f"{call.text} blocks the event loop: {wait.blocking.text} in it {wait.row.waits}"
            fix = awaiting_instead(file, call, wait.row) if len(wait.calls) == 1 else None
            fix = fix or in_a_thread(file, call)
            yield file.finding(call.node, message, fix=fix, related=wait.related, strict=strict)


def _is_harmless(function: Function, call: Call) -> bool:
    """Tell whether there is nothing on the loop that would have to wait."""
    return is_alone(function) or is_first(call) or is_last(call)


def awaiting_instead(file: File, call: Call, row: Blocking) -> Fix | None:
    """Return the fix for a call that has a coroutine function of the same arguments."""
    module, _, leaf = row.instead.rpartition(".")
    if not module or call.is_awaited:
        return None
    name, imports = file.edit_import(module)
    args = ", ".join(file.code(arg).strip().rstrip(",") for arg in call.node.args)
    new = f"await {name}.{leaf}({args})"
    return file.edits(f"Await {name}.{leaf}", file.edit_replace(call.node, new), imports)


def in_a_thread(file: File, call: Call) -> Fix | None:
    """Return the fix: the call runs on a thread and is awaited."""
    for row in file.libraries.rows(ThreadEntry):
        module, _, leaf = row.call.rpartition(".")
        if row.awaitable and row.function == ("0|func",) and module == row.library and not call.is_awaited:
            name, imports = file.edit_import(module)
            args = "".join(f", {file.code(arg).strip().rstrip(',')}" for arg in call.node.args)
            new = f"await {name}.{leaf}({file.code(call.node.func)}{args})"
            if getattr(file.parent(call.node), "value", None) is call.node and hasattr(file.parent(call.node), "attr"):
                new = f"({new})"
            return file.edits("Run it in a thread", file.edit_replace(call.node, new), imports)
    return None
