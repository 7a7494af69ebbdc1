"""Which versions of a distribution a project uses, read from its lock files and requirements; nothing is run.

A setting beats everything. Else the nearest folder that says anything wins, from the file's own up to the
project's root; in one folder lock files beat requirements files and declared ranges, which count together.
"""

from __future__ import annotations

import configparser
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pitfall_lint import ranges
from pitfall_lint.ranges import Range

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
_LARGEST = 64 * 1024 * 1024
_PACKAGE = re.compile(r"^\[\[packages?\]\]\s*$", re.M)
_KEY = re.compile(r"^(name|version)\s*=\s*[\"']([^\"']+)[\"']", re.M)

Found = tuple[str, Range, str]
"""Canonical distribution name, the range that is allowed, and the file that says so."""


@dataclass(frozen=True, eq=False)
class Versions:
    """What one project root says about the versions of other people's distributions."""

    layers: tuple[Mapping[str, tuple[Range, str]], ...] = ()
    """From the strongest word to the weakest: distribution → allowed range and where that stands."""
    files: tuple[Path, ...] = ()
    """The files that were read, for whoever must notice that they changed."""
    _answers: dict[tuple[str, str], bool | None] = field(default_factory=dict, repr=False)

    def allowed(self, distribution: str) -> tuple[Range, str] | None:
        """Return the versions that the project allows and the file that says so; None when nothing does.

        The distribution `python` is the interpreter itself (`requires-python`).
        """
        name = canonicalize_name(distribution)
        return next((layer[name] for layer in self.layers if name in layer), None)

    def within(self, distribution: str, specifier: str) -> bool | None:
        """Tell whether the versions that the project allows lie in a PEP 440 specifier.

        True: all of them; False: none of them; None: some of them, or nothing is known. Always True for an
        empty specifier. Raises ValueError for a specifier that is none.
        """
        if not specifier:
            return True
        key = (distribution, specifier)
        if key not in self._answers:
            wanted = ranges.parse(specifier)
            if wanted is None:
                raise ValueError(f"{specifier!r} is no version specifier")
            known = self.allowed(distribution)
            self._answers[key] = known[0].within(wanted) if known else None
        return self._answers[key]


def project_versions(folder: Path, settings: Mapping[str, str] | None = None, top: Path | None = None) -> Versions:
    """Return what is known about versions in a folder; read once, see `forget`.

    `settings` is `[tool.pitfall-lint.versions]`: distribution → version or specifier. `top` is the project's
    root, above which nothing is read (default: the repository's root). Raises ValueError for a bad setting.
    """
    chosen = tuple(sorted((settings or {}).items()))
    return _project_versions(folder.resolve(), chosen, top.resolve() if top is not None else None)


def answerer(top: Path | None, settings: Mapping[str, str] | None = None) -> Callable[[str, str, str], bool | None]:
    """Return the question (distribution, specifier, path of the file that asks) → `Versions.within`."""

    def allows(distribution: str, specifier: str, path: str) -> bool | None:
        return project_versions(Path(path).parent, settings, top).within(distribution, specifier)

    return allows


def forget() -> None:
    """Read everything again next time: a long-running caller saw one of the files change."""
    _project_versions.cache_clear()
    _folder.cache_clear()


@lru_cache(maxsize=4096)
def _project_versions(folder: Path, settings: tuple[tuple[str, str], ...], top: Path | None) -> Versions:
    above = _above(folder, top)
    if above is not None:
        outer = _project_versions(above, settings, top)
    else:
        chosen = dict(_setting(name, value) for name, value in settings)
        outer = Versions((chosen,) if chosen else ())
    layers, files = _folder(folder)
    if not layers:
        return outer
    first = len(outer.layers[:1]) if settings else 0  # a setting stays the strongest word
    return Versions((*outer.layers[:first], *layers, *outer.layers[first:]), (*files, *outer.files))


@lru_cache(maxsize=4096)
def _folder(folder: Path) -> tuple[tuple[Mapping[str, tuple[Range, str]], ...], tuple[Path, ...]]:
    files: list[Path] = []
    locked = _merged(_locks(folder, files))
    wished, declared = _merged(_requirements(folder, files)), _merged(_declared(folder, files))
    both = dict(declared)
    for name, (allowed, where) in wished.items():
        narrowed = allowed & declared[name][0] if name in declared else allowed
        both[name] = (narrowed or allowed, where)
    return tuple(layer for layer in (locked, both) if layer), tuple(files)


def _above(folder: Path, top: Path | None) -> Path | None:
    """The next folder to ask, within the project, or within the repository where no project is named."""
    parent = folder.parent
    if parent == folder or folder == top:
        return None
    if top is not None:
        return parent if parent.is_relative_to(top) else None
    if (folder / ".git").exists():
        return None
    return parent if any((outer / ".git").exists() for outer in folder.parents) else None


def _setting(name: str, value: str) -> tuple[str, tuple[Range, str]]:
    allowed = ranges.parse(value)
    if allowed is None:
        raise ValueError(f"versions.{name}: {value!r} is neither a version nor a specifier")
    return canonicalize_name(name), (allowed, "setting")


