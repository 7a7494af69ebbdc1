"""`__del__` runs when no loop may be left, on any thread: it is no place for an async close."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.closing import closes_async
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report async closes that `__del__` runs or schedules."""
    for function in file.functions():
        if function.name != "__del__" or not function.is_method:
            continue
        for call in function.calls():
            if closes_async(call):
                message = f"{call.text} in __del__: the loop may be closed or another thread's, so it may never run"
                yield file.finding(call.node, message)
                break
