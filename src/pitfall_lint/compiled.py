"""Library rows and pages as plain data from the cache: reading and checking TOML takes longer than most runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pitfall_lint import catalog, libraries
from pitfall_lint.cache import Store, digest, signature, tool
from pitfall_lint.finding import Applicability, Severity
from pitfall_lint.page import Page


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


def load_catalog() -> catalog.Catalog:
    """Do as catalog.load does; unchanged pages are not read again. Raises PageError."""
    inputs = [
        str(path) for path in (*catalog.pages(), Path(catalog.__file__), Path(catalog.__file__).with_name("page.py"))
    ]
    wanted = [(path, signature(path)) for path in inputs]
    store, name = Store(), "pages-" + digest(tool(), inputs)
    found = store.read(name)
    if isinstance(found, tuple) and len(found) == 2 and found[0] == wanted:
        try:
            return catalog.Catalog(catalog.Rule(_page(values)) for values in found[1])
        except (KeyError, TypeError, ValueError):
            pass
    rules = catalog.load()
    store.write(name, (wanted, [_plain(rule.page) for rule in rules]))
    return rules


def _plain(page: Page) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(page, name) for name in Page.__slots__}
    values["severity"], values["fix"] = page.severity.value, page.fix.value if page.fix is not None else None
    values["example_versions"], values["sections"] = dict(page.example_versions), dict(page.sections)
    return values


def _page(values: dict[str, Any]) -> Page:
    fix = values["fix"]
    found = {"severity": Severity(values["severity"]), "fix": Applicability(fix) if fix is not None else None}
    return Page(**{**values, **found})
