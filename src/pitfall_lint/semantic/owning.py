"""Which classes may make a session and keep it, told in bytes: most cannot, and need not be read for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pitfall_lint.libraries.sessions import Session
from pitfall_lint.semantic import names
from pitfall_lint.semantic.glimpse import attributes_given, text_of

if TYPE_CHECKING:
    from pitfall_lint.semantic.definitions import Class, Function
    from pitfall_lint.semantic.file import File

_KEPT = re.compile(rb"\b\w+\.\w+[ \t]*(?::[^=\n]*)?=(?!=)")
_CALLED = re.compile(rb"([A-Za-z_][\w.]*)[ \t]*\(")
_REACH = 600
"""Bytes behind a `=` in which the call would stand."""
_DEPTH = 5


def may_own(class_: Class, depth: int = 0) -> bool:
    """Tell whether the text of a class may give an attribute a session, or an object that makes one."""
    file, block = class_.file, class_.block
    if block is None or depth > _DEPTH:
        return True
    key = ("may own", class_)
    if key not in file.memo:
        file.memo[key] = False
        file.memo[key] = _asks(class_, file.source.data[slice(*file.source.span_of(block.first, block.end))], depth)
    found: bool = file.memo[key]
    return found


def may_make(method: Function) -> bool:
    """Tell the same of a method of a class that may."""
    if method.block is None or method.class_ is None:
        return True
    return bool(attributes_given(method)) and _asks(method.class_, text_of(method), 0)


def _asks(class_: Class, text: bytes, depth: int) -> bool:
    if b"import " in text:
        return True
    leaves = class_.file.libraries.leaves(Session)
    called: dict[bytes, None] = {}
    start = end = 0
    for match in _KEPT.finditer(text):
        if match.end() > end:  # what is in reach of several is read once
            called.update(dict.fromkeys(_CALLED.findall(text, start, end)))
            start = match.end()
        end = match.end() + _REACH
    called.update(dict.fromkeys(_CALLED.findall(text, start, end)))
    dotted = [name.decode("utf-8", "replace") for name in called]
    if any(name.rpartition(".")[2] in leaves for name in dotted):
        return True
    for name in dotted:
        if any(made is None or may_own(made, depth + 1) for made in _classes(class_.file, name, leaves)):
            return True
    return False


def _classes(file: File, dotted: str, leaves: frozenset[str]) -> Iterator[Class | None]:
    """Yield the project's classes that a name may lead to; None for what may be anything."""
    head, _, rest = dotted.partition(".")
    if not rest:
        yield from (file.class_for(block) for block in file.outline.classes if block.name == head)
    for imported in file.outline.imports.get(head, ()):
        if imported.attribute in leaves:
            yield None
            continue
        path = [names.absolute(file, imported), *([imported.attribute] if imported.attribute else []), *rest.split(".")]
        whole = ".".join(part for part in path if part)
        module = file.module(whole.rpartition(".")[0])
        if module is None or module is file:
            continue
        leaf = whole.rpartition(".")[2]
        found = [block for block in module.outline.classes if block.name == leaf]
        yield from (module.class_for(block) for block in found)
        if not found and leaf in module.outline.imports:
            yield None
