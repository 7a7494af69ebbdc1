"""Text without the bodies of functions that don't matter: lines and columns stay, and little is left to parse."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from pitfall_lint.libraries import Libraries
from pitfall_lint.libraries.paths import RoutePath, Router

_SHORT = 12
"""Bodies of fewer lines stay: what they return may be a prefix."""


def speaks_of_routes(libraries: Libraries) -> re.Pattern[bytes]:
    """Return what stands in every function that registers routes or makes what holds them."""
    names = [name for row in libraries.rows(RoutePath) for name in row.call]
    names += [name for row in libraries.rows(Router) for name in (row.type, *libraries.bases(row.type))]
    words = {name.rpartition(".")[2] for name in names}
    return re.compile(rb"(?m)\b(?:" + b"|".join(word.encode() for word in sorted(words)) + rb")\b|^[ \t]*@")


def hollow(data: bytes, wanted: re.Pattern[bytes]) -> bytes:
    """Return a module's text with `...` for the long bodies in which nothing is wanted."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return data
    lines = data.splitlines(keepends=True)
    for function in _functions(tree.body):
        first, last = function.body[0].lineno - 1, (function.end_lineno or 0) - 1
        if last - first < _SHORT or wanted.search(b"".join(lines[first : last + 1])):
            continue
        indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        if not indent:
            continue  # `def f(): ...` on one line
        for at in range(first, last + 1):
            lines[at] = b"\n"
        lines[first] = indent + b"...\n"
    return b"".join(lines)


def _functions(body: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the outermost functions."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
        elif not isinstance(node, ast.expr):
            for part in ("body", "orelse", "finalbody", "handlers"):
                for inner in getattr(node, part, ()):
                    yield from _functions(inner.body if isinstance(inner, ast.ExceptHandler) else [inner])
