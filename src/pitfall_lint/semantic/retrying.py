"""Functions that call themselves again and count the attempts: where the count never reaches its limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from pitfall_lint.libraries.tasks import Counter
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.definitions import Function, Param
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.handover import argument_for
from pitfall_lint.semantic.values import NOT_CONSTANT

_ORDERS = (cst.GreaterThan, cst.GreaterThanEqual, cst.LessThan, cst.LessThanEqual)


@dataclass(frozen=True, eq=False)
class Restart:
    """A call by which a function tries again, and begins to count anew."""

    call: Call
    counter: Param
    given: cst.BaseExpression | None
    """What it hands over as the count; None where that is left to the default."""
    limit: cst.Comparison
    """Where the function compares the count with its limit."""


def restarts(file: File) -> Iterator[Restart]:
    """Yield the calls that begin the count of attempts anew, where another call of the function goes on counting."""
    names = frozenset(name for row in file.libraries.rows(Counter) for name in row.params)
    for function in file.functions():
        for param in function.params:
            limit = _limit(function, param.name) if param.name in names else None
            if limit is None:
                continue
            calls = [(call, argument_for(call, function, param.name)) for call in _own_calls(function)]
            if any(given is not None and _counts_on(given, param.name) for _, given in calls):
                for call, given in calls:
                    if not call.has_star and _is_anew(file, function, param, given):
                        yield Restart(call, param, given, limit)


def _own_calls(function: Function) -> Iterator[Call]:
    """Yield the calls by which a function calls itself."""
    for call in function.calls():
        if call.target is function:
            yield call


def _limit(function: Function, name: str) -> cst.Comparison | None:
    for node in function.nodes(cst.Comparison):
        if isinstance(node.comparisons[0].operator, _ORDERS) and len(node.comparisons) == 1:
            sides = (node.left, node.comparisons[0].comparator)
            if any(isinstance(side, cst.Name) and side.value == name for side in sides):
                return node
    return None


def _counts_on(given: cst.BaseExpression, name: str) -> bool:
    """Tell whether an argument is the count, one further: `attempt + 1`, `retries - 1`."""
    return (
        isinstance(given, cst.BinaryOperation)
        and isinstance(given.operator, (cst.Add, cst.Subtract))
        and any(isinstance(side, cst.Name) and side.value == name for side in (given.left, given.right))
    )


def _is_anew(file: File, function: Function, param: Param, given: cst.BaseExpression | None) -> bool:
    """Tell whether the count begins again: a constant, or the parameter's own default."""
    if given is None:
        return param.default is not None
    if isinstance(given, cst.Name) and given.value == param.name:
        return False  # it may have been counted up before
    constant = file.folded(given)
    return constant is not NOT_CONSTANT and isinstance(constant, int)
