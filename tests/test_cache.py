"""The cache: what is answered from it, what makes it forget, and that nobody else's words are believed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pitfall_lint import cache, compiled, libraries
from pitfall_lint.cache import Store

BAD = "import asyncio\n\n\nasync def work():\n    raise ValueError\n\n\nasync def main():\n    asyncio.create_task(work())\n"


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(folder))
    monkeypatch.delenv("PITFALL_LINT_NO_CACHE", raising=False)
    return folder


def lint(where: Path, *arguments: str, trace: bool = False) -> subprocess.CompletedProcess[str]:
    code = "import sys; from pitfall_lint.__main__ import main\ntry:\n    main()\nfinally:\n"
    code += (
        "    print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)" if trace else "    pass"
    )
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=120)


def settle() -> None:
    """Wait until a change is old enough to be told from a later one."""
    time.sleep(0.05)


def test_the_second_run_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BAD)
    settle()
    first = lint(tmp_path, "--isolated")
    second = lint(tmp_path, "--isolated", trace=True)
    assert (first.stdout, first.returncode) == (second.stdout, second.returncode)
    assert first.returncode == 1
    loaded = set(second.stderr.split())
    assert not loaded & {"libcst", "click", "rich", "tomllib", "re", "dataclasses", "pathlib", "json", "pygls"}


def test_version_imports_nothing_heavy(tmp_path: Path) -> None:
    loaded = set(lint(tmp_path, "--version", trace=True).stderr.split())
    assert not loaded & {"libcst", "click", "rich", "tomllib", "pygls"}


@pytest.mark.parametrize("change", ["edit", "new", "gone", "settings", "ignore"])
def test_changes_are_seen(tmp_path: Path, change: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/a.py").write_text(BAD)
    (tmp_path / "pkg/b.py").write_text("x = 1\n")
    settle()
    for _ in range(2):
        assert lint(tmp_path, "pkg").stdout.count("PIT301") >= 1
    if change == "edit":
        (tmp_path / "pkg/a.py").write_text("x = 1\n")
    elif change == "new":
        (tmp_path / "pkg/a.py").write_text("x = 1\n")
        (tmp_path / "pkg/c.py").write_text("y = 1\n")
    elif change == "gone":
        (tmp_path / "pkg/a.py").unlink()
    elif change == "settings":
        (tmp_path / "pitfall-lint.toml").write_text('ignore = ["ALL"]\n')
    else:
        (tmp_path / ".gitignore").write_text("a.py\n")
    assert "PIT301" not in lint(tmp_path, "pkg").stdout


def test_an_edit_that_keeps_size_and_time_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(BAD)
    settle()
    lint(tmp_path, "--isolated")
    times = path.stat()
    path.write_text(BAD.replace("asyncio.create_task(work())", "await asyncio.wait_for(work)"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "PIT301" not in lint(tmp_path, "--isolated").stdout


def test_answers_are_signed(own_folder: Path) -> None:
    store = Store()
    store.write("x", (1, "two"))
    assert Store().read("x") == (1, "two")
    data = (own_folder / "x").read_bytes()
    (own_folder / "x").write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
    assert Store().read("x") is None
    (own_folder / "x").write_bytes(data[:20])
    assert Store().read("x") is None
    (own_folder / "x").write_bytes(data)
    (own_folder / "key").write_bytes(b"k" * 32)
    assert Store().read("x") is None


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(tmp_path / "file" / "below"))
    Store().write("x", 1)
    assert Store().read("x") is None


def test_the_folder_is_bounded(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_LARGEST", 20_000)
    for number in range(10):
        Store().write(f"run-{number}", "x" * 5_000)
    sizes = sum(path.stat().st_size for path in own_folder.iterdir())
    assert sizes <= 21_000
    assert Store().read("run-9") == "x" * 5_000


def test_rows_from_the_cache_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[type]]\nname = "mine.Client"\nalso = ["mine.api.Client"]\n')
    for _ in range(2):
        rows = compiled.load_libraries([path])
        assert libraries.plain(rows) == libraries.plain(libraries.load([path]))
    path.write_text('[[type]]\nname = "mine.Other"\n')
    assert [row.name for row in compiled.load_libraries([path]).rows(libraries.Type)] == ["mine.Other"]


def test_what_may_not_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    def name(*arguments: str) -> str | None:
        return cache.run_name(arguments, sys.__stdout__, sys.__stderr__)

    assert name("src")
    assert name("src", "--select", "ALL", "-q")
    assert name("src") != name("src", "-q") != name("src", "-e")
    for argument in ("--fix", "-", "--no-cache", "-n", "--output-file=x", "-o", "--watch", "--since", "--verbose"):
        assert name("src", argument) is None
    monkeypatch.setenv("PITFALL_LINT_NO_CACHE", "1")
    assert name("src") is None
