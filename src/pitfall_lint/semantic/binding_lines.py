"""Which statements of a text give a name a value, other than by an import or a definition."""

from __future__ import annotations

import ast

from pitfall_lint.semantic.below import all_below


def may_bind(text: str, name: str) -> bool:
    """Rule out, in the text, that it gives a name a value other than by an import of one line."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        before = text[start - 1 : start]
        if before != "." and not _continues(before) and not _continues(text[end : end + 1]):
            used = text[end : end + 80].lstrip(" \t")[:1] in (".", "(")
            line = text.rfind("\n", 0, start) + 1
            if not used and (not text.startswith(("from ", "import "), line) or ";" in text[line:start]):
                return True
        start = text.find(name, end)
    return False


def _continues(character: str) -> bool:
    return character.isalnum() or character == "_"


def lines_binding(text: str) -> dict[str, list[tuple[int, int]]] | None:
    """Return, by name, the lines (0-based, one past the last) of the statements that may give it a value.

    None where the text does not parse.
    """
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: dict[str, list[tuple[int, int]]] = {}
    for statement in statements:
        first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
        if isinstance(statement, (ast.ClassDef, ast.Expr, ast.Import, ast.ImportFrom, ast.Pass)) and not any(
            isinstance(node, ast.NamedExpr) for node in all_below(statement)
        ):
            continue
        for name in {name for node in all_below(statement) for name in _bound_names(node)}:
            found.setdefault(name, []).append((first, last))
    return found


def _bound_names(node: ast.AST) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, ast.Load) else (node.id,)
    name = getattr(node, "name", None) if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) else None
    return (name,) if isinstance(name, str) else ()
