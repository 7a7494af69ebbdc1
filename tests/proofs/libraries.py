"""Real libraries for the proofs: an environment for each set of requirements, made once and kept."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pitfall-lint-proofs"


@cache
def python_with(*requirements: str) -> str:
    """Return an interpreter that has these requirements; the test is skipped where they can't be had."""
    key = hashlib.sha256("\n".join((sys.version, *requirements)).encode()).hexdigest()[:16]
    folder = CACHE / key
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    CACHE.mkdir(parents=True, exist_ok=True)
    with _alone(CACHE / f"{key}.lock"):
        if not (folder / "complete").exists():
            _make(folder, python, requirements)
    return str(python)


def _make(folder: Path, python: Path, requirements: tuple[str, ...]) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    venv = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)]
    for command in (venv, [*pip, *requirements]) if requirements else (venv,):
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"{', '.join(requirements)}: {made.stderr.strip()[-200:]}")
    (folder / "complete").touch()


@contextmanager
def _alone(lock: Path, seconds: float = 300) -> Iterator[None]:
    """Let one process at a time make an environment; a lock that old is of a process that was ended."""
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            with suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > seconds:
                    lock.rmdir()
            time.sleep(0.1)
    try:
        yield
    finally:
        lock.rmdir()


def run(
    program: str, *requirements: str, env: dict[str, str] | None = None, seconds: float = 60, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program with these libraries, in an environment without proxies beside those in `env`."""
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    clean.pop("PYTHONPATH", None)
    return subprocess.run(
        [python_with(*requirements), "-X", "utf8", "-c", program],
        capture_output=True,
        text=True,
        input=stdin,
        timeout=seconds,
        env={**clean, "PYTHONASYNCIODEBUG": "0", **(env or {})},
    )
