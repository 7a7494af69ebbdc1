"""The names that methods go by that close something."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from pitfall_lint.libraries import Libraries
from pitfall_lint.libraries.sessions import Session

_CLOSING = re.compile(
    r"(async_)?a?(close|shutdown|stop|dispose|disconnect|cleanup|clean_up|teardown|terminate|quit)(_\w+)?"
)
_STEMS = (
    *(b"close", b"shutdown", b"stop", b"dispose", b"disconnect", b"cleanup", b"clean_up", b"teardown", b"terminate"),
    b"quit",
)


def is_closing_name(name: str) -> bool:
    """Tell whether a method is there to close: `close`, `aclose`, `close_client`, `shutdown`, …"""
    return _CLOSING.fullmatch(name.strip("_")) is not None


def any_closes(names: Iterable[str], libraries: Libraries) -> bool:
    """Tell whether one of some names is that of a method that closes something."""
    known = closing_methods(libraries)
    return any(name in known or is_closing_name(name) for name in names)


def may_close_in(text: bytes, words: frozenset[bytes], libraries: Libraries) -> bool:
    """Tell, quickly, whether a text may name a method that closes something; `words` are all its words."""
    return any(stem in text for stem in _STEMS) or not words.isdisjoint(_known_words(libraries))


@lru_cache(maxsize=8)
def _known_words(libraries: Libraries) -> frozenset[bytes]:
    return frozenset(name.encode() for name in closing_methods(libraries))


@lru_cache(maxsize=8)
def closing_methods(libraries: Libraries) -> frozenset[str]:
    """Return the names of the methods that rows know to close something."""
    rows = libraries.rows(Session)
    return frozenset(name for row in rows for name in (*row.close, *row.sync_close, "__exit__", "__aexit__"))
