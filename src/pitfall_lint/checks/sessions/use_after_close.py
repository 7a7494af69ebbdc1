"""A closed client refuses to work: whoever uses it afterwards gets an exception."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.lifecycle import late_uses


def check(file: File) -> Iterator[Finding]:
    """Report uses of what some path, which no condition rules out, has closed before."""
    for function in file.functions():
        for late in late_uses(function):
            line = file.source.position(file.span(late.closed_at).start)[0]
            use = file.call(late.use)
            when = "is closed" if late.always else "can be closed"
            error = late.error.rstrip(".")
            message = f"{use.text} runs after the {late.resource.name} {when} in line {line}: {error}"
            yield file.finding(late.use, message, related=[file.related(late.closed_at, "closed here")])
