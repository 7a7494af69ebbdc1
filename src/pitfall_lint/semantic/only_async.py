"""Methods of attributes that nothing is known of, where all that goes by the name is a coroutine function."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.coroutines import keeps_coroutine
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.misusing import misuse_of
from pitfall_lint.semantic.values import Const, LibraryName, Unknown

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_TELLING = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
"""Names of several words: `get_guild_icon` is one project's, `send` is everybody's."""
_REACH = 60
"""A file that imports more modules of the project than this one is left alone: each of them would have to be read."""


def only_coroutine_function(call: Call) -> Function | None:
    """Return the coroutine method that a call most likely calls, going by its name alone."""
    file, receiver, method = call.file, call.receiver, call.method
    if receiver is None or method is None or len(method) < 8 or _TELLING.fullmatch(method) is None:
        return None
    if call.is_awaited or call.target is not None or not _is_unknown(file, receiver):
        return None
    misuse = misuse_of(call)
    if misuse is None or misuse.guess:
        return None
    key = ("only async", method)
    if key not in file.memo:
        file.memo[key] = _find(file, method)
    found: Function | None = file.memo[key]
    return found


def _is_unknown(file: File, receiver: cst.BaseExpression) -> bool:
    root = receiver
    while isinstance(root, cst.Attribute):
        root = root.value
    if root is receiver or not isinstance(root, cst.Name) or root.value not in {"self", "cls"}:
        return False  # of a class with bases that can't be found, or anything at all
    for value in file.values_of(receiver):
        if isinstance(value, LibraryName):  # an attribute that subclasses of a library's class may have given to it
            if not any(part[:1].isupper() for part in value.name.split(".")[:-1]):
                return False
        elif not isinstance(value, (Unknown, Const)):
            return False
    return True


def _find(file: File, name: str) -> Function | None:
    """Look through this file and what it imports: every definition of the name has to be an async method."""
    word = name.encode()
    defined = re.compile(rb"^[ \t]*(async[ \t]+)?def[ \t]+%s\b" % word, re.MULTILINE)
    assigned = re.compile(rb"\b%s[ \t]*(?::[^=\n]+)?=[^=]" % word)
    found: list[Function] = []
    imported = file.project.imported_by(file.source)
    for path in (file.path, *imported) if len(imported) <= _REACH else ():
        data = file.source.data if path == file.path else file.project.read(path) or b""
        if path != file.path:
            file.used.add(path)
        if word not in data:
            continue
        matches = list(defined.finditer(data))
        if any(match[1] is None for match in matches) or assigned.search(data):
            return None
        other = file if path == file.path else file.project.open(path)
        for match in matches if other is not None else ():
            assert other is not None
            block = other.outline.function_at(other.outline.line_of(match.end()))
            function = other.function_for(block) if block is not None and block.name == name else None
            if function is None or function.class_ is None or not keeps_coroutine(function):
                return None
            found.append(function)
    return found[0] if found else None
