"""Settings: `[tool.pitfall-lint]` of the closest pyproject.toml, or a pitfall-lint.toml beside it."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pitfall_lint.patterns import matches

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILES = (".pitfall-lint.toml", "pitfall-lint.toml", "pyproject.toml")
FORMATS = (
    *("full", "concise", "grouped", "json", "json-lines", "github", "gitlab"),
    *("sarif", "junit", "rdjson"),
)
SEVERITIES = ("error", "warning", "hint")
EXCLUDED = (
    *(".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox"),
    *(".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode"),
    *("__pypackages__", "_build", "buck-out", "dist", "node_modules", "site-packages", "venv"),
)


class ConfigError(ValueError):
    """Settings cannot be used; the message names the file, the key and what is wanted."""


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ConfigError("a list of strings")
    return tuple(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError("a string")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError("true or false")
    return value


def _lists(value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict) or not all(isinstance(item, (list, tuple)) for item in value.values()):
        raise ConfigError("a table of lists of strings")
    return {key: _strings(item) for key, item in value.items()}


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ConfigError("a table of strings")
    return dict(value)


def _severities(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(item in SEVERITIES for item in value.values()):
        raise ConfigError(f"a table of rules, each one of {', '.join(SEVERITIES)}")
    return dict(value)


def _fail_on(value: Any) -> str:
    if value not in SEVERITIES[:2]:
        raise ConfigError("error or warning")
    return str(value)


def _format(value: Any) -> str:
    if value not in FORMATS:
        raise ConfigError(f"one of {', '.join(FORMATS)}")
    return str(value)


def _python(value: Any) -> str:
    match = re.fullmatch(r"py(\d)(\d+)|(\d+)\.(\d+)", value) if isinstance(value, str) else None
    if match is None:
        raise ConfigError('a Python version like "py310" or "3.10"')
    return ".".join(part for part in match.groups() if part)


def setting(read: Callable[[Any], Any], default: Any, *, relative: bool = False, adds_to: str = "") -> Any:
    """Declare a setting: how its value is read, whether it holds paths, and the setting that it adds to."""
    metadata = {"read": read, "relative": relative, "adds_to": adds_to}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata, hash=False)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one file. A path pattern is absolute, or a bare name that any folder may have."""

    root: str = "."
    """The folder of the settings file: where relative paths start."""
    file: str = ""
    """The settings file; nothing when there is none."""
    select: tuple[str, ...] | None = setting(_strings, None)
    ignore: tuple[str, ...] = setting(_strings, ())
    extend_select: tuple[str, ...] = setting(_strings, ())
    extend_ignore: tuple[str, ...] = setting(_strings, ())
    per_file_ignores: dict[str, tuple[str, ...]] = setting(_lists, {}, relative=True)
    extend_per_file_ignores: dict[str, tuple[str, ...]] = setting(_lists, {}, relative=True, adds_to="per_file_ignores")
    severity: dict[str, str] = setting(_severities, {})
    fail_on: str = setting(_fail_on, "warning")
    baseline: str = setting(_string, "", relative=True)
    fixable: tuple[str, ...] = setting(_strings, ("ALL",))
    unfixable: tuple[str, ...] = setting(_strings, ())
    extend_safe_fixes: tuple[str, ...] = setting(_strings, ())
    extend_unsafe_fixes: tuple[str, ...] = setting(_strings, ())
    include: tuple[str, ...] = setting(_strings, ("*.py", "*.pyw"), relative=True)
    extend_include: tuple[str, ...] = setting(_strings, (), relative=True, adds_to="include")
    exclude: tuple[str, ...] = setting(_strings, EXCLUDED, relative=True)
    extend_exclude: tuple[str, ...] = setting(_strings, (), relative=True, adds_to="exclude")
    force_exclude: bool = setting(_boolean, False)
    respect_gitignore: bool = setting(_boolean, True)
    fix: bool = setting(_boolean, False)
    fix_only: bool = setting(_boolean, False)
    show_fixes: bool = setting(_boolean, False)
    unsafe_fixes: bool = setting(_boolean, False)
    output_format: str = setting(_format, "full")
    libraries: tuple[str, ...] = setting(_strings, (), relative=True)
    src: tuple[str, ...] = setting(_strings, (".", "src"), relative=True)
    versions: dict[str, str] = setting(_texts, {})
    target_version: str = setting(_python, "")
    required_version: str = setting(_string, "")
    cache_dir: str = setting(_string, "", relative=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings under the names that they have in a settings file."""
        return {key(name): getattr(self, name) for name in _FIELDS}


_PATHS = ("libraries", "src", "cache_dir", "baseline")
"""Settings that hold paths, not patterns."""
_FIELDS = {f.name: f for f in dataclasses.fields(Settings) if f.metadata}


def key(name: str) -> str:
    """Return what a field is called in a settings file."""
    return name.replace("_", "-")


def merge(base: Settings, table: Mapping[str, Any], folder: str, where: str) -> Settings:
    """Lay a table of settings over others; relative paths start at `folder`. Raises ConfigError.

    As with ruff a `select` here makes the selection below forgotten, while `ignore` alone adds to it.
    """
    names = {key(name): name for name in _FIELDS}
    values: dict[str, Any] = {}
    for spelled, raw in table.items():
        name = names.get(spelled)
        if name is None:
            raise ConfigError(f"{where}: unknown key {spelled!r}{_nearest(spelled, names)}")
        try:
            values[name] = _FIELDS[name].metadata["read"](raw)
        except ConfigError as error:
            raise ConfigError(f"{where}: {spelled} = {raw!r}: must be {error}") from None
        if _FIELDS[name].metadata["relative"] and values[name] != "":
            values[name] = _absolute(values[name], folder, is_pattern=name not in _PATHS)
    if "select" in values:
        base = dataclasses.replace(base, ignore=(), extend_select=(), extend_ignore=())
    for name in ("ignore", "extend_select", "extend_ignore"):
        if name in values:
            values[name] = (*getattr(base, name), *values[name])
    for name, f in _FIELDS.items():
        if (target := f.metadata["adds_to"]) and name in values:
            below, more = values.get(target, getattr(base, target)), values.pop(name)
            values[target] = {**below, **more} if isinstance(below, dict) else (*below, *more)
    return dataclasses.replace(base, **values)


def _absolute(value: Any, folder: str, is_pattern: bool) -> Any:
    if isinstance(value, dict):
        return {_absolute(item, folder, is_pattern): below for item, below in value.items()}
    if isinstance(value, tuple):
        return tuple(_absolute(item, folder, is_pattern) for item in value)
    if value.startswith("!"):
        return "!" + str(_absolute(value[1:], folder, is_pattern))
    if is_pattern:
        value = value.rstrip("/")
        if "/" not in value:
            return value
    return os.path.normpath(os.path.join(folder, os.path.expanduser(value))).replace(os.sep, "/")


def _nearest(word: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, list(known), 1, 0.5)
    return f", did you mean {near[0]!r}?" if near else ""


def ignored_in(path: str, settings: Settings) -> tuple[str, ...]:
    """Return the selectors that `per-file-ignores` takes away for an absolute path."""
    found: list[str] = []
    for pattern, selectors in settings.per_file_ignores.items():
        negated = pattern.startswith("!")
        if matches(path, (pattern.removeprefix("!"),)) != negated:
            found.extend(selectors)
    return tuple(found)


FILES_READ: set[str] = set()
"""The settings files that this process has read, for whoever must notice that one of them changes."""


def read(path: str) -> Mapping[str, Any]:
    """Return the tables of a settings file, with a pyproject's Python range. Raises ConfigError."""
    FILES_READ.add(path)
    try:
        with open(path, "rb") as stream:
            document = tomllib.load(stream)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: {reason}") from None
    return document


def parse(text: str, where: str) -> dict[str, Any]:
    """Return TOML as plain data. Raises ConfigError."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: {error}") from None


def table_of(document: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """Return our table of a settings file; None when a pyproject.toml has none. Raises ConfigError."""
    if os.path.basename(path) != "pyproject.toml":
        return dict(document)
    tools = document.get("tool", {})
    table = tools.get("pitfall-lint") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.pitfall-lint must be a table")
    return table


def minimum_python(document: Mapping[str, Any]) -> str:
    """Return the lowest Python that `project.requires-python` allows, as "3.10"; nothing when unknown."""
    project = document.get("project", {})
    wanted = project.get("requires-python", "") if isinstance(project, dict) else ""
    found = re.findall(r"(?:>=|~=|==|>)\s*(\d+\.\d+)", wanted) if isinstance(wanted, str) else []
    return min(found, key=lambda text: [int(part) for part in text.split(".")]) if found else ""


def load(path: str, seen: tuple[str, ...] = ()) -> Settings | None:
    """Read one settings file and what it extends; None when it does not speak of us. Raises ConfigError."""
    path = os.path.abspath(path)
    if path in seen:
        raise ConfigError(f"{path}: the files extend each other in a circle")
    document = read(path)
    table = table_of(document, path)
    if table is None and not seen:
        return None
    table, folder = dict(table or {}), os.path.dirname(path)
    base = Settings(root=folder, file=path)
    base = dataclasses.replace(base, src=_absolute(base.src, folder, is_pattern=False))
    if extended := table.pop("extend", None):
        if not isinstance(extended, str):
            raise ConfigError(f"{path}: extend = {extended!r}: must be the path of a settings file")
        try:
            below = load(os.path.join(folder, os.path.expanduser(extended)), (*seen, path))
        except ConfigError as error:
            raise ConfigError(f"{path}: extend: {error}") from None
        base = dataclasses.replace(below or base, root=folder, file=path)
    if python := minimum_python(document):
        base = dataclasses.replace(base, target_version=python)
    settings = merge(base, table, folder, path)
    _check_version(settings)
    return settings


def _check_version(settings: Settings) -> None:
    if not settings.required_version:
        return
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    from pitfall_lint import __version__

    wanted = settings.required_version
    try:
        fits = SpecifierSet(wanted if re.match(r"\s*[<>=!~]", wanted) else f"=={wanted}").contains(__version__, True)
    except InvalidSpecifier:
        raise ConfigError(f"{settings.file}: required-version = {wanted!r}: must be a version specifier") from None
    if not fits:
        raise ConfigError(f"{settings.file}: required-version {wanted!r} does not allow pitfall-lint {__version__}")


class Resolver:
    """Gives each file the settings of the closest settings file, with the command line's laid over."""

    def __init__(
        self,
        overrides: Mapping[str, Any] | None = None,
        *,
        config: str | None = None,
        isolated: bool = False,
        folder: str | None = None,
    ) -> None:
        """`config` is the one file for all, `isolated` uses none, `folder` is where overrides start."""
        self._overrides = dict(overrides or {})
        self._folder = folder or os.getcwd()
        self._by_folder: dict[str, Settings] = {}
        self._fixed: Settings | None = None
        if isolated:
            self._fixed = self._overlay(self._none())
        elif config is not None:
            self._fixed = self._overlay(load(config) or self._none())

    def _none(self) -> Settings:
        settings = Settings(root=self._folder)
        return dataclasses.replace(settings, src=_absolute(settings.src, self._folder, is_pattern=False))

    def _overlay(self, settings: Settings) -> Settings:
        return merge(settings, self._overrides, self._folder, "command line")

    def for_file(self, path: str) -> Settings:
        """Return the settings of a file. Raises ConfigError."""
        return self.for_folder(os.path.dirname(os.path.join(self._folder, path)))

    def for_folder(self, folder: str) -> Settings:
        """Return the settings of the files that stand in a folder. Raises ConfigError."""
        if self._fixed is not None:
            return self._fixed
        folder = os.path.normpath(os.path.join(self._folder, folder))
        found = self._by_folder.get(folder)
        if found is None:
            found = self._by_folder[folder] = self._find(folder)
        return found

    def _find(self, folder: str) -> Settings:
        for name in FILES:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (settings := load(path)) is not None:
                return self._overlay(settings)
        parent = os.path.dirname(folder)
        return self.for_folder(parent) if parent != folder else self._overlay(self._none())
