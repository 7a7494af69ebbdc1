"""Lazy values that leave a function although what they read from is closed by then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.sessions import StreamBody
from pitfall_lint.semantic.closing_names import is_closing_name
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.flow import Step
from pitfall_lint.semantic.lifecycle import Event, events
from pitfall_lint.semantic.ownership import Resource, resource_of
from pitfall_lint.semantic.streams import Source, lazy_sources
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class Escaped:
    """A lazy value that leaves a function and reads from what is closed by then."""

    leaving: cst.CSTNode
    closed_at: cst.CSTNode
    source: Source
    resource: Resource | None
    before: bool
    """Whether it was closed before the function was left, not on the way out."""


def escaping(function: Function) -> Iterator[Escaped]:
    """Yield the lazy values that leave a function although what they read is closed by then, on some path."""
    if isinstance(function.node, cst.Lambda) or function.is_generator or not function.returns():
        return
    names = _closed_names(function)
    if not names or not function.file.flow(function).is_complete:
        return
    closers = list(_closing_subjects(function, names))
    for leaving in function.nodes(cst.Return) if closers else ():
        if leaving.value is None:
            continue
        done: set[str] = set()
        itself = list(_themselves(leaving.value))
        own = set(all_nodes(leaving.value))
        for source in (*itself, *lazy_sources(function, leaving.value)):
            for subject, resource, what in closers:
                if subject != source.name or subject in done:
                    continue
                if source in itself and not _is_dead_when_closed(resource, what):
                    continue
                if source.survives and resource is not None and resource.row.kind in ("client", "connection"):
                    continue
                closed = _closed_by_then(function, leaving, source.lazy, what)
                if closed is not None and closed[0] not in own:
                    done.add(subject)
                    yield Escaped(leaving, closed[0], source, resource, closed[1])


def _themselves(value: cst.BaseExpression | None) -> Iterator[Source]:
    """Yield the names that are returned as they are."""
    if isinstance(value, cst.Name):
        yield Source(value.value, value)
    elif isinstance(value, cst.Tuple):
        for element in value.elements:
            yield from _themselves(element.value)


def _is_dead_when_closed(resource: Resource | None, happens: dict[Step, list[Event]]) -> bool:
    """Tell whether a thing that `with` closes is of no use to whoever gets it afterwards."""
    found = [event for each in happens.values() for event in each]
    if resource is None or not resource.row.closed or not any(event.kind == "with" for event in found):
        return False
    return resource.row.kind != "response" or not any(event.kind == "use" for event in found)


def _closed_names(function: Function) -> dict[str, cst.BaseExpression]:
    """Return what a function may close: by a call that sounds like it, or by `with`."""
    file = function.file
    names: dict[str, cst.BaseExpression] = {}
    for node in function.nodes(cst.Attribute, cst.WithItem):
        if isinstance(node, cst.Attribute) and _is_closing_call(file, node):
            names.setdefault(file.text(node.value), node.value)
        elif isinstance(node, cst.WithItem):
            bound = node.asname.name if node.asname is not None else node.item
            if isinstance(bound, (cst.Name, cst.Attribute)):
                names.setdefault(file.text(bound), bound)
    names.pop(function.self_name or "", None)  # an object that ends itself knows what it hands out
    return names


def _closing_subjects(
    function: Function, names: dict[str, cst.BaseExpression]
) -> Iterator[tuple[str, Resource | None, dict[Step, list[Event]]]]:
    file = function.file
    for text, expression in names.items():
        resource = resource_of(file, expression)
        happens = events(function, text, resource)
        if any(event.kind == "close" for each in happens.values() for event in each):
            yield text, resource, happens


def _is_closing_call(file: File, node: cst.Attribute) -> bool:
    return is_closing_name(node.attr.value) and isinstance(file.parent(node), cst.Call)


def _closed_by_then(
    function: Function, leaving: cst.Return, lazy: cst.CSTNode, happens: dict[Step, list[Event]]
) -> tuple[cst.CSTNode, bool] | None:
    """Return what closes the subject on some path that makes the lazy value and returns, and whether before that."""
    graph = function.file.flow(function)
    places, making = set(graph.steps_of(leaving)), set(graph.steps_of(lazy))
    State = tuple["cst.CSTNode | None", "bool | None", bool]

    def transfer(step: Step, state: State, raised: bool) -> State | None:
        node, before, made = state
        made = made or step in making
        for event in happens.get(step, ()):
            if event.kind == "close":
                node = node or event.node
            elif event.kind in ("open", "with") and before is None:
                node = None
        if step in places:
            if raised:
                return None
            before = node is not None
        return node, before, made

    start: State = (None, None, not making)
    states = graph.typestate(start, transfer)
    if states is None:
        return None
    ended = [(node, before) for node, before, made in states.exits("return") if made]
    found = [(node, before) for node, before in ended if node is not None and before is not None]
    return min(found, key=lambda one: function.file.span(one[0]).start) if found else None


def grouped(escapes: Iterable[Escaped]) -> list[list[Escaped]]:
    """Return the escapes of each `return` together, in textual order."""
    found: dict[cst.CSTNode, list[Escaped]] = {}
    for escaped in escapes:
        found.setdefault(escaped.leaving, []).append(escaped)
    return list(found.values())


def is_taken_along(file: File, escaped: Escaped) -> bool:
    """Tell whether the response itself sees to the close, so that the `finally` is what is wrong."""
    if isinstance(escaped.closed_at, cst.WithItem) or escaped.before:
        return False
    value = escaped.leaving.value if isinstance(escaped.leaving, cst.Return) else None
    call = file.call(value) if isinstance(value, cst.Call) else None
    row = file.libraries.find(StreamBody, call.name) if call is not None and call.name is not None else None
    behind = call.where(row.background) if call is not None and row is not None and row.background else None
    if isinstance(behind, cst.Name):
        found = file.lookup(behind.value, behind)
        values = [getattr(binding, "value", None) for binding in found.bindings] if found is not None else []
    else:
        values = [behind]
    subject = escaped.source.name
    return any(
        isinstance(node, (cst.Name, cst.Attribute)) and file.text(node) == subject
        for value in values
        if isinstance(value, cst.BaseExpression)
        for node in all_nodes(value)
    )
