"""Done-callbacks of futures: which functions they are, and where a cancelled future makes them raise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Future, Suppressor
from pitfall_lint.semantic import clauses
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.tasks import started_by
from pitfall_lint.semantic.values import FunctionValue, Partial
from pitfall_lint.semantic.walk import own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class DoneCallback:
    """A function of the project that is called with a future when that is done."""

    registration: Call
    function: Function
    param: str
    """The name that the future has in it."""
    row: Future


def done_callbacks(file: File) -> Iterator[DoneCallback]:
    """Yield the done-callbacks that are registered in the looked-at definitions, on futures of known types."""
    names = {row.callback for row in file.libraries.rows(Future)}
    for call in file.calls():
        if call.method in names and call.receiver is not None and (given := call.arg(0)) is not None:
            if _is_never_cancelled(file, call.receiver):
                continue
            row = _future_row(file, call.receiver)
            for function, skip in _functions(file, given):
                params = [p for p in function.params if p.kind == "positional"]
                skip += function.is_method and function.name != "<lambda>"
                if skip >= len(params):
                    continue
                param = params[skip]
                known = row
                if known is None and param.annotation is not None:
                    known = function.file.row_of(cst.ensure_type(param.node.name, cst.Name), Future) or _annotated(
                        function, param.annotation
                    )
                if known is None or known.cancelled_error_is_exception or _is_taken_back(file, known, function):
                    continue
                yield DoneCallback(call, function, param.name, known)


def _is_taken_back(file: File, row: Future, function: Function) -> bool:
    """Tell whether the file takes a callback off again, as who cancels a task in good order does."""
    takes_off = f"remove{row.callback.removeprefix('add')}".encode()
    pattern = rb"\.%s\(\s*(?:\w+\.)*%s\b" % (re.escape(takes_off), re.escape(function.name.encode()))
    return takes_off in file.source.data and re.search(pattern, file.source.data) is not None


def _annotated(function: Function, annotation: cst.BaseExpression) -> Future | None:
    rows = {
        function.file.row_of_type(getattr(value, "type", None), Future) for value in function.file.annotated(annotation)
    }
    return rows.pop() if len(rows) == 1 else None


def _future_row(file: File, receiver: cst.BaseExpression) -> Future | None:
    """Return the row of a future; None when its type is not known."""
    row = file.row_of(receiver, Future)
    spawn = _spawn_behind(file, receiver)
    if row is None and spawn is not None and started_by(spawn) is not None:
        return next((r for r in file.libraries.rows(Future) if not r.cancelled_error_is_exception), None)
    return row


def _is_never_cancelled(file: File, receiver: cst.BaseExpression) -> bool:
    """Tell whether a future is known to be one that nobody cancels, whatever its callbacks say that they get."""
    spawn = _spawn_behind(file, receiver)
    if spawn is None:
        return False
    started = started_by(spawn)
    return not started.row.cancellable if started is not None else _is_nobodys_to_cancel(file, receiver)


def _is_nobodys_to_cancel(file: File, receiver: cst.BaseExpression) -> bool:
    """Tell whether a private future that is no task is neither cancelled in its file nor given or awaited as it is."""
    if not isinstance(receiver, cst.Attribute) or not receiver.attr.value.startswith("_"):
        return False
    name = re.escape(receiver.attr.value.encode())
    ends = rb"(?:await|return|yield|wait_for\(|gather\([^)\n]*)[ \t]*[\w.]*\.%s\b(?!\.)|\.%s\.cancel\b" % (name, name)
    return re.search(ends, file.source.data) is None


def _spawn_behind(file: File, receiver: cst.BaseExpression) -> Call | None:
    """Return the call that made a future: the receiver itself, or the one value of a local name or attribute."""
    if isinstance(receiver, cst.Call):
        return file.call(receiver)
    values: list[cst.BaseExpression | None] = []
    if isinstance(receiver, cst.Name):
        found = file.lookup(receiver.value, receiver)
        values = [getattr(binding, "value", None) for binding in found.bindings] if found is not None else []
    elif isinstance(receiver, cst.Attribute) and (class_ := file.class_of(receiver)) is not None:
        function = file.function_of(receiver)
        assigned = class_.attribute_assignments(receiver.attr.value)
        values = [value for method, _, value in assigned if method is function] or [v for _, _, v in assigned]
    calls = [value for value in values if isinstance(value, cst.Call)]
    if len(calls) == 1 and all(isinstance(v, cst.Call) or _is_none(v) for v in values):
        return file.call(calls[0])
    return None


def _is_none(node: cst.BaseExpression | None) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _functions(file: File, given: cst.BaseExpression) -> Iterator[tuple[Function, int]]:
    if isinstance(given, cst.Lambda):
        yield file.function(given), 0
        return
    for value in file.values_of(given):
        skip = 0
        if isinstance(value, Partial) and len(value.of) == 1:
            skip = len([a for a in value.call.args if a.keyword is None]) - 1 if value.call is not None else 0
            value = value.of[0]
        if isinstance(value, FunctionValue):
            yield value.function, skip


def breaking_reads(callback: DoneCallback) -> Iterator[cst.Call]:
    """Yield the calls in a callback that raise when the future was cancelled, nothing standing in between."""
    function, file = callback.function, callback.function.file
    body = function.node.body
    calls = [node for node in own_nodes(body) if isinstance(node, cst.Call) and _on(node, callback.param)]
    if any(_method(node) == callback.row.cancelled for node in calls):
        return
    for node in calls:
        if _method(node) in callback.row.raises_when_cancelled and not _takes_cancellation(file, node, body):
            yield node


def _on(call: cst.Call, name: str) -> bool:
    return (
        isinstance(call.func, cst.Attribute) and isinstance(call.func.value, cst.Name) and call.func.value.value == name
    )


def _method(call: cst.Call) -> str:
    return call.func.attr.value if isinstance(call.func, cst.Attribute) else ""


def _takes_cancellation(file: File, node: cst.CSTNode, stop: cst.CSTNode) -> bool:
    """Tell whether a handler or suppress() around a node takes CancelledError."""
    child = node
    for ancestor in file.ancestors(node):
        if isinstance(ancestor, (cst.Try, cst.TryStar)) and child is ancestor.body:
            if any(clauses.takes_cancellation(handler) for handler in ancestor.handlers):
                return True
        elif isinstance(ancestor, cst.With) and child is ancestor.body:
            for item in ancestor.items:
                name = file.qualified_name(item.item.func) if isinstance(item.item, cst.Call) else None
                if name is not None and isinstance(item.item, cst.Call) and file.libraries.find(Suppressor, name):
                    if any(
                        n in {"CancelledError", "BaseException"}
                        for a in item.item.args
                        for n in clauses.class_names(a.value)
                    ):
                        return True
        if ancestor is stop:
            return False
        child = ancestor
    return False
