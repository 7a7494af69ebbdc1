"""GitLab's code quality report."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator

from pitfall_lint.catalog import Catalog
from pitfall_lint.finding import Severity
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.place import placed
from pitfall_lint.run import Report

_LEVELS = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.HINT: "info"}


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield one JSON array; fingerprints hold no line numbers, so that moved code stays known."""
    top = os.environ.get("CI_PROJECT_DIR") or os.getcwd()
    seen: Counter[str] = Counter()
    issues = []
    for _, _, finding, place in placed(report):
        path = os.path.relpath(os.path.abspath(finding.path), top).replace(os.sep, "/")
        key = "\0".join((path, finding.code, finding.definition, finding.message))
        seen[key] += 1
        issues.append(
            {
                "check_name": finding.code,
                "description": f"{finding.code}: {finding.message}",
                "severity": _LEVELS[finding.severity],
                "fingerprint": hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "surrogateescape")).hexdigest()[
                    :32
                ],
                "location": {
                    "path": path,
                    "positions": {
                        "begin": {"line": place.line, "column": place.column},
                        "end": {"line": place.end_line, "column": place.end_column},
                    },
                },
            }
        )
    yield json.dumps(issues, indent=2, ensure_ascii=False) + "\n"
