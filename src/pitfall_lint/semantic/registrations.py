"""Registrations of routes, includes and mounts in the order in which they run, joined over files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.paths import RoutePath, Router
from pitfall_lint.semantic import owners, shapes, strings, variables
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.owners import Owner
from pitfall_lint.semantic.routes import paths_in
from pitfall_lint.semantic.shapes import UNKNOWN, Shape, Shapes
from pitfall_lint.semantic.values import Instance

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_VERBS = frozenset({"get", "post", "put", "delete", "patch", "head", "options", "trace"})
_DEPTH = 8
ANY = "*"


@dataclass(frozen=True, eq=False)
class Registration:
    """One call that gives an owner a route, or the routes of another owner (`child`)."""

    call: Call
    row: RoutePath
    node: cst.CSTNode
    """The path, or the call where it is not written."""
    shapes: Shapes
    owner: Owner | None
    child: Owner | None
    handler: object
    """What answers, as far as it can be told: the function."""

    @property
    def file(self) -> File:
        """Where it stands."""
        return self.call.file

    @property
    def methods(self) -> frozenset[str] | None:
        """The HTTP methods that it answers, "WEBSOCKET" or "*"; None when that cannot be told."""
        return _methods(self)

    @property
    def handled(self) -> bool:
        """Tell whether a request that fits its path ends here: it is no include."""
        return self.row.kind in {"route", "websocket"} or (self.row.kind == "mount" and self.row.order == "first")


def registrations(file: File) -> tuple[Registration, ...]:
    """Return what the definitions that are looked at register, in the order of the text."""
    key = ("registrations", file.view)
    if key not in file.memo:
        found = list(_registrations(file))
        found.sort(key=_position)
        file.memo[key] = tuple(found)
    known: tuple[Registration, ...] = file.memo[key]
    return known


def _position(registration: Registration) -> tuple[int, int]:
    file = registration.file
    return file.span(registration.call.node).start, file.span(registration.node).start


def _registrations(file: File) -> Iterator[Registration]:
    for call, row in file.calls_to(RoutePath):
        if row.kind not in {"route", "websocket", "mount", "include"}:
            continue
        owner = owners.list_of(file, call.node)
        if owner is None and call.receiver is not None:
            owner = owners.owner_of(file, call.receiver)
        children = _children(file, call, row) or [None]
        written = list(paths_in(file, call, row))
        for child in children if not written else ():
            if child is not None:
                yield Registration(call, row, call.node, (Shape(),), owner, child, None)
        for node in written:
            list_ = Owner(file, call.node) if row.listed and owner is None else owner
            found = strings.shapes_of(file, node)
            for child in children:
                yield Registration(call, row, node, found, list_, child, _handler(file, call, row))
    for call, router in file.calls_to(Router):
        given = call.where(router.routes) if router.routes else None
        if given is not None and (child := owners.owner_of(file, given)) is not None:
            yield Registration(call, _LISTED, call.node, (Shape(),), Owner(file, call.node), child, None)


_LISTED = RoutePath(kind="include")


def _children(file: File, call: Call, row: RoutePath) -> list[Owner | None]:
    for place in (row.prefix, row.routes):
        given = call.where(place) if place else None
        if given is not None and (children := owners.each_included(file, given)):
            return [*children]
    return []


def _handler(file: File, call: Call, row: RoutePath) -> object:
    outer = file.parent(call.node)
    if isinstance(outer, cst.Decorator):
        return file.parent(outer)
    given = call.where(row.handler)
    if given is None:
        return None
    return file.definition(given) or (file.qualified_name(given) or file.wording(given))


def _methods(found: Registration) -> frozenset[str] | None:
    call, row = found.call, found.row
    if row.kind in {"websocket", "mount"}:
        return frozenset({"WEBSOCKET"} if row.kind == "websocket" else {ANY})
    leaf = (call.name or "").rpartition(".")[2].removeprefix("add_")
    if leaf in _VERBS:
        return frozenset({leaf.upper()})
    given = call.where(row.methods) if row.methods else None
    if given is not None:
        return _listed(call.file, given)
    if not row.answers:
        return None
    if row.answers != (ANY,) and not isinstance(found.handler, (Function, cst.FunctionDef)):
        return None  # a class answers what it has methods for
    return frozenset(row.answers)


def _listed(file: File, node: cst.BaseExpression) -> frozenset[str] | None:
    owner = owners.owner_of(file, node)
    elements = node.elements if isinstance(node, (cst.List, cst.Tuple, cst.Set)) else ()
    if isinstance(node, cst.Name) and owner is not None and isinstance(owner.node, cst.List):
        file, elements = owner.file, owner.node.elements
    texts = [file.folded(e.value) for e in elements] or [file.folded(node)]
    if not all(isinstance(text, str) for text in texts):
        return None
    return frozenset(text.upper() for text in texts)


def on(owner: Owner, asking: File) -> list[Registration]:
    """Return what is registered on an owner in the file that makes it."""
    if owner.file is not asking:
        asking.used.add(owner.file.path)
    return [registration for registration in registrations(owner.file) if registration.owner == owner]


# In order


@dataclass(frozen=True, eq=False)
class Step:
    """One route (or mount) of an owner, `trail` the registrations that lead to it, outermost first."""

    trail: tuple[Registration, ...]
    path: Shape

    @property
    def last(self) -> Registration:
        """The registration of the route itself."""
        return self.trail[-1]


Given = Callable[["Owner"], Iterable[Registration]]


def steps(owner: Owner, given: Given, depth: int = _DEPTH) -> Iterator[Step]:
    """Yield the routes of an owner in the order of the text, those of what it includes in their place.

    `given` answers the registrations on an owner.
    """
    own = prefix_of(owner)
    for registration in given(owner):
        for shape in shapes.concatenated(own, registration.shapes):
            kind = registration.row.kind
            if kind == "mount" or (kind in {"route", "websocket"} and registration.child is None):
                yield Step((registration,), shape)
            if registration.child is None or depth == 0:
                continue
            above = shapes.right_stripped(shape) if registration.row.kind == "mount" and shape.text else shape
            for inner in steps(registration.child, given, depth - 1):
                for whole in shapes.concatenated((above,), (inner.path,)):
                    yield Step((registration, *inner.trail), whole)


def prefix_of(owner: Owner) -> Shapes:
    """Return the prefix that an owner was made with, through a function that makes routers, too."""
    file, node = owner
    if not isinstance(node, cst.Call):
        return (Shape(),)
    target = file.call(node).target
    frame = {}
    values = file.values_of(node)
    if isinstance(target, Function):
        frame = variables.arguments(file, node, target, lambda part: strings.shapes_of(file, part))
        values = tuple(v for returned in target.returns() for v in target.file.values_of(returned)) or values
    for value in values:
        if not isinstance(value, Instance) or (row := file.row_of_type(value.type, Router)) is None:
            continue
        if not row.prefix:
            return (Shape(),)
        if not isinstance(value.origin, cst.Call) or value.file is None:
            return UNKNOWN
        given = value.file.call(value.origin).where(row.prefix)
        return strings.shapes_of(value.file, given, frame) if given is not None else (Shape(),)
    return (Shape(),)


def runs_before(first: Registration, second: Registration) -> bool:
    """Tell whether one registration surely ran before the other, whenever that runs."""
    file = first.file
    if file is not second.file or file.function_of(first.call.node) is not file.function_of(second.call.node):
        return False
    if _position(first) >= _position(second):
        return False
    return _branches(first) <= _branches(second) and not is_repeated(first) and not is_repeated(second)


def is_certain(registration: Registration) -> bool:
    """Tell whether a registration is made whenever its function, or its module, is run."""
    return not _branches(registration)


def is_repeated(registration: Registration) -> bool:
    """Tell whether it stands in a loop."""
    return any(isinstance(node, (cst.For, cst.While)) for node in _around(registration))


def _branches(registration: Registration) -> set[object]:
    """Return the branches in which a registration stands."""
    found: set[object] = set()
    child: cst.CSTNode = registration.call.node
    for node in _around(registration):
        if isinstance(node, _BRANCHING):
            found.add(child)
        child = node
    return found


_BRANCHING = (
    *(cst.If, cst.Else, cst.Try, cst.TryStar, cst.ExceptHandler, cst.MatchCase, cst.For, cst.While),
    *(cst.IfExp, cst.BooleanOperation),
)


def _around(registration: Registration) -> Iterator[cst.CSTNode]:
    for node in registration.file.ancestors(registration.call.node):
        if isinstance(node, (cst.FunctionDef, cst.Lambda)) and not _decorates(registration, node):
            return
        yield node


def _decorates(registration: Registration, node: cst.CSTNode) -> bool:
    outer = registration.file.parent(registration.call.node)
    return isinstance(outer, cst.Decorator) and registration.file.parent(outer) is node
