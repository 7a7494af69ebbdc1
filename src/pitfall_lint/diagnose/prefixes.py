"""Log lines without what log drivers put before them: JSON, docker, journald, gunicorn, colours, boxes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][AB0]")
_STAMP = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[ ]?[+-]\d\d:?\d\d)?"
_PREFIXES = (
    re.compile(rf"^{_STAMP} (?:stdout|stderr) [FP] "),  # Kubernetes
    re.compile(r"^[\w][\w.-]*\s+\| ?(?=\S|\s|$)"),  # docker compose
    re.compile(r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \S+ [^\s:\[]+(?:\[\d+\])?: ?"),  # journald, syslog
    re.compile(rf"^{_STAMP} [\w.-]+ [^\s:\[]+\[\w[\w.]*\]: ?"),  # syslog with ISO time, Heroku
    re.compile(rf"^{_STAMP} \w+\[[\w.]+\]: ?"),
    re.compile(rf"^\[{_STAMP}\] \[\d+\] \[[A-Z]+\] "),  # gunicorn
    re.compile(rf"^{_STAMP} (?=Traceback|  File |    |[\w.]+(?:Error|Exception)\b)"),  # docker logs -t, GitHub Actions
    re.compile(r"^E {3}(?=\S)"),  # pytest
    re.compile(r"^> (?=File )"),  # loguru
)
_GROUP = re.compile(r"^\s*(?:\|\s?|\+ (?=Exception Group)|\+-[+\-]*[- \d.]*-*$)")
_BOX = re.compile(r"[│╭╰╮╯─]+|❱")
_TEXTS = ("message", "msg", "event", "log", "MESSAGE", "textPayload", "error", "@message", "short_message")
_TRACES = (
    "exc_info",
    "exception",
    "traceback",
    "stack",
    "stack_trace",
    "stacktrace",
    "exc_text",
    "full_message",
)


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines that the program itself wrote."""
    for raw in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = _ANSI.sub("", raw)
        opened = line.lstrip()
        if opened.startswith("{") and opened.rstrip().endswith("}") and (inner := _from_json(opened)) is not None:
            yield from (_plain(part) for part in inner.split("\n"))
        else:
            yield _plain(line)


def _plain(line: str) -> str:
    for _ in range(3):
        shorter = line
        for pattern in _PREFIXES:
            shorter = pattern.sub("", shorter, count=1)
        if shorter == line:
            break
        line = shorter
    while (match := _GROUP.match(line)) is not None and match.end():
        line = line[match.end() :]
    return _BOX.sub(" ", line).rstrip() if _BOX.search(line) else line.rstrip()


def _from_json(line: str) -> str | None:
    """Return the message and the traceback of a JSON log line; None if it is no JSON."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    found = [*_strings(data, _TEXTS), *_strings(data, _TRACES)]
    return "\n".join(dict.fromkeys(found))


def _strings(data: dict[str, Any], keys: tuple[str, ...], depth: int = 2) -> Iterator[str]:
    for key, value in data.items():
        if key in keys and isinstance(value, str):
            inner = _from_json(value.strip()) if value.lstrip().startswith("{") else None
            yield inner if inner is not None else value.rstrip("\n")
        elif key in keys and isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield "\n".join(item.rstrip("\n") for item in value)
        elif isinstance(value, dict) and depth:
            yield from _strings(value, keys, depth - 1)
