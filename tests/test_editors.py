"""Real editors, without a screen: the diagnostic of a founding bug comes, and its quick fix is what `--fix` writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from evidence import FIXTURES, TESTS, marks

pytest.importorskip("pygls")
COMMAND = [sys.executable, "-m", "pitfall_lint"]


def mended(folder: Path, name: str) -> str:
    """Return what the command line makes of a file."""
    subprocess.run([*COMMAND, "--fix", "--unsafe-fixes", "-q", name], cwd=folder, capture_output=True, timeout=120)
    return (folder / name).read_text("utf-8")


def has_eglot() -> bool:
    if shutil.which("emacs") is None:
        return False
    probe = ["emacs", "--batch", "--eval", "(progn (package-initialize) (require 'eglot))"]
    return subprocess.run(probe, capture_output=True, timeout=60).returncode == 0


@pytest.mark.skipif(not has_eglot(), reason="Emacs with eglot is not here")
def test_emacs(tmp_path: Path) -> None:
    seed = FIXTURES / "seeds" / "thread_ui"
    for name in ("editor", "terminal"):
        shutil.copytree(seed, tmp_path / name)
    file, out = tmp_path / "editor" / "app.py", tmp_path / "out.json"
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PITFALL_COMMAND": json.dumps([*COMMAND, "server"]),
        "PITFALL_FILE": str(file),
        "PITFALL_OUT": str(out),
    }
    script = TESTS / "editors" / "eglot.el"
    command = ["emacs", "--batch", "--eval", "(package-initialize)", "-l", str(script)]
    subprocess.run(command, env=environment, timeout=200, check=True, capture_output=True)
    said = json.loads(out.read_text("utf-8"))
    assert "error" not in said, said
    assert "PIT201" in said["action"]
    assert said["line"] == next(mark.line for mark in marks(seed / "app.py", "app.py"))
    assert file.read_text("utf-8") == mended(tmp_path / "terminal", "app.py")


@pytest.mark.skipif(shutil.which("nvim") is None, reason="Neovim is not here")
def test_neovim(tmp_path: Path) -> None:
    seed = FIXTURES / "seeds" / "thread_ui"
    for name in ("editor", "terminal"):
        shutil.copytree(seed, tmp_path / name)
    file, out = tmp_path / "editor" / "app.py", tmp_path / "out.json"
    environment = {
        **os.environ,
        "PITFALL_COMMAND": json.dumps([*COMMAND, "server"]),
        "PITFALL_FILE": str(file),
        "PITFALL_ROOT": str(file.parent),
        "PITFALL_OUT": str(out),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    script = TESTS / "editors" / "neovim.lua"
    command = ["nvim", "--headless", "--clean", "-u", "NONE", "-c", f"luafile {script}"]
    subprocess.run(command, env=environment, timeout=200, check=True, capture_output=True)
    said = json.loads(out.read_text("utf-8"))
    assert "error" not in said, said
    assert [found["code"] for found in said["diagnostics"]] == ["PIT201"]
    assert said["diagnostics"][0]["line"] + 1 == next(mark.line for mark in marks(seed / "app.py", "app.py"))
    assert "does not support the asynchronous context manager protocol" in said["hover"]
    assert said["left"] == 0
    assert file.read_text("utf-8") == mended(tmp_path / "terminal", "app.py")
