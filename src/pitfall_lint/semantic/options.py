"""Options of command lines: what an attribute of the parsed arguments, or a decorated parameter, holds by default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.paths import CommandLine
from pitfall_lint.semantic import calls, shapes, strings
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.shapes import Shapes, hole

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


def shapes_of_option(file: File, row: CommandLine, name: str) -> Shapes:
    """Return what an option may hold: anything, or the defaults by which the file declares it."""
    found = [hole(name, source="setting", key=(file.path, row.type, name))]
    for declaration in declarations(file, row):
        call = file.call(declaration)
        if _name(file, declaration, row) == name and (default := call.where(row.default)) is not None:
            if not (isinstance(default, cst.Name) and default.value == "None"):
                found.extend(strings.shapes_of(file, default))
    return shapes.merged(found)


def declarations(file: File, row: CommandLine) -> Iterator[cst.Call]:
    """Yield the calls of a file that declare options."""
    for mention in calls.mentions(file, row.declares):
        outer = file.parent(mention)
        if isinstance(outer, cst.Call) and outer.func is mention:
            yield outer


def _name(file: File, declaration: cst.Call, row: CommandLine) -> str | None:
    given = file.call(declaration).where(row.name)
    if given is not None:
        name = file.folded(given)
        return name if isinstance(name, str) else None
    return name_of_flags(declaration)


def name_of_flags(declaration: cst.Call) -> str | None:
    """Return the name that flags stand for: the first long one's, else the first one's."""
    flags = [arg.value.evaluated_value for arg in declaration.args if isinstance(arg.value, cst.SimpleString)]
    texts = [flag for flag in flags[: len(declaration.args)] if isinstance(flag, str)]
    long = [flag for flag in texts if flag.startswith("--")]
    return (long or texts)[0].lstrip("-").replace("-", "_") if texts else None


def default_of(function: Function, name: str) -> cst.BaseExpression | None:
    """Return the `default=` of a command line decorator that gives this parameter its value."""
    for decorator in function.decorators:
        if not isinstance(decorator, cst.Call):
            continue
        flags = [a.value.evaluated_value for a in decorator.args if isinstance(a.value, cst.SimpleString)]
        if any(isinstance(f, str) and f.lstrip("-").replace("-", "_") == name for f in flags):
            for arg in decorator.args:
                if arg.keyword is not None and arg.keyword.value == "default":
                    return arg.value
    return None
