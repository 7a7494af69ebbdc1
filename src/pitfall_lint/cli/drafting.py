"""Drafts a library row for a class that wraps a session, from what its code says."""

from __future__ import annotations

import json
from pathlib import Path

from pitfall_lint.cli.tables import TableError
from pitfall_lint.libraries.sessions import AsyncClosingWord, ClosingWord
from pitfall_lint.semantic.definitions import Class
from pitfall_lint.semantic.project import Project, read_bytes
from pitfall_lint.source import Source

_USUAL = ("aclose", "close")


def draft(name: str, folder: Path, project: Project) -> str:
    """Return a `[[session]]` row for `module.Class` as TOML. Raises TableError when there is no such class."""
    module, _, leaf = name.rpartition(".")
    if not module or not all(part.isidentifier() for part in name.split(".")):
        raise TableError(f"--add-library {name}: write MODULE.CLASS, as in my_http.Client")
    found = _class(module, leaf, folder, project)
    rows = project.libraries.rows
    words = {row.word for row in rows(ClosingWord)} | {row.word for row in rows(AsyncClosingWord)}
    methods = {method: function.is_async for method, function in found.own_methods.items()}
    closing = sorted((m for m in methods if m in words or m in _USUAL), key=_rank)
    if not closing:
        raise TableError(f"--add-library {name}: it has no method that closes it (close, aclose, …)")
    is_async = methods[closing[0]]
    ends = [method for method in closing if methods[method] == is_async]
    other = [method for method in closing if methods[method] != is_async]
    uses = [m for m, waits in methods.items() if waits and not m.startswith("_") and m not in closing]
    lines = ["[[session]]", f"type = {json.dumps(name)}", f"close = {json.dumps(ends)}"]
    lines.append(f"close_is_async = {str(is_async).lower()}")
    if is_async and other:
        lines.append(f"sync_close = {json.dumps(other)}")
    if uses:
        lines.append(f"uses = {json.dumps(uses)}")
    return "\n".join(lines) + "\n"


def _rank(method: str) -> tuple[int, str]:
    return (_USUAL.index(method) if method in _USUAL else len(_USUAL)), method


def _class(module: str, leaf: str, folder: Path, project: Project) -> Class:
    relative = module.replace(".", "/")
    roots = dict.fromkeys([folder, folder / "src", *map(Path, project.source_roots)])
    for root in roots:
        for path in (root / f"{relative}.py", root / relative / "__init__.py"):
            data = read_bytes(str(path))
            if data is None:
                continue
            file = project.file(Source(str(path), data))
            for found in file.classes():
                if found.name == leaf:
                    return found
            raise TableError(f"--add-library {module}.{leaf}: {path.relative_to(root)} has no class {leaf}")
    raise TableError(f"--add-library {module}.{leaf}: there is no module {module} in this project")
