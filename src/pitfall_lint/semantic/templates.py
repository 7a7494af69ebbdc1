"""Path templates of routes: "/items/{id:int}" as segments, and whether one answers every request of another."""

from __future__ import annotations

import re
from dataclasses import dataclass

TEXT, PATH, OPAQUE = "str", "path", "?"
_BRACES = re.compile(r"\{([^{}:]*)(?::([^{}]*(?:\{[^{}]*\}[^{}]*)*))?\}")
_ANGLES = re.compile(r"<(?:([^<>]*):)?([^<>:]*)>")
_GROUPS = {
    "(.*)": PATH,
    "(.+)": PATH,
    ".*": PATH,
    "([^/]+)": TEXT,
    "([0-9]+)": "int",
    r"(\d+)": "int",
    r"(\w+)": "slug",
}
_NAMED = re.compile(r"\?P<\w+>")
_WITHIN = {
    "int": re.compile(r"[0-9]+"),
    "slug": re.compile(r"[-a-zA-Z0-9_]+"),
    "uuid": re.compile(r"[0-9a-fA-F-]{36}"),
    "float": re.compile(r"[0-9]+(\.[0-9]+)?"),
}
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")


@dataclass(frozen=True)
class Parameter:
    """A part of a segment that requests fill: with text, a number, or (PATH) whatever follows, slashes too."""

    kind: str


Segment = tuple[str | Parameter, ...]
Template = tuple[Segment, ...]


def template(path: str, style: str) -> Template | None:
    """Return the segments of a path; `style` is how parameters are written: braces, angles or groups (of a regex).

    None for what cannot be told: regular expressions with more than the usual groups.
    """
    if style == "groups":
        return _of_regex(path)
    pattern = _BRACES if style == "braces" else _ANGLES
    marks: list[Parameter] = []

    def mark(match: re.Match[str]) -> str:
        given = match[2] if style == "braces" else match[1]
        kind = (given or TEXT).strip()
        marks.append(Parameter({"string": TEXT, "default": TEXT, "re:.*": PATH, ".*": PATH}.get(kind, kind)))
        return "\0"

    text = pattern.sub(mark, path)
    return _split(text, marks)


def _of_regex(pattern: str) -> Template | None:
    text = _NAMED.sub("", pattern.removeprefix("^")).removesuffix("$")
    marks: list[Parameter] = []
    parts: list[str] = []
    while text:
        for group, kind in _GROUPS.items():
            if text.startswith(group):
                marks.append(Parameter(kind))
                parts.append("\0")
                text = text[len(group) :]
                break
        else:
            if text.startswith("\\") and text[1:2] in {".", "-", "/"}:
                text = text[1:]
            elif _SPECIAL.match(text):
                return None
            parts.append(text[0])
            text = text[1:]
    return _split("".join(parts), marks)


def _split(text: str, marks: list[Parameter]) -> Template:
    waiting = iter(marks)
    segments: list[Segment] = []
    for segment in text.removeprefix("/").split("/"):
        pieces: list[str | Parameter] = []
        for index, piece in enumerate(segment.split("\0")):
            if index:
                pieces.append(next(waiting))
            if piece:
                pieces.append(piece)
        segments.append(tuple(pieces))
    return tuple(segments)


def below(mount: Template) -> Template:
    """Return what a mount answers: everything behind its prefix."""
    kept = mount[:-1] if mount and not mount[-1] else mount
    return (*kept, (Parameter(PATH),))


def covers(first: Template, second: Template) -> bool:
    """Tell whether every path that fits `second` surely fits `first`, too."""
    if first == second:
        return True
    if first and first[-1] == (Parameter(PATH),):
        head = first[:-1]
        if len(second) <= len(head) or _is_open(second[: len(head)]):
            return False
        return all(_segment(a, b) for a, b in zip(head, second, strict=False))
    if len(first) != len(second) or _is_open(first) or _is_open(second):
        return False
    return all(_segment(a, b) for a, b in zip(first, second, strict=True))


def _is_open(segments: Template) -> bool:
    return any(isinstance(part, Parameter) and part.kind == PATH for segment in segments for part in segment)


def _segment(first: Segment, second: Segment) -> bool:
    if first == second:
        return True
    only = first[0] if len(first) == 1 else None
    if not isinstance(only, Parameter) or not second:
        return False
    if only.kind == TEXT:
        return all(isinstance(part, str) or part.kind in {TEXT, *_WITHIN} for part in second)
    within = _WITHIN.get(only.kind)
    text = second[0] if len(second) == 1 else None
    return within is not None and isinstance(text, str) and within.fullmatch(text) is not None


def is_plain(path: Template) -> bool:
    """Tell whether a path has no parameters: it fits one request path only."""
    return all(isinstance(part, str) for segment in path for part in segment)
