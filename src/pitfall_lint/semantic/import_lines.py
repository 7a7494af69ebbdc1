"""What import statements bind, read one by one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_IMPORT = re.compile(
    rb"^[ \t]*((?:from[ \t]+[.\w \t]+?[ \t]+import\b[ \t]*(?:\([^)]*\)|[^\r\n;\\]*(?:\\\r?\n[^\r\n;\\]*)*)"
    rb"|import[ \t]+[^\r\n;\\]*(?:\\\r?\n[^\r\n;\\]*)*))",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Imported:
    """One name that an import statement binds."""

    name: str
    module: str
    attribute: str | None
    level: int
    """How many dots the import began with."""


def imported_in(data: bytes) -> Iterator[Imported]:
    """Yield what the import statements of a text bind, in its order."""
    for match in _IMPORT.finditer(data):
        try:
            statements = ast.parse(match.group(1)).body
        except (SyntaxError, ValueError):  # prose in a docstring that looks like an import
            continue
        for statement in statements:
            if isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    yield Imported(alias.asname or alias.name, statement.module or "", alias.name, statement.level)
            elif isinstance(statement, ast.Import):
                for alias in statement.names:
                    if alias.asname:
                        yield Imported(alias.asname, alias.name, None, 0)
                    else:
                        yield Imported(alias.name.partition(".")[0], alias.name.partition(".")[0], None, 0)
