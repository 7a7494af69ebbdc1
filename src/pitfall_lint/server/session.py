"""Analyses snapshots of documents, on one thread: what the findings of each are, and what they depend on."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Event

from pitfall_lint import baseline, catalog, config, discover, fixing, lint, noqa, run
from pitfall_lint.finding import Edit, Finding, Span
from pitfall_lint.libraries import Libraries, LibraryError
from pitfall_lint.screen import Awake, Screen
from pitfall_lint.screening import screen_for
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.project import Project, read_bytes
from pitfall_lint.server.analysis import Analysis, Base, keep_trees, kept
from pitfall_lint.server.documents import Snapshot
from pitfall_lint.server.settings import SettingsOf
from pitfall_lint.server.shortcut import Change, Edited, change_between, edits_between, function_of, outline_after
from pitfall_lint.source import Source

log = logging.getLogger(__name__)
_LARGE = 1_000_000
"""Bytes from which on a whole text is not parsed at each edit just to tell of syntax errors."""
_HUGE = 4_000_000
"""Bytes from which on a text that rules would have to look at is left to the command line: it takes minutes."""


class Session:
    """Everything that outlives a request. `overlay` holds the unsaved texts by absolute path."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self.catalog = catalog.load()
        self.settings = SettingsOf(complain)
        self.overlay: dict[str, Callable[[], Source]] = {}
        self.changed: set[str] = set()
        """Paths whose content is not what it was; they are forgotten before the next analysis."""
        self._complain = complain
        self._projects: dict[tuple[str, str], Project] = {}
        self._libraries: dict[tuple[str, ...], Libraries] = {}
        self._good: dict[str, Analysis] = {}
        """The last analysis of each document that had no syntax error."""
        self._bases: dict[str, Base] = {}
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

    def has_base(self, uri: str) -> bool:
        """Tell whether the next analysis of a document may be a quick one."""
        return uri in self._bases

    def analyse(self, snapshot: Snapshot, stop: Event | None = None, *, full: bool = False) -> Analysis | None:
        """Return the findings of a snapshot; None when it was stopped.

        After an edit in one function only that is asked again, unless `full`; the rest moves with the text.
        """
        own = os.path.abspath(snapshot.path)
        if self.settings.is_stale() or not self.changed <= {own}:
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
        base = self._bases.get(snapshot.uri)
        if base is not None and (base.analysis.settings is not settings or base.analysis.rules != rules):
            base = None
        is_stopped = stop.is_set if stop is not None else lambda: False
        try:
            analysis = None
            if base is not None and not full and base.analysis.snapshot.key[1] == snapshot.key[1]:
                analysis = self._quick_if_possible(base, snapshot, project, is_stopped)
            if analysis is None:
                analysis = self._full(snapshot, settings, rules, project, is_stopped)
        except lint.Stopped:
            return None
        if not client.showSyntaxErrors:
            shown = tuple(f for f in analysis.findings if f.code != lint.SYNTAX_ERROR)
            analysis = replace(analysis, findings=shown)
        if not analysis.is_broken:
            self._good[snapshot.uri] = analysis
        elif (good := self._good.get(snapshot.uri)) is not None:
            analysis = replace(analysis, findings=kept(good, snapshot.source, analysis.findings))
        return analysis

    def _quick_if_possible(
        self, base: Base, snapshot: Snapshot, project: Project, is_stopped: Callable[[], bool]
    ) -> Analysis | None:
        try:
            return self._quick(base, snapshot, project, is_stopped)
        except lint.Stopped:
            raise
        except Exception:  # asking everything is slower, and knows the answer
            log.exception("telling the findings after an edit failed")
            return None

    def _quick(
        self, base: Base, snapshot: Snapshot, project: Project, is_stopped: Callable[[], bool]
    ) -> Analysis | None:
        """Return the findings after an edit in one function; None where everything has to be asked again."""
        before, source = base.analysis.snapshot.source, snapshot.source
        if source.data == before.data:
            return replace(base.analysis, snapshot=snapshot)
        if len(source.data) >= _LARGE and abs(len(source.data) - len(before.data)) >= _LARGE:
            return None
        change = change_between(before.data, source.data)
        if b"import" in before.data[change.head : change.tail] + source.data[change.head : change.tail + change.shift]:
            return None
        edited = function_of(base.outline, change, source)
        if edited is None:
            broken = lint.find_syntax_error(source)[0] if len(source.data) < _LARGE else None
            return self._broken(base, snapshot, broken) if broken is not None else None
        if edited.error is not None:
            return self._broken(base, snapshot, lint.syntax_error(source, *edited.error))
        if (analysis := base.after_nothing(edited, change, snapshot)) is not None:
            if (outline := outline_after(base.outline, edited, source)) is not None:
                self._bases[snapshot.uri] = base.moved(edited, analysis, outline, is_heard=False)
            return analysis
        return self._one_function(base, edited, change, snapshot, project, is_stopped)

    def _one_function(
        self,
        base: Base,
        edited: Edited,
        change: Change,
        snapshot: Snapshot,
        project: Project,
        is_stopped: Callable[[], bool],
    ) -> Analysis | None:
        """Ask all rules about the one function that was edited."""
        source, rules, settings = snapshot.source, base.analysis.rules, base.analysis.settings
        keep_trees(project.opened(os.path.abspath(source.path)), base.texts)
        outline = outline_after(base.outline, edited, source)

        def prepare(file: File) -> None:
            if outline is not None:
                file.outline = outline

        linted = self._linted(source, rules, project, base.wake(edited, source), False, is_stopped, prepare)
        if any(finding.code == lint.SYNTAX_ERROR for finding in linted.findings):
            return None
        found = self._shown(source, linted.findings, tuple(r for r in rules if r.code != noqa.UNUSED), settings)
        analysis = base.after(edited, change, snapshot, found, linted.used)
        if outline is not None:
            self._bases[snapshot.uri] = base.moved(edited, analysis, outline, is_heard=True)
        return analysis

    def _broken(self, base: Base, snapshot: Snapshot, error: Finding) -> Analysis:
        """Return the syntax error alone; the good findings of before are put beside it."""
        rule = self.catalog.find(lint.SYNTAX_ERROR)
        found: tuple[Finding, ...] = ()
        if rule is not None and rule.code in {each.code for each in base.analysis.rules}:
            found = (replace(error, name=rule.name, severity=rule.severity),)
        return replace(base.analysis, snapshot=snapshot, findings=found, is_broken=True, is_quick=True)

    def _linted(
        self,
        source: Source,
        rules: tuple[catalog.Rule, ...],
        project: Project,
        awake: Awake,
        syntax: bool,
        is_stopped: Callable[[], bool],
        prepare: Callable[[File], None] = lambda file: None,
    ) -> lint.Linted:
        return lint.lint_with_facts(
            source,
            rules,
            project,
            on_error=lambda error: log.error("%s", error),
            syntax=syntax,
            awake=awake,
            is_stopped=is_stopped,
            prepare=prepare,
        )

    def _screen(self, rules: tuple[catalog.Rule, ...], project: Project) -> Screen:
        screen = screen_for(rules, project.libraries)
        if screen not in self._screens:
            self._screens.append(screen)
        return screen

    def _full(
        self,
        snapshot: Snapshot,
        settings: config.Settings,
        rules: tuple[catalog.Rule, ...],
        project: Project,
        is_stopped: Callable[[], bool],
    ) -> Analysis:
        """Ask every rule that the text wakes."""
        source, uri = snapshot.source, snapshot.uri
        if (base := self._bases.get(uri)) is not None:
            keep_trees(project.opened(os.path.abspath(source.path)), base.texts)
        self._forget_changed()
        screen = self._screen(rules, project)
        awake = screen.wake(source, project)
        if is_stopped():
            raise lint.Stopped
        if len(source.data) >= _HUGE and awake.rules:
            log.warning("%s is too large to be looked at in an editor", source.path)
            return Analysis(snapshot, (), rules, settings)
        linted = self._linted(source, rules, project, awake, len(source.data) < _LARGE, is_stopped)
        findings = self._shown(source, linted.findings, rules, settings)
        is_broken = any(finding.code == lint.SYNTAX_ERROR for finding in linted.findings)
        used = linted.used.union(project.imported_by(source, depth=2))
        analysis = Analysis(snapshot, findings, rules, settings, used, is_broken)
        if snapshot.cells:
            self._bases.pop(uri, None)
        elif not is_broken:
            self._bases[uri] = Base.of(analysis, awake, project, screen)
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
        chosen = None if codes is None else frozenset(codes)
        source, rules, settings = analysis.snapshot.source, analysis.rules, analysis.settings
        if analysis.is_broken:
            return []
        project = self.project(settings)

        known: set[tuple[str, Span]] = set()

        def again(text: Source) -> tuple[Finding, ...]:
            raw = lint.lint_source(text, rules, project, on_error=lambda error: log.error("%s", error))
            found = self._visible(text, raw, rules, settings)
            shown = self._softened(found, text, settings)
            known.clear()
            known.update((old.code, old.span) for old, new in zip(found, shown, strict=True) if old is not new)
            return shown

        def wanted(finding: Finding) -> bool:
            if chosen is None:  # as `--fix` does, what the baseline knows is left alone unless it is asked for
                return (finding.code, finding.span) not in known
            return finding.code in chosen

        result = fixing.fix_source(source, again, unsafe=unsafe, wanted=wanted)
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
        for path in list(self.changed):
            self.changed.discard(path)
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
        self, source: Source, findings: Iterable[Finding], rules: tuple[catalog.Rule, ...], settings: config.Settings
    ) -> tuple[Finding, ...]:
        return self._softened(self._visible(source, findings, rules, settings), source, settings)

    def _visible(
        self, source: Source, findings: Iterable[Finding], rules: tuple[catalog.Rule, ...], settings: config.Settings
    ) -> tuple[Finding, ...]:
        visible = noqa.visible(source, list(findings), rules)
        return tuple(run.graded(finding, settings, self.catalog) for finding in visible)

    def _softened(
        self, findings: tuple[Finding, ...], source: Source, settings: config.Settings
    ) -> tuple[Finding, ...]:
        """Return the findings with those that the baseline knows as hints."""
        return tuple(baseline.softened(findings, source, settings.baseline)) if settings.baseline else findings
