"""What we know about other people's code: rows from `rules/libraries/*.toml` and from users' files."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import sys
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

from pitfall_lint.libraries.core import Attribute, Function, Type
from pitfall_lint.libraries.rows import LibraryError, Row, name_field, word_field

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "Attribute",
    "Function",
    "Libraries",
    "LibraryError",
    "Row",
    "Type",
    "kinds",
    "load",
    "name_field",
    "word_field",
]

R = TypeVar("R", bound=Row)


def kinds() -> dict[str, type[Row]]:
    """Return the row kinds by the key that their tables have in TOML."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return {_key(kind): kind for kind in _subclasses(Row)}


def _subclasses(kind: type[Row]) -> Iterable[type[Row]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _key(kind: type[Row]) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()


def load(paths: Iterable[Path]) -> Libraries:
    """Read library files, later ones adding to earlier ones. Raises LibraryError with file, table and key."""
    rows: list[Row] = []
    known = kinds()
    for path in paths:
        for row in _read(path, known):
            rows.extend(row.expanded())
    return Libraries(rows)


def _read(path: Path, known: Mapping[str, type[Row]]) -> Iterable[Row]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise LibraryError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LibraryError(f"{path}: {error}") from None
    for key, entries in tables.items():
        kind = known.get(key)
        if kind is None:
            raise LibraryError(f"{path}: unknown kind [[{key}]]{_nearest(key, known)}")
        if not isinstance(entries, list):
            raise LibraryError(f"{path}: write [[{key}]], with two brackets")
        for number, entry in enumerate(entries, 1):
            yield _row(kind, entry, f"{path}: [[{key}]] number {number}", path.stem)


_HINTS: dict[type[Row], dict[str, Any]] = {}


def _hints(kind: type[Row]) -> dict[str, Any]:
    if kind not in _HINTS:
        _HINTS[kind] = typing.get_type_hints(kind)
    return _HINTS[kind]


def plain(libraries: Libraries) -> list[tuple[str, dict[str, Any]]]:
    """Return all rows as plain data: the key of the kind, and every field."""
    return [(_key(type(row)), dict(vars(row))) for row in libraries.all_rows()]


def restored(rows: Iterable[tuple[str, dict[str, Any]]]) -> Libraries:
    """Return the rows that `plain` gave, without checking them again. Raises KeyError for a kind that is gone."""
    known = kinds()
    made = []
    for key, values in rows:
        row = object.__new__(known[key])
        vars(row).update(values)
        made.append(row)
    return Libraries(made)


def _row(kind: type[Row], entry: Mapping[str, Any], where: str, library: str) -> Row:
    hints = _hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    values: dict[str, Any] = {"library": library}
    for key, value in entry.items():
        if key not in fields:
            raise LibraryError(f"{where}: unknown key {key!r}{_nearest(key, fields)}")
        values[key] = _value(value, hints[key], f"{where}: {key}")
    missing = [
        f.name
        for f in fields.values()
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING and f.name not in values
    ]
    if missing:
        raise LibraryError(f"{where}: {missing[0]!r} is missing")
    return kind(**values)


def _value(value: Any, hint: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is typing.Union or origin is UnionType:
        for option in typing.get_args(hint):
            try:
                return _value(value, option, where)
            except LibraryError:
                continue
        raise LibraryError(f"{where}: {value!r} does not fit {hint}")
    if origin is typing.Literal:
        if value not in typing.get_args(hint):
            choices = ", ".join(map(repr, typing.get_args(hint)))
            raise LibraryError(f"{where}: {value!r} is none of {choices}")
        return value
    if origin is tuple:
        if isinstance(value, str) and typing.get_args(hint)[0] is str:
            return (value,)
        if not isinstance(value, list):
            raise LibraryError(f"{where}: a list is wanted, not {value!r}")
        return tuple(_value(item, typing.get_args(hint)[0], where) for item in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise LibraryError(f"{where}: a table is wanted, not {value!r}")
        return value
    if isinstance(hint, type) and (type(value) is not hint and not (hint is float and type(value) is int)):
        raise LibraryError(f"{where}: {hint.__name__} is wanted, not {value!r}")
    return value


def _nearest(key: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(key, list(known), 1)
    return f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"


class Libraries:
    """All rows, looked up by kind and canonical qualified name."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_kind: dict[type[Row], list[Row]] = {}
        for row in rows:
            self._by_kind.setdefault(type(row), []).append(row)
        self._canonical: dict[str, str] = {}
        self._bases: dict[str, tuple[str, ...]] = {}
        for type_ in self.rows(Type):
            self._canonical.update(dict.fromkeys(type_.also, type_.name))
        for function in self.rows(Function):
            self._canonical.update(dict.fromkeys(function.also, function.name))
        for type_ in self.rows(Type):
            self._bases[type_.name] = (*self._bases.get(type_.name, ()), *map(self.canonical, type_.bases))
        self._index: dict[type[Row], dict[str, list[Row]]] = {}
        self._leaves: dict[tuple[type[Row], bool], frozenset[str]] = {}
        self._types: frozenset[str] | None = None

    def all_rows(self) -> Iterable[Row]:
        """Yield every row."""
        for rows in self._by_kind.values():
            yield from rows

    def rows(self, kind: type[R]) -> tuple[R, ...]:
        """Return all rows of a kind."""
        return tuple(self._by_kind.get(kind, ()))  # type: ignore[arg-type]

    def canonical(self, name: str) -> str:
        """Return the one name that a thing goes by here, whatever path it was imported from."""
        seen = self._canonical.get(name)
        if seen is not None:
            return seen
        head, _, leaf = name.rpartition(".")
        if head and (owner := self._canonical.get(head)) is not None:
            return f"{owner}.{leaf}"
        return name

    def bases(self, name: str) -> tuple[str, ...]:
        """Return a library type and everything it is known to inherit from, itself first."""
        order = [name]
        for current in order:
            order.extend(base for base in self._bases.get(current, ()) if base not in order)
        return tuple(order)

    def find_all(self, kind: type[R], name: str) -> tuple[R, ...]:
        """Return the rows of a kind for a canonical name; methods are found through the type's bases too."""
        index = self._indexed(kind)
        found = index.get(name)
        if found is None:
            head, _, leaf = name.rpartition(".")
            if head in self._bases:
                for base in self.bases(head)[1:]:
                    if found := index.get(f"{base}.{leaf}"):
                        break
            if found is None and name in self._bases:
                for base in self.bases(name)[1:]:
                    if found := index.get(base):
                        break
        return tuple(found or ())  # type: ignore[arg-type]

    def find(self, kind: type[R], name: str) -> R | None:
        """Return the first row of a kind for a canonical name, if there is one."""
        found = self.find_all(kind, name)
        return found[0] if found else None

    def leaves(self, kind: type[Row], *, strict: bool = True) -> frozenset[str]:
        """Return the last words of the names by which rows of a kind are found, derived types too.

        Those of strict rows alone are left out, if nobody asks for them.
        """
        found = self._leaves.get((kind, strict))
        if found is None:
            rows = self._indexed(kind).items()
            names = {name for name, these in rows if strict or not all(getattr(row, "strict", False) for row in these)}
            derived = {name for name in self._bases if not names.isdisjoint(self.bases(name))}
            also = [other for other, name in self._canonical.items() if name in names or name in derived]
            leaves = frozenset(name.rpartition(".")[2] for name in (*names, *derived, *also))
            found = self._leaves[kind, strict] = leaves
        return found

    def is_known_type(self, name: str) -> bool:
        """Tell whether some row says that this name is a class."""
        if self._types is None:
            types = set(self._bases)
            for rows in self._by_kind.values():
                types.update(
                    value
                    for row in rows
                    for f in dataclasses.fields(row)
                    if f.name == "type" and isinstance(value := getattr(row, f.name), str)
                )
            self._types = frozenset(types)
        return name in self._types

    def _indexed(self, kind: type[Row]) -> dict[str, list[Row]]:
        index = self._index.get(kind)
        if index is None:
            index = self._index[kind] = {}
            for row in self._by_kind.get(kind, ()):
                for name in row.names:
                    index.setdefault(self.canonical(name), []).append(row)
        return index
