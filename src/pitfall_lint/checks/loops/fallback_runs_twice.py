"""`except RuntimeError` around the run itself takes the coroutine's own errors for a missing loop."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import NeedsLoop, RunsLoop
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.guards import catches
from pitfall_lint.semantic.handling import coroutine_escape
from pitfall_lint.semantic.threads import is_coroutine
from pitfall_lint.semantic.walk import own_nodes


def check(file: File) -> Iterator[Finding]:
    """Report handlers that run a coroutine again which the `try` already ran."""
    for node in file.nodes(cst.Try):
        first = run_in(file, node.body)
        if first is None or not what_runs(first) or handles_its_own(first):
            continue
        for handler in node.handlers:
            if not catches(file, handler, ("RuntimeError",)) or looks_at_error(handler):
                continue
            if not names_error(handler) and not asks_for_loop(file, node.body):
                continue  # whoever catches everything and runs it again may just want to try again
            second = run_in(file, handler.body)
            if second is None or what_runs(first) != what_runs(second):
                continue
            name = what_runs(first)
            message = f"a RuntimeError of {name} itself comes here too, and {second.text} runs it a second time"
            related = file.related(first.node, f"the first run of {name}")
            place = handler.type or handler
            yield file.finding(place, message, related=[related], fix=narrow(file, node, first))
            break


def names_error(handler: cst.ExceptHandler) -> bool:
    """Tell whether a handler is there for RuntimeError in so many words."""
    return handler.type is not None and any(
        isinstance(n, cst.Name) and n.value == "RuntimeError" for n in own_nodes(handler.type)
    )


def asks_for_loop(file: File, body: cst.BaseSuite) -> bool:
    """Tell whether a block asks for a loop, which may raise RuntimeError by itself."""
    calls = [file.call(node) for node in own_nodes(body) if isinstance(node, cst.Call)]
    return any(row.creates or row.loop == "running" for c in calls for row in file.rows_of_call(c, NeedsLoop))


def run_in(file: File, body: cst.BaseSuite) -> Call | None:
    """Return the first call of a block that runs a coroutine on a loop."""
    for node in own_nodes(body):
        if isinstance(node, cst.Call):
            call = file.call(node)
            if any(row.coroutine for row in file.rows_of_call(call, RunsLoop)):
                return call
    return None


def what_runs(call: Call) -> str:
    """Return what a runner runs, in words: `fetch(…)`, or the name of a coroutine; nothing for a task."""
    for row in call.file.rows_of_call(call, RunsLoop):
        coroutine = call.where(row.coroutine) if row.coroutine else None
        if isinstance(coroutine, cst.Call):
            return call.file.call(coroutine).text
        if coroutine is not None and is_coroutine(call.file, coroutine):
            return call.file.text(coroutine)
    return ""


def handles_its_own(call: Call) -> bool:
    """Tell whether the coroutine that a runner runs takes all its errors itself, so that none comes out of the run."""
    given = [call.where(row.coroutine) for row in call.file.rows_of_call(call, RunsLoop) if row.coroutine]
    return any(one is not None and coroutine_escape(call.file, one) is None for one in given)


def looks_at_error(handler: cst.ExceptHandler) -> bool:
    """Tell whether a handler reads the error or raises, so that it may know which one it got."""
    name = handler.name.name.value if handler.name and isinstance(handler.name.name, cst.Name) else None
    for node in own_nodes(handler.body):
        if isinstance(node, cst.If) and any(isinstance(n, cst.Name) and n.value == name for n in own_nodes(node.test)):
            return True
    return False


def narrow(file: File, node: cst.Try, first: Call) -> Fix | None:
    """Return the fix: the last statement of the `try`, which runs the coroutine, goes to an `else`."""
    body = list(node.body.body) if isinstance(node.body, cst.IndentedBlock) else []
    last = body[-1] if len(body) > 1 else None
    if not isinstance(last, cst.SimpleStatementLine) or len(last.body) != 1 or first.node not in set(own_nodes(last)):
        return None
    if node.orelse is not None or node.finalbody is not None or file.exact(last).leading_lines:
        return None
    end = node.handlers[-1].body
    tail = end.body[-1] if isinstance(end, cst.IndentedBlock) else None
    if tail is None:
        return None
    unit = file.tree_of(node)
    indent = unit.indent if unit is not None else "    "
    code = file.code(last).strip()
    return file.edits(
        "Keep the run out of the `try`",
        file.edit_remove(last.body[0]),
        file.edit_insert_after(node, f"else:\n{indent}{code}"),
    )
