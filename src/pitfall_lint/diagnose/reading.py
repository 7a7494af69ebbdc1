"""From a log to its errors: tracebacks with their frames, chains and groups, and single telling lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pitfall_lint.diagnose.prefixes import lines_of

_HEADER = re.compile(r"(?:Exception Group )?Traceback \(most recent call last\)|^Object created at \(most recent")
_FRAME = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>[\w<>.]+))?')
_SHORT = re.compile(
    r"(?P<path>(?:[A-Za-z]:)?[^\s:\"'(<>]+\.py):(?P<line>\d+)"
    r"(?::? in (?P<function>[\w<>.]+)|: (?=[\w.]+(?:Error|Exception|Warning)\b)|:?$)"
)
_COROUTINE = re.compile(
    r"(?:coro|wait_for|coroutine)=<(?P<function>[\w.<>]+)\(\)[^>]*?"
    r"(?:(?:defined|running|created) at (?P<path>[^>]+?\.py):(?P<line>\d+))?>"
)
_NEVER_AWAITED = re.compile(r"coroutine '(?P<function>[\w.<>]+)' was never awaited")
_EXCEPTION = re.compile(r"^(?P<type>(?:[A-Za-z_]\w*\.)*[A-Z_a-z]\w*)(?:: (?P<message>.*))?$")
_DETAIL = re.compile(r"\s*(?:future|task|client_session|connector|connections|transport|handle|protocol|message)\s*:")
_CHAIN = ("During handling of the above exception", "The above exception was the direct cause")
_PENDING = 4
"""Lines before a traceback that may belong to it."""
_CONTINUED = 3
"""Further lines that the text of an exception may have."""


@dataclass(frozen=True)
class Frame:
    """One line of a traceback: path as printed, 1-based line, function."""

    path: str
    line: int
    function: str = ""
    text: str = ""
    """The line of source below it, where the log has it."""


@dataclass
class Event:
    """One error: what the log says of it, and the way that led there, outermost frame first."""

    lines: list[str] = field(default_factory=list)
    """What is said of the error: log messages and exception lines, without frames and source."""
    frames: list[Frame] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    """`Type: message`, the last one is what was raised in the end."""
    names: list[str] = field(default_factory=list)
    """Functions that are named outside of frames: coroutines of tasks."""
    count: int = 1

    @property
    def title(self) -> str:
        """The line that a person would quote."""
        never = next((line for line in self.lines if "never retrieved" in line or "never awaited" in line), None)
        return never or (self.exceptions[-1] if self.exceptions else self.lines[0] if self.lines else "")

    @property
    def text(self) -> str:
        """Everything that is said of the error."""
        return "\n".join(self.lines)


def read_log(text: str, is_telling: Callable[[str], bool]) -> list[Event]:
    """Return the errors of a log, repeated ones once; `is_telling` says which single lines are errors."""
    reader = _Reader(is_telling)
    for line in lines_of(text):
        reader.take(line)
    reader.close()
    unique: dict[tuple[object, ...], Event] = {}
    for event in reader.events:
        key = (re.sub(r"\d+", "", event.title), tuple(frame.function for frame in event.frames), *event.names)
        if key in unique:
            unique[key].count += 1
        else:
            unique[key] = event
    return list(unique.values())


class _Reader:
    """Takes lines; where it stands is outside, in frames, or behind an exception line."""

    def __init__(self, is_telling: Callable[[str], bool]) -> None:
        self.is_telling = is_telling
        self.events: list[Event] = []
        self.event: Event | None = None
        self.pending: list[str] = []
        self.state = "outside"
        self.chained = False
        self.continued = 0

    def take(self, line: str) -> None:
        """Take the next line."""
        if _HEADER.search(line):
            self._header(line)
        elif self.state == "frames":
            self._in_frames(line)
        elif any(words in line for words in _CHAIN):
            self.chained = True
        elif (match := _FRAME.search(line)) is not None:  # a traceback without its head
            self._header("")
            self._frame(match)
        else:
            self._outside(line)

    def close(self) -> None:
        """Take the end."""
        if self.event is not None:
            self.events.append(self.event)
        self.event, self.pending, self.state = None, [], "outside"

    def _header(self, line: str) -> None:
        lead = self.pending
        if self.event is None or not (self.chained or self._is_group(line) or line.startswith("Object created")):
            if self.event is not None:
                self.events.append(self.event)
            self.event = Event()
        self.pending = []
        for text in lead:
            self._say(text)
        self.state, self.chained = "frames", False

    def _is_group(self, line: str) -> bool:
        """Tell whether the traceback is a member of the group whose head was just read."""
        event = self.event
        return bool(event and event.exceptions and "sub-exception" in event.exceptions[0] and not self.pending)

    def _frame(self, match: re.Match[str]) -> None:
        assert self.event is not None
        self.event.frames.append(Frame(match["path"], int(match["line"]), match["function"] or ""))

    def _in_frames(self, line: str) -> None:
        assert self.event is not None
        match = _FRAME.search(line) or _SHORT.search(line)
        if match is not None:
            self._frame(match)
        elif line[:1].isspace() and self.event.frames and not self.event.frames[-1].text and not line.strip(" ~^"):
            return  # marks without the line that they belong to
        elif line[:1].isspace() and self.event.frames and not self.event.frames[-1].text:
            self.event.frames[-1] = replace(self.event.frames[-1], text=line.strip())
        elif line and not line[0].isspace() and _EXCEPTION.match(line) is not None:
            self.event.exceptions.append(line)
            self._say(line)
            self.state, self.continued = "behind", _CONTINUED
        elif line and not line[0].isspace() and not line.startswith(("...", "[Previous line")):
            self.state, self.continued = "behind", 0
            self._outside(line)

    def _say(self, line: str) -> None:
        assert self.event is not None
        self.event.lines.append(line)
        for match in _COROUTINE.finditer(line):
            self.event.names.append(match["function"])
            if match["path"]:
                self.event.frames.insert(
                    0, Frame(match["path"], int(match["line"]), match["function"].rpartition(".")[2])
                )
        if never := _NEVER_AWAITED.search(line):
            self.event.names.append(never["function"])
        if (at := _SHORT.search(line)) is not None and "Warning" in line:
            self.event.frames.append(Frame(at["path"], int(at["line"])))

    def _outside(self, line: str) -> None:
        if not line.strip():
            self.continued = 0
            return
        if self.state == "behind" and self.continued and self.event is not None and not self.is_telling(line):
            self.continued -= 1
            self._say(line)
        goes_on = bool(self.event and self.event.lines and _goes_on(line))
        if self.is_telling(line) or goes_on:
            if not goes_on:
                if self.event is not None:
                    self.events.append(self.event)
                self.event, self.state = Event(), "told"
            self._say(line)
            if self.event is not None and _EXCEPTION.match(line) and not self.event.exceptions and "Error" in line:
                self.event.exceptions.append(line)
            self.continued = 0
            # what was told may be the head of a traceback that follows
            self.pending = []
            self.chained = True
            return
        if self.state != "outside" and not self.continued:
            self.chained = False
        self.pending = [*self.pending, line][-_PENDING:]


def _goes_on(line: str) -> bool:
    """Tell whether a line details the telling one before: asyncio prints the future, aiohttp the session."""
    return _DETAIL.match(line) is not None
