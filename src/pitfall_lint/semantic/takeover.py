"""Mending streams that outlive what they read from: the generator that is read takes the closing over."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Edit, Fix, Span
from pitfall_lint.libraries.core import Function as FunctionRow
from pitfall_lint.libraries.sessions import Lazy
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.leaving import Plan, body_of, colon_of, ends_with, plan_of, whole_span
from pitfall_lint.semantic.rewriting import Rewriting
from pitfall_lint.semantic.streams import iterated
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.escapes import Escaped
    from pitfall_lint.semantic.file import File


def generator_owns(function: Function, escapes: list[Escaped], groups: list[list[Escaped]]) -> Fix | None:
    """Return the fix that lets generators own what the returned streams read from; None where that is unsure.

    All streams that leave the same `with` are mended together: `groups` are all escapes of the function.
    """
    file = function.file
    plans = _together(file, escapes, groups)
    if not plans or (len(plans) > 1 and any(plan.finals or plan.earlier for plan in plans)):
        return None
    used = set(re.findall(r"\w+", file.code(function.node)))
    change = Rewriting(file, function.node)
    imports: tuple[Edit, ...] = ()
    stack = owned = ""
    withs = sorted({block for plan in plans for block in plan.withs}, key=lambda block: file.span(block).start)
    if withs:
        if any(plan.withs[0] is not withs[0] for plan in plans):
            return None
        stack, owned = fresh(used, "stack", "exit_stack"), fresh(used, "owned", "taken_over")
        imports = _stacked(file, withs, change, stack)
    for plan in plans:
        how = iterated(function, plan.stream)
        waits = any(_awaits(statement) for statement in (*(s for _, s in plan.finals), *plan.earlier))
        waits_for_stack = any(block.asynchronous for block in withs)
        if how is None or (how == "sync" and (waits or waits_for_stack)):
            return None
        if withs:
            _pull_in(file, plan, change)
        last: list[str] = []
        closing = _closing(file, plan, change, used, last)
        span = whole_span(file, plan.stream)
        if closing is None or span is None:
            return None
        body = fresh(used, "body", "stream_body", "owned_body")
        item = fresh(used, "chunk" if plan.stream is not plan.leaving.value else "item", "part", "each_part")
        code = file.source.text(span.start, span.end)
        code = f"({code})" if isinstance(plan.stream, cst.GeneratorExp) and not file.exact(plan.stream).lpar else code
        lines = [f"async for {item} in {code}:", f"{change.unit}yield {item}"]
        lines = lines if how == "async" else [f"yield from {code}"]
        if withs:
            lines = [f"{'async ' if waits_for_stack else ''}with {owned}:", *deeper(lines, change.unit)]
        if closing:
            lines = ["try:", *deeper(lines, change.unit), "finally:", *deeper(closing, change.unit)]
        header = f"{'async ' if how == 'async' else ''}def {body}():"
        before = [f"{owned} = {stack}.pop_all()", ""] if withs else [""]
        change.insert(plan.host, [*before, header, *deeper(lines, change.unit), ""])
        change.insert(plan.leaving, last)
        change.replace(span, f"{body}()")
    return file.edits("Let the generator that is read close it", change.edits(), imports)


def _together(file: File, escapes: list[Escaped], groups: list[list[Escaped]]) -> list[Plan]:
    """Return the plans of all streams that leave the same blocks; nothing if one of them can't be mended."""
    first = plan_of(file, escapes)
    if first is None:
        return []
    plans = [first]
    for group in groups:
        if group[0].leaving is escapes[0].leaving:
            continue
        plan = plan_of(file, group)
        blocks = {file.parent(one.closed_at) for one in group if isinstance(one.closed_at, cst.WithItem)}
        if not (blocks | set(plan.withs if plan is not None else ())).isdisjoint(first.withs):
            if plan is None or any(one.before for one in (*group, *escapes)):
                return []
            plans.append(plan)
    return plans


