"""Where a finding stands, in the lines and columns that people and other tools count in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from pitfall_lint.finding import Finding, Span
from pitfall_lint.run import FileReport, Report
from pitfall_lint.source import Source


@dataclass(frozen=True, slots=True)
class Place:
    """A range in 1-based lines and columns; the end is the column after the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


def place_of(source: Source, span: Span) -> Place:
    """Return the lines and columns of a range of bytes."""
    return Place(*source.position(span.start), *source.position(max(span.start, span.end)))


def placed(report: Report) -> Iterator[tuple[FileReport, Source, Finding, Place]]:
    """Yield every finding with its file, text and place."""
    for file in report.files:
        source = file.source or Source(file.path, b"")
        for finding in file.findings:
            yield file, source, finding, place_of(source, finding.span)


def absolute(path: str) -> str:
    """Return the path as tools want it: absolute, with slashes; standard input's `-` stays."""
    return path if path == "-" else os.path.abspath(path).replace(os.sep, "/")


def uri(path: str) -> str:
    """Return the path as a file URI."""
    from pathlib import Path

    return Path(os.path.abspath(path)).as_uri()
