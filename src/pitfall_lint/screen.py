"""Which files and which of their lines could hold a finding, told by whole words before anything is parsed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pitfall_lint.catalog import Rule
from pitfall_lint.libraries import Libraries, Row, kinds
from pitfall_lint.semantic.suspicion import TABLE, Suspicion, Want, wants
from pitfall_lint.source import Source, SourceError

Finder = Callable[[bytes], "set[str]"]


@dataclass(frozen=True, slots=True)
class Awake:
    """What of a file has to be looked at."""

    rules: tuple[Rule, ...] = ()
    """The rules that could find something."""
    lines: tuple[int, ...] | None = ()
    """0-based lines of the definitions to look at; None for all of them."""
    lines_read: int = 0
    """How many lines `ast` has read to know it."""


ASLEEP = Awake()


@dataclass(frozen=True, eq=False)
class Screen:
    """The words that the rows of some rules ask for, ready to be looked for."""

    rules: tuple[Rule, ...]
    libraries: Libraries
    always: frozenset[str]
    """Rules that ask for no rows: they have to see every file whole."""
    wanted: dict[str, tuple[Want, ...]] = field(repr=False)
    find: Finder = field(repr=False)
    """Returns the words of interest in a file's bytes."""

    def wake(self, source: Source) -> Awake:
        """Return what of a file has to be looked at; nothing, mostly."""
        if self.always:
            return Awake(self.rules, None)
        found = self.find(_plain_bytes(source))
        words = [word for word in found if word in self.wanted and self._in_reach(word, found)]
        if not words:
            return ASLEEP
        suspicion = Suspicion(source, words, self.wanted, self.libraries)
        lines = suspicion.run()
        codes = {code for codes in lines.values() for code in codes}
        rules = tuple(rule for rule in self.rules if rule.code in codes)
        return Awake(rules, tuple(sorted(lines)), suspicion.lines_read)

    def _in_reach(self, word: str, found: set[str]) -> bool:
        """Tell whether a wanted library is named here, or could come in by an import from the project."""
        for want in self.wanted[word]:
            if not want.roots or not want.roots.isdisjoint(found) or want.of_type or not want.name:
                return True
        return False


_SCREENS: list[tuple[tuple[Rule, ...], Libraries, Screen]] = []


def screen_for(rules: tuple[Rule, ...], libraries: Libraries) -> Screen:
    """Return the screen of some rules; the last few are kept."""
    for known_rules, known_libraries, screen in _SCREENS:
        if known_libraries is libraries and (known_rules is rules or known_rules == rules):
            return screen
    screen = build(rules, libraries)
    _SCREENS.insert(0, (rules, libraries, screen))
    del _SCREENS[32:]
    return screen


def build(rules: Iterable[Rule], libraries: Libraries, *, fast: bool = True) -> Screen:
    """Return the screen of some rules. `fast` allows the extra library that looks for all words at once."""
    known = kinds()
    rules = tuple(rule for rule in rules if not rule.is_built_in)
    asked: dict[tuple[type[Row], frozenset[str]], frozenset[str]] = {}
    always: set[str] = set()
    for rule in rules:
        if not rule.asks or any(kind not in known for kind in rule.asks):
            always.add(rule.code)
        for kind in rule.asks:
            if kind in known:
                key = known[kind], frozenset(rule.shape)
                asked[key] = asked.get(key, frozenset()) | {rule.code}
    wanted = dict(wants(asked, libraries))
    words = set(wanted)
    words.update(root for these in wanted.values() for want in these for root in want.roots)
    return Screen(rules, libraries, frozenset(always), wanted, _finder(words, fast))


def _finder(words: set[str], fast: bool) -> Finder:
    if fast and words:
        try:
            import ahocorasick_rs
        except ImportError:
            pass
        else:
            return _aho_corasick(words, ahocorasick_rs)
    needles = {word.encode(): word for word in words}
    known = frozenset(needles)

    def find(data: bytes) -> set[str]:
        return {needles[word] for word in known.intersection(data.translate(TABLE).split())}

    return find


def _aho_corasick(words: set[str], library: object) -> Finder:
    ordered = sorted(words)
    automaton = library.BytesAhoCorasick(  # type: ignore[attr-defined]
        [word.encode() for word in ordered],
        implementation=library.Implementation.DFA,  # type: ignore[attr-defined]
    )

    def find(data: bytes) -> set[str]:
        found: set[str] = set()
        for index, start, end in automaton.find_matches_as_indexes(data, overlapping=True):
            word = ordered[index]
            if word not in found and not _continues(data, start - 1) and not _continues(data, end):
                found.add(word)
        return found

    return find


def _continues(data: bytes, index: int) -> bool:
    """Tell whether a byte belongs to a word."""
    return 0 <= index < len(data) and TABLE[data[index]] != 32


def _plain_bytes(source: Source) -> bytes:
    """Return the bytes in an encoding that writes words as ASCII does."""
    if b"coding" in source.data[:400]:
        try:
            if source.encoding != "utf-8":
                return source.decoded().encode()
        except SourceError:
            pass
    return source.data
