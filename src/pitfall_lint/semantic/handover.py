"""What a call does with a function or value that it is handed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Scheduled
from pitfall_lint.semantic.calls import uses

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.definitions import Function


def leaf(node: cst.BaseExpression) -> str:
    """Return the last name of an expression, calls looked through: `loop` for `self.loop`."""
    if isinstance(node, cst.Call):
        node = node.func
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def argument_for(call: Call, function: Function, name: str) -> cst.BaseExpression | None:
    """Return the argument that a call hands to a parameter of the called function."""
    params = [p for p in function.params if p.kind in {"positional", "keyword"}]
    if function.is_method and (call.receiver is not None or function.name == "__init__") and params:
        params = params[1:]
    for index, param in enumerate(params):
        if param.name == name:
            return call.arg(index if param.kind == "positional" else None, name)
    return None


def at_the_very_end(call: Call) -> bool:
    """Tell whether a call stands in `__del__` or a signal's handler: a last try, where nobody is left to tell."""
    function = call.function
    return function is not None and (function.name == "__del__" or ends_the_program(function))


def ends_the_program(function: Function) -> bool:
    """Tell whether a function is handed to a call (of a signal's handler) that runs it to end the program."""
    file = function.file
    for use in uses(function):
        arg = file.parent(use)
        outer = file.parent(arg) if isinstance(arg, cst.Arg) else None
        if isinstance(outer, cst.Call):
            call = file.call(outer)
            found = scheduled(call)
            if found is not None and found[0].at_end and found[1] is use:
                first = call.arg(0)
                return first is None or file.qualified_name(first) not in found[0].goes_on_after
    return False


def scheduled(call: Call) -> tuple[Scheduled, cst.BaseExpression] | None:
    """Return the row and the function of a call that runs a function later and drops what it returns."""
    libraries = call.file.libraries
    row = libraries.find(Scheduled, call.name) if call.name is not None else None
    if row is None and call.method is not None and call.receiver is not None:
        name = leaf(call.receiver)
        for candidate in libraries.rows(Scheduled):
            if name in candidate.receivers and candidate.call.rpartition(".")[2] == call.method:
                row = candidate
    if row is None:
        return None
    function = call.where(row.function)
    return (row, function) if function is not None else None
