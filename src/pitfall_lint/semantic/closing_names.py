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


def is_closing_name(name: str) -> bool:
    """Tell whether a method is there to close: `close`, `aclose`, `close_client`, `shutdown`, …"""
    return _CLOSING.fullmatch(name.strip("_")) is not None


def any_closes(names: Iterable[str], libraries: Libraries) -> bool:
    """Tell whether one of some names is that of a method that closes something."""
    known = closing_methods(libraries)
    return any(name in known or is_closing_name(name) for name in names)


@lru_cache(maxsize=8)
def closing_methods(libraries: Libraries) -> frozenset[str]:
    """Return the names of the methods that rows know to close something."""
    rows = libraries.rows(Session)
    return frozenset(name for row in rows for name in (*row.close, *row.sync_close, "__exit__", "__aexit__"))
