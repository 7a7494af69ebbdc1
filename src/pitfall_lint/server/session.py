"""Analyses snapshots of documents, on one thread: what the findings of each are, and what they depend on."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from threading import Event

from pitfall_lint import catalog, config, discover, fixing, lint, noqa, run
from pitfall_lint.finding import Edit, Finding, Span
from pitfall_lint.libraries import Libraries, LibraryError
from pitfall_lint.semantic.project import Project, read_bytes
from pitfall_lint.server.documents import Snapshot
from pitfall_lint.server.settings import SettingsOf
from pitfall_lint.source import Source

log = logging.getLogger(__name__)
_LARGE = 1_000_000
"""Bytes from which on a whole text is not parsed at each edit just to tell of syntax errors."""


@dataclass(frozen=True)
class Analysis:
    """What came of one snapshot."""

    snapshot: Snapshot
    findings: tuple[Finding, ...] = ()
    rules: tuple[catalog.Rule, ...] = ()
    settings: config.Settings = field(default_factory=config.Settings)
    used: frozenset[str] = frozenset()
    is_broken: bool = False
    """Whether the text has a syntax error; then findings of before may be among these."""


class Session:
    """Everything that outlives a request. `overlay` holds the unsaved texts by absolute path."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self.catalog = catalog.load()
        self.settings = SettingsOf(complain)
        self.overlay: dict[str, Callable[[], Source]] = {}
        self.changed: deque[str] = deque()
        """Paths whose content is not what it was; they are forgotten before the next analysis."""
        self._complain = complain
        self._projects: dict[tuple[str, str], Project] = {}
        self._libraries: dict[tuple[str, ...], Libraries] = {}
        self._good: dict[str, Analysis] = {}
        """The last analysis of each document that had no syntax error."""
        self._on_disk: dict[str, tuple[tuple[int, int], Analysis]] = {}
        self._excluded: dict[str, tuple[config.Settings, bool]] = {}

    def reload(self) -> None:
        """Read settings and library rows anew."""
        self.settings.reload()
        self._projects.clear()
        self._libraries.clear()
        self._on_disk.clear()
        self._excluded.clear()

    def analyse(self, snapshot: Snapshot, stop: Event | None = None) -> Analysis | None:
        """Return the findings of a snapshot; None when it was stopped."""
        self._forget_changed()
        if stop is not None and stop.is_set():
            return None
        settings = self.settings.of(snapshot.path)
        client = self.settings.client(snapshot.path)
        if not client.enable or self._is_excluded(snapshot.path, settings):
            return Analysis(snapshot, settings=settings)
        try:
            rules = self._rules(settings, snapshot.path)
            project = self.project(settings)
        except (catalog.SelectorError, LibraryError) as error:
            self.settings.say(str(error))
            return self._good.get(snapshot.uri)
        source = snapshot.source
        syntax = len(source.data) < _LARGE
        linted = lint.lint_with_facts(
            source, rules, project, on_error=lambda error: log.error("%s", error), syntax=syntax
        )
        findings = self._shown(source, linted.findings, rules, settings)
        is_broken = any(finding.code == lint.SYNTAX_ERROR for finding in linted.findings)
        if not client.showSyntaxErrors:
            findings = tuple(f for f in findings if f.code != lint.SYNTAX_ERROR)
        if is_broken and (good := self._good.get(snapshot.uri)) is not None:
            findings = _kept(good, source, findings)
        analysis = Analysis(snapshot, findings, rules, settings, linted.used, is_broken)
        if not is_broken:
            self._good[snapshot.uri] = analysis
        return analysis

    def analyse_file(self, path: str, uri: str) -> Analysis | None:
        """Return the findings of a file on the disk; what did not change is not read again."""
        self._forget_changed()
        try:
            status = os.stat(path)
            stamp = (status.st_mtime_ns, status.st_size)
            if path in self._on_disk and self._on_disk[path][0] == stamp:
                return self._on_disk[path][1]
            source = Source(path, run.read(path))
        except OSError:
            return None
        analysis = self.analyse(Snapshot(uri, path, source, (0, 0)))
        self._good.pop(uri, None)
        if analysis is not None:
            self._on_disk[path] = (stamp, analysis)
        return analysis

    def files(self, folder: str) -> list[str]:
        """Return the files of a workspace folder that would be linted."""
        errors: list[discover.DiscoverError] = []
        found = discover.find([folder], lambda at: self.settings.of(os.path.join(at, "x.py")), errors=errors)
        return [os.path.abspath(path) for path in found]

    def close(self, uri: str) -> None:
        """Forget a document that was closed."""
        self._good.pop(uri, None)

    def fixed(self, analysis: Analysis, *, unsafe: bool, codes: Iterable[str] | None = None) -> list[Edit]:
        """Return the edits that all fixes together, or those of some rules, make in a document."""
        wanted = None if codes is None else frozenset(codes)
        source, rules, settings = analysis.snapshot.source, analysis.rules, analysis.settings
        if analysis.is_broken:
            return []
        project = self.project(settings)

        def again(text: Source) -> tuple[Finding, ...]:
            found = lint.lint_source(text, rules, project, on_error=lambda error: log.error("%s", error))
            return self._shown(text, found, rules, settings)

        result = fixing.fix_source(
            source, again, unsafe=unsafe, wanted=lambda f: wanted is None or f.code in wanted
        )
        project.forget(source.path)
        return edits_between(source, result.source)

    def project(self, settings: config.Settings) -> Project:
        """Return the project of some settings, which sees unsaved texts. Raises LibraryError."""
        key = (settings.file, settings.root)
        if key not in self._projects:
            project = run.open_project(settings, self._libraries)
            project.read = self._read
            self._projects[key] = project
        return self._projects[key]

    def _read(self, path: str) -> bytes | None:
        unsaved = self.overlay.get(path)
        return unsaved().data if unsaved is not None else read_bytes(path)

    def _forget_changed(self) -> None:
        if self.settings.is_stale():
            self.reload()
        while self.changed:
            path = self.changed.popleft()
            for project in self._projects.values():
                project.forget(path)
            for other, (_, analysis) in list(self._on_disk.items()):
                if other == path or path in analysis.used:
                    del self._on_disk[other]

    def _rules(self, settings: config.Settings, path: str) -> tuple[catalog.Rule, ...]:
        chosen = self.catalog.select(
            settings.select, settings.ignore, settings.extend_select, settings.extend_ignore
        )
        ignored = config.ignored_in(path, settings)
        off = {rule.code for selector in ignored for rule in self.catalog.matching(selector)[1]}
        return tuple(rule for rule in chosen if rule.code not in off)

    def _is_excluded(self, path: str, settings: config.Settings) -> bool:
        """Tell whether a file on the disk is excluded or ignored by git; asked once."""
        known = self._excluded.get(path)
        if known is None or known[0] is not settings:
            answer = os.path.exists(path) and discover.is_excluded(path, settings)
            known = self._excluded[path] = (settings, answer)
        return known[1]

    def _shown(
        self,
        source: Source,
        findings: Iterable[Finding],
        rules: tuple[catalog.Rule, ...],
        settings: config.Settings,
    ) -> tuple[Finding, ...]:
        visible = noqa.visible(source, list(findings), rules)
        return tuple(run.graded(finding, settings, self.catalog) for finding in visible)


