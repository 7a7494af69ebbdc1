"""Takes secrets out of what a log says before any of it is shown."""

from __future__ import annotations

import re

MASK = "***"
_WORD = (
    r"(?:[\w-]*(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|authorization|auth"
    r"|credentials?|cookie|session[_-]?id|private[_-]?key|signature|dsn)[\w-]*)"
)
_PATTERNS = (
    # user:password@ in URLs
    (re.compile(r"(?<=://)[^\s/@\"']+@"), f"{MASK}@"),
    (re.compile(r"(?i)\b(bearer|basic|token|digest)(\s+)[\w.~+/=-]{6,}"), rf"\1\2{MASK}"),
    # password=…, "api_key": "…", Authorization: …
    (
        re.compile(rf"(?i)({_WORD}[\"']?\s*[=:]\s*)(?!{re.escape(MASK)})(\"[^\"]*\"|'[^']*'|[^\s,;&)\]}}]+)"),
        rf"\1{MASK}",
    ),
    # what secrets of well-known services look like
    (
        re.compile(r"\b(?:sk|pk|rk|xox[abprs]|gh[oprsu]|glpat|github_pat|hf|AKIA|ASIA|AIza|ya29)[-_.]?[\w-]{8,}"),
        MASK,
    ),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?"), MASK),
    # long words of mixed letters and digits; paths and dotted names are none
    (re.compile(r"(?<![\w/.\\-])(?=[\w+-]*\d)(?=[\w+-]*[A-Za-z])[\w+-]{28,}={0,2}(?![\w/.\\-])"), MASK),
)


def masked(text: str) -> str:
    """Return the text with everything that looks like a secret replaced by `***`."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
