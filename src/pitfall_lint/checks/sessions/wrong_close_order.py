"""A close that fails or cuts off half-way leaves the rest open."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.closing_order import owner_first, stumbles
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report closes that may raise on an attribute still None, and owners closed before what they made."""
    for class_ in file.classes():
        for stumble in stumbles(class_):
            message = f"{stumble.text} raises AttributeError while it is None: {stumble.rest} then stays open"
            related = [stumble.file.related(stumble.other, "None until something sets it")]
            yield stumble.file.finding(stumble.place, message, related=related)
        for early in owner_first(class_):
            message = f"{early.text} is closed before {early.rest}, which was made from it"
            yield early.file.finding(early.place, message, related=[early.file.related(early.other, "closed here")])
