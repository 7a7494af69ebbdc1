"""`pitfall-lint check`: the options, and the way from them to a report and an exit code."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from pitfall_lint import (
    cache,
    catalog,
    config,
    discover,
    grading,
    libraries,
    neighbours,
    remembering,
    repeating,
    run,
    timing,
)
from pitfall_lint.cli import nearest_command, output, show
from pitfall_lint.cli.options import check_options, overrides_of
from pitfall_lint.compiled import load_catalog
from pitfall_lint.reporters import Style, concise, reporter, summary
from pitfall_lint.source import Source

if TYPE_CHECKING:
    from concurrent.futures import Executor

_LOOKS = frozenset(
    {"output_format", "color", "quiet", "silent", "statistics", "exit_zero", "jobs", "output_file", "timing", "paths"}
)
"""Options that change how findings are shown, not which."""
_FOR_PEOPLE = ("full", "concise", "grouped")


@click.command("check", context_settings={"help_option_names": ["-h", "--help"]})
@check_options
def command(**options: Any) -> int:
    """Look for pitfalls in files and folders (default: the current folder); `-` reads standard input."""
    try:
        if options["timing"]:
            from pitfall_lint.cli import clocked

            return clocked.tell(lambda: _Run(options))
        return _Run(options).go()
    except (config.ConfigError, catalog.SelectorError, catalog.PageError, libraries.LibraryError) as error:
        raise click.ClickException(str(error)) from None


class _Run:
    """One run of `check`."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.resolver = config.Resolver(
            overrides_of(options),
            config=options["config_file"],
            isolated=options["isolated"],
        )
        self.paths: list[str] = list(options["paths"]) or ["."]
        self.is_stdin = "-" in self.paths
        first = options["stdin_filename"] or "-" if self.is_stdin else self.paths[0]
        self.settings = (
            self.resolver.for_file(first) if self.is_stdin or not _is_folder(first) else self.resolver.for_folder(first)
        )
        diff = options["diff"]
        self.task = run.Task(
            fix=self.settings.fix or self.settings.fix_only or diff,
            write=not diff,
            unsafe=self.settings.unsafe_fixes,
            noqa=not options["ignore_noqa"],
            debug=options["verbose"],
        )
        self.failed = False
        self.is_stale = False
        self.found = discover.Found([], [])
        self.stdin_source: Source | None = None
        self.report = run.Report()
        self.linted: list[str] = []

    def go(self) -> int:
        """Do what the options say and return the exit code."""
        if self.is_stdin and len(self.paths) > 1:
            raise click.UsageError("`-` reads standard input; name no other paths beside it")
        if self.options["show_settings"]:
            return show.settings(self.settings, self.paths[0])
        if self.options["show_files"]:
            for path in self.files():
                click.echo(path)
            return 2 if self.failed else 0
        if self.options["no_baseline"]:
            self.settings = dataclasses.replace(self.settings, baseline="")
        rules = load_catalog()
        linter = run.Linter(rules, self.resolver, self.task)
        self.check_selectors(rules)
        linter.rules(self.settings, "")  # selectors that stand for nothing end the run before it begins
        if self.options["add_noqa"] is not None:
            return self.silence(linter)
        if self.options["why"] is not None:
            from pitfall_lint.cli import telling

            return telling.tell(self, linter, rules)
        if self.options["watch"]:
            from pitfall_lint.cli import watching

            return watching.watch(self, linter, rules)
        if timing.CLOCK is not None:
            timing.CLOCK.become("rest")
        report = self.report = self.look(linter, rules)
        for file in report.files:
            for note in file.notes:
                output.remark(note)
            for error in file.errors:
                self.fail(error)
            if file.failure:
                self.fail(f"{file.path}: {file.failure}")
        if self.options["write_baseline"] is not None:
            return 2 if self.failed else 0
        with timing.stage("report"):
            self.tell(report, rules)
        return self.code(report)

    def check_selectors(self, rules: catalog.Catalog) -> None:
        """Complain of a selector that stands for nothing, by file and key where it comes from a settings file."""
        for key in ("select", "ignore", "extend_select", "extend_ignore"):
            for selector in getattr(self.settings, key) or ():
                try:
                    rules.matching(selector)
                except catalog.SelectorError as error:
                    if self.settings.file and selector not in (self.options.get(key) or ()):
                        where = f"{run.shown_path(self.settings.file)}: {key.replace('_', '-')}"
                        raise catalog.SelectorError(f"{where}: {error}") from None
                    raise

    def look(self, linter: run.Linter, rules: catalog.Catalog) -> run.Report:
        """Lint what the paths stand for, and leave out what is known already."""
        files = [] if self.is_stdin else self.files()
        if not files and not self.is_stdin and not self.failed and not self.options["quiet"]:
            output.remark(f"no Python files below {', '.join(self.paths)}")
        if not self.knows_some:
            return self.lint(linter, files)
        from pitfall_lint.cli.adopting import Adoption

        return Adoption(self, rules).look(linter, files)

    @property
    def knows_some(self) -> bool:
        """Whether there may be findings that are not to be reported because they are known."""
        options = self.options
        asked = options["since"] is not None or options["write_baseline"] is not None or options["baseline_check"]
        return bool(asked or self.settings.baseline)

    def files(self) -> list[str]:
        """Return the files to lint; what cannot be used is complained about."""
        errors: list[discover.DiscoverError] = []
        with timing.stage("discover"):
            found = list(discover.find(self.paths, self.resolver.for_folder, errors=errors, used=self.found))
        for error in errors:
            self.fail(f"{error}{nearest_command(str(error).partition(':')[0])}")
        return found

    def fail(self, message: str) -> None:
        """Complain and remember that the run could not be done as a whole."""
        self.failed = True
        if not self.options["silent"]:
            output.complain(message)

    def lint(self, linter: run.Linter, files: list[str]) -> run.Report:
        """Lint files, or standard input."""
        if self.is_stdin:
            return self.stdin(linter)
        self.linted = files
        progress = output.Progress(len(files), self.options["quiet"] or self.options["silent"])
        try:
            with timing.stage("cache"):
                remembers = cache.RECORDER is not None and linter.hide is None and not self.task.fix
                # Of files that are named one by one others are named the next time.
                named = not any(map(_is_folder, self.paths)) and len(files) < run.MANY
                memory = self.memory(files) if remembers and not named else None
                around = self.around(linter) if remembers and named else None
            with self.hired(files) as executor:
                report = run.lint_paths(
                    files, linter, progress, jobs=self.options["jobs"], memory=memory, executor=executor
                )
        except run.Unfit as error:
            raise click.ClickException(f"{self.options['executor']}: {error}") from None
        finally:
            progress.clear()
        if around is not None:
            with timing.stage("cache"):
                around.keep(linter, files)
        if cache.RECORDER is not None and not self.task.fix and linter.hide is None:
            with timing.stage("cache"):
                cache.RECORDER.texts = memory.texts if memory is not None else ""
                cache.RECORDER.depends_on(repeating.inputs(self.paths, files, self.found, self.settings, report))
                if not report.files and len(files) < run.MANY and self.settings.output_format in _FOR_PEOPLE:
                    is_fixed = bool(self.options["isolated"] or self.options["config_file"])
                    cache.RECORDER.glance = repeating.glancer(cache.RECORDER, files, linter, self.settings, is_fixed)
        return report

    def hired(self, files: list[str]) -> contextlib.AbstractContextManager[Executor | None]:
        """Return who does the closer looks, when it is not this machine. Raises click.ClickException."""
        if self.options["executor"] is None or self.task.fix or not files:
            return contextlib.nullcontext()
        from pitfall_lint.cli import hiring

        return hiring.hired(self.options["executor"])

    def memory(self, files: list[str]) -> remembering.Memory:
        """Return what earlier runs like this one found in each file."""
        return remembering.Memory((*self._conditions(), self.paths), self._inputs(), files)

    def around(self, linter: run.Linter) -> neighbours.Neighbours:
        """Return what earlier runs learnt of the modules around, and have it believed."""
        found = neighbours.Neighbours(self._conditions(), self._inputs())
        linter.believe(found.passed_on, found.read)
        return found

    def _conditions(self) -> tuple[object, ...]:
        looks = {key: value for key, value in self.options.items() if key not in _LOOKS}
        return os.getcwd(), sorted(map(repr, looks.items())), repr(self.settings), self.task

    def _inputs(self) -> list[str]:
        found = discover.Found([], self.found.files)
        inputs = repeating.inputs(self.paths, (), found, self.settings, run.Report())
        named = {os.path.abspath(path) for path in self.paths}
        return [path for path in inputs if path not in named and not os.path.isdir(path)]

    def silence(self, linter: run.Linter) -> int:
        """Write `# noqa` comments where findings are."""
        from pathlib import Path

        from pitfall_lint.baseline import Baseline, BaselineError
        from pitfall_lint.cli import silencing

        if self.is_stdin or self.task.fix:
            raise click.UsageError("--add-noqa works on files, and not together with --fix or --diff")
        known = self.settings.baseline
        if known:
            try:
                Baseline.read(Path(known))
            except BaselineError as error:
                raise click.ClickException(str(error)) from None
        silencing.add(linter, self.files(), self.options["add_noqa"], self.fail, self.options["quiet"], known)
        return 2 if self.failed else 0

    def stdin(self, linter: run.Linter) -> run.Report:
        """Lint standard input; with `--fix` the mended text goes to standard output."""
        source = self.stdin_source = self.stdin_source or self._read_stdin()
        file = linter.check(source)
        if linter.mends and self.task.write:
            sys.stdout.flush()
            sys.stdout.buffer.write((file.source or source).data)
            sys.stdout.buffer.flush()
        return run.Report([file] if file.speaks else [], 1)

    def _read_stdin(self) -> Source:
        if sys.stdin is None:
            raise click.ClickException("standard input is closed")
        try:
            return Source(self.options["stdin_filename"] or "-", sys.stdin.buffer.read())
        except (OSError, ValueError) as error:
            raise click.ClickException(f"standard input: {error}") from None

    def tell(self, report: run.Report, rules: catalog.Catalog) -> None:
        """Write the report where it belongs."""
        if self.options["silent"]:
            return
        path = self.options["output_file"]
        if path is None:
            # What was mended on its way through a pipe owns standard output.
            mended = self.is_stdin and self.task.fix and self.task.write
            self.write(report, rules, sys.stderr if mended else sys.stdout)
            return
        try:
            with open(path, "w", encoding="utf-8", errors="backslashreplace") as stream:
                self.write(report, rules, stream)
        except OSError as error:
            raise click.ClickException(f"{path}: {error.strerror}") from None

    def write(self, report: run.Report, rules: catalog.Catalog, stream: TextIO) -> None:
        """Write the report to a stream in the wanted form."""
        style = output.style_for(stream, self.options["color"], self.task.unsafe)
        people = self.settings.output_format in _FOR_PEOPLE
        if self.options["diff"]:
            output.write(show.diffs(report, style), stream)
            if not self.options["quiet"]:
                errors = output.style_for(sys.stderr, self.options["color"], self.task.unsafe)
                output.write(show.stays(report, rules, errors), sys.stderr)
        elif self.options["statistics"]:
            output.write(show.statistics(report, rules, style, self.settings.output_format), stream)
        elif self.settings.fix_only:
            if not self.options["quiet"]:
                output.write(show.only_fixed(report), stream)
        elif people and self.options["quiet"]:
            output.write(_without_summary(report, rules, style, self.settings.output_format), stream)
        else:
            output.write(reporter(self.settings.output_format)(report, rules, style), stream)
        if self.settings.show_fixes and people and not self.options["diff"]:
            output.write(summary.fixed_list(report, rules), stream)

    def code(self, report: run.Report) -> int:
        """Return the exit code: 2 for what could not be done, 1 for what is left, 0 when all is well."""
        if self.failed:
            return 2
        if self.options["exit_zero"]:
            return 0
        if self.is_stale:
            return 1
        if report.fixed and (self.options["exit_non_zero_on_fix"] or self.options["diff"]):
            return 1
        if self.settings.fix_only:
            return 0
        return 1 if any(grading.counts(f, self.settings.fail_on) for f in report.findings) else 0


def _is_folder(path: str) -> bool:
    import os

    return os.path.isdir(path)


def _without_summary(report: run.Report, rules: catalog.Catalog, style: Style, name: str) -> Any:
    pieces = concise.lines(report, rules, style) if name == "concise" else reporter(name)(report, rules, style)
    closing = set(summary.summary(report, style))
    return (piece for piece in pieces if piece not in closing)
