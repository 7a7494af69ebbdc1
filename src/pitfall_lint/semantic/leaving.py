"""Where a stream leaves a function, and which blocks and closes around it would have to let go of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Span
from pitfall_lint.libraries.sessions import StreamBody
from pitfall_lint.semantic.closing_names import is_closing_name
from pitfall_lint.semantic.ownership import resource_of
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.escapes import Escaped
    from pitfall_lint.semantic.file import File

_LOOPS = (cst.For, cst.While)


@dataclass
class Plan:
    """What has to be rewritten so that the stream can be handed out."""

    leaving: cst.Return
    host: cst.CSTNode
    """The statement that holds the stream."""
    stream: cst.BaseExpression
    withs: list[cst.With] = field(default_factory=list)
    """Outermost first."""
    finals: list[tuple[cst.Try, cst.BaseStatement]] = field(default_factory=list)
    """Closing statements of `finally`, outermost last."""
    earlier: list[cst.BaseStatement] = field(default_factory=list)
    """Closing statements right before."""


def plan_of(file: File, escapes: list[Escaped]) -> Plan | None:
    """Return what would have to be rewritten for a stream; None for shapes that can't be mended surely."""
    leaving = escapes[0].leaving
    if not isinstance(leaving, cst.Return) or leaving.value is None or not own_line(file, leaving):
        return None
    stream = stream_of(file, leaving.value)
    if stream is None:
        return None
    plan = Plan(leaving, file.statement_of(stream), stream)
    if not own_line(file, plan.host):
        return None
    for escaped in escapes:
        if isinstance(escaped.closed_at, cst.WithItem):
            block = file.parent(escaped.closed_at)
            if not isinstance(block, cst.With) or not _can_be_stacked(file, block, escaped):
                return None
            if block not in plan.withs:
                plan.withs.append(block)
            continue
        place = _top_statement(file, escaped.closed_at)
        if place is None:
            return None
        statement, outer = place
        if isinstance(outer, cst.Try):
            if (outer, statement) not in plan.finals:
                plan.finals.append((outer, statement))
        elif not stands_before(file, statement, leaving):
            return None
        elif statement not in plan.earlier:
            plan.earlier.append(statement)
    if not _holds_all(file, plan):
        return None
    plan.withs.sort(key=lambda block: file.span(block).start)
    plan.finals.sort(key=lambda pair: (-file.span(pair[0]).start, file.span(pair[1]).start))
    return plan if _fits(file, plan) else None


