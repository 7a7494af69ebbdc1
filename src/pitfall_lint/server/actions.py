"""Code actions: mend one finding in one of several ways, mend all, silence a line, read the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lsprotocol import types

from pitfall_lint import lint, noqa
from pitfall_lint.catalog import Catalog
from pitfall_lint.finding import Applicability, Edit, Finding, Span
from pitfall_lint.server.analysis import Analysis
from pitfall_lint.server.places import Places

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.pitfall-lint"
OPEN_PAGE = "pitfall-lint.openPage"
Versions = dict[str, "int | None"]


class Actions:
    """The actions for one analysed text. `versions` are those of its documents, None without support."""

    def __init__(self, analysis: Analysis, rules: Catalog, where: Places, versions: Versions | None) -> None:
        self.analysis = analysis
        self.rules = rules
        self.where = where
        self.versions = versions

    def at(self, uri: str, place: types.Range, disable: bool) -> Iterator[types.CodeAction]:
        """Yield the quick fixes for the findings that touch a range."""
        findings = self.touching(uri, place)
        for finding in findings:
            yield from self._alternatives(uri, finding)
        for code in dict.fromkeys(finding.code for finding in findings):
            same = [f for f in self.analysis.findings if f.code == code and _applicable(f)]
            if len(same) > 1:
                name = same[0].name
                yield types.CodeAction(
                    f"Fix all {len(same)} {name} ({code}) in this file",
                    kind=types.CodeActionKind.QuickFix,
                    data={"uri": uri, "codes": [code], "unsafe": True},
                )
        for finding in findings if disable else ():
            yield from self._silencing(uri, finding)
        for code in dict.fromkeys(finding.code for finding in findings) if disable else ():
            yield from self._silencing_everywhere(code)
        for code in dict.fromkeys(finding.code for finding in findings):
            if (rule := self.rules.find(code)) is not None:
                title = f"Open the page of {rule.name} ({code})"
                command = types.Command(title=title, command=OPEN_PAGE, arguments=[rule.code])
                yield types.CodeAction(title, kind=types.CodeActionKind.QuickFix, command=command)

    def touching(self, uri: str, place: types.Range) -> list[Finding]:
        """Return the findings that share a place with a range."""
        start, end = self.where.offset(uri, place.start), self.where.offset(uri, place.end)
        return [f for f in self.analysis.findings if f.span.start <= end and start <= f.span.end]

    def _alternatives(self, uri: str, finding: Finding) -> Iterator[types.CodeAction]:
        for number, fix in enumerate(finding.fixes):
            if fix.applicability is Applicability.DISPLAY:
                continue
            is_safe = fix.applicability is Applicability.SAFE
            yield types.CodeAction(
                f"{fix.title} ({finding.code})" if is_safe else f"{fix.title} ({finding.code}, unsafe)",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[self._short(finding)],
                is_preferred=True if number == 0 and is_safe else None,
                edit=self.edit(fix.edits),
            )

    def _silencing(self, uri: str, finding: Finding) -> Iterator[types.CodeAction]:
        if finding.code in (lint.SYNTAX_ERROR, noqa.UNUSED) or self.analysis.is_broken:
            return
        if edits := noqa.silence(self.where.source, [finding]):
            yield types.CodeAction(
                f"Disable {finding.code} for this line",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[self._short(finding)],
                edit=self.edit(edits),
            )

    def _silencing_everywhere(self, code: str) -> Iterator[types.CodeAction]:
        if code in (lint.SYNTAX_ERROR, noqa.UNUSED) or self.analysis.is_broken or self.where.cells:
            return
        if edit := noqa.silence_file(self.where.source, code):
            title = f"Disable {code} in this file"
            yield types.CodeAction(title, kind=types.CodeActionKind.QuickFix, edit=self.edit([edit]))

    def _short(self, finding: Finding) -> types.Diagnostic:
        _, place = self.where.range(finding.span)
        message = finding.message + (f"\n{finding.consequence}" if finding.consequence else "")
        return types.Diagnostic(place, message, code=finding.code, source="pitfall-lint")

    def edit(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        """Return edits of this text as an edit of the client's documents."""
        by_uri = self.where.text_edits(_narrowed(edits, self.where))
        if self.versions is None:
            return types.WorkspaceEdit(changes=dict(by_uri))
        changes: list[Any] = []
        for uri, text_edits in by_uri.items():
            name = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=self.versions.get(uri))
            changes.append(types.TextDocumentEdit(name, list(text_edits)))
        return types.WorkspaceEdit(document_changes=changes)


def _narrowed(edits: Iterable[Edit], where: Places) -> Iterator[Edit]:
    """Yield edits without the text that they leave as it is: cursors and marks stay where they are."""
    source = where.source
    for edit in edits:
        old = source.data[edit.span.start : edit.span.end]
        new = edit.text.encode(source.shown_encoding, "replace")
        head = 0
        for one, other in zip(old.splitlines(True), new.splitlines(True), strict=False):
            if one != other:
                break
            head += len(one)
        if head == len(old) == len(new):
            continue
        text = new[head:].decode(source.shown_encoding, "replace")
        yield Edit(Span(edit.span.start + head, edit.span.end), text)


def _applicable(finding: Finding) -> bool:
    return finding.fix is not None and finding.fix.applicability is not Applicability.DISPLAY


def wanted(only: Iterable[str] | None, kind: str) -> bool:
    """Tell whether a client that asks for these kinds of actions wants this kind."""
    return only is None or any(kind == each or kind.startswith(f"{each}.") for each in only)
