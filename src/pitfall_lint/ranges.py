"""Version ranges as intervals, so that two specifiers can be compared: inside, outside, or partly."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, total_ordering

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version


@total_ordering
@dataclass(frozen=True)
class Cut:
    """A place between two versions; no version at all means the far end on that side."""

    version: Version | None
    side: int
    """-1 just before the version, +1 just after it; with no version -1 is the very beginning, +1 the end."""

    def __lt__(self, other: Cut) -> bool:
        if self.version is None or other.version is None:
            mine = 0 if self.version is not None else self.side
            theirs = 0 if other.version is not None else other.side
            return mine < theirs
        return (self.version, self.side) < (other.version, other.side)


START, END = Cut(None, -1), Cut(None, 1)


@dataclass(frozen=True)
class Range:
    """A set of versions: sorted intervals that don't touch."""

    intervals: tuple[tuple[Cut, Cut], ...]

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __or__(self, other: Range) -> Range:
        merged: list[tuple[Cut, Cut]] = []
        for low, high in sorted(self.intervals + other.intervals):
            if merged and low <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], high))
            else:
                merged.append((low, high))
        return Range(tuple(merged))

    def __and__(self, other: Range) -> Range:
        pairs = ((max(a, c), min(b, d)) for a, b in self.intervals for c, d in other.intervals)
        return Range(tuple(sorted((low, high) for low, high in pairs if low < high)))

    def within(self, other: Range) -> bool | None:
        """True when every version of this range lies in `other`, False when none does, else None."""
        common = self & other
        if not common:
            return False
        return True if common == self else None


ANY = Range(((START, END),))
NONE = Range(())


def union(ranges: Iterable[Range]) -> Range:
    """Return the versions that lie in at least one of the ranges."""
    result = NONE
    for part in ranges:
        result |= part
    return result


def point(version: str) -> Range | None:
    """Return the range that holds one version only; None for text that is no version."""
    try:
        exact = Version(Version(version).public)
    except InvalidVersion:
        return None
    return Range(((Cut(exact, -1), Cut(exact, 1)),))


@lru_cache(maxsize=512)
def parse(text: str) -> Range | None:
    """Return the range of a PEP 440 specifier, of a bare version, or of poetry's `^1.2`, `~1.2`, `1.*`.

    `a || b` is either of them. None for text that is none of these.
    """
    text = text.strip()
    if text in ("", "*"):
        return ANY
    if "||" in text:
        parts = [parse(part) for part in text.split("||")]
        return None if None in parts else union(part for part in parts if part is not None)
    result = ANY
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        one = _single(part)
        if one is None:
            return None
        result &= one
    return result


def _single(text: str) -> Range | None:
    if match := re.fullmatch(r"(\^|~)\s*(\d[\w.+!-]*)", text):
        return _poetry(match[1], match[2])
    if text[0].isdigit() or text[0] == "v":
        text = "==" + text
    try:
        return _specifier(next(iter(SpecifierSet(text))))
    except (InvalidSpecifier, InvalidVersion, StopIteration):
        return None


def _poetry(operator: str, text: str) -> Range | None:
    try:
        low = Version(text)
    except InvalidVersion:
        return None
    release = low.release
    if operator == "~":
        keep = min(len(release), 2)
    else:  # up to and with the first part that is not zero
        keep = next((number for number, part in enumerate(release, 1) if part), len(release))
    return Range(((Cut(low, -1), Cut(_next(release[:keep], low.epoch), -1)),))


def _next(release: tuple[int, ...], epoch: int = 0) -> Version:
    """The first pre-release of the next release of that length: nothing of it is allowed any more."""
    bumped = (*release[:-1], release[-1] + 1)
    return Version(f"{epoch}!" + ".".join(map(str, bumped)) + ".dev0")


def _specifier(specifier: Specifier) -> Range | None:
    operator, text = specifier.operator, specifier.version
    if operator == "===":
        return point(text)
    wildcard = text.endswith(".*")
    version = Version(text.removesuffix(".*"))
    if operator == "~=":
        return Range(((Cut(version, -1), Cut(_next(version.release[:-1], version.epoch), -1)),))
    if wildcard:
        low = Cut(Version(f"{version}.dev0"), -1)
        high = Cut(_next(version.release, version.epoch), -1)
    else:
        low, high = Cut(version, -1), Cut(version, 1)
    if operator == "==":
        return Range(((low, high),))
    if operator == "!=":
        return Range(((START, low), (high, END)))
    if operator == ">=":
        return Range(((low, END),))
    if operator == ">":
        return Range(((high, END),))
    if operator == "<=":
        return Range(((START, high),))
    if operator == "<":  # PEP 440: pre-releases of the named version are not allowed either
        floor = version if version.is_prerelease else Version(f"{version}.dev0")
        return Range(((START, Cut(floor, -1)),))
    return None
