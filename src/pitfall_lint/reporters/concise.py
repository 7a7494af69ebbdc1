"""One line per finding, for people in a hurry and for grep."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.catalog import Catalog
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.paint import harmless, link, one_line, paint, severity_color
from pitfall_lint.reporters.place import placed
from pitfall_lint.reporters.summary import is_fixable, summary
from pitfall_lint.run import Report


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield `path:line:column: CODE [*] message` for every finding, and the summary."""
    yield from lines(report, rules, style)
    yield from summary(report, style)


def lines(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield only the lines of the findings."""
    colon = paint(":", "cyan", style)
    for _, _, finding, place in placed(report):
        rule = rules.find(finding.code)
        code = link(paint(finding.code, severity_color(finding.severity), style), rule.url if rule else "", style)
        star = f" [{paint('*', 'cyan', style)}]" if is_fixable(finding, style) else ""
        yield (
            f"{paint(harmless(finding.path), 'bold', style)}{colon}{place.line}{colon}{place.column}{colon}"
            f" {code}{star} {one_line(finding.message)}\n"
        )
