"""Routes that no request reaches: another one, registered before, answers all that they could."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pitfall_lint.semantic import templates
from pitfall_lint.semantic.owners import Owner
from pitfall_lint.semantic.registrations import (
    ANY,
    Registration,
    Step,
    is_certain,
    on,
    registrations,
    runs_before,
    steps,
)
from pitfall_lint.semantic.shapes import Hole
from pitfall_lint.semantic.templates import Template

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True)
class Shadow:
    """A route that never runs, and the one that was registered before it. `same`: they are the same path."""

    hidden: Step
    by: Step
    same: bool


@dataclass(frozen=True, eq=False)
class _Known:
    step: Step
    template: Template
    holes: tuple[object, ...]
    methods: frozenset[str]


def shadows(file: File) -> tuple[Shadow, ...]:
    """Return the routes of what is looked at that never run, each with the first that hides it."""
    key = ("shadows", file.view)
    if key not in file.memo:
        file.memo[key] = tuple(_shadows(file))
    found: tuple[Shadow, ...] = file.memo[key]
    return found


def _shadows(file: File) -> Iterator[Shadow]:
    own: dict[Owner, None] = {}
    for registration in registrations(file):
        if registration.owner is not None:
            own.setdefault(registration.owner)
    for owner in own:
        known = [fact for step in steps(owner, lambda which: on(which, file)) if (fact := _known(step)) is not None]
        first_segments: dict[object, list[_Known]] = defaultdict(list)
        for fact in known:
            for other in (*first_segments[_head(fact.template)], *first_segments[None]):
                if (shadow := _pair(other, fact)) is not None:
                    yield shadow
                    break
            first_segments[_head(fact.template)].append(fact)


def _head(path: Template) -> object:
    """Return the first segment if it is plain text: only paths with the same one, or with none, can meet."""
    only = path[0] if path else ()
    return only if all(isinstance(part, str) for part in only) else None


def _known(step: Step) -> _Known | None:
    """Return the facts of a route, or None when its path or methods are not surely known."""
    last = step.last
    if not last.handled or any(len(registration.shapes) != 1 for registration in step.trail):
        return None
    path, methods = step.path, last.methods
    holes = tuple(part.key for part in path.parts if isinstance(part, Hole))
    if methods is None or None in holes or len(holes) > 1 or (holes and not isinstance(path.parts[0], Hole)):
        return None
    text = "".join(part for part in path.parts if isinstance(part, str))
    if last.row.leading == "required" and not text.startswith("/") and (text or last.row.kind != "mount"):
        return None
    template = templates.template(text, last.row.parameters)
    if template is None or len(template) > 40:
        return None
    return _Known(step, templates.below(template) if last.row.kind == "mount" else template, holes, methods)


def _pair(first: _Known, second: _Known) -> Shadow | None:
    by, hidden = first.step, second.step
    if first.holes != second.holes or not _answers(first.methods, second.methods):
        return None
    if not _in_order(by, hidden) or _same_handler(by.last, hidden.last):
        return None
    same = first.template == second.template or (
        templates.covers(first.template, second.template) and templates.covers(second.template, first.template)
    )
    if same:
        return Shadow(hidden, by, True) if by.last.row.again and hidden.last.row.again else None
    ordered = by.last.row.order == "first" and hidden.last.row.order == "first"
    if ordered and templates.covers(first.template, second.template):
        return Shadow(hidden, by, False)
    return None


def _answers(first: frozenset[str], second: frozenset[str]) -> bool:
    return ANY in first or (ANY not in second and second <= first)


def _same_handler(first: Registration, second: Registration) -> bool:
    return first.handler is not None and first.handler == second.handler


def _in_order(by: Step, hidden: Step) -> bool:
    """Tell whether one route is surely tried before the other; what one include brings is told where it is made."""
    first, second = by.trail[0], hidden.trail[0]
    return first is not second and runs_before(first, second) and all(map(is_certain, by.trail[1:]))


def said(step: Step) -> str:
    """Return the path of a step as it is written, for messages."""
    return step.path.pretty or "/"


def places(shadow: Shadow) -> Iterator[tuple[Registration, str]]:
    """Yield the other places that matter, with what to say of each: what answers, and routes behind an include."""
    yield shadow.by.last, "this one answers"
    if len(shadow.hidden.trail) > 1:
        yield shadow.hidden.last, "this one never runs"
