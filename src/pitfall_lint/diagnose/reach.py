"""Where to look for what an error comes from: its functions, their callers, what is near, the rest; nearest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from pitfall_lint.diagnose.places import Module, Place, Tree

Lines: TypeAlias = "tuple[int, ...] | None"
_CALLERS = 200
"""Lines that name the error's functions, beyond which no caller is looked at."""
_NEAR = 60
"""Modules beside those of the traceback that are looked at as a whole."""
_DEFINED = re.compile(rb"[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]|[ \t]*(?:from|import)[ \t]")


def functions(places: Sequence[Place]) -> dict[Module, Lines]:
    """Return the functions of a traceback, innermost first, as modules and 0-based lines in them."""
    found: dict[Module, set[int]] = {}
    for place in reversed(places):
        lines = found.setdefault(place.module, set())
        lines.add(place.frame.line - 1)
        if place.block is not None:
            lines.add(place.block.header)
    return {module: tuple(sorted(lines)) for module, lines in found.items()}


def callers(tree: Tree, places: Sequence[Place], names: set[str]) -> Iterator[tuple[Module, Lines]]:
    """Yield the lines that name the functions of an error, those beside the traceback's modules first."""
    words = [name.encode() for name in sorted(names)]
    if not words:
        return
    pattern = re.compile(rb"(?<!\w)(?:%s)(?!\w)" % b"|".join(map(re.escape, words)))
    own = {place.module for place in places}
    left = _CALLERS
    named = [module for module in tree.modules if any(word in module.data for word in words)]
    for module in sorted(named, key=lambda module: (module not in own, not is_beside(module, own))):
        lines = _naming(module.data, pattern)[:left]
        left -= len(lines)
        yield module, tuple(lines)


def _naming(data: bytes, pattern: re.Pattern[bytes]) -> list[int]:
    """Return the 0-based lines that name something, and do not define or import it."""
    rows = data.splitlines() if pattern.search(data) else ()
    return [number for number, row in enumerate(rows) if pattern.search(row) and not _DEFINED.match(row)]


def beside(tree: Tree, places: Sequence[Place]) -> dict[Module, None]:
    """Return the modules of a traceback, and some of those that they import or are imported by."""
    own = dict.fromkeys(place.module for place in places)
    others = [module for module in tree.modules if module not in own and is_beside(module, own)] if own else []
    return dict.fromkeys([*own, *others[:_NEAR]])


def is_beside(module: Module, others: Iterable[Module]) -> bool:
    """Tell whether a module imports one of some others, or the other way round."""
    return any(module.imports(other) or other.imports(module) for other in others if other is not module)
