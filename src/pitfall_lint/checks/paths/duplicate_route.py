"""The same path and method registered twice: one of the two never runs."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.semantic import shadows
from pitfall_lint.semantic.file import File

_SAYS = {
    "first": "this one never runs: the same path was registered before",
    "last": "the one before never runs: this one takes its place",
}


def check(file: File) -> Iterator[Finding]:
    """Report the second registration of a path for the same methods."""
    for shadow in shadows.shadows(file):
        if shadow.same:
            hidden, row = shadow.hidden, shadow.hidden.last.row
            yield file.finding(
                hidden.trail[0].node,
                f'"{shadows.said(hidden)}": {_SAYS.get(row.again, f"raises {row.again_says}")}',
                related=[step.file.related(step.node, text) for step, text in shadows.places(shadow)],
            )
