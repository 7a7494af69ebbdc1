"""What callers entrust to the project's own helpers that start tasks: which argument it is, and whether all of it
handles its own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic import handling
from pitfall_lint.semantic.calls import uses
from pitfall_lint.semantic.handover import argument_for
from pitfall_lint.semantic.walk import own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.definitions import Function
    from pitfall_lint.semantic.file import File


def parameter_behind(function: Function, name: str) -> str:
    """Return the parameter that a local name of a function stands for, as it is or wrapped; else the name itself."""
    params = {param.name for param in function.params}
    if name in params:
        return name
    found = function.file.scope_of(function.node.body).bindings.get(name, ())
    values = [binding.value for binding in found if binding.kind == "assign"]
    if not values or len(values) < len(found):
        return name
    direct: set[str] = set()
    wrapped: list[cst.Call] = []
    for value in values:
        for one in _alternatives(value):
            if isinstance(one, cst.Name) and one.value in params:
                direct.add(one.value)
            elif isinstance(one, cst.Call):
                wrapped.append(one)
            elif not (isinstance(one, cst.Name) and one.value == name):
                return name
    for call in wrapped:
        if not any(isinstance(arg.value, cst.Name) and arg.value.value in {name, *direct} for arg in call.args):
            return name
    return direct.pop() if len(direct) == 1 else name


def _alternatives(value: cst.BaseExpression | None) -> list[cst.BaseExpression | None]:
    if isinstance(value, cst.IfExp):
        return [*_alternatives(value.body), *_alternatives(value.orelse)]
    return [value]


def all_handle_themselves(file: File, coroutine: cst.BaseExpression) -> bool:
    """Tell whether a coroutine is a parameter of a private function, and each of its callers gives one that handles
    its own errors."""
    function = file.function_of(coroutine)
    if function is None or not isinstance(coroutine, cst.Name) or not _is_private(function):
        return False
    if not any(param.name == coroutine.value for param in function.params):
        return False
    used = uses(function)
    for use in used:
        outer = file.parent(use)
        if not isinstance(outer, cst.Call) or outer.func is not use:
            return False
        given = argument_for(file.call(outer), function, coroutine.value)
        if given is None or not isinstance(given, cst.Call) or handling.coroutine_escape(file, given) is not None:
            return False
    return bool(used)


def _is_private(function: Function) -> bool:
    return (function.name.startswith("_") and not function.name.startswith("__")) or function.parent is not None


def gives_again(function: Function, name: str) -> bool:
    """Tell whether a function keeps what it returns by a local name in an attribute, and returns that another time."""
    file = function.file
    kept: set[str] = set()
    taken: set[str] = set()
    for node in own_nodes(function.node.body):
        if isinstance(node, cst.Assign):
            targets = [target.target for target in node.targets]
            if isinstance(node.value, cst.Name) and node.value.value == name:
                kept.update(file.text(target) for target in targets if isinstance(target, cst.Attribute))
            elif any(isinstance(target, cst.Name) and target.value == name for target in targets):
                taken.add(file.text(node.value))
                kept.update(file.text(target) for target in targets if isinstance(target, cst.Attribute))
        elif isinstance(node, cst.Return) and isinstance(node.value, cst.Attribute):
            taken.add(file.text(node.value))
    return not kept.isdisjoint(taken)


__all__ = ["all_handle_themselves", "gives_again", "parameter_behind"]
