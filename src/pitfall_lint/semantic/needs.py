"""Which calls need an event loop, and whether one is at hand where they stand."""

from __future__ import annotations

import libcst as cst

from pitfall_lint.libraries.loops import NeedsLoop, RunsLoop
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.calls import callers
from pitfall_lint.semantic.guards import is_guarded, knows_loops
from pitfall_lint.semantic.threads import loop_ways


def is_run_by_a_loop(call: Call) -> bool:
    """Tell whether the call is an argument of `loop.run_until_complete(…)`, so that a loop is at hand."""
    arg = call.file.enclosing(call.node, cst.Arg)
    outer = call.file.parent(arg) if arg is not None else None
    if not isinstance(outer, cst.Call):
        return False
    runner = call.file.call(outer)
    leaves = {row.call.rpartition(".")[2] for row in call.file.libraries.rows(RunsLoop) if not row.new_loop}
    return runner.method in leaves or bool(call.file.rows_of_call(runner, RunsLoop))


def rows_that_need(call: Call) -> list[NeedsLoop]:
    """Return the rows of a call, without those whose loop is handed over or whose versions are others."""
    return [
        row
        for row in call.file.rows_of_call(call, NeedsLoop)
        if not (row.unless and call.where(row.unless) is not None) and call.file.version_allows(row) is not False
    ]


def needs_loop(call: Call) -> bool:
    """Tell whether a call of a plain function needs a loop, and nothing in the function guards it."""
    if not rows_that_need(call) or is_run_by_a_loop(call) or call.function is None:
        return False
    return not is_guarded(call.file, call.node, ("RuntimeError",)) and not knows_loops(call.function, but=call.node)


def may_be_anywhere(call: Call) -> bool:
    """Tell whether nobody knows where the function of a call runs, and nothing in it asks or catches."""
    function = call.function
    if function is None or function.is_async or is_guarded(call.file, call.node, ("RuntimeError",)):
        return False
    known = list(callers(function))
    if known and all(caller.function is None for caller in known):
        return False  # the program itself calls it, on the main thread
    return not any(True for _ in loop_ways(function)) and not knows_loops(function, but=call.node, of_loops=False)
