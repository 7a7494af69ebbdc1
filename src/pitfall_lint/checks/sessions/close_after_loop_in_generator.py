"""A generator that is not read to its end never gets to the lines behind its loop."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.closing import is_plain_close
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.edits import indentation
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.walk import own_nodes

_CONTEXT_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})


def check(file: File) -> Iterator[Finding]:
    """Report closes of names that stand behind a loop with `yield`, or behind the `yield` of a context manager."""
    for function in file.functions():
        if not function.is_generator:
            continue
        for call in function.calls():
            before = handed_out_before(file, call)
            if before is None or not is_plain_close(call):
                continue
            if isinstance(before, cst.SimpleStatementLine):
                if not is_context_manager(function) or not lends_out(before, call.receiver):
                    continue
                message = f"an error in the `with` block is raised at the `yield` and skips {call.text}"
                related = [file.related(before, "raises what the block raises")]
            else:
                message = (
                    f"a reader that stops early, or an error in the loop, skips {call.text}: close it in `finally`"
                )
                related = [file.related(before, "this loop hands out values")]
            yield file.finding(call.node, message, fix=finally_(file, call, before), related=related)


def is_context_manager(function: Function) -> bool:
    """Tell whether a generator is one of a `with` block: what the block raises is raised at its `yield`."""
    return any(name in _CONTEXT_MANAGERS for name in function.decorator_names)


def lends_out(line: cst.SimpleStatementLine, receiver: cst.BaseExpression | None) -> bool:
    """Tell whether a line yields what is closed later; a bare `yield`, or one of state, is a server's lifespan."""
    while isinstance(receiver, cst.Attribute):
        receiver = receiver.value
    if not isinstance(receiver, cst.Name):
        return False
    values = [node.value for node in own_nodes(line) if isinstance(node, cst.Yield)]
    return any(
        isinstance(node, cst.Name) and node.value == receiver.value
        for value in values
        if isinstance(value, cst.BaseExpression) and not isinstance(value, cst.Dict)
        for node in own_nodes(value)
    )


def handed_out_before(file: File, call: Call) -> cst.For | cst.While | cst.SimpleStatementLine | None:
    """Return the loop with `yield`, or the line with it, before a close in the same block; nothing else closes it."""
    statement = call.statement
    line = file.parent(statement)
    block = file.parent(line) if line is not None else None
    if not isinstance(statement, cst.Expr) or not isinstance(block, (cst.IndentedBlock, cst.Module)):
        return None
    if file.enclosing(statement, cst.Finally, cst.ExceptHandler) is not None or call.receiver is None:
        return None
    text = file.text(call.receiver)
    for outer in file.ancestors(statement):
        if isinstance(outer, cst.With) and any(lends(file, item, call.receiver) for item in outer.items):
            return None
        if isinstance(outer, cst.Try) and outer.finalbody is not None and text in file.code(outer.finalbody):
            return None
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            break
    for other in block.body:
        if other is line:
            break
        if isinstance(other, (cst.For, cst.While)) and any(isinstance(n, cst.Yield) for n in own_nodes(other.body)):
            return other
        if isinstance(other, cst.SimpleStatementLine) and any(isinstance(n, cst.Yield) for n in own_nodes(other)):
            return other
    return None


def lends(file: File, item: cst.WithItem, receiver: cst.BaseExpression) -> bool:
    """Tell whether a `with` around closes the thing on its way out: it binds it, or what it was made from."""
    bound = file.text(item.asname.name if item.asname is not None else item.item)
    if file.text(receiver) == bound:
        return True
    found = file.lookup(receiver.value, receiver) if isinstance(receiver, cst.Name) else None
    values = [getattr(binding, "value", None) for binding in found.bindings] if found is not None else []
    return any(
        isinstance(node, cst.Name) and node.value == bound
        for value in values
        if isinstance(value, cst.BaseExpression)
        for node in own_nodes(value)
    )


def finally_(file: File, call: Call, loop: cst.For | cst.While | cst.SimpleStatementLine) -> Fix | None:
    """Return the fix: the loop or line, and what stands between, goes into `try`, the close into `finally`."""
    line = file.parent(call.statement)
    block = file.parent(line) if line is not None else None
    tree = file.tree_of(loop)
    if not isinstance(block, cst.IndentedBlock) or tree is None or line is None:
        return None
    before = block.body[list(block.body).index(line) - 1]  # type: ignore[arg-type]
    last = before.body[0] if isinstance(before, cst.SimpleStatementLine) else before
    inner = indentation(file, call.node) + tree.indent
    return file.edits(
        "Close it in finally",
        file.edit_wrap(loop.body[0] if isinstance(loop, cst.SimpleStatementLine) else loop, last, "try:"),
        file.edit_replace(call.statement, f"finally:\n{inner}{file.code(call.statement)}"),
    )
