"""What `check` prints beside reports: settings, diffs and what stays, statistics."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import chain

import click

from pitfall_lint.catalog import Catalog
from pitfall_lint.config import Settings
from pitfall_lint.reporters import Style, concise
from pitfall_lint.reporters.paint import harmless, paint
from pitfall_lint.reporters.summary import counted, is_fixable, summary
from pitfall_lint.run import Report

_DIFF = {"+": "green", "-": "red", "@": "cyan"}


def settings(found: Settings, path: str) -> int:
    """Print the settings of a path as TOML, and where they come from."""
    click.echo(f"# settings of {path}")
    click.echo(f"# from {found.file or 'no settings file: defaults and the command line'}")
    for key, value in found.as_dict().items():
        if value is None:
            click.echo(f"# {key} = the default set")
        else:
            click.echo(f"{key} = {_toml(value)}")
    return 0


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def diffs(report: Report, style: Style) -> Iterator[str]:
    """Yield the unified diffs of the files that would change."""
    from pitfall_lint import fixing

    for file in report.files:
        if file.before is None or file.source is None:
            continue
        for line in fixing.diff(file.before, file.source).splitlines(keepends=True):
            if style.color:
                is_name = line.startswith(("---", "+++"))
                yield paint(line.rstrip("\n"), "bold" if is_name else _DIFF.get(line[0], ""), style) + "\n"
            else:
                yield line


def stays(report: Report, rules: Catalog, style: Style) -> Iterator[str]:
    """Yield the findings that `--fix` would leave, and the sum of both."""
    left = report.findings
    if left:
        yield "Would stay:\n"
        yield from ("  " + line for line in concise.lines(report, rules, style))
    fixed = sum(report.fixed.values())
    if fixed or left:
        unsafe = sum(finding.fix is not None and not is_fixable(finding, style) for finding in left)
        hint = f" ({unsafe} of them with `--unsafe-fixes`)" if unsafe else ""
        yield f"Would fix {counted(fixed, 'finding')}; {len(left)} would stay{hint}.\n"
    else:
        yield from summary(report, style)


def only_fixed(report: Report) -> Iterator[str]:
    """Yield how many findings were mended."""
    fixed = sum(report.fixed.values())
    if fixed:
        yield f"Fixed {counted(fixed, 'finding')}.\n"


def statistics(report: Report, rules: Catalog, style: Style, form: str) -> Iterator[str]:
    """Yield the number of findings of each rule, most frequent first; JSON for `--output-format json`."""
    counts = Counter(finding.code for finding in report.findings)
    easy = Counter(finding.code for finding in report.findings if is_fixable(finding, style))
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    names = {code: (rule.name if (rule := rules.find(code)) else "") for code in counts}
    if form == "json":
        data = [
            {
                "code": code,
                "name": names[code],
                "count": number,
                "fixable": easy[code] == number,
                "fixable_count": easy[code],
            }
            for code, number in rows
        ]
        yield json.dumps(data, indent=2) + "\n"
        return
    width = max(map(len, map(str, counts.values())), default=1)
    for code, number in rows:
        mark = "*" if easy[code] == number else "-" if easy[code] else " "
        star = f"[{paint(mark, 'cyan', style) if mark != ' ' else mark}]"
        yield f"{str(number).rjust(width)}  {paint(code, 'red', style)}  {star} {harmless(names[code])}\n"
    yield from chain(summary(report, style))
