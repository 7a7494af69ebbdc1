"""What a library row is: a frozen dataclass whose fields are the schema of its TOML table."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


class LibraryError(ValueError):
    """A library file cannot be used; the message names file, table and key."""


def name_field(*, wakes: bool = True, shape: tuple[str, ...] = (), default: Any = dataclasses.MISSING) -> Any:
    """Declare a field of qualified names by which the row is looked up.

    `wakes` says whether the leaf words of the names make a file worth looking at; `shape` what the code around
    the words has to look like (semantic/wants.py). Give `default` for optional names.
    """
    metadata: dict[str, Any] = {"name": True, "word": wakes, "shape": shape}
    if default is dataclasses.MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def word_field(*, default: Any = (), shape: tuple[str, ...] = ()) -> Any:
    """Declare a field of plain words (method names and the like) that make a file worth looking at; see name_field."""
    return field(default=default, metadata={"word": True, "shape": shape})


def _strings(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fact about other people's code."""

    library: str = ""
    """The stem of the file that holds the row."""
    distribution: str = ""
    """The distribution on PyPI that `versions` speaks of; the library if empty."""
    versions: str = ""
    """A PEP 440 specifier: the row holds only for these versions."""

    def expanded(self) -> tuple[Row, ...]:
        """Return the rows that it stands for: itself, mostly."""
        return (self,)

    @property
    def names(self) -> tuple[str, ...]:
        """The qualified names by which the row is found."""
        return tuple(
            name for f in dataclasses.fields(self) if f.metadata.get("name") for name in _strings(getattr(self, f.name))
        )

    @property
    def words(self) -> frozenset[str]:
        """The whole words of which one stands in every file that the row can matter for."""
        return frozenset(
            word.rpartition(".")[2]
            for f in dataclasses.fields(self)
            if f.metadata.get("word")
            for word in _strings(getattr(self, f.name))
        )
