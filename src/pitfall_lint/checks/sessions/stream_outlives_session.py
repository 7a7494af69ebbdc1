"""What a function returns is read after the function has closed what it reads from."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.escapes import Escaped, escaping, grouped, is_taken_along
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.takeover import (
    awaited_here,
    function_yields,
    generator_owns,
    handed_over,
    in_background,
    read_here,
    with_moves_in,
)


def check(file: File) -> Iterator[Finding]:
    """Report lazy values that leave what closes their source.

    The `return` is the place, unless the response closes its source itself: then the `finally` is what is wrong.
    """
    told: set[cst.CSTNode] = set()
    for function in file.functions():
        groups = grouped(escaping(function))
        for escapes in groups:
            first = escapes[0]
            at_close = is_taken_along(file, first)
            place, other = (first.closed_at, first.leaving) if at_close else (first.leaving, first.closed_at)
            if place in told:
                continue
            told.add(place)
            line = file.source.position(file.span(other).start)[0]
            name = first.source.name
            follows = f": {first.source.after}" if first.source.after else ""
            if at_close:
                message = f"closes {name} before what line {line} returns has been read from it{follows}"
                note = "returned here, read later"
            else:
                in_finally = file.enclosing(first.closed_at, cst.Finally) is not None
                how = "with" if isinstance(first.closed_at, cst.WithItem) else "finally" if in_finally else "close"
                message = f"what is returned is read after the {how} in line {line} has closed {name}{follows}"
                note = "closed here"
            fixes = list(mended(function, escapes, groups, at_close))
            yield file.finding(place, message, fixes=fixes, related=[file.related(other, note)])


def mended(
    function: Function, escapes: list[Escaped], groups: list[list[Escaped]], at_close: bool
) -> Iterator[Fix | None]:
    """Yield what can be done, the best first."""
    leaving = escapes[0].leaving
    if at_close:
        yield handed_over(function, escapes)
    elif isinstance(leaving, cst.Return) and (fix := awaited_here(function, leaving)) is not None:
        yield fix
    else:
        yield read_here(function, escapes)
        yield function_yields(function, escapes)
        yield with_moves_in(function, escapes)
        yield generator_owns(function, escapes, groups)
        yield in_background(function, escapes)
