"""`# noqa`: which comments silence which findings, by ruff's rules."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from pitfall_lint.finding import Span
from pitfall_lint.source import Source

_CODE = r"[A-Z]+[0-9]+"
_NOQA = rf"noqa(?:(?P<colon>\s*:\s*)(?P<codes>{_CODE}(?!\w)(?:[\s,]+{_CODE}(?!\w))*)?|(?!\s*:)(?![\w-]))"
_LINE = re.compile(rf"#\s*{_NOQA}", re.IGNORECASE)
_FILE = re.compile(rf"#\s*(?:pitfall-lint|flake8)\s*:\s*{_NOQA}", re.IGNORECASE)
_F_STRING = {getattr(tokenize, name, -1): name.endswith("START") for name in ("FSTRING_START", "FSTRING_END")} | {
    getattr(tokenize, name, -2): name.endswith("START") for name in ("TSTRING_START", "TSTRING_END")
}
_QUIET = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT)


@dataclass(frozen=True, slots=True)
class Directive:
    """One comment that silences."""

    line: int
    span: Span
    """The comment from its `#` to the last code."""
    codes: tuple[str, ...]
    """The codes that it silences, in capitals; none means all."""
    whole_file: bool = False

    def silences(self, code: str) -> bool:
        """Tell whether findings of this code are meant."""
        return not self.codes or code in self.codes


class Suppressions:
    """The directives of one file, and where a comment for a given line has to stand."""

    def __init__(self, source: Source) -> None:
        self.directives: list[Directive] = []
        self._last_line: dict[int, int] | None = None
        self._source = source
        if b"noqa" in source.data.lower():
            self._scan()
        self._whole_file = [d for d in self.directives if d.whole_file]
        self._by_line = {d.line: d for d in self.directives if not d.whole_file}

    def noqa_row(self, line: int) -> int:
        """Return the line that a comment for this line has to stand on: the last one of a string."""
        return self._rows().get(line, line)

    def silencer(self, code: str, line: int) -> Directive | None:
        """Return the directive that silences a code on a line, if there is one."""
        own = self._by_line.get(self.noqa_row(line))
        if own is not None and own.silences(code):
            return own
        return next((d for d in self._whole_file if d.silences(code)), None)

    def _rows(self) -> dict[int, int]:
        if self._last_line is None:
            self._scan()
        return self._last_line or {}

    def _scan(self) -> None:
        self._last_line = {}
        for line, column, comment in self._comments(self._source, self._last_line):
            self.directives.extend(_directives(self._source, line, column, comment))

    def _comments(self, source: Source, rows: dict[int, int]) -> Iterator[tuple[int, int, str]]:
        """Yield line, column and text of all comments, and note in `rows` which lines belong together."""
        lines = iter(line.decode(source.shown_encoding, "replace") for line in source.lines)
        started: list[int] = []
        previous = (0, 0)
        try:
            for token in tokenize.generate_tokens(lambda: next(lines, "")):
                start, end = token.start[0], token.end[0]
                if token.type == tokenize.COMMENT:
                    yield start, token.start[1], token.string
                elif token.type == tokenize.STRING:
                    _belong(rows, start, end)
                elif token.type in _F_STRING:
                    if _F_STRING[token.type]:
                        started.append(start)
                    elif started:
                        _belong(rows, started.pop(), end)
                if previous[0] and start == previous[0] + 1 and previous[1] not in (*_QUIET, tokenize.NEWLINE):
                    if source.line_text(previous[0]).endswith("\\"):
                        _belong(rows, previous[0], start)
                previous = (end, token.type)
        except (tokenize.TokenError, SyntaxError):
            # Text that doesn't tokenize: what was read counts, the rest is searched line by line.
            for number in range(previous[0] + 1, len(source.lines) + 1):
                text = source.line_text(number)
                if "#" in text and "noqa" in text.lower():
                    yield number, text.index("#"), text[text.index("#") :]


def _belong(rows: dict[int, int], first: int, last: int) -> None:
    """Note that a comment for any line of a string or continued line stands on its last one."""
    for line in range(first, last):
        rows[line] = last
    before = first - 1
    while rows.get(before) == first:
        rows[before] = last
        before -= 1


def _directives(source: Source, line: int, column: int, comment: str) -> Iterator[Directive]:
    for pattern, whole_file in ((_FILE, True), (_LINE, False)):
        for match in pattern.finditer(comment):
            if match["colon"] is not None and match["codes"] is None:
                continue  # a colon and no code behind it: ruff ignores that, too
            if whole_file and source.line_text(line)[:column].strip():
                continue  # a comment for the file stands on a line of its own
            start = source.offset(line, column + match.start())
            end = source.offset(line, column + match.end())
            codes = tuple(re.findall(_CODE, (match["codes"] or "").upper()))
            yield Directive(line, Span(start, end), codes, whole_file)
            return
