"""Where text is joined at a slash, told in bytes; and the names that lines with telling texts give a value to.

A joint matters only where the name at it may be known to begin or end with a slash: because some line, here or in an
imported module, gives that name (or a function's parameter, by calling it) a text of which that can be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_CLOSING = re.compile(rb"\}[/{\w]")
_JOINT = re.compile(
    rb"""
      /\{(?P<right>[^{}\n]*)\}                                         # /{path}
    | (?P<slashed>\+[ \t]*[rRbBuUfF]{0,2}["']/)                       # base + "/x"
    | (?P<bare>\+[ \t]*[rRbBuUfF]{0,2}["']\w)                         # base + "v1"
    | /["'][ \t]*\+[ \t]*(?P<after>[\w.(][^\n]*)                     # "x/" + path, "x/" + (a or "b")
    | (?:[\w)\]]|^)[ \t]*\+[ \t]*(?P<name>[A-Za-z_][\w.]*)             # base + path, from the line above, too
    | %s[^\n]*["'][ \t]*%[ \t]*\(?(?P<percent>[^\n]*)               # "%s/x" % base
    | \}[/{][^\n]*\.format\((?P<format>[^\n]*)
    | /\{[^\n]*\.format\((?P<behind>[^\n]*)
    | ["']/?["']\.join\([ \t]*[\[(](?P<list>[^\n]*)                  # "/".join([a, b])
    """,
    re.VERBOSE,
)
NEEDLES = (
    *(b"/{", b' + "', b" + '", b' + f"', b" + f'", b'" + ', b"' + ", b" + ", b"%s"),
    *(b'/".join(', b"/'.join(", b".format(", b"}/", b"}{"),
)
"""Of which one stands in every text that may join text."""
_BEFORE = re.compile(rb"(\w+)[^{}\w\n]{0,24}$")
_WORD = re.compile(rb"[A-Za-z_]\w*")
SLASHED = re.compile(
    rb"""["'](?:/[^"'\n]*|[^"'\n]*(?:/|://[^"'\n]*))["']|strip\([ \t]*["']/|removesuffix\([ \t]*["']/"""
    rb"""|https?://[^\s`'"<>]+/[`'"\s).,]"""
)
"""A text that begins or ends with a slash, or an address; also what takes a slash off."""
_TARGET = re.compile(rb"[ \t]*(?:[\w.]+\.)?(\w+)(?:\[[^\]\n]*\])?[ \t]*(?::[^=\n]+)?=(?!=)")
_KEYWORD = re.compile(rb"(\w+)[ \t]*(?::[^=\n(]+)?=[ \t]*(?=[rRbBuUfF]{0,2}[\"'])")
_CALLEE = re.compile(rb"(\w+)\(")
_OPTION = re.compile(rb"[\"']--([\w-]+)[\"']")
_SETTING = re.compile(rb"(\w+)[ \t]*=[^\n=][^\n]*?[\"'](\w{3,})[\"']")
_FUNCTION = re.compile(rb"^([ \t]*)(?:async[ \t]+)?def[ \t]+(\w+)", re.MULTILINE)
_NO_GIVERS = frozenset(
    {"get", "startswith", "endswith", "strip", "rstrip", "lstrip", "split", "rsplit", "replace", "removeprefix"}
    | {"removesuffix", "join", "print", "format"}
)


_NO_GIVERS_IN_BYTES = frozenset(name.encode() for name in _NO_GIVERS)


@dataclass(frozen=True, slots=True)
class Edges:
    """Names of which a file says how their text begins or ends."""

    starting: frozenset[str] = frozenset()
    ending: frozenset[str] = frozenset()
    """Also those from which a slash is taken off somewhere: they may end in one elsewhere."""
    whole: frozenset[str] = frozenset()
    """Addresses that end without a slash."""
    functions: frozenset[str] = frozenset()
    """Functions to which such texts are given."""

    def __or__(self, other: Edges) -> Edges:
        return Edges(
            self.starting | other.starting, self.ending | other.ending, self.whole | other.whole, self.functions
        )

    def joined(self, left: Collection[str], right: Collection[str], slash: str) -> bool:
        """Tell whether one of the names at a joint may be wrong there; `slash` stands "left", "right" or not ("")."""
        if slash == "right":
            return not self.ending.isdisjoint(left)
        if slash == "left":
            return not self.starting.isdisjoint(right)
        return not (self.ending.isdisjoint(left) and self.whole.isdisjoint(left) and self.starting.isdisjoint(right))


def may_join(data: bytes) -> bool:
    """Tell, quickly, whether a file may join text at all."""
    return any(needle in data for needle in NEEDLES)


def joints(data: bytes, edges: Edges | None) -> Iterator[int]:
    """Yield the offsets where a name that may be known to have a slash at its edge is joined to something.

    None for `edges` means all names. In functions to which telling texts are given, all names count.
    """
    spans = list(_bodies(data, edges.functions)) if edges is not None and edges.functions else []

    def counts(at: int, left: set[str], right: set[str], slash: str) -> bool:
        return edges is None or edges.joined(left, right, slash) or any(start <= at < end for start, end in spans)

    for match in _CLOSING.finditer(data):
        at = match.start()
        before = _BEFORE.search(data, max(at - 60, 0), at)
        slash = "right" if data[at + 1 : at + 2] == b"/" else ""
        after = _names(data[at + 2 : at + 60].partition(b"}")[0]) if data[at + 1 : at + 2] == b"{" else set()
        if before is not None and counts(at, _names(before[1]), after, slash):
            yield at
    for start, line in lines_with(data, NEEDLES[:-2]):
        for match in _JOINT.finditer(line):
            kind, text = match.lastgroup, match[match.lastgroup or 0]
            before = _BEFORE.search(line, 0, match.start() + 1)
            left = _names(before[1]) if before else set()
            if not line[: match.start()].strip():  # the operator stands at the beginning of a line
                left |= _names(data[max(start - 160, 0) : start])
            if kind in ("right", "after", "behind"):
                quoted = kind != "behind" and (kind == "right" or text[:1] == b"(") and (b'"' in text or b"'" in text)
                found = quoted or counts(start, set(), _names(text), "left")
            elif kind == "name":
                found = counts(start, left, _names(text), "")
            elif kind in ("slashed", "bare"):
                found = counts(start, left, set(), "right" if kind == "slashed" else "")
            else:
                found = counts(start, _names(text), _names(text), "")
            if found:
                yield start + match.start()
                break


def _names(text: bytes) -> set[str]:
    return {word.decode("utf-8", "replace") for word in _WORD.findall(text)}


def lines_with(data: bytes, needles: Collection[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that hold one of some texts, with their offsets."""
    starts: set[int] = set()
    for needle in needles:
        at = data.find(needle)
        while at >= 0:
            end = data.find(b"\n", at)
            starts.add(data.rfind(b"\n", 0, at) + 1)
            at = data.find(needle, end) if end >= 0 else -1
    for start in sorted(starts):
        end = data.find(b"\n", start)
        yield start, data[start : end if end >= 0 else len(data)]


def _bodies(data: bytes, names: Collection[str]) -> Iterator[tuple[int, int]]:
    for match in _FUNCTION.finditer(data):
        if match[2].decode("utf-8", "replace") in names:
            end = re.compile(rb"^[ \t]{0,%d}[^ \t\r\n#)\]}]" % len(match[1]), re.MULTILINE).search(data, match.end())
            yield match.start(), end.start() if end else len(data)


def edges_in(data: bytes) -> Edges:
    """Return the names to which lines with telling texts give a value, by what these texts tell."""
    starting: set[bytes] = set()
    ending: set[bytes] = set()
    whole: set[bytes] = set()
    functions: set[bytes] = set()
    stripped: set[bytes] = set()
    told = -1
    found: set[bytes] = set()
    line = b""
    for match in SLASHED.finditer(data):
        text = match.group()
        if match.start() > told:
            start = data.rfind(b"\n", 0, match.start()) + 1
            end = data.find(b"\n", match.end())
            told = end if end >= 0 else len(data)
            line = data[start:told]
            given, callees = _given(data, start, line)
            functions |= callees
            found = given | callees
        if text[:1] not in b"\"'":
            stripped |= found | set(_WORD.findall(line))
            continue
        if text[1:2] == b"/":
            starting |= found
        if text[-2:-1] == b"/":
            ending |= found
        elif b"://" in text:
            whole |= found
    if stripped:
        ending |= stripped | _of_the_same_setting(data, stripped)
    return Edges(_texts(starting), _texts(ending), _texts(whole), _texts(functions))


def given_by(data: bytes, text: re.Pattern[bytes]) -> tuple[set[bytes], set[bytes]]:
    """Return the names to which lines with a text give a value, and the functions that they call."""
    given: set[bytes] = set()
    called: set[bytes] = set()
    for match in text.finditer(data):
        start = data.rfind(b"\n", 0, match.start()) + 1
        end = data.find(b"\n", match.end())
        names, callees = _given(data, start, data[start : end if end >= 0 else len(data)])
        given |= names
        called |= callees
    return given - _NO_GIVERS_IN_BYTES, called - _NO_GIVERS_IN_BYTES


def _given(data: bytes, start: int, line: bytes) -> tuple[set[bytes], set[bytes]]:
    """Return the names that a line, or the statement that it goes on, gives a value to, and what it calls."""
    target = _TARGET.match(line)
    found = {target[1]} if target else set()
    found.update(_KEYWORD.findall(line))
    found.update(option.replace(b"-", b"_") for option in _OPTION.findall(line))
    callees = set(_CALLEE.findall(line))
    if (not found and not callees) or line.lstrip()[:1] in (b'"', b"'"):
        for earlier in data[max(start - 400, 0) : start].splitlines()[-4:]:
            found.update([before[1]] if (before := _TARGET.match(earlier)) else [])
            found.update(_KEYWORD.findall(earlier))
            callees.update(_CALLEE.findall(earlier))
    return found, callees


def _of_the_same_setting(data: bytes, names: set[bytes]) -> set[bytes]:
    """Return the names that are given what one of some names is given: `os.environ["KEY"]`, say."""
    keys = {key for _, line in lines_with(data, names) for name, key in _SETTING.findall(line) if name in names}
    return {name for _, line in lines_with(data, keys) for name, key in _SETTING.findall(line) if key in keys}


def _texts(words: set[bytes]) -> frozenset[str]:
    return frozenset(word.decode("utf-8", "replace") for word in words) - _NO_GIVERS
