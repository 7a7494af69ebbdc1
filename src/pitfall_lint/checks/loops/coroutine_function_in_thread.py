"""A thread or a timer that is given a coroutine function calls it, gets a coroutine and drops it: nothing runs."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.loops import RunsLoop, ThreadEntry
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.handover import scheduled
from pitfall_lint.semantic.threads import async_callbacks, is_coroutine, is_coroutine_function


def check(file: File) -> Iterator[Finding]:
    """Report coroutine functions and coroutines that are given to threads and their callbacks."""
    for call, row in file.calls_to(ThreadEntry):
        if row.takes_coroutines:
            continue
        for place in row.function:
            given = call.where(place)
            if given is None or result_is_awaited(call):
                continue
            if is_coroutine_function(file, given):
                says = f"{row.thread} calls it and drops the coroutine, nothing runs"
                message = f"{file.text(given)} is a coroutine function: {says}"
            elif is_coroutine(file, given):
                message = f"{file.text(given)} makes a coroutine, which {row.thread} cannot call: nothing runs"
            else:
                continue
            yield file.finding(given, message, fix=run_it(file, call, row, place, given))
    for node, until, thread in async_callbacks(file):
        message = f"an `async def` here never runs: {thread} calls it and drops the coroutine"
        yield file.finding(node, message, until=until)
    for call in file.calls():
        if (found := scheduled(call)) is not None and drops_a_coroutine(file, found[1]):
            message = f"{file.text(found[1])} makes a coroutine, which {call.text} drops: nothing runs"
            yield file.finding(found[1], message)


def drops_a_coroutine(file: File, given: cst.BaseExpression) -> bool:
    """Tell whether calling what is given makes a coroutine, and nothing else."""
    if isinstance(given, cst.Lambda):
        return isinstance(given.body, cst.Call) and is_coroutine(file, given.body)
    return is_coroutine_function(file, given)


def result_is_awaited(call: Call) -> bool:
    """Tell whether somebody awaits what the thread gave back: `await (await to_thread(f))`, or by a name."""
    file = call.file
    outer = file.parent(call.node)
    outer = file.parent(outer) if isinstance(outer, cst.Await) else outer
    if isinstance(outer, cst.Await):
        return True
    function = call.function
    if not isinstance(outer, cst.Assign) or function is None:
        return False
    names = {t.target.value for t in outer.targets if isinstance(t.target, cst.Name)}
    direct = isinstance(file.parent(call.node), cst.Await)
    awaited = [n.expression for n in function.nodes(cst.Await)]
    return direct and any(isinstance(e, cst.Name) and e.value in names for e in awaited)


def run_it(file: File, call: Call, row: ThreadEntry, place: str, given: cst.BaseExpression) -> Fix | None:
    """Return the fix: await it where the thread's result is awaited, else a loop for the thread."""
    if call.has_star or row.process or row.each:
        return None
    position = int(place.partition("|")[0]) if place.partition("|")[0] else None
    after = [a for i, a in enumerate(call.node.args) if a.value is not given and (a.keyword or i > (position or 0))]
    coroutine = file.code(given)
    if is_coroutine_function(file, given):
        coroutine = f"{coroutine}({', '.join(file.code(a).rstrip(', ') for a in after if not row.launcher)})"
    if call.is_awaited and row.awaitable:
        awaiting = file.parent(call.node)
        assert awaiting is not None
        return file.replace(awaiting, f"await {coroutine}", "Await it: a coroutine needs no thread")
    runners = [r.call for r in file.libraries.rows(RunsLoop) if r.new_loop and r.coroutine == "0|main"]
    if not runners:
        return None
    module, _, leaf = runners[0].rpartition(".")
    name, imports = file.edit_import(module)
    title = f"Run it in the thread: {name}.{leaf}"
    if row.launcher:
        return run_in_thread(file, call, given, f"{name}.{leaf}", title, imports)
    edits = [file.edit_replace(given, f"{name}.{leaf}, {coroutine}")]
    if after and is_coroutine_function(file, given):
        whole = ", ".join(
            [
                *(file.code(a).rstrip(", ") for a in call.node.args[: position or 0]),
                f"{name}.{leaf}",
                coroutine,
            ]
        )
        edits = [file.edit_replace(call.node, f"{file.code(call.node.func)}({whole})")]
    return file.edits(title, edits, imports)


def run_in_thread(
    file: File, call: Call, given: cst.BaseExpression, runner: str, title: str, imports: tuple[object, ...]
) -> Fix | None:
    """Return the fix for `Thread(target=f, args=(…))`: target and args change places with the runner's."""
    args, kwargs = call.keyword("args"), call.keyword("kwargs")
    if kwargs is not None or (args is not None and not isinstance(args, (cst.Tuple, cst.List))):
        return None
    if any(a.value is given and a.keyword is None for a in call.node.args):
        return None  # positional: target and args stand where the signature wants them
    inner = ", ".join(file.code(e).rstrip(", ") for e in args.elements) if args is not None else ""
    made = f"{file.code(given)}({inner})" if is_coroutine_function(file, given) else file.code(given)
    if args is None:
        edits = [file.edit_replace(given, f"{runner}, args=({made},)")]
    else:
        bare = file.source.data[file.span(args).start : file.span(args).start + 1] not in b"(["
        edits = [
            file.edit_replace(given, runner),
            file.edit_replace(args, f"{made}," if bare else f"({made},)"),
        ]
    return file.edits(title, edits, imports)  # type: ignore[arg-type]
