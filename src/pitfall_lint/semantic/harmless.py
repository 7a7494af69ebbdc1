"""Calls and bodies that raise nothing that matters, by their looks alone."""

from __future__ import annotations

import re

import libcst as cst

from pitfall_lint.semantic import glimpse
from pitfall_lint.semantic.clauses import last_name
from pitfall_lint.semantic.definitions import Function

LOCK = re.compile(r"(?:^|_)(?:r?lock|sem|semaphore|mutex|limiter|limit)s?$", re.IGNORECASE)
_WAITS = {"get": "queue", "put": "queue", "join": "queue", "wait": "event", "acquire": "lock"}
"""Methods that only wait, by what the name of their object says."""
_PLAIN = frozenset(
    [
        "get",
        "pop",
        "append",
        "add",
        "discard",
        "clear",
        "copy",
        "format",
        "join",
        "split",
        "strip",
        "lower",
        "upper",
        "startswith",
        "endswith",
        "items",
        "keys",
        "values",
        "extend",
        "update",
        "setdefault",
        "replace",
        "set",
        "is_set",
        "cancel",
        "done",
        "cancelled",
        "locked",
        "empty",
        "full",
        "qsize",
        "total_seconds",
        "time",
        "hex",
        "group",
    ]
)
"""Methods that values of the language have; called on something unknown they are taken for these."""


def is_stub(function: Function) -> bool:
    """Tell whether a function has no body of its own: `pass`, `...`, a docstring, NotImplementedError."""
    if glimpse.does_something(function) or not isinstance(function.node, cst.FunctionDef) or function.is_generator:
        return False
    if any(name is not None and name.rpartition(".")[2] == "abstractmethod" for name in function.decorator_names):
        return True
    small: list[cst.CSTNode] = []
    for statement in function.node.body.body:
        small.extend(statement.body if isinstance(statement, cst.SimpleStatementLine) else [statement])
    return all(
        isinstance(s, cst.Pass)
        or (isinstance(s, cst.Expr) and isinstance(s.value, (cst.SimpleString, cst.ConcatenatedString, cst.Ellipsis)))
        or (isinstance(s, cst.Raise) and s.exc is not None and "NotImplemented" in function.file.wording(s.exc))
        for s in small
    )


def is_plain(call: cst.Call) -> bool:
    """Tell whether a sync call is most likely a container's or string's method, or makes an object."""
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in _PLAIN:
        return True
    leaf = last_name(call.func).lstrip("_")
    return leaf[:1].isupper() and not leaf.isupper()


def only_waits(func: cst.Attribute) -> bool:
    """Tell whether an untyped object goes by the name of a queue or event, and the method waits on it."""
    kind = _WAITS.get(func.attr.value)
    name = last_name(func.value).lower()
    return kind is not None and (
        kind in name or (kind == "queue" and name in {"q", "_q"}) or bool(LOCK.search(name) and kind == "lock")
    )


def is_common(method: str) -> bool:
    """Tell whether a method is a container's, string's or logger's by its name: nothing that starts a task."""
    return method in _PLAIN or method in _TOLD


_TOLD = frozenset(["debug", "info", "warning", "error", "exception", "critical", "encode", "decode", "count", "index"])
