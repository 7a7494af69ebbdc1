"""Safe fixes alone never change a correct program: what the pages call right stays as it is, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence import FIXTURES, marks, project, rules, shown

from pitfall_lint.catalog import Rule
from pitfall_lint.finding import Applicability, Finding
from pitfall_lint.fixing import diff, fix_source
from pitfall_lint.lint import lint_source
from pitfall_lint.source import Source

DEFAULT = rules().select()
ALL = rules().select(["ALL"])
RIGHT = [pytest.param(rule, id=rule.name) for rule in rules() if not rule.is_built_in]
FILES = sorted(path for path in FIXTURES.rglob("*.py") if "seeds" not in path.parts)
SRC = sorted((Path(__file__).parent.parent / "src").rglob("*.py"))


def ident(path: Path) -> str:
    return path.relative_to(FIXTURES if path.is_relative_to(FIXTURES) else SRC[0].parent).as_posix()


@pytest.mark.parametrize("rule", RIGHT)
def test_what_pages_call_right_stays(rule: Rule) -> None:
    """All rules at once, strict ones too, find nothing to mend safely in any page's Good and Fixed programs."""
    where = project(versions=rule.page.example_versions)
    for section in ("Good", "Fixed"):
        for text in rule.page.programs(section):
            source = Source("program.py", text.encode())
            result = fix_source(source, lambda text: lint_source(text, ALL, where))
            assert result.source.data == source.data, diff(source, result.source)


def safe(finding: Finding) -> bool:
    return finding.fix is not None and finding.fix.applicability is Applicability.SAFE


@pytest.mark.parametrize("path", FILES, ids=ident)
def test_only_marked_code_is_touched(path: Path) -> None:
    """In fixtures, safe fixes of the fixture's rule change marked statements, and nothing in front of the first."""
    name = path.relative_to(FIXTURES).parts[-2 if path.parent.parent == FIXTURES else 1]
    stem = (path.name if path.parent.parent == FIXTURES else name).partition(".")[0].partition("__")[0]
    found = rules().find(stem.replace("_", "-"))
    if not found or path.name.endswith(".fixed.py"):
        return
    source = Source(path.name, path.read_bytes())
    findings = [f for f in lint_source(source, rules().select([found.code]), project()) if safe(f)]
    lines = {mark.line for mark in marks(path, path.name)}
    for finding in findings:
        assert source.position(finding.span.start)[0] in lines, shown(source, [finding])


def test_our_own_code_stays() -> None:
    """Nothing of this project is mended behind our backs."""
    for path in SRC:
        source = Source(str(path), path.read_bytes())
        result = fix_source(source, lambda text: lint_source(text, DEFAULT, project()))
        assert not result.changed, diff(source, result.source)
