"""Which rules know a text: the symptoms on their pages, compared without what changes from run to run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pitfall_lint.catalog import Rule

TELLING = 3
"""A symptom of fewer words says too little on a line of its own."""
SPECIFIC = 3
"""A symptom of fewer words says too little without a place in the code."""
_COMMON = (
    "no such file or directory",
    "too many open files",
    "cannot assign requested address",
    "name or service not known",
    "connection closed",
    "connection is closed",
    "session is closed",
    "event loop is closed",
    "i o operation on closed file",
    "cannot schedule new futures after shutdown",
    "cannot write to closing transport",
    "object has no attribute",
    "input should be a valid integer unable to parse string as an integer",
    "not found",
    "timeouterror",
    "exception ignored in",
    "response content shorter than content length",
    "remote end closed connection without response",
    "server disconnected without sending a response",
)
"""What programs of every kind log, whatever their fault: only a place in the code makes it an answer."""


@dataclass(frozen=True)
class Match:
    """A rule whose page names what the log says."""

    rule: Rule
    symptom: str
    words: int

    @property
    def weight(self) -> float:
        """How much it tells, between 0 and 1."""
        return min(self.words, 12) / 12

    @property
    def is_specific(self) -> bool:
        """Whether the text alone tells what is wrong, wherever it comes from."""
        words = len(plain(self.symptom).split())
        text = f" {plain(self.symptom)} "
        common = max((len(words.split()) for words in _COMMON if f" {words} " in text), default=0)
        return self.words >= SPECIFIC and (not common or words - common >= TELLING)

    @property
    def is_about_a_name(self) -> bool:
        """Whether such a text names the coroutine that it is about."""
        return re.search("never|pending", self.symptom) is not None


def plain(text: str) -> str:
    """Return the text without what changes from run to run: case, spacing, numbers, punctuation."""
    return " ".join(re.sub(r"0x[0-9a-f]+|\d+|[^\w\s]|_", " ", text.lower()).split())


def matches(text: str, rules: Iterable[Rule]) -> list[Match]:
    """Return the rules that know a text, the most telling symptom of each, best first.

    A `…` in a symptom stands for whatever comes between.
    """
    bare = re.sub(r"(?<!\w)'[^'\n]*'", " ", text)  # coroutine 'f' was never awaited
    wanted = (f" {plain(text)} ", f" {plain(bare)} ")
    found: list[Match] = []
    for rule in rules:
        hits = [(len(re.findall(r"\w+", s)), s) for s in rule.symptoms if any(_stands(s, text) for text in wanted)]
        if hits:
            size, symptom = max(hits)
            found.append(Match(rule, symptom, size))
    return sorted(found, key=lambda match: (-match.weight, match.rule.code))


def stands(symptom: str, line: str) -> bool:
    """Tell whether a symptom stands in a line as it was logged."""
    bare = re.sub(r"(?<!\w)'[^'\n]*'", " ", line)
    return _stands(symptom, f" {plain(line)} ") or _stands(symptom, f" {plain(bare)} ")


def _stands(symptom: str, text: str) -> bool:
    """Tell whether the parts of a symptom stand in a plain text, one behind the other."""
    position = 0
    parts = [part for part in map(plain, symptom.split("…")) if part]
    for part in parts:
        position = text.find(f" {part} ", position)
        if position < 0:
            return False
        position += len(part) + 1
    return bool(parts)


def is_telling(line: str, rules: Iterable[Rule]) -> bool:
    """Tell whether a line of its own is worth a diagnosis: some rule knows a good part of it."""
    return any(match.words >= TELLING for match in matches(line, rules))
