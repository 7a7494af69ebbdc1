"""JUnit's XML: each finding is a failed test case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from pitfall_lint.catalog import Catalog
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.place import absolute, placed
from pitfall_lint.run import Report

_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield the document; without findings it holds one test that passed."""
    total = len(report.findings)
    errors = len(report.failures)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    tests = total + errors or 1
    yield f'<testsuites name="pitfall-lint" tests="{tests}" failures="{total}" errors="{errors}">\n'
    for path, group in groupby(placed(report), key=lambda item: item[2].path):
        cases = list(group)
        name = _attribute(absolute(path))
        yield f'  <testsuite name={name} tests="{len(cases)}" failures="{len(cases)}" errors="0">\n'
        for _, _, finding, place in cases:
            text = f"line {place.line}, col {place.column}, {finding.message}"
            if finding.consequence:
                text += f"\nat run time: {finding.consequence}"
            yield (
                f"    <testcase name={_attribute(f'{finding.code} {finding.name}'.rstrip())}"
                f" classname={_attribute(absolute(path).removesuffix('.py'))}"
                f' line="{place.line}" column="{place.column}">\n'
                f"      <failure message={_attribute(finding.message)}"
                f" type={_attribute(finding.severity.value)}>{escape(_NO_XML.sub('�', text))}</failure>\n"
                "    </testcase>\n"
            )
        yield "  </testsuite>\n"
    for file in report.failures:
        reason = _attribute(file.failure or file.errors[0])
        yield (
            f'  <testsuite name={_attribute(absolute(file.path))} tests="1" failures="0" errors="1">\n'
            f'    <testcase name="pitfall-lint"><error message={reason}/></testcase>\n'
            "  </testsuite>\n"
        )
    if not total and not errors:
        yield '  <testsuite name="pitfall-lint" tests="1" failures="0" errors="0">\n'
        yield '    <testcase name="No findings"/>\n  </testsuite>\n'
    yield "</testsuites>\n"


def _attribute(text: str) -> str:
    return quoteattr(_NO_XML.sub("�", text), {"\n": "&#10;", "\r": "&#13;"})
