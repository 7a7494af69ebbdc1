"""A task is started and nobody can ever see the exception that ends it."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.fate import Fate
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.handover import at_the_very_end
from pitfall_lint.semantic.keeping import await_it, group_it, keep_it
from pitfall_lint.semantic.tasks import coroutine_text, raised_at, started


def check(file: File) -> Iterator[Finding]:
    """Yield the tasks whose exception nobody can see."""
    for task in started(file):
        if task.row.keeps or task.is_silent:
            continue  # a group hands exceptions on; pools and other threads: lost-future
        fate = task.fate()
        if fate is None:
            continue
        escape = task.escape()
        if escape is None:
            continue
        strict = escape.expected or fate.perhaps or at_the_very_end(task.call)
        if strict and not file.strict_too:
            continue
        what = coroutine_text(task.file, task.coroutine or task.function)
        yield file.finding(
            task.call.node,
            f"nobody can see what `{what}` raises: {_how(fate)}",
            consequence='At most "Task exception was never retrieved" is logged, when the task is garbage-collected.',
            related=raised_at(task, escape),
            fixes=[keep_it(task), await_it(task), group_it(task)],
            strict=strict,
        )


def _how(fate: Fate) -> str:
    return {
        "dropped": "its task is dropped",
        "unread": f"`{fate.where}` is never awaited or asked" if fate.where else "its task is never awaited or asked",
        "kept": f"`{fate.where}` keeps its task, but never reads it",
        "callback": f"the callback `{fate.where}` never asks its task for the exception",
        "cancelled": f"`{fate.where}` is only ever cancelled",
        "scheduled": f"`{fate.where}` drops the task",
    }.get(fate.how, "its task is dropped")
