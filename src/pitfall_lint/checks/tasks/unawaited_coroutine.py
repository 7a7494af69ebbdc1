"""A coroutine function is called and its coroutine dropped, tested, or used as if it were the result."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.coroutines import coroutine_made
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.harmless import is_stub
from pitfall_lint.semantic.misusing import Misuse, misuse_of
from pitfall_lint.semantic.only_async import only_coroutine_function

_SAYS = {
    "dropped": "never runs: the coroutine is not awaited",
    "tested": "is a coroutine, which is always true: it is not awaited",
    "asked": "is a coroutine, never what it is tested for: it is not awaited",
    "compared": "is a coroutine, which equals nothing: it is not awaited",
    "formatted": "is a coroutine: it is not awaited, and its repr is printed",
    "used": "is a coroutine, not its result: it is not awaited",
    "iterated": "is a coroutine and cannot be iterated: it is not awaited",
    "unpacked": "is a coroutine and cannot be unpacked: it is not awaited",
    "declared": "is a coroutine, not what the annotation says: it is not awaited",
    "returned": "is returned as a coroutine, not its result: it is not awaited",
    "entered": "is a coroutine and no context manager: it is not awaited",
    "passed": "hands over a coroutine, not its result: it is not awaited",
}


def check(file: File) -> Iterator[Finding]:
    """Yield the coroutines that nobody awaits."""
    for call in file.calls():
        if call.is_awaited:
            continue
        made = coroutine_made(call)
        guessed = only_coroutine_function(call) if made is None and file.strict_too else None
        made = made or guessed
        has_body = isinstance(made, Function) and not is_stub(made)  # else a subclass's `yield` may make it a generator
        misuse = misuse_of(call, project=has_body) if made is not None else None
        if made is None or misuse is None or (misuse.guess and not file.strict_too):
            continue
        related = []
        if isinstance(made, Function) and isinstance(made.node, cst.FunctionDef):
            related.append(made.file.related(made.node, f"`{made.name}` is a coroutine function"))
        yield file.finding(
            call.node,
            f"`{call.text}` {_SAYS[misuse.how]}",
            consequence=f"RuntimeWarning: coroutine '{_name(made)}' was never awaited.",
            related=related,
            fix=_await(file, call, misuse, guessed is not None or misuse.guess),
            strict=guessed is not None or misuse.guess,
        )


def _name(made: Function | str) -> str:
    return made.rpartition(".")[2] if isinstance(made, str) else made.name


def _await(file: File, call: Call, misuse: Misuse, guessed: bool) -> Fix | None:
    if not call.in_async_function:
        return None  # a sync caller has to become async, or needs a loop: that choice is a person's
    outer = file.parent(call.node)
    if isinstance(outer, cst.GeneratorExp):
        return None  # what awaits in there can only be read by `async for`
    tight = isinstance(outer, (cst.Attribute, cst.Subscript)) or (
        isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.Power)
    )
    code = f"await {file.code(call.node)}"
    fix = file.replace(call.node, f"({code})" if tight and not file.exact(call.node).lpar else code, "Await it")
    return fix if misuse.how in {"dropped", "used"} and not guessed else fix.less_safe()
