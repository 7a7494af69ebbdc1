"""Joins that resolve a reference as browsers do (RFC 3986): what the base has, and what of it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.paths import Join, UrlUse
from pitfall_lint.semantic import seams, shapes, strings
from pitfall_lint.semantic.shapes import Hole, Shape, Shapes
from pitfall_lint.semantic.values import Instance

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_AT_ROOT = ("/.well-known", "/robots.txt", "/favicon", "/sitemap", "/apple-touch-icon")
"""Paths that by convention stand at the root of a host."""


@dataclass(frozen=True)
class Reference:
    """One join of a base and a reference."""

    node: cst.BaseExpression
    name: str
    base_node: cst.BaseExpression | None
    target_node: cst.BaseExpression | None
    bases: Shapes
    targets: Shapes
    base_text: str
    is_route: bool = False
    is_method: bool = False
    """The base is an object of which it is a method."""


def references(file: File) -> Iterator[Reference]:
    """Yield the reference joins in what is being looked at: calls, and requests of a client with a base address."""
    for call, row in file.calls_to(Join):
        if row.style != "reference" or call.has_star:
            continue
        base = call.receiver if row.base == "receiver" else call.where(row.base)
        target = call.where(row.parts)
        if base is None or target is None:
            continue
        name = file.text(call.node.func).rpartition(".")[2]
        yield Reference(
            call.node,
            name,
            base,
            target,
            strings.shapes_of(file, base),
            strings.shapes_of(file, target),
            file.text(base),
            is_route=seams.is_sent(file, call.node) and not _is_request(file, call.node),
            is_method=row.base == "receiver",
        )
    for call, use in file.calls_to(UrlUse):
        target = call.where(use.url)
        if use.kind != "request" or target is None or call.receiver is None:
            continue
        bases = _base_of(file, call.receiver)
        if bases:
            targets = strings.shapes_of(file, target)
            yield Reference(call.node, call.text.partition("(")[0], None, target, bases, targets, "the base address")


def _is_request(file: File, node: cst.CSTNode) -> bool:
    outer = file.parent(node)
    call_node = file.parent(outer) if isinstance(outer, cst.Arg) else None
    if not isinstance(call_node, cst.Call):
        return True
    return bool(file.rows_of_call(file.call(call_node), UrlUse))


def _base_of(file: File, receiver: cst.BaseExpression) -> Shapes:
    """Return the base addresses that a client may have, if it resolves references against them."""
    found: list[Shape] = []
    for value in file.values_of(receiver):
        if not isinstance(value, Instance) or not isinstance(value.type, str) or value.file is None:
            return ()
        row = file.libraries.find(UrlUse, value.type)
        if row is None or row.base != "reference" or not isinstance(value.origin, cst.Call):
            return ()
        given = value.file.call(value.origin).where(row.url)
        found.extend(strings.shapes_of(value.file, given) if given is not None else (Shape(),))
    return tuple(found)


def client_bases(file: File) -> Iterator[tuple[cst.BaseExpression, Shapes]]:
    """Yield the base addresses that are given to clients that resolve references against them."""
    for call, use in file.calls_to(UrlUse):
        given = call.where(use.url)
        if use.base == "reference" and given is not None:
            yield given, strings.shapes_of(file, given)


def path_of(base: Shape) -> str:
    """Return the path that a base surely carries, for messages; empty when it has none or may have none."""
    path = shapes.url_path(base)
    if path is None and base.starts and not base.head.startswith("//"):
        path = base
    if path is None or not any(isinstance(part, str) and part.strip("/") for part in path.parts):
        return ""
    return path.pretty.rstrip("/")


def is_origin(base: Shape) -> bool:
    """Tell whether a base surely is nothing but scheme and host, so that no path can be lost."""
    if shapes.has_path(base) is False:
        return True
    literals = "".join(part if isinstance(part, str) else "\0" for part in base.parts)
    _, separator, rest = literals.partition("://")
    if not separator or "/" in rest.rstrip("/") or len(base.parts) < 2:
        return False
    return not any(isinstance(part, Hole) for part in base.parts[-1:]) or rest.count("\0") > 0


def at_root(path: str) -> bool:
    """Tell whether a path belongs to the root of a host by convention."""
    return path == "/" or path.startswith(_AT_ROOT)
