"""The library rows as plain data from the cache: reading and checking TOML takes longer than most runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pitfall_lint import libraries
from pitfall_lint.cache import Store, digest, signature, tool


def load_libraries(paths: Sequence[Path], *, cached: bool = True) -> libraries.Libraries:
    """Do as libraries.load does; unchanged files are not read again. Raises LibraryError."""
    if not cached:
        return libraries.load(paths)
    code = Path(libraries.__file__).parent
    inputs = [str(path) for path in (*paths, *sorted(code.glob("*.py")))]
    wanted = [(path, signature(path)) for path in inputs]
    store, name = Store(), "rows-" + digest(tool(), inputs)
    found = store.read(name)
    if isinstance(found, tuple) and len(found) == 2 and found[0] == wanted:
        try:
            return libraries.restored(found[1])
        except (KeyError, TypeError, ValueError):
            pass
    rows = libraries.load(paths)
    store.write(name, (wanted, libraries.plain(rows)))
    return rows
