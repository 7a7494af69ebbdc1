"""The five founding bugs, re-written small: found by the default rules alone, and mended."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from evidence import FIXTURES, Mark, marks, project, rules, shown

from pitfall_lint.finding import Finding
from pitfall_lint.fixing import fix_source
from pitfall_lint.lint import lint_source
from pitfall_lint.source import Source

SEEDS = sorted(path for path in (FIXTURES / "seeds").iterdir() if path.is_dir())
DEFAULT = rules().select()


def lint(folder: Path, path: Path) -> tuple[Source, list[Finding]]:
    source = Source(path.relative_to(folder).as_posix(), path.read_bytes())
    absolute = Source(str(path), source.data)
    return source, lint_source(absolute, DEFAULT, project(folder))


@pytest.mark.parametrize("folder", SEEDS, ids=lambda path: path.name)
def test_found(folder: Path) -> None:
    """Default rules say what is marked, all of it and nothing else."""
    actual, expected, report, related = [], [], [], set()
    for path in sorted(folder.rglob("*.py")):
        source, findings = lint(folder, path)
        report.append(shown(source, findings))
        actual += [Mark(source.path, source.position(f.span.start)[0], f.code) for f in findings]
        expected += marks(path, source.path)
        related |= {(path.name, place.line, f.code) for f in findings for place in f.related}
        second = {(m.path, m.line, m.code) for m in marks(path, source.path, "related")}
        assert second <= related, f"related places are {sorted(related)}"
    assert expected
    assert sorted(actual) == sorted(expected), "\n".join(report)


@pytest.mark.parametrize("folder", SEEDS, ids=lambda path: path.name)
def test_mended(folder: Path, tmp_path: Path) -> None:
    """All fixes together leave nothing that has a fix."""
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    for path in sorted(copy.rglob("*.py")):
        source = Source(str(path), path.read_bytes())
        result = fix_source(source, lambda s: lint_source(s, DEFAULT, project(copy)), unsafe=True)
        assert not result.notes
        path.write_bytes(result.source.data)
    for path in sorted(copy.rglob("*.py")):
        source, findings = lint(copy, path)
        left = [finding for finding in findings if rules()[finding.code].fix is not None]
        assert not left, shown(source, left)
        compile(source.data, str(path), "exec", dont_inherit=True)


def test_the_first_command_of_the_readme_shows_all_five() -> None:
    """From the checkout's own folder, where `tests` is no place for users' bugs, they are projects of their own."""
    command = [sys.executable, "-m", "pitfall_lint", "--no-cache", "tests/fixtures/seeds"]
    ran = subprocess.run(command, cwd=FIXTURES.parent.parent, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1, ran.stderr
    for code, folder in zip(("PIT303", "PIT502", "PIT103", "PIT402", "PIT201"), SEEDS, strict=True):
        shown_here = ran.stdout.partition(f"{code} ")[2].partition("\n\n")[0]
        assert f"seeds/{folder.name}/" in shown_here, ran.stdout
        assert "= fix: " in ran.stdout.partition(f"seeds/{folder.name}/")[2].partition("\nPIT")[0]


def test_safe_fixes_alone_change_nothing_here(tmp_path: Path) -> None:
    """None of the five has a fix that is safe without a look."""
    for folder in SEEDS:
        for path in sorted(folder.rglob("*.py")):
            source = Source(str(path), path.read_bytes())
            assert not fix_source(source, lambda s, f=folder: lint_source(s, DEFAULT, project(f))).changed


def test_thread_ui_is_fine_with_the_next_version(tmp_path: Path) -> None:
    copy = tmp_path / "thread_ui"
    shutil.copytree(FIXTURES / "seeds" / "thread_ui", copy)
    (copy / "requirements.txt").write_text("gradio==5.34.1\n", "utf-8")
    assert lint(copy, copy / "app.py")[1] == []


STORE_REFUSES = """
import asyncio, logging, sys
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
import data, message

class Connection:
    async def execute(self, *args):
        raise ConnectionError("store is down")

class Emitter:
    async def send_step(self, step): ...
    async def update_step(self, step): ...
    async def delete_step(self, step): ...

data._layer = data.DataLayer(Connection())

async def main():
    shown = message.Message("1", "hello", Emitter())
    for what in (shown.send, shown.update, shown.remove):
        try:
            await what()
        except ConnectionError as error:
            print("raised to the caller:", error)
    await asyncio.sleep(0.1)

asyncio.run(main())
"""


def run(folder: Path, code: str) -> str:
    ran = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def test_lost_tasks_really_are_lost_and_really_are_found(tmp_path: Path) -> None:
    copy = tmp_path / "lost_tasks"
    shutil.copytree(FIXTURES / "seeds" / "lost_tasks", copy)
    assert "never retrieved" in run(copy, STORE_REFUSES)
    assert "Failed to persist" not in run(copy, STORE_REFUSES)
    path = copy / "message.py"
    source = Source(str(path), path.read_bytes())
    mended = fix_source(source, lambda s: lint_source(s, DEFAULT, project(copy)), unsafe=True).source
    path.write_bytes(mended.data)
    said = run(copy, STORE_REFUSES)
    assert "never retrieved" not in said
    assert said.count("store is down") >= 3
