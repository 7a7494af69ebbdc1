"""What stands above a module's first definition: its docstring and its imports, told from no more lines than needed."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from pitfall_lint.semantic.below import all_below
from pitfall_lint.semantic.outline import Outline

_IMPORT = re.compile(rb"[ \t]*(?:from|import)\b")
_NO_STATEMENT = (b" ", b"\t", b"\f", b"\r", b"\n", b"#", b")", b"]", b"}")
_CLAUSES = re.compile(rb"(?:else|elif|except|finally)\b")
_TEXT = re.compile(rb"(?i:[rbu]{0,2})[\"']")


@dataclass(frozen=True)
class Heading:
    """Where imports belong in a module; lines are 0-based."""

    import_line: int
    """The line before which an import belongs: the first import that is not from `__future__`, or else the line
    behind docstring, leading comments and `__future__` imports."""
    behind: int
    """The line behind the docstring and all imports above the first definition."""


def heading_of(outline: Outline) -> Heading:
    """Return where imports belong in a module."""
    first = min((block.first for block in outline.blocks), default=len(outline.source.lines))
    statements = _statements(outline, first)
    line, before = 0, None
    for statement in statements:
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__" and not statement.level
        if isinstance(statement, (ast.Import, ast.ImportFrom)) and not future:
            before = statement.lineno - 1
            break
        if not future and not _is_text(statement):
            break
        line = _end(statement)
    if before is None:
        before = line or _behind_comments(outline.source.lines)
    behind = 0
    for index, statement in enumerate(statements):
        if (index == 0 and _is_text(statement)) or any(
            isinstance(node, (ast.Import, ast.ImportFrom)) for node in (statement, *all_below(statement))
        ):
            behind = _end(statement)
    return Heading(before, behind)


def _statements(outline: Outline, first: int) -> list[ast.stmt]:
    """Return the statements above a line as far as imports stand among them, and one more."""
    lines = outline.source.lines
    last = max((line for line in range(first) if _is_import(outline, line)), default=-1)
    end = _statement_behind(outline, last + 1, first, passing=last < 0)
    for stop in (end, first):
        try:
            return ast.parse(b"".join(lines[:stop]).decode(outline.source.encoding)).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return []


def _is_import(outline: Outline, line: int) -> bool:
    return _IMPORT.match(outline.source.lines[line]) is not None and not outline.begins_in_string(line)


def _statement_behind(outline: Outline, line: int, end: int, *, passing: bool) -> int:
    """Return the next line, up to `end`, that begins a statement of the module; `passing` over texts."""
    for number in range(line, end):
        text = outline.source.lines[number]
        if text.startswith(_NO_STATEMENT) or _CLAUSES.match(text) or outline.begins_in_string(number):
            continue
        if not (passing and _TEXT.match(text)):
            return number
    return end


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, (str, bytes))
    )


def _end(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _behind_comments(lines: list[bytes]) -> int:
    return next((number for number, line in enumerate(lines) if not line.startswith(b"#")), len(lines))