def with_moves_in(function: Function, escapes: list[Escaped]) -> Fix | None:
    """Return the fix for a generator that is defined in the `with`: the `with` goes into the generator."""
    file = function.file
    plan = plan_of(file, escapes)
    if plan is None or len(plan.withs) != 1 or plan.finals or plan.earlier or plan.host is not plan.leaving:
        return None
    block, stream = plan.withs[0], plan.stream
    colon = colon_of(file, block)
    if len(block.body.body) != 2 or colon is None or not isinstance(stream, cst.Call):
        return None
    inner, line = block.body.body
    if not isinstance(inner, cst.FunctionDef) or line is not file.parent(plan.leaving) or inner.decorators:
        return None
    generator = file.function(inner)
    if not generator.is_generator or file.definition(stream.func) is not generator:
        return None
    bound = {name for item in block.items for name in _bound(item)}
    if bound & {node.value for node in all_nodes(line) if isinstance(node, cst.Name)} or not generator.is_async:
        if bound or block.asynchronous:
            return None
    if not isinstance(inner.body, cst.IndentedBlock) or bound & {param.name for param in generator.params}:
        return None
    change = Rewriting(file, function.node)
    starts, first = file.source.line_starts, change.lines_of(inner.body.body[0])[0]
    header = file.source.text(file.span(block).start, colon)
    top = change.lines_of(block)[0]
    change.replace(Span(starts[top], starts[file.source.position(colon)[0]]), "")
    change.move(change.lines_of(inner)[0], first - 1, -1)
    change.head_line(first, [f"{change.indentation(change.lines_of(inner)[0])}{header}:"])
    change.move(*change.lines_of(plan.leaving), -1)
    return file.edits("Let the generator open and close it", change.edits())


def _bound(item: cst.WithItem) -> set[str]:
    return {node.value for node in all_nodes(item.asname) if isinstance(node, cst.Name)} if item.asname else set()


def handed_over(function: Function, escapes: list[Escaped]) -> Fix | None:
    """Return the fix for a response that takes the close along already: `finally` spares it then."""
    plan = plan_of(function.file, escapes)
    if plan is None or plan.withs or plan.earlier or not plan.finals:
        return None
    change = Rewriting(function.file, function.node)
    last: list[str] = []
    if _closing(function.file, plan, change, set(re.findall(r"\w+", function.file.code(function.node))), last) is None:
        return None
    change.insert(plan.leaving, last)
    return function.file.edits("Close it here only if it was not handed on", change.edits())


def in_background(function: Function, escapes: list[Escaped]) -> Fix | None:
    """Return the fix that lets the response close what its body has read, by a task behind it."""
    file = function.file
    plan = plan_of(function.file, escapes)
    if plan is None or plan.withs or plan.earlier or len(plan.finals) != 1 or plan.stream is plan.leaving.value:
        return None
    found = body_of(file, plan.stream)
    close = escapes[0].closed_at
    if found is None or not isinstance(close, cst.Call) or close.args or len(escapes) != 1:
        return None
    response, row = found
    if not row.background_type or response.where(row.background) is not None or response.has_star:
        return None
    module, _, name = row.background_type.rpartition(".")
    known, imports = _known_as(file, row.background_type), ()
    if known is None:
        prefix, imports = file.edit_import(module)  # type: ignore[assignment]
        known = f"{prefix}.{name}"
    change = Rewriting(file, function.node)
    last: list[str] = []
    used = set(re.findall(r"\w+", file.code(function.node)))
    if _closing(file, plan, change, used, last) is None:
        return None
    change.insert(plan.leaving, last)
    keyword = row.background.rpartition("|")[2]
    task = f"{keyword}={known}({file.code(close.func)})"
    return file.edits(
        "Close it in a background task", change.edits(), file.edit_add_argument(response.node, task), imports
    )


