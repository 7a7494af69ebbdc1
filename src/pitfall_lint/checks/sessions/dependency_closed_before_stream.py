"""FastAPI takes an injected session back before a streamed body is sent, in the versions of a whole year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.dependencies import taken_back
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.reinjecting import generator_depends, lives_longer


def check(file: File) -> Iterator[Finding]:
    """Report streamed bodies and background tasks that use a yield dependency's session."""
    for function in file.functions():
        for taken in taken_back(function):
            injected = taken.injected
            name = injected.param.name
            message = (
                f"{taken.by} needs {name} after the dependency {injected.function.name} has closed its"
                f" {injected.resource.name}"
            )
            related = [injected.function.file.related(injected.closed_at, "closed here, before the body is sent")]
            fixes = (lives_longer(function, injected), generator_depends(function, taken))
            finding = file.finding(taken.place, message, fixes=fixes, related=related)
            yield replace(finding, strict=not taken.certain)
