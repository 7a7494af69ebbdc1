"""Sessions that a framework injects and takes back: yield dependencies, across files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.sessions import Dependency
from pitfall_lint.libraries.tasks import Background
from pitfall_lint.semantic.closing_names import is_closing_name
from pitfall_lint.semantic.definitions import Function, Param
from pitfall_lint.semantic.ownership import Resource, resource_of
from pitfall_lint.semantic.streams import lazy_sources
from pitfall_lint.semantic.walk import own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class Injected:
    """A parameter that a yield dependency fills and whose session that dependency closes."""

    param: Param
    marker: Call
    row: Dependency
    function: Function
    """The dependency that yields."""
    closed_at: cst.CSTNode
    """Its `with` or close, in its own file."""
    resource: Resource
    direct: bool = True
    """Whether the parameter holds what that dependency yields, not what another one makes of it."""


@dataclass(frozen=True, eq=False)
class TakenBack:
    """A place that still needs an injected session after the framework has closed it."""

    place: cst.CSTNode
    injected: Injected
    by: str
    """What needs it: the streamed body, the background task."""
    certain: bool
    """Whether the project's versions, or an explicit scope, say that it is closed early."""


def taken_back(function: Function) -> Iterator[TakenBack]:
    """Yield the returns and background tasks that use an injected session too late."""
    for injected in injections(function):
        certain = _is_early(injected)
        if certain is False:
            continue
        name = injected.param.name
        for leaving in function.nodes(cst.Return):
            if any(source.name == name for source in lazy_sources(function, leaving.value)):
                yield TakenBack(leaving, injected, "the streamed body", bool(certain))
        for call in function.calls():
            row = function.file.libraries.find(Background, call.name) if call.name is not None else None
            if row is not None and any(_is_name(arg.value, name) for arg in call.node.args):
                yield TakenBack(call.node, injected, "the background task", bool(certain))


def _is_name(node: cst.BaseExpression, name: str) -> bool:
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name) and node.value == name


def _is_early(injected: Injected) -> bool | None:
    """Tell whether the part behind `yield` runs before the body is sent; None when the versions are unknown."""
    row, marker = injected.row, injected.marker
    scope = marker.keyword(row.scope) if row.scope else None
    if scope is not None:
        return bool(marker.file.folded(scope) == "function")
    return marker.file.version_allows(replace(row, versions=row.early)) if row.early else False


def injections(function: Function, seen: frozenset[Function] = frozenset()) -> Iterator[Injected]:
    """Yield the parameters that yield dependencies fill, those of dependencies in between included."""
    if function in seen or len(seen) > 4 or isinstance(function.node, cst.Lambda):
        return
    for param in function.params:
        marker = _marker(function.file, param)
        if marker is None:
            continue
        call, row = marker
        given = call.where(row.function)
        dependency = call.file.definition(given) if given is not None else None
        if not isinstance(dependency, Function):
            continue
        closing = _closes_behind_yield(dependency)
        if closing is not None:
            yield Injected(param, call, row, dependency, *closing)
            continue
        if dependency.is_generator:
            continue
        for inner in injections(dependency, seen | {function}):
            if any(_mentions(value, inner.param.name) for value in dependency.returns()):
                yield replace(inner, param=param, direct=False)


def _marker(file: File, param: Param) -> tuple[Call, Dependency] | None:
    candidates: list[cst.CSTNode] = [param.default] if param.default is not None else []
    if isinstance(param.annotation, cst.Subscript):
        candidates += [e.slice.value for e in param.annotation.slice if isinstance(e.slice, cst.Index)]
    elif isinstance(param.annotation, cst.Name):  # SessionDep = Annotated[Session, Depends(get_session)]
        found = file.lookup(param.annotation.value, param.annotation)
        for binding in found.bindings if found is not None else ():
            value = getattr(binding, "value", None)
            if isinstance(value, cst.Subscript):
                candidates += [e.slice.value for e in value.slice if isinstance(e.slice, cst.Index)]
    for candidate in candidates:
        if isinstance(candidate, cst.Call):
            call = file.call(candidate)
            row = file.libraries.find(Dependency, call.name) if call.name is not None else None
            if row is not None:
                return call, row
    return None


def _closes_behind_yield(function: Function) -> tuple[cst.CSTNode, Resource] | None:
    """Return what closes the session that a dependency yields, and the session."""
    if not function.is_generator:
        return None
    file = function.file
    for value in function.yields():
        resource = resource_of(file, value)
        if resource is None:
            continue
        text = file.text(value)
        for outer in file.ancestors(value):
            if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
                break
            if isinstance(outer, cst.With):
                for item in outer.items:
                    bound = item.asname.name if item.asname is not None else item.item
                    if file.text(bound) == text:
                        return item, resource
        for call in function.calls():
            if call.receiver is not None and call.method is not None and file.text(call.receiver) == text:
                if call.method in resource.closes or is_closing_name(call.method):
                    return call.node, resource
    return None


def _mentions(node: cst.BaseExpression, name: str) -> bool:
    return any(isinstance(inner, cst.Name) and inner.value == name for inner in own_nodes(node))
