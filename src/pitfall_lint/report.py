"""What is to be done with files, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pitfall_lint.finding import Finding
from pitfall_lint.source import Source
from pitfall_lint.timing import Figures


@dataclass(frozen=True, slots=True)
class Task:
    """What to do with each file beside linting it."""

    fix: bool = False
    write: bool = True
    """Whether mended text goes to the disk; otherwise it only stands in the report."""
    unsafe: bool = False
    noqa: bool = True
    debug: bool = False
    """Let an internal error through, with its traceback."""


@dataclass(slots=True)
class FileReport:
    """What came of one file."""

    path: str
    findings: list[Finding] = field(default_factory=list)
    """What stays, in the order of the text."""
    source: Source | None = None
    """The text that the findings speak of; kept only when there are some."""
    before: Source | None = None
    """The text before it was mended; kept only when it changed."""
    fixed: Counter[str] = field(default_factory=Counter)
    """How many findings of each code were mended."""
    notes: tuple[str, ...] = ()
    failure: str = ""
    """Why the file could not be linted, in one line."""
    used: frozenset[str] = frozenset()
    """Absolute paths of other files whose content, or absence, mattered."""
    errors: tuple[str, ...] = ()
    """Rules that failed at it, one line each; the others' findings stand."""

    @property
    def speaks(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.findings or self.fixed or self.notes or self.failure or self.errors)


@dataclass(slots=True)
class Report:
    """What came of a run."""

    files: list[FileReport] = field(default_factory=list)
    """The files that have something to say, in the order in which they were found."""
    checked: int = 0
    used: set[str] = field(default_factory=set)
    """Absolute paths of other files whose content, or absence, mattered."""
    figures: Figures = field(default_factory=Figures)
    """Where the time of other processes went, if somebody asked."""
    hidden: tuple[str, ...] = ()
    """What was left out on purpose, one sentence each."""

    @property
    def findings(self) -> list[Finding]:
        """All findings that stay."""
        return [finding for file in self.files for finding in file.findings]

    @property
    def fixed(self) -> Counter[str]:
        """How many findings of each code were mended."""
        return sum((file.fixed for file in self.files), Counter())

    @property
    def failures(self) -> list[FileReport]:
        """The files that could not be linted, as a whole or by some rules."""
        return [file for file in self.files if file.failure or file.errors]
