"""What the linter says: plain, immutable, picklable data.

Positions are byte offsets into the file as it lies on disk, so that a fix never has to know
about encodings or line endings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Severity(str, Enum):
    """How bad it is. A hint never fails a run."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class Applicability(str, Enum):
    """How far a fix can be trusted, in ruff's words."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display-only"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of byte offsets."""

    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Tell whether both ranges share a byte or insert at the same place."""
        if self.start == self.end or other.start == other.end:
            return self.start <= other.end and other.start <= self.end
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the bytes of `span` by `text`; the text has the file's newline, the writer encodes it."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend a finding: all edits together or none."""

    title: str
    edits: tuple[Edit, ...]
    applicability: Applicability = Applicability.UNSAFE
    """Stamped from the rule's page, unless the check lowered it (`Fix.less_safe`)."""
    lowered: bool = False

    def less_safe(self) -> Fix:
        """Return the fix as unsafe whatever the page says, for the places where safety is not proven."""
        return replace(self, applicability=Applicability.UNSAFE, lowered=True)


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that explains the finding, perhaps in another file."""

    path: str
    span: Span
    message: str
    line: int = 0
    """1-based; carried along because the other file is not at hand when reporting."""
    column: int = 0
    """1-based, in characters."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One pitfall at one place."""

    path: str
    span: Span
    message: str
    code: str = ""
    name: str = ""
    severity: Severity = Severity.WARNING
    consequence: str = ""
    """What follows at run time, in one sentence; shown below the source frame."""
    fixes: tuple[Fix, ...] = ()
    """Alternatives, best first; the first is the one that `--fix` takes."""
    related: tuple[Related, ...] = ()
    definition: str = ""
    """Dotted name of the enclosing definition, for baselines."""
    strict: bool = False
    """Shown only to those who selected the rule in so many words, not to those who run the default set."""

    @property
    def fix(self) -> Fix | None:
        """The fix that `--fix` takes, if there is one."""
        return self.fixes[0] if self.fixes else None
