"""Where the command line writes: streams that may be closed, narrow, colourless or no terminal at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterable
from typing import TextIO

from pitfall_lint.reporters import Style
from pitfall_lint.reporters.paint import paint

_LINKING = ("iTerm.app", "WezTerm", "vscode", "Hyper", "ghostty", "Tabby", "rio")


class Stopped(Exception):
    """The run ends here with this exit code; everything that there was to say has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def prepare() -> None:
    """Make the standard streams take every character, and stand in for those that are closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors="backslashreplace")


def complain(message: str) -> None:
    """Say in one line on standard error why something could not be done."""
    style = Style(color=wants_color(sys.stderr, "auto"))
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{paint('error', 'red', style)}: {message}\n")
        sys.stderr.flush()


def remark(message: str) -> None:
    """Say something on standard error that does not stop the run."""
    style = Style(color=wants_color(sys.stderr, "auto"))
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{paint('note', 'cyan', style)}: {message}\n")


def give_up() -> None:
    """Take back a standard output whose reader has gone, so that Python does not complain at exit."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())


def write(pieces: Iterable[str], stream: TextIO) -> None:
    """Write piece by piece. Raises OSError, BrokenPipeError when the reader has gone."""
    for piece in pieces:
        stream.write(piece)
    stream.flush()


def wants_color(stream: TextIO, when: str) -> bool:
    """Tell whether colours go to a stream: `--color`, NO_COLOR, FORCE_COLOR, then the terminal decide."""
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether somebody looks at this stream."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):
        return False


def style_for(stream: TextIO, when: str, unsafe_fixes: bool) -> Style:
    """Return what can be shown on a stream."""
    color, terminal = wants_color(stream, when), is_terminal(stream)
    width = 0
    if terminal or os.environ.get("COLUMNS", "").isdigit():
        width = max(40, shutil.get_terminal_size((80, 24)).columns)
    return Style(color, color and terminal and has_links(), width, unsafe_fixes)


def has_links() -> bool:
    """Tell whether the terminal is known to show hyperlinks; FORCE_HYPERLINK decides where it is set."""
    env = os.environ
    if forced := env.get("FORCE_HYPERLINK"):
        return forced != "0"
    if env.get("CI") or env.get("TERM") in ("dumb", None):
        return False
    vte = env.get("VTE_VERSION", "")
    return (
        env.get("TERM_PROGRAM") in _LINKING
        or (vte.isdigit() and int(vte) >= 5000)
        or any(env.get(name) for name in ("WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM"))
        or env.get("TERM", "") in ("xterm-kitty", "alacritty", "foot", "xterm-ghostty")
    )


class Progress:
    """A line on the terminal that says how far a long run is; nothing in a pipe or a short run."""

    def __init__(self, total: int, quiet: bool) -> None:
        self._total = total
        self._shows = not quiet and is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        self._next = time.monotonic() + 0.7
        self._written = False

    def __call__(self, done: int) -> None:
        """Hear how many files are done."""
        if self._shows and done < self._total and (now := time.monotonic()) >= self._next:
            self._next, self._written = now + 0.1, True
            share = done * 24 // max(1, self._total)
            sys.stderr.write(f"\r\x1b[2K{'━' * share}{'─' * (24 - share)} {done}/{self._total} files")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._written:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
