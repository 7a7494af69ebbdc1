"""`--add-noqa` and `--watch` on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

BAD = "import asyncio\n\n\nasync def main(save):\n    asyncio.create_task(save())\n"
COMMAND = [sys.executable, "-m", "pitfall_lint"]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PITFALL_LINT_NO_CACHE": "1", "NO_COLOR": "1"}
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(
    ("option", "comment"), [("--add-noqa", "PIT301"), ("--add-noqa=it is fine", "PIT301 it is fine")]
)
def test_add_noqa(tmp_path: Path, option: str, comment: str) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(BAD.replace("\n", "\r\n").encode())
    (tmp_path / "broken.py").write_text("def broken(:\n")
    ran = run(tmp_path, option, "a.py")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "Added 1 `noqa` comment in 1 file.\n"
    assert path.read_bytes() == BAD.replace("save())\n", f"save())  # noqa: {comment}\n").replace("\n", "\r\n").encode()
    assert run(tmp_path, "a.py").returncode == 0
    assert run(tmp_path, option, "a.py").stdout == "Added 0 `noqa` comments in 0 files.\n"
    ran = run(tmp_path, option, ".")
    assert ran.returncode == 2
    assert "broken.py: has a syntax error and is left alone" in ran.stderr


def test_add_noqa_leaves_known_findings_alone(tmp_path: Path) -> None:
    """What the baseline has is silent already."""
    (tmp_path / "pyproject.toml").write_text("[tool.pitfall-lint]\nbaseline = 'known.txt'\n")
    path = tmp_path / "a.py"
    path.write_text(BAD)
    assert "known.txt: no such baseline" in run(tmp_path, "--add-noqa", ".").stderr
    assert path.read_text() == BAD
    assert run(tmp_path, "--write-baseline", "-q").returncode == 0
    worse = BAD + "\n\nasync def more(load):\n    asyncio.create_task(load())\n"
    path.write_text(worse)
    assert run(tmp_path, "--add-noqa", ".").stdout == "Added 1 `noqa` comment in 1 file.\n"
    assert path.read_text() == worse.replace("load())\n", "load())  # noqa: PIT301\n")
    assert run(tmp_path, ".").returncode == 0


def test_unused_noqa_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1  # noqa: PIT301\n")
    ran = run(tmp_path, ".")
    assert ran.returncode == 1
    assert "PIT002" in ran.stdout
    assert run(tmp_path, "--fix", ".").returncode == 0
    assert path.read_text() == "x = 1\n"


def test_watch(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 1\n")
    environment = {**os.environ, "PITFALL_LINT_NO_CACHE": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*COMMAND, "--watch", "--output-format", "concise", "."],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    lines: list[str] = []
    lines_of = process.stdout
    assert lines_of is not None

    def read() -> None:
        for line in lines_of:
            lines.append(line)

    threading.Thread(target=read, daemon=True).start()

    def wait(text: str) -> None:
        for _ in range(600):
            if any(text in line for line in lines):
                return
            time.sleep(0.05)
        raise AssertionError(f"{text!r} is not in {lines}")

    try:
        wait("Looked at 2 of 2 files")
        time.sleep(0.5)
        path.write_text(BAD)
        wait("a.py:5:5: PIT301")
        wait("Looked at 1 of 2 files")
        (tmp_path / "pyproject.toml").write_text("[tool.pitfall-lint]\nignroe = []\n")
        wait("unknown key 'ignroe'")
    finally:
        process.terminate()
        process.wait(10)
