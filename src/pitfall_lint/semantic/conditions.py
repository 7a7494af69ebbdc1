"""What a condition on a string says of its shapes: that it is set, how it starts or ends, what it equals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pitfall_lint.semantic.shapes import Shape, Shapes, literal


def when_true(shapes: Shapes) -> Shapes:
    """Return the alternatives that are not empty."""
    return tuple(
        replace(shape, parts=(replace(shape.hole, may_be_empty=False),)) if shape.hole is not None else shape
        for shape in shapes
        if shape.is_empty is not True
    )


def when_false(shapes: Shapes) -> Shapes:
    """Return what is left when the string is empty (or None)."""
    return (literal("", shapes[0].origin),) if any(shape.is_empty is not False for shape in shapes) else ()


def when_starts(shapes: Shapes, prefix: str, positive: bool) -> Shapes:
    """Return the alternatives that start (or don't) with a text."""
    return _when_edge(shapes, prefix, positive, leading=True)


def when_ends(shapes: Shapes, suffix: str, positive: bool) -> Shapes:
    """Return the alternatives that end (or don't) with a text."""
    return _when_edge(shapes, suffix, positive, leading=False)


def _when_edge(shapes: Shapes, edge: str, positive: bool, leading: bool) -> Shapes:
    slash = edge[:1] == "/" if leading else edge[-1:] == "/"
    found: list[Shape] = []
    for shape in shapes:
        at = 0 if leading else -1
        part = shape.parts[at] if shape.parts else ""
        if isinstance(part, str):
            holds = part.startswith(edge) if leading else part.endswith(edge)
            if holds is positive or (len(part) < len(edge) and len(shape.parts) > 1):
                found.append(shape)
            continue
        if part.may_be_empty and len(shape.parts) > 1:
            found.append(shape)
            continue
        known = part.leading if leading else part.trailing
        if positive:
            if slash and known is False:
                continue
            told: bool | None = slash
        else:
            if edge == "/" and known is True:
                continue
            told = False if edge == "/" else known
        change: dict[str, Any] = {"leading" if leading else "trailing": told}
        if positive:
            change["may_be_empty"] = False
        new = replace(part, **change)
        parts = (new, *shape.parts[1:]) if leading else (*shape.parts[:-1], new)
        found.append(replace(shape, parts=parts))
    return tuple(found)


def when_equal(shapes: Shapes, text: str, positive: bool) -> Shapes:
    """Return the alternatives that equal (or don't) a constant."""
    if positive:
        return (literal(text),) if any(shape.text in (None, text) for shape in shapes) else ()
    kept = tuple(shape for shape in shapes if shape.text != text)
    if text == "/":
        kept = tuple(
            replace(shape, parts=(replace(shape.hole, guarded=True),)) if shape.hole is not None else shape
            for shape in kept
        )
    return when_true(kept) if text == "" else kept
