"""Lints, and mends, many files: each by the settings that hold for it, each on its own when it fails."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pitfall_lint import catalog, config, libraries, lint
from pitfall_lint.finding import Finding
from pitfall_lint.grading import graded as graded
from pitfall_lint.opening import open_project as open_project
from pitfall_lint.report import FileReport as FileReport
from pitfall_lint.report import Report as Report
from pitfall_lint.report import Task as Task
from pitfall_lint.screen import Awake, Screen, screen_for
from pitfall_lint.semantic.coroutine_names import coroutines_of
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source, SourceError
from pitfall_lint.workers import Crash, Workers, can_fork

Job = tuple[int, str, Mapping[str, "tuple[int, ...] | None"]]
"""A file that needs a closer look: its number in the run, its path, and for each rule's code the lines (or all)."""


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

    def check_batch(self, jobs: Iterable[Job]) -> dict[int, FileReport]:
        """Lint files whose screening is done; the reports by number."""
        found = {}
        for index, path, by_rule in jobs:
            awake = _awake([rule for rule in self._catalog if rule.code in by_rule], by_rule)
            found[index] = self.check_file(path, awake, syntax=False)
        return found

    def again(self, task: Task, read: Callable[[str], bytes | None] | None = None) -> Linter:
        """Return a linter with another task; `read` answers the bytes of other modules."""
        linter = Linter(self._catalog, self._resolver, task, read)
        linter._libraries = self._libraries
        return linter

    @property
    def mends(self) -> bool:
        """Whether files are changed."""
        return self._task.fix

    def screen(self, path: str) -> tuple[Screen, Project]:
        """Return the screen of the rules that hold for a file, and its project.

        Raises SelectorError, ConfigError, LibraryError.
        """
        settings = self._resolver.for_file(path)
        project = self.project(settings)
        return screen_for(self.rules(settings, path), project.libraries), project

    def wake(self, source: Source, path: str) -> Awake:
        """Return what of a file needs a closer look."""
        screen, project = self.screen(path)
        return screen.wake(source, project)

    def bytes_of(self, path: str) -> bytes:
        """Return a file's bytes as the project sees them; nothing when it cannot be read."""
        return self.screen(path)[1].read(os.path.abspath(path)) or b""

    def imports_of(self, path: str) -> tuple[str, ...]:
        """Return the project's files that a file imports."""
        return self.screen(path)[1].imported_by(Source(path, self.bytes_of(path)))

    def facts(self, path: str) -> str:
        """Return, hashed, what a file tells those who import it about where they have to be looked at."""
        screen, project = self.screen(path)
        return screen.facts(Source(path, self.bytes_of(path)), project)

    def learn(self, sources: Sequence[tuple[int, str, Source]]) -> None:
        """Tell the screens the names of all coroutine functions, once, so that no file looks for them itself."""
        names: dict[str, frozenset[str]] = {}
        screens: dict[int, Screen] = {}
        for _, path, source in sources:
            screen, _ = self.screen(path)
            screens[id(screen)] = screen
            if b"async" in source.data:
                for name, classes in coroutines_of(source.data).items():
                    names[name] = names.get(name, frozenset()) | classes
        for screen in screens.values():
            screen.learn(names, ((os.path.abspath(path), source.data) for _, path, source in sources))

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


class Remembers(Protocol):
    """What knows the findings of an earlier run."""

    def recall(self, paths: Sequence[str], linter: Linter) -> dict[int, FileReport]:
        """Return what is known of files, by their place in the run."""

    def keep(
        self, paths: Sequence[str], linter: Linter, reports: Mapping[int, FileReport], known: Iterable[int]
    ) -> None:
        """Take down what was found; `known` are the places of what was recalled."""


MANY = 200
"""Files from which on syntax errors are looked for only in what the rules look at, and a second process pays."""
_BATCH = 1500
"""Lines that LibCST reads for one job of a worker, about."""


