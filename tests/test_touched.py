"""Files that changed in comments and layout alone do not make a run be made again; anything else does."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pitfall_lint.touched import is_same_code

BAD = "import asyncio\n\n\nasync def main(work):\n    asyncio.create_task(work())\n"
PLAIN = "import asyncio\n\n\ndef plain(first, second=(1, 2)):\n    return {first: second}\n"
QUIET = "import asyncio\n\n\nasync def other(work):\n    asyncio.create_task(work())  # noqa: PIT301\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("PITFALL_LINT_NO_CACHE", raising=False)
    tree = tmp_path / "tree"
    tree.mkdir()
    for name, text in {"bad": BAD, "plain": PLAIN, "quiet": QUIET}.items():
        (tree / f"{name}.py").write_text(text)
    return tree


def lint(tree: Path) -> tuple[str, bool]:
    """Return what a run prints, and whether it was made."""
    time.sleep(0.05)
    code = "import sys; from pitfall_lint.__main__ import main\ntry:\n    main()\nfinally:\n"
    code += "    print('click' in sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", code, "--isolated", "--output-format=concise", "."]
    found = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=120)
    return found.stdout, "True" in found.stderr


@pytest.mark.parametrize(
    ("name", "text", "is_made"),
    [
        ("plain", PLAIN + "\n\n# a word\n", False),
        ("plain", PLAIN.replace("(first, second=(1, 2))", "(\n    first,\n    second=(1, 2),\n)"), False),
        ("plain", PLAIN.replace("(1, 2)", "(1, 3)"), True),
        ("plain", PLAIN.replace("return", "return\n    return"), True),
        ("plain", PLAIN + "x = (\n", True),
        ("plain", "# a word\n" + BAD, True),
        ("bad", "# a word\n" + BAD, True),
        ("quiet", "# a word\n" + QUIET, False),
        ("quiet", QUIET.replace("  # noqa: PIT301", ""), True),
        ("quiet", QUIET.replace("(work())  #", "(\n        work()\n    )  #"), True),
    ],
)
def test_touched(tree: Path, name: str, text: str, is_made: bool) -> None:
    before, made = lint(tree)
    assert made
    assert lint(tree) == (before, False)
    (tree / f"{name}.py").write_text(text)
    now, made = lint(tree)
    assert made == is_made
    assert made or now == before
    again = subprocess.run(
        [sys.executable, "-m", "pitfall_lint", "--isolated", "--no-cache", "--output-format=concise", "."],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert again.stdout == now


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"x = 1\n", b"x = 1  # one\n\n", True),
        (b"x = 1\n", b"x = 1.0\n", False),
        (b"x = 1\n", b"x = True\n", False),
        (b"x = 'a'\n", b'x = "a"\n', True),
        (b"x = 'a'\n", b"x = b'a'\n", False),
        (b"x = 1  # type: int\n", b"x = 1\n", False),
        (b"x = '''\n# a\n'''\n", b"x = '''\n# b\n'''\n", False),
        (b"if x:\n    y()\nz()\n", b"if x:\n    y()\n    z()\n", False),
        (b"x = (\n", b"x = (\n", False),
    ],
)
def test_same_code(one: bytes, other: bytes, same: bool) -> None:
    assert is_same_code(one, other) is same
