"""Who closes what is not theirs takes it away from everybody else who uses it."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.borrowing import (
    Borrowed,
    closed_arguments,
    closed_by_context,
    closed_cache_items,
    closed_defaults,
)
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report closes of a caller's session, of an instance's shared one, and of items that stay in a cache."""
    for function in file.functions():
        for borrowed in closed_defaults(function):
            yield told(borrowed, f"closes {borrowed.what} even when the caller gave it: {follows(borrowed)}")
        for borrowed in closed_by_context(function):
            yield told(borrowed, f"each use of this context manager closes {borrowed.what}, which others still use")
        for borrowed in closed_cache_items(function):
            yield told(
                borrowed,
                f"{borrowed.what} stays in {borrowed.owner} and is closed here: the next one gets it dead",
            )
    for class_ in file.classes():
        for borrowed in closed_arguments(class_):
            yield told(borrowed, f"closes {borrowed.what} even when the caller gave it: {follows(borrowed)}")


def follows(borrowed: Borrowed) -> str:
    """Return what that means for the caller."""
    return "it is dead for them" if borrowed.dead else "they lose its connections"


def told(borrowed: Borrowed, message: str) -> Finding:
    """Return the finding, with the other place."""
    related = [borrowed.file.related(borrowed.origin, "this is the one")]
    return borrowed.file.finding(borrowed.place, message, related=related, strict=not borrowed.dead)
