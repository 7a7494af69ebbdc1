"""Every page is a test: Bad is found exactly once and becomes Fixed; Fixed and Good are clean.

One rule: `pytest tests/test_pages.py tests/test_fixtures.py -k lost-task-exception`.
"""

from __future__ import annotations

import warnings

import pytest
from evidence import fixed, found, project, rules, shown

from pitfall_lint.catalog import Rule
from pitfall_lint.finding import Applicability
from pitfall_lint.source import Source

PAGES = [pytest.param(rule, id=rule.name) for rule in rules() if not rule.is_built_in]


def program(rule: Rule, section: str, number: int = 0) -> Source:
    """Return one program of the page."""
    return Source(f"{section.lower()}.py", rule.page.programs(section)[number].encode())


def versions(rule: Rule) -> dict[str, str]:
    return dict(rule.page.example_versions)


@pytest.mark.parametrize("rule", PAGES)
def test_bad_is_found_once(rule: Rule) -> None:
    source = program(rule, "Bad")
    findings = found(source, rule.code, project(versions=versions(rule)))
    assert len(findings) == 1, shown(source, findings)
    (finding,) = findings
    assert (finding.code, finding.name, finding.severity) == (rule.code, rule.name, rule.severity)
    assert finding.message
    assert len(finding.message) < 160, finding.message
    assert not finding.message.endswith("."), finding.message
    assert source.data[finding.span.start : finding.span.end].strip(), "the span is empty"
    assert not finding.strict or not rule.is_default, "the page of a default rule shows a strict finding"


@pytest.mark.parametrize("rule", PAGES)
def test_bad_becomes_fixed(rule: Rule) -> None:
    source = program(rule, "Bad")
    expected = program(rule, "Fixed").data.decode()
    findings = found(source, rule.code, project(versions=versions(rule)))
    if rule.fix is None:
        assert not any(finding.fixes for finding in findings), "the page says that there is no fix"
        return
    assert findings
    assert findings[0].fixes, "the page promises a fix"
    result = fixed(source, rule.code, versions=versions(rule))
    assert result.source.data.decode() == expected
    assert not result.notes
    grades = {fix.applicability for finding in findings for fix in finding.fixes}
    assert grades <= {rule.fix, Applicability.UNSAFE}


@pytest.mark.parametrize("rule", PAGES)
@pytest.mark.parametrize("section", ["Fixed", "Good"])
def test_clean(rule: Rule, section: str) -> None:
    for number in range(len(rule.page.programs(section))):
        source = program(rule, section, number)
        findings = found(source, rule.code, project(versions=versions(rule)))
        assert not findings, shown(source, findings)


@pytest.mark.parametrize("rule", PAGES)
def test_programs_compile(rule: Rule) -> None:
    for section in ("Bad", "Fixed", "Good"):
        for text in rule.page.programs(section):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SyntaxWarning)
                compile(text, section, "exec", dont_inherit=True)
