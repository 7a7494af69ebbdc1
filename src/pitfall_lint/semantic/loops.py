"""Which event loop an expression holds: the one of the code that asks, another thread's, or nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries import Function as FunctionRow
from pitfall_lint.libraries.loops import LoopMaker, LoopOnly, LoopWait, NeedsLoop
from pitfall_lint.semantic.attributes import attribute_targets
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.inference import single_type
from pitfall_lint.semantic.values import Const, Instance, Unknown, Value

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File


def asked_by(file: File, expression: cst.BaseExpression) -> tuple[Function | None, ...]:
    """Return the functions whose `get_running_loop()` or the like gave a loop; () unless all of it did."""
    found: list[Function | None] = []
    for value in _without_none(file.values_of(expression)):
        origin = _origin(value)
        if origin is None:
            return ()
        call = origin[0].call(origin[1])
        rows = [row for row in origin[0].rows_of_call(call, NeedsLoop) if row.creates or row.loop == "running"]
        if not rows:
            return ()
        found.append(call.function)
    return tuple(found)


def is_made_here(file: File, expression: cst.BaseExpression) -> bool:
    """Tell whether an expression may hold a loop that the project makes itself (`new_event_loop()`)."""
    for value in file.values_of(expression):
        origin = _origin(value)
        if origin is not None and origin[0].rows_of_call(origin[0].call(origin[1]), LoopMaker):
            return True
    return False


def _without_none(values: tuple[Value, ...]) -> list[Value]:
    return [value for value in values if not (isinstance(value, Const) and value.value is None)]


def _origin(value: Value) -> tuple[File, cst.Call] | None:
    if isinstance(value, Instance) and value.file is not None and isinstance(value.origin, cst.Call):
        return value.file, value.origin
    return None


def waits_on(call: Call, row: LoopWait) -> list[cst.Call]:
    """Return the calls that wait for what a call gives: `….result()`, also by the local name that it gets."""
    file = call.file
    outer = file.parent(call.node)
    if isinstance(outer, cst.Attribute) and outer.attr.value in row.waits:
        waiting = file.parent(outer)
        return [waiting] if isinstance(waiting, cst.Call) and waiting.func is outer else []
    if not isinstance(outer, cst.Assign) or call.function is None:
        return []
    names = {t.target.value for t in outer.targets if isinstance(t.target, cst.Name)}
    return [
        node
        for node in call.function.nodes(cst.Call)
        if isinstance(node.func, cst.Attribute)
        and node.func.attr.value in row.waits
        and isinstance(node.func.value, cst.Name)
        and node.func.value.value in names
    ]


def only_rows(call: Call) -> tuple[LoopOnly, ...]:
    """Return the rows that say that a call belongs to the loop's thread.

    `x or get_event_loop()` counts as a loop, and an untyped `self.loop` by its name.
    """
    file = call.file
    if call.name is not None:
        rows = file.rows_of_call(call, LoopOnly)
        return tuple(
            row for row in rows if not row.loop or (call.where(row.loop) is not None and not _wraps_a_task(call, row))
        )
    if call.receiver is None or call.method is None:
        return ()
    values = [v for v in _without_none(file.values_of(call.receiver)) if not isinstance(v, Unknown)]
    types = {value.type if isinstance(value, Instance) else None for value in values}
    if types:
        type_ = types.pop()
        if types or not isinstance(type_, str):
            return ()
        return file.libraries.find_all(LoopOnly, f"{type_}.{call.method}")
    last = call.receiver.attr if isinstance(call.receiver, cst.Attribute) else call.receiver
    name = last.value if isinstance(last, cst.Name) else ""
    return tuple(
        row
        for row in file.libraries.rows(LoopOnly)
        if row.call.rpartition(".")[2] == call.method and name in row.receivers
    )


def _wraps_a_task(call: Call, row: LoopOnly) -> bool:
    """Tell whether what a call is given is a task already, made by another such call: it only hands it back."""
    given = call.arg(0)
    if row.via != "coroutine" or not isinstance(given, cst.Call):
        return False
    return any(inner.via == "coroutine" for inner in only_rows(call.file.call(given)))


def loop_in_reach(call: Call) -> str | None:
    """Return the source of a loop that a call's function can name: on `self`, or in a function around it."""
    file, function = call.file, call.function
    types = {file.libraries.canonical(maker_type(file))}
    class_ = file.class_of(call.node)
    method = function
    while method is not None and method.class_ is None:
        method = method.parent
    if class_ is not None and method is not None and (own := method.self_name):
        for other in class_.methods():
            for name in attribute_targets(other):
                if single_type(class_.attribute_values(name)) in types:
                    return f"{own}.{name}"
    outer = function.parent if function is not None else None
    while outer is not None:
        for node in outer.nodes(cst.Assign):
            target = node.targets[0].target
            if isinstance(target, cst.Name) and file.type_of(node.value) in types:
                return target.value
        outer = outer.parent
    return None


def maker_type(file: File) -> str:
    """Return the type of event loops, as the row of the function that makes them says."""
    for row in file.libraries.rows(LoopMaker):
        described = file.libraries.find(FunctionRow, row.call)
        if described is not None:
            return described.returns
    return ""
