"""Findings are remembered by file: what changed is looked at again, with all that it matters to, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pitfall_lint import catalog, config, run
from pitfall_lint.remembering import Memory

HELPER = "import asyncio\n\n\ndef fire(work):\n    return asyncio.create_task(work)\n"
USER = "from helper import fire\n\n\nasync def go(work):\n    fire(work.run())\n"
OTHER = "import asyncio\n\n\nasync def alone(work):\n    asyncio.create_task(work.run())\n"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("PITFALL_LINT_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {"helper": HELPER, "user": USER, "other": OTHER, "plain": "x = 1\n"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "pyproject.toml").write_text("[tool.pitfall-lint]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(tree: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], set[str]]:
    """Return the findings of a run, and the files that it looked at."""
    looked: set[str] = set()
    check_file = run.Linter.check_file

    def heard(self: run.Linter, path: str, *args: object, **kwargs: object) -> run.FileReport:
        looked.add(Path(path).name)
        return check_file(self, path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(run.Linter, "check_file", heard)
    linter = run.Linter(catalog.load(), config.Resolver({}), run.Task())
    paths = sorted(str(path) for path in tree.glob("*.py"))
    memory = Memory("test", [str(tree / "pyproject.toml")], paths)
    report = run.lint_paths(paths, linter, memory=memory)
    monkeypatch.setattr(run.Linter, "check_file", check_file)
    return [f"{Path(f.path).name}:{f.code}" for f in report.findings], looked


BOTH = ["other.py:PIT301", "user.py:PIT301"]


def test_nothing_is_looked_at_twice(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, looked = lint(tree, monkeypatch)
    assert first == BOTH
    assert looked == {"helper.py", "other.py", "plain.py", "user.py"}
    assert lint(tree, monkeypatch) == (BOTH, set())


def test_a_change_is_looked_at_alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lint(tree, monkeypatch)
    (tree / "other.py").write_text(OTHER + "\n\nx = 2\n")
    assert lint(tree, monkeypatch) == (BOTH, {"other.py"})


def test_a_helper_that_changes_is_looked_at_with_its_users(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lint(tree, monkeypatch)
    (tree / "helper.py").write_text("async def fire(work):\n    return await work\n")
    found, looked = lint(tree, monkeypatch)
    assert found == ["other.py:PIT301", "user.py:PIT302"]
    assert {"helper.py", "user.py"} <= looked


def test_what_a_helper_begins_to_pass_on(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tree / "helper.py").write_text("import asyncio\n\n\ndef fire(work):\n    return work\n")
    assert lint(tree, monkeypatch)[0] == ["other.py:PIT301"]
    (tree / "helper.py").write_text(HELPER)
    assert lint(tree, monkeypatch)[0] == BOTH


@pytest.mark.parametrize("many", [2, 200], ids=["surveyed", "one by one"])
def test_an_edit_that_tells_others_nothing_new(tree: Path, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files there are: what a file tells is the same thing when it is remembered and when it is asked."""
    monkeypatch.setattr(run, "MANY", many)
    text = HELPER + "\n\nasync def slow(work):\n    return fire(work)\n\n\ndef through(work):\n    slow(work)\n"
    (tree / "helper.py").write_text(text)
    (tree / "importer.py").write_text("from helper import through\n\nx = through\n")
    lint(tree, monkeypatch)
    (tree / "helper.py").write_text(text + "\n# a word\n")
    found, looked = lint(tree, monkeypatch)
    assert found == ["helper.py:PIT302", *BOTH]
    assert looked == {"helper.py", "user.py"}, "what was read to judge user.py changed"


def test_settings_forget_everything_and_a_new_file_nothing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lint(tree, monkeypatch)
    (tree / "pyproject.toml").write_text('[tool.pitfall-lint]\nignore = ["PIT301"]\n')
    assert lint(tree, monkeypatch)[0] == []
    (tree / "new.py").write_text(OTHER)
    found, looked = lint(tree, monkeypatch)
    assert found == []
    assert looked == {"new.py"}


@pytest.mark.parametrize("many", [2, 200], ids=["surveyed", "one by one"])
def test_what_a_function_begins_to_return(tree: Path, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who uses what it returns is looked at again, though no name came or went."""
    monkeypatch.setattr(run, "MANY", many)
    client = "class Client:\n    async def get(self, key):\n        return key\n\n\n"
    make = "def make():\n    made = {}\n    other = Client()\n    return made or dict(other=other)\n"
    (tree / "helper.py").write_text(client + make)
    (tree / "user.py").write_text("from helper import make\n\n\nasync def go():\n    make().get(1)\n")
    assert lint(tree, monkeypatch)[0] == ["other.py:PIT301"]
    (tree / "helper.py").write_text(client + make.replace("made or dict(other=other)", "other"))
    assert lint(tree, monkeypatch)[0] == ["other.py:PIT301", "user.py:PIT302"]


@pytest.mark.parametrize("many", [2, 200], ids=["surveyed", "one by one"])
def test_what_is_lost_of_the_memory_is_found_out_again(
    tree: Path, many: int, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    monkeypatch.setattr(run, "MANY", many)
    lint(tree, monkeypatch)
    (tree / "other.py").write_text(OTHER + "\n\nx = 2\n")
    assert lint(tree, monkeypatch)[1] == {"other.py"}
    for pile in own_cache.glob("pile-*"):
        pile.write_bytes(b"")
    (tree / "other.py").write_text(OTHER + "\n\nx = 3\n")
    assert lint(tree, monkeypatch)[0] == BOTH
    assert lint(tree, monkeypatch) == (BOTH, set())


@pytest.mark.parametrize("many", [2, 200], ids=["surveyed", "one by one"])
def test_who_does_not_name_it_is_left_alone(tree: Path, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """New functions, attributes and coroutines matter to who names them; what gives nothing matters to nobody."""
    monkeypatch.setattr(run, "MANY", many)
    lint(tree, monkeypatch)
    more = (
        "\n\nclass New:\n    def __init__(self, one):\n        self.one = one\n\n\nasync def fresh():\n    local = 1\n"
    )
    (tree / "other.py").write_text(OTHER + more)
    assert lint(tree, monkeypatch) == (BOTH, {"other.py"})
    (tree / "plain.py").write_text("from other import fresh\n\n\nasync def x():\n    fresh()\n")
    assert lint(tree, monkeypatch) == ([*BOTH[:1], "plain.py:PIT302", *BOTH[1:]], {"plain.py"})
    (tree / "other.py").write_text(OTHER + more.replace("async def", "def"))
    found, looked = lint(tree, monkeypatch)
    assert found == BOTH
    assert {"other.py"} <= looked <= {"other.py", "plain.py"}
