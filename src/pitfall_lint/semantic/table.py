"""The route table of a project: every route with the prefixes, includes and mounts that stand before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.owners import Owner, made_by
from pitfall_lint.semantic.registrations import Registration, Step, registrations, steps
from pitfall_lint.semantic.shapes import Shape


@dataclass(frozen=True, order=True)
class Entry:
    """One line of the route table: the full path, what stands there, and where it is registered."""

    path: str
    kind: str
    methods: str
    file: str
    line: int


def table(files: Iterable[File]) -> list[Entry]:
    """Return the routes of a project, prefixes, includes and mounts joined over files, holes in braces."""
    found: dict[Owner | None, list[Registration]] = defaultdict(list)
    children: set[Owner] = set()
    for file in files:
        for registration in registrations(file):
            found[registration.owner].append(registration)
            if registration.child is not None:
                children.add(registration.child)
    for owner in {*found, *children}:
        made = made_by(owner) if owner is not None else None
        if owner is not None and made is not None and made in found:
            found[owner] = [*found[made], *found.get(owner, ())]
            children.add(made)
    entries: set[Entry] = set()
    for owner in list(found):
        if owner is None:
            for registration in found[None]:
                entries.update(_entry(registration, shape) for shape in registration.shapes)
        elif owner not in children:
            entries.update(_entry(step.last, step.path) for step in _steps(owner, found))
    return sorted(entries)


def _steps(owner: Owner, found: dict[Owner | None, list[Registration]]) -> Iterable[Step]:
    return steps(owner, lambda which: found.get(which, ()))


def _entry(registration: Registration, shape: Shape) -> Entry:
    row, file = registration.row, registration.file
    methods = registration.methods if row.kind == "route" else None
    told = "" if methods is None or "*" in methods else ",".join(sorted(methods))
    line = file.source.position(file.span(registration.node).start)[0]
    return Entry(shape.pretty or "/", row.kind, told, file.source.path, line)
