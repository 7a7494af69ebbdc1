"""A route behind one with a parameter, or behind a mount, that answers all of its requests first."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.semantic import shadows
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report routes that never run because an earlier, wider one is asked first."""
    for shadow in shadows.shadows(file):
        if not shadow.same:
            hidden, by = shadow.hidden, shadow.by
            place = hidden.trail[0]
            what = "mount" if by.last.row.kind == "mount" else "route"
            yield file.finding(
                place.node,
                f'"{shadows.said(hidden)}" never runs: the {what} "{shadows.said(by)}", registered before it, answers',
                consequence="The first one that matches is taken, and nothing is tried after it.",
                related=[step.file.related(step.node, text) for step, text in shadows.places(shadow)],
            )
