"""What a program does with the environment's proxy variables before a place, in helpers and in what it imports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic import names
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.environment import Use, nodes_of, uses

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_DEPTH = 4
"""Calls, callers and imports are followed that far."""
_MODULES = 40


def in_file(file: File) -> Iterator[Use]:
    """Yield all uses of one module, wherever they stand."""
    yield from uses(file, None)
    if _mentions(file):
        for block in file.outline.functions:
            yield from _all_uses(file.function_for(block))


def before(file: File, node: cst.CSTNode) -> Iterator[Use]:
    """Yield the uses that may have run when a node is reached.

    At import here and in the imported modules of the project, earlier in the function and in what that part
    calls, and the same for the function's callers in this file.
    """
    if not any(_mentions(module) for module in modules(file, _DEPTH)):
        return
    yield from _imported(file)
    yield from _earlier(file, node, _DEPTH, set())


def in_reach(file: File) -> Iterator[Use]:
    """Yield the uses in all functions of this module and of the project's modules that it imports."""
    for module in modules(file, 1):
        yield from uses(module, None)
        if _mentions(module):
            for block in module.outline.functions:
                yield from _all_uses(module.function_for(block))


def _all_uses(function: Function) -> Iterator[Use]:
    yield from uses(function.file, function)
    for node in function.nodes(cst.FunctionDef):
        if isinstance(node, cst.FunctionDef) and node is not function.node:
            yield from _all_uses(function.file.function(node))


def _mentions(file: File) -> bool:
    data = file.source.data.lower()
    return b"_proxy" in data


def _imported(file: File) -> Iterator[Use]:
    for module in modules(file, _DEPTH):
        if _mentions(module):
            yield from uses(module, None)
        yield from _from_calls(module, None, None, _DEPTH, set())


def modules(file: File, depth: int) -> list[File]:
    """The module itself and what it imports of the project, nearest first, boundedly many."""
    found, layer = [file], [file]
    for _ in range(depth):
        layer = [module for current in layer for module in _direct_imports(current) if module not in found]
        found.extend(dict.fromkeys(layer))
        if len(found) > _MODULES:
            break
    return list(dict.fromkeys(found))[:_MODULES]


def _direct_imports(file: File) -> list[File]:
    key = ("environment", "imports")
    found = file.memo.get(key)
    if found is None:
        direct: list[File] = []
        for entries in file.outline.imports.values():
            for imported in entries:
                base = names.absolute(file, imported)
                candidates = [base] if not imported.attribute else [f"{base}.{imported.attribute}", base]
                module = next((m for name in candidates if (m := file.module(name)) is not None), None)
                if module is not None and module is not file:
                    direct.append(module)
        found = file.memo[key] = list(dict.fromkeys(direct))
    return found


def _earlier(file: File, node: cst.CSTNode, depth: int, seen: set[int]) -> Iterator[Use]:
    function = file.function_of(node)
    if function is None or id(function) in seen or depth < 0:
        return
    seen.add(id(function))
    start = file.span(node).start
    for use in uses(file, function):
        if file.span(use.node).start < start:
            yield use
    yield from _from_calls(file, function, start, depth, set())
    if isinstance(function.node, cst.Lambda):
        yield from _earlier(file, function.node, depth, seen)
    for caller in _callers(function):
        yield from _earlier(file, caller, depth - 1, seen)


def _from_calls(
    file: File, function: Function | None, until: int | None, depth: int, seen: set[Function]
) -> Iterator[Use]:
    """Yield the uses in project functions that a function (or the module) calls, up to a place in it."""
    if depth <= 0:
        return
    for node in nodes_of(file, function):
        if not isinstance(node, cst.Call) or (until is not None and file.span(node).start >= until):
            continue
        target = file.definition(node.func)
        if isinstance(target, Function) and target not in seen:
            seen.add(target)
            if _mentions(target.file) or len(seen) < _MODULES:
                yield from uses(target.file, target)
                yield from _from_calls(target.file, target, None, depth - 1, seen)


def _callers(function: Function) -> Iterator[cst.CSTNode]:
    """Yield the calls of a function in its own file."""
    file = function.file
    name = function.name.encode()
    if file.source.data.count(name) < 2:
        return
    for block in file.outline.functions:
        caller = file.function_for(block)
        if caller is function or name not in _text(file, block.first, block.end):
            continue
        for node in caller.nodes(cst.Call):
            if isinstance(node, cst.Call) and file.definition(node.func) is function:
                yield node


def _text(file: File, first: int, end: int) -> bytes:
    return b"".join(file.source.lines[first:end])
