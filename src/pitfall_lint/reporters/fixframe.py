"""What a fix does to the text, as a small diff below the finding."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from pitfall_lint.finding import Edit, Fix
from pitfall_lint.fixing import FixError, splice
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.frame import bar
from pitfall_lint.reporters.paint import columns, cut, harmless, paint
from pitfall_lint.source import Source

_MOST = 24
"""Changed lines that are shown of one fix."""
_CONTEXT = 1


def changes(source: Source, fix: Fix, style: Style, gutter: int) -> Iterator[str]:
    """Yield the lines that a fix takes out and puts in, with one line of context around each group."""
    shown = 0
    yield bar(gutter, style)
    for number, edits in enumerate(_groups(source, fix.edits)):
        if number:
            yield f"{paint('...', 'blue', style)}\n"
        for sign, line, text in _group(source, edits):
            if sign != " ":
                shown += 1
            if shown > _MOST:
                yield f"{paint('...', 'blue', style)}\n"
                yield bar(gutter, style)
                return
            yield _row(sign, line, text, style, gutter)
    yield bar(gutter, style)


def _row(sign: str, line: int, text: str, style: Style, gutter: int) -> str:
    text = harmless(text).expandtabs(4).rstrip()
    room = style.width - gutter - 3 if style.width else 0
    if room > 20 and columns(text) > room:
        text = cut(text, room - 1) + "…"
    number = "" if sign == "-" else str(line)
    color = {"-": "red", "+": "green"}.get(sign)
    edge = paint("|", "blue", style) if sign == " " else paint(sign, color or "dim", style)
    body = paint(text, color, style) if color else text
    return f"{paint(number.rjust(gutter), 'blue', style)} {edge} {body}".rstrip() + "\n"


def _groups(source: Source, edits: tuple[Edit, ...]) -> list[list[Edit]]:
    """Return edits that stand near each other together."""
    groups: list[list[Edit]] = []
    reached = -10
    for edit in sorted(edits, key=lambda edit: edit.span):
        first, last = source.position(edit.span.start)[0], source.position(edit.span.end)[0]
        if groups and first - reached <= 2 * _CONTEXT + 1:
            groups[-1].append(edit)
        else:
            groups.append([edit])
        reached = max(reached, last)
    return groups


def _group(source: Source, edits: list[Edit]) -> Iterator[tuple[str, int, str]]:
    first = max(1, source.position(edits[0].span.start)[0] - _CONTEXT)
    last = min(len(source.lines), source.position(max(edit.span.end for edit in edits))[0] + _CONTEXT)
    old = [source.line_text(number) for number in range(first, last + 1)]
    start = source.offset(first, 0)
    end = source.offset(last + 1, 0)
    try:
        after = splice(source, edits)
    except FixError:
        return
    grown = len(after.data) - len(source.data)
    new = after.text(start, end + grown).splitlines()
    before = first
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            lines = [(" ", first + j, new[j]) for j in range(j1, j2)]
            if i1 == 0 and j1 == 0:
                lines = lines[-_CONTEXT:]
            elif i2 == len(old):
                lines = lines[:_CONTEXT]
            yield from lines
            continue
        yield from (("-", before + i, old[i]) for i in range(i1, i2))
        yield from (("+", first + j, new[j]) for j in range(j1, j2))
