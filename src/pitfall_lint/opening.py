"""Opens the project of some settings: library rows from everywhere, and what is known about versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pitfall_lint import catalog, config, installed, libraries
from pitfall_lint.compiled import load_libraries
from pitfall_lint.semantic.project import Project


def open_project(settings: config.Settings, known: dict[tuple[str, ...], libraries.Libraries] | None = None) -> Project:
    """Return the project of some settings; `known` keeps library rows between calls. Raises LibraryError."""
    known = {} if known is None else known
    shipped = installed.row_files(settings.root if settings.file else "")
    key = (*settings.libraries, *map(str, shipped))
    if key not in known:
        known[key] = _rows(shipped, [Path(path) for path in settings.libraries])
    return Project(
        known[key],
        root=settings.root,
        source_roots=settings.src,
        allows=_versions(settings),
    )


def _rows(shipped: tuple[Path, ...], own: list[Path]) -> libraries.Libraries:
    """Return all rows; a package's file that this version can't read is left out: its user can't mend it."""
    try:
        return load_libraries([*catalog.library_files(), *shipped, *own])
    except libraries.LibraryError:
        if not shipped:
            raise
    return load_libraries([*catalog.library_files(), *filter(_is_good, shipped), *own])


def _is_good(path: Path) -> bool:
    try:
        libraries.load([path])
    except libraries.LibraryError:
        return False
    return True


def _versions(settings: config.Settings) -> Callable[[str, str, str], bool | None]:
    """Return the question whether a project's versions lie in a range; nothing is read before it is asked."""
    answer: Callable[[str, str, str], bool | None] | None = None

    def allows(distribution: str, specifier: str, path: str) -> bool | None:
        nonlocal answer
        if answer is None:
            from pitfall_lint import versions

            answer = versions.answerer(Path(settings.root) if settings.file else None, settings.versions)
        return answer(distribution, specifier, path)

    return allows