def function_yields(function: Function, escapes: list[Escaped]) -> Fix | None:
    """Return the fix for a plain function: it becomes the generator that it returned."""
    plan = plan_of(function.file, escapes)
    simple = plan is not None and plan.stream is plan.leaving.value and plan.withs and not plan.earlier
    if plan is None or not simple or function.is_async or function.decorators or plan.finals:
        return None
    file = function.file
    if len(list(function.nodes(cst.Return))) != 1 or iterated(function, plan.stream) != "sync":
        return None
    if not ends_with(file, plan.leaving):
        return None
    change = Rewriting(file, function.node)
    _pull_in(file, plan, change)
    code = file.source.text(file.span(plan.leaving).start, file.span(plan.leaving).end)
    change.replace(plan.leaving, f"yield from {code.removeprefix('return').lstrip()}")
    return file.edits("Make it the generator itself", change.edits())


def awaited_here(function: Function, leaving: cst.Return) -> Fix | None:
    """Return the fix for a coroutine that would run when all is closed: await it before."""
    from pitfall_lint.semantic.closing import unawaited

    value = leaving.value
    if not function.is_async or not isinstance(value, (cst.Call, cst.Name)) or not unawaited(function.file, value):
        return None
    return function.file.replace(value, f"await {function.file.code(value)}", "Await it here")


def read_here(function: Function, escapes: list[Escaped]) -> Fix | None:
    """Return the fix for an answer that is handed out unread: read it before it is closed."""
    file, leaving = function.file, escapes[0].leaving
    value = leaving.value if isinstance(leaving, cst.Return) else None
    lazy = next((one.source.lazy for one in escapes if isinstance(one.source.lazy, cst.Call)), None)
    if not isinstance(value, cst.Name) or lazy is None or not function.is_async:
        return None
    call, type_ = file.call(lazy), file.type_of(value)
    row = file.libraries.find(Lazy, call.name) if call.name is not None else None
    if row is None or row.when or not isinstance(type_, str) or not function.file.enclosing(leaving, cst.With):
        return None
    for method in row.consumed_by:
        known = file.libraries.find(FunctionRow, f"{type_}.{method}")
        if known is not None and known.coroutine:
            title = "Read the answer before it is closed"
            return file.edits(title, file.edit_insert_before(leaving, f"await {value.value}.{method}()"))
    return None


def _closing(file: File, plan: Plan, change: Rewriting, used: set[str], last: list[str]) -> list[str] | None:
    """Rewrite the closes so that they spare the stream; return their lines, and in `last` what notes it down."""
    lines: list[str] = []
    flag = None
    previous: cst.BaseStatement | None = None
    for outer, statement in plan.finals:
        kept = _flag_of(file, statement)
        if kept is not None and isinstance(statement, cst.If):
            last.append(f"{kept} = True")
            lines += _lines(file, change, *statement.body.body)
            continue
        if flag is None:
            flag = fresh(used, "handed_over", "is_handed_over", "taken_over")
            change.head(plan.finals[-1][0], f"{flag} = False")
            last.append(f"{flag} = True")
        body: list[cst.CSTNode] = list(outer.finalbody.body.body) if outer.finalbody is not None else []
        if statement not in body or any(isinstance(node, cst.Return) for node in all_nodes(statement)):
            return None
        if previous is None or previous not in body or body.index(previous) + 1 != body.index(statement):
            change.head(statement, f"if not {flag}:")
        previous = statement
        change.move(*change.lines_of(statement), 1)
        lines += _lines(file, change, statement)
    for statement in plan.earlier:
        first, end = change.lines_of(statement)
        starts = file.source.line_starts
        change.replace(Span(starts[first], starts[end + 1] if end + 1 < len(starts) else len(file.source.data)), "")
        lines += _lines(file, change, statement)
    last[:] = dict.fromkeys(last)
    return lines


