"""Open documents: text cut into lines as the protocol cuts it, tolerant of clients that get it wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from pitfall_lint.source import Source

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_MAGIC = re.compile(r"^(\s*)([%!?]|[\w.]+\?+\s*$)")
PYTHON = ("python", "")


class Document(TextDocument):
    """A text that knows its lines: only CR, LF and CRLF end one, no form feed."""

    _cut: tuple[str, list[str]] | None = None

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends."""
        text = self.source
        if self._cut is None or self._cut[0] is not text:
            self._cut = (text, _LINES.findall(text))
        return self._cut[1]

    def _apply_incremental_change(self, change: types.TextDocumentContentChangePartial) -> None:
        lines = list(self.lines)
        found = self._position_codec.range_from_client_units(lines, change.range)
        start, end = found.start, found.end
        first = lines[start.line][: start.character] if start.line < len(lines) else ""
        last = lines[end.line][end.character :] if end.line < len(lines) else ""
        new = _LINES.findall(first + change.text + last)
        after = end.line + 1
        lines[start.line : after] = new
        at = start.line + len(new)
        whole = "".join(lines)
        # Where an end of line came to stand beside another, or went, only cutting the whole text anew is right.
        seams = [i for i in (start.line, at) if 0 < i < len(lines)]
        sound = all(
            lines[i - 1][-1:] in ("\n", "\r") and not (lines[i - 1][-1:] == "\r" and lines[i][:1] == "\n")
            for i in seams
        )
        self._source = whole
        self._cut = (whole, lines if sound else _LINES.findall(whole))


class Documents(Workspace):
    """pygls' workspace, which forgives changes of what was never opened."""

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> TextDocument:
        return Document(
            doc_uri,
            source=source,
            version=version,
            language_id=language_id,
            sync_kind=self._sync_kind,
            position_codec=self._position_codec,
        )

    def update_text_document(
        self,
        text_doc: types.VersionedTextDocumentIdentifier,
        change: types.TextDocumentContentChangeEvent,
    ) -> None:
        """Apply a change to an open document; changes of others are dropped."""
        if unquote(text_doc.uri) in self._text_documents:
            super().update_text_document(text_doc, change)

    def update_notebook_document(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Apply a change to an open notebook; changes of others are dropped."""
        if unquote(params.notebook_document.uri) in self._notebook_documents:
            super().update_notebook_document(params)

    def remove_folder(self, folder_uri: str) -> None:
        """Forget a workspace folder."""
        self._folders.pop(unquote(folder_uri), None)

    def opened(self, uri: str) -> TextDocument | None:
        """Return a document that is open, and never one from the disk."""
        found: TextDocument | None = self._text_documents.get(unquote(uri))
        return found

    def notebook_of(self, uri: str) -> types.NotebookDocument | None:
        """Return the notebook of this address or that has such a cell."""
        return self.get_notebook_document(notebook_uri=uri) or self.get_notebook_document(cell_uri=uri)


@dataclass(frozen=True)
class Cell:
    """One code cell of a notebook: the lines [first, end) of the module that the cells make together."""

    uri: str
    first: int
    end: int


@dataclass(frozen=True)
class Snapshot:
    """What is analysed: the text of a document at one moment."""

    uri: str
    path: str
    source: Source
    key: tuple[int, int]
    """Number of edits so far, and of changes elsewhere that matter."""
    version: int | None = None
    cells: tuple[Cell, ...] = ()


def encoded(path: str, text: str) -> Source:
    """Return an editor's text as the bytes that it has in a file, as far as its coding line allows."""
    source = Source(path, text.encode("utf-8", "surrogatepass"))
    try:
        if source.encoding != "utf-8":
            return Source(path, text.encode(source.encoding))
    except (ValueError, LookupError):  # an unknown codec, or characters that it does not have
        pass
    return source


def joined(cells: Sequence[tuple[str, str]]) -> tuple[str, tuple[Cell, ...]]:
    """Return the module that a notebook's code cells make, and where each cell stands in it.

    Lines that only IPython understands become comments of the same length, cells in other languages blank.
    """
    pieces: list[str] = []
    found: list[Cell] = []
    line = 0
    for uri, text in cells:
        lines = _LINES.findall(text)
        if not lines or not lines[-1].endswith(("\n", "\r")):
            lines.append((lines.pop() if lines else "") + "\n")
        if lines[0].startswith("%%"):
            lines = ["\n" for _ in lines]
        pieces += [_plain(each) for each in lines]
        found.append(Cell(uri, line, line + len(lines)))
        line += len(lines)
    return "".join(pieces), tuple(found)


def _plain(line: str) -> str:
    magic = _MAGIC.match(line)
    if magic is None:
        return line
    indent, body = magic[1], line[len(magic[1]) :]
    return (
        indent
        + ("pass" + "#" * max(len(body.rstrip("\r\n")) - 4, 0) if indent else "#" + body[1:].rstrip("\r\n"))
        + "\n"
    )
