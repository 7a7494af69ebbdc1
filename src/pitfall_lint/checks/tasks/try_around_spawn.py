"""A `try` around a spawn: its handlers can never see what the task raises."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic import handling
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.tasks import Started, coroutine_text, started, swallowing_try
from pitfall_lint.semantic.watcher import watch


def check(file: File) -> Iterator[Finding]:
    """Yield the spawns inside a `try` that cannot see their errors."""
    for task in started(file):
        around = swallowing_try(task)
        if around is None:
            continue
        handler = around.handlers[0]
        what = coroutine_text(task.file, task.coroutine or task.function)
        clause = f"except {file.text(handler.type)}" if handler.type is not None else "except"
        yield file.finding(
            task.call.node,
            f"`{clause}` can never see what `{what}` raises: the task runs after this `try` is left",
            consequence="An error in it skips the handlers and ends unseen, together with the task.",
            related=[file.related(handler, "never runs for an error of the task")],
            fixes=_fixes(task),
        )


def _fixes(task: Started) -> list[Fix]:
    file, node, coroutine = task.call.file, task.call.node, task.coroutine
    fixes = []
    if isinstance(file.parent(node), cst.Expr) and task.call.in_async_function and coroutine is not None:
        if task.call.file is task.file and not handling.runs_forever(file, coroutine):
            fixes.append(
                file.replace(node, f"await {file.code(coroutine)}", "Await it, so that the handlers see its errors")
            )
    return [*fixes, watch(file, node, "Keep the task and log what it raises")]
