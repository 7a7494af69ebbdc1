"""Findings below the name of their file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from pitfall_lint.catalog import Catalog
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.paint import harmless, link, one_line, paint, severity_color
from pitfall_lint.reporters.place import placed
from pitfall_lint.reporters.summary import is_fixable, summary
from pitfall_lint.run import Report


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield each file's name, its findings indented below, and the summary."""
    for path, group in groupby(placed(report), key=lambda item: item[2].path):
        entries = [(finding, place) for _, _, finding, place in group]
        width = max(len(f"{place.line}:{place.column}") for _, place in entries)
        yield f"{paint(harmless(path), 'bold', style)}:\n"
        for finding, place in entries:
            rule = rules.find(finding.code)
            code = paint(finding.code, severity_color(finding.severity), style)
            star = f" [{paint('*', 'cyan', style)}]" if is_fixable(finding, style) else ""
            where = f"{place.line}:{place.column}".ljust(width)
            code = link(code, rule.url if rule else "", style)
            yield f"  {where} {code}{star} {one_line(finding.message)}\n"
        yield "\n"
    yield from summary(report, style)
