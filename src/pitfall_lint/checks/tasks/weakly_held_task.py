"""A task that handles its own errors, but that nothing strong refers to."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.fate import Fate
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.keeping import await_it
from pitfall_lint.semantic.tasks import Started, coroutine_text, started
from pitfall_lint.semantic.watcher import watch


def check(file: File) -> Iterator[Finding]:
    """Yield the tasks that nothing strong refers to."""
    for task in started(file):
        if task.row.keeps or task.is_silent or task.held:
            continue
        fate = task.fate()
        how = _weak(task, fate) if fate is not None and not (fate.holds or fate.perhaps) else None
        strict = fate is not None and (fate.how == "unread" or (fate.how == "dropped" and task.helper is None))
        if how is None or (strict and not file.strict_too) or task.escape() is not None:
            continue
        yield file.finding(
            task.call.node,
            f"nothing holds the task of `{coroutine_text(task.file, task.coroutine or task.function)}`: {how}",
            consequence="The loop refers to it weakly, so it may be collected before it is done.",
            related=[task.helper.file.related(task.helper.node, "gives the task back")] if task.helper else [],
            fixes=[watch(file, task.call.node, "Keep the task until it is done"), await_it(task)],
            strict=strict,
        )


def _weak(task: Started, fate: Fate) -> str | None:
    """Return why a task is held only weakly; None where nobody pretends to hold it, or where that is long enough."""
    if fate.how == "dropped":
        return (
            f"`{task.call.text}` gives it back and here it is dropped" if task.helper is not None else "it is dropped"
        )
    if fate.how not in {"kept", "unread"} or _goes_on(task):
        return None
    if fate.how == "unread":
        return "its name ends with the function" if fate.where and "." not in fate.where else None
    weakly = "." in fate.where or fate.where.startswith("_")
    return f"`{fate.where}` refers to it weakly" if weakly else f"`{fate.where}` ends with the function"


def _goes_on(task: Started) -> bool:
    """Tell whether the function waits for something after the spawn, and its names live on meanwhile."""
    function, file = task.call.function, task.call.file
    if function is None:
        return True
    waits = (cst.Await, cst.Yield, cst.For, cst.With, cst.While)
    seen = False
    for node in function.nodes():
        seen = seen or node is task.call.node
        asynchronous = isinstance(node, (cst.For, cst.With)) and node.asynchronous is not None
        if seen and isinstance(node, waits) and (asynchronous or isinstance(node, (cst.Await, cst.Yield, cst.While))):
            return True
    return any(isinstance(node, (cst.While, cst.With)) for node in file.ancestors(task.call.node)) and any(
        isinstance(node, (cst.Await, cst.Yield)) for node in function.nodes()
    )
