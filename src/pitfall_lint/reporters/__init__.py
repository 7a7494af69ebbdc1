"""The output formats: one file per format, one function each, all fed with the same report."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pitfall_lint.catalog import Catalog
from pitfall_lint.run import Report


@dataclass(frozen=True, slots=True)
class Style:
    """What the place where the output goes can show."""

    color: bool = False
    links: bool = False
    width: int = 0
    """Columns to fit in; 0 when nobody counts them."""
    unsafe_fixes: bool = False
    """Whether unsafe fixes were asked for: then they are offered as the safe ones are."""


Reporter = Callable[[Report, Catalog, Style], Iterator[str]]


def reporter(name: str) -> Reporter:
    """Return the function that writes a report in the format of this name, piece by piece."""
    found: Reporter = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").render
    return found
