"""A close that stands behind the work runs only when the work succeeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic.audience import for_users
from pitfall_lint.semantic.edits import indentation
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.leaks import Local, dead_closes, local_leaks


def check(file: File) -> Iterator[Finding]:
    """Report sessions that are closed on some paths only, and closes that no failure can reach."""
    for function in file.functions():
        for local in local_leaks(function):
            if local.closes and (finding := skipped(file, local)) is not None:
                yield finding
        for dead in dead_closes(function):
            guard = file.text(dead.test.test)
            message = f"`{guard}` is false whenever {file.call(dead.work).text} fails, so {dead.subject} stays open"
            yield file.finding(
                dead.test, message, until=dead.test.test, related=[file.related(dead.work, "fails here")]
            )


def skipped(file: File, local: Local) -> Finding | None:
    """Return the finding for a close that some path leaves out."""
    strict = local.resource.row.leaks == "strict" or local.handed_on or "raise" not in local.open_at
    if strict and not file.strict_too:
        return None
    close = local.closes[0]
    line = file.source.position(file.span(close).start)[0]
    place: cst.CSTNode = local.call.node
    only_failing = all(file.enclosing(one, cst.ExceptHandler) is not None for one in local.closes)
    if local.open_at & {"end", "return"} and only_failing and not local.handed_on:
        place, close = close, local.call.node
        made = file.source.position(file.span(close).start)[0]
        message = f"closes the {local.resource.name} of line {made} only when the work fails: else it stays open"
    elif local.open_at & {"end", "return"}:
        message = f"not every path closes this {local.resource.name}: the close in line {line} is left out"
    elif "raise" in local.open_at:
        message = f"an error skips the close in line {line}: this {local.resource.name} stays open"
    else:
        message = f"a cancellation skips the close in line {line}: this {local.resource.name} stays open"
    finding = file.finding(
        place,
        message,
        fix=try_finally(file, local),
        related=[file.related(close, "closed here")],
        consequence=f"What shows: {local.resource.row.leaks_when}." if local.resource.row.leaks_when else "",
    )
    return for_users(file, replace(finding, strict=strict))


def try_finally(file: File, local: Local) -> Fix | None:
    """Return the fix: the work goes into `try`, the close that stands behind it into `finally`."""
    close, made = local.closes[0], file.parent(local.call.statement)
    line = file.parent(close)
    block = file.parent(made) if made is not None else None
    if (
        not isinstance(block, cst.IndentedBlock)
        or line is None
        or file.parent(line) is not block
        or len(local.closes) > 1
    ):
        return None
    statements = list(block.body)
    first, last = statements.index(made) + 1, statements.index(line)  # type: ignore[arg-type]
    tree = file.tree_of(close)
    if first >= last or tree is None or not isinstance(close, cst.Expr):
        return None
    inner = indentation(file, close) + tree.indent
    return file.edits(
        "Close it in finally",
        file.edit_wrap(inside(statements[first]), inside(statements[last - 1]), "try:"),
        file.edit_replace(close, f"finally:\n{inner}{awaited(file, close, local)}"),
    )


def awaited(file: File, close: cst.Expr, local: Local) -> str:
    """Return the code of a close, awaited where it has to be: in `finally` nobody would see what is missing."""
    code = file.code(close)
    if not isinstance(close.value, cst.Call):
        return code
    call = file.call(close.value)
    return f"await {code}" if call.in_async_function and local.resource.closes.get(call.method or "") else code


def inside(statement: cst.CSTNode) -> cst.CSTNode:
    """Return the small statement of a line, or the compound statement itself."""
    return statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else statement
