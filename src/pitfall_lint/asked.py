"""What rules ask of the screen: words by the kinds of rows that they speak of, and shapes of code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pitfall_lint.catalog import Rule
from pitfall_lint.libraries import Function, Libraries, Row, kinds
from pitfall_lint.semantic.wants import Want, wants


class Asked(NamedTuple):
    """What some rules ask; see Screen."""

    always: frozenset[str]
    wanted: dict[str, tuple[Want, ...]]
    local: frozenset[str]
    coroutine_rules: frozenset[str]
    joined: frozenset[str]
    lasting: frozenset[str]
    lasting_words: frozenset[str]
    async_arguments: bool


def asked_by(rules: Iterable[Rule], libraries: Libraries) -> Asked:
    """Return what rules ask."""
    known = kinds()
    keys = {kind: key for key, kind in known.items()}
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
        of_kinds = {kind: {w[len(kind) + 1 :] for w in shape if w.startswith(f"{kind}:")} for kind in rule.asks}
        shape = frozenset(word for word in shape if ":" not in word)
        if rule.chosen:  # then what is told of direct uses, in the strict set alone, is told as well
            shape = (shape - {"indirect", "local-address", "endless"}) | {"chosen"}
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
            whole = shape | (of_kinds.get(keys[kind], set()) - {"context", "chosen"})
            whole -= {"through", "leaves", "owned", "alone"} if "alone" in whole else frozenset()
            asked[kind, whole] = asked.get((kind, whole), frozenset()) | {rule.code}
    return Asked(
        frozenset(always),
        dict(wants(asked, libraries)),
        frozenset(local),
        frozenset(coroutine_rules),
        frozenset(joined),
        frozenset(lasting),
        frozenset(lasting_words),
        any("async-argument" in rule.shape for rule in rules),
    )
