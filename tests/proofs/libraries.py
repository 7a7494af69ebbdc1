"""Real libraries for the proofs: an environment for each set of requirements, made once by uv and kept."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
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
    if not (folder / "complete").exists():
        uv = [sys.executable, "-m", "uv"]
        for command in (
            [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
            [*uv, "pip", "install", "--quiet", "--python", str(python), *requirements],
        ):
            made = subprocess.run(command, capture_output=True, text=True)
            if made.returncode:
                pytest.skip(f"{', '.join(requirements)}: {made.stderr.strip()[-200:]}")
        (folder / "complete").touch()
    return str(python)


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
