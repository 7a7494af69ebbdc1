"""Calls that close something: by type, by what an `isinstance` test says, by the names that only closing has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Related
from pitfall_lint.semantic.closing_names import is_closing_name
from pitfall_lint.semantic.ownership import resource_of, resource_of_type
from pitfall_lint.semantic.values import Const, Coroutine, Generator, Unknown

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class LostClose:
    """An async close that was only called."""

    what: str
    """What stays open, in words."""
    related: tuple[Related, ...] = ()


def is_dropped(call: Call) -> bool:
    """Tell whether a call's result goes nowhere, `x and x.close()` and `x.close() if x else None` included."""
    node: cst.CSTNode = call.node
    outer = call.file.parent(node)
    while isinstance(outer, (cst.IfExp, cst.BooleanOperation)):
        if node is (outer.test if isinstance(outer, cst.IfExp) else outer.left):
            return False
        node, outer = outer, call.file.parent(outer)
    return isinstance(outer, cst.Expr) or (node is call.node and call.is_discarded)


def lost_close(call: Call) -> LostClose | None:
    """Return what a dropped call would have closed, had it been awaited; None if it needs no await."""
    file, receiver, method = call.file, call.receiver, call.method
    if receiver is None or method is None:
        return None
    guard = narrowed(file, receiver)
    resource = resource_of_type(file, file.class_or_name(guard) if guard is not None else file.type_of(receiver))
    if resource is not None:
        if not resource.closes.get(method, False):
            return None
        if resource.made_at is None:
            return LostClose(f"the {resource.row.type}")
        other, node = resource.made_at
        note = other.related(node, f"{resource.name} makes its {resource.row.type} here")
        return LostClose(f"the {resource.row.type} of {resource.name}", (note,))
    if method != "aclose":
        return None
    values = [v for v in file.values_of(receiver) if not isinstance(v, (Unknown, Const))]
    if values and all(isinstance(v, Generator) and v.of.is_async for v in values):
        return LostClose("the generator")
    if values or not call.in_async_function or guard is not None:
        return None
    return LostClose(file.text(receiver))  # by that name only coroutine functions are known


def narrowed(file: File, expression: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the class that an `isinstance` test around an expression says it has."""
    text = file.text(expression)
    child: cst.CSTNode = expression
    for outer in file.ancestors(expression):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return None
        if isinstance(outer, cst.If) and child is outer.body and isinstance(outer.test, cst.Call):
            test = file.call(outer.test)
            subject, type_ = test.arg(0), test.arg(1)
            if test.name == "builtins.isinstance" and subject is not None and type_ is not None:
                if file.text(subject) == text:
                    return type_
        child = outer
    return None


def is_plain_close(call: Call) -> bool:
    """Tell whether a call closes a name or dotted name: by type, or by the names that only closing has."""
    receiver = call.receiver
    while isinstance(receiver, cst.Attribute):
        receiver = receiver.value
    if call.receiver is None or call.method is None or not isinstance(receiver, cst.Name):
        return False
    resource = resource_of(call.file, call.receiver)
    if resource is not None:
        return call.method in resource.closes
    known = call.file.type_of(call.receiver)
    return known is None and call.method in ("close", "aclose") and not call.node.args


def closes_async(call: Call) -> bool:
    """Tell whether a call closes something by a coroutine."""
    if call.receiver is None or call.method is None:
        return False
    resource = resource_of(call.file, call.receiver)
    if resource is not None:
        return resource.closes.get(call.method, False)
    return call.method == "aclose" or (is_closing_name(call.method) and unawaited(call.file, call.node))


def unawaited(file: File, expression: cst.BaseExpression) -> bool:
    """Tell whether an expression surely gives a coroutine."""
    values = [v for v in file.values_of(expression) if not isinstance(v, Unknown)]
    return bool(values) and all(isinstance(v, Coroutine) for v in values)
