"""Where a URL points to: its shapes as text with unknown parts, and the hosts that are this very machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic import strings
from pitfall_lint.semantic.shapes import Shape

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

UNKNOWN_PART = "\0"
"""Stands for a part of a string that nobody can tell."""
_LOCAL = re.compile(
    r"(?i)(?:https?|wss?)://(?:[^/@\0]*@)?"
    r"(?P<host>localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\])(?=[:/?#\0]|$)"
)


@dataclass(frozen=True)
class How:
    """Whether defaults count: of parameters, fields and the environment."""

    defaults: bool = False


DEFAULTS = How(defaults=True)


def local_host(file: File, url: cst.BaseExpression, how: How = How()) -> str | None:
    """Return the host when a URL surely points to this machine (DEFAULTS: unless told otherwise)."""
    found = shapes(file, url, how)
    hosts = [match["host"] if (match := _LOCAL.match(shape)) else None for shape in found]
    return hosts[0] if hosts and None not in hosts else None


def shapes(file: File, node: cst.BaseExpression, how: How = How()) -> tuple[str, ...]:
    """Return the strings that an expression may be, UNKNOWN_PART in them; `()` when nothing is known."""
    found = strings.shapes_of(file, node)
    if how.defaults and any(not _is_told(shape) for shape in found):
        found = tuple(shape for shape in found if not _is_told(shape))
    if not any(shape.text is not None or any(isinstance(part, str) for part in shape.parts) for shape in found):
        return ()
    return tuple(dict.fromkeys(_text(shape) for shape in found))


def _is_told(shape: Shape) -> bool:
    """Tell whether an alternative is what somebody else says instead of a default."""
    return any(hole.source in {"parameter", "setting", "environment"} for hole in shape.holes)


def _text(shape: Shape) -> str:
    return "".join(part if isinstance(part, str) else UNKNOWN_PART for part in shape.parts)
