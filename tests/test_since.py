"""--since: which files can have new findings, and what the revision said."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pitfall_lint.since import Since, SinceError


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/__init__.py").write_text("")
    (root / "pkg/http.py").write_text("def get(): ...\n")
    (root / "pkg/user.py").write_text("from pkg.http import get\n")
    (root / "pkg/indirect.py").write_text("from pkg import (\n    user,\n)\n\nuser.get()\n")
    (root / "pkg/stranger.py").write_text("import os\nhttp = 1\n")
    git(root, "init")
    git(root, "add", ".")
    git(root, "commit", "-m", "one")
    return root


def candidates(since: Since, root: Path) -> set[str]:
    return {Path(path).name for path in since.candidates(sorted(map(str, root.rglob("*.py"))))}


def test_changed_files_and_those_that_import_them(repository: Path) -> None:
    (repository / "pkg/http.py").write_text("async def get(): ...\n")
    (repository / "pkg/new.py").write_text("x = 1\n")
    since = Since("HEAD", str(repository))
    assert candidates(since, repository) == {"http.py", "new.py", "user.py", "indirect.py"}
    assert since.read(str(repository / "pkg/http.py")) == b"def get(): ...\n"
    assert since.read(str(repository / "pkg/new.py")) is None
    assert since.read(str(repository / "pkg/user.py")) == b"from pkg.http import get\n"


def test_nothing_changed(repository: Path) -> None:
    assert candidates(Since("HEAD", str(repository)), repository) == set()


def test_unknown_revision_is_named(repository: Path) -> None:
    with pytest.raises(SinceError, match="git knows no revision 'nonsense'"):
        Since("nonsense", str(repository))


def test_a_revision_is_never_an_option(repository: Path) -> None:
    with pytest.raises(SinceError, match="--output=x"):
        Since("--output=x", str(repository))


def test_shallow_clone_says_what_to_do(repository: Path, tmp_path: Path) -> None:
    first = git(repository, "rev-parse", "HEAD").strip()
    (repository / "pkg/http.py").write_text("x = 2\n")
    git(repository, "commit", "-am", "two")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--depth=1", repository.as_uri(), str(clone))
    with pytest.raises(SinceError, match=r"shallow clone .* --deepen"):
        Since(first, str(clone))


def test_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(SinceError, match="not a git repository"):
        Since("HEAD", str(tmp_path))
