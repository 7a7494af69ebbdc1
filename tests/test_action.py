"""The GitHub Action's own script, on a scratch repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from evidence import TESTS

SCRIPT = TESTS.parent / "action" / "run"
BAD = "import asyncio\n\n\nasync def main(save):\n    asyncio.create_task(save())\n"
pytestmark = pytest.mark.skipif(os.name == "nt" or not SCRIPT.is_file(), reason="needs a checkout and bash")


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    ran = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "old.py").write_text(BAD)
    (folder / "new.py").write_text("x = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "base")
    return folder


def act(folder: Path, **values: str) -> tuple[int, str, dict[str, str]]:
    output = folder.parent / "output"
    output.write_text("")
    environment = {
        **os.environ,
        "PITFALL_COMMAND": f"{sys.executable} -m pitfall_lint",
        "PITFALL_LINT_NO_CACHE": "1",
        "GITHUB_OUTPUT": str(output),
        **{f"PITFALL_{key.upper()}": value for key, value in values.items()},
    }
    ran = subprocess.run([str(SCRIPT)], cwd=folder, env=environment, capture_output=True, text=True)
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return ran.returncode, ran.stdout + ran.stderr, outputs


def test_annotations_and_sarif(repository: Path) -> None:
    code, said, outputs = act(repository, sarif="report.sarif")
    assert code == 1
    assert "::error" in said
    assert "/old.py,line=5" in said
    assert outputs == {"exit-code": "1", "sarif-file": "report.sarif"}
    report = json.loads((repository / "report.sarif").read_text("utf-8"))
    assert report["runs"][0]["results"][0]["ruleId"] == "PIT301"
    assert act(repository, fail="false")[0] == 0
    assert act(repository, args="--ignore PIT301")[0] == 0
    assert act(repository, paths="nowhere")[0] == 2


def test_changed_files_only(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD")
    (repository / "new.py").write_text(BAD)
    git(repository, "commit", "-qam", "change")
    code, said, _ = act(repository, base=base)
    assert code == 1
    assert "/new.py," in said
    assert "/old.py," not in said
    assert "/old.py," in act(repository, base=base, changed_only="false")[1]
