"""Which of many whole words stand in a file: one pass over its bytes, however many words there are."""

from __future__ import annotations

from collections.abc import Callable

from pitfall_lint.semantic.words import continues, words_of

Finder = Callable[[bytes], "set[str]"]
_MANY = 5000
"""Words beyond which so many are found that cutting the text into its words is faster, and takes no memory."""


def finder(words: set[str], fast: bool) -> Finder:
    """Return what finds the words of a file; `fast` allows the extra library that looks for all of them at once."""
    if fast and 0 < len(words) < _MANY:
        try:
            import ahocorasick_rs
        except ImportError:
            pass
        else:
            return _aho_corasick(words, ahocorasick_rs)
    needles = {word.encode(): word for word in words}
    known = frozenset(needles)

    def find(data: bytes) -> set[str]:
        return {needles[word] for word in known.intersection(words_of(data))}

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
            if word not in found and not continues(data, start - 1) and not continues(data, end):
                found.add(word)
        return found

    return find
