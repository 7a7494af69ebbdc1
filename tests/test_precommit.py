"""A real pre-commit, with the hooks of this checkout: a bad commit is stopped, and mended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BAD = 'import os\n\nos.environ["no_proxy"] = "localhost"\n'
WORSE = "import asyncio\n\n\nasync def main(work):\n    asyncio.create_task(work())\n"

pytest.importorskip("pre_commit")


def git(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        **env,
    }
    return subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    """A repository that holds what this checkout holds now; returns its folder and revision."""
    folder = tmp_path_factory.mktemp("hooks")
    for name in ("src", "rules"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all")
    return folder, git(folder, "rev-parse", "HEAD").stdout.strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return str(tmp_path_factory.mktemp("pre-commit"))


def scratch(tmp_path: Path, hooks: tuple[Path, str], hook: str, home: str) -> None:
    (tmp_path / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks[0].as_uri()}\n  rev: {hooks[1]}\n  hooks:\n  - id: {hook}\n"
    )
    git(tmp_path, "init", "-q")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "install", "--install-hooks"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {"PRE_COMMIT_HOME": home},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"the hook's environment cannot be made here: {done.stdout[-300:]}{done.stderr[-300:]}")


def commit(folder: Path, home: str) -> subprocess.CompletedProcess[str]:
    git(folder, "add", ".")
    return git(folder, "commit", "-m", "work", PRE_COMMIT_HOME=home, NO_COLOR="1")


def test_a_bad_commit_is_stopped(tmp_path, hooks, home):
    scratch(tmp_path, hooks, "pitfall-lint", home)
    (tmp_path / "good.py").write_text("x = 1\n")
    assert commit(tmp_path, home).returncode == 0
    (tmp_path / "bad.py").write_text(WORSE)
    done = commit(tmp_path, home)
    assert done.returncode == 1
    assert "PIT301" in done.stdout + done.stderr
    (tmp_path / "pyproject.toml").write_text('[tool.pitfall-lint]\nextend-exclude = ["bad.py"]\n')
    assert commit(tmp_path, home).returncode == 0  # excluded files are left alone though they are named


def test_a_bad_commit_is_mended(tmp_path, hooks, home):
    scratch(tmp_path, hooks, "pitfall-lint-fix", home)
    (tmp_path / "bad.py").write_text(BAD)
    done = commit(tmp_path, home)
    assert done.returncode == 1
    assert "fixed" in done.stdout + done.stderr
    assert (tmp_path / "bad.py").read_text() != BAD
    done = commit(tmp_path, home)
    assert done.returncode == 0, done.stdout + done.stderr
