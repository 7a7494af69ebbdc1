"""The screens of rules: what their pages and rows ask for becomes words, once."""

from __future__ import annotations

from collections.abc import Iterable

from pitfall_lint.catalog import Rule
from pitfall_lint.libraries import Function, Libraries, Row, kinds
from pitfall_lint.screen import Screen
from pitfall_lint.semantic.wants import wants

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
    local: set[str] = set()
    coroutine_rules: set[str] = set()
    joined: set[str] = set()
    lasting: set[str] = set()
    lasting_words: set[str] = set()
    for rule in rules:
        shape = frozenset(rule.shape)
        if "joined" in shape:
            joined.add(rule.code)
            shape -= {"joined"}
        if "returns-later" in shape:
            lasting.add(rule.code)
        silent = {kind for kind in rule.asks if f"{kind}:context" in shape}  # they explain, and wake nobody
        silent |= {kind for kind in rule.asks if f"{kind}:chosen" in shape and not rule.chosen}
        shape = frozenset(word for word in shape if ":" not in word)
        if rule.chosen:  # then what is told of direct uses, in the strict set alone, is told as well
            shape = (shape - {"indirect", "local-address"}) | {"chosen"}
        if "local-address" in shape:
            local.add(rule.code)
        if "coroutine-call" in shape:
            coroutine_rules.add(rule.code)
            asked_of: set[type[Row]] = {Function}
        else:
            if (not rule.asks and rule.code not in joined) or any(kind not in known for kind in rule.asks):
                always.add(rule.code)
            asked_of = {known[kind] for kind in rule.asks if kind in known and kind not in silent}
            if rule.code in lasting:
                lasting_words |= wants({(kind, frozenset()): frozenset() for kind in asked_of}, libraries).keys()
                asked_of = set()
        for kind in asked_of:
            asked[kind, shape] = asked.get((kind, shape), frozenset()) | {rule.code}
    wanted = dict(wants(asked, libraries))
    given = any("async-argument" in rule.shape for rule in rules)
    return Screen(
        rules,
        libraries,
        frozenset(always),
        wanted,
        frozenset(local),
        frozenset(coroutine_rules),
        frozenset(joined),
        frozenset(lasting),
        frozenset(lasting_words),
        given,
        fast,
    )
