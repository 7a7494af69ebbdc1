"""A first glance at single files: one without any telling word is clean, and that is told before anything is imported.

What has to be known for it (the words, which settings hold, what a clean run prints) was kept by an earlier run. It
says "clean" or nothing: whatever is not as simple as can be is left to the run itself.
"""

from __future__ import annotations

import os

from pitfall_lint import cache

TYPE_CHECKING = False  # as in cache: this is read before everything else
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

_FLAGS = frozenset(
    {"-q", "--quiet", "-s", "--silent", "-e", "--exit-zero", "--isolated", "--no-fix", "check", "--force-exclude"}
)
"""Arguments behind which a file may stand that is no option's value."""
_TABLE = bytes(code if chr(code).isalnum() or code == 95 or code >= 128 else 32 for code in range(128)) + bytes(
    range(128, 256)
)
_ONLY_AST = 0x400
ALWAYS = frozenset({b"async", b"__import__", b"import_module"})
"""Words of which none stands in a file that a glance calls clean, whatever the rules."""


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the options and the files of a command line; no files when that is not plain."""
    at = len(arguments)
    while at and arguments[at - 1].endswith(".py") and not arguments[at - 1].startswith("-"):
        at -= 1
    if at and arguments[at - 1] not in _FLAGS and "=" not in arguments[at - 1]:
        return list(arguments), []
    return list(arguments[:at]), list(arguments[at:])


def record_name(options: Iterable[str], out: TextIO, errors: TextIO) -> str | None:
    """Return the name under which is kept what holds for all runs with these options; None if nothing may be."""
    name = cache.run_name(options, out, errors)
    return f"glance-{name}" if name is not None else None


def answer(arguments: Sequence[str], out: TextIO, errors: TextIO) -> str | None:
    """Return what a run prints that finds nothing, if a glance is enough to know that it will."""
    options, files = split(arguments)
    name = record_name(options, out, errors) if files and len(files) < 100 else None
    found = cache.Store().read(name) if name is not None else None
    if not isinstance(found, dict):
        return None
    if any(cache.signature(path) != was for path, was in found["inputs"].items()):
        return None
    return found["out"] if all(_is_clean(path, found) for path in files) else None


def keep(
    name: str,
    out: str,
    inputs: Iterable[str],
    *,
    words: Iterable[str],
    needles: Iterable[bytes],
    settings: str,
    skipped: Iterable[str],
    names: Iterable[str],
    roots: Iterable[str],
) -> None:
    """Keep what a glance has to know.

    A file must not hold any of the `words`, nor one of the `needles` together with a slash. `settings` is the file
    whose settings hold (nothing: there is none), `skipped` are files of that kind that say nothing, `names` what such
    files are called, `roots` the folders that imports of the project start from.
    """
    record = {
        "inputs": {path: cache.signature(path) for path in inputs},
        "out": out,
        "words": frozenset(word.encode() for word in words) | ALWAYS,
        "needles": tuple(needles),
        "settings": settings,
        "skipped": frozenset(skipped),
        "names": tuple(names),
        "roots": tuple(roots),
    }
    cache.Store().write(name, record)


def _is_clean(path: str, known: dict[str, object]) -> bool:
    """Tell whether a file surely has no finding."""
    path = os.path.abspath(path)
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return False
        with open(path, "rb") as stream:
            data = stream.read(1_000_000)
    except OSError:
        return False
    if len(data) == 1_000_000 or b"\r" in data or b"\x0c" in data or b"coding" in data[:400] or b"noqa" in data:
        return False
    words = data.translate(_TABLE).split()
    if not known["words"].isdisjoint(words):  # type: ignore[attr-defined]
        return False
    if b"/" in data and any(needle in data for needle in known["needles"]):  # type: ignore[attr-defined]
        return False
    if not _has_same_settings(path, known) or not _imports_others_only(path, data, known):
        return False
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a warning is a matter for the run itself
        try:
            compile(data, path, "exec", flags=_ONLY_AST, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError, Warning):
            return False
    return True


def _has_same_settings(path: str, known: dict[str, object]) -> bool:
    settings, folder = known["settings"], os.path.dirname(path)
    names: tuple[str, ...] = known["names"]  # type: ignore[assignment]
    skipped: frozenset[str] = known["skipped"]  # type: ignore[assignment]
    if not names:
        return True
    while True:
        for name in names:
            place = os.path.join(folder, name)
            if place == settings:
                return True
            if place not in skipped and os.path.lexists(place):
                return False
        above = os.path.dirname(folder)
        if above == folder:
            return not settings
        folder = above


def _imports_others_only(path: str, data: bytes, known: dict[str, object]) -> bool:
    """Tell whether no import leads to a module of the project, whose names might matter here."""
    roots: tuple[str, ...] = known["roots"]  # type: ignore[assignment]
    folder = os.path.dirname(path)
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    for line in data.split(b"\n"):
        if b"import" not in line:
            continue
        parts = line.decode("utf-8", "replace").split()
        if parts[0] == "from" and len(parts) > 3 and parts[2] == "import":
            modules = [parts[1]]
        elif parts[0] == "import" and ";" not in line.decode("utf-8", "replace"):
            modules = [part.split()[0] if part.split() else "." for part in " ".join(parts[1:]).split(",")]
        elif "import" in line.translate(_TABLE).decode("utf-8", "replace").split():
            return False
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            if not top.isidentifier():
                return False
            for root in dict.fromkeys((folder, *roots)):
                if os.path.lexists(os.path.join(root, top)) or os.path.lexists(os.path.join(root, f"{top}.py")):
                    return False
    return True
