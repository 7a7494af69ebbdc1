"""Which modules belong together does not depend on the folder that pitfall-lint is started in."""

from __future__ import annotations

from pathlib import Path

import pytest

from pitfall_lint.cli import run

JOBS = """\
import logging

async def run(name: str) -> None:
    try:
        raise ValueError(name)
    except Exception:
        logging.exception("lost")
"""
ROUTE = """\
import asyncio

from app.jobs import run

async def start() -> None:
    asyncio.create_task(run("one"))
    await asyncio.sleep(1)
"""


@pytest.mark.parametrize("folder", ["app/routers", "app/api/routers"])
@pytest.mark.parametrize("here", [".", "app", "../elsewhere"])
def test_a_folder_without_init_is_part_of_the_package_around_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: str,
    here: str,
) -> None:
    root = tmp_path / "project"
    (root / folder).mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (root / "app/__init__.py").touch()
    (root / "app/jobs.py").write_text(JOBS)
    route = root / folder / "start.py"
    route.write_text(ROUTE)
    monkeypatch.chdir(root / here)

    def said() -> str:
        run(["check", "--isolated", "--no-cache", "--select=PIT301", str(route)])
        return capsys.readouterr().out

    assert "PIT301" not in said()  # `run` tells what happens to it
    (root / "app/jobs.py").write_text(JOBS.replace("Exception", "KeyError"))
    assert "PIT301" in said()
