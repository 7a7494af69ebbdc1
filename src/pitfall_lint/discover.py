"""Which files to look at: what was named, and what lies below the folders that were named."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from pitfall_lint import ignoring, patterns
from pitfall_lint.config import FILES, Settings

_LITERAL = re.compile(r"[^*?\[\]{}!]+")
_TELLING = (".toml", ".txt", ".lock", ".cfg", ".ini", ".in")
"""Ends of the names of files that may hold settings or say which versions a project uses."""


class DiscoverError(OSError):
    """A path cannot be used; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an answer of `find` depended on, for whoever wants to know whether it still holds."""

    folders: list[str]
    """The folders that were listed."""
    files: list[str]
    """The ignore files that were looked for, whether they exist or not, and what may hold settings or versions."""


def find(
    paths: Iterable[str],
    settings_for: Callable[[str], Settings],
    *,
    errors: list[DiscoverError] | None = None,
    used: Found | None = None,
) -> Iterator[str]:
    """Yield the files that the paths stand for, each once: paths as they come, sorted below each folder.

    Files that are named are always taken, folders give what `include` lets through; with `force-exclude`
    exclusion counts for named paths, too. `settings_for` answers for an absolute folder. Links to folders are
    followed only when they are named, so that no circle is walked. What is missing, unreadable or no file
    goes to `errors`, and is raised as DiscoverError when there is no such list.
    """
    done: set[str] = set()
    problems: list[DiscoverError] = [] if errors is None else errors
    used = used if used is not None else Found([], [])
    for path in paths:
        for file in _below(path, settings_for, problems, used):
            key = os.path.abspath(file)
            if key not in done:
                done.add(key)
                yield file
        if errors is None and problems:
            raise problems[0]


def _below(
    path: str, settings_for: Callable[[str], Settings], errors: list[DiscoverError], used: Found
) -> Iterator[str]:
    absolute = os.path.abspath(path)
    try:
        is_folder = os.path.isdir(absolute)
        if not is_folder and not os.path.isfile(absolute):
            os.stat(absolute)
            raise DiscoverError(f"{path}: not a regular file or folder")
        settings = settings_for(absolute if is_folder else os.path.dirname(absolute))
        if settings.force_exclude and _is_excluded_above(absolute, settings, is_folder, used):
            return
    except DiscoverError as error:
        errors.append(error)
        return
    except OSError as error:
        errors.append(_problem(path, error))
        return
    except ValueError:  # a NUL in the name; ConfigError is one as well
        if "\0" not in path:
            raise
        errors.append(DiscoverError(f"{path!r}: not a path"))
        return
    if is_folder:
        shown = "" if path in ("", ".", os.curdir + os.sep) else os.path.join(os.path.normpath(path), "")
        yield from _Walk(settings_for, errors, used).walk(absolute, shown, settings)
    else:
        yield os.path.normpath(path)


def _problem(path: str, error: OSError) -> DiscoverError:
    return DiscoverError(f"{path}: {(error.strerror or str(error)).lower()}")


def is_excluded(path: str, settings: Settings) -> bool:
    """Tell whether an absolute path, or a folder around it, is excluded or ignored by git."""
    return _is_excluded_above(path, settings, False, Found([], []))


def _is_excluded_above(absolute: str, settings: Settings, is_folder: bool, used: Found) -> bool:
    """Tell whether a named path or a folder around it, up to the settings' root, is excluded."""
    excluded = _matcher(settings.exclude)
    root = settings.root if absolute.startswith(os.path.join(settings.root, "")) else os.path.dirname(absolute)
    chain, current = [absolute], os.path.dirname(absolute)
    while len(current) > len(root):
        chain.append(current)
        current = os.path.dirname(current)
    if any(excluded(os.path.basename(part), part) for part in chain):
        return True
    if not settings.respect_gitignore:
        return False
    for part in chain:
        rules = ignoring.around(part, used.files)
        if ignoring.ignores(rules, part.replace(os.sep, "/"), is_folder or part != absolute):
            return True
    return False


class _Walk:
    """One walk below one named folder."""

    def __init__(self, settings_for: Callable[[str], Settings], errors: list[DiscoverError], used: Found) -> None:
        self._settings_for = settings_for
        self._errors = errors
        self._used = used

    def walk(self, folder: str, shown: str, settings: Settings) -> Iterator[str]:
        """Yield the files below an absolute folder, named with `shown` in the place of the folder."""
        rules = ignoring.around(folder, self._used.files) if settings.respect_gitignore else ()
        stack: list[tuple[str, str, Settings, ignoring.Rules] | str] = [(folder, shown, settings, rules)]
        while stack:
            top = stack.pop()
            if isinstance(top, str):
                yield top
                continue
            # A file and a folder sort by their names, so the stack holds both.
            stack.extend(reversed(self._entries(*top)))

    def _entries(
        self, folder: str, shown: str, settings: Settings, rules: ignoring.Rules
    ) -> list[tuple[str, str, Settings, ignoring.Rules] | str]:
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self._errors.append(_problem(shown or folder, error))
            return []
        self._used.folders.append(folder)
        names = {entry.name for entry in entries}
        if not names.isdisjoint(FILES):
            settings = self._settings_for(folder)
        if settings.respect_gitignore:
            rules = ignoring.inside(folder, names, rules, self._used.files)
        included, excluded = _matcher(settings.include), _matcher(settings.exclude)
        found: list[tuple[str, str, Settings, ignoring.Rules] | str] = []
        for entry in entries:
            name, path = entry.name, os.path.join(folder, entry.name)
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                if not is_folder and (not included(name, path) or not entry.is_file()):
                    if name.endswith(_TELLING):
                        self._used.files.append(path)
                    continue
            except OSError:  # vanished, or a circle of links
                continue
            if excluded(name, path):
                continue
            if rules and ignoring.ignores(rules, path.replace(os.sep, "/"), is_folder):
                continue
            found.append((path, f"{shown}{name}{os.sep}", settings, rules) if is_folder else shown + name)
        return found


@lru_cache(maxsize=64)
def _matcher(wanted: tuple[str, ...]) -> Callable[[str, str], bool]:
    """Return a test of (name, absolute path) for patterns: bare names, `*.suffix`, and the rest as globs."""
    names = frozenset(pattern for pattern in wanted if "/" not in pattern and _LITERAL.fullmatch(pattern))
    suffixes = tuple(p[1:] for p in wanted if p[:2] == "*." and "/" not in p and _LITERAL.fullmatch(p[1:]))
    others = tuple(p for p in wanted if p not in names and not (p[:2] == "*." and p[1:] in suffixes))
    if not others:
        return lambda name, path: name in names or name.endswith(suffixes)
    return lambda name, path: name in names or name.endswith(suffixes) or patterns.matches(path, others)


def is_in_repository(path: str) -> bool:
    """Tell whether a folder above an absolute path, or the folder itself, is a git repository."""
    while True:
        if os.path.lexists(os.path.join(path, ".git")):
            return True
        parent = os.path.dirname(path)
        if parent == path:
            return False
        path = parent
