"""Nothing is lost on the fast way: screened or whole, one process or several, in whatever order."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from evidence import project

from pitfall_lint import catalog, config, lint, run, workers
from pitfall_lint.source import Source

HERE = Path(__file__).parent
PLACES = sorted(path for path in (HERE / "fixtures").rglob("*.py") if ".fixed" not in path.name)
needs_fork = pytest.mark.skipif(not workers.can_fork(), reason="needs fork")


@pytest.mark.parametrize("path", PLACES, ids=lambda path: str(path.relative_to(HERE / "fixtures")))
def test_screened_as_whole(path: Path) -> None:
    """All default rules together: what one rule wakes must not hide what another one says."""
    source, rules = Source(str(path), path.read_bytes()), catalog.load().select(None)
    staged = lint.lint_source(source, rules, project())
    whole = lint.lint_source(source, rules, project(), whole=True)
    assert {(f.code, f.span) for f in staged} == {(f.code, f.span) for f in whole}


def spread(tmp_path: Path, count: int) -> list[str]:
    text = (
        "import asyncio\nasync def work():\n    raise ValueError\nasync def main():\n    asyncio.create_task(work())\n"
    )
    paths = []
    for number in range(count):
        path = tmp_path / f"m{number:04}.py"
        path.write_text(text if number % 7 == 0 else f"x = {number}\n")
        paths.append(str(path))
    return paths


def said(paths: list[str], jobs: int) -> list[tuple[str, list[str]]]:
    linter = run.Linter(catalog.load(), config.Resolver(isolated=True), run.Task())
    report = run.lint_paths(paths, linter, jobs=jobs)
    assert report.checked == len(paths)
    return [(file.path, [finding.code for finding in file.findings]) for file in report.files]


@needs_fork
def test_many_processes_say_the_same_in_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MANY", 10)
    monkeypatch.setattr(run, "_BATCH", 60)
    paths = spread(tmp_path, 40)
    alone = said(paths, 1)
    assert len(alone) == 6
    assert said(paths, 3) == alone
    shuffled = list(paths)
    random.Random(1).shuffle(shuffled)
    assert sorted(said(shuffled, 2)) == sorted(alone)


@needs_fork
def test_a_worker_that_dies_is_told_and_the_rest_goes_on() -> None:
    def work(job: int) -> int:
        if job == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return job * 2

    with workers.Workers(2, lambda: None, work) as pool:
        answers = dict(pool.run(list(range(8)), work, helps=False))
    assert isinstance(answers.pop(3), workers.Crash)
    assert answers == {n: n * 2 for n in range(8) if n != 3}


@needs_fork
def test_workers_leave_nothing_behind() -> None:
    with workers.Workers(2, lambda: time.sleep(30), lambda job: job) as pool:
        pids = [worker.pid for worker in pool._workers]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    pass\n" * 20_000,
        "async def f(a):\n" + "    if a:\n        create_task(a)\n" * 300 + "    x = 1\n" * 4_400,
        'x = """' + "create_task " * 100_000 + '"""\n',
        "x = [" * 150 + "]" * 150 + "\n",
        "create_task(\n" * 3_000,
        "import asyncio\n" + "asyncio.create_task(f())\n" * 3_000,
        "#" * 10_000_000,
    ],
    ids=["functions", "branches", "string", "brackets", "open", "statements", "large"],
)
def test_hostile_files_end_in_time(text: str) -> None:
    started = time.process_time()
    lint.lint_source(Source("a.py", text.encode()), catalog.load().select(None), project())
    assert time.process_time() - started < 20  # seconds of a slow machine; 10 is the aim
