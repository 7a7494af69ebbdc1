"""Reports as plain data, to be kept between runs: what is read back can only be what is written here."""

from __future__ import annotations

from typing import Any

from pitfall_lint.finding import Applicability, Edit, Finding, Fix, Related, Severity, Span
from pitfall_lint.report import FileReport
from pitfall_lint.source import Source


def plain_findings(report: FileReport) -> list[tuple[Any, ...]]:
    """Return what a report says of a file; not the text, which is in the file."""
    return [
        (
            *(found.path, found.span.start, found.span.end, found.message, found.code, found.name),
            *(found.severity.value, found.consequence, found.definition, found.strict),
            [_plain_fix(fix) for fix in found.fixes],
            [(r.path, r.span.start, r.span.end, r.message, r.line, r.column) for r in found.related],
        )
        for found in report.findings
    ]


def report_of(path: str, findings: list[tuple[Any, ...]], data: bytes, used: frozenset[str]) -> FileReport:
    """Return the report of a file that was made plain."""
    return FileReport(path, [_finding(*found) for found in findings], Source(path, data), used=used)


def _plain_fix(fix: Fix) -> tuple[Any, ...]:
    edits = [(edit.span.start, edit.span.end, edit.text) for edit in fix.edits]
    return fix.title, edits, fix.applicability.value, fix.lowered


def _finding(
    path: str,
    start: int,
    end: int,
    message: str,
    code: str,
    name: str,
    severity: str,
    consequence: str,
    definition: str,
    strict: bool,
    fixes: list[tuple[Any, ...]],
    related: list[tuple[Any, ...]],
) -> Finding:
    return Finding(
        path,
        Span(start, end),
        message,
        code,
        name,
        Severity(severity),
        consequence,
        tuple(
            Fix(title, tuple(Edit(Span(s, e), text) for s, e, text in edits), Applicability(trust), lowered)
            for title, edits, trust, lowered in fixes
        ),
        tuple(Related(where, Span(s, e), text, line, column) for where, s, e, text, line, column in related),
        definition,
        strict,
    )
