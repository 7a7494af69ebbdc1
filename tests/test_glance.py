"""A glance says "clean" only where the run itself would, and says it without importing what a run needs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from evidence import project

from pitfall_lint import catalog, glance, lint
from pitfall_lint.semantic import joints
from pitfall_lint.source import Source

HERE = Path(__file__).parent
QUIET = "import os\nimport sys\n\n\ndef total(values):\n    return sum(values) + len(os.sep) + 3\n"
FILES = [path for path in sorted(HERE.rglob("*.py")) if "proofs" not in path.parts]


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("PITFALL_LINT_NO_CACHE", raising=False)


def run(folder: Path, *arguments: str) -> tuple[str, int, bool]:
    """Return what a run prints, its exit code, and whether it was told by a glance."""
    time.sleep(0.05)
    code = "import sys; from pitfall_lint.__main__ import main\ntry:\n    main()\nfinally:\n"
    code += "    print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True)
    loaded = set(ran.stderr.split())
    return ran.stdout, ran.returncode, not loaded & {"click", "libcst", "rich", "re", "dataclasses", "json"}


def test_a_clean_file_is_told_by_a_glance(tmp_path: Path) -> None:
    for name in ("first", "second", "third"):
        (tmp_path / f"{name}.py").write_text(QUIET + f"\n\n{name} = 1\n")
    assert run(tmp_path, "first.py") == ("All checks passed!\n", 0, False)
    assert run(tmp_path, "second.py") == ("All checks passed!\n", 0, True)
    assert run(tmp_path, "first.py", "second.py", "third.py") == ("All checks passed!\n", 0, True)
    assert run(tmp_path, "--quiet", "third.py") == ("", 0, False), "other options, another answer"
    assert run(tmp_path, "--quiet", "first.py") == ("", 0, True)
    hook = ("check", "--force-exclude")  # as pre-commit calls it
    assert [run(tmp_path, *hook, f"{name}.py")[2] for name in ("first", "second")] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio\n\n\ndef f(work):\n    asyncio.create_task(work())\n",
        "def f(:\n",
        "import helper\n",
        "from .helper import fire\n",
        "def f():\n    import helper\n",
        "x = 1  # noqa: PIT301\n",
        "async def f():\n    pass\n\n\ndef g():\n    f()\n",
        "x = '\\d'\n",
        "# coding: latin-1\n",
        "x = f'/{y}' + '/'\n",
        "x = __import__('helper')\n",
    ],
)
def test_what_is_not_plain_is_left_to_the_run(tmp_path: Path, text: str) -> None:
    (tmp_path / "helper.py").write_text("import asyncio\n\n\ndef fire(work):\n    return asyncio.create_task(work)\n")
    (tmp_path / "quiet.py").write_text(QUIET)
    run(tmp_path, "quiet.py")
    (tmp_path / "other.py").write_text(text)
    assert not run(tmp_path, "other.py")[2]
    assert not run(tmp_path, "quiet.py", "other.py")[2]


@pytest.mark.parametrize("change", ["settings", "nearer settings", "nearer pyproject"])
def test_settings_are_looked_for(tmp_path: Path, change: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.pitfall-lint]\nselect = ["PIT3"]\n')
    for name in ("a", "b", "c"):
        (tmp_path / "sub" / f"{name}.py").write_text(QUIET + f"\n\n{name} = 1\n")
    run(tmp_path, "sub/a.py")
    assert run(tmp_path, "sub/b.py")[2]
    if change == "settings":
        (tmp_path / "pyproject.toml").write_text('[tool.pitfall-lint]\nselect = ["PIT4"]\n')
    elif change == "nearer settings":
        (tmp_path / "sub/pitfall-lint.toml").write_text('select = ["PIT4"]\n')
    else:
        (tmp_path / "sub/pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert not run(tmp_path, "sub/c.py")[2]


def test_no_finding_is_lost() -> None:
    """Of all fixtures and all files of these tests, those that a glance calls clean are."""
    from pitfall_lint.screening import screen_for

    rules, where = catalog.load().select(None), project()
    known = {
        "words": frozenset(w.encode() for w in screen_for(rules, where.libraries).telling) | glance.ALWAYS,
        "needles": joints.NEEDLES,
        "names": (),
        "settings": "",
        "skipped": frozenset(),
        "roots": (),
    }
    clean = [path for path in FILES if glance._is_clean(str(path), known)]
    for path in clean:
        assert not lint.lint_source(Source(str(path), path.read_bytes()), rules, where), path


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (["a.py", "b.py"], ["a.py", "b.py"]),
        (["-q", "a.py"], ["a.py"]),
        (["--select=PIT3", "a.py"], ["a.py"]),
        (["--exclude", "a.py"], []),
        (["--exclude", "a.py", "b.py"], []),
        (["src"], []),
        ([], []),
    ],
)
def test_which_arguments_are_files(arguments: list[str], files: list[str]) -> None:
    assert glance.split(arguments)[1] == files
