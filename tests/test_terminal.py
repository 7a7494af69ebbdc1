"""What a real terminal of 80 columns gets to see."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from pitfall_lint.reporters import paint

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

LONG = """\
import asyncio


class Messages:
    async def send(self, layer, step):
        try:
            asyncio.create_task(layer.update_step(step, with_a_rather_long_argument=step.to_dict(), "日本" * 3))
        except Exception as error:
            print(error)
""".replace('"日本" * 3', 'more="日本" * 3')
ESCAPES = re.compile(r"\x1b\[[\d;]*[mK]|\x1b\]8;;[^\x1b]*\x1b\\|\r")


def seen(folder, *arguments: str, columns: int = 80, **env: str) -> str:
    """Run the program on a pseudo-terminal and return what arrives there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(
        theirs,
        termios.TIOCSWINSZ,
        (24).to_bytes(2, sys.byteorder) + columns.to_bytes(2, sys.byteorder) + bytes(4),
    )
    hidden = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "CI", "TERM_PROGRAM", "VTE_VERSION", "WT_SESSION")
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    environment |= {"TERM": "xterm-256color", "PITFALL_LINT_CACHE_DIR": str(folder / ".cache"), **env}
    command = [sys.executable, "-m", "pitfall_lint", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment)
    os.close(theirs)
    out = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side has closed
            break
        if not piece:
            break
        out += piece
    os.close(ours)
    process.wait()
    return out.decode()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app.py").write_text(LONG)
    return tmp_path


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_it_fits_and_is_coloured(folder, columns):
    out = seen(folder, "app.py", columns=columns)
    assert "\x1b[1;31mPIT30" in out
    assert "\x1b]8;;" not in out
    lines = [ESCAPES.sub("", line) for line in out.split("\n")]
    assert max(paint.columns(line) for line in lines) <= columns


def test_no_color(folder):
    out = seen(folder, "app.py", NO_COLOR="1")
    assert "\x1b[1;31m" not in out
    assert "PIT30" in out


def test_links_where_the_terminal_has_them(folder):
    out = seen(folder, "app.py", TERM_PROGRAM="WezTerm")
    assert re.search(r"\x1b\]8;;https://\S+\.md\x1b\\", out)


def test_a_dumb_terminal(folder):
    assert "\x1b" not in seen(folder, "app.py", TERM="dumb")


def test_a_page_is_rendered(folder):
    out = seen(folder, "explain", "PIT301")
    assert "```" not in out
    assert "## Why" not in out
    assert "\x1b[" in out
    assert max(paint.columns(ESCAPES.sub("", line).rstrip()) for line in out.split("\n")) <= 80
