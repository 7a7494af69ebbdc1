"""Which calls keep their thread waiting, themselves or through functions of the project that they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Related
from pitfall_lint.libraries.loops import Blocking, PlatformTest
from pitfall_lint.semantic.calls import runs
from pitfall_lint.semantic.threads import knows_loops
from pitfall_lint.semantic.values import NOT_CONSTANT
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.definitions import Function
    from pitfall_lint.semantic.file import File

_DEPTH = 4
_BRIEF = 0.05
"""Seconds that nobody notices."""
_TRANSPARENT = frozenset(
    {"staticmethod", "classmethod", "builtins.staticmethod", "builtins.classmethod", "typing.override"}
)
_READING = (cst.If, cst.IfExp)


@dataclass(frozen=True, eq=False)
class Wait:
    """A blocking call and the calls that lead to it, outermost first; the last one blocks."""

    row: Blocking
    calls: tuple[Call, ...]

    @property
    def blocking(self) -> Call:
        """The call that blocks."""
        return self.calls[-1]

    @property
    def related(self) -> tuple[Related, ...]:
        """The steps behind the first call as second places of a finding."""
        found = []
        for call in self.calls[1:]:
            name = call.function.name if call.function is not None else "the module"
            says = f"{call.text} {self.row.waits}" if call is self.blocking else f"{name} calls {call.text}"
            found.append(call.file.related(call.node, says))
        return tuple(found)


def wait_of(call: Call, depth: int = _DEPTH) -> Wait | None:
    """Return how a call keeps its thread waiting; None when it doesn't, or nobody can tell."""
    for row in call.file.rows_of_call(call, Blocking):
        if not row.strict:
            return Wait(row, (call,)) if waits(call, row) else None
    target = runs(call)
    if target is None or depth == 0:
        return None
    inner = wait_in(target, depth - 1)
    return Wait(inner.row, (call, *inner.calls)) if inner is not None else None


def wait_in(function: Function, depth: int) -> Wait | None:
    """Return the first call of a plain function that blocks whoever calls it."""
    file = function.file
    key = ("waits", function)
    if key in file.memo:
        cached: Wait | None = file.memo[key]
        return cached
    file.memo[key] = None
    if not _is_plain(function):
        return None
    for call in function.calls():
        found = wait_of(call, depth)
        if found is not None and not _on_demand(function, call) and not knows_loops(function):
            file.memo[key] = found
            return found
    return None


def waits(call: Call, row: Blocking) -> bool:
    """Tell whether the arguments of a blocking call let it block."""
    if call.is_awaited or any(call.where(place) is not None for place in row.quick_if):
        return False
    if row.seconds and (length := call.where(row.seconds)) is not None:
        constant = call.file.folded(length)
        if isinstance(constant, (int, float)) and constant <= _BRIEF:
            return False
    for place in row.unless:
        argument = call.where(place)
        if argument is not None and ((value := call.file.folded(argument)) is NOT_CONSTANT or not value):
            return False
    return not (call.has_star and (row.unless or row.quick_if))


def _is_plain(function: Function) -> bool:
    """Tell whether calling the function runs its body as it stands: no decorator may send it elsewhere."""
    return all(name in _TRANSPARENT for name in function.decorator_names)


def _on_demand(function: Function, call: Call) -> bool:
    """Tell whether a parameter of the function decides about the call: what its callers want cannot be told."""
    params = {param.name for param in function.params}
    if function.self_name:
        params.discard(function.self_name)
    child: cst.CSTNode = call.node
    for ancestor in function.file.ancestors(call.node):
        if ancestor is function.node:
            return False
        if isinstance(ancestor, _READING) and child is not ancestor.test:
            if _names(ancestor.test) & params or _asks_platform(function.file, ancestor.test):
                return True
        child = ancestor
    return False


def _asks_platform(file: File, test: cst.BaseExpression) -> bool:
    """Tell whether a condition is about the operating system."""
    return any(
        isinstance(node, (cst.Attribute, cst.Name))
        and (name := file.qualified_name(node)) is not None
        and file.libraries.find(PlatformTest, name) is not None
        for node in all_nodes(test)
    )


def _names(test: cst.BaseExpression) -> set[str]:
    """Return the plain names that a condition tests by themselves: `flag`, `not flag`, `a and b`, `flag is None`."""
    if isinstance(test, cst.Name):
        return {test.value}
    if isinstance(test, cst.UnaryOperation):
        return _names(test.expression)
    if isinstance(test, cst.BooleanOperation):
        return _names(test.left) | _names(test.right)
    if isinstance(test, cst.Comparison):
        return _names(test.left)
    return set()
