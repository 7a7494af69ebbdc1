"""What the callers of a function, in its own file, give to a parameter: by calls, and by threads and partials."""

from __future__ import annotations

import libcst as cst

from pitfall_lint.semantic import calls, strings, variables
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.shapes import Shape, Shapes


def given_to(found: Shapes) -> list[tuple[Call, Shape]]:
    """Return, for a text that is nothing but a parameter, what each caller gives to it; empty when unknown."""
    if len(found) != 1:
        return []
    parameter = variables.origin_is_parameter(found[0])
    if parameter is None:
        return []
    function, name = parameter
    result: list[tuple[Call, Shape]] = []
    for call in calls.callers(function):
        result.extend((call, shape) for shape in _bound(call, function).get((function, name), ()))
    result.extend(_handed_over(function, name))
    return result


def _bound(call: Call, function: Function) -> dict[tuple[Function, str], Shapes]:
    return variables.arguments(call.file, call.node, function, lambda node: strings.shapes_of(call.file, node))


def _handed_over(function: Function, name: str) -> list[tuple[Call, Shape]]:
    """Return what goes with a function that is handed to another one: `Thread(target=f, args=(x,))`."""
    found: list[tuple[Call, Shape]] = []
    names = [param.name for param in function.params][1 if function.is_method else 0 :]
    file = function.file
    for use in calls.uses(function):
        arg = file.parent(use)
        outer = file.parent(arg) if isinstance(arg, cst.Arg) else None
        if not isinstance(outer, cst.Call):
            continue
        given = file.call(outer).keyword("args")
        if isinstance(given, (cst.Tuple, cst.List)) and name in names[: len(given.elements)]:
            element = given.elements[names.index(name)]
            if not isinstance(element, cst.StarredElement):
                found.extend((file.call(outer), shape) for shape in strings.shapes_of(file, element.value))
    return found
