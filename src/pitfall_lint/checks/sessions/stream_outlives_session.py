"""What a function returns is read after the function has closed what it reads from."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.escapes import escaping
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report lazy values that leave what closes their source; at a `finally` the close is the place."""
    told: set[cst.CSTNode] = set()
    for function in file.functions():
        for escaped in escaping(function):
            by_with = isinstance(escaped.closed_at, cst.WithItem)
            place = escaped.leaving if by_with or escaped.before else escaped.closed_at
            if place in told:
                continue
            told.add(place)
            other = escaped.closed_at if place is escaped.leaving else escaped.leaving
            line = file.source.position(file.span(other).start)[0]
            name = escaped.source.name
            follows = f": {escaped.source.after}" if escaped.source.after else ""
            if place is escaped.leaving:
                how = "with" if by_with else "close"
                message = f"what is returned is read after the {how} in line {line} has closed {name}{follows}"
                note = "closed here"
            else:
                message = f"closes {name} before what line {line} returns has been read from it{follows}"
                note = "returned here, read later"
            yield file.finding(place, message, related=[file.related(other, note)])
