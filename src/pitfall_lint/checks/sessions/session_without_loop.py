"""Some sessions bind to the running event loop when they are made; at import there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pitfall_lint.finding import Finding
from pitfall_lint.libraries.sessions import Session
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report sessions that need a loop and are made at import, in a class body or in a sync constructor."""
    for call, row in file.calls_to(Session):
        if not row.needs_loop or call.keyword("loop") is not None:
            continue
        function = call.function
        if function is None:
            where = "in the class body" if file.class_of(call.node) is not None else "at import"
            message = f"{call.text} is made {where}, where no event loop runs: {row.needs_loop}"
            yield file.finding(call.node, message)
        elif function.name == "__init__" and function.is_method and not function.is_async:
            message = f"{call.text} in a sync constructor: without a running event loop {row.needs_loop}"
            yield replace(file.finding(call.node, message), strict=True)
