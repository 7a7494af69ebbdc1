"""Which rules know a text: the symptoms on their pages, compared without what changes from run to run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pitfall_lint.catalog import Rule

TELLING = 3
"""A symptom of fewer words says too little on a line of its own."""
SPECIFIC = 4
"""A symptom of fewer words says too little without a place in the code."""


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


def plain(text: str) -> str:
    """Return the text without what changes from run to run: case, spacing, numbers, punctuation."""
    return " ".join(re.sub(r"0x[0-9a-f]+|\d+|[^\w\s]|_", " ", text.lower()).split())


def matches(text: str, rules: Iterable[Rule]) -> list[Match]:
    """Return the rules that know a text, the most telling symptom of each, best first."""
    bare = re.sub(r"(?<!\w)'[^'\n]*'", " ", text)  # coroutine 'f' was never awaited
    wanted = f" {plain(text)} \n {plain(bare)} "
    found = []
    for rule in rules:
        known = [(len(re.findall(r"\w+", symptom)), symptom) for symptom in rule.symptoms if plain(symptom)]
        hits = [(size, symptom) for size, symptom in known if f" {plain(symptom)} " in wanted]
        if hits:
            size, symptom = max(hits)
            found.append(Match(rule, symptom, size))
    return sorted(found, key=lambda match: (-match.weight, match.rule.code))


def is_telling(line: str, rules: Iterable[Rule]) -> bool:
    """Tell whether a line of its own is worth a diagnosis: some rule knows a good part of it."""
    return any(match.words >= TELLING for match in matches(line, rules))
