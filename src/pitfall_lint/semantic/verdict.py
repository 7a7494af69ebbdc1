"""What a definition matters to: the verdict on the uses of what is wanted."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from pitfall_lint.semantic.reading import Use
from pitfall_lint.semantic.wants import Want, blocks

_KINDS = frozenset({"leaves", "owned", "returns", "chain"})
_LEAVING = frozenset({"leaves", "owned"})
_FAR, _BLOCKING_FAR = 4, 3
"""Functions on the way from a call to what it leads to: beyond, no rule follows, see leads_to and wait_of."""


class Verdict:
    """What one definition matters to."""

    def __init__(self, names: set[str] | None = None) -> None:
        self.names: set[str] = names or set()
        """The names that it gives to the outside."""
        self.keeps = False
        """Whether what matters is kept on an object: then its class matters, too."""
        self.rules: set[str] = set()
        """Rules that have to look at it."""
        self.touched: dict[str, frozenset[str]] = {}
        """Rules that have to look at who uses it, with the shape of what they look for."""
        self.hops: dict[str, int] = {}
        """How many definitions lie between it and what such a rule's row speaks of, at least."""

    def add(self, want: Want, looks: set[str] | frozenset[str]) -> None:
        """Take down a use of what is wanted."""
        if want.wakes(looks):
            self.rules |= want.rules
        if "through" in want.shape and want.touches(looks) and _passes_on(want, looks):
            self.touched.update(dict.fromkeys(want.rules, want.shape))
            self._come_by(dict.fromkeys(want.rules, want.hops))
            self.keeps = (
                self.keeps or not want.shape & _KINDS or (not want.shape.isdisjoint(_LEAVING) and "kept" in looks)
            )

    def include(self, other: Verdict) -> None:
        """Take over what another one says."""
        self.rules |= other.rules
        self.touched.update(other.touched)
        self._come_by(other.hops)
        self.names |= other.names
        self.keeps = self.keeps or other.keeps

    def _come_by(self, hops: Mapping[str, int]) -> None:
        for code, number in hops.items():
            self.hops[code] = min(number, self.hops.get(code, number))


def _passes_on(want: Want, looks: set[str] | frozenset[str]) -> bool:
    """Tell whether a use matters to who uses the definition around it."""
    if not want.shape.isdisjoint(_LEAVING):
        return "returned" in looks or "kept" in looks
    if "returns" in want.shape:  # what a coroutine function returns is awaited by its callers
        return "returned" in looks and "in-def" in looks
    if "chain" not in want.shape:
        return True
    return "in-def" in looks and goes_further(want)


def goes_further(want: Want) -> bool:
    """Tell whether rules follow calls from one definition more to what is wanted."""
    return want.hops < (_BLOCKING_FAR if blocks(want.shape) else _FAR)


def is_given(want: Want, use: Use) -> bool:
    """Tell whether a call has the argument that the row speaks of, where the shape asks for that."""
    if not want.given:
        return True
    if use.call is None:
        return False
    position, _, keyword = want.given.rpartition("|")
    if any(k.arg in (None, keyword) for k in use.call.keywords):
        return True
    starred = any(isinstance(arg, ast.Starred) for arg in use.call.args)
    return starred or (position.isdigit() and len(use.call.args) > int(position))
