"""What the settings say about findings: how bad they are, how far their fixes are trusted, when a run fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from pitfall_lint.catalog import Catalog
from pitfall_lint.config import Settings
from pitfall_lint.finding import Applicability, Finding, Severity

_FAILING = {"error": (Severity.ERROR,), "warning": (Severity.ERROR, Severity.WARNING)}


def graded(finding: Finding, settings: Settings, rules: Catalog) -> Finding:
    """Return a finding as the settings want it: `severity`, `fixable`, `extend-(un)safe-fixes`.

    Raises SelectorError for a selector that stands for nothing.
    """
    if settings.severity:
        finding = _weighed(finding, settings, rules)
    if not finding.fixes:
        return finding

    def named(selectors: Iterable[str]) -> bool:
        return any(rule.code == finding.code for s in selectors for rule in rules.matching(s)[1])

    if settings.fixable != ("ALL",) or settings.unfixable:
        if not named(settings.fixable) or named(settings.unfixable):
            return dataclasses.replace(finding, fixes=())
    for selectors, grade in (
        (settings.extend_safe_fixes, Applicability.SAFE),
        (settings.extend_unsafe_fixes, Applicability.UNSAFE),
    ):
        if selectors and named(selectors):
            fixes = tuple(dataclasses.replace(fix, applicability=grade) for fix in finding.fixes)
            finding = dataclasses.replace(finding, fixes=fixes)
    return finding


def _weighed(finding: Finding, settings: Settings, rules: Catalog) -> Finding:
    """Give a finding the severity of the most exact selector that means its rule."""
    best, severity = -1, finding.severity
    for selector, wanted in settings.severity.items():
        exactness, meant = rules.matching(selector)
        if exactness > best and any(rule.code == finding.code for rule in meant):
            best, severity = exactness, Severity(wanted)
    return dataclasses.replace(finding, severity=severity) if severity is not finding.severity else finding


def counts(finding: Finding, fail_on: str = "warning") -> bool:
    """Tell whether a finding makes a run fail that fails on warnings, or only on errors; a hint never does."""
    return finding.severity in _FAILING[fail_on]
