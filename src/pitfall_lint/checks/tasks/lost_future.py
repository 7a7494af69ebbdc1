"""A future whose exception vanishes: pools, other threads' loops, un-awaited `gather`, ignored `wait`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic.fate import Fate
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.keeping import await_it, keep_it
from pitfall_lint.semantic.tasks import Started, coroutine_text, raised_at, started
from pitfall_lint.semantic.waiting import LostWait, in_shutdown, lost_waits
from pitfall_lint.semantic.watcher import watch


def check(file: File) -> Iterator[Finding]:
    """Yield the futures and waits whose exceptions nobody sees."""
    for task in started(file):
        if not task.row.keeps and task.is_silent:
            yield from _started(task)
    for wait in lost_waits(file):
        yield _waited(file, wait)


def _started(task: Started) -> Iterator[Finding]:
    fate = task.fate()
    escape = task.escape() if fate is not None else None
    if fate is None or escape is None:
        return
    strict = escape.expected or escape.unknown or fate.perhaps or task.by_name or in_shutdown(task.call)
    if strict and not task.call.file.strict_too:
        return
    what = coroutine_text(task.file, task.coroutine) if task.function is None else task.file.text(task.function)
    yield task.call.file.finding(
        task.call.node,
        f"what `{what}` raises vanishes: {_how(fate)}",
        consequence="It is not even logged."
        if task.row.silent
        else 'At most "exception was never retrieved" is logged, late.',
        related=raised_at(task, escape),
        fixes=[keep_it(task, "future"), await_it(task)] if _is_one(task) else (),
        strict=strict,
    )


def _is_one(task: Started) -> bool:
    return not task.row.call.endswith(".map") and not task.guessed


def _how(fate: Fate) -> str:
    if fate.how == "kept":
        return f"`{fate.where}` keeps its future, but never reads it"
    if fate.how == "callback":
        return f"the callback `{fate.where}` never asks for the exception"
    if fate.how == "cancelled":
        return f"`{fate.where}` is only ever cancelled"
    return "its future is never asked for the result" if fate.how == "unread" else "its future is dropped"


def _waited(file: File, wait: LostWait) -> Finding:
    text = wait.call.text
    if wait.row.detaches:
        keeping = watch(file, wait.call.node, "Keep the future and log what it raises")
        fixes: list[Fix | None] = [keeping] if wait.fate.how != "used" else []
        if wait.call.in_async_function and (
            wait.fate.how == "used" or isinstance(file.parent(wait.call.node), cst.Expr)
        ):
            fixes.insert(0, file.replace(wait.call.node, f"await {file.code(wait.call.node)}", "Await it"))
        follows = "it is a future, not the results" if wait.fate.how == "used" else "what its tasks raise is lost"
        message = f"`{text}` is not awaited: {follows}"
        return file.finding(wait.call.node, message, fixes=fixes)
    return file.finding(
        wait.call.node,
        f"`{text}` raises nothing, and nobody asks its tasks: what they raise is lost",
        consequence="It only waits; read the done ones with result(), or await them.",
        strict=wait.unknown or wait.fate.perhaps or in_shutdown(wait.call),
    )
