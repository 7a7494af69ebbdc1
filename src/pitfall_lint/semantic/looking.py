"""What can be told in bytes of the code around a word, before anything is parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pitfall_lint.libraries import Row
from pitfall_lint.semantic.wants import Want

_PLAIN_PATH = re.compile(rb"""[ \t]*\(\s*["']/(?:[^/"'\n]([^"'\n]*[^/"'\n])?(/?))?["']\s*[,)]""")
_BARE_EXCEPT = re.compile(rb"except[ \t]*:")
_GOES_ON = re.compile(rb"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\s*[.(]")
_AWAITED_CALL = re.compile(rb"await[ \t]+[\w.]+[ \t]*\(")
_AWAITED_NAME = re.compile(rb"\bawait[ \t]+[\w.]*(?:(?:\([^()\n]*\)|\[[^\[\]\n]*\])[\w.]*)*$")
_CALL = re.compile(rb"[ \t\\\r\n]*[(\[]")
_DOTTED = re.compile(rb"(?<![\w.\x80-\xff)\]}\"'])([A-Za-z_]\w*)\.(?:\w+\.)*$")

_METHOD, _FUNCTION, _OWN_METHOD, _OWN_FUNCTION, _OTHER = range(5)


class Look:
    """What can be told in bytes of the code around a word: whether it could be what one of its wants asks for."""

    def __init__(
        self,
        wanted: Iterable[Want],
        word: str,
        is_imported: Callable[[str], bool],
        is_bound: Callable[[str], bool],
        goes_alone: Callable[[str, int], bool],
    ) -> None:
        """`is_imported` tells whether an import binds a name, `is_bound` whether something else may.

        `goes_alone` tells whether a method may go by its bare name at an offset.
        """
        self._asked = {_Asked(want, word) for want in wanted}
        self._word = word
        self._is_imported = is_imported
        self._is_bound = is_bound
        self._goes_alone = goes_alone

    def may_matter(self, data: bytes, start: int, end: int) -> bool:
        """Tell whether the word between two offsets may be wanted."""
        if data[max(start - 4, 0) : start] == b"def ":
            return False
        facts = _Facts(data, start, end)
        return any(asked.fits(facts) and self._stands(asked.what, facts) for asked in self._asked)

    def _stands(self, what: int, facts: _Facts) -> bool:
        """Tell whether what is wanted can stand there: a method after a dot, a function where imports lead to it."""
        if facts.after_dot:
            return what not in (_FUNCTION, _OWN_FUNCTION) or (facts.root != "" and self._is_imported(facts.root))
        if what in (_FUNCTION, _OTHER):
            return True
        if what == _OWN_METHOD:
            return self._goes_alone(self._word, facts.start)
        if self._is_imported(self._word):
            return True
        return what == _OWN_FUNCTION and (self._is_imported("*") or self._is_bound(self._word))


class _Asked:
    """What a want asks of the bytes around a word."""

    __slots__ = ("bare_await", "bare_except", "called", "decorates", "key", "not_awaited", "slashless", "what")

    def __init__(self, want: Want, word: str) -> None:
        shape = want.shape
        self.called = "called" in shape
        self.not_awaited = {"called", "not-awaited"} <= shape
        self.decorates = "decorates" in shape
        self.slashless = "slashless" in shape or self.decorates
        self.bare_await = word == "await" and "bare-await" in shape
        self.bare_except = word == "except" and "bare-except" in shape
        if want.kind is Row:
            self.what = _OWN_METHOD if want.of_type else _OWN_FUNCTION
        elif not want.name or "." not in want.name or want.name.startswith("builtins."):
            self.what = _OTHER
        else:
            self.what = _METHOD if want.of_type else _FUNCTION
        self.key = (
            *(self.called, self.not_awaited, self.decorates, self.slashless),
            *(self.bare_await, self.bare_except, self.what),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def fits(self, facts: _Facts) -> bool:
        """Tell whether the code around the word is such."""
        if self.called and not facts.is_called:
            return False
        if self.not_awaited and facts.is_awaited:
            return False
        if self.bare_await and _AWAITED_CALL.match(facts.data, facts.start):
            return False
        if self.bare_except and _BARE_EXCEPT.match(facts.data, facts.start) is None:
            return False
        if self.decorates and not facts.decorates:
            return False
        plain = _PLAIN_PATH.match(facts.data, facts.end) if self.slashless else None
        return plain is None or (plain[2] == b"/" and not self.decorates)


class _Facts:
    """One word in the text."""

    __slots__ = ("_awaited", "_root", "after_dot", "data", "end", "is_called", "start")

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data, self.start, self.end = data, start, end
        self.is_called = data[end : end + 1] in b"([" or _CALL.match(data, end) is not None
        before = data[start - 1 : start]
        self.after_dot = before == b"." or (
            before in b" \t\r\n" and data[max(start - 40, 0) : start].rstrip()[-1:] == b"."
        )
        self._awaited: bool | None = None
        self._root: str | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether `await` stands before the dotted name that ends here, or the chain of calls and names."""
        if self._awaited is None:
            before = self.data[max(self.start - 120, 0) : self.start]
            self._awaited = _AWAITED_NAME.search(before) is not None and not _GOES_ON.match(self.data, self.end)
        return self._awaited

    @property
    def decorates(self) -> bool:
        """Whether it stands in the line of a decorator."""
        return self.data[self.data.rfind(b"\n", 0, self.start) + 1 : self.start].lstrip()[:1] == b"@"

    @property
    def root(self) -> str:
        """The first name of the dotted name that ends here; empty when it begins with something else."""
        if self._root is None:
            match = _DOTTED.search(self.data, max(self.start - 120, 0), self.start)
            self._root = match[1].decode() if match is not None else ""
        return self._root
