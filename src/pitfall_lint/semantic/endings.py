"""Where a program ends: the last statement of the module, of its main block, or of what it calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.calls import callers

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


def stays_alive(file: File, words: Iterable[str]) -> bool:
    """Tell whether a file speaks of anything with which programs wait."""
    wanted = "|".join(re.escape(word) for word in words)
    return bool(wanted) and re.search(rf"\b(?:{wanted})\b".encode(), file.source.data) is not None


def ends_program(file: File, node: cst.CSTNode, depth: int = 2) -> bool:
    """Tell whether nothing runs after a node's statement: it is the last one of the program.

    A thread that is made and started in the last statements counts: `t = Thread(…); t.start()`.
    """
    statement: cst.CSTNode = file.statement_of(node)
    line = file.parent(statement)
    statement = line if isinstance(line, cst.SimpleStatementLine) else statement
    function = file.function_of(node)
    while True:
        block = file.parent(statement)
        body: list[cst.CSTNode] = list(block.body) if isinstance(block, (cst.IndentedBlock, cst.Module)) else []
        behind = body[body.index(statement) + 1 :] if statement in body else [statement]
        if not all(_is_start(s) or _is_definition(s) for s in behind):
            return False
        outer = file.parent(block) if block is not None else None
        if isinstance(block, cst.Module) and function is None:
            return _is_program(file)
        if isinstance(outer, cst.FunctionDef):
            return depth > 0 and function is not None and _called_last(file, function, depth)
        if not isinstance(outer, (cst.If, cst.With)):
            return False
        statement = outer


def _called_last(file: File, function: object, depth: int) -> bool:
    calls = list(callers(function))  # type: ignore[arg-type]
    return len(calls) == 1 and ends_program(file, calls[0].node, depth - 1)


def _is_start(statement: cst.CSTNode) -> bool:
    """Tell whether a statement only starts a thread."""
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and statement.body else None
    value = small.value if isinstance(small, cst.Expr) else None
    return (
        isinstance(value, cst.Call)
        and isinstance(value.func, cst.Attribute)
        and value.func.attr.value == "start"
        and not value.args
    )


def _is_definition(statement: cst.CSTNode) -> bool:
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
        return True
    return isinstance(statement, cst.SimpleStatementLine) and all(isinstance(s, cst.Pass) for s in statement.body)


def _is_program(file: File) -> bool:
    """Tell whether a module is run, not imported: it has a main block, or defines nothing."""
    return b"__main__" in file.source.data or not any(True for _ in _definitions(file))


def _definitions(file: File) -> Iterator[object]:
    yield from file.outline.functions
    yield from file.outline.classes
