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
from pitfall_lint.screen import Awake, Screen, screen_for
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.outline import Block, Outline
from pitfall_lint.semantic.project import Project, read_bytes
from pitfall_lint.server.documents import Snapshot
from pitfall_lint.server.settings import SettingsOf
from pitfall_lint.server.shortcut import Change, change_between, function_of
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
    is_quick: bool = False
    """Whether it was told from the one before without asking everything again."""


@dataclass(frozen=True)
class _Base:
    """A full analysis, to tell the next ones from."""

    analysis: Analysis
    awake: Awake
    outline: Outline
    file: File | None


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
        self._bases: dict[str, _Base] = {}
        self._screens: list[Screen] = []
        self._on_disk: dict[str, tuple[tuple[int, int], Analysis]] = {}
        self._excluded: dict[str, tuple[config.Settings, bool]] = {}

    def reload(self) -> None:
        """Read settings and library rows anew."""
        self.settings.reload()
        self._projects.clear()
        self._libraries.clear()
        self._on_disk.clear()
        self._excluded.clear()
        self._bases.clear()
        self._screens.clear()

    def analyse(self, snapshot: Snapshot, stop: Event | None = None, *, full: bool = False) -> Analysis | None:
        """Return the findings of a snapshot; None when it was stopped.

        An edit inside a function that no finding depends on needs no more than moving findings, unless `full`.
        """
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
        awake: Awake | None = None
        syntax = len(source.data) < _LARGE
        base = self._bases.get(snapshot.uri)
        if base is not None and base.analysis.settings is settings and base.analysis.rules == rules:
            change = change_between(base.analysis.snapshot.source.data, source.data)
            edited = function_of(base.outline, change, source)
            is_same = base.analysis.snapshot.key[1] == snapshot.key[1] and not full
            if edited is not None and edited.error is not None:
                if is_same:
                    return self._half_typed(base, snapshot, edited.error, client.showSyntaxErrors)
            elif edited is not None:
                syntax = False  # the one function that was edited parses, so the rest does as before
                awake = self._screen(rules, project).wake(source, project)
                if is_same:
                    quick = _told_from(base, edited.block, change, awake, snapshot)
                    if quick is not None:
                        return quick
        analysis = self._full(snapshot, settings, rules, project, awake, syntax)
        if not client.showSyntaxErrors:
            shown = tuple(f for f in analysis.findings if f.code != lint.SYNTAX_ERROR)
            analysis = replace(analysis, findings=shown)
        if analysis.is_broken:
            if (good := self._good.get(snapshot.uri)) is not None:
                analysis = replace(analysis, findings=_kept(good, source, analysis.findings))
        else:
            self._good[snapshot.uri] = analysis
        return analysis

    def _screen(self, rules: tuple[catalog.Rule, ...], project: Project) -> Screen:
        screen = screen_for(rules, project.libraries)
        if screen not in self._screens:
            self._screens.append(screen)
        return screen

    def _half_typed(self, base: _Base, snapshot: Snapshot, error: tuple[int, str], show: bool) -> Analysis:
        """Return the findings while one function does not parse: those of all other lines, and the error."""
        rule = self.catalog.find(lint.SYNTAX_ERROR)
        found: tuple[Finding, ...] = ()
        if show and rule is not None and rule.code in {each.code for each in base.analysis.rules}:
            finding = lint.syntax_error(snapshot.source, *error)
            found = (replace(finding, name=rule.name, severity=rule.severity),)
        findings = _kept(base.analysis, snapshot.source, found)
        return replace(base.analysis, snapshot=snapshot, findings=findings, is_broken=True, is_quick=True)

    def _full(
        self,
        snapshot: Snapshot,
        settings: config.Settings,
        rules: tuple[catalog.Rule, ...],
        project: Project,
        awake: Awake | None,
        syntax: bool,
    ) -> Analysis:
        """Ask every rule that the text wakes."""
        source = snapshot.source
        if awake is None:
            awake = self._screen(rules, project).wake(source, project)
        linted = lint.lint_with_facts(
            source,
            rules,
            project,
            on_error=lambda error: log.error("%s", error),
            syntax=syntax,
            awake=awake,
        )
        findings = self._shown(source, linted.findings, rules, settings)
        is_broken = any(finding.code == lint.SYNTAX_ERROR for finding in linted.findings)
        used = linted.used.union(project.imported_by(source, depth=2))
        analysis = Analysis(snapshot, findings, rules, settings, used, is_broken)
        self._bases.pop(snapshot.uri, None)
        if not is_broken and not snapshot.cells:
            file = project.opened(os.path.abspath(source.path)) if awake.rules else None
            outline = file.outline if file is not None else Outline(source)
            self._bases[snapshot.uri] = _Base(analysis, awake, outline, file)
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
        self.close(uri)
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
        self._bases.pop(uri, None)

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

        result = fixing.fix_source(source, again, unsafe=unsafe, wanted=lambda f: wanted is None or f.code in wanted)
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
            for screen in self._screens:
                screen.forget(path)
            for other, (_, analysis) in list(self._on_disk.items()):
                if other == path or path in analysis.used:
                    del self._on_disk[other]

    def _rules(self, settings: config.Settings, path: str) -> tuple[catalog.Rule, ...]:
        chosen = self.catalog.select(settings.select, settings.ignore, settings.extend_select, settings.extend_ignore)
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


def _told_from(base: _Base, block: Block, change: Change, awake: Awake, snapshot: Snapshot) -> Analysis | None:
    """Return the analysis after an edit inside a function that was never read and wakes no rule; else None."""
    old, new = base.analysis.snapshot.source, snapshot.source
    if base.awake.lines is None or awake.lines is None or base.awake.rules != awake.rules:
        return None
    if base.file is not None and base.file.has_read(block):
        return None
    start, end = block.first, block.end
    delta = len(new.lines) - len(old.lines)
    if any(start <= line < end for line in base.awake.lines):
        return None
    if tuple(line if line < start else line + delta for line in base.awake.lines) != awake.lines:
        return None
    if b"noqa" in old.data[change.head : change.tail] or b"noqa" in new.data[change.head : change.tail + change.shift]:
        return None
    findings = [change.moved_finding(finding) for finding in base.analysis.findings]
    whole = tuple(finding for finding in findings if finding is not None)
    if len(whole) != len(findings):
        return None
    return replace(base.analysis, snapshot=snapshot, findings=whole, is_quick=True)


def edits_between(before: Source, after: Source) -> list[Edit]:
    """Return the edits of whole lines that make one text of the other."""
    import difflib

    old, new = before.lines, after.lines
    starts = [*before.line_starts, len(before.data)]
    edits = []
    for kind, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            text = b"".join(new[begin:end]).decode(after.shown_encoding, "replace")
            edits.append(Edit(Span(starts[first], starts[last]), text))
    return edits


def _kept(good: Analysis, source: Source, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return what was found, and the good findings of before in all lines that did not change since.

    While a line is typed the text does not parse, names mean nothing, and findings would flicker.
    """
    change = change_between(good.snapshot.source.data, source.data)
    kept = {(finding.code, finding.span): finding for finding in found}
    for finding in good.findings:
        moved = change.moved_finding(finding)
        if moved is not None:
            kept.setdefault((moved.code, moved.span), moved)
    return tuple(sorted(kept.values(), key=lambda finding: (finding.span, finding.code)))
