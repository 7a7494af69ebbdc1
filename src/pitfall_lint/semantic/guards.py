"""Who looks after itself: functions that make, run or ask for a loop, and places that catch the error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.loops import CoroutineTest, LoopKeeper, RunsLoop, ThreadScript
from pitfall_lint.semantic.calls import runs
from pitfall_lint.semantic.threads import Way, loop_ways, thread_ways
from pitfall_lint.semantic.walk import all_nodes, own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.definitions import Function
    from pitfall_lint.semantic.file import File


def knows_loops(function: Function, *, but: cst.CSTNode | None = None, of_loops: bool = True) -> bool:
    """Tell whether a function, or a helper it calls, gives its thread a loop or asks where it runs.

    `of_loops=False` leaves out what is asked of a loop, which the function then has already.
    """
    file = function.file
    key = ("knows loops", function, but, of_loops)
    if key not in file.memo:
        file.memo[key] = False
        file.memo[key] = _keeps(function, but, of_loops=of_loops) or any(
            _keeps(inner, None) for call in function.calls() if (inner := runs(call)) is not None
        )
    found: bool = file.memo[key]
    return found


def knows_threads(function: Function | None) -> bool:
    """Tell whether a function asks which thread it is on, and decides by the answer."""
    while function is not None:
        if _keeps(function, None, threads_alone=True):
            return True
        function = function.parent
    return False


def _keeps(function: Function, but: cst.CSTNode | None, *, threads_alone: bool = False, of_loops: bool = True) -> bool:
    file = function.file
    if not function.may_use(file.libraries.leaves(LoopKeeper)):
        return False
    for node in function.nodes(cst.Call):
        if node is but:
            continue
        for row in file.rows_of_call(file.call(node), LoopKeeper):
            if (threads_alone and not row.thread) or (row.of_loop and not of_loops):
                continue
            if row.gives or (row.asks and (not row.only_tested or _is_tested(file, node))):
                return True
    return False


def _is_tested(file: File, node: cst.CSTNode) -> bool:
    """Tell whether the outcome of a call decides: in a comparison, a test, or a `try` with handlers."""
    for ancestor in file.ancestors(node):
        if isinstance(ancestor, (cst.Comparison, cst.If, cst.IfExp, cst.While, cst.Assert)):
            return not isinstance(ancestor, (cst.If, cst.While)) or _below(file, node, ancestor.test)
        if isinstance(ancestor, cst.Try):
            return bool(ancestor.handlers) and _below(file, node, ancestor.body)
        if isinstance(ancestor, (cst.FunctionDef, cst.Lambda)):
            return False
    return False


def _below(file: File, node: cst.CSTNode, root: cst.CSTNode) -> bool:
    return node is root or root in file.ancestors(node)


def is_guarded(file: File, node: cst.CSTNode, catching: Iterable[str]) -> bool:
    """Tell whether a `try` of the same function catches one of these exceptions (or all) around a node."""
    names = {"Exception", "BaseException", *catching}
    child = node
    for ancestor in file.ancestors(node):
        if isinstance(ancestor, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            return False
        if isinstance(ancestor, (cst.Try, cst.TryStar)) and child is ancestor.body:
            if any(catches(file, handler, catching) for handler in ancestor.handlers):
                return True
        if isinstance(ancestor, cst.With) and child is ancestor.body:
            for item in ancestor.items:  # contextlib.suppress(…)
                if isinstance(item.item, cst.Call) and any(_named(file, arg.value, names) for arg in item.item.args):
                    return True
        child = ancestor
    return False


def catches(file: File, handler: cst.ExceptHandler | cst.ExceptStarHandler, catching: Iterable[str]) -> bool:
    """Tell whether an except clause takes one of these built-in exceptions, or all."""
    names = {"Exception", "BaseException", *catching}
    if handler.type is None:
        return True
    types = [e.value for e in handler.type.elements] if isinstance(handler.type, cst.Tuple) else [handler.type]
    return any(_named(file, type_, names) for type_ in types)


def _named(file: File, type_: cst.BaseExpression, names: set[str]) -> bool:
    if isinstance(type_, cst.Name) and type_.value in names:
        return True
    qualified = file.qualified_name(type_)
    return qualified is not None and qualified.removeprefix("builtins.") in names


def stands_in_a_test(call: Call) -> bool:
    """Tell whether an `if` around a call may know about loops: one that asks for a coroutine does not."""
    for node in call.file.ancestors(call.node):
        if isinstance(node, cst.FunctionDef):
            return False
        if isinstance(node, cst.If):
            asked = call.file.call(node.test) if isinstance(node.test, cst.Call) else None
            if asked is None or not call.file.rows_of_call(asked, CoroutineTest):
                return True
    return False


def may_leave_before(call: Call) -> bool:
    """Tell whether the function of a call may return before it, because of what another function answers.

    `if is_simulated(): return` above: whoever calls the function may know that it does not come to the call.
    """
    function, file = call.function, call.file
    if function is None or not isinstance(function.node.body, cst.IndentedBlock):
        return False
    around = {call.node, *file.ancestors(call.node)}
    for statement in function.node.body.body:
        if statement in around:
            return False
        if isinstance(statement, cst.If) and any(isinstance(node, cst.Return) for node in own_nodes(statement.body)):
            if any(isinstance(node, cst.Call) for node in own_nodes(statement.test)):
                return True
    return False


def bare_way(call: Call, catching: Iterable[str] = ("RuntimeError",)) -> Way | None:
    """Return a way to a call that runs on a thread and on which nobody gives it a loop, asks, or catches."""
    function = call.function
    if function is None or function.is_async or is_guarded(call.file, call.node, catching):
        return None
    if knows_loops(function, but=call.node):
        return None
    for way in thread_ways(function):
        if not any(knows_loops(passed) for passed in way.functions) and not any(
            hop.function is not None and is_guarded(hop.file, hop.node, catching) for hop in way.hops
        ):
            return way
    return None


def script_way(call: Call) -> Way | None:
    """Return the thread on which a library runs this file as its script, for code at module level."""
    file = call.file
    if call.function is not None or is_guarded(file, call.node, ("RuntimeError",)):
        return None
    keepers, names = _called_at_import(file)
    if keepers - {call.node}:
        return None
    for row in file.libraries.rows(ThreadScript):
        if any(name.startswith(f"{row.module}.") for name in names):
            return Way("thread", row.thread)
    return None


def _called_at_import(file: File) -> tuple[frozenset[cst.Call], frozenset[str]]:
    """Return the module-level calls that know of loops, and the names of all that is called there."""
    found: tuple[frozenset[cst.Call], frozenset[str]] | None = file.memo.get("called at import")
    if found is None:
        calls = [n for n in file.skeleton.by_kind.get(cst.Call, ()) if isinstance(n, cst.Call)]
        keepers = frozenset(n for n in calls if file.rows_of_call(file.call(n), LoopKeeper))
        found = keepers, frozenset(file.qualified_name(n.func) or "" for n in calls)
        file.memo["called at import"] = found
    return found


def on_loop(call: Call, catching: Iterable[str] = ("RuntimeError",)) -> Way | None:
    """Return a way from a coroutine to a call in a plain function on which nobody asks or catches."""
    function = call.function
    if function is None or function.is_async or is_guarded(call.file, call.node, catching):
        return None
    if knows_loops(function):
        return None
    for way in loop_ways(function):
        if not any(knows_loops(passed) for passed in way.functions) and not any(
            is_guarded(hop.file, hop.node, catching) for hop in way.hops
        ):
            return way
    return None


def foreign_way(call: Call) -> Way | None:
    """Return a way to a call that runs on a thread with which no function on it has a loop of its own."""
    function = call.function
    if function is None or function.is_async or not has_no_loop(function):
        return None
    for way in thread_ways(function):
        if all(has_no_loop(passed) for passed in way.functions):
            return way
    return None


def has_no_loop(function: Function) -> bool:
    """Tell whether a function neither makes, sets, asks for nor runs a loop, by helpers neither."""
    return not _runs_loop(function) and not knows_loops(function)


def _runs_loop(function: Function, depth: int = 2) -> bool:
    """Tell whether a function runs a loop of its own: itself, or by what it calls (`super().run()` of a server)."""
    key = ("runs a loop", function, depth)
    memo = function.file.memo
    if key not in memo:
        memo[key] = False
        runs_it = function.may_use(function.file.libraries.leaves(RunsLoop))
        memo[key] = (runs_it and any(function.file.rows_of_call(call, RunsLoop) for call in function.calls())) or (
            depth > 0
            and any((inner := runs(call)) is not None and _runs_loop(inner, depth - 1) for call in function.calls())
        )
    found: bool = memo[key]
    return found


def thread_way(call: Call, catching: Iterable[str]) -> Way | None:
    """Return a way to a call that runs on a thread, if nobody on it asks for the thread or catches."""
    function = call.function
    if function is None or function.is_async or is_guarded(call.file, call.node, catching):
        return None
    if knows_threads(function):
        return None
    for way in thread_ways(function):
        if not any(knows_threads(passed) for passed in way.functions) and not any(
            is_guarded(hop.file, hop.node, catching) for hop in way.hops if hop.function is not None
        ):
            return way
    return None


def asks_thread(file: File, node: cst.CSTNode) -> bool:
    """Tell whether a condition around a node asks for the thread or loop; for code at module level."""
    for ancestor in file.ancestors(node):
        if isinstance(ancestor, cst.If):
            for inner in all_nodes(ancestor.test):
                if isinstance(inner, cst.Call) and file.rows_of_call(file.call(inner), LoopKeeper):
                    return True
    return False
