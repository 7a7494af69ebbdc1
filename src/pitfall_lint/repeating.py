"""What a run's answer depends on, so that the same run can be answered without being made again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pitfall_lint import catalog, config, discover, installed, run

_LISTED = (".toml", ".txt", ".lock", ".cfg", ".ini", ".in", ".gitignore")


def inputs(
    paths: Iterable[str],
    files: Sequence[str],
    found: discover.Found,
    settings: config.Settings,
    report: run.Report,
) -> Iterator[str]:
    """Yield every path whose content, entries or absence a run depended on; some more do no harm."""
    yield from map(os.path.abspath, files)
    yield from found.folders
    yield from found.files
    yield from config.FILES_READ
    yield from settings.libraries
    root = settings.root if settings.file else ""
    yield from map(str, (*installed.site_folders(root), *installed.row_files(root)))
    yield from report.used
    yield from own_files()
    for path in dict.fromkeys(paths):
        absolute = os.path.abspath(path)
        yield absolute
        yield from _above(absolute)


def _above(path: str) -> Iterator[str]:
    """Yield what may hold settings, ignore patterns or versions in the folders above a path."""
    in_repository = discover.is_in_repository(path)
    while (parent := os.path.dirname(path)) != path:
        path = parent
        yield from (os.path.join(path, name) for name in config.FILES)
        if in_repository:
            yield path
            try:
                yield from (entry.path for entry in os.scandir(path) if entry.name.endswith(_LISTED))
            except OSError:
                continue
            in_repository = not os.path.lexists(os.path.join(path, ".git"))


def own_files() -> Iterator[str]:
    """Yield the files of the linter itself: its code and its catalogue."""
    for folder in (Path(__file__).parent, catalog.rules_folder()):
        for top, names, files in os.walk(folder):
            names[:] = [name for name in names if name != "__pycache__"]
            yield from (os.path.join(top, name) for name in files if name.endswith((".py", ".toml", ".md")))
