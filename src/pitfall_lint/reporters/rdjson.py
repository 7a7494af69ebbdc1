"""Reviewdog's diagnostic format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pitfall_lint.catalog import Catalog
from pitfall_lint.finding import Severity, Span
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.place import absolute, place_of, placed
from pitfall_lint.run import Report
from pitfall_lint.source import Source

_LEVELS = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.HINT: "INFO"}


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield one JSON document; columns are counted in UTF-8 bytes, as the format wants it."""
    diagnostics = []
    for _, source, finding, _ in placed(report):
        rule = rules.find(finding.code)
        message = f"{finding.message}\n{finding.consequence}" if finding.consequence else finding.message
        entry: dict[str, Any] = {
            "message": message,
            "severity": _LEVELS[finding.severity],
            "code": {"value": finding.code, **({"url": rule.url} if rule else {})},
            "location": {"path": absolute(finding.path), "range": _range(source, finding.span)},
        }
        if finding.fix and len(finding.fix.edits) == 1:  # a suggestion is one range: several can't be shown
            edit = finding.fix.edits[0]
            entry["suggestions"] = [{"range": _range(source, edit.span), "text": edit.text}]
        if finding.related:
            entry["relatedLocations"] = [
                {
                    "message": related.message,
                    "location": {
                        "path": absolute(related.path),
                        "range": {"start": {"line": related.line, "column": related.column}},
                    },
                }
                for related in finding.related
            ]
        diagnostics.append(entry)
    document = {
        "source": {"name": "pitfall-lint", "url": "https://github.com/pitfall-lint/pitfall-lint"},
        "severity": "WARNING",
        "diagnostics": diagnostics,
    }
    yield json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _range(source: Source, span: Span) -> dict[str, Any]:
    place = place_of(source, span)
    return {
        "start": {"line": place.line, "column": _bytes(source, place.line, place.column)},
        "end": {"line": place.end_line, "column": _bytes(source, place.end_line, place.end_column)},
    }


def _bytes(source: Source, line: int, column: int) -> int:
    return len(source.line_text(line)[: column - 1].encode("utf-8", "replace")) + 1
