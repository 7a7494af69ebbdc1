"""What can be told in bytes of the code around a word, before anything is parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pitfall_lint.semantic.wants import Want

_PLAIN_PATH = re.compile(rb"""[ \t]*\(\s*["']/(?:[^/"'\n]([^"'\n]*[^/"'\n])?(/?))?["']\s*[,)]""")
_BARE_EXCEPT = re.compile(rb"except[ \t]*:")
_AWAITED_CALL = re.compile(rb"await[ \t]+[\w.]+[ \t]*\(")
_AWAITED_NAME = re.compile(rb"\bawait[ \t]+[\w.]*$")


class Look:
    """What can be told in bytes of the code around a word: whether it could be what all its wants ask for."""

    def __init__(self, wanted: Iterable[Want], word: str) -> None:
        shape = frozenset.intersection(*(want.shape for want in wanted))
        self.called = "called" in shape
        self.not_awaited = {"called", "not-awaited"} <= shape
        self.decorates = "decorates" in shape
        self.slashless = "slashless" in shape or self.decorates
        self.bare_await = word == "await" and "bare-await" in shape
        self.bare_except = word == "except" and "bare-except" in shape

    def may_matter(self, data: bytes, start: int, end: int) -> bool:
        """Tell whether the word between two offsets may be wanted."""
        if data[max(start - 4, 0) : start] == b"def ":
            return False
        if self.called and data[end : end + 1] not in b"([ \t\\":
            return False
        if self.not_awaited and _is_awaited(data, start):
            return False
        if self.bare_await and _AWAITED_CALL.match(data, start):
            return False
        if self.bare_except and _BARE_EXCEPT.match(data, start) is None:
            return False
        if self.decorates and data[data.rfind(b"\n", 0, start) + 1 : start].lstrip()[:1] != b"@":
            return False
        plain = _PLAIN_PATH.match(data, end) if self.slashless else None
        return plain is None or (plain[2] == b"/" and not self.decorates)


def _is_awaited(data: bytes, position: int) -> bool:
    """Tell whether `await` stands before a dotted name that ends at a place."""
    before = data[max(position - 80, 0) : position]
    return _AWAITED_NAME.search(before) is not None
