"""What a run's answer depends on, so that the same run can be answered without being made again."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from pitfall_lint import cache, catalog, config, discover, glance, installed, run
from pitfall_lint.screening import screen_for
from pitfall_lint.semantic import joints

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
    yield from _conditions(settings)
    yield from report.used
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


def glancer(
    recorder: cache.Recorder, files: Sequence[str], linter: run.Linter, settings: config.Settings, is_fixed: bool
) -> Callable[[str], None] | None:
    """Return what keeps, when a run turns out clean, what a glance has to know; None where it could not be right.

    `is_fixed` says that no file has settings of its own.
    """
    options, named = glance.split(recorder.arguments)
    name = glance.record_name(options, sys.stdout, sys.stderr) if named else None
    if name is None or any(linter.settings(path) != settings for path in files):
        return None
    bare = dataclasses.replace(settings, per_file_ignores={}) if settings.per_file_ignores else settings
    screen = screen_for(linter.rules(bare, ""), linter.project(settings).libraries)
    if screen.always or screen.joined_all:
        return None

    def keep(printed: str) -> None:
        if re.sub(r"\x1b\[[\d;]*m", "", printed) not in ("", "All checks passed!\n"):
            return
        read = [path for path in config.FILES_READ if path != settings.file]
        glance.keep(
            name,
            printed,
            _conditions(settings),
            words=screen.telling,
            needles=joints.NEEDLES if screen.joined else (),
            settings="" if is_fixed else settings.file,
            skipped=[path for path in read if config.table_of(config.read(path), path) is None],
            names=() if is_fixed else config.FILES,
            roots=(settings.root, os.path.join(settings.root, "src"), *settings.src),
        )

    return keep


def _conditions(settings: config.Settings) -> Iterator[str]:
    """Yield what every run with some settings depends on."""
    root = settings.root if settings.file else ""
    yield from config.FILES_READ
    yield from settings.libraries
    yield from map(str, (*installed.site_folders(root), *installed.row_files(root)))
    yield from own_files()
