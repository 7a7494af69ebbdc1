"""The closing lines of the formats for people: what was found, what can be mended."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.catalog import Catalog
from pitfall_lint.finding import Applicability, Finding
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.paint import harmless, paint
from pitfall_lint.run import Report


def is_fixable(finding: Finding, style: Style) -> bool:
    """Tell whether `--fix` with the options of this run would mend the finding."""
    fix = finding.fix
    if fix is None:
        return False
    return fix.applicability is Applicability.SAFE or (style.unsafe_fixes and fix.applicability is Applicability.UNSAFE)


def counted(number: int, noun: str) -> str:
    """Return `1 finding`, `2 findings`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def summary(report: Report, style: Style) -> Iterator[str]:
    """Yield the closing lines."""
    yield from _counts(report, style)
    for sentence in report.hidden:
        yield f"{sentence}\n"


def _counts(report: Report, style: Style) -> Iterator[str]:
    findings, fixed = report.findings, sum(report.fixed.values())
    if fixed:
        total = len(findings) + fixed
        yield f"Found {counted(total, 'finding')} ({fixed} fixed, {len(findings)} remaining).\n"
    elif findings:
        files = len({finding.path for finding in findings})
        yield f"Found {counted(len(findings), 'finding')} in {counted(files, 'file')}.\n"
    elif not report.failures:
        if report.checked:
            yield f"{paint('All checks passed!', 'green', style)}\n"
        return
    easy = sum(is_fixable(finding, style) for finding in findings)
    unsafe = sum(
        not is_fixable(f, style) and f.fix is not None and f.fix.applicability is Applicability.UNSAFE for f in findings
    )
    star = f"[{paint('*', 'cyan', style)}] "
    if easy and unsafe:
        yield f"{star}{easy} fixable with `--fix`, {unsafe} more with `--fix --unsafe-fixes`.\n"
    elif easy:
        flags = "--fix --unsafe-fixes" if style.unsafe_fixes else "--fix"
        yield f"{star}{easy} fixable with `{flags}`.\n"
    elif unsafe:
        yield f"{unsafe} fixable with `--fix --unsafe-fixes`.\n"


def fixed_list(report: Report, rules: Catalog) -> Iterator[str]:
    """Yield what was mended, by file and rule, for `--show-fixes`."""
    if not report.fixed:
        return
    yield f"Fixed {counted(sum(report.fixed.values()), 'finding')}:\n"
    for file in report.files:
        if file.fixed:
            yield f"- {harmless(file.path)}:\n"
            for code, number in sorted(file.fixed.items()):
                rule = rules.find(code)
                yield f"    {number} × {code}{f' ({rule.name})' if rule else ''}\n"
