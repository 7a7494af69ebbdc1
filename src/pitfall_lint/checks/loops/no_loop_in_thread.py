"""Only the main thread has an event loop by itself; on any other thread asking for one raises."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import LoopMaker, NeedsLoop, RunsLoop
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.guards import bare_way


def check(file: File) -> Iterator[Finding]:
    """Report calls that need an event loop in functions that run on a thread without one."""
    for call, row in file.calls_to(NeedsLoop):
        if row.unless and call.where(row.unless) is not None:
            continue
        if file.version_allows(row) is False or is_run_by_a_loop(call):
            continue
        way = bare_way(call)
        if way is None:
            continue
        message = f"{call.text} runs on {way.where}, which has no event loop: {row.raises}"
        yield file.finding(call.node, message, fix=give_it_a_loop(file, call, row), related=way.related)


def is_run_by_a_loop(call: Call) -> bool:
    """Tell whether the call is an argument of `loop.run_until_complete(…)`, so that a loop is at hand."""
    arg = call.file.enclosing(call.node, cst.Arg)
    outer = call.file.parent(arg) if arg is not None else None
    if not isinstance(outer, cst.Call):
        return False
    runner = call.file.call(outer)
    leaves = {row.call.rpartition(".")[2] for row in call.file.libraries.rows(RunsLoop) if not row.new_loop}
    return runner.method in leaves or bool(call.file.rows_of_call(runner, RunsLoop))


def give_it_a_loop(file: File, call: Call, row: NeedsLoop) -> Fix | None:
    """Return the fix: a loop of its own for the thread, where the call was there to get one."""
    makers = file.libraries.rows(LoopMaker)
    if not row.creates or not makers or row.library != makers[0].library or not only_runs(file, call):
        return None
    module, _, leaf = makers[0].call.rpartition(".")
    name, imports = file.edit_import(module)
    new = f"{name}.{leaf}()"
    return file.edits(f"Give the thread a loop of its own: {new}", file.edit_replace(call.node, new), imports)


def only_runs(file: File, call: Call) -> bool:
    """Tell whether the loop is only there to run something: a task put on a new loop would never start."""
    runners = {row.call.rpartition(".")[2] for row in file.libraries.rows(RunsLoop)} | {"close"}
    outer = file.parent(call.node)
    if isinstance(outer, cst.Attribute):
        return outer.attr.value in runners
    if not isinstance(outer, cst.Assign) or call.function is None:
        return False
    target = outer.targets[0].target
    uses = [
        n for n in call.function.nodes(cst.Name) if isinstance(target, cst.Name) and n.value == target.value
    ]
    outers = [file.parent(use) for use in uses if use is not target]
    return bool(outers) and all(isinstance(o, cst.Attribute) and o.attr.value in runners for o in outers)
