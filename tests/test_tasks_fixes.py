"""The ways out that findings on tasks offer: keep and log, await, a task group; each of them leaves nothing to find."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence import project, rules

from pitfall_lint.finding import Finding
from pitfall_lint.fixing import splice
from pitfall_lint.lint import lint_source
from pitfall_lint.source import Source

HEAD = """import asyncio
import logging

logger = logging.getLogger(__name__)


async def work(store):
    await store.write(1)


"""
DROPPED = """async def main(stores):
    for store in stores:
        asyncio.create_task(work(store), name="work")
    await stores.flush()
    return len(stores)
"""
TRIED = """async def main(store):
    try:
        asyncio.create_task(work(store))
    except Exception:
        logger.exception("failed")
"""
POOLED = """async def main(loop: asyncio.AbstractEventLoop, store):
    loop.run_in_executor(None, store.write, 1)
"""
KEEP, AWAIT, GROUP = (
    "Keep the task and log what it raises",
    "Await it here",
    "Start it in a task group, which waits for it",
)


def lint(text: str, folder: Path, python: str) -> tuple[Source, list[Finding]]:
    if python:
        (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\nrequires-python = "{python}"\n', "utf-8")
    path = folder / "module.py"
    path.write_text(text, "utf-8")
    source = Source(str(path), path.read_bytes())
    return source, lint_source(source, rules().select(["PIT3"]), project(folder))


@pytest.mark.parametrize(
    ("text", "python", "titles"),
    [
        (DROPPED, ">=3.11", [KEEP, AWAIT, GROUP]),
        (DROPPED, ">=3.12,<4", [KEEP, AWAIT, GROUP]),
        (DROPPED, ">=3.10", [KEEP, AWAIT]),
        (DROPPED, "", [KEEP, AWAIT]),
        (TRIED, ">=3.11", ["Await it, so that the handlers see its errors", KEEP, GROUP]),
        (POOLED, ">=3.11", ["Keep the future and log what it raises", AWAIT]),
        (DROPPED.replace("async def main", "def main").replace("await ", ""), ">=3.11", [KEEP]),
        (DROPPED.replace("return len(stores)", "yield 1"), ">=3.11", [KEEP, AWAIT]),
        (
            DROPPED.replace("asyncio.create_task(work(store)", "task = asyncio.create_task(work(store)"),
            ">=3.11",
            [KEEP],
        ),
    ],
)
def test_alternatives(text: str, python: str, titles: list[str], tmp_path: Path) -> None:
    source, (finding,) = lint(HEAD + text, tmp_path, python)
    assert [fix.title for fix in finding.fixes] == titles
    for fix in finding.fixes:
        mended = splice(source, fix.edits).data.decode()
        compile(mended, "mended.py", "exec")
        assert lint(mended, tmp_path, python)[1] == [], mended


def test_a_task_group_holds_the_rest_of_the_function(tmp_path: Path) -> None:
    source, (finding,) = lint(HEAD + DROPPED, tmp_path, ">=3.11")
    mended = splice(source, finding.fixes[2].edits).data.decode()
    assert mended == HEAD + (
        "async def main(stores):\n"
        "    async with asyncio.TaskGroup() as group:\n"
        "        for store in stores:\n"
        '            group.create_task(work(store), name="work")\n'
        "        await stores.flush()\n"
        "        return len(stores)\n"
    )
