"""What git ignores: `.gitignore` files, nested and negated, and a repository's `info/exclude`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "xdigit": "0-9a-fA-F",
    "punct": r"!-/:-@\[-`{-~",
    "blank": r" \t",
}
_FOLDER = "\0"
"""Stands at the end of a folder's path while it is compared: no name holds it."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """One ignore file: `folder` is where its patterns start, with "/" at its end."""

    folder: str
    any: re.Pattern[str]
    """Matches what any of the patterns matches: most paths need no more."""
    rules: tuple[tuple[re.Pattern[str], bool], ...]
    """The patterns, last one first, and whether each takes back (`!`)."""


Rules = tuple[Ignored, ...]
"""The ignore files that count for a folder, the innermost first."""


def ignores(rules: Rules, path: str, is_folder: bool) -> bool:
    """Tell whether an absolute path with "/" is ignored; the innermost ignore file decides."""
    text = path + _FOLDER if is_folder else path
    for file in rules:
        if not text.startswith(file.folder):
            continue
        relative = text[len(file.folder) :]
        if file.any.fullmatch(relative):
            for pattern, takes_back in file.rules:
                if pattern.fullmatch(relative):
                    return not takes_back
    return False


def around(folder: str, used: list[str]) -> Rules:
    """Return the rules of the repository's folders above an absolute folder; none outside of a repository.

    The files that were looked for are added to `used`.
    """
    above: list[str] = []
    current = folder
    while True:
        if os.path.lexists(os.path.join(current, ".git")):
            break
        parent = os.path.dirname(current)
        if parent == current:
            return ()
        current = parent
        above.append(current)
    rules: Rules = ()
    if above:
        rules = _read(os.path.join(current, ".git", "info", "exclude"), current, rules, used)
    for parent in reversed(above):
        rules = _read(os.path.join(parent, ".gitignore"), parent, rules, used)
    return rules


def inside(folder: str, names: set[str], rules: Rules, used: list[str]) -> Rules:
    """Return the rules that count for the entries of a folder, whose names are given."""
    if ".git" in names:  # a repository of its own: what stands further out is not its business
        rules = _read(os.path.join(folder, ".git", "info", "exclude"), folder, (), used)
    if ".gitignore" in names:
        rules = _read(os.path.join(folder, ".gitignore"), folder, rules, used)
    return rules


def _read(path: str, folder: str, rules: Rules, used: list[str]) -> Rules:
    used.append(path)
    try:
        if not os.path.isfile(path):
            return rules
        with open(path, "rb") as stream:
            text = stream.read().decode("utf-8", "surrogateescape")
    except OSError:
        return rules
    compiled = parse(text.removeprefix("\ufeff"), folder)
    return (compiled, *rules) if compiled else rules


def parse(text: str, folder: str) -> Ignored | None:
    """Return the patterns of an ignore file in `folder`, None without any; broken ones match nothing."""
    rules: list[tuple[re.Pattern[str], bool]] = []
    for line in re.split(r"\r?\n", text):
        if not line or line.startswith("#"):
            continue
        line = re.sub(r"(?<!\\) +$", "", line)
        takes_back = line.startswith("!")
        expression = translate(line[1:] if takes_back else line)
        if expression:
            try:
                rules.append((re.compile(expression, re.DOTALL), takes_back))
            except re.error:
                continue
    if not rules:
        return None
    together = re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in rules), re.DOTALL)
    return Ignored(os.path.join(folder, "").replace(os.sep, "/"), together, tuple(reversed(rules)))


def translate(pattern: str) -> str:
    """Return one pattern as an expression for a path relative to its file; folders end in NUL there."""
    only_folders = pattern.endswith("/")
    pattern = pattern[:-1] if only_folders else pattern
    anchored = "/" in pattern
    pattern = pattern.removeprefix("/")
    if not pattern:
        return ""
    out, index = "" if anchored else "(?:.*/)?", 0
    while index < len(pattern):
        char = pattern[index]
        at_start = index == 0 or pattern[index - 1] == "/"
        if at_start and pattern.startswith("**/", index):
            out, index = out + "(?:.*/)?", index + 3
            continue
        if at_start and pattern[index:] == "**":
            return out + (".+\0" if only_folders else ".+")
        if char == "*":
            while pattern[index + 1 : index + 2] == "*":
                index += 1
            out += "[^/\0]*"
        elif char == "?":
            out += "[^/\0]"
        elif char == "[":
            end, text = _set(pattern, index)
            if not end:
                return ""
            out, index = out + text, end - 1
        elif char == "\\":
            index += 1
            if index >= len(pattern):
                return ""
            out += re.escape(pattern[index])
        else:
            out += re.escape(char)
        index += 1
    return out + ("\0" if only_folders else "\0?")


def _set(pattern: str, start: int) -> tuple[int, str]:
    """Translate `[…]` at `start`; return the index behind it, 0 when it does not end."""
    index, text = start + 1, ""
    negated = pattern[index : index + 1] in ("!", "^")
    index += negated
    first = index
    while index < len(pattern):
        char = pattern[index]
        if char == "]" and index > first:
            return index + 1, f"(?![/\0])[{'^' if negated else ''}{text}]"
        if pattern.startswith("[:", index) and (end := pattern.find(":]", index)) > 0:
            text, index = text + _CLASSES.get(pattern[index + 2 : end], ""), end + 2
            continue
        if char == "\\" and index + 1 < len(pattern):
            index += 1
            char = pattern[index]
        text += char if char == "-" and index > first else re.escape(char)
        index += 1
    return 0, ""