def _flag_of(file: File, statement: cst.BaseStatement) -> str | None:
    """Return the name in `if not name: …` when it is a flag of this function, set to True and False alone."""
    if not isinstance(statement, cst.If) or statement.orelse is not None:
        return None
    test = statement.test
    if not isinstance(test, cst.UnaryOperation) or not isinstance(test.operator, cst.Not):
        return None
    if not isinstance(test.expression, cst.Name) or not isinstance(statement.body, cst.IndentedBlock):
        return None
    found = file.lookup(test.expression.value, test.expression)
    values = [getattr(binding, "value", None) for binding in found.bindings] if found is not None else []
    flags = [isinstance(value, cst.Name) and value.value in ("True", "False") for value in values]
    return test.expression.value if flags and all(flags) else None


def _lines(file: File, change: Rewriting, *statements: cst.CSTNode) -> list[str]:
    found: list[str] = []
    for statement in statements:
        if isinstance(statement, cst.SimpleStatementLine):  # without its comment
            found += [file.code(small) for small in statement.body]
            continue
        first, end = change.lines_of(statement)
        text = "".join(line.decode(file.source.encoding) for line in file.source.lines[first : end + 1])
        found += textwrap.dedent(text.replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n").split("\n")
    return found


def _stacked(file: File, withs: list[cst.With], change: Rewriting, stack: str) -> tuple[Edit, ...]:
    """Turn `with` blocks into one exit stack; return the edits that import it."""
    name, imports = file.edit_import("contextlib")
    waits = any(block.asynchronous for block in withs)
    for number, block in enumerate(withs):
        colon = colon_of(file, block)
        assert colon is not None
        assert isinstance(block.body, cst.IndentedBlock)
        entering = [_entering(file, block, item, stack, change.unit if number == 0 else "") for item in block.items]
        start = file.span(block).start
        first, last = change.lines_of(block.body.body[0])[0], change.lines_of(block)[1]
        if number == 0:
            kind = "async with {}.AsyncExitStack() as {}" if waits else "with {}.ExitStack() as {}"
            change.replace(Span(start, colon), kind.format(name, stack))
            inner = change.indentation(change.lines_of(block.body.body[0])[0])
            change.head_line(file.source.position(colon)[0], [f"{inner}{line}" for line in entering])
            continue
        indentation = change.indentation(change.lines_of(block)[0])
        change.replace(Span(start, colon + 1), f"\n{indentation}".join(entering))
        change.move(first, last, -1)
    return imports


def _pull_in(file: File, plan: Plan, change: Rewriting) -> None:
    """Move what stands between a `with` and the stream that is returned behind it into the block."""
    block = plan.withs[0]
    if block not in file.ancestors(plan.host):
        change.move(change.lines_of(block)[1] + 1, change.lines_of(plan.leaving)[1], 1)


def _entering(file: File, block: cst.With, item: cst.WithItem, stack: str, deeper_by: str) -> str:
    bound = f"{file.code(item.asname.name)} = " if item.asname is not None else ""
    enter = f"await {stack}.enter_async_context" if block.asynchronous else f"{stack}.enter_context"
    span = file.span(item.item)
    code = file.source.text(span.start, span.end)
    if '"""' not in code and "'''" not in code:
        code = re.sub(r"(\r\n|\r|\n)(?=[^\r\n])", rf"\1{deeper_by}", code)
    return f"{bound}{enter}({code})"


def _known_as(file: File, qualified: str) -> str | None:
    """Return the name that a class or function goes by in this file, if it is imported."""
    for name, bindings in file.outline.imports.items():
        if any(one.attribute and f"{one.module}.{one.attribute}" == qualified for one in bindings):
            return name
    return None


def _awaits(statement: cst.CSTNode) -> bool:
    return any(isinstance(node, cst.Await) for node in all_nodes(statement))


def deeper(lines: list[str], unit: str) -> list[str]:
    """Return lines one level further in."""
    return [f"{unit}{line}" if line else line for line in lines]


def fresh(used: set[str], *names: str) -> str:
    """Return the first name that is not used yet, and note it down."""
    found = next((name for name in names if name not in used), f"{names[0]}_")
    used.add(found)
    return found
