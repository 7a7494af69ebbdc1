"""Mending streams that need an injected session too late: the generator runs the dependency itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Edit, Fix, Span
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.leaving import own_line, stream_of
from pitfall_lint.semantic.rewriting import Rewriting
from pitfall_lint.semantic.streams import iterated
from pitfall_lint.semantic.takeover import deeper, fresh
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.dependencies import Injected, TakenBack
    from pitfall_lint.semantic.file import File

_BLANK = (b" ", b"\t", b"\n", b"\r")


def lives_longer(function: Function, injected: Injected) -> Fix | None:
    """Return the fix for an explicit scope that ends too early: the scope of the whole request."""
    marker, row = injected.marker, injected.row
    scope = marker.keyword(row.scope) if row.scope else None
    if scope is None or not row.late_scope or marker.file is not function.file:
        return None
    return function.file.replace(scope, f'"{row.late_scope}"', "Keep it open until the answer is sent")


def generator_depends(function: Function, taken: TakenBack) -> Fix | None:
    """Return the fix that moves the dependency from the signature into the generator; None where that is unsure."""
    file, injected, leaving = function.file, taken.injected, taken.place
    stream = stream_of(file, leaving.value) if isinstance(leaving, cst.Return) and leaving.value is not None else None
    entered = _entered(function, injected)
    gone = _without(file, function, injected)
    if stream is None or entered is None or gone is None or not isinstance(leaving, cst.Return):
        return None
    host = file.statement_of(stream)
    how = iterated(function, stream)
    waits = injected.function.is_async
    if how is None or (waits and how == "sync") or not own_line(file, host) or isinstance(function.node, cst.Lambda):
        return None
    name, imports = file.edit_import("contextlib")
    header = f"{'async with' if waits else 'with'} {name}.{entered} as {injected.param.name}:"
    change = Rewriting(file, function.node)
    inner = file.definition(stream.func) if isinstance(stream, cst.Call) else None
    if isinstance(inner, Function) and inner.parent is function and _only_in(function, injected, inner.node):
        block = inner.node.body
        if not isinstance(block, cst.IndentedBlock) or any(p.name == injected.param.name for p in inner.params):
            return None
        change.head(block.body[0], header)
        change.move(change.lines_of(block.body[0])[0], change.lines_of(inner.node)[1], 1)
    elif _only_in(function, injected, stream):
        used = set(re.findall(r"\w+", file.code(function.node)))
        body, item = fresh(used, "body", "stream_body", "owned_body"), fresh(used, "chunk", "part", "each_part")
        code = file.code(stream)
        loop = [f"async for {item} in {code}:", f"{change.unit}yield {item}"] if how == "async" else []
        lines = [header, *deeper(loop or [f"yield from {code}"], change.unit)]
        first = function.node.body.body[0]
        lead = [] if first is file.parent(host) else [""]
        kind = "async def" if how == "async" else "def"
        change.insert(host, [*lead, f"{kind} {body}():", *deeper(lines, change.unit), ""])
        change.replace(stream, f"{body}()")
    else:
        return None
    return file.edits("Let the generator run the dependency", change.edits(), gone, imports)


def _entered(function: Function, injected: Injected) -> str | None:
    """Return the call that makes a context manager of a dependency which asks for nothing itself."""
    marker, dependency = injected.marker, injected.function
    given = marker.where(injected.row.function)
    plain = (
        injected.direct
        and given is not None
        and marker.file.definition(given) is dependency
        and marker.file is function.file
    )
    if given is None or not plain or dependency.params or dependency.decorators:
        return None
    kind = "asynccontextmanager" if dependency.is_async else "contextmanager"
    return f"{kind}({function.file.code(given)})()"


def _only_in(function: Function, injected: Injected, place: cst.CSTNode) -> bool:
    """Tell whether a parameter is used in one place of the function and nowhere else."""
    name = injected.param.name
    inside = {node for node in all_nodes(place) if isinstance(node, cst.Name) and node.value == name}
    every = {node for node in all_nodes(function.node.body) if isinstance(node, cst.Name) and node.value == name}
    return bool(inside) and inside == every


def _without(file: File, function: Function, injected: Injected) -> Edit | None:
    """Return the edit that takes a parameter out of the signature."""
    params, node = function.node.params, injected.param.node
    group = params.kwonly_params if node in params.kwonly_params else params.params
    if node not in group or (len(group) == 1 and group is params.kwonly_params):
        return None
    at, start, end = list(group).index(node), file.span(node.name).start, _end(file, node)
    if at + 1 < len(group):
        return Edit(Span(start, file.span(group[at + 1].name).start), "")
    if at > 0:
        return Edit(Span(_end(file, group[at - 1]), end), "")
    data = file.source.data
    while data[end : end + 1] in (*_BLANK, b","):
        end += 1
    while data[start - 1 : start] in _BLANK:
        start -= 1
    return Edit(Span(start, end), "")


def _end(file: File, param: cst.Param) -> int:
    """Return where a parameter ends, its annotation and default included."""
    annotation = param.annotation.annotation if param.annotation is not None else None
    return max(file.span(node).end for node in (param.name, annotation, param.default) if node is not None)
