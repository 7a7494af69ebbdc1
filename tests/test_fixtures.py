"""Every mark in a fixture is a finding and every finding has a mark; `.fixed.py` is what all fixes leave.

One rule: `pytest tests/test_fixtures.py -k lost_task_exception` (its name with hyphens works, too).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence import FIXTURES, Mark, fixed, found, marks, only, project, rules, shown

from pitfall_lint.lint import lint_source
from pitfall_lint.noqa import visible
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source

FAMILIES = rules().families


def singles() -> list[Path]:
    return sorted(
        path for family in FAMILIES for path in (FIXTURES / family).glob("*.py") if not path.name.endswith(".fixed.py")
    )


def projects() -> list[Path]:
    return sorted(path for path in (FIXTURES / "projects").glob("*__*") if path.is_dir())


def rule_name(path: Path) -> str:
    return path.name.removesuffix(".py").partition("__")[0].replace("_", "-")


def case(path: Path) -> object:
    name = path.name.removesuffix(".py")
    return pytest.param(path, id=f"{name}-{rule_name(path)}" if "_" in name else name)


@pytest.mark.parametrize("path", [*map(case, singles())])
def test_marks(path: Path) -> None:
    rule = rules()[rule_name(path)]
    source = Source(path.name, path.read_bytes())
    findings = visible(source, found(source, rule.code), ())
    actual = sorted(Mark(path.name, source.position(f.span.start)[0], f.code) for f in findings)
    expected = sorted(mark for mark in marks(path, path.name) if mark.code == rule.code)
    assert actual == expected, shown(source, findings)


@pytest.mark.parametrize("path", [*map(case, singles())])
def test_words_lose_nothing(path: Path) -> None:
    """Looking only where telling words stand finds what looking everywhere finds."""
    rule = rules()[rule_name(path)]
    source = Source(path.name, path.read_bytes())
    whole = lint_source(source, only(rule.code), project(), whole=True)
    assert found(source, rule.code) == whole


@pytest.mark.parametrize("path", [*map(case, singles())])
def test_fixed(path: Path, accept: bool) -> None:
    rule = rules()[rule_name(path)]
    source = Source(path.name, path.read_bytes())
    result = fixed(source, rule.code)
    expected = path.with_name(path.name.removesuffix(".py") + ".fixed.py")
    if accept and result.changed:
        expected.write_bytes(result.source.data)
    if not expected.exists():
        assert not result.changed, f"{expected.name} is missing; it would be:\n{result.source.data.decode()}"
        return
    assert result.source.data.decode() == expected.read_bytes().decode()
    assert not result.notes
    again = fixed(result.source, rule.code)
    assert not again.changed, "a second run changes something"


@pytest.mark.parametrize("folder", [*map(case, projects())])
def test_project(folder: Path) -> None:
    rule = rules()[rule_name(folder)]
    files = sorted(path for path in folder.rglob("*.py") if not path.name.endswith(".fixed.py"))
    where: Project = project(folder)
    actual, related, report = [], set(), []
    for path in files:
        name = path.relative_to(folder).as_posix()
        source = Source(str(path), path.read_bytes())
        findings = visible(source, found(source, rule.code, where), ())
        report.append(shown(source, findings))
        actual += [Mark(name, source.position(f.span.start)[0], f.code) for f in findings]
        for finding in findings:
            for place in finding.related:
                at = (Path.cwd() / place.path).resolve().relative_to(folder.resolve()).as_posix()
                related.add(Mark(at, place.line, finding.code))
    promised = [m for path in files for m in marks(path, path.relative_to(folder).as_posix())]
    assert sorted(actual) == sorted(m for m in promised if m.code == rule.code), "\n".join(report)
    second = {m for path in files for m in marks(path, path.relative_to(folder).as_posix(), "related")}
    assert {m for m in second if m.code == rule.code} <= related, f"related places are {sorted(related)}"


@pytest.mark.parametrize("path", [*map(case, [*singles(), *projects()])])
def test_belongs_to_a_rule(path: Path) -> None:
    assert rules().find(rule_name(path)), f"no page is called {rule_name(path)}"
