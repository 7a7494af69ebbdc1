"""A done-callback that raises when its task was cancelled."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic.callbacks import DoneCallback, breaking_reads, done_callbacks
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Yield the done-callbacks that raise for a cancelled task."""
    seen = set()
    for callback in done_callbacks(file):
        for read in breaking_reads(callback):
            if read in seen:
                break
            seen.add(read)
            inside = callback.function.file
            text = inside.call(read).text
            message = f"`{text}` raises CancelledError when the task was cancelled, and the callback breaks off"
            consequence = 'The loop logs "Exception in callback", and the rest of the callback does not run.'
            if inside is file:
                related = [file.related(callback.registration.node, "registered here")]
                yield file.finding(read, message, related=related, consequence=consequence, fix=_guard(callback, read))
            else:
                related = [inside.related(read, "raises when the task was cancelled")]
                yield file.finding(callback.registration.node, message, related=related, consequence=consequence)
            break


def _guard(callback: DoneCallback, read: cst.Call) -> Fix | None:
    file = callback.function.file
    task, text = callback.param, file.code(read)
    outer = file.parent(read)
    handled = file.enclosing(read, cst.Try)
    if isinstance(outer, cst.Lambda):
        return file.replace(read, f"None if {task}.cancelled() else {text}", "Ask only when it was not cancelled")
    if (
        handled is not None
        and handled.handlers
        and file.parent(file.parent(file.statement_of(read)) or read) is handled.body
    ):
        return _widen(file, handled)
    if isinstance(read.func, cst.Attribute) and read.func.attr.value != "exception":
        statement = file.statement_of(read)
        if isinstance(file.parent(statement), (cst.SimpleStatementLine, cst.IndentedBlock)):
            guard = f"if {task}.cancelled():\n    return"
            return file.edits("Return when it was cancelled", file.edit_insert_before(statement, guard))
        return None
    if isinstance(outer, (cst.If, cst.While)):
        return file.replace(read, f"not {task}.cancelled() and {text}", "Ask only when it was not cancelled")
    asked = f"None if {task}.cancelled() else {text}"
    bare = isinstance(outer, (cst.Assign, cst.AnnAssign, cst.NamedExpr, cst.Arg, cst.Return))
    return file.replace(read, asked if bare else f"({asked})", "Ask only when it was not cancelled")


def _widen(file: File, around: cst.Try) -> Fix | None:
    """Let the clause that takes Exception take CancelledError as well."""
    for handler in around.handlers:
        if isinstance(handler.type, cst.Name) and handler.type.value == "Exception":
            name, imports = file.edit_import("asyncio")
            edit = file.edit_replace(handler.type, f"({name}.CancelledError, Exception)")
            return file.edits("Take CancelledError as well", edit, imports)
    return None
