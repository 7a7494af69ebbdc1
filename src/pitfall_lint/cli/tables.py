"""Changes TOML and YAML texts of other people without touching what else stands in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pitfall_lint import __version__

REPOSITORY = "https://github.com/pitfall-lint/pitfall-lint"


class TableError(ValueError):
    """A file cannot be read or extended; the message names it."""


def _document(text: str, path: Path) -> Any:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise TableError(f"{path}: {error}") from None


def has(text: str, key: Sequence[str], path: Path) -> bool:
    """Tell whether a document has a table. Raises TableError."""
    table = _document(text, path)
    for part in key:
        if not isinstance(table, Mapping) or part not in table:
            return False
        table = table[part]
    return True


def with_settings(
    text: str, header: Sequence[str], values: Mapping[str, object], lists: Mapping[str, list[str]], path: Path
) -> str:
    """Return a document whose table has these keys: values only where there are none, lists extended.

    The table is made when it is missing. Raises TableError.
    """
    document = _document(text, path)
    table = _table(document, header, path)
    for key, value in values.items():
        table.setdefault(key, value)
    for key, items in lists.items():
        if items:
            _extend(table, key, items, path)
    return str(document.as_string())


def with_list(text: str, key: Sequence[str], items: list[str], path: Path) -> str:
    """Return a document in which a list holds these items, too. Raises TableError."""
    document = _document(text, path)
    _extend(_table(document, key[:-1], path), key[-1], items, path)
    return str(document.as_string())


def _extend(table: Any, key: str, items: list[str], path: Path) -> None:
    found = table.get(key)
    if found is None:
        table[key] = list(items)
    elif isinstance(found, list):
        for item in items:
            if item not in found:
                found.append(item)
    else:
        raise TableError(f"{path}: {key} must be a list")


def _table(document: Any, header: Sequence[str], path: Path) -> Any:
    import tomlkit

    table = document
    for depth, part in enumerate(header):
        if part not in table:
            is_last = depth == len(header) - 1
            if depth == 0 and document.as_string().strip() and is_last:
                document.add(tomlkit.nl())
            table.add(part, tomlkit.table(is_super_table=not is_last))
        table = table[part]
        if not isinstance(table, Mapping):
            raise TableError(f"{path}: {'.'.join(header[: depth + 1])} must be a table")
    return table


def with_hook(text: str) -> str:
    """Return a pre-commit configuration with our hook at the end of its `repos`, unless it has one."""
    if re.search(r"\bpitfall-lint\b", text):
        return text
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    start = next((i for i, line in enumerate(lines) if re.match(r"repos\s*:", line)), None)
    if start is None:
        return "".join(lines) + "repos:\n" + _hook("")
    if re.match(r"repos\s*:\s*\[\s*\]", lines[start]):
        lines[start] = "repos:\n"
    elif not re.match(r"repos\s*:\s*(#.*)?$", lines[start]):
        return text  # written in one line: a person should add to it
    end, indent = start + 1, ""
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if item := re.match(r"(\s*)-\s", line):
            if end == start + 1:
                indent = item[1]
        elif line.strip() and not line[0].isspace() and not line.startswith("#"):
            break
        if line.strip() and not line.startswith("#"):
            end = number + 1
    return "".join([*lines[:end], _hook(indent), *lines[end:]])


def _hook(indent: str) -> str:
    lines = (f"- repo: {REPOSITORY}", f"  rev: v{__version__}", "  hooks:", "  - id: pitfall-lint")
    return "".join(f"{indent}{line}\n" for line in lines)
