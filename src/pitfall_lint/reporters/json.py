"""JSON in ruff's shape, with `severity`, `consequence`, `related` and all alternative fixes beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pitfall_lint.catalog import Catalog
from pitfall_lint.finding import Finding, Fix
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.place import Place, absolute, place_of, placed
from pitfall_lint.run import Report
from pitfall_lint.source import Source
from pitfall_lint.suppressions import Suppressions


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield one JSON array of all findings."""
    separator = "["
    for entry in entries(report, rules):
        yield separator + "\n" + _indented(entry)
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def _indented(entry: dict[str, Any]) -> str:
    text = json.dumps(entry, indent=2, sort_keys=True, ensure_ascii=False)
    return "  " + text.replace("\n", "\n  ")


def entries(report: Report, rules: Catalog) -> Iterator[dict[str, Any]]:
    """Yield every finding as plain data."""
    current: Source | None = None
    suppressions: Suppressions | None = None
    for _, source, finding, place in placed(report):
        if suppressions is None or source is not current:
            current, suppressions = source, Suppressions(source)
        yield _entry(source, finding, place, suppressions.noqa_row(place.line), rules)


def _entry(source: Source, finding: Finding, place: Place, noqa_row: int, rules: Catalog) -> dict[str, Any]:
    rule = rules.find(finding.code)
    fixes = [_fix(source, fix) for fix in finding.fixes]
    return {
        "cell": None,
        "code": finding.code,
        "name": finding.name or (rule.name if rule else ""),
        "severity": finding.severity.value,
        "message": finding.message,
        "consequence": finding.consequence,
        "filename": absolute(finding.path),
        "location": {"row": place.line, "column": place.column},
        "end_location": {"row": place.end_line, "column": place.end_column},
        "fix": fixes[0] if fixes else None,
        "alternatives": fixes[1:],
        "related": [
            {
                "filename": absolute(related.path),
                "location": {"row": related.line, "column": related.column},
                "message": related.message,
            }
            for related in finding.related
        ],
        "noqa_row": noqa_row,
        "url": rule.url if rule else None,
    }


def _fix(source: Source, fix: Fix) -> dict[str, Any]:
    edits = []
    for edit in fix.edits:
        place = place_of(source, edit.span)
        edits.append(
            {
                "content": edit.text,
                "location": {"row": place.line, "column": place.column},
                "end_location": {"row": place.end_line, "column": place.end_column},
            }
        )
    return {"applicability": fix.applicability.value, "message": fix.title, "edits": edits}
