"""Only the main thread has an event loop by itself; on any other thread asking for one raises."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import LoopBound, LoopMaker, NeedsLoop, RunsLoop
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.elsewhere import handed_elsewhere
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.guards import bare_way, knows_loops, script_way
from pitfall_lint.semantic.needs import is_run_by_a_loop, may_be_anywhere, needs_loop, rows_that_need
from pitfall_lint.semantic.values import Instance
from pitfall_lint.semantic.walk import own_nodes


def check(file: File) -> Iterator[Finding]:
    """Report calls that need an event loop in functions that run on a thread without one."""
    for call, row in file.calls_to(NeedsLoop):
        if row not in rows_that_need(call) or is_run_by_a_loop(call):
            continue
        way = bare_way(call) or script_way(call)
        if way is not None:
            message = f"{call.text} runs on {way.where}, which has no event loop: {row.raises}"
            yield file.finding(call.node, message, fix=give_it_a_loop(file, call, row), related=way.related)
        elif row.loop == "current" and file.strict_too and may_be_anywhere(call):
            message = f"{call.text} in a plain function: on any thread but the main one, {row.raises}"
            yield file.finding(call.node, message, strict=True)
    yield from elsewhere(file)
    if file.strict_too:
        yield from nothing_instead(file)


def elsewhere(file: File) -> Iterator[Finding]:
    """Report functions of other modules that are handed to a thread here and need a loop there."""
    for found in handed_elsewhere(file, NeedsLoop, needs_loop, lambda passed: not knows_loops(passed)):
        row = rows_that_need(found.call)[0]
        message = f"{file.text(found.given)} runs on {found.thread}, without an event loop: {row.raises}"
        yield file.finding(found.given, message, related=found.related)


def nothing_instead(file: File) -> Iterator[Finding]:
    """Report (strict) handlers that, for want of a loop, return None where a loop's object is promised."""
    for node in file.nodes(cst.Try):
        function = file.function_of(node)
        if function is None or not isinstance(function.node, cst.FunctionDef) or function.node.returns is None:
            continue
        promised = {v.type for v in file.annotated(function.node.returns.annotation) if isinstance(v, Instance)}
        if not any(isinstance(t, str) and file.libraries.find(LoopBound, t) for t in promised):
            continue
        inside = [file.call(n) for n in own_nodes(node.body) if isinstance(n, cst.Call)]
        for handler in node.handlers if any(rows_that_need(call) for call in inside) else ():
            for statement in own_nodes(handler.body):
                if isinstance(statement, cst.Return) and is_none(statement.value):
                    message = f"without an event loop {function.name}() gives None where an object is promised"
                    yield file.finding(statement, message, strict=True)


def is_none(value: cst.BaseExpression | None) -> bool:
    """Tell whether a `return` gives None."""
    return value is None or (isinstance(value, cst.Name) and value.value == "None")


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
    uses = [n for n in call.function.nodes(cst.Name) if isinstance(target, cst.Name) and n.value == target.value]
    outers = [file.parent(use) for use in uses if use is not target]
    return bool(outers) and all(isinstance(o, cst.Attribute) and o.attr.value in runners for o in outers)
