"""A loop that a function makes current and leaves behind is what the next `get_event_loop()` gets."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import LoopMaker, NeedsLoop, RunsLoop
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.threads import thread_ways


def check(file: File) -> Iterator[Finding]:
    """Report loops that are made current in a function and not closed and taken back on every path."""
    for call, row in file.calls_to(LoopMaker):
        function = call.function
        name = local_name(file, call)
        if function is None or name is None or not row.sets or is_meant_to_stay(file, call, function, name):
            continue
        settings = [c for c in function.calls() if c.name == row.sets and names(c.arg(0), name)]
        if not settings or any(True for _ in thread_ways(function)):
            continue
        last = in_finally(file, function)
        closed = any(c.method == "close" and names(c.receiver, name) for c in last)
        restored = any(c.name == row.sets and not names(c.arg(0), name) for c in last)
        if closed and restored:
            continue
        left = "open and current" if not closed and not restored else "open" if not closed else "current, but closed,"
        message = f"{name} is left {left} when this function ends on some path; later get_event_loop() gets it"
        yield file.finding(
            call.node,
            message,
            strict=True,
            fix=give_back(file, settings[0], row, name),
            related=[file.related(settings[0].node, f"{name} becomes the thread's current loop here")],
        )
    yield from closes_foreign(file)


def closes_foreign(file: File) -> Iterator[Finding]:
    """Report loops that a function asks for, did not make, and closes."""
    for call, row in file.calls_to(NeedsLoop):
        function = call.function
        name = local_name(file, call)
        if not row.creates or function is None or name is None:
            continue
        if len([n for n in function.nodes(cst.Assign) if names(n.targets[0].target, name)]) > 1:
            continue
        for closing in function.calls():
            if closing.method == "close" and names(closing.receiver, name):
                message = f"{closing.text} closes the loop that others get, too: RuntimeError: Event loop is closed"
                related = [file.related(call.node, f"{name} is the thread's current loop, not made here")]
                yield file.finding(closing.node, message, strict=True, related=related)


def local_name(file: File, call: Call) -> str | None:
    """Return the local variable that gets the loop."""
    outer = file.parent(call.node)
    if isinstance(outer, cst.Assign) and len(outer.targets) == 1:
        target = outer.targets[0].target
        return target.value if isinstance(target, cst.Name) else None
    return None


def names(expression: cst.CSTNode | None, name: str) -> bool:
    """Tell whether an expression is the plain name."""
    return isinstance(expression, cst.Name) and expression.value == name


def is_meant_to_stay(file: File, call: Call, function: Function, name: str) -> bool:
    """Tell whether the loop is kept, handed on, run for good, or made because there was none."""
    if file.enclosing(call.node, cst.ExceptHandler, cst.If) is not None:
        return True
    forever = {row.call for row in file.libraries.rows(RunsLoop) if not row.coroutine and not row.function}
    if any(c.name in forever for c in function.calls()):
        return True
    setter_words = {row.sets for row in file.libraries.rows(LoopMaker)}
    for node in function.nodes(cst.Name):
        if node.value != name:
            continue
        outer = file.parent(node)
        if isinstance(outer, (cst.Return, cst.Yield, cst.Element, cst.DictElement)):
            return True
        if isinstance(outer, cst.Assign) and outer.value is node:
            return True
        if isinstance(outer, cst.Arg):
            taker = file.parent(outer)
            if isinstance(taker, cst.Call) and file.call(taker).name not in setter_words:
                return True
    return False


def in_finally(file: File, function: Function) -> list[Call]:
    """Return the calls that stand in a `finally` of the function."""
    return [call for call in function.calls() if file.enclosing(call.node, cst.Finally) is not None]


def give_back(file: File, setting: Call, row: LoopMaker, name: str) -> Fix | None:
    """Return the fix: what follows goes into a `try` whose `finally` takes the loop back and closes it."""
    line = file.parent(file.statement_of(setting.node))
    block = file.parent(line) if line is not None else None
    if not isinstance(block, cst.IndentedBlock) or not isinstance(line, cst.SimpleStatementLine):
        return None
    rest = list(block.body[list(block.body).index(line) + 1 :])
    if not rest:
        return None
    first, last = (s.body[0] if isinstance(s, cst.SimpleStatementLine) else s for s in (rest[0], rest[-1]))
    unit = file.tree_of(line)
    indent = unit.indent if unit is not None else "    "
    footer = f"finally:\n{indent}{file.code(setting.node.func)}(None)\n{indent}{name}.close()"
    return file.edits("Take the loop back and close it", file.edit_wrap(first, last, "try:", footer))
