"""Closing an async session builds a coroutine; unless somebody awaits it, nothing is closed."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.closing import is_dropped, lost_close
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report closes that are async by the type of what they close, and dropped."""
    for call in file.calls():
        if call.method is None or not is_dropped(call):
            continue
        lost = lost_close(call)
        if lost is None:
            continue
        message = f"{call.text} makes a coroutine that nobody awaits: {lost.what} stays open"
        yield file.finding(call.node, message, fix=await_it(file, call), related=lost.related)


def await_it(file: File, call: Call) -> Fix | None:
    """Return the fix: await it; a sync caller needs a loop, and that choice is a person's."""
    if not call.in_async_function:
        return None
    return file.replace(call.node, f"await {file.code(call.node)}", "Await the close")