def _merged(found: Iterable[Found]) -> dict[str, tuple[Range, str]]:
    """Several words about one distribution (markers, groups, files): any of them may be what runs."""
    result: dict[str, tuple[Range, str]] = {}
    for name, allowed, where in found:
        known = result.get(name)
        result[name] = (known[0] | allowed, known[1]) if known else (allowed, where)
    return result


def _read(path: Path, files: list[Path]) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return None
    files.append(path)
    return text


def _toml(path: Path, files: list[Path]) -> dict[str, Any]:
    text = _read(path, files)
    try:
        return tomllib.loads(text) if text else {}
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}  # whoever needs the settings in it says that it is broken


def _locks(folder: Path, files: list[Path]) -> Iterator[Found]:
    names = [*_LOCKS, *sorted(path.name for path in folder.glob("pylock.*.toml"))]
    for name in names:
        text = _read(folder / name, files)
        # Written by machines, one key a line: cutting them up is 30 times faster than parsing the TOML.
        for block in _PACKAGE.split(text or "")[1:]:
            head = dict(reversed(_KEY.findall(block.partition("\n[")[0])))
            exact = ranges.point(head.get("version", ""))
            if "name" in head and exact is not None:
                yield canonicalize_name(head["name"]), exact, name
    text = _read(folder / "Pipfile.lock", files)
    try:
        pipfile = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        pipfile = {}
    for group in ("default", "develop"):
        for name, entry in _table(_table(pipfile).get(group)).items():
            allowed = ranges.parse(str(_table(entry).get("version", "")))
            if allowed:
                yield canonicalize_name(name), allowed, "Pipfile.lock"


def _requirements(folder: Path, files: list[Path]) -> Iterator[Found]:
    queue = sorted(
        {
            *folder.glob("requirements*.txt"),
            *folder.glob("requirements/*.txt"),
            *folder.glob("constraints*.txt"),
        }
    )
    seen: set[Path] = set()
    while queue:
        path = queue.pop(0)
        if path in seen:
            continue
        seen.add(path)
        for line in (_read(path, files) or "").replace("\\\n", " ").splitlines():
            line = re.sub(r"(^|\s)#.*", "", line).strip()
            if match := re.match(r"(?:-r|-c|--requirement|--constraint)[\s=]+(\S+)", line):
                included = (path.parent / match[1]).resolve()
                if included.is_relative_to(folder):
                    queue.append(included)
            elif line and not line.startswith("-"):
                yield from _requirement(re.split(r"\s--", line)[0], path.relative_to(folder).as_posix())


def _requirement(text: str, where: str) -> Iterator[Found]:
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, ValueError):
        return
    allowed = ranges.parse(str(requirement.specifier))
    if allowed is not None and requirement.url is None:
        yield canonicalize_name(requirement.name), allowed, where


def _declared(folder: Path, files: list[Path]) -> Iterator[Found]:
    where = "pyproject.toml"
    data = _toml(folder / where, files)
    project, tools = _table(data.get("project")), _table(data.get("tool"))
    if isinstance(python := project.get("requires-python"), str) and (allowed := ranges.parse(python)):
        yield "python", allowed, where
    lists = [project.get("dependencies"), *_table(project.get("optional-dependencies")).values()]
    lists += [
        *_table(data.get("dependency-groups")).values(),
        _table(tools.get("uv")).get("dev-dependencies"),
    ]
    lists += [_table(tools.get("uv")).get("constraint-dependencies")]
    lists += _table(_table(tools.get("pdm")).get("dev-dependencies")).values()
    for entries in lists:
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, str):
                yield from _requirement(entry, where)
    poetry = _table(tools.get("poetry"))
    groups = [poetry, *_table(poetry.get("group")).values()]
    tables = [_table(group).get("dependencies") for group in groups] + [poetry.get("dev-dependencies")]
    for table in tables:
        for name, entry in _table(table).items():
            for allowed in _poetry(entry):
                yield canonicalize_name(name), allowed, where
    yield from _setup_cfg(folder / "setup.cfg", files)


def _poetry(entry: Any) -> Iterator[Range]:
    for item in entry if isinstance(entry, list) else [entry]:
        text = item.get("version") if isinstance(item, dict) else item
        if isinstance(text, str) and (allowed := ranges.parse(text)):
            yield allowed


def _setup_cfg(path: Path, files: list[Path]) -> Iterator[Found]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_read(path, files) or "")
    except configparser.Error:
        return
    python = ranges.parse(parser.get("options", "python_requires", fallback="").strip())
    if python and parser.has_option("options", "python_requires"):
        yield "python", python, path.name
    blocks = [parser.get("options", "install_requires", fallback="")]
    if parser.has_section("options.extras_require"):
        blocks += parser["options.extras_require"].values()
    for block in blocks:
        for line in re.split(r"\n", block):
            if line.strip():
                yield from _requirement(line.strip(), path.name)


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
