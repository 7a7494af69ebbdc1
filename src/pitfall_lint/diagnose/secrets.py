"""Takes secrets out of what a log says before any of it is shown."""

from __future__ import annotations

import re

MASK = "***"
_WORD = (
    r"(?:[\w-]*(?:passw(?:or)?d|passwd|passphrase|pwd|secret|token(?!s\b|i[sz]|_(?:count|type|limit))|api[_-]?key"
    r"|access[_-]?key|account[_-]?key|authorization|auth(?!or)|credentials?|cookie|session[_-]?id|private[_-]?key"
    r"|signature|dsn)[\w-]*)"
)
_QUOTED = r"\\?\"[^\"]*\"|\\?'[^']*'"
_PATTERNS = (
    (re.compile(r"-----BEGIN [^-]*PRIVATE KEY-----.*?(?:-----END [^-]*-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"(?i)\b((?:set-)?cookie: ?).+"), rf"\1{MASK}"),
    # user:password@ in URLs
    (re.compile(r"(?<=://)[^\s/\"']+@"), f"{MASK}@"),
    (re.compile(r"(?i)\b(bearer|basic|token|digest)(\s+)[\w.~+/=-]{6,}"), rf"\1\2{MASK}"),
    # ('authorization', 'Bearer …'), password=…, "api_key": "…", --password …, the password is …
    (re.compile(rf"(?i)({_WORD}[\"']\s*,\s*b?)({_QUOTED})"), rf"\1{MASK}"),
    (re.compile(rf"(?i)({_WORD}\\?[\"']?\s*[=:]\s*)(?!{re.escape(MASK)})({_QUOTED}|[^\s,;&)\]}}]+)"), rf"\1{MASK}"),
    (
        re.compile(
            rf"(?i)(--?{_WORD} +|{_WORD} is )(?!{re.escape(MASK)})({_QUOTED}|(?!\w*(?:missing|required|not)\b)\S+)"
        ),
        rf"\1{MASK}",
    ),
    # what secrets of well-known services look like
    (
        re.compile(r"\b(?:sk|pk|rk|xox[abprs]|gh[oprsu]|glpat|github_pat|hf|AKIA|ASIA|AIza|ya29)[-_.]?[\w-]{8,}"),
        MASK,
    ),
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?"), MASK),
    (re.compile(r"(?<!\d)\d{6,}:[\w-]{20,}"), MASK),
    (re.compile(r"(?<![\w/+])(?=\S*\d)(?=\S*[A-Z])(?=\S*[a-z])[A-Za-z0-9+][A-Za-z0-9/+]{39}(?![\w/+.])"), MASK),
    # long words of mixed letters and digits; paths and dotted names are none
    (re.compile(r"(?<![\w/.\\-])(?=[\w+-]*\d)(?=[\w+-]*[A-Za-z])[\w+-]{28,}={0,2}(?![\w/.\\-])"), MASK),
)


def masked(text: str) -> str:
    """Return the text with everything that looks like a secret replaced by `***`."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
