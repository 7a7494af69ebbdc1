"""A team adopts the linter: a project of many old findings stays clean while its code moves, and shrinks as it is mended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pitfall_lint.baseline import Baseline
from pitfall_lint.cli import run

MODULES, EACH = 11, 5
HEAD = "import asyncio\n\n\nasync def work(n):\n    raise ValueError(n)\n"
LOST = "\n\nasync def start_{0}():\n    asyncio.create_task(work({0}))\n"
MENDED = "\n\nasync def start_{0}():\n    await work({0})\n"


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out a repository with 55 findings and their baseline."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PITFALL_LINT_NO_CACHE", "1")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.pitfall-lint]\nbaseline = "known.txt"\n')
    for module in range(MODULES):
        lost = "".join(LOST.format(module * EACH + n) for n in range(EACH))
        (tmp_path / f"pkg/module_{module}.py").write_text(HEAD + lost)
    assert run(["--write-baseline", "known.txt", "."]) == 0
    assert len(Baseline.read(tmp_path / "known.txt")) == MODULES * EACH
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "adopted")
    return tmp_path


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def test_what_moves_stays_known(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(project, "mv", "pkg/module_0.py", "pkg/renamed.py")
    edit(project / "pkg/module_1.py", LOST.format(5), "")
    with (project / "pkg/module_2.py").open("a") as file:
        file.write(LOST.format(5))
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "30", "."]
    subprocess.run(ruff, cwd=project, check=True, capture_output=True)
    capsys.readouterr()
    assert run(["."]) == 0
    assert "55 known findings hidden" in capsys.readouterr().out


def test_a_new_one_is_told_and_a_mended_one_leaves(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (project / "pkg/module_3.py").open("a") as file:
        file.write(LOST.format(99))
    edit(project / "pkg/module_4.py", LOST.format(20), MENDED.format(20))
    capsys.readouterr()
    assert run([".", "--output-format", "concise"]) == 1
    out = capsys.readouterr().out
    assert "pkg/module_3.py:29:5: PIT301" in out
    assert "Found 1 finding in 1 file." in out
    assert len(Baseline.read(project / "known.txt")) == MODULES * EACH - 1


def test_two_branches_merge(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for branch, module in (("one", 5), ("other", 5), ("third", 6)):
        git(project, "checkout", "-b", branch, "main")
        number = module * EACH + (branch == "other") * 4
        edit(project / f"pkg/module_{module}.py", LOST.format(number), MENDED.format(number))
        assert run(["."]) == 0
        git(project, "commit", "-am", branch)
    git(project, "merge", "one", "-m", "merge one")
    git(project, "merge", "other", "-m", "merge other")
    assert len(Baseline.read(project / "known.txt")) == MODULES * EACH - 3
    assert run([".", "--baseline-check"]) == 0
