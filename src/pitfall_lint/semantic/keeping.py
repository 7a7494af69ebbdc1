"""What to do with a task that is dropped: keep it and log, await it, or start it in a task group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Fix
from pitfall_lint.semantic import handling
from pitfall_lint.semantic.watcher import watch

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File
    from pitfall_lint.semantic.tasks import Started


def keep_it(task: Started, what: str = "task") -> Fix:
    """Return the fix that hands a task (or future) to the module's helper, which keeps it and logs its exception."""
    return watch(task.call.file, task.call.node, f"Keep the {what} and log what it raises")


def await_it(task: Started, title: str = "Await it here") -> Fix | None:
    """Return the fix that awaits what is started and dropped; None in sync functions, and for what never ends."""
    call, coroutine = task.call, task.coroutine
    file, node = call.file, call.node
    if not isinstance(file.parent(node), cst.Expr) or not call.in_async_function:
        return None
    if task.row.awaitable:
        return file.replace(node, f"await {file.code(node)}", title)
    if coroutine is None or task.is_silent or not any(arg.value is coroutine for arg in call.node.args):
        return None
    if handling.runs_forever(file, coroutine):
        return None
    code = file.wording(coroutine) if isinstance(coroutine, cst.Call) else file.code(coroutine)
    return file.replace(node, f"await {code}", title)


def group_it(task: Started) -> Fix | None:
    """Return the fix that starts a dropped task in a group, which waits for it where the function ends.

    Only where every Python that the project allows has task groups (asyncio's came with 3.11).
    """
    file, call, row = task.call.file, task.call, task.row
    allows, function = file.project.allows, task.call.function
    if not row.group or task.helper is not None or task.coroutine is None or function is None:
        return None
    if allows is None or allows("python", row.group_python, file.path) is not True:
        return None
    if not isinstance(file.parent(call.node), cst.Expr) or not function.is_async or function.is_generator:
        return None
    if call.node.args[0].value is not task.coroutine or handling.runs_forever(file, task.coroutine):
        return None
    if {arg.keyword.value if arg.keyword is not None else arg.star for arg in call.node.args[1:]} - {"name", "context"}:
        return None
    first = _in_body(file, function.node.body, call.statement)
    if first is None or not isinstance(function.node.body, cst.IndentedBlock):
        return None
    module, _, group = row.group.rpartition(".")
    module, imports = file.edit_import(module)
    name = _free_name(file.code(function.node))
    return file.edits(
        "Start it in a task group, which waits for it",
        imports,
        file.edit_wrap(first, function.node.body.body[-1], f"async with {module}.{group}() as {name}:"),
        file.edit_replace(call.node.func, f"{name}.create_task"),
    )


def _in_body(file: File, body: cst.CSTNode, node: cst.CSTNode) -> cst.CSTNode | None:
    """Return the statement of a function's own body in which a node stands."""
    child = node
    for ancestor in file.ancestors(node):
        if ancestor is body:
            return child
        if isinstance(ancestor, (cst.FunctionDef, cst.Lambda)):
            return None
        child = ancestor
    return None


def _free_name(code: str) -> str:
    return next((name for name in ("group", "tasks", "task_group") if name not in code), "background_group")
