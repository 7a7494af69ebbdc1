"""What else has to stand in a definition for a rule to find something in it, beside the word that it asks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator
from functools import cached_property

from pitfall_lint.libraries import Libraries
from pitfall_lint.libraries.loops import ThreadEntry
from pitfall_lint.semantic.below import all_below
from pitfall_lint.semantic.closing_names import any_closes
from pitfall_lint.semantic.localnames import LocalNames
from pitfall_lint.semantic.reading import Reading, Use

_STAND_IN = re.compile(rb"\b(?:or|else)\s+\(?\s*(?:await\s+)?[A-Za-z_][\w.]*\s*\(|\)\s*if\b[^:]{0,200}?\belse\b")
"""What is made where something else may be used: `given or make()`."""
_TAKES_ITEM = frozenset({"get", "setdefault"})


class Ingredients:
    """The question of one file."""

    def __init__(self, data: bytes, libraries: Libraries, local: LocalNames) -> None:
        self._data = data
        self._libraries = libraries
        self._local = local
        self._known: dict[tuple[Reading, str], bool] = {}
        self._ask: dict[str, Callable[[Reading], bool]] = {
            "beside-entry": lambda reading: bool(reading.among(libraries.leaves(ThreadEntry))),
            "local-address": local.speaks_in,
            "closing": self._closes,
            "ending": lambda reading: bool(reading.entered) or self._closes(reading),
            "yields": _yields,
            "early": _is_early,
            "endless": lambda reading: {"while", "async"} <= {word for word, _ in reading.words},
            "borrows": self._borrows,
        }

    def of(self, reading: Reading, use: Use, asked: Collection[str]) -> Iterator[str]:
        """Yield those of some looks that a use of a word has by what stands beside it."""
        for look in self._ask.keys() & asked:
            known = self._known.get((reading, look))
            if known is None:
                known = self._known[reading, look] = self._ask[look](reading)
            if known:
                yield look
        if "rescues" in asked and isinstance(use.node, ast.Attribute) and use.node.attr in _rescuing(reading):
            yield "rescues"
        if "early" in asked and "outside" in use.looks:
            yield "early"

    def _closes(self, reading: Reading) -> bool:
        return reading.enters_names or any_closes(reading.named, self._libraries)

    def _borrows(self, reading: Reading) -> bool:
        return self._stands_in or _yields(reading) or _is_given_anew(reading)

    @cached_property
    def _stands_in(self) -> bool:
        return _STAND_IN.search(self._data) is not None


def _yields(reading: Reading) -> bool:
    return any(word == "yield" for word, _ in reading.words)


def _is_early(reading: Reading) -> bool:
    """Tell whether a constructor, or the body of a class, is among it."""
    return any(
        isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and node.name == "__init__")
        for node in all_below(reading.tree or ast.Module([], []))
    )


def _is_given_anew(reading: Reading) -> bool:
    """Tell whether a parameter gets another value, or a name an item of something that goes by a name."""
    params: set[str] = set()
    stored: set[str] = set()
    for node in all_below(reading.tree or ast.Module([], [])):
        if isinstance(node, ast.arg):
            params.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored.add(node.id)
        elif isinstance(node, ast.Assign) and _is_item(node.value):
            return True
    return not params.isdisjoint(stored)


def _is_item(value: ast.expr) -> bool:
    if isinstance(value, ast.Subscript):
        return isinstance(value.value, ast.Name)
    func = value.func if isinstance(value, ast.Call) else None
    return isinstance(func, ast.Attribute) and func.attr in _TAKES_ITEM and isinstance(func.value, ast.Name)


def _rescuing(reading: Reading) -> frozenset[str]:
    """Return the methods that are called on a condition in an except clause."""
    return frozenset(
        call.func.attr
        for handler in all_below(reading.tree or ast.Module([], []))
        if isinstance(handler, ast.ExceptHandler)
        for test in all_below(handler)
        if isinstance(test, ast.If)
        for call in all_below(test)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    )
