"""What is learnt of modules around a named file is believed the next time, as long as nothing around it changed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pitfall_lint import cache, screen, screening
from pitfall_lint.cli import run

HELPER = "from deep import loop\n\n\ndef fire(work):\n    return loop.create_task(work)\n"
DEEP = "import asyncio\n\nloop = asyncio.get_event_loop()\n"
USER = "from helper import fire\n\n\nasync def go(work):\n    fire(work.run())\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(tmp_path / "cache"))
    tree = tmp_path / "tree"
    tree.mkdir()
    for name, text in {"helper": HELPER, "deep": DEEP, "user": USER}.items():
        (tree / f"{name}.py").write_text(text)
    monkeypatch.chdir(tree)
    return tree


@pytest.fixture
def lint(tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def lint(*files: str) -> tuple[int, set[str]]:
        """Return the number of findings, and the modules that were looked at for what they pass on."""
        time.sleep(0.05)
        looked: set[str] = set()
        look = screen.Screen._look_for_passing

        def heard(self, source, project):
            looked.add(Path(source.path).name)
            return look(self, source, project)

        with monkeypatch.context() as patched:
            patched.setattr(screen.Screen, "_look_for_passing", heard)
            patched.setattr(screening, "_SCREENS", [])
            patched.setattr(cache, "RECORDER", cache.Recorder("test"))
            run(["--isolated", "--output-format=concise", *files])
        return capsys.readouterr().out.count("PIT301"), looked

    return lint


def test_nothing_is_learnt_twice(tree, lint) -> None:
    assert lint("user.py") == (1, {"helper.py"})
    (tree / "user.py").write_text("\n" + USER)
    assert lint("user.py") == (1, set())
    (tree / "other.py").write_text(USER)
    assert lint("other.py") == (1, set())


@pytest.mark.parametrize("name", ["helper", "deep"])
def test_a_module_that_changed(tree, lint, name: str) -> None:
    assert lint("user.py")[0] == 1
    (tree / f"{name}.py").write_text("def fire(work):\n    return work\n\n\nloop = None\n")
    assert lint("user.py")[0] == 0


def test_a_module_that_came(tree, lint) -> None:
    (tree / "deep.py").unlink()
    assert lint("user.py")[0] == 0
    (tree / "deep.py").write_text(DEEP)
    assert lint("user.py")[0] == 1


def test_a_circle(tree, lint) -> None:
    """What a module passes on may come from the very file that was named."""
    (tree / "helper.py").write_text(HELPER.replace("deep", "user"))
    (tree / "user.py").write_text(f"{USER}\n\nloop = None\n")
    assert lint("user.py")[0] == 0
    (tree / "user.py").write_text(f"import asyncio\n{USER}\n\nloop = asyncio.get_event_loop()\n")
    assert lint("user.py")[0] == 1