def edits_between(before: Source, after: Source) -> list[Edit]:
    """Return the edits of whole lines that make one text of the other."""
    import difflib

    old, new = before.lines, after.lines
    starts = [*before.line_starts, len(before.data)]
    edits = []
    for kind, first, last, begin, end in difflib.SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if kind != "equal":
            text = b"".join(new[begin:end]).decode(after.shown_encoding, "replace")
            edits.append(Edit(Span(starts[first], starts[last]), text))
    return edits


def _kept(good: Analysis, source: Source, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what was found, and the good findings of before in all lines that did not change since.

    While a line is typed the text does not parse, names mean nothing, and findings would flicker.
    """
    old, new = good.snapshot.source.data, source.data
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    head = max(old.rfind(b"\n", 0, head) + 1, 0)
    end = old.find(b"\n", len(old) - tail)
    tail_start = len(old) if end < 0 else end + 1
    shift = len(new) - len(old)

    def moved(span: Span) -> Span | None:
        if span.end <= head:
            return span
        return Span(span.start + shift, span.end + shift) if span.start >= tail_start else None

    kept = {(finding.code, finding.span): finding for finding in found}
    for finding in good.findings:
        span = moved(finding.span)
        if span is None or (finding.code, span) in kept:
            continue
        fixes = []
        for fix in finding.fixes:
            edits = [(moved(edit.span), edit.text) for edit in fix.edits]
            if all(place is not None for place, _ in edits):
                placed = tuple(Edit(place, text) for place, text in edits if place is not None)
                fixes.append(replace(fix, edits=placed))
        kept[finding.code, span] = replace(finding, span=span, fixes=tuple(fixes))
    order = sorted(kept.values(), key=lambda finding: (finding.span, finding.code))
    return tuple(order)


def _shared(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    first, second = memoryview(one), memoryview(other)
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
