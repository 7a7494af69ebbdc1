"""What the tests of rules share: one library of rows, one way to lint a text, and the marks in fixtures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pitfall_lint import catalog, libraries, lint
from pitfall_lint.catalog import Catalog, Rule
from pitfall_lint.finding import Finding
from pitfall_lint.fixing import Fixed, fix_source
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source
from pitfall_lint.versions import answerer

TESTS = Path(__file__).parent
FIXTURES = TESTS / "fixtures"
_MARK = re.compile(r"#.*?\b(?P<kind>expect|related):\s*(?P<codes>PIT\d{3}(?:\s*,\s*PIT\d{3})*)")


@cache
def rules() -> Catalog:
    """All rules."""
    return catalog.load()


@cache
def rows() -> libraries.Libraries:
    """All library rows that travel with the rules."""
    return libraries.load(catalog.library_files())


def project(root: Path | None = None, versions: Mapping[str, str] | None = None) -> Project:
    """Return a project; `versions` are what it uses beside what its own files say."""
    settings = dict(versions or {})
    allows = answerer(root, settings) if root is not None or settings else None
    return Project(rows(), root=str(root) if root is not None else None, allows=allows)


def only(code: str) -> tuple[Rule, ...]:
    """Return one rule, as if somebody had selected it by its code."""
    return rules().select([code])


def found(source: Source, code: str, where: Project | None = None) -> list[Finding]:
    """Return what one rule finds in a source."""
    return lint.lint_source(source, only(code), where or project())


def fixed(source: Source, code: str, root: Path | None = None, versions: Mapping[str, str] | None = None) -> Fixed:
    """Return the source after all fixes of one rule, unsafe ones too."""
    return fix_source(source, lambda text: found(text, code, project(root, versions)), unsafe=True)


@dataclass(frozen=True, order=True)
class Mark:
    """A finding that a fixture promises: path relative to the fixture, 1-based line, code."""

    path: str
    line: int
    code: str


def marks(path: Path, name: str, kind: str = "expect") -> Iterator[Mark]:
    """Yield the marks of a file: `# expect: PIT301` on the line where the finding starts."""
    for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
        for match in _MARK.finditer(line):
            if match["kind"] == kind:
                for code in re.findall(r"PIT\d{3}", match["codes"]):
                    yield Mark(name, number, code)


def shown(source: Source, findings: list[Finding]) -> str:
    """Return findings as lines to read in a failing test."""
    lines = []
    for finding in findings:
        line, column = source.position(finding.span.start)
        lines.append(f"{source.path}:{line}:{column}: {finding.code} {finding.message}")
    return "\n".join(lines) or "(nothing)"
