"""A rule's page: Markdown for people, with a block of TOML and three programs for the machine."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pitfall_lint.finding import Applicability, Severity

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SECTIONS = ("Why", "Bad", "Fixed", "Good", "Known limits")
_HEADING = re.compile(r"# (?P<name>[a-z0-9]+(?:-[a-z0-9]+)*) \((?P<code>PIT\d{3})\)")
_FENCE = re.compile(r"^```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_CHOICES = {
    "set": ("default", "strict"),
    "severity": tuple(severity.value for severity in Severity),
    "fix": ("safe", "unsafe", "none"),
}
_LISTS = ("asks", "shape", "symptoms", "replaces")
_KEYS = ("code", *_CHOICES, *_LISTS, "built_in", "example_versions")


class PageError(ValueError):
    """A page cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one page says."""

    path: str
    name: str
    family: str
    code: str
    summary: str
    set: str
    severity: Severity
    fix: Applicability | None
    asks: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()
    """What the code around the words of those rows looks like, see `semantic.wants.SHAPES`."""
    symptoms: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    built_in: bool = False
    example_versions: Mapping[str, str] = field(default_factory=dict, hash=False, compare=False)
    """Which versions of libraries the examples are about; the tests hand them to the project."""
    text: str = field(default="", repr=False, compare=False)
    sections: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False, compare=False)

    def programs(self, section: str) -> tuple[str, ...]:
        """Return the Python programs of a section."""
        return tuple(
            match["text"] for match in _FENCE.finditer(self.sections.get(section, "")) if match["kind"] == "python"
        )


def read_page(path: Path) -> Page:
    """Read one page. Raises PageError."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PageError(f"{path}: {error}") from None
    try:
        return parse_page(text, path)
    except PageError as error:
        raise PageError(f"{path}: {error}") from None


def parse_page(text: str, path: Path) -> Page:
    """Read a page from its text; `path` gives the stem and the family. Raises PageError without the path."""
    first, _, rest = text.partition("\n")
    heading = _HEADING.fullmatch(first.rstrip())
    if heading is None:
        raise PageError(f"the first line must be '# {path.stem} (PITnnn)', not {first!r}")
    if heading["name"] != path.stem:
        raise PageError(f"the heading says {heading['name']!r}, the file is called {path.stem!r}")
    head, *parts = re.split(r"^## (.+?)[ \t]*\n", rest, flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    block = _FENCE.search(head)
    if block is None or block["kind"] != "toml":
        raise PageError("a ```toml block is missing below the first sentence")
    summary = " ".join(head[: block.start()].split())
    if not summary:
        raise PageError("the sentence below the heading is missing")
    values = _values(block["text"])
    if values["code"] != heading["code"]:
        raise PageError(f"the heading says {heading['code']}, the block {values['code']!r}")
    page = Page(
        path=f"{path.parent.name}/{path.name}",
        name=path.stem,
        family=path.parent.name,
        code=values["code"],
        summary=summary,
        set=values["set"],
        severity=Severity(values["severity"]),
        fix=None if values["fix"] == "none" else Applicability(values["fix"]),
        asks=tuple(values.get("asks", ())),
        shape=tuple(values.get("shape", ())),
        symptoms=tuple(values.get("symptoms", ())),
        replaces=tuple(values.get("replaces", ())),
        built_in=values.get("built_in", False),
        example_versions=values.get("example_versions", {}),
        text=text,
        sections=sections,
    )
    _check_sections(page)
    return page


def _values(block: str) -> dict[str, Any]:
    try:
        values = tomllib.loads(block)
    except tomllib.TOMLDecodeError as error:
        raise PageError(f"the toml block: {error}") from None
    for key, value in values.items():
        if key not in _KEYS:
            raise PageError(f"unknown key {key!r}{_nearest(key, _KEYS)}")
        if key in _CHOICES and value not in _CHOICES[key]:
            raise PageError(f"{key} = {value!r}: must be one of {', '.join(_CHOICES[key])}")
        if key in _LISTS and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise PageError(f"{key} = {value!r}: must be a list of strings")
    for key in ("code", *_CHOICES):
        if key not in values:
            raise PageError(f"the key {key!r} is missing")
    return values


def _check_sections(page: Page) -> None:
    for section in page.sections:
        if section not in SECTIONS:
            raise PageError(f"unknown section '## {section}'{_nearest(section, SECTIONS)}")
    for section in SECTIONS[:4]:
        if section not in page.sections:
            raise PageError(f"the section '## {section}' is missing")
    for section in ("Bad", "Fixed") if not page.built_in else ():
        if len(page.programs(section)) != 1:
            raise PageError(f"'## {section}' must hold exactly one ```python block")


def _nearest(key: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(key, list(known), 1)
    return f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
