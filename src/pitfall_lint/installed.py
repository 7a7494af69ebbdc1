"""Library rows that installed packages ship: data found by an entry point, no package is imported for it.

A package declares `[project.entry-points."pitfall_lint.libraries"]` with `any-name = "package.folder"`: the
folder's `*.toml` files, or the file `package/folder.toml`, hold rows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

GROUP = "pitfall_lint.libraries"
_MARK = GROUP.encode()
_ENVIRONMENTS = (".venv", "venv")


def row_files(root: str = "") -> tuple[Path, ...]:
    """Return the files of rows that packages ship: those beside this program, in the active virtual
    environment, and in the one of the project at `root`.
    """
    found = {path: None for folder in site_folders(root) for path in _in_site(str(folder))}
    return tuple(found)


def site_folders(root: str = "") -> tuple[Path, ...]:
    """Return the folders that packages are looked for in."""
    folders = [Path(path) for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    environments = [os.environ.get("VIRTUAL_ENV", ""), *(os.path.join(root, e) for e in _ENVIRONMENTS if root)]
    for environment in filter(None, environments):
        folders += sorted(Path(environment).glob("lib/python3*/site-packages"))
        folders.append(Path(environment) / "Lib" / "site-packages")
    return tuple(dict.fromkeys(folder for folder in folders if folder.is_dir()))


@lru_cache(maxsize=32)
def _in_site(folder: str) -> tuple[Path, ...]:
    found: list[Path] = []
    try:
        entries = sorted(e.path for e in os.scandir(folder) if e.name.endswith((".dist-info", ".egg-info")))
    except OSError:
        return ()
    for info in entries:
        try:
            with open(os.path.join(info, "entry_points.txt"), "rb") as stream:
                if _MARK not in stream.read():
                    continue
        except OSError:
            continue
        found += _shipped(Path(info))
    return tuple(found)


def _shipped(info: Path) -> Iterator[Path]:
    """Yield the files that one distribution's entry points mean."""
    from importlib.metadata import Distribution

    distribution = Distribution.at(info)
    for point in distribution.entry_points:
        if point.group != GROUP:
            continue
        relative = point.value.partition(":")[0].strip().replace(".", "/")
        if not relative or ".." in relative:
            continue
        listed = [file for file in distribution.files or () if str(file).endswith(".toml")]
        wanted = [Path(str(f.locate())) for f in listed if _belongs(f.as_posix(), relative)]
        yield from wanted or _beside(info.parent, relative)


def _belongs(file: str, relative: str) -> bool:
    return file == f"{relative}.toml" or file.rpartition("/")[0] == relative


def _beside(site: Path, relative: str) -> Iterable[Path]:
    """Return the files of an editable install, whose folder stands in a `.pth` file of the site folder."""
    for top in _tops(site):
        if (file := top / f"{relative}.toml").is_file():
            return [file]
        if found := sorted((top / relative).glob("*.toml")):
            return found
    return []


def _tops(site: Path) -> Iterator[Path]:
    yield site
    for pth in sorted(site.glob("*.pth")):
        try:
            lines = pth.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        yield from (site / line.strip() for line in lines if line.strip() and not line.startswith(("import", "#")))
