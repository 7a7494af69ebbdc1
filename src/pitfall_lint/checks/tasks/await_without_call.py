"""`await x.close`: the method is awaited, not the coroutine that calling it gives."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries import Function as FunctionRow
from pitfall_lint.libraries.sessions import Session
from pitfall_lint.libraries.tasks import Background
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.values import FunctionValue, LibraryName, Unknown
from pitfall_lint.semantic.walk import spelled


def check(file: File) -> Iterator[Finding]:
    """Yield the awaited functions and methods."""
    for node in file.nodes(cst.Await):
        awaited = node.expression
        if not isinstance(awaited, (cst.Attribute, cst.Name)):
            continue
        is_coroutine = _function(file, awaited)
        if is_coroutine is None and all(isinstance(value, Unknown) for value in file.values_of(awaited)):
            is_coroutine = _called_beside(file, awaited)
        if is_coroutine is None:
            continue
        text = file.text(awaited)
        what = "function" if isinstance(awaited, cst.Name) else "method"
        yield file.finding(
            node,
            f"`await {text}` awaits the {what} itself, not a call of it: TypeError",
            consequence=f"TypeError: object {what} can't be used in 'await' expression.",
            fix=_fix(file, node, awaited, is_coroutine),
        )


def _function(file: File, awaited: cst.BaseExpression) -> bool | None:
    """Tell whether an expression that names a function names a coroutine function; None when it names none."""
    kinds = set()
    for value in file.values_of(awaited):
        if isinstance(value, FunctionValue) and not value.function.is_property and not value.function.decorators:
            kinds.add(value.function.is_coroutine_function)
        elif isinstance(value, LibraryName) and (row := file.libraries.find(FunctionRow, value.name)) is not None:
            kinds.add(row.coroutine)
        elif isinstance(value, LibraryName) and _closes(file, value.name):
            kinds.add(True)
        else:
            return None
    return kinds.pop() if len(kinds) == 1 else None


def _called_beside(file: File, awaited: cst.BaseExpression) -> bool | None:
    """Tell how the same attribute of the same object is called in this function: True when that is awaited."""
    function = file.function_of(awaited)
    if function is None or not isinstance(awaited, cst.Attribute):
        return None
    calls = [call for call in function.calls() if spelled(call.node.func) == spelled(awaited)]
    return any(call.is_awaited for call in calls) if calls else None


def _closes(file: File, name: str) -> bool:
    """Tell whether a name is the async close of a library's client."""
    owner, _, method = name.rpartition(".")
    row = file.libraries.find(Session, owner)
    return row is not None and row.close_is_async and method in row.close


def _fix(file: File, node: cst.Await, awaited: cst.BaseExpression, is_coroutine: bool) -> Fix | None:
    outer = file.parent(node)
    call = file.parent(outer) if isinstance(outer, cst.Arg) else None
    if isinstance(call, cst.Call):
        row = next(iter(file.rows_of_call(file.call(call), Background)), None)
        if row is not None and file.call(call).where(row.function) is node:
            return file.replace(node, file.code(awaited), "Hand over the method itself")
    if not is_coroutine:
        return None
    return file.replace(awaited, f"{file.code(awaited)}()", "Call it")
