"""Colour, links and harmless text for terminals."""

from __future__ import annotations

import re
import unicodedata

from pitfall_lint.finding import Severity
from pitfall_lint.reporters import Style

_CODES = {
    "bold": "1",
    "red": "1;31",
    "yellow": "1;33",
    "green": "32",
    "blue": "1;34",
    "cyan": "1;36",
    "dim": "2",
}
_SEVERITY = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.HINT: "cyan"}
# What could steer a terminal or turn text around: C0 and C1 controls, bidirectional marks.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def paint(text: str, color: str, style: Style) -> str:
    """Return the text in a colour, where colours are shown."""
    return f"\x1b[{_CODES[color]}m{text}\x1b[0m" if style.color and text else text


def severity_color(severity: Severity) -> str:
    """Return the colour that stands for a severity."""
    return _SEVERITY[severity]


def link(text: str, url: str, style: Style) -> str:
    """Return the text as a hyperlink, where the terminal has them."""
    return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if style.links and url else text


def harmless(text: str) -> str:
    """Return text from other people's files without what could steer the terminal."""
    return _HARMFUL.sub(
        lambda match: "\N{SYMBOL FOR ESCAPE}" if match[0] == "\x1b" else "\N{REPLACEMENT CHARACTER}", text
    )


def one_line(text: str) -> str:
    """Return harmless text on one line."""
    return harmless(" ".join(text.split()))


def columns(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def cut(text: str, width: int) -> str:
    """Return as much of the text as fits into so many columns."""
    taken = 0
    for index, char in enumerate(text):
        taken += columns(char)
        if taken > width:
            return text[:index]
    return text


def wrapped(text: str, style: Style, indent: int, first: int | None = None) -> str:
    """Return text broken at spaces; later lines are indented, the first has `first` columns taken."""
    if not style.width:
        return text
    lines, used = [""], indent if first is None else first
    for word in text.split(" "):
        size = columns(word)
        if lines[-1] and used + 1 + size > style.width:
            lines.append(word)
            used = indent + size
        else:
            lines[-1] += f" {word}" if lines[-1] else word
            used += size + (1 if lines[-1] != word else 0)
    return ("\n" + " " * indent).join(lines)
