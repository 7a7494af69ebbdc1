"""Shapes of strings: what is known of a text's beginning, end and emptiness although its middle is not.

A shape is a sequence of literal pieces and holes. Every question answers True, False or None (unknown).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

WIDTH = 12
"""More alternatives than this are one hole."""


@dataclass(frozen=True)
class Hole:
    """A piece of a string whose text is not known."""

    name: str = "…"
    """What stands there, for messages: the expression's source."""
    source: str = ""
    """environment, setting, parameter or request; empty when that is unknown too."""
    key: Any = None
    """What identifies the value: the variable of the environment, the parameter."""
    leading: bool | None = None
    trailing: bool | None = None
    may_be_empty: bool = True
    guarded: bool = False
    """It is known not to be "/" alone: somebody thought of the slash."""


@dataclass(frozen=True)
class Shape:
    """One alternative of a string's value."""

    parts: tuple[str | Hole, ...] = ()
    origin: Any = None
    """The place that gave it: (file, node), if one is known."""

    @property
    def text(self) -> str | None:
        """The whole text, if it is constant."""
        if not self.parts:
            return ""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], str) else None

    @property
    def hole(self) -> Hole | None:
        """The hole, if the shape is nothing else."""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], Hole) else None

    @property
    def holes(self) -> tuple[Hole, ...]:
        """All holes."""
        return tuple(part for part in self.parts if isinstance(part, Hole))

    @property
    def starts(self) -> bool | None:
        """Whether it starts with "/"."""
        return _edge((p.startswith("/") if isinstance(p, str) else p.leading, p) for p in self.parts)

    @property
    def ends(self) -> bool | None:
        """Whether it ends with "/"."""
        return _edge((p.endswith("/") if isinstance(p, str) else p.trailing, p) for p in reversed(self.parts))

    @property
    def is_empty(self) -> bool | None:
        """Whether it is the empty string."""
        if not self.parts:
            return True
        return None if all(isinstance(part, Hole) and part.may_be_empty for part in self.parts) else False

    @property
    def pretty(self) -> str:
        """The text for messages, holes in braces."""
        return "".join(part if isinstance(part, str) else "{" + part.name + "}" for part in self.parts)

    @property
    def head(self) -> str:
        """The literal text that it starts with."""
        return self.parts[0] if self.parts and isinstance(self.parts[0], str) else ""

    @property
    def tail(self) -> str:
        """The literal text that it ends with."""
        return self.parts[-1] if self.parts and isinstance(self.parts[-1], str) else ""


def _edge(parts: Iterable[tuple[bool | None, str | Hole]]) -> bool | None:
    """Return whether a slash stands at the edge; a hole that may be empty leaves the answer to the next part."""
    skipped = False
    for slash, part in parts:
        if slash is None or (slash and skipped):
            return None
        if slash or isinstance(part, str) or not part.may_be_empty:
            return slash
        skipped = True
    return False


Shapes = tuple[Shape, ...]
UNKNOWN: Shapes = (Shape((Hole(),)),)


def literal(text: str, origin: Any = None) -> Shape:
    """Return the shape of a constant."""
    return Shape((text,) if text else (), origin)


def hole(name: str = "…", **known: Any) -> Shape:
    """Return the shape of something unknown."""
    return Shape((Hole(name, **known),))


def merged(shapes: Iterable[Shape]) -> Shapes:
    """Return alternatives without repetitions; too many are unknown."""
    found: dict[tuple[str | Hole, ...], Shape] = {}
    for shape in shapes:
        found.setdefault(shape.parts, shape)
        if len(found) > WIDTH:
            return UNKNOWN
    return tuple(found.values())


def joined(parts: Iterable[str | Hole], origin: Any = None) -> Shape:
    """Return a shape of pieces, neighbouring texts made one."""
    found: list[str | Hole] = []
    for part in parts:
        if part == "":
            continue
        last = found[-1] if found else None
        if isinstance(part, str) and isinstance(last, str):
            found[-1] = last + part
        else:
            found.append(part)
    return Shape(tuple(found), origin)


def concatenated(*operands: Shapes) -> Shapes:
    """Return every alternative of the first operand followed by every one of the next."""
    result: Shapes = (Shape(),)
    for operand in operands:
        if len(result) == len(operand) == 1:
            result = (_followed(result[0], operand[0]),)
        else:
            result = merged(_followed(left, right) for left in result for right in operand)
    return result


def _followed(left: Shape, right: Shape) -> Shape:
    if not left.parts:
        return Shape(right.parts, right.origin)
    edge = joined((left.parts[-1], *right.parts[:1])).parts
    return Shape((*left.parts[:-1], *edge, *right.parts[1:]), left.origin)


def interleaved(separator: Shapes, items: Iterable[Shapes]) -> Shapes:
    """Return what `separator.join(items)` gives."""
    operands: list[Shapes] = []
    for item in items:
        if operands:
            operands.append(separator)
        operands.append(item)
    return concatenated(*operands)


