"""--since: which files can have new findings, and what the revision said."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pitfall_lint.semantic.outline import Outline
from pitfall_lint.since import Since, SinceError
from pitfall_lint.source import Source


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
    return {Path(path).name for path in since.affected(sorted(map(str, root.rglob("*.py")))).lines}


def test_changed_files_and_those_that_import_them(repository: Path) -> None:
    (repository / "pkg/http.py").write_text("async def get(): ...\n")
    (repository / "pkg/new.py").write_text("x = 1\n")
    since = Since("HEAD", str(repository))
    assert candidates(since, repository) == {"http.py", "new.py", "indirect.py"}
    assert since.read(str(repository / "pkg/http.py")) == b"def get(): ...\n"
    assert since.read(str(repository / "pkg/new.py")) is None
    assert since.read(str(repository / "pkg/user.py")) == b"from pkg.http import get\n"


MODULE = """\
import asyncio
from pkg.http import (
    get,
    post,
)

app = make(
    "a",
)


class Base:
    limit = 1

    def __init__(self):
        self.client = open()

    def use(
        self,
        name,
    ):
        return self.client.read(name)

    def other(self):
        return get()


class Child(Base):
    def nothing(self):
        return 1


def start():
    run(work)


def work():
    deeper()


def deeper():
    return post()


def stranger():
    return 2


@app.route("/")
def page():
    return Base()
"""
SPREAD = [
    ("        return self.client.read(name)", "        return self.client.write(name)", "__init__ use"),
    ("        self.client = open()", "        self.client = None", "__init__ use other nothing page"),
    ("        return self.client.read(name)\n", "        pass\n", "__init__ use"),
    ("    limit = 1", "    limit = 2", "__init__ use other nothing page"),
    ("    run(work)", "    go(work)", "start work deeper"),
    ("    get,\n", "    put as get,\n", "other"),
    ('    "a",', '    "b",', "page"),
    ("    return 2", "    return 3", "stranger"),
    ('@app.route("/")', '@app.route("/x")', "page"),
]


@pytest.mark.parametrize(("before", "after", "wanted"), SPREAD)
def test_definitions_that_a_change_reaches(repository: Path, before: str, after: str, wanted: str) -> None:
    path = repository / "pkg/module.py"
    path.write_text(MODULE)
    git(repository, "add", ".")
    git(repository, "commit", "-m", "two")
    text = MODULE.replace(before, after)
    path.write_text(text)
    lines = Since("HEAD", str(repository)).affected([str(path)]).lines[str(path)]
    assert lines is not None
    outline = Outline(Source(str(path), text.encode()))
    blocks = [block for block in map(outline.function_at, lines) if block is not None]
    assert {block.name for block in blocks} == set(wanted.split())


def test_what_git_says_of_odd_files(repository: Path) -> None:
    odd = repository / "pkg/ä b.py"
    odd.write_bytes(b"x = 1\ny = 2")
    (repository / "pkg/old.py").write_text("def f():\n    return 1\n" * 9)
    (repository / "pkg/mode.py").write_text("z = 1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "two")
    odd.write_bytes(b"x = 1\r\ny = 3")
    (repository / "pkg/mode.py").chmod(0o755)
    git(repository, "mv", "pkg/old.py", "pkg/moved.py")
    (repository / "pkg/stranger.py").unlink()
    git(repository, "config", "diff.noprefix", "true")
    git(repository, "config", "color.ui", "always")
    since = Since("HEAD", str(repository / "pkg"))
    names = {Path(path).name: change for path, change in since.changes.items()}
    assert names.keys() - {"mode.py"} == {"ä b.py", "moved.py"}
    assert names["moved.py"] is None
    change = names["ä b.py"]
    assert change is not None
    assert (change.added, change.gone, change.old) == ({0, 1}, {0, 1}, b"x = 1\ny = 2")
    assert since.read(str(repository / "pkg/moved.py")) == b"def f():\n    return 1\n" * 9


def test_users_beyond_a_number_are_counted(repository: Path) -> None:
    (repository / "pkg/http.py").write_text("async def get(): ...\n")
    for number in range(40):
        (repository / f"pkg/many{number}.py").write_text("from pkg.http import get\n\n" + "get()\n" * 9)
    git(repository, "add", ".")
    git(repository, "commit", "-m", "two")
    (repository / "pkg/http.py").write_text("def get(): ...\n")
    reached = Since("HEAD", str(repository)).affected(sorted(map(str, repository.rglob("*.py"))))
    assert sum(len(lines or ()) for lines in reached.lines.values()) <= 160
    assert reached.far >= 200


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
