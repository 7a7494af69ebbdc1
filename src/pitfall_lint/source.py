"""One file's bytes, and the way between byte offsets, lines and columns."""

from __future__ import annotations

import bisect
import codecs
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class SourceError(ValueError):
    """The bytes are not Python text; `offset` says where."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, eq=False)
class Source:
    """The bytes of one file and what can be known of them without parsing.

    `path` is the name under which findings are reported; `data` are the bytes as they lie on disk.
    """

    path: str
    data: bytes

    @cached_property
    def bom(self) -> bytes:
        """The UTF-8 byte order mark, or nothing."""
        return codecs.BOM_UTF8 if self.data.startswith(codecs.BOM_UTF8) else b""

    @cached_property
    def encoding(self) -> str:
        """The codec that PEP 263 gives the file. Raises SourceError for an unknown one."""
        for line in self.data[len(self.bom) :].split(b"\n", 2)[:2]:
            match = _CODING.match(line)
            if match:
                name = match.group(1).decode("ascii", "replace")
                try:
                    "".encode(name)
                    return codecs.lookup(name).name
                except (LookupError, ValueError):  # ValueError: a name with a NUL in it
                    raise SourceError(f"unknown encoding {name!r} in the coding line") from None
            if line.strip() and not line.lstrip().startswith(b"#"):
                break
        return "utf-8"

    @cached_property
    def shown_encoding(self) -> str:
        """The codec to show the text with: the file's, or one that reads any byte where that is unknown."""
        try:
            return self.encoding
        except SourceError:
            return "latin-1"

    @cached_property
    def newline(self) -> str:
        """The newline of the first line."""
        end = self.data.find(b"\n")
        if end > 0 and self.data[end - 1 : end] == b"\r":
            return "\r\n"
        return "\r" if end < 0 and b"\r" in self.data else "\n"

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines with their ends, cut only where Python cuts; a BOM is not part of the first one."""
        return self.data[len(self.bom) :].splitlines(keepends=True)

    @cached_property
    def line_starts(self) -> Sequence[int]:
        """Byte offset of each line's first byte."""
        sizes = map(len, self.data[len(self.bom) :].splitlines(keepends=True))
        starts = array("q", accumulate(sizes, initial=len(self.bom)))
        if len(starts) > 1:
            starts.pop()
        return starts

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        return len(self.line_starts) if len(self.data) > len(self.bom) else 0

    def line_start(self, line: int) -> int:
        """Return the byte offset of a 0-based line; behind the last one, the end of the text."""
        return self.line_starts[line] if line < len(self.line_starts) else len(self.data)

    def span_of(self, first: int, end: int) -> tuple[int, int]:
        """Return the byte offsets of lines, 0-based, `end` being one past the last."""
        return self.line_start(first), self.line_start(end)

    def between(self, first: int, end: int) -> bytes:
        """Return the bytes of lines, 0-based, `end` being one past the last; `lines` need not be cut for it."""
        return self.data[self.line_start(first) : self.line_start(end)]

    def line_text(self, line: int) -> str:
        """Return line `line` (1-based) without its end; bytes that don't decode are replaced."""
        if not 1 <= line <= len(self.lines):
            return ""
        return self.lines[line - 1].rstrip(b"\r\n").decode(self.shown_encoding, "replace")

    def offset(self, line: int, column: int) -> int:
        """Return the byte offset of a 1-based line and a 0-based column in characters."""
        if line > len(self.lines):
            return len(self.data)
        start = self.line_starts[line - 1]
        if column <= 0:
            return start
        raw = self.lines[line - 1]
        if self.shown_encoding == "utf-8" and raw.isascii():
            return start + min(column, len(raw))
        return start + len(raw.decode(self.shown_encoding, "replace")[:column].encode(self.shown_encoding, "replace"))

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and 1-based column, in characters, of a byte offset."""
        line = max(bisect.bisect_right(self.line_starts, offset) - 1, 0)
        before = self.data[self.line_starts[line] : offset]
        return line + 1, len(before.decode(self.shown_encoding, "replace")) + 1

    def text(self, start: int, end: int) -> str:
        """Return the decoded text between two byte offsets."""
        return self.data[start:end].decode(self.shown_encoding, "replace")

    def decoded(self) -> str:
        """Return the whole text without a BOM. Raises SourceError for bytes that don't decode or are NUL."""
        nul = self.data.find(b"\0")
        if nul >= 0:
            raise SourceError("source contains a NUL byte", nul)
        try:
            return self.data[len(self.bom) :].decode(self.encoding)
        except UnicodeDecodeError as error:
            offset = error.start + len(self.bom)
            raise SourceError(f"not valid {self.encoding}: {error.reason}", offset) from None
