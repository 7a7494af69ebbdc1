"""The findings that a code base is known to have: kept without line numbers, so that code can move.

A baseline is a text file, one finding a line: `PIT301 2 src/app.py::Client.close 0f1e2d3c4b5a`. The lines
`# 00` … `# ff` keep neighbours apart, so that two branches that each mend one merge without a conflict.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from pitfall_lint.finding import Finding, Severity
from pitfall_lint.semantic.outline import normal_form
from pitfall_lint.source import Source

_TITLE = (
    "# The findings that pitfall-lint is not to report: rule, how many, file::definition, hash of the code.\n"
    "# It gets shorter by itself when they are mended. The lines `# 00` to `# ff` keep merges easy.\n"
)


class BaselineError(ValueError):
    """The baseline file cannot be used; the message says where and what to do."""


@dataclass(frozen=True, order=True)
class Entry:
    """What a known finding is recognised by."""

    code: str
    path: str
    """Relative to the baseline's folder, with `/`."""
    definition: str
    """The enclosing definition without its module."""
    digest: str
    """Of the code in a form that formatting does not change."""

    @property
    def bucket(self) -> str:
        """The `# xx` below which it stands: the same after a move."""
        return hashlib.sha256(f"{self.code} {self.digest}".encode()).hexdigest()[:2]


@dataclass
class Outcome:
    """What a baseline makes of a run's findings."""

    new: list[Finding] = field(default_factory=list)
    known: list[Finding] = field(default_factory=list)
    baseline: Baseline = field(default_factory=lambda: Baseline())
    """The baseline as it should be now."""
    gone: Counter[Entry] = field(default_factory=Counter)
    """The known findings that are gone."""

    @property
    def stale(self) -> int:
        """How many known findings are gone."""
        return sum(self.gone.values())


class Baseline:
    """The known findings, each with how often it occurs."""

    def __init__(self, entries: Counter[Entry] | None = None, folder: str = "") -> None:
        self.entries: Counter[Entry] = Counter() if entries is None else entries
        self.folder = os.path.abspath(folder)

    def compare(self, findings: Iterable[tuple[Finding, Source]], looked_at: Callable[[str], bool]) -> Outcome:
        """Tell new findings from known ones.

        A finding is known by rule, file, definition and code; where file or function moved or got a new name,
        by rule, definition and code, and at last by rule and code alone. `looked_at` tells whether a path was
        linted in this run: what stands in other files stays.
        """
        outcome = Outcome()
        left = Counter(self.entries)
        kept: Counter[Entry] = Counter()
        waiting = [(finding, self.entry(finding, source)) for finding, source in findings]
        for likeness in _LIKENESS:
            by_key: dict[tuple[str, ...], list[Entry]] = {}
            for entry in sorted(left):
                by_key.setdefault(likeness(entry), []).append(entry)
            undecided = []
            for finding, entry in waiting:
                match = next((e for e in by_key.get(likeness(entry), ()) if left[e] > 0), None)
                if match is None:
                    undecided.append((finding, entry))
                    continue
                left[match] -= 1
                kept[entry] += 1
                outcome.known.append(finding)
            waiting = undecided
        outcome.new = [finding for finding, _ in waiting]
        for entry, count in (+left).items():
            if looked_at(entry.path) or not os.path.exists(os.path.join(self.folder, entry.path)):
                outcome.gone[entry] += count
            else:
                kept[entry] += count
        outcome.baseline = Baseline(kept, self.folder)
        return outcome

    def entry(self, finding: Finding, source: Source) -> Entry:
        """Return what a finding is recognised by."""
        path = os.path.relpath(os.path.abspath(finding.path), self.folder).replace(os.sep, "/")
        code = normal_form(source.text(finding.span.start, finding.span.end))
        digest = hashlib.sha256(code.encode()).hexdigest()[:12]
        return Entry(finding.code, path, _within_module(finding.definition, path), digest)

    @classmethod
    def of(cls, findings: Iterable[tuple[Finding, Source]], folder: str) -> Baseline:
        """Return the baseline that knows exactly these findings."""
        baseline = cls(folder=folder)
        baseline.entries.update(baseline.entry(finding, source) for finding, source in findings)
        return baseline

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read a baseline file. Raises BaselineError, with the line, for what is none."""
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            raise BaselineError(f"{path}: no such baseline; write one with --write-baseline") from None
        except (OSError, UnicodeDecodeError) as error:
            raise BaselineError(f"{path}: {error}") from None
        baseline = cls(folder=os.path.dirname(os.path.abspath(path)))
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            head, _, digest = line.rpartition(" ")
            parts = head.split(" ", 2)
            if len(parts) != 3 or not parts[1].isdigit() or "::" not in parts[2]:
                hint = "is this a merge conflict? " if line[:7] in _CONFLICT else ""
                raise BaselineError(f"{path}:{number}: not a baseline entry; {hint}write it anew with --write-baseline")
            name, _, definition = parts[2].partition("::")
            baseline.entries[Entry(parts[0], name, definition, digest)] += int(parts[1])
        return baseline

    def text(self) -> str:
        """Return the file's text: the same for the same entries, whatever their history."""
        lines = [_TITLE]
        buckets: dict[str, list[Entry]] = {f"{number:02x}": [] for number in range(256)}
        for entry in sorted(+self.entries):
            buckets[entry.bucket].append(entry)
        for bucket, entries in buckets.items():
            lines.append(f"# {bucket}\n")
            lines.extend(f"{e.code} {self.entries[e]} {e.path}::{e.definition} {e.digest}\n" for e in entries)
        return "".join(lines)

    def __len__(self) -> int:
        return sum(self.entries.values())