def lint_paths(
    paths: Iterable[str],
    linter: Linter,
    progress: Callable[[int], None] = lambda done: None,
    *,
    jobs: int = 1,
    memory: Remembers | None = None,
) -> Report:
    """Lint files; `progress` hears how many are done. The report's order is that of the paths.

    `jobs` is how many processes may work; 0 decides by the machine. Mending is done in this one. `memory` knows
    what an earlier run found.
    """
    paths = list(paths)
    said = memory.recall(paths, linter) if memory is not None and not linter.mends else {}
    known = frozenset(said)
    if len(known) < len(paths):
        if linter.mends or len(paths) < MANY:
            for index, path in enumerate(paths):
                if index not in known:
                    said[index] = linter.check_file(path)
                progress(index + 1)
        else:
            _lint_many(paths, linter, said, progress, jobs or _processors())
        if memory is not None and not linter.mends:
            memory.keep(paths, linter, said, known)
    files = [said[index] for index in sorted(said) if said[index].speaks]
    return Report(files, len(paths), {path for file in said.values() for path in file.used})


def _lint_many(
    paths: Sequence[str], linter: Linter, said: dict[int, FileReport], progress: Callable[[int], None], jobs: int
) -> None:
    """Lint what has not been said yet, in several processes; the reports go to `said`."""
    with Workers(min(jobs, 8) - 1 if can_fork() else 0, _get_ready, linter.check_batch) as workers:
        batches = _batches(_survey(paths, linter, said, progress))
        # A second process pays for its own import of LibCST only when there is enough to do.
        alone = not workers.count or sum(size for _, size in batches) > 2 * _BATCH
        for number, answer in workers.run([batch for batch, _ in batches], linter.check_batch if alone else None):
            if isinstance(answer, Crash):
                for index, path, _ in batches[number][0]:
                    said[index] = FileReport(shown_path(path), failure=str(answer))
            else:
                said.update(answer)


def _survey(
    paths: Sequence[str], linter: Linter, said: dict[int, FileReport], progress: Callable[[int], None]
) -> Iterator[Job]:
    """Yield what needs a closer look, with how many lines that is; what can be told at once goes to `said`."""
    sources: list[tuple[int, str, Source]] = []
    for index, path in enumerate(paths):
        try:
            source = Source(shown_path(path), read(path))
        except OSError as error:
            said[index] = FileReport(shown_path(path), failure=str(error.strerror or error))
            continue
        try:
            source.decoded()
        except SourceError:
            if index not in said:
                said[index] = linter.check(source, path)
            continue
        sources.append((index, path, source))
    linter.learn(sources)
    for done, (index, path, source) in enumerate(sources, 1):
        if index in said:
            continue
        awake = linter.wake(source, path)
        if awake.rules:
            yield index, path, {rule.code: awake.lines_of(rule) for rule in awake.rules}
        progress(done)


def _batches(jobs: Iterable[Job]) -> list[tuple[list[Job], int]]:
    """Put jobs together that take about as long."""
    batches: list[tuple[list[Job], int]] = []
    for job in jobs:
        lines = _lines(job[2])
        size = 60 * len(lines) if lines is not None else 500
        if not batches or batches[-1][1] > _BATCH:
            batches.append(([], 0))
        batches[-1] = ([*batches[-1][0], job], batches[-1][1] + size)
    return batches


def _lines(by_rule: Mapping[str, tuple[int, ...] | None]) -> tuple[int, ...] | None:
    """Return the lines that any of the rules has to look at, or None for all."""
    found: set[int] = set()
    for lines in by_rule.values():
        if lines is None:
            return None
        found.update(lines)
    return tuple(sorted(found))


def _awake(rules: Iterable[catalog.Rule], by_rule: Mapping[str, tuple[int, ...] | None]) -> Awake:
    lines = _lines(by_rule)
    known = {code: these for code, these in by_rule.items() if these is not None}
    return Awake(tuple(rules), lines, by_rule=known if lines is not None else {})


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _get_ready() -> None:
    """Import what every closer look needs, while somebody else looks for the files that need one."""
    import gc

    gc.disable()
    import pitfall_lint.semantic.file  # noqa: F401
