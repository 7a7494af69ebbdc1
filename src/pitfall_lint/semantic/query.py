"""Asking what an expression holds: answers are kept, cycles end, effort is bounded.

Beyond a depth the answer is Unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libcst as cst

from pitfall_lint.semantic.values import (
    UNKNOWN,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

Values = tuple[Value, ...]
_DEPTH = 30
WIDTH = 12
"""More alternatives than this and the rest is Unknown."""
HANDLERS: dict[type[cst.CSTNode], Callable[[File, Any], Values]] = {}
"""Filled by `inference`, one for each kind of expression."""
_UNTOUCHED = 1 << 30


class _Query:
    """The question being answered: what is under way, and answers that hold only within it."""

    def __init__(self) -> None:
        self.under_way: dict[cst.CSTNode, int] = {}
        self.provisional: dict[cst.CSTNode, Values] = {}
        self.lowest = _UNTOUCHED
        """The depth of the outermost unfinished question that an answer leaned on."""


_query = _Query()


def values_of(file: File, node: cst.CSTNode) -> Values:
    """Return what an expression may hold; `()` when nothing at all is known."""
    known = file.values.get(node)
    if known is not None:
        return known
    handler = HANDLERS.get(type(node))
    if handler is None:
        return ()
    query = _query
    if node in query.under_way:  # a cycle
        query.lowest = min(query.lowest, query.under_way[node])
        return (UNKNOWN,)
    if (provisional := query.provisional.get(node)) is not None:
        query.lowest = 0
        return provisional
    depth = len(query.under_way)
    if depth > _DEPTH:
        query.lowest = 0
        return (UNKNOWN,)
    outer, query.lowest = query.lowest, _UNTOUCHED
    query.under_way[node] = depth
    try:
        found = merged(handler(file, node))
    finally:
        del query.under_way[node]
    if query.lowest >= depth:  # leans on nothing unfinished: holds for good
        file.values[node] = found
    else:
        query.provisional[node] = found
    query.lowest = min(outer, query.lowest) if query.lowest < depth else outer
    if not query.under_way:
        query.provisional.clear()
        query.lowest = _UNTOUCHED
    return found


def is_under_way(node: cst.CSTNode) -> bool:
    """Tell whether the question being answered asks what an expression holds: `x = x or default` asks itself."""
    if node not in _query.under_way:
        return False
    _query.lowest = min(_query.lowest, _query.under_way[node])
    return True


def remembered(file: File, key: object, compute: Callable[[], Values]) -> Values:
    """Return an answer kept in the file's memo; one that leans on an unfinished question is not kept."""
    if key in file.memo:
        known: Values | None = file.memo[key]
        if known is None:  # a cycle
            _query.lowest = 0
            return (UNKNOWN,)
        return known
    file.memo[key] = None
    outer, _query.lowest = _query.lowest, _UNTOUCHED
    try:
        found = compute()
    finally:
        del file.memo[key]
    if _query.lowest == _UNTOUCHED:
        file.memo[key] = found
    _query.lowest = min(outer, _query.lowest)
    if not _query.under_way:
        _query.lowest = _UNTOUCHED
    return found


def merged(values: Values) -> Values:
    """Return values without repetitions, Unknown last."""
    if len(values) < 2:
        return values
    found = tuple(dict.fromkeys(v for v in values if not isinstance(v, Unknown)))
    unknown = len(found) > WIDTH or any(isinstance(v, Unknown) for v in values)
    return (*found[:WIDTH], UNKNOWN) if unknown else found
