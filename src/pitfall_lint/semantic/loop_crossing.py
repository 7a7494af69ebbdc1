"""Objects of a loop that the coroutine of one run returns, and the coroutine of another run is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.lifetimes import Run, runs_of

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.definitions import Function


def crossing(call: Call) -> tuple[Run, Run] | None:
    """Return the run that hands out what a call makes, `client = asyncio.run(connect())`, and the one that gets it."""
    function = call.function
    if function is None or not function.is_async or not _is_returned(function, call):
        return None
    runs = runs_of(call.file)
    for first in runs:
        name = _name_given(first) if first.coroutine is function else None
        for second in runs if name is not None else ():
            after = second.call.file.span(second.call.node).start > first.call.file.span(first.call.node).start
            if after and second.call.function is first.call.function and name in _names_handed(second):
                return first, second
    return None


def _is_returned(function: Function, call: Call) -> bool:
    file, outer = call.file, call.file.parent(call.node)
    if isinstance(outer, cst.Await):
        outer = file.parent(outer)
    if isinstance(outer, cst.Return):
        return True
    if (
        not isinstance(outer, cst.Assign)
        or len(outer.targets) != 1
        or not isinstance(outer.targets[0].target, cst.Name)
    ):
        return False
    name = outer.targets[0].target
    if len(file.scope_of(name).bindings.get(name.value, ())) != 1:
        return False
    return any(isinstance(value, cst.Name) and value.value == name.value for value in function.returns())


def _name_given(run: Run) -> str | None:
    """Return the only name that gets the result of a run, if nothing else is given to it."""
    file, outer = run.call.file, run.call.file.parent(run.call.node)
    target = outer.targets[0].target if isinstance(outer, cst.Assign) and len(outer.targets) == 1 else None
    if not isinstance(target, cst.Name):
        return None
    return target.value if len(file.scope_of(target).bindings.get(target.value, ())) == 1 else None


def _names_handed(run: Run) -> set[str]:
    """Return the names that the coroutine of a run is given, `session` for `asyncio.run(work(session))`."""
    made = [arg.value for arg in run.call.node.args if isinstance(arg.value, cst.Call)]
    given = [arg.value for call in made[:1] for arg in call.args]
    own = [made[0].func.value] if made and isinstance(made[0].func, cst.Attribute) else []
    return {value.value for value in (*given, *own) if isinstance(value, cst.Name)}
