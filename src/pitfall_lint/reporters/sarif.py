"""SARIF 2.1.0: findings, fixes and the rules' pages, for code scanning."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from pitfall_lint import __version__
from pitfall_lint.catalog import Catalog, Rule
from pitfall_lint.finding import Applicability, Finding, Fix, Severity
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.place import Place, place_of, placed, uri
from pitfall_lint.run import Report
from pitfall_lint.source import Source

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "note"}
_HOME = "https://github.com/pitfall-lint/pitfall-lint"


def render(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield one SARIF log with one run."""
    used = [rule for rule in rules.rules if any(f.code == rule.code for f in report.findings)]
    seen: Counter[str] = Counter()
    results = []
    for _, source, finding, place in placed(report):
        key = "\0".join((_location(finding.path)["uri"], finding.code, finding.definition, finding.message))
        seen[key] += 1
        results.append(_result(source, finding, place, used, f"{key}\0{seen[key]}"))
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "pitfall-lint",
                "informationUri": _HOME,
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"uri": uri(os.getcwd()) + "/"}},
        "results": results,
        "invocations": [
            {
                "executionSuccessful": not report.failures,
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": {"text": file.failure or file.errors[0]},
                        "locations": [{"physicalLocation": {"artifactLocation": _location(file.path)}}],
                    }
                    for file in report.failures
                ],
            }
        ],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    yield json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.page.text, "markdown": rule.page.text},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.family], "problem.severity": _problem(rule.severity)},
    }


def _problem(severity: Severity) -> str:
    return "recommendation" if severity is Severity.HINT else severity.value


def _result(source: Source, finding: Finding, place: Place, rules: list[Rule], key: str) -> dict[str, Any]:
    text = f"{finding.message}\n{finding.consequence}" if finding.consequence else finding.message
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": _location(finding.path), "region": _region(place)}}],
        "partialFingerprints": {"pitfallLint/v1": hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()},
    }
    index = next((number for number, rule in enumerate(rules) if rule.code == finding.code), None)
    if index is not None:
        result["ruleIndex"] = index
    if finding.related:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": related.message},
                "physicalLocation": {
                    "artifactLocation": _location(related.path),
                    "region": {"startLine": max(1, related.line), "startColumn": max(1, related.column)},
                },
            }
            for number, related in enumerate(finding.related, 1)
        ]
    fixes = [_fix(source, finding.path, fix) for fix in finding.fixes if fix.edits]
    if fixes:
        result["fixes"] = fixes
    return result


def _fix(source: Source, path: str, fix: Fix) -> dict[str, Any]:
    suffix = "" if fix.applicability is Applicability.SAFE else f" ({fix.applicability.value})"
    return {
        "description": {"text": fix.title + suffix},
        "artifactChanges": [
            {
                "artifactLocation": _location(path),
                "replacements": [
                    {
                        "deletedRegion": _region(place_of(source, edit.span)),
                        "insertedContent": {"text": edit.text},
                    }
                    for edit in fix.edits
                ],
            }
        ],
    }


def _region(place: Place) -> dict[str, int]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _location(path: str) -> dict[str, str]:
    relative = os.path.relpath(os.path.abspath(path)) if path != "-" else "stdin"
    if relative.startswith(".."):
        return {"uri": uri(path)}
    return {"uri": quote(os.fsencode(relative.replace(os.sep, "/"))), "uriBaseId": "SRCROOT"}
