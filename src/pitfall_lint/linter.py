"""Lints, and mends, one file by the settings that hold for it; what fails stands in its report."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pitfall_lint import catalog, config, libraries, lint, timing
from pitfall_lint.finding import Finding
from pitfall_lint.grading import graded
from pitfall_lint.opening import open_project
from pitfall_lint.report import FileReport, Task
from pitfall_lint.screen import Awake, Screen
from pitfall_lint.screening import screen_for
from pitfall_lint.semantic.coroutine_names import coroutines_of
from pitfall_lint.semantic.lineage import Kin, kin_of
from pitfall_lint.semantic.project import Project
from pitfall_lint.semantic.wants import Want
from pitfall_lint.source import Source

Job = tuple[int, str, Mapping[str, "tuple[int, ...] | None"]]
"""A file that needs a closer look: its number in the run, its path, and for each rule's code the lines (or all)."""
Told = tuple[dict[str, tuple[str, ...]], Kin]
"""Of one file: the coroutine functions with the classes whose methods they are, and what it says of classes."""
Answer = tuple[dict[int, FileReport], "timing.Figures | None"]
"""The reports of some files by their numbers, and where the time went, if somebody asked."""


class Linter:
    """Lints single files; holds what the files of one settings file share."""

    def __init__(
        self,
        rules: catalog.Catalog,
        resolver: config.Resolver,
        task: Task,
        read: Callable[[str], bytes | None] | None = None,
    ) -> None:
        """`read` answers the bytes of other modules, where they are not to come from the disk."""
        self._catalog = rules
        self._resolver = resolver
        self._task = task
        self._module_bytes = read
        self.hide: Callable[[Source, list[Finding]], list[Finding]] | None = None
        """Leaves out what is neither to be reported nor mended."""
        self._projects: dict[tuple[str, str], Project] = {}
        self._libraries: dict[tuple[str, ...], libraries.Libraries] = {}
        self._rules: dict[tuple[int, tuple[str, ...]], tuple[config.Settings, tuple[catalog.Rule, ...]]] = {}
        """By the identity of settings, which are kept so that it stays theirs."""
        self._passed_before: Callable[[str], dict[str, tuple[Want, ...]] | None] = lambda path: None
        self.told: dict[str, Told] = {}
        """What all files have to know of each one, by absolute path, where there are many."""

    def __getstate__(self) -> tuple[Any, ...]:
        return self._catalog, self._resolver, self._task

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def check_file(self, path: str, awake: Awake | None = None, *, syntax: bool = True) -> FileReport:
        """Read, lint and, if that is the task, mend one file; failures stand in the report.

        `awake` is the screen's answer when somebody has it already.
        """
        shown = shown_path(path)
        try:
            with timing.stage("read"):
                data = read(path)
        except OSError as error:
            return FileReport(shown, failure=str(error.strerror or error))
        return self.check(Source(shown, data), path, awake, syntax=syntax)

    def check(
        self, source: Source, path: str | None = None, awake: Awake | None = None, *, syntax: bool = True
    ) -> FileReport:
        """Lint text as if it stood at `path`; it is written back only when a path is given."""
        try:
            settings = self._resolver.for_file(path or source.path)
            rules = self.rules(settings, source.path)
            project = self.project(settings)
            if awake is None:
                self._screen(settings, rules)
            if awake is not None and awake.lines is not None:
                codes = {rule.code for rule in awake.rules}
                awake = dataclasses.replace(awake, rules=tuple(rule for rule in rules if rule.code in codes))
            return self._check(source, path, rules, project, settings, awake, syntax)
        except (config.ConfigError, catalog.SelectorError, libraries.LibraryError):
            raise  # settings that cannot be used end the run
        except Exception as error:
            if self._task.debug:
                raise
            reason = str(error).partition("\n")[0]
            return FileReport(source.path, failure=f"internal error: {type(error).__name__}: {reason}")

    def check_batch(self, jobs: Iterable[Job]) -> Answer:
        """Lint files whose screening is done; the reports by number."""
        found = {}
        for job in jobs:
            self.screen(job[1])[1].shelf.is_open = True
            found[job[0]] = self.check_file(job[1], awake_of(job, self._catalog), syntax=False)
        return found, timing.CLOCK.take() if timing.CLOCK is not None else None

    def again(self, task: Task, read: Callable[[str], bytes | None] | None = None) -> Linter:
        """Return a linter with another task; `read` answers the bytes of other modules."""
        linter = Linter(self._catalog, self._resolver, task, read)
        linter._libraries = self._libraries
        return linter

    @property
    def task(self) -> Task:
        """What is to be done with each file."""
        return self._task

    @property
    def mends(self) -> bool:
        """Whether files are changed."""
        return self._task.fix

    def hidden(self, report: FileReport) -> FileReport:
        """Return what somebody else reported without what is not to be reported."""
        if self.hide and report.findings and report.source is not None:
            report.findings = self.hide(report.source, report.findings)
        return report

    def settings(self, path: str) -> config.Settings:
        """Return the settings of a file. Raises ConfigError."""
        return self._resolver.for_file(path)

    def screen(self, path: str) -> tuple[Screen, Project]:
        """Return the screen of the rules that hold for a file, and its project.

        Raises SelectorError, ConfigError, LibraryError.
        """
        settings = self._resolver.for_file(path)
        return self._screen(settings, self.rules(settings, path)), self.project(settings)

    def _screen(self, settings: config.Settings, rules: tuple[catalog.Rule, ...]) -> Screen:
        screen = screen_for(rules, self.project(settings).libraries)
        screen.passed_before = self._passed_before
        return screen

    def wake(self, source: Source, path: str) -> Awake:
        """Return what of a file needs a closer look."""
        screen, project = self.screen(path)
        return screen.wake(source, project)

    def begun(self, path: str) -> tuple[str, ...]:
        """Return the files that were read for others and not woken yet, by the screen of a file."""
        return tuple(self.screen(path)[0].kept)

    def bytes_of(self, path: str) -> bytes:
        """Return a file's bytes as the project sees them; nothing when it cannot be read."""
        return self.screen(path)[1].read(os.path.abspath(path)) or b""

    def imports_of(self, path: str) -> tuple[str, ...]:
        """Return the project's files that a file imports."""
        return self.screen(path)[1].imported_by(Source(path, self.bytes_of(path)))

    def rest(self) -> None:
        """Let go of what only those need who wake files: trees take its place."""
        for project in self._projects.values():
            project.rest()
        for settings, rules in self._rules.values():
            self._screen(settings, rules).around.rest()

    def know_imports(self, files: Mapping[str, tuple[str, ...]]) -> None:
        """Take somebody's word for which of the project's files each of some files imports."""
        for path, imports in files.items():
            self.project(self._resolver.for_file(path)).know_imports(path, imports)

    def tells(self, path: str) -> dict[str, str]:
        """Return, hashed and by name, what a file tells those who import it about where they have to be looked at."""
        screen, project = self.screen(path)
        return screen.tells(Source(path, self.bytes_of(path)), project)

    def passed_on(self, path: str) -> Mapping[str, tuple[Want, ...]]:
        """Return the names that a file passes on."""
        screen, project = self.screen(path)
        return screen.passed_by(path, project)

    def wake_lines(self, path: str) -> Mapping[str, tuple[int, ...]]:
        """Return which lines of a file each rule has to look at; what was said last, if it was asked before."""
        screen, project = self.screen(path)
        if path not in screen.woken:
            screen.wake(Source(path, self.bytes_of(path)), project)
        return screen.woken.get(path, {})

    def awake(self, lines: Mapping[str, tuple[int, ...]]) -> Awake:
        """Return what has to be looked at, by the lines of each rule."""
        return awake_of((0, "", lines), self._catalog)

    def asks_by_name_alone(self, path: str) -> bool:
        """Tell whether what goes by a coroutine function's name matters in a file whatever the object is."""
        screen, _ = self.screen(path)
        return not screen.chosen.isdisjoint(screen.coroutine_rules)

    def passings(self) -> Mapping[str, Mapping[str, tuple[Want, ...]]]:
        """Return what modules beside the linted ones were found to pass on; nothing where settings differ."""
        screens = {
            id(screen): screen for settings, rules in self._rules.values() if (screen := self._screen(settings, rules))
        }
        return next(iter(screens.values())).passing if len(screens) == 1 else {}

    def looked_for_in_vain(self) -> Iterable[str]:
        """Return the paths at which modules were looked for, and are not."""
        return [path for project in self._projects.values() for path in project.missing()]

    def believe(
        self,
        passed_before: Callable[[str], dict[str, tuple[Want, ...]] | None],
        read: Callable[[str], bytes | None] | None = None,
    ) -> None:
        """Take somebody's word for what files passed on; None where they have to be looked at, and are `read`."""
        self._passed_before = passed_before
        self._module_bytes = read or self._module_bytes

    def pass_anew(self, path: str) -> None:
        """Forget what other modules pass on to a file."""
        self.screen(path)[0].pass_anew(path)

    def learn(self, sources: Iterable[tuple[int, str, Source]]) -> None:
        """Tell the screens of all coroutine functions and classes, once, so that no file looks for them itself."""
        texts = {os.path.abspath(path): source.data for _, path, source in sources}
        self.take(((path, told_of(data)) for path, data in texts.items()), texts)

    def take(self, files: Iterable[tuple[str, Told]], texts: Mapping[str, bytes] | None = None) -> None:
        """Tell the screens of all coroutine functions and classes, as they are told of the files.

        `texts` are the bytes of files that need not be read again.
        """
        names: dict[str, set[str]] = {}
        screens: dict[int, Screen] = {}
        for path, told in files:
            self.told[path] = told
            screen, _ = self.screen(path)
            screens[id(screen)] = screen
            for name, classes in told[0].items():
                names.setdefault(name, set()).update(classes)
        owners = {name: frozenset(classes) for name, classes in names.items()}
        kin = [(path, kin) for path, (_, kin) in self.told.items()]
        for screen in screens.values():
            screen.learn(owners, kin, texts or {})

    def rules(self, settings: config.Settings, path: str) -> tuple[catalog.Rule, ...]:
        """Return the rules that hold for a file. Raises SelectorError."""
        ignored = config.ignored_in(os.path.abspath(path), settings) if settings.per_file_ignores else ()
        key = (id(settings), ignored)
        if key not in self._rules:
            chosen = self._catalog.select(
                settings.select, settings.ignore, settings.extend_select, settings.extend_ignore
            )
            for selector in settings.severity:
                self._catalog.matching(selector)
            off = {rule.code for selector in ignored for rule in self._catalog.matching(selector)[1]}
            self._rules[key] = settings, tuple(rule for rule in chosen if rule.code not in off)
        return self._rules[key][1]

    def forget(self, paths: Iterable[str]) -> None:
        """Drop what is known of files that changed."""
        for path in paths:
            for project in self._projects.values():
                project.forget(path)
            for settings, rules in self._rules.values():
                screen_for(rules, self.project(settings).libraries).forget(path)

    def adopt(self, settings: config.Settings, project: Project) -> None:
        """Take a project that somebody else opened for these settings."""
        self._projects[settings.file, settings.root] = project

    def project(self, settings: config.Settings) -> Project:
        """Return the project that files with these settings belong to. Raises LibraryError."""
        key = (settings.file, settings.root)
        if key not in self._projects:
            project = self._projects[key] = open_project(settings, self._libraries)
            project.read = self._module_bytes or project.read
        return self._projects[key]

    def _check(
        self,
        source: Source,
        path: str | None,
        rules: tuple[catalog.Rule, ...],
        project: Project,
        settings: config.Settings,
        awake: Awake | None,
        syntax: bool,
    ) -> FileReport:
        errors: dict[str, None] = {}
        used: set[str] = set()
        passed_over: dict[str, None] = {}

        def heard(error: lint.InternalError) -> None:
            if self._task.debug:
                raise error
            errors[f"internal error: {error}"] = None

        def lint_again(text: Source) -> list[Finding]:
            known = awake if text is source else None
            linted = lint.lint_with_facts(text, rules, project, on_error=heard, awake=known, syntax=syntax)
            used.update(linted.used)
            if self._task.debug:
                passed_over.update(dict.fromkeys(linted.gave_up))
            found = list(linted.findings)
            if self._task.noqa and (found or (b"PIT" in text.data and b"noqa" in text.data)):
                from pitfall_lint import noqa

                found = noqa.visible(text, found, rules)
            found = [graded(finding, settings, self._catalog) for finding in found]
            return self.hide(text, found) if self.hide else found

        if not self._task.fix:
            findings = lint_again(source)
            kept = source if findings else None
            notes = tuple(passed_over)
            return FileReport(source.path, findings, kept, notes=notes, errors=tuple(errors), used=frozenset(used))
        from pitfall_lint import fixing

        result = fixing.fix_source(source, lint_again, unsafe=self._task.unsafe)
        report = FileReport(
            source.path,
            list(result.remaining),
            result.source,
            notes=(*result.notes, *passed_over),
            errors=tuple(errors),
        )
        if result.source.data != source.data:
            report.before, report.fixed = source, Counter(finding.code for finding in result.applied)
            if path is not None and self._task.write:
                fixing.write_atomically(Path(path), result.source.data)
                project.forget(path)
        return report


