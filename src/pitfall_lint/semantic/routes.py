"""Where paths are registered: routes, mounts and prefixes with the text they get, and the table they make together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.paths import RoutePath, Router
from pitfall_lint.semantic import shapes, strings
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.shapes import Shape, Shapes
from pitfall_lint.semantic.values import Instance

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True)
class Registered:
    """One path that one call registers. `node` is the expression of the path."""

    call: Call
    row: RoutePath
    node: cst.BaseExpression
    shapes: Shapes


def registered(file: File) -> Iterator[Registered]:
    """Yield the paths that are registered in what is being looked at."""
    for call, row in file.calls_to(RoutePath):
        for node in _paths(file, call, row):
            yield Registered(call, row, node, strings.shapes_of(file, node))


def _paths(file: File, call: Call, row: RoutePath) -> Iterator[cst.BaseExpression]:
    node = call.where(row.path)
    if node is None or (isinstance(node, cst.Name) and node.value == "None"):
        return
    if not row.listed:
        yield node
        return
    if isinstance(node, cst.Name):
        node = _listed(file, node)
    if isinstance(node, (cst.List, cst.Tuple)):
        for element in node.elements:
            entry = element.value
            if isinstance(entry, cst.Tuple) and len(entry.elements) >= 2:
                yield entry.elements[0].value


def _listed(file: File, node: cst.Name) -> cst.BaseExpression:
    """Return the list that a name is bound to, if it is bound once."""
    found = file.lookup(node.value, node)
    if found is not None and len(found.bindings) == 1:
        value = getattr(found.bindings[0], "value", None)
        if isinstance(value, (cst.List, cst.Tuple)):
            return value
    return node


def own_prefix(file: File, receiver: cst.BaseExpression | None) -> Shapes | None:
    """Return the prefix that the router, on which a route is registered, was made with; None when unknown."""
    if receiver is None:
        return None
    for value in file.values_of(receiver):
        if not isinstance(value, Instance) or value.origin is None or value.file is None:
            continue
        type_ = value.type if isinstance(value.type, str) else None
        row = file.libraries.find(Router, type_) if type_ is not None else None
        if row is None or not row.prefix or not isinstance(value.origin, cst.Call):
            return None
        given = value.file.call(value.origin).where(row.prefix)
        return strings.shapes_of(value.file, given) if given is not None else ()
    return None


@dataclass(frozen=True, order=True)
class Entry:
    """One line of the route table: the full path, what stands there, and where it is registered."""

    path: str
    kind: str
    methods: str
    file: str
    line: int


Parents = dict[cst.CSTNode, list[tuple[cst.CSTNode | None, Shapes]]]


def table(files: Iterable[File]) -> list[Entry]:
    """Return the routes of a project, prefixes, includes and mounts joined over files, holes in braces."""
    found: list[tuple[File, Registered]] = []
    parents: Parents = {}
    for file in files:
        for call, row in file.calls_to(RoutePath):
            given = call.where(row.prefix) if row.prefix else None
            child = made_by(file, given) if given is not None else None
            if child is not None:
                path = call.where(row.path)
                prefix = strings.shapes_of(file, path) if path is not None else (Shape(),)
                parent = made_by(file, call.receiver) if call.receiver is not None else None
                parents.setdefault(child, []).append((parent, prefix))
        found += [(file, route) for route in registered(file) if route.row.kind in {"route", "websocket", "mount"}]
    entries: set[Entry] = set()
    for file, route in found:
        owner = made_by(file, route.call.receiver) if route.call.receiver is not None else None
        own = own_prefix(file, route.call.receiver) or (Shape(),)
        for before in _prefixes(owner, parents, 0):
            for shape in shapes.concatenated((before,), own, route.shapes):
                line = file.source.position(file.span(route.node).start)[0]
                methods = (route.call.method or "").upper() if route.call.method in _METHODS else ""
                entries.add(Entry(shape.pretty or "/", route.row.kind, methods, file.source.path, line))
    return sorted(entries)


_METHODS = frozenset({"get", "post", "put", "delete", "patch", "head", "options", "trace"})


def made_by(file: File, node: cst.BaseExpression) -> cst.CSTNode | None:
    """Return the call that made the router or application that an expression holds, if there is one."""
    for value in file.values_of(node):
        if isinstance(value, Instance) and value.origin is not None:
            return value.origin
    return None


def _prefixes(owner: cst.CSTNode | None, parents: Parents, depth: int) -> Shapes:
    """Return what stands before the paths of a router: the prefixes of what includes it, outermost first."""
    if owner is None or depth > 8 or owner not in parents:
        return (Shape(),)
    return shapes.merged(
        shape
        for parent, prefix in parents[owner]
        for shape in shapes.concatenated(_prefixes(parent, parents, depth + 1), prefix)
    )
