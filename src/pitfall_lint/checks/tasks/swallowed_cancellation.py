"""A handler in a loop takes CancelledError and goes on: the task cannot be cancelled."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Edit, Finding, Fix, Span
from pitfall_lint.semantic.cancelling import Swallower, is_swallowed, loops_for_ever, swallowers
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Yield the handlers that eat a cancellation."""
    for taker in swallowers(file):
        strict = taker.row.never or not loops_for_ever(file, taker)
        if (strict and not file.strict_too) or not is_swallowed(file, taker):
            continue
        yield file.finding(
            taker.node,
            f"`{_text(file, taker)}` eats the cancellation of this task: {_follows(taker)}",
            consequence="Whoever cancels it and waits for it waits for ever; timeouts around it have no effect.",
            until=taker.handler.type if taker.handler is not None else None,
            fix=_reraise(file, taker),
            strict=strict,
        )


def _follows(taker: Swallower) -> str:
    if taker.row.never:
        return "it must be raised again"
    return "the loop goes on"


def _text(file: File, taker: Swallower) -> str:
    if taker.handler is None:
        return file.text(taker.node)
    return f"except {file.text(taker.handler.type)}" if taker.handler.type is not None else "except"


def _reraise(file: File, taker: Swallower) -> Fix | None:
    handler = taker.handler
    if handler is None or not isinstance(handler.body, cst.IndentedBlock):
        return None
    if handler.type is None:
        behind = file.span(handler).start + len("except")
        return file.edits("Take only Exception", Edit(Span(behind, behind), " Exception"))
    if isinstance(handler.type, cst.Name) and handler.type.value == "BaseException":
        return file.replace(handler.type, "Exception", "Take only Exception")
    if isinstance(handler.type, cst.Tuple):
        return None
    last = handler.body.body[-1]
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    if isinstance(small, (cst.Pass, cst.Continue, cst.Return)):
        return file.replace(small, "raise", "Raise it again")
    return file.edits("Raise it again", file.edit_insert_after(small, "raise"))
