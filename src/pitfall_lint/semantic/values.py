"""What an expression may hold: small immutable facts, compared by identity of the definitions they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import libcst as cst

if TYPE_CHECKING:
    from pitfall_lint.semantic.definitions import Class, Function
    from pitfall_lint.semantic.file import File


class _NotConstant:
    def __repr__(self) -> str:
        return "NOT_CONSTANT"

    def __bool__(self) -> bool:
        return False


NOT_CONSTANT = _NotConstant()
"""The answer of `File.folded` for what is no constant; None is a constant."""


@dataclass(frozen=True)
class Unknown:
    """Something that cannot be told."""


@dataclass(frozen=True)
class Const:
    """A constant of the language."""

    value: Any


@dataclass(frozen=True)
class LibraryName:
    """A module, class, function or attribute of other people's code, by its canonical qualified name."""

    name: str


@dataclass(frozen=True, eq=False)
class ModuleValue:
    """A module of the project."""

    file: File


@dataclass(frozen=True)
class FunctionValue:
    """A function of the project; `bound` when reached through an instance."""

    function: Function
    bound: bool = False


@dataclass(frozen=True)
class ClassValue:
    """A class of the project."""

    class_: Class


@dataclass(frozen=True)
class Instance:
    """An object of a known type. `origin` is the call that made it (in `file`), if one is known."""

    type: str | Class
    origin: cst.CSTNode | None = field(default=None, repr=False)
    file: File | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Coroutine:
    """What calling a coroutine function gives before it is awaited."""

    of: Function | str
    call: cst.Call | None = field(default=None, repr=False)
    file: File | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Generator:
    """What calling a (sync or async) generator function of the project gives."""

    of: Function
    call: cst.Call | None = field(default=None, repr=False)
    file: File | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Partial:
    """A `functools.partial` object; `call` is the partial call in `file`."""

    of: tuple[Value, ...]
    call: cst.Call | None = field(default=None, repr=False)
    file: File | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Collection:
    """A container, by its display or annotation; items are its elements or a dict's values."""

    kind: str
    items: tuple[Value, ...] = ()


Value: TypeAlias = (
    Unknown
    | Const
    | LibraryName
    | ModuleValue
    | FunctionValue
    | ClassValue
    | Instance
    | Coroutine
    | Generator
    | Partial
    | Collection
)
UNKNOWN = Unknown()
