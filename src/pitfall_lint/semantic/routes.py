"""Where paths are registered: routes, mounts and prefixes with the text they get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.paths import RoutePath, Router
from pitfall_lint.semantic import strings
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.shapes import Shapes
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
        for node in paths_in(file, call, row):
            yield Registered(call, row, node, strings.shapes_of(file, node))


def paths_in(file: File, call: Call, row: RoutePath) -> Iterator[cst.BaseExpression]:
    """Yield the expressions of the paths that one call registers."""
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
