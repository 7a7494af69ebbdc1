"""What `except` clauses take, tell and let go, and which calls are a logger's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Harmless
from pitfall_lint.semantic.walk import own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_LOGGER = re.compile(r"_*(?:\w*_)?(?:log|logger|logging|console|reporter)_*", re.IGNORECASE)
_LOGS = frozenset(
    [
        "debug",
        "info",
        "warning",
        "warn",
        "error",
        "exception",
        "critical",
        "fatal",
        "log",
        "trace",
        "success",
        "print",
        "capture_exception",
    ]
)
_TELLS = re.compile(
    r"log|print|report|capture|notify|record|alert|error|fail|exception|emit|warn|put|append|send|set_exception"
)
BROAD = frozenset({"Exception", "BaseException"})
_CANCELLED = frozenset(
    {"CancelledError", "Cancelled", "KeyboardInterrupt", "SystemExit", "GeneratorExit", "StopAsyncIteration"}
)


def catches_all(file: File, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Tell whether a clause takes every Exception."""
    return handler.type is None or any(name in BROAD for name in class_names(handler.type))


def class_names(node: cst.BaseExpression | None) -> list[str]:
    """Return the last names of the classes that an except clause or suppress() names."""
    if isinstance(node, cst.Tuple):
        return [name for element in node.elements for name in class_names(element.value)]
    if isinstance(node, cst.Attribute):
        return [node.attr.value]
    if isinstance(node, cst.Name):
        return [node.value]
    return ["?"]


def takes_cancellation(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Tell whether a clause takes CancelledError, by name or because it takes everything."""
    return handler.type is None or any(
        name in {"BaseException", "CancelledError", "Cancelled"} for name in class_names(handler.type)
    )


def reraises(file: File, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Tell whether a clause lets an exception go on that it told nobody about."""
    raised = [node for node in own_nodes(handler.body) if isinstance(node, cst.Raise)]
    return bool(raised) and not _tells(file, handler)


def expects(file: File, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Tell whether a clause deals with an error that was expected, cancellation and ends of iteration aside."""
    return not set(class_names(handler.type)) <= _CANCELLED and not reraises(file, handler)


def _tells(file: File, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Tell whether a clause logs, or hands the exception to something, before it ends."""
    name = handler.name.name.value if handler.name is not None and isinstance(handler.name.name, cst.Name) else None
    for node in own_nodes(handler.body):
        if isinstance(node, cst.Assign) and name is not None:
            if isinstance(node.value, cst.Name) and node.value.value == name:
                return True  # kept for somebody
        if not isinstance(node, cst.Call) or isinstance(file.parent(node), (cst.Raise, cst.From)):
            continue
        if logs(file, node) or _TELLS.search(last_name(node.func).lower()):
            return True
        if name is not None and not _inside_raise(file, node, handler):
            if any(isinstance(arg.value, cst.Name) and arg.value.value == name for arg in node.args):
                if last_name(node.func) not in {"isinstance", "str", "repr", "type", "getattr", "hasattr"}:
                    return True
    return False


def _inside_raise(file: File, node: cst.CSTNode, stop: cst.CSTNode) -> bool:
    for ancestor in file.ancestors(node):
        if isinstance(ancestor, cst.Raise):
            return True
        if ancestor is stop:
            return False
    return False


def logs(file: File, call: cst.Call) -> bool:
    """Tell whether a call is a logger's: by row, or by the names that loggers go by."""
    name = file.qualified_name(call.func)
    if name is not None and name.startswith("logging.") and file.libraries.find(Harmless, name) is not None:
        return True
    func = call.func
    return (
        isinstance(func, cst.Attribute)
        and func.attr.value in _LOGS
        and _LOGGER.fullmatch(last_name(func.value.func if isinstance(func.value, cst.Call) else func.value))
        is not None
    )


def raises_cancellation(node: cst.Raise) -> bool:
    """Tell whether a raise is of a cancellation or of what ends the program."""
    error = node.exc.func if isinstance(node.exc, cst.Call) else node.exc
    return error is not None and last_name(error) in _CANCELLED


def always_holds(file: File, test: cst.BaseExpression) -> bool:
    """Tell whether a loop's test always holds."""
    return file.folded(test) in (True, 1)


def never_holds(test: cst.BaseExpression) -> bool:
    """Tell whether a test is written as one that never holds."""
    return isinstance(test, (cst.Name, cst.Integer)) and test.value in ("False", "0")


def last_name(node: cst.CSTNode) -> str:
    """Return the last name of a dotted name; empty for anything else."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""
