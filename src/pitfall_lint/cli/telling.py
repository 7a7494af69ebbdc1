"""`--why FILE:LINE`: the line, what is believed of it, what each rule made of it, and what silences it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pitfall_lint import catalog, config, run
from pitfall_lint.baseline import Baseline, BaselineError
from pitfall_lint.cli import output
from pitfall_lint.finding import Finding
from pitfall_lint.reporters import Style
from pitfall_lint.reporters.frame import bar, frame, header
from pitfall_lint.reporters.paint import columns, harmless, one_line, paint, severity_color, wrapped
from pitfall_lint.reporters.place import Place
from pitfall_lint.source import Source, SourceError
from pitfall_lint.suppressions import Suppressions
from pitfall_lint.why import Belief, Looked, why

if TYPE_CHECKING:
    from pitfall_lint.cli.check import _Run

_WIDEST = 34
"""Columns of an expression in the list of beliefs."""


def tell(check: _Run, linter: run.Linter, rules: catalog.Catalog) -> int:
    """Print why a line is reported or not, and exit with 0. Raises click.UsageError, click.ClickException."""
    path, line = _place(check.options["why"])
    try:
        source = Source(run.shown_path(path), run.read(path))
        source.decoded()
    except (OSError, SourceError) as error:
        raise click.ClickException(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if not 1 <= line <= len(source.lines):
        raise click.ClickException(f"{path}: has {len(source.lines)} lines, so there is no line {line}")
    settings = check.resolver.for_file(path)
    held = _Held(source, settings, rules, check)
    chosen = rules.select(settings.select, settings.ignore, settings.extend_select, settings.extend_ignore)
    report = why(source, line, chosen, linter.project(settings))
    style = output.style_for(sys.stdout, check.options["color"], True)
    output.write(_frame(source, line, style), sys.stdout)
    output.write(_beliefs(report.definition, report.beliefs, style), sys.stdout)
    output.write(_rules(report.rules, source, held, style), sys.stdout)
    output.write(_rest(report.errors, chosen, report.rules, settings, style), sys.stdout)
    return 0


def _place(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.+?):(\d+)(?::\d+)?:?", text)
    if match is None:
        raise click.UsageError(f"--why {text}: write FILE:LINE, as in src/app.py:12")
    return match[1], int(match[2])


def _frame(source: Source, line: int, style: Style) -> Iterator[str]:
    gutter = len(str(line + 2))
    text = source.line_text(line)
    start = len(text) - len(text.lstrip())
    yield header(source.path, line, start + 1, gutter, style)
    yield bar(gutter, style)
    yield from frame(source, Place(line, start + 1, line, len(text) + 1), gutter, style, color="blue")
    yield bar(gutter, style)


def _beliefs(definition: str, beliefs: list[Belief], style: Style) -> Iterator[str]:
    yield f"\n{paint('What is believed', 'bold', style)}: it {_ran(definition)}\n"
    if not beliefs:
        yield "  nothing: no rule reads this line, or no expression begins on it\n"
    width = min(max((columns(one_line(b.text)) for b in beliefs), default=0), _WIDEST)
    for belief in beliefs:
        text = one_line(belief.text)
        name = belief.name if belief.name != belief.text and belief.name not in belief.holds else ""
        holds = belief.holds if belief.holds != belief.text else belief.name and "known by this name"
        said = f"{holds}, named {name}" if name and holds else holds or name
        gap = " " * (width - columns(text) + 2) if columns(text) <= width else f"\n{' ' * (width + 4)}"
        yield f"  {paint(text, 'cyan', style)}{gap}{wrapped(harmless(said), style, width + 4)}\n"


def _ran(definition: str) -> str:
    return definition if definition.startswith("runs") else f"stands {definition}"


def _rules(looked: list[Looked], source: Source, held: _Held, style: Style) -> Iterator[str]:
    speaking = [each for each in looked if each.findings]
    yield f"\n{paint('Rules that speak', 'bold', style)}{'' if speaking else ': none'}\n"
    for each in speaking:
        for finding in (replace(finding, code=each.rule.code) for finding in each.findings):
            line = source.position(finding.span.start)[0]
            yield _rule(each.rule, finding.message, style)
            for reason in held.by(finding, line):
                yield f"         {paint('but', 'yellow', style)} {wrapped(harmless(reason), style, 13)}\n"
        for asked in each.asked:
            if asked.startswith("it speaks, but"):
                yield f"         {wrapped(harmless(asked), style, 9)}\n"
    silent = [each for each in looked if not each.findings]
    yield f"\n{paint('Rules that looked and stay silent', 'bold', style)}{'' if silent else ': none'}\n"
    for each in silent:
        yield _rule(each.rule, each.rule.name, style)
        for asked in each.asked:
            yield f"         {paint('·', 'dim', style)} {wrapped(harmless(asked), style, 11)}\n"


def _rule(rule: catalog.Rule, text: str, style: Style) -> str:
    code = paint(rule.code, severity_color(rule.severity), style)
    return f"  {code} {wrapped(one_line(text), style, 9)}\n"


def _rest(
    errors: list[str],
    chosen: tuple[catalog.Rule, ...],
    looked: list[Looked],
    settings: config.Settings,
    style: Style,
) -> Iterator[str]:
    heard = {each.rule.code for each in looked}
    others = sum(rule.code not in heard and not rule.is_built_in for rule in chosen)
    where = run.shown_path(settings.file) if settings.file else "no settings file"
    text = f"The other {others} rules that run here asked nothing about this line. Settings: {where}."
    yield f"\n{wrapped(text, style, 0)}\n"
    for error in errors:
        yield f"{paint('error', 'red', style)}: {wrapped(one_line(error), style, 2, 7)}\n"


class _Held:
    """What can hold a finding back: comments, `per-file-ignores`, the baseline."""

    def __init__(self, source: Source, settings: config.Settings, rules: catalog.Catalog, check: _Run) -> None:
        self.source = source
        self.settings = settings
        self.rules = rules
        self.comments = Suppressions(source)
        self.baseline: Baseline | None = None
        file = check.settings.baseline or settings.baseline
        if file and not check.options["no_baseline"]:
            try:
                self.baseline = Baseline.read(Path(file))
            except BaselineError as error:
                raise click.ClickException(str(error)) from None
        self.file = file

    def by(self, finding: Finding, line: int) -> Iterator[str]:
        """Yield what keeps a finding from being reported."""
        comment = self.comments.silencer(finding.code, line)
        if comment is not None:
            text = self.source.text(comment.span.start, comment.span.end)
            yield f"line {comment.line} silences it: {text}"
        path = os.path.abspath(self.source.path)
        for pattern, selectors in self.settings.per_file_ignores.items():
            one = config.ignored_in(path, replace(self.settings, per_file_ignores={pattern: selectors}))
            for selector in one:
                if any(rule.code == finding.code for rule in self.rules.matching(selector)[1]):
                    yield f'per-file-ignores leaves {selector} out here: "{run.shown_path(pattern)}"'
        if self.baseline is not None and finding.code:
            entry = self.baseline.entry(finding, self.source)
            if self.baseline.compare([(finding, self.source)], lambda path: True).known:
                yield (
                    f"{run.shown_path(self.file)} knows it: "
                    f"{entry.code} {entry.path}::{entry.definition} {entry.digest}"
                )
