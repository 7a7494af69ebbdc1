"""`--watch`: stays, and looks again at what changed and at what may depend on it."""

from __future__ import annotations

import os
import re
import sys
import time
from typing import TYPE_CHECKING

import click

from pitfall_lint import catalog, config, run
from pitfall_lint.libraries import LibraryError

if TYPE_CHECKING:
    from pitfall_lint.cli.check import _Run

MISSING = "--watch needs the extra `watch`: pip install 'pitfall-lint[watch]'"


def watch(check: _Run, linter: run.Linter, rules: catalog.Catalog) -> int:
    """Run until somebody stops it. Raises click.ClickException when the extra is missing."""
    try:
        import watchfiles
    except ImportError:
        raise click.ClickException(MISSING) from None
    if check.is_stdin:
        raise click.UsageError("--watch needs files and folders")
    roots = [os.path.abspath(path) for path in check.paths if os.path.exists(path)]
    if not roots:
        raise click.ClickException(f"{check.paths[0]}: no such file or folder")
    watcher = Watch(check, linter, rules)
    watcher.everything()
    for changes in watchfiles.watch(*roots, *_settings_folders(check), raise_interrupt=False, debounce=200):
        paths = {os.path.abspath(path) for _, path in changes}
        if any(_is_settings(path) for path in paths):
            watcher.restart()
        elif python := {path for path in paths if path.endswith((".py", ".pyw"))}:
            watcher.again(python)
    return 0


def _settings_folders(check: _Run) -> list[str]:
    return [os.path.dirname(check.settings.file)] if check.settings.file else []


def _is_settings(path: str) -> bool:
    name = os.path.basename(path)
    return name in config.FILES or name.endswith((".toml", ".lock")) or name.startswith("requirements")


class Watch:
    """What is known of each file between two looks."""

    def __init__(self, check: _Run, linter: run.Linter, rules: catalog.Catalog) -> None:
        self.check = check
        self.linter = linter
        self.rules = rules
        self.reports: dict[str, run.FileReport] = {}
        self.files: list[str] = []

    def everything(self) -> None:
        """Look at all files."""
        self.files = self.check.files()
        self.reports = {}
        self._look(self.files)

    def restart(self) -> None:
        """Read the settings anew and look at all files; settings that can't be used are complained about."""
        from pitfall_lint.cli.check import _Run

        try:
            check = _Run(self.check.options)
            linter = run.Linter(self.rules, check.resolver, check.task)
            linter.rules(check.settings, "")
        except (config.ConfigError, catalog.SelectorError, LibraryError) as error:
            self.check.fail(str(error))
            return
        self.check, self.linter = check, linter
        self.everything()

    def again(self, changed: set[str]) -> None:
        """Look at what changed, and at files in which the changed modules' names stand."""
        self.files = self.check.files()
        names = {os.path.splitext(os.path.basename(path))[0] for path in changed}
        names |= {os.path.basename(os.path.dirname(path)) for path in changed if path.endswith("__init__.py")}
        pattern = re.compile(rb"(?<!\w)(?:" + b"|".join(re.escape(n.encode()) for n in sorted(names)) + rb")(?!\w)")
        self.linter.forget(changed)
        self._look([path for path in self.files if os.path.abspath(path) in changed or _mentions(path, pattern)])

    def _look(self, paths: list[str]) -> None:
        started = time.perf_counter()
        for path in paths:
            self.reports[path] = self.linter.check_file(path)
        known = [self.reports[path] for path in self.files if path in self.reports]
        report = run.Report([each for each in known if each.speaks], len(known))
        if self.check.knows_some:
            from pitfall_lint.cli.adopting import Adoption

            report = Adoption(self.check, self.rules).filtered(report, self.linter, self.files)
        if sys.stdout.isatty():
            click.clear()
        for file in report.files:
            for error in file.errors:
                self.check.fail(error)
            if file.failure:
                self.check.fail(f"{file.path}: {file.failure}")
        self.check.tell(report, self.rules)
        took = time.perf_counter() - started
        click.echo(f"Looked at {len(paths)} of {len(self.files)} files in {took:.2f} s; waiting for changes …")
        sys.stdout.flush()


def _mentions(path: str, pattern: re.Pattern[bytes]) -> bool:
    try:
        with open(path, "rb") as stream:
            return pattern.search(stream.read()) is not None
    except OSError:
        return False
