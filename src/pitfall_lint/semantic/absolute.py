"""Joins of file paths: what is joined to what, by a call, by `/`, or through a helper that does nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.paths import Join, JoinOperator
from pitfall_lint.semantic import strings
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.shapes import Shapes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True)
class FileJoin:
    """One join of file paths: its base and the parts behind it. `via` is the helper that joins."""

    node: cst.BaseExpression
    name: str
    base: cst.BaseExpression | None
    parts: tuple[cst.BaseExpression, ...]
    urls: str = ""
    via: Function | None = None
    inner: Call | None = None


def file_joins(file: File) -> Iterator[FileJoin]:
    """Yield the joins of file paths in what is being looked at."""
    for call in file.calls():
        row = _row(call)
        if row is not None:
            yield _join(call, row)
        elif isinstance(call.target, Function):
            yield from _helped(call, call.target)
    for node in file.nodes(cst.BinaryOperation):
        if isinstance(node.operator, cst.Divide) and _is_path(file, node.left):
            yield FileJoin(node, "/", node.left, (node.right,))


def _row(call: Call) -> Join | None:
    leaf = call.method or (call.node.func.value if isinstance(call.node.func, cst.Name) else "")
    if call.has_star or (leaf not in call.file.libraries.leaves(Join) and call.method is not None):
        return None
    row = call.file.libraries.find(Join, call.name) if call.name is not None else None
    return row if row is not None and row.style == "file" else None


def _join(call: Call, row: Join) -> FileJoin:
    given = tuple(arg.value for arg in call.node.args if arg.keyword is None)
    name = call.file.text(call.node.func)
    if row.base == "receiver":
        return FileJoin(call.node, name, call.receiver, given, row.urls)
    return FileJoin(call.node, name, given[0] if given else None, given[1:], row.urls)


def _helped(call: Call, function: Function) -> Iterator[FileJoin]:
    """Yield the join that a call makes through a function that returns nothing but a join of its parameter."""
    if function.is_async or call.has_star or not function.may_use(function.file.libraries.leaves(Join)):
        return
    if function.is_generator:
        return
    returned = function.returns()
    if len(returned) != 1 or not isinstance(returned[0], cst.Call):
        return
    inner = function.file.call(returned[0])
    row = _row(inner)
    if row is None:
        return
    join = _join(inner, row)
    params = list(function.params)[1 if function.is_method and call.receiver is not None else 0 :]
    for position, param in enumerate(params):
        given = call.arg(position if param.kind == "positional" else None, param.name)
        if given is None or _is_assigned(function, param.name):
            continue
        for part in join.parts:
            if isinstance(part, cst.Name) and part.value == param.name:
                yield FileJoin(call.node, call.file.text(call.node.func), None, (given,), "", function, inner)


def _is_assigned(function: Function, name: str) -> bool:
    found = function.file.lookup(name, function.returns()[0])
    return found is None or len(found.bindings) != 1


def _is_path(file: File, node: cst.BaseExpression) -> bool:
    while isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide):
        node = node.left
    while isinstance(node, cst.Attribute) and node.attr.value in {"parent", "absolute", "resolve"}:
        node = node.value
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in _SAME:
        node = node.func.value
    return file.row_of(node, JoinOperator) is not None


_SAME = frozenset({"absolute", "resolve", "expanduser", "joinpath", "with_name", "with_suffix"})


def shapes_of(file: File, node: cst.BaseExpression) -> Shapes:
    """Return the alternatives of a part's text; a path object made of one text is that text."""
    if isinstance(node, cst.Call) and len(node.args) == 1 and _row(file.call(node)) is not None:
        return strings.shapes_of(file, node.args[0].value)
    return strings.shapes_of(file, node)


__all__ = ["FileJoin", "file_joins", "shapes_of"]
