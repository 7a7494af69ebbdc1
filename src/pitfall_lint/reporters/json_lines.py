"""The JSON of one finding per line, for streams."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pitfall_lint.catalog import Catalog
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.json import entries
from pitfall_lint.run import Report


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield one line per finding."""
    for entry in entries(report, rules):
        yield json.dumps(entry, sort_keys=True, ensure_ascii=False) + "\n"
