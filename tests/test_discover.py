"""Which files a run looks at: named ones, folders, exclusion, git's ignore files, and what is no file."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pitfall_lint.config import Resolver
from pitfall_lint.discover import DiscoverError, Found, find


def tree(root: Path, *names: str, **texts: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts.get(name, ""))


def found(root: Path, *paths: str, **settings: Any) -> list[str]:
    overrides = {key.replace("_", "-"): value for key, value in settings.items()}
    resolver = Resolver(overrides, isolated=True, folder=str(root))
    here = os.getcwd()
    os.chdir(root)
    try:
        return [path.replace(os.sep, "/") for path in find(paths or (".",), resolver.for_folder)]
    finally:
        os.chdir(here)


def test_folders_give_python_files_in_order(tmp_path: Path) -> None:
    tree(tmp_path, "b.py", "a/z.py", "a/b.pyw", "a.py", "a/readme.md", "a/c.pyc", "venv/x.py", ".git/h.py")
    assert found(tmp_path) == ["a/b.pyw", "a/z.py", "a.py", "b.py"]
    assert found(tmp_path, "a", "b.py", "./a/z.py") == ["a/b.pyw", "a/z.py", "b.py"]


def test_named_files_are_always_taken(tmp_path: Path) -> None:
    tree(tmp_path, "venv/x.py", "script", "gen/y.py", ".gitignore", **{".gitignore": "gen/\n"})
    assert found(tmp_path, "venv/x.py", "script", "gen/y.py") == ["venv/x.py", "script", "gen/y.py"]
    assert found(tmp_path, "venv") == ["venv/x.py"]


def test_force_exclude_counts_for_named_paths(tmp_path: Path) -> None:
    tree(tmp_path, ".git/HEAD", "venv/x.py", "a.py", "gen/deep/y.py", ".gitignore", **{".gitignore": "gen/\n"})
    assert found(tmp_path, "venv/x.py", "venv", "a.py", "gen/deep/y.py", force_exclude=True) == ["a.py"]


def test_exclude_and_include(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "b.pyi", "sub/a.py", "sub/deep/c.py", "x_gen.py", "sub/x_gen.py")
    assert found(tmp_path, extend_exclude=["sub/deep", "*_gen.py"]) == ["a.py", "sub/a.py"]
    assert found(tmp_path, extend_exclude=["sub/*.py"]) == ["a.py", "x_gen.py"]
    assert "b.pyi" in found(tmp_path, extend_include=["*.pyi"])


def test_settings_of_the_closest_file_decide(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "one/a.py", "one/b.py", "one/pitfall-lint.toml")
    (tmp_path / "one/pitfall-lint.toml").write_text('extend-exclude = ["b.py"]\n')
    resolver = Resolver(folder=str(tmp_path))
    names = [os.path.relpath(path, tmp_path) for path in find([str(tmp_path)], resolver.for_folder)]
    assert names == ["a.py", os.path.join("one", "a.py")]


def test_ignore_files(tmp_path: Path) -> None:
    tree(tmp_path, ".git/HEAD", "a.py", "gen/a.py", "gen/keep.py", "sub/x.py", "sub/y.py", "sub/gen/z.py")
    (tmp_path / ".gitignore").write_text("gen/*\n!gen/keep.py\n# note\n")
    (tmp_path / "sub/.gitignore").write_text("*.py\n!y.py\n")
    assert found(tmp_path) == ["a.py", "gen/keep.py", "sub/y.py"]
    assert found(tmp_path, "sub") == ["sub/y.py"]
    assert "gen/a.py" in found(tmp_path, respect_gitignore=False)


def test_rules_above_the_named_folder_count_in_a_repository_only(tmp_path: Path) -> None:
    tree(tmp_path, "repo/.git/HEAD", "repo/pkg/skip.py", "repo/pkg/a.py", "plain/skip.py")
    (tmp_path / "repo/.gitignore").write_text("skip.py\n")
    (tmp_path / ".gitignore").write_text("*.py\n")
    assert found(tmp_path, "repo/pkg") == ["repo/pkg/a.py"]
    assert found(tmp_path, "plain") == ["plain/skip.py"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("seed", range(12))
def test_same_as_git(tmp_path: Path, seed: int) -> None:
    pick = random.Random(seed)
    parts = ["a", "b", "ab", "foo", "bar", "foo bar", "x.y", "#c", "[d]"]
    patterns = [
        *(
            "a",
            "a/",
            "/a",
            "b/*",
            "!b",
            "!a/",
            "*.py",
            "!a.py",
            "**/foo",
            "foo/**",
            "a/**/b",
            "/**/bar",
            "fo?",
        ),
        *("[ab]", "[!a]b.py", "[^a].py", "foo\\ bar", "x.*", "\\#c", "\\[d\\]", "foo bar ", "ab*", "!ab.py"),
        *(
            "**",
            "*",
            "!*/",
            "!*.py",
            "a/b",
            "foo/bar.py",
            "[a-f]*.py",
            "***",
            "a**b",
            "[[:alpha:]].py",
            "",
            "#a",
        ),
    ]
    for _ in range(60):
        folder = "/".join(pick.choice(parts) for _ in range(pick.randint(0, 3)))
        tree(tmp_path, f"{folder}/{pick.choice(parts)}.py".lstrip("/"))
    for folder in [
        "",
        *sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_dir()),
    ]:
        if not folder or pick.random() < 0.3:
            lines = [pick.choice(patterns) for _ in range(pick.randint(1, 4))]
            (tmp_path / folder / ".gitignore").write_text("\n".join(lines) + "\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, capture_output=True)
    out = subprocess.run(
        ["git", "-c", "core.excludesFile=/nonexistent", "ls-files", "-coz", "--exclude-standard", "*.py"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert sorted(found(tmp_path)) == sorted(name for name in out.stdout.split("\0") if name)


def test_links(tmp_path: Path) -> None:
    tree(tmp_path, "real/a.py")
    (tmp_path / "real/loop").symlink_to(tmp_path / "real")
    (tmp_path / "self.py").symlink_to("self.py")
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "alias.py").symlink_to("real/a.py")
    assert found(tmp_path) == ["alias.py", "real/a.py"]
    assert found(tmp_path, "link") == ["link/a.py"]
    with pytest.raises(DiscoverError, match=r"self\.py"):
        found(tmp_path, "self.py")


def test_what_is_no_file(tmp_path: Path) -> None:
    tree(tmp_path, "a.py")
    os.mkfifo(tmp_path / "pipe.py")
    assert found(tmp_path) == ["a.py"]
    with pytest.raises(DiscoverError, match=r"^pipe.py: not a regular file or folder$"):
        found(tmp_path, "pipe.py")
    with pytest.raises(DiscoverError, match=r"^nope.py: no such file or directory$"):
        found(tmp_path, "nope.py")
    with pytest.raises(DiscoverError, match="not a path"):
        found(tmp_path, "a\0b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_folder(tmp_path: Path) -> None:
    tree(tmp_path, "shut/a.py", "b.py")
    (tmp_path / "shut").chmod(0)
    errors: list[DiscoverError] = []
    resolver = Resolver(isolated=True)
    names = list(find([str(tmp_path)], resolver.for_folder, errors=errors))
    (tmp_path / "shut").chmod(0o755)
    assert names == [str(tmp_path / "b.py")]
    assert [str(error) for error in errors] == [f"{tmp_path}/shut/: permission denied"]


def test_what_the_answer_depended_on(tmp_path: Path) -> None:
    tree(tmp_path, ".git/HEAD", "a/b/c.py", "venv/x.py")
    used = Found([], [])
    list(find([str(tmp_path)], Resolver(isolated=True).for_folder, used=used))
    assert used.folders == [str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a/b")]
