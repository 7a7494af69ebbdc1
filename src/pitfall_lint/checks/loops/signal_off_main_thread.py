"""Python hands signals to the main thread alone; whoever asks for them elsewhere gets a ValueError."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding
from pitfall_lint.libraries.loops import MainThreadOnly, ThreadEntry
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.elsewhere import handed_elsewhere
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.guards import asks_thread, is_guarded, knows_threads, thread_way
from pitfall_lint.semantic.threads import keywords_for

_CATCHING = ("ValueError", "RuntimeError")


def check(file: File) -> Iterator[Finding]:
    """Report what the main thread alone may do: on threads, and (strict) at import and in constructors."""
    for call, row in file.calls_to(MainThreadOnly):
        if not applies(file, row, {a.keyword.value: a.value for a in call.node.args if a.keyword}):
            continue
        way = thread_way(call, _CATCHING)
        if way is not None:
            yield file.finding(call.node, f"{call.text} runs on {way.where}: {row.raises}", related=way.related)
        elif row.installs_handlers and file.strict_too and (where := binds_its_user(file, call)):
            yield file.finding(call.node, f"{call.text} {where}: on any other thread, {row.raises}", strict=True)
    yield from elsewhere(file)
    for call, entry in file.calls_to(ThreadEntry):
        target = call.where(entry.function[0])
        name = file.qualified_name(target) if target is not None and not entry.process else None
        row_ = file.libraries.find(MainThreadOnly, name) if name is not None else None
        if target is None or row_ is None:
            continue
        if applies(file, row_, keywords_for(call, target)):
            yield file.finding(target, f"{file.text(target)} runs on {entry.thread}: {row_.raises}")
        elif row_.unstoppable:
            message = f"{file.text(target)} gets no signals on {entry.thread}: nothing can stop it"
            yield file.finding(target, message, strict=True, consequence=row_.unstoppable)


def elsewhere(file: File) -> Iterator[Finding]:
    """Report functions of other modules that are handed to a thread here and need the main one there."""
    for found in handed_elsewhere(file, MainThreadOnly, needs_main_thread, lambda passed: not knows_threads(passed)):
        row = found.call.file.rows_of_call(found.call, MainThreadOnly)[0]
        message = f"{file.text(found.given)} runs on {found.thread}, where {found.call.text} raises {row.raises}"
        yield file.finding(found.given, message, related=found.related)


def needs_main_thread(call: Call) -> bool:
    """Tell whether a call only works in the main thread, and nobody in its function catches."""
    keywords = {a.keyword.value: a.value for a in call.node.args if a.keyword}
    rows = call.file.rows_of_call(call, MainThreadOnly)
    return any(applies(call.file, row, keywords) for row in rows) and not is_guarded(call.file, call.node, _CATCHING)


def applies(file: File, row: MainThreadOnly, keywords: dict[str, cst.BaseExpression]) -> bool:
    """Tell whether the arguments of a call make it one for the main thread."""
    if any(name in keywords and not file.folded(keywords[name]) for name in row.unless):
        return False
    return not row.when or any(name in keywords and file.folded(keywords[name]) is True for name in row.when)


def binds_its_user(file: File, call: Call) -> str:
    """Tell how an unguarded call makes the main thread necessary: at import, in a method, or not."""
    if is_guarded(file, call.node, _CATCHING) or asks_thread(file, call.node):
        return ""
    function = call.function
    if function is None:
        return "" if b"__main__" in file.source.data else "binds the import of this module to the main thread"
    if function.class_ is None or knows_threads(function) or function.is_async:
        return ""
    if function.name == "__init__":
        return f"binds {function.class_.name}() to the main thread"
    return f"binds {function.class_.name}.{function.name}() to the main thread"
