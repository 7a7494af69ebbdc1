"""Rows that every family shares: types, functions and attributes of other people's code."""

from __future__ import annotations

from pitfall_lint.libraries.rows import Row, name_field, row


@row
class Type(Row):
    """A class: its canonical name, the other paths it can be imported from, and its bases."""

    name: str = name_field(wakes=False)
    also: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    enters: str = ""
    """What `with`/`async with` binds: a type; empty for the object itself."""


@row
class Function(Row):
    """A function or method (`type.method`) and what calling it gives."""

    name: str = name_field(wakes=False, shape=("called", "not-awaited"))
    also: tuple[str, ...] = ()
    returns: str = ""
    """The canonical name of the returned type; of the awaited result for coroutine functions."""
    parts: tuple[str, ...] = ()
    """The canonical names of the types in a returned tuple."""
    coroutine: bool = False
    sync_by: str = ""
    """What may make it a plain function outside coroutines: a module whose import does, or an older version."""


@row
class Coroutines(Row):
    """Coroutine functions of one type or module: short for as many functions."""

    of: str
    """The type or module."""
    called: tuple[str, ...]
    """Their names there."""
    sync_by: str = ""

    def expanded(self) -> tuple[Row, ...]:
        """Return one function for each name."""
        kept = {"library": self.library, "distribution": self.distribution, "versions": self.versions}
        return tuple(
            Function(name=f"{self.of}.{name}", coroutine=True, sync_by=self.sync_by, **kept) for name in self.called
        )


@row
class Attribute(Row):
    """An attribute (`type.attribute`) or a module's variable, and the type of what it holds."""

    name: str = name_field(wakes=False)
    type: str = name_field(wakes=False)
