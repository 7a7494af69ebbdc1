"""Handlers that take a cancellation: which they are, and whether the task goes on behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Cancellation, Suppressor
from pitfall_lint.semantic import clauses
from pitfall_lint.semantic.walk import own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_ENDS = (cst.Raise, cst.Return, cst.Break)
_FUTURE_METHODS = frozenset({"cancel", "cancel_scope", "uncancel"})


@dataclass(frozen=True, eq=False)
class Swallower:
    """A clause or suppress() that takes a cancellation."""

    node: cst.CSTNode
    body: cst.CSTNode
    """What it stands around."""
    handler: cst.ExceptHandler | None
    row: Cancellation


def swallowers(file: File) -> Iterator[Swallower]:
    """Yield what takes cancellations in the looked-at async functions, first clauses first."""
    for node in file.nodes(cst.Try, cst.With):
        function = file.function_of(node)
        if function is None or not function.is_async:
            continue
        if isinstance(node, cst.With):
            for item in node.items:
                if isinstance(item.item, cst.Call) and _suppresses(file, item.item):
                    for arg in item.item.args:
                        if (row := _row(file, arg.value)) is not None:
                            yield Swallower(item.item, node.body, None, row)
        elif isinstance(node, cst.Try):
            for handler in node.handlers:
                row = _row(file, handler.type) if handler.type is not None else _everything(file)
                if row is not None:
                    yield Swallower(handler, node.body, handler, row)
                    break  # later clauses never see it


def _everything(file: File) -> Cancellation | None:
    """Return the row of what a bare `except:` takes."""
    return next((row for row in file.libraries.rows(Cancellation) if row.bare), None)


def _suppresses(file: File, call: cst.Call) -> bool:
    name = file.qualified_name(call.func)
    return name is not None and file.libraries.find(Suppressor, name) is not None


def _row(file: File, node: cst.BaseExpression) -> Cancellation | None:
    if isinstance(node, cst.Tuple):
        return next((row for element in node.elements if (row := _row(file, element.value)) is not None), None)
    name = file.qualified_name(node.func if isinstance(node, cst.Call) else node)
    return file.libraries.find(Cancellation, name) if name is not None else None


def is_swallowed(file: File, taker: Swallower) -> bool:
    """Tell whether the cancellation of the task is eaten: it goes on as if nothing had been asked."""
    if not _awaits(file, taker):
        return False
    handler = taker.handler
    if taker.row.never:
        return handler is not None and not any(isinstance(node, cst.Raise) for node in own_nodes(handler.body))
    if _cancels(file, taker) or (handler is not None and not _goes_on(file, handler)):
        return False
    if file.enclosing(taker.body, cst.While, cst.For) is not None:
        return not _leaves_next(file, taker)
    return _is_followed(file, taker)


def _leaves_next(file: File, taker: Swallower) -> bool:
    """Tell whether what comes next behind the `try` or `with` leaves the loop around it."""
    statement: cst.CSTNode | None = file.parent(taker.body)
    while statement is not None and not isinstance(statement, (cst.While, cst.For)):
        block = file.parent(statement)
        if isinstance(block, cst.IndentedBlock) and statement in block.body:
            for following in block.body[block.body.index(statement) + 1 :]:
                if isinstance(following, cst.SimpleStatementLine) and isinstance(following.body[-1], _ENDS):
                    return True
        statement = block
    return False


def _is_followed(file: File, taker: Swallower) -> bool:
    """Tell whether more is done behind the `try` or `with`, in the same function."""
    statement: cst.CSTNode | None = file.parent(taker.body)
    while statement is not None and not isinstance(statement, (cst.FunctionDef, cst.Lambda)):
        block = file.parent(statement)
        if isinstance(block, cst.IndentedBlock) and statement in block.body and statement is not block.body[-1]:
            return True
        statement = block
    return False


def loops_for_ever(file: File, taker: Swallower) -> bool:
    """Tell whether the loop around has no end of its own: no flag, and no last element."""
    loop = file.enclosing(taker.body, cst.While, cst.For)
    return isinstance(loop, cst.While) and clauses.always_holds(file, loop.test)


def _awaits(file: File, taker: Swallower) -> bool:
    """Tell whether the task waits in there for something that is not just another task."""
    for node in own_nodes(taker.body):
        if isinstance(node, cst.Await):
            if taker.row.never:
                return True
            if not isinstance(node.expression, (cst.Name, cst.Attribute, cst.Subscript)):
                return not _waits_for_tasks(node.expression)
        if isinstance(node, (cst.For, cst.With, cst.CompFor)) and node.asynchronous is not None:
            return True
    return False


def _waits_for_tasks(node: cst.BaseExpression) -> bool:
    """`gather(*tasks)`, `wait_for(task, 3)`, `shield(task)`: the cancellation may be theirs."""
    if not isinstance(node, cst.Call) or not node.args:
        return False
    leaf = node.func.attr.value if isinstance(node.func, cst.Attribute) else getattr(node.func, "value", "")
    first = node.args[0].value
    return leaf in {"gather", "wait_for", "shield", "wait"} and isinstance(
        first, (cst.Name, cst.Attribute, cst.Subscript)
    )


def _cancels(file: File, taker: Swallower) -> bool:
    """Tell whether the function itself cancels something: then it expects the error."""
    function = file.function_of(taker.body)
    return function is not None and any(call.method in _FUTURE_METHODS for call in function.calls())


def _goes_on(file: File, handler: cst.ExceptHandler) -> bool:
    """Tell whether the loop is taken up again: the clause neither ends anything nor hands the exception on."""
    name = handler.name.name.value if handler.name is not None and isinstance(handler.name.name, cst.Name) else None
    for node in own_nodes(handler.body):
        if isinstance(node, (*_ENDS, cst.Assign, cst.AugAssign, cst.AnnAssign, cst.Yield, cst.Await)):
            return False
        if isinstance(node, cst.Call) and not clauses.logs(file, node):
            if isinstance(file.parent(node), cst.Expr) and not _is_print(node):
                return False  # perhaps it stops the loop, or keeps the error
        if name is not None and isinstance(node, cst.Name) and node.value == name and not _is_told(file, node, handler):
            return False
    return True


def _is_print(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Name) and call.func.value == "print"


def _is_told(file: File, node: cst.CSTNode, stop: cst.CSTNode) -> bool:
    """Tell whether a mention of the exception is only for a log line."""
    for ancestor in file.ancestors(node):
        if isinstance(ancestor, cst.Call) and (clauses.logs(file, ancestor) or _is_print(ancestor)):
            return True
        if ancestor is stop:
            return False
    return False