_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>")
_LIKENESS: Sequence[Callable[[Entry], tuple[str, ...]]] = (
    lambda e: (e.code, e.path, e.definition, e.digest),
    lambda e: (e.code, e.definition, e.digest),
    lambda e: (e.code, e.path, e.digest),
    lambda e: (e.code, e.definition.rpartition(".")[2], e.digest),
    lambda e: (e.code, e.digest),
)


def _within_module(definition: str, path: str) -> str:
    """Return a definition's dotted name without the part that its file's path tells already."""
    parts = definition.split(".")
    names = [name for name in path.rpartition(".")[0].split("/") if name != "__init__"]
    for start in range(len(names)):
        tail = names[start:]
        if parts[: len(tail)] == tail:
            return ".".join(parts[len(tail) :])
    return ".".join(parts[1:]) if parts[:1] == names[-1:] else definition


def hinted(findings: Iterable[Finding]) -> list[Finding]:
    """Return known findings as hints, for an editor that shows them without alarm."""
    return [replace(finding, severity=Severity.HINT) for finding in findings]


def softened(findings: Sequence[Finding], source: Source, file: str) -> list[Finding]:
    """Return the findings of one text, in their order, with those that the baseline `file` knows as hints.

    The file is read again when it changes; one that is missing or broken knows nothing.
    """
    try:
        status = os.stat(file)
        baseline = _read_once(file, status.st_mtime_ns, status.st_size)
    except (OSError, BaselineError):
        return list(findings)
    own = os.path.relpath(os.path.abspath(source.path), baseline.folder).replace(os.sep, "/")
    entries = Counter(
        {
            entry: count
            for entry, count in baseline.entries.items()
            if entry.path == own or not os.path.exists(os.path.join(baseline.folder, entry.path))
        }
    )
    outcome = Baseline(entries, baseline.folder).compare([(f, source) for f in findings], lambda path: True)
    known = {id(finding): hint for finding, hint in zip(outcome.known, hinted(outcome.known), strict=True)}
    return [known.get(id(finding), finding) for finding in findings]


@lru_cache(maxsize=8)
def _read_once(file: str, changed: int, size: int) -> Baseline:
    return Baseline.read(Path(file))
