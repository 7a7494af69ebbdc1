"""What came of a snapshot, and what that tells about the text after the next edit."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from pitfall_lint import noqa
from pitfall_lint.catalog import Rule
from pitfall_lint.config import Settings
from pitfall_lint.finding import Finding
from pitfall_lint.screen import Awake, Screen
from pitfall_lint.semantic.coroutine_names import coroutines_of
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.outline import Outline
from pitfall_lint.semantic.project import Project
from pitfall_lint.server.documents import Snapshot
from pitfall_lint.server.shortcut import Change, Edited, change_between, is_of_no_interest, unchanged
from pitfall_lint.source import Source


@dataclass(frozen=True)
class Analysis:
    """What came of one snapshot."""

    snapshot: Snapshot
    findings: tuple[Finding, ...] = ()
    rules: tuple[Rule, ...] = ()
    settings: Settings = field(default_factory=Settings)
    used: frozenset[str] = frozenset()
    is_broken: bool = False
    """Whether the text has a syntax error; then findings of before may be among these."""
    is_quick: bool = False
    """Whether it was told from the one before without asking everything again."""

    def moved_to(self, snapshot: Snapshot) -> Analysis:
        """Return these findings for a later text, without those in lines that changed, and without fixes."""
        if snapshot.source.data == self.snapshot.source.data:
            return self
        places = [unchanged(self.snapshot.source, snapshot.source, finding.span) for finding in self.findings]
        moved = (replace(f, span=p, fixes=(), related=()) for f, p in zip(self.findings, places, strict=True) if p)
        return replace(self, snapshot=snapshot, findings=tuple(moved))


@dataclass(frozen=True)
class Base:
    """An analysis to tell the next ones from."""

    analysis: Analysis
    outline: Outline
    heard: frozenset[int] | None
    """The first lines (of `def`) of the functions that findings may depend on; None for all."""
    screen: Screen
    names: Names
    texts: frozenset[str]
    """The slices that were parsed for it: worth keeping over edits elsewhere."""

    @classmethod
    def of(cls, analysis: Analysis, awake: Awake, project: Project, screen: Screen) -> Base:
        """Return what a full analysis tells about the next ones."""
        source = analysis.snapshot.source
        file = project.opened(os.path.abspath(source.path)) if awake.rules else None
        outline = file.outline if file is not None else Outline(source)
        heard: frozenset[int] | None = None
        if awake.lines is not None:
            blocks = {outline.function_at(line) for line in awake.lines}
            if file is not None:
                blocks |= {block for block in outline.functions if file.has_read(block)}
            heard = frozenset(block.header for block in blocks if block is not None)
        texts = frozenset(file.read) if file is not None else frozenset()
        return cls(analysis, outline, heard, screen, Names(outline, source, project), texts)

    def after_nothing(self, edited: Edited, change: Change, snapshot: Snapshot) -> Analysis | None:
        """Return the analysis after an edit in a function on which no finding depends, before or after; else None."""
        if self.heard is None or edited.block.header in self.heard or _speaks_of_noqa(edited):
            return None
        if not is_of_no_interest(edited, self.screen.find, self.names.here):
            return None
        findings = [change.moved_finding(finding) for finding in self.analysis.findings]
        if not all(findings):
            return None
        whole = tuple(finding for finding in findings if finding is not None)
        return replace(self.analysis, snapshot=snapshot, findings=whole, is_quick=True)

    def after(
        self, edited: Edited, change: Change, snapshot: Snapshot, found: Iterable[Finding], used: frozenset[str]
    ) -> Analysis:
        """Return the analysis after an edit in a function that was looked at again, with what was found in it."""
        begin, end = edited.begin, edited.begin + len(edited.before)
        is_own = self.heard is None or edited.block.header in self.heard
        merged = {(finding.code, finding.span): finding for finding in found}
        for finding in self.analysis.findings:
            moved = change.moved_finding(finding)
            inside = begin <= finding.span.start < end and is_own and finding.code != noqa.UNUSED
            if moved is not None and not inside:
                merged.setdefault((moved.code, moved.span), moved)
        findings = tuple(sorted(merged.values(), key=lambda finding: (finding.span, finding.code)))
        used |= self.analysis.used
        return replace(self.analysis, snapshot=snapshot, findings=findings, used=used, is_quick=True)

    def wake(self, edited: Edited, source: Source) -> Awake:
        """Return the rules that may say something about an edited function: too many, in doubt."""
        screen = self.screen
        words = screen.find(source.data)
        codes = screen.always | screen.coroutine_rules | screen.through
        codes = codes.union(*(want.rules for word in words for want in screen.wanted.get(word, ())))
        found = {finding.code for finding in self.analysis.findings}
        rules = tuple(rule for rule in screen.rules if rule.code in codes or rule.code in found)
        return Awake(rules, (edited.block.header,))

    def moved(self, edited: Edited, analysis: Analysis, outline: Outline, is_heard: bool) -> Base:
        """Return the base for the edits after this one."""
        source, block = analysis.snapshot.source, edited.block
        heard = self.heard
        if heard is not None:
            delta = len(source.lines) - len(self.outline.source.lines)
            heard = frozenset(line if line <= block.header else line + delta for line in heard)
            heard |= {block.header} if is_heard else frozenset()
        return replace(self, analysis=analysis, outline=outline, heard=heard)


@dataclass(frozen=True, eq=False)
class Names:
    """The names by which a function of a file may reach what matters, worked out when they are asked for."""

    outline: Outline
    source: Source
    project: Project

    @cached_property
    def here(self) -> frozenset[bytes]:
        """What this file's definitions and imports, and coroutine functions in its reach, are called."""
        path = os.path.abspath(self.source.path)
        names = {block.name for block in self.outline.blocks} | set(self.project.bindings_of(path, self.source.data))
        for other in self.project.imported_by(self.source, depth=2):
            for name, classes in coroutines_of(self.project.read(other) or b"").items():
                names |= {name, *classes}
        return frozenset(name.encode() for name in names if name)


def keep_trees(file: File | None, texts: frozenset[str]) -> None:
    """Hand on the trees that a File got from the one before and did not need: the next one may."""
    if file is not None:
        for text, trees in file.kept.items():
            if trees and text in texts:
                file.read.setdefault(text, []).extend(trees)
        file.kept = {}


def kept(good: Analysis, source: Source, found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what was found, and the good findings of before in all lines that did not change since.

    While a line is typed the text does not parse, names mean nothing, and findings would flicker.
    """
    change = change_between(good.snapshot.source.data, source.data)
    merged = {(finding.code, finding.span): finding for finding in found}
    for finding in good.findings:
        moved = change.moved_finding(finding)
        if moved is not None:
            merged.setdefault((moved.code, moved.span), moved)
    return tuple(sorted(merged.values(), key=lambda finding: (finding.span, finding.code)))


def _speaks_of_noqa(edited: Edited) -> bool:
    return b"noqa" in edited.before.lower() or b"noqa" in edited.after.lower()
