"""Whether a file can matter at all, and where: whole words that are derived from the library rows."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pitfall_lint.catalog import Rule
from pitfall_lint.libraries import Libraries, kinds
from pitfall_lint.semantic.outline import Outline
from pitfall_lint.source import Source


@dataclass(frozen=True)
class Awake:
    """The rules that a file wakes, and the 0-based lines that woke them; None stands for the whole file."""

    rules: tuple[Rule, ...]
    lines: tuple[int, ...] | None


class Screen:
    """Knows the words of some rules. A rule that asks for no kind of row is awake in every file."""

    def __init__(self, rules: Iterable[Rule], libraries: Libraries) -> None:
        self._always = tuple(rule for rule in rules if not rule.asks and not rule.is_built_in)
        self._rules = tuple(rule for rule in rules if rule.asks)
        self._words = {rule.code: _words(rule.asks, libraries) for rule in self._rules}
        self._pattern = _any_of(frozenset().union(*self._words.values())) if self._words else None

    def wake(self, source: Source) -> Awake:
        """Return the rules that have something to look at in a file, and where."""
        if self._pattern is None:
            return Awake(self._always, None if self._always else ())
        data = source.data
        found: dict[bytes, list[int]] = {}
        for match in self._pattern.finditer(data):
            found.setdefault(match.group(), []).append(match.start())
        awake = tuple(rule for rule in self._rules if not found.keys().isdisjoint(self._words[rule.code]))
        if self._always:
            return Awake(tuple(sorted((*awake, *self._always), key=lambda rule: rule.code)), None)
        wanted = frozenset().union(*(self._words[rule.code] for rule in awake)) if awake else frozenset()
        lines = {_line(source, offset) for word in found.keys() & wanted for offset in found[word]}
        names = _aliases(data, found.keys() & wanted)
        outline, seen = Outline(source), set[bytes]()
        for _ in range(3):  # what calls a definition that matters may matter itself
            blocks = (outline.function_at(line) for line in lines)
            names |= {block.name.encode() for block in blocks if block is not None}
            names -= seen
            if not names:
                break
            lines |= {_line(source, match.start()) for match in _any_of(frozenset(names)).finditer(data)}
            seen |= names
        return Awake(awake, tuple(sorted(lines)))


def _line(source: Source, offset: int) -> int:
    return bisect.bisect_right(source.line_starts, offset) - 1


@lru_cache(maxsize=8)
def screen_for(rules: Sequence[Rule], libraries: Libraries) -> Screen:
    """Return the screen of some rules, made once."""
    return Screen(rules, libraries)


def _words(asks: Iterable[str], libraries: Libraries) -> frozenset[bytes]:
    known = kinds()
    return frozenset(
        word.encode() for kind in asks for row in libraries.rows(known[kind]) for word in row.words if word
    )


def _any_of(words: frozenset[bytes]) -> re.Pattern[bytes]:
    return re.compile(rb"(?<!\w)(?:" + b"|".join(re.escape(word) for word in sorted(words)) + rb")(?!\w)")


def _aliases(data: bytes, words: Iterable[bytes]) -> set[bytes]:
    """Return the other names that a file gives the words: `from x import word as alias`, `alias = x.word`."""
    words = frozenset(words)
    if not words:
        return set()
    either = b"(?:" + b"|".join(re.escape(word) for word in sorted(words)) + b")"
    pattern = (
        rb"(?<!\w)"
        + either
        + rb"[ \t]+as[ \t]+(\w+)|(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:[\w.]+\.)?"
        + either
        + rb"[ \t]*$"
    )
    found: set[bytes] = set()
    for match in re.finditer(pattern, data, re.MULTILINE):
        found.add(match.group(1) or match.group(2))
    return found - words
