"""Path patterns as ruff reads them: a bare name, or an absolute glob whose stars cross folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=512)
def glob(pattern: str) -> re.Pattern[str]:
    """Compile a path pattern: `*` and `**` cross folders as with ruff, `{a,b}` and `[…]` are known."""
    out, index, depth = "", 0, 0
    while index < len(pattern):
        char = pattern[index]
        if pattern.startswith("/**/", index):
            out, index = out + "/(?:.*/)?", index + 4
            continue
        if char == "*":
            out += ".*" if not out.endswith(".*") else ""
        elif char == "?":
            out += "."
        elif char == "[" and (end := pattern.find("]", index + 2)) > 0:
            inside = pattern[index + 1 : end].replace("\\", "\\\\")
            out, index = out + f"[{'^' + inside[1:] if inside[0] == '!' else inside}]", end
        elif char == "{" and "}" in pattern[index:]:
            out, depth = out + "(?:", depth + 1
        elif char == "}" and depth:
            out, depth = out + ")", depth - 1
        elif char == "," and depth:
            out += "|"
        else:
            out += re.escape(char)
        index += 1
    return re.compile(out, re.DOTALL)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether an absolute path (of a file or folder) matches a pattern by itself, not by its folder."""
    path = path.replace(os.sep, "/")
    name = path.rpartition("/")[2]
    return any(bool(glob(pattern).fullmatch(path if "/" in pattern else name)) for pattern in patterns)
