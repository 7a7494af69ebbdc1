"""A source frame: numbered lines with the range underlined, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.reporters import Style
from pitfall_lint.reporters.paint import columns, harmless, paint
from pitfall_lint.reporters.place import Place
from pitfall_lint.source import Source

CONTEXT = 2
_LONGEST = 6
"""Lines of a range that are shown before its middle is left out."""
_TAB = 4


def header(path: str, line: int, column: int, gutter: int, style: Style, arrow: str = "-->") -> str:
    """Return the line that says where a frame is: `--> path:line:column`."""
    return f"{' ' * gutter}{paint(arrow, 'blue', style)} {harmless(path)}:{line}:{column}\n"


def bar(gutter: int, style: Style) -> str:
    """Return an empty line of a frame."""
    return f"{' ' * gutter} {paint('|', 'blue', style)}\n"


def frame(
    source: Source,
    place: Place,
    gutter: int,
    style: Style,
    *,
    mark: str = "^",
    color: str = "red",
    label: str = "",
    context: int = CONTEXT,
) -> Iterator[str]:
    """Yield the lines around a range; the range is underlined, with a label behind the last mark."""
    total = len(source.lines)
    first, last = max(1, place.line - context), min(total, place.end_line + context)
    while first < place.line and not source.line_text(first).strip():
        first += 1
    while last > place.end_line and not source.line_text(last).strip():
        last -= 1
    skipped = range(place.line + _LONGEST // 2, place.end_line - _LONGEST // 2 + 1)
    if len(skipped) < 2:
        skipped = range(0)
    for number in range(first, last + 1):
        if number in skipped:
            if number == skipped[0]:
                yield f"{paint('...', 'blue', style)}\n"
            continue
        yield from _line(source, number, place, gutter, style, mark, color, label)


def _line(
    source: Source, number: int, place: Place, gutter: int, style: Style, mark: str, color: str, label: str
) -> Iterator[str]:
    text = harmless(source.line_text(number))
    is_marked = place.line <= number <= place.end_line and bool(text.strip() or place.line == place.end_line)
    start, end = _marked(text, number, place)
    before = _expanded(text[:start])
    inside = _expanded(text[start:end], columns(before))
    shown = _expanded(text)
    left, width = columns(before), max(1, columns(inside))
    room = style.width - gutter - 3 if style.width else 0
    if room > 20 and columns(shown) > room:
        shown, left, width = _clipped(shown, left if is_marked else 0, width, room)
    edge = paint("|", "blue", style)
    yield f"{paint(str(number).rjust(gutter), 'blue', style)} {edge} {shown}".rstrip() + "\n"
    if is_marked:
        text_label = f" {label}" if label and number == place.end_line else ""
        if style.width and text_label and gutter + 3 + left + width + columns(text_label) > style.width:
            text_label = ""
            below = f"{' ' * gutter} {edge} {' ' * max(0, min(left, style.width - gutter - 3 - columns(label)))}"
            yield f"{' ' * gutter} {edge} {' ' * left}{paint(mark * width, color, style)}\n"
            yield f"{below}{paint(label, color, style)}\n"
            return
        yield f"{' ' * gutter} {edge} {' ' * left}{paint(mark * width + text_label, color, style)}\n"


def _marked(text: str, number: int, place: Place) -> tuple[int, int]:
    """Return the columns of a line that belong to the range, 0-based."""
    start = place.column - 1 if number == place.line else len(text) - len(text.lstrip())
    end = place.end_column - 1 if number == place.end_line else len(text.rstrip())
    return start, max(start, end)


def _expanded(text: str, column: int = 0) -> str:
    if "\t" not in text and "\x0c" not in text:
        return text
    out = ""
    for char in text:
        out += " " * (_TAB - (column + columns(out)) % _TAB) if char == "\t" else char
    return out


def _clipped(text: str, left: int, width: int, room: int) -> tuple[str, int, int]:
    """Cut a line that is too wide so that the start of the marked range stays in sight."""
    start = 0
    if left + min(width, room // 2) > room - 1:
        start = max(0, min(left - room // 4, columns(text) - room + 1))
    out, column = "", 0
    for char in text:
        size = columns(char)
        if column >= start + (1 if start else 0) and column + size <= start + room - 1:
            out += char
        column += size
    is_cut = column > start + room - 1
    shown = ("…" if start else "") + out + ("…" if is_cut else "")
    left -= start
    return shown, left, max(1, min(width, room - left))
