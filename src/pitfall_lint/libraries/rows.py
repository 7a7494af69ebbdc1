"""What a library row is: a frozen dataclass whose fields are the schema of its TOML table."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")


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


def row(class_: type[T]) -> type[T]:
    """Make a class of rows: a frozen dataclass with keyword arguments, whose methods are Row's.

    `dataclass(frozen=True)` compiles six methods for each class, which took a third of a run's start.
    """
    own = {name: vars(class_)[name] for name in _annotations(class_) if name in vars(class_)}
    bare = type(class_.__name__, (), {**own, "__annotations__": _annotations(class_), "__doc__": "its fields"})
    made: Any = dataclass(init=False, repr=False, eq=False, kw_only=True)(bare)
    fields = {name: f for base in reversed(class_.__mro__[1:]) for name, f in _fields_of(base).items()}
    for name, f in made.__dataclass_fields__.items():
        fields[name] = f
        if f.default is not dataclasses.MISSING:
            setattr(class_, name, f.default)
        elif name in own:
            delattr(class_, name)
    class_.__dataclass_fields__ = fields  # type: ignore[attr-defined]
    class_.__dataclass_params__ = _FROZEN  # type: ignore[attr-defined]
    return class_


def _annotations(class_: type) -> dict[str, Any]:
    return {name: what for name, what in class_.__annotations__.items() if not name.startswith("__")}


def _fields_of(class_: type) -> dict[str, dataclasses.Field[Any]]:
    found: dict[str, dataclasses.Field[Any]] = vars(class_).get("__dataclass_fields__", {})
    return found


@dataclass(frozen=True)
class _Frozen:
    """What a frozen dataclass says of itself: a subclass that is one by `dataclass` may be a row, too."""


_FROZEN: Any = vars(_Frozen)["__dataclass_params__"]


@row
class Row:
    """One fact about other people's code."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    library: str = ""
    """The stem of the file that holds the row."""
    distribution: str = ""
    """The distribution on PyPI that `versions` speaks of; the library if empty."""
    versions: str = ""
    """A PEP 440 specifier: the row holds only for these versions."""

    def __init__(self, **values: Any) -> None:
        """Each field by its name. Raises TypeError for an unknown one, and for one that is missing."""
        fields = _fields_of(type(self))
        for name, f in fields.items():
            if name not in values:
                if f.default is dataclasses.MISSING:
                    raise TypeError(f"{type(self).__name__}: {name} is missing")
                values[name] = f.default
        if len(values) > len(fields):
            raise TypeError(f"{type(self).__name__}: unknown {', '.join(values.keys() - fields.keys())}")
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def _values(self) -> tuple[Any, ...]:
        values = vars(self)
        return tuple(values[name] for name in _fields_of(type(self)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def expanded(self) -> tuple[Row, ...]:
        """Return the rows that it stands for: itself, mostly."""
        return (self,)

    @property
    def names(self) -> tuple[str, ...]:
        """The qualified names by which the row is found."""
        return tuple(name for field_ in _names_in(type(self)) for name in _strings(getattr(self, field_)))

    @property
    def words(self) -> frozenset[str]:
        """The whole words of which one stands in every file that the row can matter for."""
        return frozenset(
            word.rpartition(".")[2]
            for f in dataclasses.fields(self)
            if f.metadata.get("word")
            for word in _strings(getattr(self, f.name))
        )


_NAMES: dict[type[Row], tuple[str, ...]] = {}


def _names_in(kind: type[Row]) -> tuple[str, ...]:
    """Return the fields of a kind that hold qualified names."""
    if kind not in _NAMES:
        _NAMES[kind] = tuple(f.name for f in dataclasses.fields(kind) if f.metadata.get("name"))
    return _NAMES[kind]