def stream_of(file: File, value: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return the iterable in what is returned: the response's body, or the value itself."""
    if isinstance(value, cst.Name):
        found = file.lookup(value.value, value)
        values = [getattr(b, "value", None) for b in found.bindings] if found is not None else []
        if len(values) == 1 and isinstance(values[0], cst.Call) and _content(file, values[0]) is not None:
            return _content(file, values[0])
    if isinstance(value, cst.Call) and (content := _content(file, value)) is not None:
        return content
    return value


def _content(file: File, node: cst.Call) -> cst.BaseExpression | None:
    call = file.call(node)
    row = file.libraries.find(StreamBody, call.name) if call.name is not None else None
    content = call.where(row.content) if row is not None else None
    if isinstance(content, cst.Call) and (inner := _content(file, content)) is not None:
        return inner
    return content


def body_of(file: File, stream: cst.BaseExpression) -> tuple[Call, StreamBody] | None:
    """Return the response that a stream is the content of, with its row."""
    argument = file.parent(stream)
    node = file.parent(argument) if isinstance(argument, cst.Arg) else None
    call = file.call(node) if isinstance(node, cst.Call) else None
    row = file.libraries.find(StreamBody, call.name) if call is not None and call.name is not None else None
    return (call, row) if call is not None and row is not None else None


def _can_be_stacked(file: File, block: cst.With, escaped: Escaped | None) -> bool:
    """Tell whether everything that a `with` enters is a session, so that it may be left somewhere else."""
    if not isinstance(block.body, cst.IndentedBlock) or colon_of(file, block) is None:
        return False
    for item in block.items:
        bound = item.asname.name if item.asname is not None else item.item
        if (escaped is not None and item is escaped.closed_at) or resource_of(file, bound) is not None:
            continue
        return False
    return True


def _holds_all(file: File, plan: Plan) -> bool:
    """Add the blocks around that hold something the stream goes back to; tell whether all can be let go of."""
    needed = _goes_back_to(file, plan.stream)
    for outer in file.ancestors(plan.host):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            break
        if isinstance(outer, cst.With) and outer not in plan.withs:
            bound = [item.asname.name if item.asname is not None else item.item for item in outer.items]
            if any(file.text(one) in needed and resource_of(file, one) is not None for one in bound):
                if not _can_be_stacked(file, outer, None):
                    return False
                plan.withs.append(outer)
        if isinstance(outer, cst.Try) and outer.finalbody is not None:
            for node in all_nodes(outer.finalbody):
                call = file.call(node) if isinstance(node, cst.Call) else None
                closes = call is not None and call.method is not None and is_closing_name(call.method)
                if call is None or not closes or call.receiver is None or file.text(call.receiver) not in needed:
                    continue
                place = _top_statement(file, call.node)
                if place is None or (place[1], place[0]) not in plan.finals:
                    return False
    return True


def _goes_back_to(file: File, stream: cst.BaseExpression) -> set[str]:
    """Return the local names that a stream mentions, and those that they were made from."""
    found: set[str] = set()
    waiting: list[cst.CSTNode] = [stream]
    while waiting:
        for node in all_nodes(waiting.pop()):
            if not isinstance(node, cst.Name) or node.value in found:
                continue
            known = file.lookup(node.value, node)
            if known is None or known.scope not in ("function", "comprehension"):
                continue
            found.add(node.value)
            for binding in known.bindings:
                value = getattr(binding, "value", None) or getattr(binding, "node", None)
                if isinstance(value, (cst.BaseExpression, cst.FunctionDef)):
                    waiting.append(value.body if isinstance(value, cst.FunctionDef) else value)
    return found


def _fits(file: File, plan: Plan) -> bool:
    """Tell whether the blocks stand around the stream in a way that can be rewritten."""
    around = list(file.ancestors(plan.host))
    if not plan.withs:
        return True
    first = plan.withs[0]
    if first not in around:  # the stream is returned behind the block
        return len(plan.withs) == 1 and stands_before(file, first, plan.host)
    between = around[: around.index(first)]
    return all(block in between for block in plan.withs[1:]) and (
        len(plan.withs) == 1 or not any(isinstance(outer, _LOOPS) for outer in between)
    )


def stands_before(file: File, statement: cst.CSTNode, other: cst.CSTNode) -> bool:
    """Tell whether a statement stands before another one in the same block."""
    line = file.parent(other)
    block = file.parent(line) if line is not None else None
    body: list[cst.CSTNode] = list(block.body) if isinstance(block, cst.IndentedBlock) else []
    return statement in body and line in body and body.index(statement) < body.index(line)


def own_line(file: File, statement: cst.CSTNode) -> bool:
    """Tell whether a small statement stands on a line of its own."""
    line = file.parent(statement)
    return isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1


def ends_with(file: File, leaving: cst.Return) -> bool:
    """Tell whether a `return` is where the function ends on every path."""
    current: cst.CSTNode | None = file.parent(leaving)
    for outer in file.ancestors(leaving):
        if isinstance(outer, cst.IndentedBlock) and outer.body[-1] is not current:
            return False
        if isinstance(outer, cst.FunctionDef):
            return True
        if isinstance(outer, (cst.If, *_LOOPS, cst.Try, cst.Match)):
            return False
        current = outer if not isinstance(outer, cst.IndentedBlock) else current
    return False


def _top_statement(file: File, node: cst.CSTNode) -> tuple[cst.BaseStatement, cst.Try | None] | None:
    """Return the statement of `finally` that a close stands in, and the `try`; or the plain statement of a close."""
    current: cst.CSTNode = node
    statement: cst.BaseStatement | None = None
    for outer in file.ancestors(node):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            break
        if isinstance(outer, cst.IndentedBlock) and isinstance(current, cst.BaseStatement):
            parent = file.parent(outer)
            statement = statement or current
            if isinstance(parent, cst.Finally):
                block = file.parent(parent)
                return (current, block) if isinstance(block, cst.Try) else None
        current = outer
    simple = isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Expr)
    return (statement, None) if statement is not None and simple else None


def colon_of(file: File, block: cst.With) -> int | None:
    """Return the offset of the colon behind the items of a `with`; None if comments stand in between."""
    item = block.items[-1]
    last = item.asname.name if item.asname is not None else item.item
    at, data = file.span(last).end, file.source.data
    while data[at : at + 1] in (b" ", b")", b",", b"\n", b"\r", b"\t", b"\\"):
        at += 1
    return at if data[at : at + 1] == b":" else None


def whole_span(file: File, node: cst.BaseExpression) -> Span | None:
    """Return the bytes of an expression with its own parentheses; None if comments stand between."""
    span, data = file.span(node), file.source.data
    start, end = span.start, span.end
    for _ in file.exact(node).lpar:
        start = len(data[:start].rstrip()) - 1
        while data[end : end + 1].isspace():
            end += 1
        if data[start : start + 1] != b"(" or data[end : end + 1] != b")":
            return None
        end += 1
    return Span(start, end)