def _cut(part: Hole, leading: bool | None = None, trailing: bool | None = None) -> Hole:
    """Return what is left of a hole that loses text at one end: perhaps nothing."""
    return replace(
        part,
        leading=part.leading and None if leading is None else leading,
        trailing=part.trailing and None if trailing is None else trailing,
        may_be_empty=True,
    )


def left_stripped(shape: Shape, characters: str = "/") -> Shape:
    """Return what `lstrip(characters)` leaves."""
    parts = list(shape.parts)
    while parts:
        first = parts.pop(0)
        if isinstance(first, str):
            if text := first.lstrip(characters):
                return joined((text, *parts), shape.origin)
            continue
        if "/" not in characters:
            return Shape((first, *parts), shape.origin)
        cut = first if first.leading is False else _cut(first, leading=False)
        while cut.may_be_empty and parts:  # then what stands behind it is stripped as well
            after = parts[0]
            if isinstance(after, str) and not after.startswith("/"):
                break
            cut = replace(cut, trailing=None)
            text = after.lstrip("/") if isinstance(after, str) else ""
            parts[:1] = [text] if text else []
        return joined((cut, *parts), shape.origin)
    return Shape((), shape.origin)


def right_stripped(shape: Shape, characters: str = "/") -> Shape:
    """Return what `rstrip(characters)` leaves."""
    parts = list(shape.parts)
    while parts:
        last = parts.pop()
        if isinstance(last, str):
            if text := last.rstrip(characters):
                return joined((*parts, text), shape.origin)
            continue
        if "/" not in characters:
            return Shape((*parts, last), shape.origin)
        cut = last if last.trailing is False else _cut(last, trailing=False)
        while cut.may_be_empty and parts:  # then what stands before it is stripped as well
            before = parts[-1]
            if isinstance(before, str) and not before.endswith("/"):
                break
            cut = replace(cut, leading=None)
            text = before.rstrip("/") if isinstance(before, str) else ""
            parts[-1:] = [text] if text else []
        return joined((*parts, cut), shape.origin)
    return Shape((), shape.origin)


def stripped(shape: Shape, characters: str = "/") -> Shape:
    """Return what `strip(characters)` leaves."""
    return left_stripped(right_stripped(shape, characters), characters)


def without_prefix(shape: Shape, prefix: str) -> Shape:
    """Return what `removeprefix(prefix)` leaves."""
    first = shape.parts[0] if shape.parts else ""
    if isinstance(first, str):
        return joined((first.removeprefix(prefix), *shape.parts[1:]), shape.origin)
    if prefix == "/":
        return left_stripped(shape)
    return Shape((_cut(first), *shape.parts[1:]), shape.origin)


def without_suffix(shape: Shape, suffix: str) -> Shape:
    """Return what `removesuffix(suffix)` leaves."""
    last = shape.parts[-1] if shape.parts else ""
    if isinstance(last, str):
        return joined((*shape.parts[:-1], last.removesuffix(suffix)), shape.origin)
    if suffix == "/":
        return right_stripped(shape)
    return Shape((*shape.parts[:-1], _cut(last)), shape.origin)


def replaced(shape: Shape, old: str, new: str, count: int = -1) -> Shape:
    """Return what `replace(old, new, count)` gives; holes lose what the replacement could change."""
    if not old:
        return UNKNOWN[0]
    parts: list[str | Hole] = []
    for part in shape.parts:
        if isinstance(part, str):
            parts.append(part.replace(old, new, count))
        elif "/" in old or "/" in new:
            kept = bool(old.strip("/"))
            parts.append(
                replace(part, leading=part.leading if kept else None, trailing=part.trailing if kept else None)
            )
        else:
            parts.append(part)
    return joined(parts, shape.origin)


def mapped(shape: Shape, method: str) -> Shape:
    """Return what a method without arguments such as `lower` gives: texts change, holes keep what is known."""
    return joined((getattr(part, method)() if isinstance(part, str) else part for part in shape.parts), shape.origin)


# URLs

SCHEMES = ("http://", "https://", "ws://", "wss://")


def is_url(shape: Shape) -> bool:
    """Tell whether it surely starts with the scheme of a web address."""
    return shape.head.lower().startswith(SCHEMES)


def url_path(shape: Shape) -> Shape | None:
    """Return the path of a web address, from its first "/" on; None when it is no address or has no such slash."""
    if not is_url(shape):
        return None
    scheme = shape.head.index("://") + 3
    rest = joined((shape.head[scheme:], *shape.parts[1:]), shape.origin)
    for index, part in enumerate(rest.parts):
        if isinstance(part, str) and "/" in part:
            return joined((part[part.index("/") :], *rest.parts[index + 1 :]), shape.origin)
    return None


def has_path(shape: Shape) -> bool | None:
    """Tell whether a web address surely carries a path besides "/"; False when it surely has none."""
    if not is_url(shape):
        return None
    path = url_path(shape)
    if path is None:
        return False if shape.text is not None else None
    if any(isinstance(part, str) and part.strip("/") for part in path.parts):
        return True
    return None if path.holes else False
