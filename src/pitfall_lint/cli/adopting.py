"""`--baseline` and `--since`: tells new findings from those that the code base is known to have."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfall_lint import cache, catalog, fixing, lint, noqa, run
from pitfall_lint.baseline import Baseline, BaselineError, Entry, Outcome
from pitfall_lint.cli import output
from pitfall_lint.finding import Finding
from pitfall_lint.reporters.summary import counted
from pitfall_lint.since import Since, SinceError
from pitfall_lint.source import Source, SourceError
from pitfall_lint.spread import narrowed

if TYPE_CHECKING:
    from pitfall_lint.cli.check import _Run

DEFAULT = "pitfall-baseline.txt"
_LISTED = 5
"""Entries that are named when a baseline is stale."""
Pairs = list[tuple[Finding, Source]]


class Adoption:
    """What one run knows of old findings. Raises click.ClickException when it cannot be known."""

    def __init__(self, check: _Run, rules: catalog.Catalog) -> None:
        self.check = check
        self.rules = rules
        options = check.options
        self.writes = options["write_baseline"] is not None
        if self.writes and (check.is_stdin or options["diff"] or options["since"] is not None):
            raise click.UsageError("--write-baseline works on files, and not together with --diff or --since")
        self.path = Path(options["write_baseline"] or check.settings.baseline or self._default())
        if options["baseline_check"] and not self.writes and not check.settings.baseline and not self.path.exists():
            raise click.ClickException("--baseline-check: there is no baseline; write one with --write-baseline")
        self.is_used = self.writes or bool(check.settings.baseline) or options["baseline_check"]
        try:
            self.baseline = self._read() if self.is_used else Baseline(folder=check.settings.root)
            self.since = self._since(options["since"]) if options["since"] is not None else None
            self.wanted: Mapping[str, tuple[int, ...] | None] = {}
            """The lines that can have new findings, by path, where no more than those are looked at."""
        except (BaselineError, SinceError) as error:
            raise click.ClickException(str(error)) from None

    def _default(self) -> str:
        settings = self.check.settings
        return os.path.join(settings.root if settings.file else os.getcwd(), DEFAULT)

    def _read(self) -> Baseline:
        if not self.writes:
            return Baseline.read(self.path)
        try:
            return Baseline.read(self.path)
        except BaselineError:  # there is none yet, or none that can be used
            return Baseline(folder=os.path.dirname(os.path.abspath(self.path)))

    def _since(self, revision: str) -> Since:
        folder = os.path.abspath(self.check.paths[0] if not self.check.is_stdin else ".")
        return Since(revision, folder if os.path.isdir(folder) else os.path.dirname(folder))

    def look(self, linter: run.Linter, files: list[str]) -> run.Report:
        """Lint, and mend when that is the task; what is known is neither reported nor mended."""
        if self.since is not None and not self.check.is_stdin:
            reached = self.since.affected(files)
            files = [path for path in files if path in reached.lines]
            if not linter.mends and not self.is_used:  # both have to know all findings of a file
                self.wanted = {os.path.abspath(path): lines for path, lines in reached.lines.items()}
                gc.disable()  # so little is read that collecting costs more than it frees
                try:
                    report = self.filtered(_look_at(reached.lines, files, linter), linter, files)
                finally:
                    gc.enable()
                left = f"{counted(reached.far, 'line')} that use what changed were not looked at: too many."
                return replace(report, hidden=(*report.hidden, left)) if reached.far else report
        if self.writes:
            report = self.check.lint(linter, files)
            self._write_anew(report, linter, files)
            return report
        watched = linter.again(replace(self.check.task, fix=False)) if linter.mends else linter
        report = self.filtered(self.check.lint(watched, files), watched, files)
        if linter.mends:
            linter.hide = self._hides
            report = replace(self.check.lint(linter, files), hidden=report.hidden)
        return report

    def filtered(self, report: run.Report, linter: run.Linter, files: Sequence[str]) -> run.Report:
        """Return a report without the findings that are known, and bring the baseline up to date."""
        found = _pairs(report)
        new, hidden = found, []
        if self.since is not None and not files and not self.check.is_stdin:
            hidden.append(f"No Python file has changed since {self.check.options['since']}.")
        if self.is_used:
            outcome = self._compared(found, report, linter, files)
            new = _those(found, outcome.new)
            if outcome.known:
                known = counted(len(outcome.known), "known finding")
                hidden.append(f"{known} hidden by {run.shown_path(str(self.path))}.")
            self._keep(outcome)
        if self.since is not None:
            before = len(new)
            new = self._only_new(new, linter)
            if before > len(new):
                old = counted(before - len(new), "finding")
                hidden.append(f"{old} hidden that {self.check.options['since']} has, too.")
        kept = {id(finding) for finding, _ in new}
        self._known = [(finding, source) for finding, source in found if id(finding) not in kept]
        known_ids = {id(finding) for finding, _ in self._known}
        rest = [replace(f, findings=[x for x in f.findings if id(x) not in known_ids]) for f in report.files]
        return replace(report, files=[file for file in rest if file.speaks], hidden=tuple(hidden))

    def _hides(self, source: Source, findings: list[Finding]) -> list[Finding]:
        """Return the findings of a text that were not known before it was mended."""
        folder = self.check.settings.root
        known = Baseline.of([pair for pair in self._known if pair[0].path == source.path], folder)
        return known.compare([(finding, source) for finding in findings], lambda path: True).new

    def _compared(self, found: Pairs, report: run.Report, linter: run.Linter, files: Sequence[str]) -> Outcome:
        """Compare with the baseline; what this run could not see stays as it is."""
        unseen = {os.path.abspath(file.path) for file in report.failures}
        unseen |= {os.path.abspath(f.path) for f in report.findings if f.code == lint.SYNTAX_ERROR}
        looked = {os.path.abspath(path) for path in files} - unseen
        if self.check.stdin_source is not None:
            looked.add(os.path.abspath(self.check.stdin_source.path))
        folder = self.baseline.folder
        ran: dict[str, frozenset[str]] = {}

        def is_asked(entry: Entry) -> bool:
            if entry.path not in ran:
                path = os.path.join(folder, entry.path)
                rules = linter.rules(self.check.resolver.for_file(path), path)
                ran[entry.path] = frozenset(rule.code for rule in rules)
            return entry.code in ran[entry.path] or self.rules.find(entry.code) is None

        aside = Counter({entry: n for entry, n in self.baseline.entries.items() if not is_asked(entry)})
        outcome = Baseline(self.baseline.entries - aside, folder).compare(
            found, lambda path: os.path.abspath(os.path.join(folder, path)) in looked
        )
        outcome.baseline.entries += aside
        return outcome

    def _keep(self, outcome: Outcome) -> None:
        """Make the baseline shorter where findings are gone; with `--baseline-check` complain about them."""
        check = self.check
        if cache.RECORDER is not None:  # with the time before a change: a run that changes it is not repeated
            cache.RECORDER.depends_on([str(self.path)])
        shown = run.shown_path(str(self.path))
        if check.options["baseline_check"]:
            if outcome.stale:
                check.is_stale = True
                self._complain(shown, outcome)
        elif outcome.baseline.entries != self.baseline.entries and self._may_write():
            try:
                fixing.write_atomically(self.path, outcome.baseline.text().encode())
            except OSError:  # whoever may not write it can still read it
                return
            self.baseline = outcome.baseline
            if outcome.stale and not check.options["quiet"] and not check.options["silent"]:
                output.remark(f"{shown}: {counted(outcome.stale, 'known finding')} mended and taken out")

    def _may_write(self) -> bool:
        is_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
        return not (is_ci or self.check.is_stdin or self.check.options["diff"])

    def _complain(self, shown: str, outcome: Outcome) -> None:
        if self.check.options["silent"]:
            return
        output.complain(
            f"{shown} is stale: {counted(outcome.stale, 'known finding')} gone; "
            "run pitfall-lint outside of CI and commit the file"
        )
        for entry, count in sorted(outcome.gone.items())[:_LISTED]:
            times = f" ({count} times)" if count > 1 else ""
            click.echo(f"  {entry.code} {entry.path}::{entry.definition}{times}", err=True)
        if len(outcome.gone) > _LISTED:
            click.echo(f"  … and {len(outcome.gone) - _LISTED} more", err=True)

    def _only_new(self, found: Pairs, linter: run.Linter) -> Pairs:
        """Return the findings that the revision does not have: the same rules look at its text of those files."""
        assert self.since is not None
        if not found:
            return []
        before = linter.again(replace(self.check.task, fix=False), self.since.read)
        old: Pairs = []
        for path in dict.fromkeys(finding.path for finding, _ in found):
            data = self.since.read(os.path.abspath(path))
            if data is None:
                continue
            source, settings = Source(path, data), self.check.resolver.for_file(path)
            codes = {finding.code for finding, _ in found if finding.path == path}
            rules = [rule for rule in before.rules(settings, path) if rule.code in codes]
            awake = None
            if self.wanted:
                now = next(text for finding, text in found if finding.path == path)
                awake = before.wake(source, path)
                awake = narrowed(awake, source, self.wanted.get(os.path.abspath(path)), now)
                awake = replace(awake, rules=tuple(rule for rule in awake.rules if rule.code in codes))
            project = before.project(settings)
            said = list(
                lint.lint_with_facts(
                    source, rules, project, on_error=lambda error: None, syntax=False, awake=awake
                ).findings
            )
            if self.check.task.noqa:
                said = noqa.visible(source, said, rules)
            old += [(finding, source) for finding in said]
        outcome = Baseline.of(old, self.since.root).compare(found, lambda path: True)
        return _those(found, outcome.new)

    def _write_anew(self, report: run.Report, linter: run.Linter, files: Sequence[str]) -> None:
        """Make all findings known ones; those of files and rules that this run did not look at stay."""
        found = _pairs(report)
        outcome = self._compared(found, report, linter, files)
        written = outcome.baseline
        written.entries.update(self.baseline.entry(*pair) for pair in _those(found, outcome.new))
        try:
            fixing.write_atomically(self.path, written.text().encode())
        except OSError as error:
            raise click.ClickException(f"{self.path}: {error.strerror or error}") from None
        if self.check.options["quiet"] or self.check.options["silent"]:
            return
        shown = run.shown_path(str(self.path))
        places = counted(len({entry.path for entry in +written.entries}), "file")
        click.echo(f"Wrote {counted(len(written), 'known finding')} in {places} to {shown}.")
        if not self.check.settings.baseline:
            output.remark(f'put `baseline = "{self.path.name}"` into the settings, and every run leaves them out')


def _look_at(wanted: Mapping[str, tuple[int, ...] | None], files: Sequence[str], linter: run.Linter) -> run.Report:
    """Lint no more of some files than the definitions around the wanted lines."""
    report = run.Report(checked=len(files))
    for path in files:
        try:
            source = Source(run.shown_path(path), run.read(path))
            source.decoded()
            found = linter.check(source, path, narrowed(linter.wake(source, path), source, wanted[path]))
        except (OSError, SourceError):
            found = linter.check_file(path)  # which says what is wrong
        if found.speaks:
            report.files.append(found)
    return report


def _pairs(report: run.Report) -> Pairs:
    """Return the findings that can be known ones, each with its text: a syntax error never is."""
    return [
        (finding, file.source)
        for file in report.files
        if file.source is not None
        for finding in file.findings
        if finding.code != lint.SYNTAX_ERROR
    ]


def _those(found: Pairs, wanted: Iterable[Finding]) -> Pairs:
    ids = set(map(id, wanted))
    return [pair for pair in found if id(pair[0]) in ids]
