"""GitHub's workflow commands: each finding becomes an annotation on the changed line."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.catalog import Catalog
from pitfall_lint.finding import Severity
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.place import absolute, placed
from pitfall_lint.run import Report

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield one `::error …::` line per finding."""
    for _, _, finding, place in placed(report):
        properties = {
            "title": f"pitfall-lint ({finding.code})",
            "file": absolute(finding.path),
            "line": place.line,
            "col": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        }
        parts = [f"{finding.path}:{place.line}:{place.column}: {finding.code} {finding.message}"]
        parts += [f"  at run time: {finding.consequence}"] if finding.consequence else []
        parts += [f"  {r.path}:{r.line}:{r.column}: {r.message}" for r in finding.related]
        parts += [f"  fix: {finding.fix.title}"] if finding.fix else []
        listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
        yield f"::{_LEVELS[finding.severity]} {listed}::{_data(chr(10).join(parts))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
