"""Whether a definition may matter to what is wanted, told by the bytes of the whole of it, before it is parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from pitfall_lint.libraries import Libraries
from pitfall_lint.libraries.loops import ThreadEntry
from pitfall_lint.semantic.closing_names import may_close_in
from pitfall_lint.semantic.localnames import LocalNames
from pitfall_lint.semantic.spans import Place
from pitfall_lint.semantic.verdict import goes_further
from pitfall_lint.semantic.wants import Want, blocks

_WORD = re.compile(rb"[A-Za-z_]\w*")
_KEPT = frozenset({b"self", b"cls"})
_GIVEN = frozenset({b"return", b"yield", b"lambda"})
_HEAD = re.compile(
    rb"[ \t\f]*async[ \t]+def[ \t]+\w+.{0,3000}?\)[ \t]*(?:->[^\n]+)?:[ \t]*(?:#[^\n]*)?\r?\n", re.DOTALL
)
"""The head of a coroutine function."""
_PLAIN_DEF = re.compile(rb"(?<!async)[ \t\r\n]def[ \t]|\blambda\b")


class Prospects:
    """The question of one file."""

    def __init__(
        self, data: bytes, libraries: Libraries, local: LocalNames, is_cut_off: Callable[[Place], bool]
    ) -> None:
        """`is_cut_off` tells whether what calls a function surely does not run its body."""
        self.is_cut_off = is_cut_off
        self._data = data
        self._libraries = libraries
        self._local = local
        self._entries = frozenset(leaf.encode() for leaf in libraries.leaves(ThreadEntry))

    def of(
        self, place: Place, hits: Collection[tuple[int, str]], wants: Callable[[str], Collection[Want]]
    ) -> list[tuple[int, str]]:
        """Return those of the words found in a place, with their offsets, that may matter there."""
        text = self._data[place.start : place.end]
        if place.start < 0 or text.count(b'"""') % 2 or text.count(b"'''") % 2:
            return list(hits)  # not all of it, perhaps
        body = _Body(text, place, self)
        found = []
        for offset, word in hits:
            in_head = offset - place.start < body.head
            if any(body.may_wake(want, in_head) or body.may_pass_on(want, in_head) for want in wants(word)):
                found.append((offset, word))
        return found

    def speaks(self, body: _Body) -> bool:
        """Tell whether a definition may speak of this machine."""
        return self._local.speaks_in_words(body.text, body.words)

    def enters_thread(self, body: _Body) -> bool:
        """Tell whether a definition may hand something to a thread."""
        return not self._entries.isdisjoint(body.words)

    def closes(self, body: _Body) -> bool:
        """Tell whether a definition may close something, or enter it."""
        return b"with" in body.words or may_close_in(body.text, body.words, self._libraries)


class _Body:
    """The bytes of one place; what is asked of them is found out once."""

    def __init__(self, text: bytes, place: Place, prospects: Prospects) -> None:
        self.text = text
        self._place = place
        self._prospects = prospects
        self.words = frozenset(_WORD.findall(text))
        head = _HEAD.match(text)
        self.head = head.end() if head is not None else 0
        self._is_async = head is not None and _PLAIN_DEF.search(text, head.end()) is None
        self._facts: dict[str, bool] = {}

    def _has(self, fact: str) -> bool:
        known = self._facts.get(fact)
        if known is None:
            known = self._facts[fact] = self._find(fact)
        return known

    def _find(self, fact: str) -> bool:
        if fact == "local-address":
            return self._prospects.speaks(self)
        if fact == "beside-entry":
            return self._prospects.enters_thread(self)
        if fact in ("closing", "ending"):
            return self._prospects.closes(self)
        if fact == "early":
            return not self._place.is_function or b"__init__" in self.words or b"class" in self.words
        if fact == "cut off":
            return self._prospects.is_cut_off(self._place)
        return _NEEDED[fact] in self.words

    def may_wake(self, want: Want, in_head: bool) -> bool:
        """Tell whether the definition may have to be looked at for the sake of what is wanted."""
        shape = want.shape
        if "indirect" in shape or ("in-def" in shape and self._is_async and not in_head):
            return False
        return all(self._has(fact) for fact in shape & _FACTS)

    def may_pass_on(self, want: Want, in_head: bool) -> bool:
        """Tell whether who uses the definition may have to be looked at."""
        shape = want.shape
        if "through" not in shape:
            return False
        if "chain" in shape:
            if not goes_further(want) or (self._is_async and not in_head):
                return False
            if "indirect" in shape and not self._place.is_function:
                return False
            return not blocks(shape) or not self._has("cut off")
        if not self._place.is_function:
            return True
        if "owned" in shape:
            return not self.words.isdisjoint(_KEPT | {b"class", b"return"})
        if "leaves" in shape or "returns" in shape:
            kept = "leaves" in shape and not self.words.isdisjoint(_KEPT)
            return kept or not self.words.isdisjoint(_GIVEN)
        return True


_NEEDED = {"in-async": b"async", "yields": b"yield", "rescues": b"except", "endless": b"while"}
_FACTS = frozenset({*_NEEDED, "local-address", "beside-entry", "closing", "ending", "early"})
