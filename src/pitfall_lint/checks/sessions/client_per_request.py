"""A client for each request pays for a new TLS handshake and pool each time."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.libraries.sessions import Route
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.ownership import made_by


def check(file: File) -> Iterator[Finding]:
    """Report clients that a route's handler makes."""
    for function in file.functions():
        names = [name for name in function.decorator_names if name is not None]
        if not any(file.libraries.find(Route, name) is not None for name in names):
            continue
        for call in function.calls():
            resource = made_by(call)
            if resource is not None and resource.row.kind == "client" and resource.row.uses and not resource.row.shared:
                message = f"{function.name} makes a {resource.label} for each request: its pool and TLS are thrown away"
                yield file.finding(call.node, message)
