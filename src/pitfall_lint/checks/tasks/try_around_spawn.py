"""A `try` around a spawn: its handlers can never see what the task raises."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.handover import at_the_very_end
from pitfall_lint.semantic.keeping import await_it, group_it, keep_it
from pitfall_lint.semantic.tasks import coroutine_text, started, swallowing_try

_AWAIT = "Await it, so that the handlers see its errors"


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
            fixes=[await_it(task, _AWAIT), keep_it(task), group_it(task)],
            strict=at_the_very_end(task.call),
        )
