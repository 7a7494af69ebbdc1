"""Whom a file is for: tests, examples, benchmarks and documentation run on their developers' machines only."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pitfall_lint.finding import Finding
    from pitfall_lint.semantic.file import File

_FOLDERS = frozenset(
    {"test", "tests", "testing", "example", "examples", "samples", "docs", "doc", "tutorials", "benchmark"}
    | {"benchmarks", "integration_tests", "e2e"}
)
_NAMES = re.compile(r"(?:test_.*|.*_tests?|test_utils|conftest|benchmark_.*|.*_benchmark)\.py")


def is_for_developers(file: File) -> bool:
    """Tell, by its path below the project's root, whether a file is no part of what users run."""
    folders, name = _place(file)
    return _NAMES.fullmatch(name) is not None or not _FOLDERS.isdisjoint(folders)


def is_test(file: File) -> bool:
    """Tell, by its path below the project's root, whether a file belongs to the tests."""
    folders, name = _place(file)
    return is_for_developers(file) and any("test" in part for part in (*folders, name))


def _place(file: File) -> tuple[list[str], str]:
    path, root = file.path, file.project.root
    if root is not None and path.startswith(root.rstrip(os.sep) + os.sep):
        *folders, name = os.path.relpath(path, root).split(os.sep)
        return folders, name
    return [], os.path.basename(path)


def for_users(file: File, finding: Finding) -> Finding:
    """Return a finding about the users' surroundings; strict in a file that only developers run."""
    return replace(finding, strict=finding.strict or is_for_developers(file))
