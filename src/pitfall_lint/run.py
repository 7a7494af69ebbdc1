"""Lints, and mends, many files: each by the settings that hold for it, each on its own when it fails."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pitfall_lint import catalog, config, fixing, libraries, lint, suppressions, versions
from pitfall_lint.finding import Applicability, Finding, Severity
from pitfall_lint.semantic.project import Project
from pitfall_lint.source import Source


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


class Linter:
    """Lints single files; holds what the files of one settings file share."""

    def __init__(self, rules: catalog.Catalog, resolver: config.Resolver, task: Task) -> None:
        self._catalog = rules
        self._resolver = resolver
        self._task = task
        self._projects: dict[tuple[str, str], Project] = {}
        self._libraries: dict[tuple[str, ...], libraries.Libraries] = {}

    def check_file(self, path: str) -> FileReport:
        """Read, lint and, if that is the task, mend one file; failures stand in the report."""
        shown = shown_path(path)
        try:
            data = read(path)
        except OSError as error:
            return FileReport(shown, failure=str(error.strerror or error))
        return self.check(Source(shown, data), path)

    def check(self, source: Source, path: str | None = None) -> FileReport:
        """Lint text as if it stood at `path`; it is written back only when a path is given."""
        try:
            settings = self._resolver.for_file(path or source.path)
            rules = self.rules(settings, source.path)
            project = self.project(settings)
            return self._check(source, path, rules, project, settings)
        except (config.ConfigError, catalog.SelectorError, libraries.LibraryError):
            raise  # settings that cannot be used end the run
        except Exception as error:
            if self._task.debug:
                raise
            reason = str(error).partition("\n")[0]
            return FileReport(source.path, failure=f"internal error: {type(error).__name__}: {reason}")

    def rules(self, settings: config.Settings, path: str) -> tuple[catalog.Rule, ...]:
        """Return the rules that hold for a file. Raises SelectorError."""
        chosen = self._catalog.select(
            settings.select, settings.ignore, settings.extend_select, settings.extend_ignore
        )
        off = {
            rule.code
            for selector in config.ignored_in(os.path.abspath(path), settings)
            for rule in self._catalog.matching(selector)[1]
        }
        return tuple(rule for rule in chosen if rule.code not in off)

    def project(self, settings: config.Settings) -> Project:
        """Return the project that files with these settings belong to. Raises LibraryError."""
        key = (settings.file, settings.root)
        if key not in self._projects:
            self._projects[key] = open_project(settings, self._libraries)
        return self._projects[key]

    def _check(
        self,
        source: Source,
        path: str | None,
        rules: tuple[catalog.Rule, ...],
        project: Project,
        settings: config.Settings,
    ) -> FileReport:
        errors: dict[str, None] = {}

        def heard(error: lint.InternalError) -> None:
            if self._task.debug:
                raise error
            errors[f"internal error: {error}"] = None

        def lint_again(text: Source) -> list[Finding]:
            found = lint.lint_source(text, rules, project, on_error=heard)
            if self._task.noqa:
                found = suppressions.visible(text, found)
            return [graded(finding, settings, self._catalog) for finding in found]

        if not self._task.fix:
            findings = lint_again(source)
            return FileReport(source.path, findings, source if findings else None, errors=tuple(errors))
        result = fixing.fix_source(source, lint_again, unsafe=self._task.unsafe)
        report = FileReport(
            source.path, list(result.remaining), result.source, notes=result.notes, errors=tuple(errors)
        )
        if result.source.data != source.data:
            report.before, report.fixed = source, Counter(finding.code for finding in result.applied)
            if path is not None and self._task.write:
                fixing.write_atomically(Path(path), result.source.data)
                project.forget(path)
        return report


def open_project(
    settings: config.Settings, known: dict[tuple[str, ...], libraries.Libraries] | None = None
) -> Project:
    """Return the project of some settings; `known` keeps library rows between calls. Raises LibraryError."""
    known = {} if known is None else known
    if settings.libraries not in known:
        own = [Path(path) for path in settings.libraries]
        known[settings.libraries] = libraries.load([*catalog.library_files(), *own])
    return Project(
        known[settings.libraries],
        root=settings.root,
        source_roots=settings.src,
        allows=versions.answerer(Path(settings.root) if settings.file else None, settings.versions),
    )


def graded(finding: Finding, settings: config.Settings, rules: catalog.Catalog) -> Finding:
    """Return a finding with its fixes as far as `fixable` and `extend-(un)safe-fixes` trust them."""
    if not finding.fixes:
        return finding

    def named(selectors: Iterable[str]) -> bool:
        return any(rule.code == finding.code for s in selectors for rule in rules.matching(s)[1])

    if settings.fixable != ("ALL",) or settings.unfixable:
        if not named(settings.fixable) or named(settings.unfixable):
            return dataclasses.replace(finding, fixes=())
    for selectors, grade in (
        (settings.extend_safe_fixes, Applicability.SAFE),
        (settings.extend_unsafe_fixes, Applicability.UNSAFE),
    ):
        if selectors and named(selectors):
            fixes = tuple(dataclasses.replace(fix, applicability=grade) for fix in finding.fixes)
            finding = dataclasses.replace(finding, fixes=fixes)
    return finding


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


def lint_paths(
    paths: Iterable[str],
    linter: Linter,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """Lint files one after the other; `progress` hears how many are done."""
    report = Report()
    for path in paths:
        found = linter.check_file(path)
        report.checked += 1
        if found.speaks:
            report.files.append(found)
        progress(report.checked)
    return report


def counts(finding: Finding) -> bool:
    """Tell whether a finding makes a run fail: a hint never does."""
    return finding.severity is not Severity.HINT
