"""The screens of rules: what their pages and rows ask for becomes words, once."""

from __future__ import annotations

from collections.abc import Iterable

from pitfall_lint.asked import asked_by
from pitfall_lint.catalog import Rule
from pitfall_lint.libraries import Libraries
from pitfall_lint.screen import Screen

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
    rules = tuple(rule for rule in rules if not rule.is_built_in)
    return Screen(rules, libraries, *asked_by(rules, libraries), fast)
