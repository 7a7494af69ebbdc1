"""`--add-noqa`: writes the comments that silence what is found today."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from pitfall_lint import baseline, fixing, noqa, run
from pitfall_lint.lint import SYNTAX_ERROR


def add(
    linter: run.Linter,
    files: Iterable[str],
    reason: str,
    fail: Callable[[str], None],
    quiet: bool = False,
    known: str = "",
) -> None:
    """Silence every finding of these files on its line; `fail` hears what could not be done.

    What the baseline file `known` has is silent already, and gets no comment.
    """
    count, changed = 0, 0
    for path in files:
        report = linter.check_file(path)
        for error in (*report.errors, *([report.failure] if report.failure else [])):
            fail(f"{report.path}: {error}" if report.failure else error)
        source = report.source
        if source is None:
            continue
        if any(finding.code == SYNTAX_ERROR for finding in report.findings):
            fail(f"{report.path}: has a syntax error and is left alone")
            continue
        findings = list(report.findings)
        softened = baseline.softened(findings, source, known) if known else findings
        wanted = [
            finding
            for finding, soft in zip(findings, softened, strict=True)
            if finding is soft and finding.code != noqa.UNUSED
        ]
        edits = noqa.silence(source, wanted, " ".join(reason.split()))
        if not edits:
            continue
        try:
            fixing.write_atomically(Path(path), fixing.splice(source, edits).data)
        except (OSError, fixing.FixError) as error:
            fail(f"{report.path}: {error}")
            continue
        count, changed = count + len(edits), changed + 1
    if not quiet:
        lines = "comment" if count == 1 else "comments"
        click.echo(f"Added {count} `noqa` {lines} in {changed} file{'' if changed == 1 else 's'}.")
