"""Findings as the protocol's diagnostics, and the page of a rule as a hover."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable

from lsprotocol import types
from pygls import uris

from pitfall_lint import noqa
from pitfall_lint.catalog import Catalog, Rule
from pitfall_lint.finding import Finding, Related, Severity
from pitfall_lint.server.analysis import Analysis
from pitfall_lint.server.places import Places
from pitfall_lint.source import Source

SOURCE = "pitfall-lint"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.HINT: types.DiagnosticSeverity.Information,
}
SourceOf = Callable[[str], "Source | None"]


def places(analysis: Analysis, units: str) -> Places:
    """Return the places of an analysed text."""
    snapshot = analysis.snapshot
    return Places(snapshot.source, snapshot.uri, units, snapshot.cells)


def diagnostics(
    analysis: Analysis, rules: Catalog, units: str, source_of: SourceOf, related: bool = True
) -> dict[str, list[types.Diagnostic]]:
    """Return the diagnostics of an analysis by document: the file's own, or each cell's."""
    where = places(analysis, units)
    found: dict[str, list[types.Diagnostic]] = {cell.uri: [] for cell in analysis.snapshot.cells}
    if not found:
        found[analysis.snapshot.uri] = []
    for finding in analysis.findings:
        uri, place = where.range(finding.span)
        found.setdefault(uri, []).append(_diagnostic(finding, place, rules, where, source_of, related))
    return found


def _diagnostic(
    finding: Finding, place: types.Range, rules: Catalog, where: Places, source_of: SourceOf, related: bool
) -> types.Diagnostic:
    rule = rules.find(finding.code)
    message = finding.message
    if finding.consequence:
        message += f"\n{finding.consequence}"
    return types.Diagnostic(
        range=place,
        message=message,
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        code_description=types.CodeDescription(rule.url) if rule else None,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if finding.code == noqa.UNUSED else None,
        related_information=[_related(each, where, source_of) for each in finding.related] if related else None,
        data={"name": finding.name, "fixable": bool(finding.fixes)},
    )


def _related(place: Related, where: Places, source_of: SourceOf) -> types.DiagnosticRelatedInformation:
    path = os.path.abspath(place.path)
    if path == os.path.abspath(where.source.path):
        uri, found = where.range(place.span)
    else:
        uri, source = uris.from_fs_path(path) or "", source_of(path)
        if source is not None and place.span.end <= len(source.data):
            uri, found = Places(source, uri, where.units).range(place.span)
        else:
            start = types.Position(max(place.line - 1, 0), max(place.column - 1, 0))
            found = types.Range(start, start)
    return types.DiagnosticRelatedInformation(types.Location(uri, found), place.message)


def fingerprint(items: list[types.Diagnostic]) -> str:
    """Return a short name for what is reported, so that the same need not be sent again."""
    return hashlib.blake2b(repr(items).encode("utf-8", "replace"), digest_size=12).hexdigest()


def hover(findings: list[Finding], rules: Catalog, place: types.Range | None) -> types.Hover | None:
    """Return what there is to know about findings: the message, and the page of the rule."""
    parts = []
    for finding in findings:
        rule = rules.find(finding.code)
        text = f"**{finding.code}** `{finding.name}`: {finding.message}"
        if finding.consequence:
            text += f"\n\n{finding.consequence}"
        parts.append(f"{text}\n\n{page(rule)}" if rule else text)
    if not parts:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(dict.fromkeys(parts)))
    return types.Hover(content, place)


def page(rule: Rule) -> str:
    """Return a rule's page for a hover: what, the run-time texts, why, how to mend it, where to read on."""
    parts = [f"*{rule.summary}*"]
    if rule.symptoms:
        parts.append("Seen at run time: " + ", ".join(f"`{symptom}`" for symptom in rule.symptoms))
    for section in ("Why", "Known limits"):
        if text := rule.page.sections.get(section, "").strip():
            parts.append(f"**{section}**\n\n{_reflowed(text)}")
    if rule.fix is not None and (programs := rule.page.programs("Fixed")):
        parts.append(f"**Fixed** ({rule.fix.value} fix)\n\n```python\n{programs[0].strip()}\n```")
    parts.append(f"[Read the page of {rule.code}]({rule.url})")
    return "\n\n".join(parts)


def _reflowed(text: str) -> str:
    """Return Markdown with paragraphs on one line each: some editors keep every line break."""
    blocks = re.split(r"\n\s*\n", text)
    return "\n\n".join(b if re.search(r"^\s*([-*|`>#]|\d+\.)", b, re.M) else b.replace("\n", " ") for b in blocks)
