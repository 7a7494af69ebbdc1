"""What of a file has to be looked at, and by which rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pitfall_lint.catalog import Rule


@dataclass(frozen=True, slots=True)
class Awake:
    """What of a file has to be looked at."""

    rules: tuple[Rule, ...] = ()
    """The rules that could find something."""
    lines: tuple[int, ...] | None = ()
    """0-based lines of the definitions to look at; None for all of them."""
    lines_read: int = 0
    """How many lines `ast` has read to know it."""
    by_rule: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The lines that each rule has to look at, where that is known; else each looks at all of them."""

    def lines_of(self, rule: Rule) -> tuple[int, ...] | None:
        """Return the lines that one rule has to look at; None for all that there are."""
        own = self.by_rule.get(rule.code)
        if own is None or self.lines is None:
            return self.lines
        lines = frozenset(self.lines)
        return tuple(line for line in own if line in lines)


ASLEEP = Awake()
