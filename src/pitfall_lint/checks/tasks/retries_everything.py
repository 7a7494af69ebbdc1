"""A retry that takes every error, never gives up, or does not wait."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding
from pitfall_lint.libraries.sessions import Session
from pitfall_lint.libraries.tasks import Retry
from pitfall_lint.semantic.clauses import class_names
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.retrying import Restart, restarts


def check(file: File) -> Iterator[Finding]:
    """Yield the retries without a limit or a choice of errors."""
    for function in file.functions():
        for decorator in function.decorators:
            name = file.qualified_name(decorator.func if isinstance(decorator, cst.Call) else decorator)
            row = file.libraries.find(Retry, name) if name is not None else None
            if row is None or not _requests(function):
                continue
            wrong = list(_wrong(file, decorator, row))
            if wrong:
                yield file.finding(decorator, f"`{file.text(decorator)}` {_and(wrong)}")
    for restart in restarts(file):
        yield _never_ends(file, restart)


def _never_ends(file: File, restart: Restart) -> Finding:
    name = restart.counter.name
    given = f"{file.text(restart.given)} for `{name}`" if restart.given is not None else f"no `{name}`"
    return file.finding(
        restart.call.node,
        f"`{restart.call.text}` hands over {given}: the attempts are counted anew, and their limit is never reached",
        consequence="What fails each time in the same way is tried again for ever.",
        related=[file.related(restart.limit, "the limit")],
    )


def _wrong(file: File, decorator: cst.BaseExpression, row: Retry) -> Iterator[str]:
    call = file.call(decorator) if isinstance(decorator, cst.Call) else None
    if call is not None and call.has_star:
        return
    given = {arg.keyword.value for arg in call.node.args if arg.keyword is not None} if call is not None else set()
    only = call.where(row.only) if call is not None and "|" in row.only else None
    if row.only not in given and (only is None or set(class_names(only)) & {"Exception", "BaseException"}):
        yield "retries every error, also those that cannot heal"
    if row.stop and not row.stops and given.isdisjoint(row.stop.split("|")):
        yield "never gives up"
    if row.wait and row.wait not in given:
        yield "does not wait in between"


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _requests(function: Function) -> bool:
    """Tell whether a function calls something of a library that has clients."""
    libraries = function.file.libraries
    clients = {row.type.partition(".")[0] for row in libraries.rows(Session) if row.kind == "client"}
    return any(call.name is not None and call.name.partition(".")[0] in clients for call in function.calls())