def told_of(data: bytes) -> Told:
    """Return what all files have to know of one."""
    owners = coroutines_of(data) if b"async" in data else {}
    return {name: tuple(sorted(classes)) for name, classes in owners.items()}, kin_of(data)


def job_of(index: int, path: str, awake: Awake) -> Job:
    """Return what the screen said of a file as plain data."""
    return index, path, {rule.code: awake.lines_of(rule) for rule in awake.rules}


def awake_of(job: Job, rules: Iterable[catalog.Rule]) -> Awake:
    """Return what the screen said of a file."""
    lines = lines_of(job)
    known = {code: these for code, these in job[2].items() if these is not None} if lines is not None else {}
    return Awake(tuple(rule for rule in rules if rule.code in job[2]), lines, by_rule=known)


def lines_of(job: Job) -> tuple[int, ...] | None:
    """Return the lines that any of the rules has to look at; None for all."""
    found: set[int] = set()
    for lines in job[2].values():
        if lines is None:
            return None
        found.update(lines)
    return tuple(sorted(found))


def shown_path(path: str) -> str:
    """Return a path as people see it: relative inside the working folder, absolute elsewhere."""
    absolute, here = os.path.abspath(path), os.getcwd()
    return os.path.relpath(absolute, here) if absolute.startswith(here.rstrip(os.sep) + os.sep) else absolute


def read(path: str) -> bytes:
    """Return the bytes of a regular file. Raises OSError, for a fifo or a device too, without waiting."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise OSError(0, f"is {kind}")
    with open(path, "rb") as stream:
        return stream.read()
