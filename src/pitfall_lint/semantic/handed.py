"""Whether a call may be given a coroutine function, or what one gives, told by the bytes of its arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pitfall_lint.semantic.alone import Alone
from pitfall_lint.semantic.spans import Binding

Owners = Mapping[str, "frozenset[str] | None"]
"""By the names of coroutine functions: the classes whose methods they are, "" for functions; None: anything's."""
_LONGEST = 800
"""Bytes of arguments beyond which nothing is ruled out."""
_BRACKET = re.compile(rb"[][(){}]")
_NAME = re.compile(rb"(?<![\w.\"'])[A-Za-z_]\w*(?:\.\w+)*(?!\w|\s*=[^=])|(?<=[\])])\.(\w+)")


class Handed:
    """The question of one file."""

    def __init__(
        self,
        data: bytes,
        coroutines: Owners,
        imports: Mapping[str, list[Binding]],
        alone: Alone,
        may_await: Callable[[str, frozenset[str]], bool],
        may_be: Callable[[tuple[str, ...], int, frozenset[str]], bool],
    ) -> None:
        """`may_await` tells whether an imported name may be a coroutine function, or a method of one of some classes.

        `may_be` tells whether what goes by a dotted name at an offset may be an object of some classes.
        """
        self._data = data
        self._coroutines = coroutines
        self._imports = imports
        self._alone = alone
        self._may_await = may_await
        self._may_be = may_be

    def may_be_coroutine(self, end: int) -> bool:
        """Tell whether the call of the name that ends at an offset may be given one; yes where it is no call."""
        data = self._data
        depth = 0
        for match in _BRACKET.finditer(data, end, end + _LONGEST):
            depth += 1 if match[0] in b"([{" else -1
            if not depth:
                return any(self._may_be_one(name, end) for name in _NAME.finditer(data, end, match.end()))
        return True

    def _may_be_one(self, match: re.Match[bytes], offset: int) -> bool:
        *receiver, leaf = match[0].decode("utf-8", "replace").split(".")
        if leaf not in self._coroutines:
            return False
        owners = self._coroutines[leaf]
        if owners is None or match[1] is not None:  # a library's, or of something that has no name
            return True
        root = receiver[0] if receiver else leaf
        if (bound := self._imports.get(root)) is not None:
            if self._alone.is_given(root) or not all(binding.surely for binding in bound):
                return True
            fulls = (".".join([binding.full, *receiver[1:], *([leaf] if receiver else [])]) for binding in bound)
            return any(self._may_await(full, owners - {""}) for full in fulls)
        if not receiver:
            return not self._alone.is_plain_function(leaf)
        return owners != {""} and self._may_be(tuple(receiver), offset, owners - {""})
