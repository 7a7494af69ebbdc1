"""Where a run's time goes: CPU time by stage and rule, and lines that are parsed; no clock runs unless asked for."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

STAGES = {
    "start": "interpreter, settings, rules, rows",
    "discover": "folders and ignore files",
    "cache": "what is known, and keeping it",
    "read": "the files' bytes",
    "screen": "telling words",
    "wake": "what those words mean where they stand",
    "ast": "parsing for that",
    "syntax": "syntax errors of whole files",
    "import": "loading LibCST and what asks it",
    "drafts": "drafts of what has to be looked at",
    "trees": "scopes and names in them",
    "libcst": "parsing what is reported",
    "checks": "the rules themselves",
    "report": "what you read",
    "rest": "handing things around",
}
"""The stages of a run, in its order, with what they are for."""


@dataclass
class Figures:
    """What was measured, of one process or several; plain data."""

    nanoseconds: Counter[str] = field(default_factory=Counter)
    """CPU time by stage, and by rule; nothing is counted twice."""
    definitions: Counter[str] = field(default_factory=Counter)
    """How many definitions each rule looked at."""
    lines: Counter[str] = field(default_factory=Counter)
    """Lines that `ast` and `libcst` have read, and of which `drafts` were made, followed functions and second
    readings included, and `all` lines.
    Of single lines and imports, which are read one by one, `ast` makes `snippets`."""
    files: Counter[str] = field(default_factory=Counter)
    """`all` files, and those `looked` at closely."""
    processes: int = 0

    def add(self, other: Figures) -> None:
        """Count what another process measured, too."""
        for own, more in (
            (self.nanoseconds, other.nanoseconds),
            (self.definitions, other.definitions),
            (self.lines, other.lines),
            (self.files, other.files),
        ):
            own.update(more)
        self.processes += other.processes

    def milliseconds(self, stage: str) -> float:
        """Return the CPU time of a stage."""
        if stage != "checks":
            return self.nanoseconds[stage] / 1e6
        return sum(spent for name, spent in self.nanoseconds.items() if name == "checks" or name not in STAGES) / 1e6

    def rules(self) -> list[tuple[str, float, int]]:
        """Return the rules that ran, dearest first: code, CPU milliseconds, definitions."""
        codes = {*self.definitions, *(name for name in self.nanoseconds if name not in STAGES)}
        found = [(code, self.nanoseconds[code] / 1e6, self.definitions[code]) for code in codes]
        return sorted(found, key=lambda rule: (-rule[1], rule[0]))


class Clock:
    """Says for each moment of this process's CPU time which stage it belongs to: the innermost one."""

    def __init__(self) -> None:
        self._figures = Figures(processes=1)
        self._stack = ["start"]
        self._since = 0  # what was spent before there was a clock is the start, too

    def enter(self, stage: str) -> None:
        """Begin a stage inside the present one; the code of a rule is one as well."""
        self._count()
        self._stack.append(stage)

    def leave(self) -> None:
        """Go back to the stage around this one."""
        self._count()
        self._stack.pop()

    def become(self, stage: str) -> None:
        """Say what everything is from now on that no stage names."""
        self._count()
        self._stack[0] = stage

    def take(self) -> Figures:
        """Return what was measured since this was asked last."""
        self._count()
        taken, self._figures = self._figures, Figures()
        return taken

    def read(self, kind: str, text: str | bytes) -> None:
        """Count the lines of a text that somebody parses, without the headers that make a slice of it."""
        found = (text.decode("latin-1") if isinstance(text, bytes) else text).strip().split("\n")
        headers = next((number for number, line in enumerate(found) if line.strip() != "if 1:"), 0)
        is_import = isinstance(text, bytes) and text.lstrip().startswith((b"import ", b"from "))
        is_snippet = kind == "ast" and (is_import or len(found) == headers + 1)
        self._figures.lines["snippets" if is_snippet else kind] += len(found) - headers

    def looks(self) -> None:
        """Count a file that needs a closer look, and time that."""
        listen_closely()
        self._figures.files["looked"] += 1

    def looked(self, code: str, definitions: int) -> None:
        """Count what a rule looked at in a file."""
        self._figures.definitions[code] += definitions

    def _count(self) -> None:
        now = time.process_time_ns()
        self._figures.nanoseconds[self._stack[-1]] += now - self._since
        self._since = now


CLOCK: Clock | None = None
"""The clock of this process; None, mostly."""


def start() -> Clock:
    """Start the clock of this process anew, and listen to the parsers."""
    global CLOCK
    CLOCK = Clock()
    return CLOCK


def stop() -> None:
    """Go on without a clock."""
    global CLOCK
    CLOCK = None
    while _LISTENED:
        owner, name, function = _LISTENED.pop()
        setattr(owner, name, function)


@contextlib.contextmanager
def _timed(clock: Clock, name: str) -> Iterator[None]:
    clock.enter(name)
    try:
        yield
    finally:
        clock.leave()


_NOTHING: contextlib.AbstractContextManager[None] = contextlib.nullcontext()


def stage(name: str) -> contextlib.AbstractContextManager[None]:
    """Return what times a stage; nothing is done when no clock runs. Not for inner loops."""
    return _NOTHING if CLOCK is None else _timed(CLOCK, name)


_LISTENED: list[tuple[Any, str, Any]] = []
"""Who is listened to, and the function that stood there before."""


def listen() -> None:
    """Time the parsers that the screen uses, from outside: they know of no clock."""
    import ast

    from pitfall_lint.semantic import suspicion

    _wrap(suspicion.Suspicion, "__init__", "wake")
    _wrap(suspicion.Suspicion, "run", "wake")
    _wrap(suspicion.Suspicion, "more", "wake")
    _wrap(ast, "parse", "ast", reads="ast")


def listen_closely() -> None:
    """Time the closer look: LibCST's parser and the walk of its trees. It is imported now."""
    if CLOCK is None or any(name == "parse_module" for _, name, _ in _LISTENED):
        return
    with stage("import"):
        import libcst

        import pitfall_lint.semantic.file  # noqa: F401
        from pitfall_lint.semantic import drafting, tree
    _wrap(drafting.Draft, "__init__", "drafts", reads="drafts")
    _wrap(tree.Tree, "__init__", "trees")
    _wrap(libcst, "parse_module", "libcst", reads="libcst")


def _wrap(owner: Any, name: str, stage_: str, reads: str = "") -> None:
    function: Callable[..., Any] = getattr(owner, name)
    if any((owner, name) == (known, what) for known, what, _ in _LISTENED):
        return

    @wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        clock = CLOCK
        if clock is None:
            return function(*args, **kwargs)
        if reads and isinstance(text := args[-1], (str, bytes)):
            clock.read(reads, text)
        clock.enter(stage_)
        try:
            return function(*args, **kwargs)
        finally:
            clock.leave()

    setattr(owner, name, timed)
    _LISTENED.append((owner, name, function))
