"""Whether a decorator stands above a function, told in bytes: then calling it need not run its body as it stands."""

from __future__ import annotations

import re

from pitfall_lint.semantic.spans import Place

_DECORATOR = re.compile(rb"[ \t]*@[\w.]*?(\w+)[ \t]*(?:\([^\n]*\))?[ \t]*(?:#[^\n]*)?\r?\n")
_FUNCTION = re.compile(rb"\b(?:def|lambda)\b")
_TRANSPARENT = frozenset({b"staticmethod", b"classmethod", b"override"})


def is_decorated(data: bytes, place: Place) -> bool:
    """Tell whether a function surely has a decorator that may send calls elsewhere.

    A function inside of it may be handed out and called by itself: then the answer is no.
    """
    if place.start <= 0 or not place.is_function:
        return False
    line = data.rfind(b"\n", 0, place.start - 1) + 1
    above = _DECORATOR.fullmatch(data, line, place.start)
    if above is None or above[1] in _TRANSPARENT or b" as %s" % above[1] in data:
        return False
    return len(_FUNCTION.findall(data, place.start, place.end)) == 1
